"""Baseline hazards of several strata: a patient's own where it is known, else that of all together."""

from typing import Any, NamedTuple

import numpy as np

from jaxsurv.survival import (
    RiskSets,
    StepFunction,
    breslow_baseline,
    prepare_risk_sets,
    survival_function,
)
from jaxsurv.types import ArrayLike


class Baselines(NamedTuple):
    """Cumulative hazards at log hazard 0.

    Attributes:
        pooled: curve of all patients, whatever their stratum.
        own: curves of the strata that had events; None = there are no strata.
    """

    pooled: StepFunction
    own: StepFunction | None = None

    def known(self, strata: Any) -> np.ndarray:
        """``[n]`` booleans: labels of strata that have a curve of their own."""
        if self.own is None or strata is None:
            return np.zeros(0 if strata is None else len(strata), bool)
        labels = self.own.labels or np.unique(np.asarray(self.own.stratum)).tolist()
        return np.array([label in labels for label in np.asarray(strata).tolist()], bool)

    def survival(self, log_hazard: ArrayLike, times: ArrayLike, strata: Any = None) -> np.ndarray:
        """``[n, t]`` survival probabilities; strata ``[n]`` without a curve of their own have the pooled one.

        Args:
            log_hazard: ``[n]``, higher = worse, on the scale of the fit.
            times: ``[t]``.
            strata: ``[n]`` labels as they were given for the fit, or None.
        """
        curves = np.array(survival_function(self.pooled, log_hazard, times))
        if (known := self.known(strata)).any():
            x, strata = np.asarray(log_hazard)[known], np.asarray(strata)[known]
            curves[known] = survival_function(self.own, x, times, stratum=strata)  # type: ignore[arg-type]
        return curves


class BaselineSets(NamedTuple):
    """Risk sets of baselines, sorted once for any number of models.

    Attributes:
        pooled: all patients, whatever their stratum.
        own: patients of the strata that have events, within their strata; None = there are no strata.
        rows: ``[n]`` booleans, the patients in ``own``.
    """

    pooled: RiskSets
    own: RiskSets | None = None
    rows: np.ndarray | None = None


def baseline_sets(
    event: np.ndarray,
    time: np.ndarray,
    *,
    entry: np.ndarray | None = None,
    strata: np.ndarray | None = None,
    where: np.ndarray | None = None,
) -> BaselineSets:
    """Risk sets of all patients and of each stratum, for `fit_baselines`.

    Args:
        event: ``[n]``, 1 = observed, 0 = censored.
        time: ``[n]``, any unit.
        entry: ``[n]`` delayed entry, or None.
        strata: ``[n]`` labels, or None.
        where: ``[n]`` booleans, False for rows that are not there.
    """
    pooled = prepare_risk_sets(event, time, entry=entry, where=where)
    if strata is None:
        return BaselineSets(pooled)
    here = np.ones(len(event), bool) if where is None else where
    rows = here & np.isin(strata, np.unique(strata[here & (event > 0)]))
    entered = None if entry is None else entry[rows]
    own = prepare_risk_sets(event[rows], time[rows], entry=entered, strata=strata[rows])
    return BaselineSets(pooled, own, rows)


def fit_baselines(log_hazard: np.ndarray, sets: BaselineSets) -> Baselines:
    """Breslow's baselines (Efron's under ties) of all patients and of each stratum.

    Args:
        log_hazard: ``[n]``, higher = worse.
        sets: outcomes of the same n rows.
    """
    pooled = breslow_baseline(log_hazard, risk_sets=sets.pooled)
    if sets.own is None:
        return Baselines(pooled)
    return Baselines(pooled, breslow_baseline(log_hazard[sets.rows], risk_sets=sets.own))
