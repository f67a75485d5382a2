"""Estimators to model files and back: the closed list of models, and what their files must hold."""

import os
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

import jax
import numpy as np

from jaxsurv.artifacts import StoredModel, read_model, versions, write_model
from jaxsurv.data.tables import few
from jaxsurv.estimators.coxnet import Coxnet
from jaxsurv.estimators.ensemble import NetworkEstimator
from jaxsurv.estimators.fitted import FittedModel, TrainingCohort
from jaxsurv.estimators.networks import HCL, CoxMT, CoxNnet, MORiskVAE, MyeVAE
from jaxsurv.estimators.prepared import as_batch
from jaxsurv.estimators.survival import SurvivalEstimator
from jaxsurv.models import CLINICAL
from jaxsurv.preprocess import Preprocessing, Scaler, Standardised
from jaxsurv.preprocess.encode import encoded_columns
from jaxsurv.preprocess.saved import pack, unpack
from jaxsurv.survival import StepFunction
from jaxsurv.types import InputError

MODELS: dict[str, type[SurvivalEstimator]] = {
    c.__name__: c for c in (Coxnet, CoxNnet, CoxMT, HCL, MORiskVAE, MyeVAE)
}
Metrics = Mapping[str, tuple[float, float, float]]
_COLUMNS = ("n_features_in_", "feature_names_in_")


def save(path: str | os.PathLike, estimator: SurvivalEstimator, *, metrics: Metrics) -> None:
    """See :meth:`SurvivalEstimator.save`."""
    name, fitted = type(estimator).__name__, estimator.fitted()
    if MODELS.get(name) is not type(estimator):
        raise InputError(f"{name} has no model file; there are those of {few(list(MODELS), 20)}")
    settings = estimator.get_params(deep=False)
    settings.pop("config", None)
    hparams = settings.pop("hparams", None)
    if settings["modalities"] is not None:
        settings["modalities"] = {m: list(c) for m, c in settings["modalities"].items()}
    if isinstance(estimator, NetworkEstimator):
        hparams = estimator.chosen_hparams._asdict()
    header, arrays = pack(fitted.preprocessing)
    columns = {c: getattr(estimator, c) for c in _COLUMNS if hasattr(estimator, c)}
    entries = {
        "model": name,
        "settings": settings,
        "config": _config_entries(fitted),
        "hparams": hparams,
        "columns": columns,
        "preprocessing": header,
        "baseline": {"times": fitted.baseline.times, "values": fitted.baseline.values},
        "cohort": fitted.cohort._asdict(),
        "metrics": {k: dict(zip(_INTERVAL, v, strict=True)) for k, v in metrics.items()},
        "versions": versions(),
    }
    weights = {"center": fitted.center} | _named(fitted.params)
    write_model(path, _plain(entries), weights, arrays)


_INTERVAL = ("value", "lower", "upper")


def load(path: str | os.PathLike) -> Any:
    """The estimator that `SurvivalEstimator.save` wrote, with the same predictions to the bit.

    Args:
        path: folder or .zip.

    Raises:
        InputError: see :func:`jaxsurv.artifacts.read_model`; also an unknown model, and parts that do
            not fit each other.
    """
    stored = read_model(path)
    name = stored.entries.get("model")
    if name not in MODELS:
        raise InputError(f"{path}: unknown model {name!r}; there are {few(list(MODELS), 20)}")
    try:
        return _restore(MODELS[name], stored)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except Exception as error:  # whatever a file of another make leads to
        raise InputError(f"{path} is damaged or of another make: {error!r}") from error


def _restore(kind: type[SurvivalEstimator], stored: StoredModel) -> SurvivalEstimator:
    entries = stored.entries
    given = {}
    if issubclass(kind, NetworkEstimator):
        given["hparams"] = type(kind.default_hparams)(**entries["hparams"])
        if kind.default_config is not None:
            given["config"] = type(kind.default_config)(**_tuples(entries["config"]))
    estimator = kind(**entries["settings"], **given)
    preprocessing = unpack(entries["preprocessing"], stored.preprocessing)
    _check_preprocessing(preprocessing, stored.preprocessing)
    weights = dict(stored.weights)
    center = weights.pop("center")
    config = given.get("config")
    params = _parameters(kind, config, preprocessing, weights, len(center))
    estimator.model_ = FittedModel(
        kind, config, preprocessing, params, center, _baseline(entries["baseline"]),
        TrainingCohort(**_tuples(entries["cohort"])),
    )  # fmt: skip
    for column, value in entries["columns"].items():
        if column in _COLUMNS:
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


def _named(params: Any) -> dict[str, np.ndarray]:
    leaves, _ = jax.tree_util.tree_flatten_with_path(params)
    return {f"params{jax.tree_util.keystr(path)}": np.asarray(leaf) for path, leaf in leaves}


def _parameters(
    kind: Any, config: Any, fitted: Preprocessing, weights: dict[str, np.ndarray], members: int
) -> Any:
    """The weights in the structure that the model has for this config and these features."""
    empty = _empty(fitted)
    batch = as_batch(empty.inputs, empty.presence)
    init = kind.functions(config).init
    wanted = jax.eval_shape(init, jax.random.key(0), batch)
    leaves, structure = jax.tree_util.tree_flatten_with_path(wanted)
    names = {f"params{jax.tree_util.keystr(path)}": (members, *leaf.shape) for path, leaf in leaves}
    found = {name: a.shape for name, a in weights.items()}
    if names != found:
        wrong = [n for n in {**names, **found} if names.get(n) != found.get(n)]
        raise InputError(f"the weights {few(wrong)} do not fit config and features")
    return jax.tree.unflatten(structure, [weights[name] for name in names])


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
    if found != wanted or fitted.imputation is not None:
        raise InputError(f"preprocessing has arrays {found}, needs {wanted}")


def _baseline(entries: Mapping[str, Any]) -> StepFunction:
    times, values = (np.asarray(entries[k], np.float32) for k in ("times", "values"))
    rising = all(np.all(np.diff(a) >= 0) and np.all(a >= 0) for a in (times, values))
    if times.ndim != 1 or times.shape != values.shape or not times.size or not rising:
        raise InputError("the baseline hazard must be nondecreasing over ascending times")
    return StepFunction(times, values)


def _plain(value: Any) -> Any:
    """As JSON holds it: arrays as lists, keys as text."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(v) for v in value]
    return value.item() if hasattr(value, "item") else value


def _tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _tuples(v) for k, v in value.items()}
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value
