"""Recalibration of a frozen model on a part of an external cohort, judged on the others."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from experiments.external_validation.cohorts import Cohorts
from experiments.external_validation.judge import brier_times, patients_of, strata_of, unable
from experiments.external_validation.models import Frozen
from jaxsurv.data import Cohort
from jaxsurv.estimators import SurvivalEstimator
from jaxsurv.metrics import integrated_brier_score, recalibration
from jaxsurv.types import InputError

LEAST = 10  # events on either side


def recalibrated(
    estimator: SurvivalEstimator,
    cohort: Cohort,
    endpoint: str,
    fraction: float,
    logged: Collection[str] = (),
) -> dict[str, Any]:
    """Intercept and slope fitted to a part of a cohort, and Brier scores of the others before and after.

    The part is drawn at random, with its share of the events; the horizon is the median of its event
    times. Each patient's cumulative hazard is multiplied by what makes the risk at the horizon the
    recalibrated one, so that hazards stay proportional. C is not in the table: a slope above 0 changes no
    order, and with one below 0 the model ranks the part the wrong way round, and is not recalibrated.

    Args:
        estimator: fitted; nothing of it is changed.
        cohort: patients of the external cohort, with outcomes.
        endpoint: name of the outcome.
        fraction: share of the patients who recalibrate.
        logged: see `patients_of`.

    Returns:
        ``cohort``, ``patients`` and ``horizon`` of the part, ``intercept``, ``slope``, ``ibs``,
        ``ibs_recalibrated``, ``note``.
    """
    fitted, outcome = estimator.fitted(), cohort.outcome(endpoint)
    event, time = np.asarray(outcome.event), np.asarray(outcome.time, float)
    random = np.random.default_rng(0).permutation(len(time))
    place = np.argsort(
        np.argsort(event[random], kind="stable")
    )  # in each class of events, at random
    part = np.zeros(len(time), bool)
    part[random] = np.floor((place + 1) * fraction) > np.floor(place * fraction)
    row: dict[str, Any] = {"cohort": cohort.name, "patients": int(part.sum()), "note": ""}
    patients, rest = patients_of(fitted, cohort, logged), ~part
    if reason := unable(fitted, patients.tables):
        return {**row, "note": reason}
    if min(event[part].sum(), event[rest].sum()) < LEAST:
        return {**row, "note": f"fewer than {LEAST} events in the part or among the others"}
    rows, strata = fitted.rows(patients), strata_of(cohort)
    try:
        horizon = float(np.median(time[part & (event > 0)]))
        alive = fitted.survival_of(rows, np.array([horizon]), strata)[:, 0]
        found = recalibration(alive[part], event[part], time[part], horizon)
        if found.slope <= 0:
            return {**row, "slope": found.slope, "note": "ranks the part the wrong way round"}
        times = brier_times(fitted, event[rest], time[rest])
        curves = fitted.survival_of(rows, times, strata)[rest]
        factor = np.log(np.asarray(found(alive[rest]))) / np.log(alive[rest])
        own = event[rest], time[rest]
        before, after = (
            float(integrated_brier_score(s, times, *own, train_event=own[0], train_time=own[1]))
            for s in (curves, curves ** factor[:, None])
        )
    except InputError as error:  # such as one risk for everybody
        return {**row, "note": str(error)}
    return {
        **row, "horizon": horizon, "intercept": found.intercept, "slope": found.slope,
        "ibs": before, "ibs_recalibrated": after,
    }  # fmt: skip


def recalibration_table(
    models: Mapping[str, Frozen], cohorts: Cohorts, fraction: float
) -> pd.DataFrame:
    """A row of `recalibrated` per model and cohort; none if nobody recalibrates."""
    columns = [
        "model",
        "cohort",
        "patients",
        "horizon",
        "intercept",
        "slope",
        "ibs",
        "ibs_recalibrated",
    ]
    rows = [
        {
            "model": name,
            **recalibrated(one.estimator, cohort, cohorts.endpoint, fraction, cohorts.logged),
        }
        for name, one in models.items()
        for cohort in cohorts.external.values()
        if fraction > 0
    ]
    return pd.DataFrame(rows, columns=[*columns, "note"])
