"""Estimators to model files and back: the closed list of models."""

import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from jaxsurv.artifacts import StoredModel, read_model, versions, write_model
from jaxsurv.data.tables import few
from jaxsurv.estimators import saved_images, saved_survival
from jaxsurv.estimators.coxnet import Coxnet
from jaxsurv.estimators.file_entries import plain
from jaxsurv.estimators.inva import InVA
from jaxsurv.estimators.networks import HCL, CoxMT, CoxNnet, MORiskVAE, MyeVAE
from jaxsurv.types import InputError


class Format(NamedTuple):
    """What the files of some estimators hold.

    Attributes:
        write: ``estimator -> StoredModel``, of entries that `plain` can make JSON of.
        read: ``(class, StoredModel) -> estimator``; any error is one of the file.
    """

    write: Callable[[Any], StoredModel]
    read: Callable[[Any, StoredModel], Any]


_SURVIVAL = Format(saved_survival.write, saved_survival.read)
FORMATS: dict[type, Format] = {
    **dict.fromkeys((Coxnet, CoxNnet, CoxMT, HCL, MORiskVAE, MyeVAE), _SURVIVAL),
    InVA: Format(saved_images.write, saved_images.read),
}
MODELS = {kind.__name__: kind for kind in FORMATS}
Metrics = Mapping[str, tuple[float, float, float]]
_INTERVAL = ("value", "lower", "upper")


def save(path: str | os.PathLike, estimator: Any, *, metrics: Metrics) -> None:
    """See :meth:`FittedEstimator.save`."""
    name = type(estimator).__name__
    if MODELS.get(name) is not type(estimator):
        raise InputError(f"{name} has no model file; there are those of {few(list(MODELS), 20)}")
    entries, weights, preprocessing = FORMATS[type(estimator)].write(estimator)
    entries = {
        "model": name,
        **entries,
        "metrics": {k: dict(zip(_INTERVAL, v, strict=True)) for k, v in metrics.items()},
        "versions": versions(),
    }
    write_model(path, plain(entries), weights, preprocessing)


def load(path: str | os.PathLike) -> Any:
    """The estimator whose ``save`` wrote the file, with the same predictions to the bit.

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
    kind = MODELS[name]
    try:
        return FORMATS[kind].read(kind, stored)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except Exception as error:  # whatever a file of another make leads to
        raise InputError(f"{path} is damaged or of another make: {error!r}") from error
