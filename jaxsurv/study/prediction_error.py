"""Integrated Brier score of every run of a study, on the test set of its split."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from jaxsurv.metrics import integrated_brier_score
from jaxsurv.recipe import Prepared
from jaxsurv.recipe.curves import baseline_sets, fit_baselines

_TIMES = 50


class _Horizon(NamedTuple):
    """Masks and times for the scores of one split.

    Attributes:
        develop: ``[n]`` booleans, rows whose outcomes give the baseline hazard.
        test: ``[n]`` booleans, test set.
        known: ``[n]`` booleans, rows that give the censoring weights.
        times: ``[t]``.
    """

    develop: np.ndarray
    test: np.ndarray
    known: np.ndarray
    times: np.ndarray


def _horizon(data: Prepared, s: int) -> _Horizon:
    develop, test = data.splits.develop[s], data.splits.test[s]
    known = data.labelled & ~test  # with hidden outcomes: all rows are scored alike
    first, last = np.quantile(data.time[known & (data.event > 0)], (0.1, 0.9))
    last = min(last, data.time[test].max(), data.time[known].max())
    return _Horizon(develop, test, known, np.linspace(min(first, last / 2), last, _TIMES))


def horizons(data: Prepared) -> np.ndarray:
    """``[splits, t]`` times at which the survival curves of each split are scored."""
    return np.stack([_horizon(data, s).times for s in range(len(data.splits.fold))])


def survival_at(
    data: Prepared, split: np.ndarray, log_hazard: np.ndarray, horizon: float
) -> np.ndarray:
    """Survival ``[runs, n]`` at one time by Breslow's curves, see `integrated_brier`.

    Args:
        data: data of the study.
        split: ``[runs]``, position of each run's split.
        log_hazard: ``[runs, n]``, predicted log hazards (higher = worse).
        horizon: time, in the cohort's unit.
    """
    alive, times = np.zeros(log_hazard.shape), np.array([horizon])
    for s in np.unique(split).tolist():
        curves = _breslow(data, data.splits.develop[s])
        for r in np.flatnonzero(split == s):
            alive[r] = curves(log_hazard[r], times)[:, 0]
    return alive


def _breslow(data: Prepared, develop: np.ndarray) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """``(log_hazard [n], times [t]) -> survival [n, t]``, baseline hazards of the rows ``develop``."""
    event, time, _, _, strata, _ = data.outcome
    sets = baseline_sets(event, time, strata=strata, where=develop)

    def curves(log_hazard: np.ndarray, times: np.ndarray) -> np.ndarray:
        eta = log_hazard - log_hazard[develop].mean()
        return fit_baselines(eta, sets).survival(eta, times, strata)

    return curves


def integrated_brier(
    data: Prepared, split: np.ndarray, log_hazard: np.ndarray, curves: np.ndarray | None = None
) -> np.ndarray:
    """Integrated Brier score ``[runs]`` of each run on the test set of its split; lower is better.

    Times go from the 10 % to the 90 % quantile of the event times outside the test set, and end with the
    follow-up of the test set. Times and censoring weights are the same for all models, and use hidden
    outcomes too. Survival curves are Breslow's: the baseline hazard is fitted to the development rows at
    the log hazards that the run predicts for them, so that an overfitted run has a worse score. With strata
    there is one for each; a stratum without an event in the development rows has that of all strata.
    Censoring weights are those of all strata together.

    Args:
        data: data of the study.
        split: ``[runs]``, position of each run's split.
        log_hazard: ``[runs, n]``, predicted log hazards (higher = worse).
        curves: ``[runs, n, t]`` survival at the times of `horizons`, of a model with curves of its own; then
            log hazards and Breslow's estimate do not count.
    """
    scores, (event, time, *_) = np.zeros(len(split)), data.outcome
    for s in np.unique(split).tolist():
        h = _horizon(data, s)
        fitted = _breslow(data, h.develop)
        for r in np.flatnonzero(split == s):
            alive = fitted(log_hazard[r], h.times) if curves is None else curves[r]
            scores[r] = integrated_brier_score(
                alive, h.times, event, time,
                train_event=event[h.known], train_time=time[h.known], where=h.test,
            )  # fmt: skip
    return scores
