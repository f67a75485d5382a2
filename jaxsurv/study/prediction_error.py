"""The integrated Brier score of every run of a study, on the test rows of its split."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.metrics.prediction_error import case_control_weights, weighted_squares
from jaxsurv.recipe.prepared import StudyData
from jaxsurv.survival import RiskSets, breslow_baseline, restrict, survival_function
from jaxsurv.types import Array

_TIMES = 50


class _Horizon(NamedTuple):
    """What the scores of one split need.

    Attributes:
        develop: ``[n]`` booleans, whose outcomes give the baseline hazard.
        test: ``[n]`` booleans.
        times: ``[t]``.
        case, until, control: see :func:`jaxsurv.metrics.prediction_error.case_control_weights`.
    """

    develop: Array
    test: Array
    times: Array
    case: Array
    until: Array
    control: Array


def _horizon(data: StudyData, s: int) -> _Horizon:
    event, time = np.asarray(data.shared.event), np.asarray(data.shared.time, float)
    develop, test = data.design.develop[s], data.design.test[s]
    known = data.labelled & ~test  # hidden outcomes too: all rows are scored alike
    first, last = np.quantile(time[known & (event > 0)], (0.1, 0.9))
    last = min(last, time[test].max(), time[known].max())
    # in the precision of the device: a time that is also a patient's must stay one
    times = np.linspace(min(first, last / 2), last, _TIMES).astype(np.float32)
    weights = case_control_weights(times, event, time, event[known], time[known], test)
    return jax.device_put(_Horizon(develop, test, times, *weights))


@jax.jit
def _integrated_brier(log_hazard: Array, h: _Horizon, risk_sets: RiskSets) -> Array:
    eta = log_hazard - jnp.sum(jnp.where(h.develop, log_hazard, 0)) / jnp.sum(h.develop)
    baseline = breslow_baseline(eta, risk_sets=restrict(risk_sets, h.develop))
    alive = survival_function(baseline, eta, h.times)
    score = weighted_squares(alive, h.case, h.until, h.control) / jnp.sum(h.test)
    return jnp.trapezoid(score, h.times) / (h.times[-1] - h.times[0])


def integrated_brier(data: StudyData, split: np.ndarray, log_hazard: np.ndarray) -> np.ndarray:
    """The score of each run on the test rows of its split, ``[runs]``; lower is better.

    Times go from a tenth to nine tenths of the event times outside the test rows, as long as test rows
    are followed; these and the censoring weights are the same for all models, hidden outcomes
    included. Survival curves are Breslow's: the baseline hazard of the development rows at the log
    hazards that the run gives them, so that a run pays for being too sure of what it was fitted to.

    Args:
        data: the study.
        split: ``[runs]``.
        log_hazard: ``[runs, n]``.
    """
    known = {s: _horizon(data, s) for s in np.unique(split).tolist()}
    risk_sets = jax.device_put(data.shared.risk_sets)
    scores = [
        _integrated_brier(eta, known[s], risk_sets)
        for eta, s in zip(log_hazard.astype(np.float32), split.tolist(), strict=True)
    ]
    return np.asarray(jax.device_get(scores))
