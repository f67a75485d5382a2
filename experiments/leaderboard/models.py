"""Rows of the leaderboard: a name and a function that fits to the training part."""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from jaxsurv.data import Cohort
from jaxsurv.data.tables import few
from jaxsurv.estimators import HCL, Coxnet, CoxNnet, MORiskVAE, SurvivalEstimator, SurvivalStack
from jaxsurv.models import CLINICAL
from jaxsurv.recipe import AS_MEASURED
from jaxsurv.recipe.stacking import RECOMMENDED
from jaxsurv.types import InputError

from .products import ridge_with_products

ALONE = "clinical table"  # its name for networks, whose heads read a modality called clinical


class Data(NamedTuple):
    """Patients and their parts.

    Attributes:
        cohort: patients, all with an outcome.
        endpoint: name of the outcome.
        by: clinical column whose categories are groups, or None.
        train, validation: ``[n]`` booleans.
    """

    cohort: Cohort
    endpoint: str
    by: str | None
    train: np.ndarray
    validation: np.ndarray


class Fitted(NamedTuple):
    """Attributes:
    log_hazard: ``[n]``, of all patients.
    estimator: what can be saved, or None.
    """

    log_hazard: np.ndarray
    estimator: SurvivalEstimator | None = None


Row = Callable[[Data], Fitted]


def rows(names: tuple[str, ...], by: str | None, *, seeds: int, epochs: int) -> dict[str, Row]:
    """The rows of those names; a row that needs groups only where there are some.

    To add one, add an entry: a name and a function of the data.
    """
    training = {"n_seeds": seeds, "epochs": epochs}
    cox = tuple(member for member in RECOMMENDED if member != "network")
    known: dict[str, Row] = {
        "ridge Cox": _estimator(lambda: SurvivalStack(("all modalities",), recipe=AS_MEASURED)),
        "elastic-net Cox": _estimator(Coxnet),
        "block ridge Cox": _estimator(lambda: SurvivalStack(cox, recipe=AS_MEASURED)),
        "CoxNnet": _network(lambda: CoxNnet(**training)),
        "MORiskVAE": _network(lambda: MORiskVAE(**training)),
        "HCL": _network(lambda: HCL(**training)),
        "SurvivalStack": _network(lambda: SurvivalStack(**training)),
    }
    if by is not None:
        known[f"ridge Cox, products with {by}"] = lambda data: Fitted(
            ridge_with_products(data.cohort, data.endpoint, by, data.train, data.validation)
        )
    if unknown := [name for name in names if name not in known]:
        raise InputError(f"there is no model {unknown[0]!r}; --models takes {few(list(known), 20)}")
    return {name: row for name, row in known.items() if not names or name in names}


def _estimator(make: Callable[[], SurvivalEstimator]) -> Row:
    def fit(data: Data) -> Fitted:
        model = make().fit(data.cohort, data.endpoint, where=data.train)
        return Fitted(model.predict(data.cohort).astype(float), model)

    return fit


def _network(make: Callable[[], SurvivalEstimator]) -> Row:
    def fit(data: Data) -> Fitted:
        return _estimator(make)(data._replace(cohort=_to_encode(data.cohort)))

    return fit


def _to_encode(cohort: Cohort) -> Cohort:
    """The cohort with something to encode: a clinical table that is alone has another name."""
    if set(cohort.modalities) != {CLINICAL}:
        return cohort
    table, kind = cohort.modalities[CLINICAL], cohort.kinds[CLINICAL]
    return replace(cohort, modalities={ALONE: table}, kinds={ALONE: kind})
