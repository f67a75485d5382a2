"""Scores on a test part as the survival literature defines them, with bootstrap intervals."""

from typing import NamedTuple

import numpy as np

from jaxsurv.metrics.prediction_error import case_control_weights

from .over_time import Curves

SCORES = ("c", "c_td", "ibs", "inbll", "c_within")
_TIMES = 100
_TINY = 1e-7  # probabilities are kept so far from 0 and 1, as pycox does


class Judged(NamedTuple):
    """The rows to judge on.

    Attributes:
        event, time: ``[n]``, of the test part.
        strata: ``[n]`` labels for the C within them; None = no such C.
        draws: ``[b, n]``, how often each patient is in each bootstrap sample.
    """

    event: np.ndarray
    time: np.ndarray
    strata: np.ndarray | None
    draws: np.ndarray


def test_part(
    event: np.ndarray, time: np.ndarray, strata: np.ndarray | None, samples: int
) -> Judged:
    """The test part with its bootstrap samples, the same for every model."""
    n = len(time)
    draws = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=samples)
    return Judged(event.astype(bool), time.astype(float), strata, draws.astype(np.float32))


test_part.__test__ = False  # type: ignore[attr-defined]  # it is no test


def score(curves: Curves, risk: np.ndarray, test: Judged) -> dict[str, float]:
    """Scores of one model, each with ``_lower`` and ``_upper``.

    ``c``: Harrell's, of one risk per patient; ``c_td``: Antolini's; ``c_within``: Harrell's over pairs of one
    stratum. ``ibs``, ``inbll``: Brier score and negative binomial log likelihood, integrated over 100 times
    from the first to the last of the test part, weighted by its own censoring. Intervals are percentiles over
    patients drawn with replacement, the censoring curve held fixed.

    Args:
        curves: cumulative hazards of the test rows.
        risk: ``[n]``, higher = worse.
        test: the rows.
    """
    event, time = test.event, test.time
    later = (time[:, None] < time) | ((time[:, None] == time) & ~event)
    comparable = (event[:, None] & later).astype(np.float32)
    at_event = np.asarray(curves.hazard(time), float).T  # [i, j]: hazard of j at the time of i
    pairs = {"c": (risk[:, None], risk[None], comparable)}
    pairs["c_td"] = (np.diagonal(at_event)[:, None], at_event, comparable)
    if test.strata is not None:
        same = (test.strata[:, None] == test.strata).astype(np.float32)
        pairs["c_within"] = (risk[:, None], risk[None], comparable * same)
    found = {}
    for name, (mine, theirs, among) in pairs.items():
        right = ((mine > theirs) + 0.5 * (mine == theirs)).astype(np.float32) * among
        whole, all_pairs = float(right.sum(dtype=float)), float(among.sum(dtype=float))
        sums = [((test.draws @ m) * test.draws).sum(axis=1) for m in (right, among)]
        found |= _with_interval(name, whole / all_pairs, sums[0] / np.maximum(sums[1], 1))
    for name, losses in _losses(curves, event, time).items():
        found |= _with_interval(name, losses.mean(), test.draws @ losses / len(time))
    return found


def _losses(curves: Curves, event: np.ndarray, time: np.ndarray) -> dict[str, np.ndarray]:
    """``[n]`` integrated losses of each patient."""
    times = np.linspace(time.min(), time.max(), _TIMES)
    case, until, control = case_control_weights(times, event, time, event, time, None)
    alive = np.arange(len(times)) < until[:, None]
    s = np.clip(np.exp(-curves.hazard(times)), _TINY, 1 - _TINY)
    brier = np.where(alive, (1 - s) ** 2 * control, s**2 * case[:, None])
    likelihood = -np.where(alive, np.log(s) * control, np.log(1 - s) * case[:, None])
    share = (times - times[0]) / (times[-1] - times[0])
    return {
        name: np.trapezoid(each, share, axis=1)
        for name, each in (("ibs", brier), ("inbll", likelihood))
    }


def _with_interval(name: str, value: float, samples: np.ndarray) -> dict[str, float]:
    lower, upper = np.quantile(samples, [0.025, 0.975])
    return {name: float(value), f"{name}_lower": float(lower), f"{name}_upper": float(upper)}
