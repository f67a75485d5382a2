"""Integrated Brier score of every run of a study, on the test set of its split."""

from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.metrics.prediction_error import case_control_weights, weighted_squares
from jaxsurv.recipe import Prepared
from jaxsurv.survival import RiskSets, breslow_baseline, restrict, survival_function
from jaxsurv.types import Array

_TIMES = 50


class _Horizon(NamedTuple):
    """Masks, times and weights for the scores of one split.

    Attributes:
        develop: ``[n]`` booleans, rows whose outcomes give the baseline hazard.
        test: ``[n]`` booleans, test set.
        times: ``[t]``.
        place: ``[t]``, how many of the patients' distinct times are at or before each.
        share: ``[t]``, place of each time between the first and the last, 0 to 1.
        case, until, control: see :func:`jaxsurv.metrics.prediction_error.case_control_weights`.
    """

    develop: Array
    test: Array
    times: Array
    place: Array
    share: Array
    case: Array
    until: Array
    control: Array


def _horizon(data: Prepared, s: int) -> _Horizon:
    event, time = data.event, data.time
    develop, test = data.splits.develop[s], data.splits.test[s]
    known = data.labelled & ~test  # with hidden outcomes: all rows are scored alike
    first, last = np.quantile(time[known & (event > 0)], (0.1, 0.9))
    last = min(last, time[test].max(), time[known].max())
    times = np.linspace(min(first, last / 2), last, _TIMES)
    weights = case_control_weights(times, event, time, event[known], time[known], test)
    # on the device times are counted: its precision might not tell them apart
    place = np.searchsorted(np.unique(time), times, side="right").astype(np.float32)
    share = ((times - times[0]) / (times[-1] - times[0])).astype(np.float32)
    return jax.device_put(_Horizon(develop, test, times.astype(np.float32), place, share, *weights))


def horizons(data: Prepared) -> np.ndarray:
    """``[splits, t]`` times at which the survival curves of each split are scored."""
    return np.stack([np.asarray(_horizon(data, s).times) for s in range(len(data.splits.fold))])


@jax.jit
def _of_curves(alive: Array, h: _Horizon) -> Array:
    score = weighted_squares(alive, h.case, h.until, h.control) / jnp.sum(h.test)
    return jnp.trapezoid(score, h.share)


@jax.jit
def _of_log_hazards(log_hazard: Array, h: _Horizon, risk_sets: RiskSets) -> Array:
    eta = log_hazard - jnp.sum(jnp.where(h.develop, log_hazard, 0)) / jnp.sum(h.develop)
    baseline = breslow_baseline(eta, risk_sets=restrict(risk_sets, h.develop))
    return _of_curves(survival_function(baseline, eta, h.place), h)


def integrated_brier(
    data: Prepared, split: np.ndarray, log_hazard: np.ndarray, curves: np.ndarray | None = None
) -> np.ndarray:
    """Integrated Brier score ``[runs]`` of each run on the test set of its split; lower is better.

    Times go from the 10 % to the 90 % quantile of the event times outside the test set, and end with the
    follow-up of the test set. Times and censoring weights are the same for all models, and use hidden
    outcomes too. Survival curves are Breslow's: the baseline hazard is fitted to the development rows at
    the log hazards that the run predicts for them, so that an overfitted run has a worse score.

    Args:
        data: data of the study.
        split: ``[runs]``, position of each run's split.
        log_hazard: ``[runs, n]``, predicted log hazards (higher = worse).
        curves: ``[runs, n, t]`` survival at the times of `horizons`, of a model with curves of its own; then
            log hazards and Breslow's estimate do not count.
    """
    known = {s: _horizon(data, s) for s in np.unique(split).tolist()}
    if curves is not None:
        each = zip(curves, split.tolist(), strict=True)
        return np.asarray(jax.device_get([_of_curves(alive, known[s]) for alive, s in each]))
    risk_sets = data.shared.risk_sets
    place = np.searchsorted(np.unique(data.time), risk_sets.time, side="right").astype(np.float32)
    risk_sets = jax.device_put(replace(risk_sets, time=place))
    scores = [
        _of_log_hazards(eta, known[s], risk_sets)
        for eta, s in zip(log_hazard.astype(np.float32), split.tolist(), strict=True)
    ]
    return np.asarray(jax.device_get(scores))
