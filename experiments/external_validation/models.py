"""The models of an external validation: estimators by name, and models that were saved before."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from rich.console import Console

from jaxsurv.artifacts import ResultsFolder
from jaxsurv.artifacts.results import sha256
from jaxsurv.data.tables import few
from jaxsurv.estimators import Coxnet, Network, SurvivalEstimator, SurvivalStack, load
from jaxsurv.estimators.fitted_estimator import KINDS
from jaxsurv.models import CLINICAL, registered
from jaxsurv.preprocess.harmonise import LEAST_SHARED
from jaxsurv.recipe import AS_MEASURED, Recipe
from jaxsurv.recipe.stacking import RECOMMENDED
from jaxsurv.types import InputError

from .cohorts import Cohorts
from .judge import patients_of, unable

CLINICAL_COX = "clinical Cox"


class Frozen(NamedTuple):
    """A fitted model.

    Attributes:
        estimator: the model.
        file: path it was loaded from, and SHA-256 of the file; empty = it was fitted here.
    """

    estimator: SurvivalEstimator
    file: str = ""


def named_estimators(
    names: Sequence[str], *, betas: Sequence[float], seeds: int, components: int | None, epochs: int
) -> dict[str, SurvivalEstimator]:
    """Estimators by name, not fitted.

    The rows of the default, which read ``components`` and choose among ``betas`` where they have a
    network; classes of :mod:`jaxsurv.estimators` and registered models, whose other settings are their
    defaults.

    Raises:
        InputError: an unknown name, or one that is given twice.
    """
    training = {"epochs": epochs, "n_seeds": seeds}
    chosen = {
        "grid": {"beta": tuple(betas)},
        "recipe": Recipe(components=components),
        **training,
    }
    clinical = Recipe(blocks=(CLINICAL,), components=None, offset="none")
    cox = tuple(member for member in RECOMMENDED if member != "network")
    known: dict[str, Callable[[], SurvivalEstimator]] = {
        "ridge Cox": lambda: SurvivalStack(("all modalities",), recipe=AS_MEASURED),
        CLINICAL_COX: lambda: SurvivalStack(("modalities",), recipe=clinical),
        "elastic-net Cox": Coxnet,
        "stacked Cox": lambda: SurvivalStack(cox, recipe=AS_MEASURED),
        "MO-RiskVAE": lambda: SurvivalStack(("network",), **chosen),
        "MO-RiskVAE, stacked": lambda: SurvivalStack(**chosen),
    }
    known |= {model: partial(Network, model, **training) for model in registered()}
    known |= {
        name: partial(_by_class, kind, training)
        for name, kind in KINDS.items()  # rather than a Network of the same name
        if issubclass(kind, SurvivalEstimator) and kind is not Network
    }
    known["SurvivalStack"] = known["MO-RiskVAE, stacked"]
    if unknown := [name for name in names if name not in known]:
        raise InputError(
            f"there is no estimator {unknown[0]!r}; --estimators takes {few(list(known), 30)}, and every "
            "model that is registered"
        )
    files = [file_of(name) for name in names]
    if twice := [name for name, file in zip(names, files, strict=True) if files.count(file) > 1]:
        raise InputError(f"--estimators must be different, got {few(twice)}")
    return {name: known[name]() for name in names}


def _by_class(kind: type, training: Mapping[str, int]) -> SurvivalEstimator:
    taken = inspect.signature(kind).parameters
    return kind(**{name: value for name, value in training.items() if name in taken})


def file_of(name: str) -> str:
    """Path of the model of that name in the results folder."""
    return f"models/{re.sub(r'[^A-Za-z0-9]+', '_', name).strip('_').lower()}.zip"


def open_models(files: Sequence[Path]) -> dict[str, Frozen]:
    """Saved models, by the last two parts of their path.

    Raises:
        InputError: see :func:`jaxsurv.estimators.load`; a model of images; the same file twice.
    """
    if len({file.resolve() for file in files}) < len(files):
        raise InputError(f"--model has one file twice: {few(list(map(str, files)))}")
    opened: dict[str, Frozen] = {}
    for file in files:
        model = load(file)
        if not isinstance(model, SurvivalEstimator):
            raise InputError(
                f"{file} is {type(model).__name__}, which predicts images and has no risks to judge"
            )
        whole = file.resolve()
        end = whole.with_suffix("") if whole.suffix == ".zip" else whole
        label = "/".join(end.parts[-2:])
        label = str(file) if label in opened else label
        digest = sha256(file / "manifest.json" if file.is_dir() else file)
        opened[label] = Frozen(model, f"{file}, SHA-256 {digest}")
    return opened


def check_models(models: Mapping[str, Frozen], cohorts: Cohorts) -> pd.DataFrame:
    """Features of each saved model that each external cohort has.

    Returns:
        columns ``model``, ``cohort``, ``modality``, ``features``, ``found``.

    Raises:
        InputError: times in another unit than the model's; a cohort that no member of the model can score,
            or that has less than a tenth of the features of a modality.
    """
    found = []
    for label, (model, file) in models.items():
        fitted, file = model.fitted(), file.split(", SHA-256")[0]
        unit, schema = fitted.cohort.time_unit, fitted.preprocessing.schema
        for name, cohort in cohorts.external.items():
            theirs = cohorts.units[name]
            if unit and theirs and unit != theirs:
                raise InputError(
                    f"{file} was trained on times in {unit}, and cohort {name!r} has them in {theirs}; "
                    f"convert the times of its survival.csv to {unit}, and write that as time_unit in its "
                    "cohort.json"
                )
            if reason := unable(fitted, patients_of(fitted, cohort, cohorts.logged).tables):
                raise InputError(f"{file} and cohort {name!r}: {reason}")
            for m, features in schema.features.items():
                there = cohort.modalities[m].columns if m in cohort.modalities else []
                shared = len(set(features) & set(there))
                found.append((label, name, m, len(features), shared))
                if m in cohort.modalities and shared < LEAST_SHARED * len(features):
                    raise InputError(
                        f"cohort {name!r} has {shared} of the {len(features)} features of {m!r} that "
                        f"{file} reads, less than a tenth; check that both name features in the same "
                        "way, or leave the modality out"
                    )
    return pd.DataFrame(found, columns=["model", "cohort", "modality", "features", "found"])


def fitting(
    estimators: Mapping[str, SurvivalEstimator], cohorts: Cohorts
) -> dict[str, SurvivalEstimator]:
    """The estimators that can be fitted: none without a training cohort, no clinical one without its table.

    Raises:
        InputError: the training cohort has nothing for any of them.
    """
    if cohorts.train is None:
        return {}
    clinical = CLINICAL in cohorts.train.modalities
    kept = {name: e for name, e in estimators.items() if clinical or name != CLINICAL_COX}
    if not kept:
        raise InputError(f"cohort {cohorts.train.name!r} has no modality {CLINICAL!r} to fit")
    return kept


def fit_all(
    estimators: Mapping[str, SurvivalEstimator],
    cohorts: Cohorts,
    folder: ResultsFolder,
    console: Console,
) -> dict[str, Frozen]:
    """Fit each estimator to the training cohort and write it to ``models``; finished ones are loaded.

    A model counts as finished when the manifest of a resumed run has its SHA-256.
    """
    fitted: dict[str, Frozen] = {}
    if cohorts.train is None:
        return fitted
    for i, (name, estimator) in enumerate(estimators.items(), 1):
        file = file_of(name)
        path = folder.path / file
        if path.exists() and folder.files.get(file) == sha256(path):
            fitted[name] = Frozen(load(path))
            continue
        with console.status(f"fitting {name}, {i} of {len(estimators)}"):
            estimator.fit(cohorts.train, cohorts.endpoint)
        folder.write(
            file,
            lambda p, estimator=estimator, name=name: estimator.save(
                p, notes=note_of(name, cohorts)
            ),
        )
        folder.list_files()
        fitted[name] = Frozen(estimator)
    return fitted


def keep_headline(
    name: str, model: Frozen, table: pd.DataFrame, cohorts: Cohorts, folder: ResultsFolder
) -> None:
    """Write a model that was fitted here to model.zip, with its C on each external cohort.

    Args:
        name: name of the model.
        model: model to write; one that was loaded is its own file already.
        table: table of results, see `judge`.
        cohorts: cohorts that the model was fitted to and judged on.
        folder: results folder to write to.
    """
    if model.file:
        return
    rows = table[(table["model"] == name) & table["c"].notna()]
    metrics = {f"C on {r.cohort}": (r.c, r.c_lower, r.c_upper) for r in rows.itertuples()}
    save = partial(model.estimator.save, metrics=metrics, notes=note_of(name, cohorts))
    folder.write("model.zip", save)


def note_of(name: str, cohorts: Cohorts) -> str:
    """A sentence for those who use the saved model."""
    train = cohorts.train
    told = f"'{name}', fitted to {train.name if train else 'unknown'}, {cohorts.endpoint}"
    if cohorts.logged:
        told += f"; {few(cohorts.logged)} must be log2(counts + 1)"
    return f"{told}."
