"""Command-line options that every experiment shares. Imports no JAX: ``--help`` must be instant."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Protocol = Literal["three-way", "two-way", "single-split"]


@dataclass(frozen=True, kw_only=True)
class Execution:
    """How an experiment is executed.

    Attributes:
        preset: changes the defaults of all other options.
        out: folder for tables, figures and report.
        overwrite: replace the results in that folder.
        resume: finish the interrupted run in that folder; start if there is none.
        plan: layout of the runs on the hardware, DEVICESxLENGTHxWIDTH, such as 2x8x1: WIDTH runs side by
            side, LENGTH of these groups in sequence in a call, on each device. Chosen if not given.
        coordinator: HOST:PORT of the first of several processes that share the runs, or auto: SLURM, MPI,
            Kubernetes or a TPU pod say who they are.
        processes: their number.
        process: which of them this is, from 0.
        patience_seconds: for which processes wait for each other at the start.
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
        seeds: training runs per split and setting, which differ in initial weights and noise.
        folds: cross-validation folds, stratified by event.
        repeats: times that all patients are dealt into folds anew.
        protocol: three-way: early stopping watches a fifth of each training fold, the test fold is
            only scored. two-way: early stopping watches the test fold, as papers often do; optimistic.
            single-split: two-way on one split, an eighth of the patients or 127 of them.
        complete_only: test patients who have every modality only; all others always train.
    """

    cohort: str = "tcga_acc"
    endpoint: str | None = None
    seeds: int = 5
    folds: int = 5
    repeats: int = 1
    protocol: Protocol = "three-way"
    complete_only: bool = False


@dataclass(frozen=True, kw_only=True)
class RecipeOptions(StudyOptions):
    """Options of a study that trains a survival VAE.

    Attributes:
        offset: log hazard known beforehand: a clinical Cox model fitted in each fold, or none.
        select: features of each modality, chosen in each fold: none (all), variance (the 200 of largest
            variance), elastic-net (those with a large coefficient in an elastic-net Cox model).
        impute: missing values, in each fold: none (the network is told what is missing), mean, gaussian
            (whole modalities from the others), round-robin (every feature from its nearest ones).
        components: principal components per modality, fitted in each fold; 0 = all features.
        epochs: most epochs of a run; early stopping usually ends it sooner.
        learning_rate: Adam's.
        survival_weight: weight of the Cox term.
        dropout: rate, at least 0 and below 1.
        nested: the headline is chosen in each split by the early-stopping losses of its training rows, and
            scored on test rows. --no-nested: it is the setting with the best test score, as papers report
            it; optimistic, and the report says so.
    """

    offset: Literal["clinical", "none"] = "clinical"
    select: Literal["none", "variance", "elastic-net"] = "none"
    impute: Literal["none", "mean", "gaussian", "round-robin"] = "none"
    components: int = 8
    epochs: int = 300
    learning_rate: float = 1e-3
    survival_weight: float = 1.0
    dropout: float = 0.1
    nested: bool = True
