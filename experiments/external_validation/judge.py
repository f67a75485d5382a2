"""Frozen models judged on other cohorts: discrimination, calibration, prediction error."""

from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import numpy as np

from jaxsurv.data import Cohort
from jaxsurv.data.tables import few
from jaxsurv.estimators import SurvivalEstimator
from jaxsurv.estimators.fitted import FittedModel
from jaxsurv.estimators.inputs import Patients
from jaxsurv.metrics import (
    calibration_slope,
    concordance_index,
    hazard_ratio,
    integrated_brier_score,
    observed_expected,
)
from jaxsurv.recipe import Rows
from jaxsurv.survival import cox_fit, survival_function
from jaxsurv.survival._kaplan_meier import Z95
from jaxsurv.types import InputError

Curve = Callable[[np.ndarray], Any]  # times [t] to probabilities [t]
ONE_RISK = "one risk for everybody"
_TIMES = 1000  # most times at which curves of a model's own are asked for expected events


class Judgement(NamedTuple):
    """Performance of one model on one external cohort.

    Attributes:
        row: a row of the table, see `judge`.
        risk: ``[n]`` log hazards; NaN if no member of the model can score the cohort.
    """

    row: dict[str, Any]
    risk: np.ndarray


def patients_of(fitted: FittedModel, cohort: Cohort, logged: Collection[str] = ()) -> Patients:
    """The tables of a cohort that a model reads, with the model's columns and on its scale.

    Features that the cohort lacks are empty. Counts become log2(x + 1) for a model that was trained on
    logarithms.

    Args:
        fitted: the model.
        cohort: patients to be scored.
        logged: modalities of counts that are log2(x + 1) already, which a model that was trained on
            counts gets back as counts.
    """
    schema, tables = fitted.preprocessing.schema, {}
    for m, features in schema.features.items():
        if m not in cohort.modalities:
            continue
        table = cohort.modalities[m].reindex(columns=list(features))
        if schema.kinds[m] == "counts" and m in logged:
            table = (2.0**table - 1).clip(lower=0).round(6)
        elif schema.kinds[m] == "continuous" and cohort.kinds[m] == "counts":
            table = np.log2(table + 1.0)
        tables[m] = table
    return Patients(tables, cohort.survival.index, True, True)


def left_out(fitted: FittedModel, given: Collection[str]) -> list[str]:
    """Members of a model that read none of the modalities ``given``."""
    return [
        name
        for name, needed in fitted.reads.members.items()
        if not set(given) & set(fitted.preprocessing.schema.features if needed is None else needed)
    ]


def unable(fitted: FittedModel, given: Collection[str]) -> str:
    """Reason why no member of a model can score patients with the modalities ``given``; empty = some can."""
    without, features = left_out(fitted, given), fitted.preprocessing.schema.features
    if set(given) & set(features) and len(without) < max(1, len(fitted.reads.members)):
        return ""
    read = {m for needed in fitted.reads.members.values() for m in needed or features}
    has = few(sorted(given)) if given else "no modality that the model knows"
    return f"no member can score it: it has {has}, the model reads {few(sorted(read))}"


def judge(
    estimator: SurvivalEstimator,
    cohort: Cohort,
    endpoint: str,
    null: Curve | None = None,
    *,
    logged: Collection[str] = (),
) -> Judgement:
    """Evaluate a frozen model on an external cohort.

    C is raw, never ``max(c, 1 - c)``. The baseline hazard, and the threshold of the hazard ratio, are the
    model's own, from held-out log hazards of its training patients: fitted ones would be too sure of
    themselves. A network with curves of its own is judged by these. Observed over expected events are
    counted up to the end of the training cohort's follow-up, beyond which its hazard is not known. Brier
    scores are integrated up to the time by which nine tenths of the cohort's events have happened, or the
    last of the training cohort, and weighted by the cohort's own censoring; ``ibs_null`` is that of the
    null curve for everybody.

    C, slope and hazard ratio compare patients within the cohort's strata, if it has some, and a stratum of
    training has its own baseline hazard.

    A model that predicts one risk for everybody has neither C nor slope, and one without a member that can
    score the cohort has nothing; ``note`` says so, what the cohort lacks, and which members were left out.

    Args:
        estimator: fitted; nothing of it is changed.
        cohort: patients of the external cohort, all labelled for ``endpoint``, and with events.
        endpoint: name of the outcome.
        null: curve of somebody of whom nothing is known: the training cohort's Kaplan-Meier curve. None,
            for a saved model without its training cohort: the mean of its Breslow curves over the 101
            percentiles of its training patients' risks.
        logged: see `patients_of`.

    Raises:
        InputError: see :meth:`jaxsurv.preprocess.Preprocessing.read`.

    Warns:
        DataWarning: see :meth:`jaxsurv.preprocess.Preprocessing.read`; members that cannot score the cohort.
    """
    fitted, outcome = estimator.fitted(), cohort.outcome(endpoint)
    event, time = np.asarray(outcome.event), np.asarray(outcome.time, float)
    row: dict[str, Any] = {
        "cohort": cohort.name,
        "patients": len(time),
        "events": int(event.sum()),
        "note": "",
    }
    patients = patients_of(fitted, cohort, logged)
    if reason := unable(fitted, patients.tables):
        return Judgement({**row, "note": reason}, np.full(len(time), np.nan))
    rows, strata = fitted.rows(patients), strata_of(cohort)
    risk = fitted.log_hazard_of(rows).astype(float)
    notes = []
    if lacking := [m for m in fitted.preprocessing.schema.features if m not in patients.tables]:
        notes.append(f"the cohort has no {few(lacking)}, which the model reads")
    if without := left_out(fitted, patients.tables):
        notes.append(f"without its members {few(without, 10)}")
    if np.ptp(risk) <= 4 * np.finfo(np.float32).eps * np.abs(risk).max():  # constant up to rounding
        notes.append(ONE_RISK)
    else:
        c = concordance_index(risk, event, time, strata=strata)
        row |= _named("c", float(c.index), *c.interval())
        slope, error = slope_of(risk, event, time, strata)
        row |= _named("slope", slope, slope - Z95 * error, slope + Z95 * error)
    row |= _expected(*events_and_hazards(fitted, rows, risk, event, time, strata))
    row |= _brier(fitted, rows, event, time, null or average_curve(fitted), strata)
    row |= _groups(risk, event, time, fitted.cohort.threshold, strata)
    return Judgement({**row, "note": "; ".join(notes)}, risk)


