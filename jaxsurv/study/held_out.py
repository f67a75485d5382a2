"""Held-out probabilities of a study, pooled over its splits: are they calibrated, and of any use?"""

import warnings
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from jaxsurv.metrics import (
    CalibrationCurve,
    NetBenefit,
    Recalibration,
    calibration_curve,
    net_benefit,
    recalibration,
)
from jaxsurv.recipe import Prepared
from jaxsurv.study.prediction_error import integrated_brier, survival_at
from jaxsurv.study.statistics import Estimate, corrected_t
from jaxsurv.survival import cox_fit, kaplan_meier, proportional_hazards_test
from jaxsurv.survival._kaplan_meier import Z95
from jaxsurv.survival.life_table import step_at
from jaxsurv.types import InputError

CLINICAL_COX = "clinical Cox"
_THRESHOLDS = 21


class Calibration(NamedTuple):
    """Calibration at the horizon: the curve with its fifths, the straight line, and the observed
    probability of the event with its 95 % limits."""

    curve: CalibrationCurve
    line: Recalibration
    observed: tuple[float, float, float]

    @property
    def slope(self) -> tuple[float, float, float]:
        """Calibration slope with its 95 % limits."""
        slope, reach = float(self.line.slope), Z95 * float(self.line.standard_error[1])
        return slope, slope - reach, slope + reach


class TimeEffect(NamedTuple):
    """Whether the clinical model's effect changes with time: p, and hazard ratios per standard deviation of
    its pooled risk up to the horizon and after it."""

    p_value: float
    early: float
    late: float


class PooledProbabilities(NamedTuple):
    """Held-out probabilities of the event by one horizon, which is the median time of the events.

    Attributes:
        horizon: time, to two digits.
        risk: name to ``[m]``, mean of the probability over the runs that tested the patient.
        event, time: ``[m]``.
        calibration: of the headline; None if it cannot be judged.
        benefit: name to net benefit, of the headline and the clinical model; empty likewise. The middle
            threshold is the probability of all patients, at which treating everybody is worth what treating
            nobody is.
        no_features: paired difference of the headline's integrated Brier score from that of one curve for
            everybody.
        no_features_ibs: mean score of that curve.
        time_effect: None without a clinical model, or where it cannot be tested.
    """

    horizon: float
    risk: dict[str, np.ndarray]
    event: np.ndarray
    time: np.ndarray
    calibration: Calibration | None
    benefit: dict[str, NetBenefit]
    no_features: Estimate
    no_features_ibs: float
    time_effect: TimeEffect | None


def held_out(
    data: Prepared,
    headline: str,
    risks: Mapping[str, tuple[np.ndarray, np.ndarray]],
    headline_ibs: np.ndarray,
    clinical_risk: np.ndarray | None,
) -> PooledProbabilities:
    """Judge the headline on the patients that its runs did not see.

    Args:
        data: the study.
        headline: its name in ``risks``.
        risks: name to split ``[runs]`` and log hazards ``[runs, n]``, of the headline and the baselines.
        headline_ibs: ``[splits]``, the headline's integrated Brier scores.
        clinical_risk: ``[n]``, pooled out-of-fold risk of the clinical model, or None.
    """
    event, time, _, _, strata, _ = data.outcome
    rows = data.splits.test.any(axis=0)
    horizon = float(f"{np.median(time[rows & (event > 0)]):.2g}")
    risk = {}
    for name in (headline, CLINICAL_COX):
        if name in risks:
            split, log_hazard = risks[name]
            tested = data.splits.test[split]
            alive = survival_at(data, split, log_hazard, horizon)
            risk[name] = 1 - (alive * tested).sum(axis=0)[rows] / tested.sum(axis=0)[rows]
    e, t = event[rows], time[rows]
    s = np.arange(len(data.splits.fold))
    nobody = integrated_brier(data, s, np.zeros((len(s), len(event)), np.float32))
    less = corrected_t(headline_ibs - nobody, data.test_fraction, repeat=data.splits.repeat)
    effect = None
    if clinical_risk is not None:
        known = None if strata is None else strata[rows]
        effect = _time_effect(clinical_risk[rows], e, t, horizon, known)
    return PooledProbabilities(
        horizon, risk, e, t, _calibration(1 - risk[headline], e, t, horizon),
        _benefit(risk, e, t, horizon), less, float(nobody.mean()), effect,
    )  # fmt: skip


def _calibration(
    alive: np.ndarray, event: np.ndarray, time: np.ndarray, horizon: float
) -> Calibration | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # nothing that did not converge
            curve = calibration_curve(alive, event, time, horizon)
            line = recalibration(alive, event, time, horizon)
    except (InputError, UserWarning):
        return None
    km, at = kaplan_meier(event, time), np.asarray(horizon)
    parts = (km.survival, km.upper, km.lower)
    died = [1 - float(step_at(at, km.times, part, initial=1.0)) for part in parts]
    return Calibration(curve, line, (died[0], died[1], died[2]))


def _benefit(
    risk: Mapping[str, np.ndarray], event: np.ndarray, time: np.ndarray, horizon: float
) -> dict[str, NetBenefit]:
    try:
        everybody = 1 - float(kaplan_meier(event, time)(horizon))
        width = 0.8 * min(everybody, 1 - everybody)
        q = np.linspace(everybody - width, everybody + width, _THRESHOLDS)
        return {name: net_benefit(r, event, time, horizon, q) for name, r in risk.items()}
    except InputError:
        return {}


def _time_effect(
    risk: np.ndarray, event: np.ndarray, time: np.ndarray, horizon: float, strata: np.ndarray | None
) -> TimeEffect | None:
    if not risk.std() > 0:
        return None
    x = (risk / risk.std())[:, None]
    early = event * (time <= horizon), np.minimum(time, horizon)
    later = time > horizon
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # nothing that did not converge
            p = proportional_hazards_test(x, event, time, strata=strata).p_value
            first = cox_fit(x, *early, strata=strata).coef
            then = cox_fit(x, event, time, strata=strata, where=later).coef
    except (InputError, UserWarning):
        return None
    return TimeEffect(float(p[0]), float(np.exp(first[0])), float(np.exp(then[0])))


def lowest_and_highest(calibration: Calibration) -> list[tuple[float, float, float]]:
    """Observed probabilities, with limits, of the fifths with the lowest and the highest prediction."""
    g = calibration.curve.groups
    return [(float(g.observed[k]), float(g.lower[k]), float(g.upper[k])) for k in (0, -1)]
