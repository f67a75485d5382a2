"""Curves that follow from survival curves: cumulative hazards, and survival from a later time on."""

from typing import Any

import numpy as np

from jaxsurv.estimators.inputs import in_strata
from jaxsurv.types import ArrayLike, InputError


class DerivedCurves:
    """Estimators with survival curves."""

    def predict_cumulative_hazard(
        self, X: Any, times: ArrayLike, *, strata: ArrayLike | None = None
    ) -> np.ndarray:
        """``[n, t]``: minus the logarithm of `predict_survival_function`."""
        estimator: Any = self
        with np.errstate(divide="ignore"):
            return -np.log(estimator.predict_survival_function(X, times, strata=strata))

    def predict_conditional_survival(
        self, X: Any, times: ArrayLike, after: float, *, strata: ArrayLike | None = None
    ) -> np.ndarray:
        """``[n, t]`` probabilities of being free of the event at ``times``, given that until ``after``.

        S(t | T > s) = S(t) / S(s), with the covariates of the row held from s on: give those known at s, as
        :func:`jaxsurv.data.landmark_cohort` has them.

        Args:
            X: features, see :meth:`SurvivalEstimator.predict`.
            times: ``[t]``, counted as in training, not from ``after``; all >= ``after``.
            after: the time s until which the patients are known to be event-free.
            strata: ``[n]`` labels of the rows of X; None = those of a cohort.

        Returns:
            Probabilities ``[n, t]``; NaN where S(s) is 0.

        Raises:
            InputError: a time before ``after``; see `predict`.
        """
        estimator: Any = self
        times, since = estimator._times(times), estimator._times([after])
        if (early := times[times < since]).size:
            raise InputError(
                f"times must be at or after {since[0]:g}, when patients are event-free; got {early[0]:g}"
            )
        patients = in_strata(estimator._new(X), strata)
        curves = estimator.fitted().survival(patients, np.concatenate([since, times]))
        with np.errstate(invalid="ignore"):
            return curves[:, 1:] / curves[:, :1]