def strata_of(cohort: Cohort) -> np.ndarray | None:
    """``[n]`` labels of the patients' strata, or None."""
    return None if cohort.strata is None else cohort.strata.to_numpy(object)


def slope_of(
    risk: np.ndarray, event: np.ndarray, time: np.ndarray, strata: np.ndarray | None
) -> tuple[float, float]:
    """Calibration slope within strata and its standard error; NaN where all risks are the same."""
    if np.ptp(risk) <= 4 * np.finfo(np.float32).eps * np.abs(risk).max():  # up to rounding
        return np.nan, np.nan
    if strata is None:
        found = calibration_slope(risk, event, time)
        return float(found.slope), float(found.standard_error)
    fit = cox_fit(risk[:, None], event, time, strata=strata)
    return float(fit.coef[0]), float(fit.covariance[0, 0] ** 0.5)


def average_curve(fitted: FittedModel) -> Curve:
    """Mean of a model's Breslow curves over the percentiles of its training patients' risks."""
    risk = np.asarray(fitted.cohort.percentiles, np.float32)
    return lambda times: np.asarray(survival_function(fitted.baseline, risk, times)).mean(axis=0)


def _named(name: str, value: float, lower: float, upper: float) -> dict[str, float]:
    return {name: value, f"{name}_lower": lower, f"{name}_upper": upper}


def _expected(seen: np.ndarray, hazard: np.ndarray) -> dict[str, float]:
    """Observed over expected events, from what `events_and_hazards` gives."""
    if not hazard.any():  # all left before the first event of the training cohort
        return _named("observed_expected", np.nan, np.nan, np.nan)
    found = observed_expected(hazard, seen)
    return _named("observed_expected", float(found.ratio), float(found.lower), float(found.upper))


def events_and_hazards(
    fitted: FittedModel,
    rows: Rows,
    risk: np.ndarray,
    event: np.ndarray,
    time: np.ndarray,
    strata: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray]:
    """``[n]`` events, and predicted cumulative hazards at each patient's own time, up to the end of the
    training cohort's follow-up."""
    end = fitted.cohort.longest_time
    until, seen = np.minimum(time, end), np.where(time > end, 0, event)
    if _own_curves(fitted) or fitted.baselines.own is not None:
        some = np.unique(until)
        at = np.linspace(0, 1, min(len(some), _TIMES))
        some = np.quantile(some, at, method="nearest")
        curves = np.maximum(fitted.survival_of(rows, some, strata), np.finfo(np.float32).tiny)
        each = zip(until, -np.log(curves), strict=True)
        return seen, np.array([np.interp(t, some, h) for t, h in each])
    return seen, np.asarray(fitted.baseline(until)) * np.exp(risk)


def _own_curves(fitted: FittedModel) -> bool:
    network = fitted.network
    if network is None or fitted.params.cox:
        return False
    return network.objective(fitted.config).survival is not None


def brier_times(fitted: FittedModel, event: np.ndarray, time: np.ndarray) -> np.ndarray:
    """``[50]`` times from the first to the last tenth of the events; none if these fall together."""
    first, most = np.quantile(time[event > 0], [0.1, 0.9])
    last = min(most, float(np.max(fitted.baseline.times)))
    return np.linspace(first, last, 50) if last > first else np.zeros(0)


def _brier(
    fitted: FittedModel,
    rows: Rows,
    event: np.ndarray,
    time: np.ndarray,
    null: Curve,
    strata: np.ndarray | None,
) -> dict[str, float]:
    """Integrated Brier scores of the model and of the null curve; NaN where there is no stretch of time."""
    times = brier_times(fitted, event, time)
    if not times.size:
        return {"ibs": np.nan, "ibs_null": np.nan}
    everybody = np.tile(np.asarray(null(times)), (len(time), 1))
    curves = {"ibs": fitted.survival_of(rows, times, strata), "ibs_null": everybody}
    follow_up = {"train_event": event, "train_time": time}  # for the censoring curve
    return {
        name: float(integrated_brier_score(curve, times, event, time, **follow_up))
        for name, curve in curves.items()
    }


def _groups(
    risk: np.ndarray,
    event: np.ndarray,
    time: np.ndarray,
    threshold: float,
    strata: np.ndarray | None,
) -> dict[str, float]:
    """Patients above the training cohort's median risk against the others."""
    high = risk > threshold
    found: dict[str, float] = {"threshold": threshold, "high": int(high.sum())}
    try:
        hr = hazard_ratio(risk, event, time, split=threshold, strata=strata)
    except InputError:  # one group is empty, or has left before the first event
        return found
    return found | {
        "hazard_ratio": float(hr.hazard_ratio),
        "hazard_ratio_lower": float(hr.lower),
        "hazard_ratio_upper": float(hr.upper),
        "p_value": float(hr.p_value),
    }
