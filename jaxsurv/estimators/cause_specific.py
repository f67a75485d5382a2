"""Competing causes by one model of each cause, in which the events of the others censor."""

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from jaxsurv.data import Cohort
from jaxsurv.estimators.fitted import CHUNK, event_free, incidence_columns
from jaxsurv.estimators.inputs import read_patients
from jaxsurv.estimators.outcomes import OUTCOME, read_outcome
from jaxsurv.estimators.survival import SurvivalEstimator
from jaxsurv.survival import incidence_from_hazards
from jaxsurv.survival.causes import check_competing
from jaxsurv.survival.validation import check_times
from jaxsurv.types import ArrayLike, InputError


class CauseSpecific(BaseEstimator):
    """Cause-specific models of all competing causes, together cumulative incidences.

    One clone of an estimator is fitted to each cause, with the events of the others censored: the usual
    cause-specific Cox models, or networks. Each of them says what a covariate does to the hazard of a cause;
    the probability of a cause follows from all of them, see :func:`jaxsurv.survival.incidence_from_hazards`.
    The fitted models can be saved, explained and scored one by one.

    X is as for :class:`SurvivalEstimator`; y holds codes 0 (censored), 1, 2, ..., or is the name of an
    endpoint with causes of a cohort.

    Args:
        estimator: unfitted survival estimator, such as ``Coxnet()``.

    Attributes:
        causes_: names of the causes; "1", "2", ... without names.
        estimators_: name of each cause to its fitted model.
        times_: ``[m]``, distinct event times of any cause, at which hazards are evaluated.

    >>> from jaxsurv.estimators import Coxnet
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(90, 2))
    >>> time = rng.exponential(np.exp(-2 * x[:, 0]))
    >>> model = CauseSpecific(Coxnet()).fit(x, (np.arange(90) % 3, time))
    >>> model.predict_cumulative_incidence(x[:5], [0.5, 1.0]).shape
    (5, 2, 2)
    """

    estimators_: dict[str, SurvivalEstimator]

    def __init__(self, estimator: SurvivalEstimator) -> None:
        self.estimator = estimator

    @property
    def causes_(self) -> tuple[str, ...]:
        """Names of the causes, in the order of their codes."""
        check_is_fitted(self, "estimators_")
        return tuple(self.estimators_)

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit one model per cause.

        Args:
            X, y: patients and outcomes, see the class.

        Raises:
            InputError: codes that are not 0, 1, ..., K, each with an event; a single cause; a cohort's
                endpoint without causes; see :meth:`SurvivalEstimator.fit`.
        """
        if isinstance(X, Cohort):
            if not (names := X.causes.get(y, ()) if isinstance(y, str) else ()):
                raise InputError(
                    "give the name of an endpoint with causes as y; the cohort has "
                    f"{', '.join(X.causes) or 'none: name the causes, Cohort(causes=...)'}"
                )
            outcome = {name: (X.of_cause(y, name), y) for name in names}
            any_cause = X.outcome(y, "any")
            event, time = np.asarray(any_cause.event), np.asarray(any_cause.time)
        else:
            table = read_outcome(y, read_patients(X, self.estimator.modalities), None)
            table.columns = [c.removeprefix(f"{OUTCOME}_") for c in table]
            known = table["time"].notna().to_numpy()
            event, time = (table[c].to_numpy(float)[known] for c in ("event", "time"))
            causes = check_competing(event, time)[2]
            if causes == 1:
                raise InputError("y has one cause; fit the estimator itself, and give 1 - survival")
            code = table["event"]
            own = {k: (code == k).astype(float).where(code.notna()) for k in range(1, causes + 1)}
            outcome = {str(k): (X, table.assign(event=of)) for k, of in own.items()}
        self.times_ = np.unique(time[event > 0])
        self.estimators_ = {k: clone(self.estimator).fit(*given) for k, given in outcome.items()}
        return self

    def predict_cumulative_incidence(self, X: Any, times: ArrayLike) -> np.ndarray:
        """``[n, causes, t]`` probabilities of an event of each cause up to each of ``times`` ``[t]``.

        With `predict_survival_function`, the probability of no event, they add up to 1.

        Args:
            X: features, see :meth:`SurvivalEstimator.predict`; a cohort's strata count.
            times: ``[t]``, ascending, in the unit of the training cohort.
        """
        check_is_fitted(self, "estimators_")
        check_times(times)
        wanted = np.asarray(times, float)
        grid = np.union1d(self.times_[self.times_ <= wanted.max()], wanted)
        hazards = np.stack(
            [model.predict_cumulative_hazard(X, grid) for model in self.estimators_.values()], 1
        )
        at = np.searchsorted(grid, wanted)
        parts = (hazards[i : i + CHUNK] for i in range(0, len(hazards), CHUNK))
        return np.concatenate([incidence_from_hazards(part)[:, :, at] for part in parts])

    def predict_survival_function(self, X: Any, times: ArrayLike) -> np.ndarray:
        """``[n, t]`` probabilities of no event of any cause up to each of ``times`` ``[t]``, ascending."""
        return event_free(self.predict_cumulative_incidence(X, times))

    def risk_table(self, X: Any, times: ArrayLike) -> pd.DataFrame:
        """One row per patient: ``risk_<cause>``, the log hazard, and ``incidence_<cause>_T`` of each cause,
        ``survival_T``, the probability of no event."""
        names, times = read_patients(X, self.estimator.modalities).names, np.asarray(times, float)
        incidence = self.predict_cumulative_incidence(X, times)
        columns = {f"risk_{k}": model.predict(X) for k, model in self.estimators_.items()}
        columns |= incidence_columns(incidence, times, self.causes_)
        alive = event_free(incidence)
        columns |= {f"survival_{t:.12g}": alive[:, j] for j, t in enumerate(times)}
        return pd.DataFrame(columns, index=names.rename("patient"))
