"""Recalibration of a frozen model on a part of an external cohort, judged on the others."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from jaxsurv.data import Cohort
from jaxsurv.estimators import SurvivalEstimator
from jaxsurv.metrics import integrated_brier_score
from jaxsurv.survival._kaplan_meier import Z95

from .cohorts import Cohorts
from .judge import (
    ONE_RISK,
    brier_times,
    events_and_hazards,
    patients_of,
    slope_of,
    strata_of,
    unable,
)
from .models import Frozen

LEAST = 10  # events on either side


def recalibrated(
    estimator: SurvivalEstimator,
    cohort: Cohort,
    endpoint: str,
    fraction: float,
    logged: Collection[str] = (),
) -> dict[str, Any]:
    """Intercept and slope fitted to a part of a cohort, and Brier scores of the others before and after.

    The part is drawn at random, with its share of the events. The slope is its calibration slope, and the
    intercept the logarithm of observed over expected events at that slope: cumulative hazards are
    multiplied by ``exp(intercept + (slope - 1) log hazard)`` (van Houwelingen 2000). C is not in the
    table: a slope above 0 changes no order, and a model whose slope is not above 0 is not recalibrated; its
    note says whether the slope's interval is below 0 as well.

    Args:
        estimator: fitted; nothing of it is changed.
        cohort: patients of the external cohort, with outcomes.
        endpoint: name of the outcome.
        fraction: share of the patients who recalibrate.
        logged: see `patients_of`.

    Returns:
        ``cohort``, ``patients`` of the part, ``intercept``, ``slope``, ``ibs``,
        ``ibs_recalibrated``, ``note``.
    """
    fitted, outcome = estimator.fitted(), cohort.outcome(endpoint)
    event, time = np.asarray(outcome.event), np.asarray(outcome.time, float)
    random = np.random.default_rng(0).permutation(len(time))
    place = np.argsort(np.argsort(event[random], kind="stable"))  # those without an event first
    part = np.zeros(len(time), bool)
    part[random] = np.floor((place + 1) * fraction) > np.floor(place * fraction)
    row: dict[str, Any] = {"cohort": cohort.name, "patients": int(part.sum()), "note": ""}
    patients, rest = patients_of(fitted, cohort, logged), ~part
    if reason := unable(fitted, patients.tables):
        return {**row, "note": reason}
    if min(event[part].sum(), event[rest].sum()) < LEAST:
        return {**row, "note": f"fewer than {LEAST} events in the part or among the others"}
    rows, strata = fitted.rows(patients), strata_of(cohort)
    risk = fitted.log_hazard_of(rows).astype(float)
    own = None if strata is None else strata[part]
    slope, error = slope_of(risk[part], event[part], time[part], own)
    if np.isnan(slope):
        return {**row, "note": ONE_RISK}
    if slope <= 0:
        low, high = slope - Z95 * error, slope + Z95 * error
        told = "the wrong way round" if high < 0 else "in no order that can be told"
        return {**row, "slope": slope, "note": f"ranks the part {told} ({low:.2f} to {high:.2f})"}
    seen, hazard = events_and_hazards(fitted, rows, risk, event, time, strata)
    stretched = np.exp((slope - 1) * risk)
    factor = stretched * seen[part].sum() / (hazard * stretched)[part].sum()
    times, outcome = brier_times(fitted, event[rest], time[rest]), (event[rest], time[rest])
    if not times.size:
        return {**row, "note": "the events of the others fall together"}
    curves = fitted.survival_of(rows, times, strata)[rest]
    known = {"train_event": outcome[0], "train_time": outcome[1]}
    before, after = (
        float(integrated_brier_score(s, times, *outcome, **known))
        for s in (curves, curves ** factor[rest, None])
    )
    intercept = float(np.log(factor[0] / stretched[0]))
    return {**row, "intercept": intercept, "slope": slope, "ibs": before, "ibs_recalibrated": after}


def recalibration_table(
    models: Mapping[str, Frozen], cohorts: Cohorts, fraction: float
) -> pd.DataFrame:
    """A row of `recalibrated` per model and cohort; none if nobody recalibrates."""
    columns = [
        "model",
        "cohort",
        "patients",
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
