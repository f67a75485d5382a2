"""Lower bounds of survival times from a fitted model and patients who did not train it."""

from typing import Any, NamedTuple

import numpy as np

from jaxsurv.metrics import conformal_lower_bound, follow_up_cutoff
from jaxsurv.survival import StepFunction, cox_fit
from jaxsurv.types import InputError

_FINEST = 1000  # times at which curves are evaluated
_LEAST = 1e-6  # chance of being followed so long


class CalibrationRows(NamedTuple):
    """Patients that some member of a model has not trained on.

    Attributes:
        log_hazard: ``[k]``, by members that did not train on the patient.
        event, time: ``[k]``.
    """

    log_hazard: np.ndarray
    event: np.ndarray
    time: np.ndarray


def held_out_rows(
    log_hazard: np.ndarray, event: np.ndarray, time: np.ndarray, entry: Any, strata: Any
) -> CalibrationRows | None:
    """The rows ``[n]`` without NaN in any of the three; None with delayed entry or strata."""
    if entry is not None or strata is not None:
        return None
    known = ~np.isnan(log_hazard) & ~np.isnan(time) & ~np.isnan(event)
    return CalibrationRows(*(np.asarray(a, float)[known] for a in (log_hazard, event, time)))


class LowerBounds:
    """Estimators whose log hazards give bounds."""

    def predict_lower_bound(
        self, X: Any, level: float = 0.95, *, calibration: tuple[Any, Any] | None = None
    ) -> np.ndarray:
        """Conformal lower bounds ``[n]`` of survival times, which ``level`` of new patients outlive.

        See :func:`jaxsurv.metrics.conformal_lower_bound`. Curves are Breslow's of the log hazards, also of
        networks with curves of their own; where the model is of one of several causes, the others censor.
        Censoring may depend on the log hazard, by a Cox model. No bound is above the last time to which half
        of the calibration patients would have been followed.

        Args:
            X: features, see `predict`.
            level: probability that a bound holds, on average over patients.
            calibration: features and outcome, see `fit`, of patients who did not train the model and are
                like those of X: then the bounds hold as often as they say. None = the training patients
                held out from some members, each with the log hazard of these alone: nearly so.

        Raises:
            InputError: no calibration of a model that comes from a file, or whose members all trained on
                all patients; strata or delayed entry.
        """
        estimator: Any = self
        fitted, known = estimator.fitted(), estimator.fitted().held_out
        if calibration is not None:
            patients, event, time, _, entry = estimator._with_outcome(*calibration)
            if entry is not None:
                raise InputError(
                    "lower bounds do not know delayed entry: calibrate on patients without"
                )
            known = CalibrationRows(np.asarray(fitted.log_hazard(patients), float), event, time)
        if known is None or not known.time.size:
            raise InputError(
                "the model has no held-out patients: files hold none, and strata and delayed entry are not "
                "known here; give calibration=(X, y) of patients who did not train it"
            )
        if fitted.baselines.own is not None:
            raise InputError("a model of strata has several baselines, and lower bounds know one")
        risk = np.asarray(fitted.log_hazard(estimator._new(X)), float)
        return _bounds(risk, known, fitted.baseline, level)


def _bounds(
    risk: np.ndarray, known: CalibrationRows, baseline: StepFunction, level: float
) -> np.ndarray:
    """Bounds ``[n]`` of patients with log hazards ``risk [n]``."""
    cutoff = follow_up_cutoff(known.event, known.time)
    until = np.minimum(known.time, cutoff)
    times = np.unique(until[until > 0])
    times = times[np.unique(np.linspace(0, times.size - 1, _FINEST).astype(int))]
    options = {}
    if (known.event == 0).any() and np.ptp(known.log_hazard) > 0:
        fit = cox_fit(known.log_hazard[:, None], 1 - known.event, known.time)
        slope = float(fit.coef[0])  # follow-up to t includes what ends at t
        before = [fit.baseline(np.nextafter(t, 0)) for t in (until, times)]
        own, new = np.exp(slope * known.log_hazard), np.exp(slope * risk)
        options["censoring_at_t"] = np.maximum(np.exp(-own * before[0]), _LEAST)
        options["censoring"] = np.maximum(np.exp(-np.outer(new, before[1])), _LEAST)
    return conformal_lower_bound(
        np.exp(-np.outer(np.exp(risk), baseline(times))),
        times,
        survival_at_t=np.exp(-np.exp(known.log_hazard) * np.asarray(baseline(until))),
        event=known.event,
        time=known.time,
        cutoff=cutoff,
        level=level,
        **options,
    )
