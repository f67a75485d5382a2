"""Survival estimators as what model files hold, and back."""

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

import jax
import numpy as np

from jaxsurv.artifacts import StoredModel
from jaxsurv.data.tables import few
from jaxsurv.estimators.ensemble import NetworkEstimator
from jaxsurv.estimators.file_entries import differing, named, structured, tuples
from jaxsurv.estimators.fitted import FittedModel, TrainingCohort
from jaxsurv.estimators.prepared import as_batch
from jaxsurv.estimators.survival import SurvivalEstimator
from jaxsurv.models import CLINICAL
from jaxsurv.preprocess import Preprocessing, Scaler, Standardised
from jaxsurv.preprocess._encode import encoded_columns
from jaxsurv.preprocess.saved import pack, unpack
from jaxsurv.survival import StepFunction
from jaxsurv.types import InputError

_KEPT = ("n_features_in_", "feature_names_in_", "lambda_")


def write(estimator: SurvivalEstimator) -> StoredModel:
    """The fitted estimator in entries and arrays."""
    fitted = estimator.fitted()
    settings = dict(estimator.settings_)
    settings.pop("config", None)
    hparams = settings.pop("hparams", None)
    if settings["modalities"] is not None:
        settings["modalities"] = {m: list(c) for m, c in settings["modalities"].items()}
    if isinstance(estimator, NetworkEstimator):
        hparams = (hparams or estimator.default_hparams)._asdict()
    header, arrays = pack(fitted.preprocessing)
    columns = {c: getattr(estimator, c) for c in _KEPT if hasattr(estimator, c)}
    entries = {
        "settings": settings,
        "config": _config_entries(fitted),
        "hparams": hparams,
        "columns": columns,
        "preprocessing": header,
        "baseline": {"times": fitted.baseline.times, "values": fitted.baseline.values},
        "cohort": fitted.cohort._asdict(),
    }
    weights = {"center": fitted.center} | named(fitted.params)
    return StoredModel(entries, weights, arrays)


def read(kind: type[SurvivalEstimator], stored: StoredModel) -> SurvivalEstimator:
    """The fitted estimator; refuses parts that do not fit each other."""
    entries = stored.entries
    given = {}
    if issubclass(kind, NetworkEstimator):
        given["hparams"] = type(kind.default_hparams)(**entries["hparams"])
        if kind.default_config is not None:
            given["config"] = type(kind.default_config)(**tuples(entries["config"]))
    estimator = kind(**entries["settings"], **given)
    preprocessing = unpack(entries["preprocessing"], stored.preprocessing)
    _check_preprocessing(preprocessing, stored.preprocessing)
    weights = dict(stored.weights)
    center = weights.pop("center")
    config = given.get("config")
    params = _parameters(kind, config, preprocessing, weights, len(center))
    estimator._keep(FittedModel(
        kind, config, preprocessing, params, center, _baseline(entries["baseline"]),
        TrainingCohort(**tuples(entries["cohort"])),
    ))  # fmt: skip
    for column, value in entries["columns"].items():
        if column in _KEPT:
            setattr(
                estimator, column, np.array(value, object) if isinstance(value, list) else value
            )
    return estimator


def _config_entries(fitted: FittedModel) -> Any:
    """Widths that are a function become those that it gave."""
    if not is_dataclass(fitted.config):
        return None
    entries = {k: getattr(fitted.config, k) for k in asdict(fitted.config)}  # type: ignore[arg-type]
    if callable(widths := entries.get("widths")):
        sizes = _empty(fitted.preprocessing).inputs
        entries["widths"] = {m: widths(x.shape[1]) for m, x in sizes.items() if m != CLINICAL}
    return entries


def _parameters(
    kind: Any, config: Any, fitted: Preprocessing, weights: dict[str, np.ndarray], members: int
) -> Any:
    """The weights in the structure that the model has for this config and these features."""
    empty = _empty(fitted)
    batch = as_batch(empty.inputs, empty.presence)
    init = kind.functions(config).init
    wanted = jax.eval_shape(init, jax.random.key(0), batch)
    return structured(weights, wanted, leading=(members,))


def _empty(fitted: Preprocessing) -> Standardised:
    """One patient who has nothing, as a network reads it."""
    widths = {m: c.stop - c.start for m, c in fitted.columns.items()}
    widths |= {m: p.shape[1] for m, p in fitted.projection.items()}
    inputs = {m: np.zeros((1, w), np.float32) for m, w in widths.items()}
    return Standardised(("",), inputs, dict.fromkeys(inputs, np.zeros(1, np.float32)))


def _check_preprocessing(fitted: Preprocessing, arrays: Mapping[str, np.ndarray]) -> None:
    size = sum(len(encoded_columns(fitted.schema, m)) for m in fitted.schema.features)
    wanted = {f"scaler/{part}": (size,) for part in Scaler._fields}
    columns = fitted.columns
    for m, p in fitted.projection.items():
        width = columns[m].stop - columns[m].start if m in columns else -1
        wanted[f"projection/{m}"] = (width, p.shape[-1])
    found = {name: a.shape for name, a in arrays.items()}
    if wrong := differing(found, wanted):
        raise InputError(f"the preprocessing {few(wrong)} does not fit features and projection")
    if fitted.imputation is not None:
        raise InputError("preprocessing with imputation, which no estimator uses")


def _baseline(entries: Mapping[str, Any]) -> StepFunction:
    times, values = (np.asarray(entries[k], np.float32) for k in ("times", "values"))
    rising = all(np.all(np.diff(a) >= 0) and np.all(a >= 0) for a in (times, values))
    if times.ndim != 1 or times.shape != values.shape or not times.size or not rising:
        raise InputError("the baseline hazard must be nondecreasing over ascending times")
    return StepFunction(times, values)
