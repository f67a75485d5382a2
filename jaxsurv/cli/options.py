"""Command-line options that every experiment shares. Imports no JAX: ``--help`` must be instant."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Protocol = Literal["three-way", "two-way", "single-split"]


@dataclass(frozen=True, kw_only=True)
class Execution:
    """Execution of an experiment.

    Attributes:
        preset: name of a set of defaults for all other options.
        out: folder for tables, figures and report.
        overwrite: replace the results in that folder.
        resume: finish the interrupted run in that folder; start if there is none.
        plan: layout of the runs on the hardware, DEVICESxLENGTHxWIDTH, such as 2x8x1: on each device,
            WIDTH runs side by side, and LENGTH such groups in sequence per call. Chosen if not given.
        coordinator: HOST:PORT of the first of several processes that share the runs, or auto, which asks
            SLURM, MPI, Kubernetes or a TPU pod.
        processes: number of processes that share the runs.
        process: number of this process, from 0.
        patience_seconds: seconds that processes wait for each other at the start.
    """

    preset: Literal["default", "smoke"] = "default"
    out: Path = Path("results")
    overwrite: bool = False
    resume: bool = False
    plan: str | None = None
    coordinator: str | None = None
    processes: int | None = None
    process: int | None = None
    patience_seconds: int = 300


@dataclass(frozen=True, kw_only=True)
class StudyOptions(Execution):
    """Options of a study.

    Attributes:
        cohort: tcga_acc (bundled), simulated (1,143 patients with a known truth), or a folder with
            survival.csv and one table per modality.
        endpoint: outcome to model, such as os or pfi; the cohort's first one if not given.
        cause: cause of the endpoint to model, where it has several; events of the others censor. any: an
            event of whatever cause.
        seeds: training runs per split and setting, which differ in initial weights and noise.
        folds: number of cross-validation folds, stratified by event.
        repeats: number of repeats of the cross-validation, each with new folds.
        protocol: three-way: early stopping watches a fifth of each training fold, the test fold is
            only scored. two-way: early stopping watches the test fold, as papers often do; optimistic.
            single-split: two-way on one split, which tests an eighth of the patients or 127 of them.
        split: file of given splits, in place of folds, repeats and protocol: columns patient and part (train,
            validation, test), or patient and fold; or one of SurvBoard's train_splits.csv and
            test_splits.csv.
        complete_only: test only patients who have every modality; all others always train.
    """

    cohort: str = "tcga_acc"
    endpoint: str | None = None
    cause: str | None = None
    seeds: int = 5
    folds: int = 5
    repeats: int = 1
    protocol: Protocol = "three-way"
    split: Path | None = None
    complete_only: bool = False


@dataclass(frozen=True, kw_only=True)
class RecipeOptions(StudyOptions):
    """Options of a study that trains a survival VAE.

    Attributes:
        offset: log hazard known beforehand, fitted in each fold: a block ridge Cox model (clinical features,
            their squares and the leading modality), a clinical Cox model, or none.
        unknown: missing values of clinical columns: level (a category of its own, or an indicator beside a
            number, where enough patients lack it) or mean (the training mean alone).
        select: selection of features per modality, in each fold: none (keep all), variance (the 200 of
            largest variance), elastic-net (large coefficients in an elastic-net Cox model).
        impute: imputation of missing values, in each fold: none (the network is told what is missing),
            mean, gaussian (whole modalities from the others), round-robin (each feature from its nearest).
        head: outcome head of the networks: cox; logistic_hazard or pmf in discrete time; weibull or
            log_normal; competing: all causes of the endpoint at once, risks are of --cause. All but cox have
            curves of their own, and a loss that does not compare with Cox's.
        components: principal components per modality, fitted in each fold; 0 = all features.
        epochs: largest number of epochs of a run; early stopping usually ends it sooner.
        learning_rate: learning rate of Adam.
        survival_weight: weight of the Cox term, or of the loss of another head.
        dropout: dropout rate, at least 0 and below 1.
        nested: choose the headline's setting in each split by the early-stopping loss, and score it on the
            test set. --no-nested: take the setting with the best test score, as papers report it;
            optimistic, and the report says so.
    """

    offset: Literal["block-ridge", "clinical", "none"] = "block-ridge"
    unknown: Literal["mean", "level"] = "level"
    select: Literal["none", "variance", "elastic-net"] = "none"
    impute: Literal["none", "mean", "gaussian", "round-robin"] = "none"
    head: Literal["cox", "logistic_hazard", "pmf", "weibull", "log_normal", "competing"] = "cox"
    components: int = 8
    epochs: int = 300
    learning_rate: float = 1e-3
    survival_weight: float = 1.0
    dropout: float = 0.1
    nested: bool = True
