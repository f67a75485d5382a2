"""Curves from log hazards: a baseline hazard, on which categories may act differently early and late."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import gammaln

PERIODS = 10  # with equal numbers of events
TIMES = 300  # most times at which curves change


class Curves(NamedTuple):
    """Cumulative hazards as step functions.

    Attributes:
        times: ``[t]``, ascending.
        cumulative: ``[n, t]``, from ``times[k]`` on.
        prior: events that the prior of each category's hazard ratios is worth.
    """

    times: np.ndarray
    cumulative: np.ndarray
    prior: dict[str, float]

    def hazard(self, at: np.ndarray) -> np.ndarray:
        """``[n, k]`` cumulative hazards at ``at [k]``, 0 before the first time."""
        column = np.searchsorted(self.times, at, side="right") - 1
        return np.where(column >= 0, self.cumulative[:, np.maximum(column, 0)], 0)


def curves_over_time(
    log_hazard: np.ndarray,
    event: np.ndarray,
    time: np.ndarray,
    rows: np.ndarray,
    categories: Mapping[str, np.ndarray],
) -> Curves:
    """Curves of all patients, fitted to some ``rows``.

    Each category's hazard, in each period, is multiplied by (D + m) / (E + m): D events where E were
    expected, with a gamma prior worth m events around 1. m has the largest marginal likelihood, a negative
    binomial, over a column's categories and periods; where nothing changes over time it is large, and nothing
    happens. Columns come one after the other, each on top of those before. Without columns, hazards are
    proportional and this is Breslow's estimate on a grid of times.

    Args:
        log_hazard: ``[n]``.
        event, time: ``[n]``.
        rows: ``[n]`` booleans, the patients whose outcomes count.
        categories: column to ``[n]`` codes from 0.
    """
    seen = rows & (event > 0)
    distinct = np.unique(time[seen])
    at = np.linspace(0, len(distinct) - 1, min(TIMES, len(distinct)))
    times = distinct[at.astype(int)]
    place = np.searchsorted(times, time)  # an event at times[k] or since times[k - 1]
    edges = np.quantile(time[seen], np.linspace(0, 1, PERIODS + 1)[1:-1])
    period = np.searchsorted(edges, times, side="right")
    in_period = period[:, None] == np.arange(PERIODS)
    own_event = seen[:, None] & (place[:, None] == np.arange(len(times)))
    there = own_event | (rows[:, None] & (time[:, None] >= times))
    risk = np.exp(log_hazard)[:, None] * there
    events = np.bincount(place[seen], minlength=len(times))
    ratio, prior = np.ones((len(time), PERIODS)), {}
    for name, code in categories.items():
        expected = ratio * (risk * _increments(risk * ratio[:, period], events) @ in_period)
        shape = (code.max() + 1, PERIODS)
        e, d = np.zeros(shape), np.zeros(shape)
        np.add.at(e, code, expected)
        np.add.at(d, (code[seen], period[place[seen]]), 1)
        prior[name] = m = _prior(d.ravel(), e.ravel())
        ratio = ratio * ((d + m) / (e + m))[code]
    hazard = _increments(risk * ratio[:, period], events) * ratio[:, period]
    cumulative = np.cumsum(hazard, axis=1) * np.exp(log_hazard)[:, None]
    return Curves(times, cumulative, prior)


def _increments(risk: np.ndarray, events: np.ndarray) -> np.ndarray:
    """``[t]`` increments of the baseline: events over the summed risk ``[n, t]`` of those still there."""
    return events / np.maximum(risk.sum(axis=0), 1e-300)


def _prior(d: np.ndarray, e: np.ndarray) -> float:
    """m of the largest negative binomial likelihood of D events where E were expected, 0.1 to 10,000."""
    d, e = d[e > 0], e[e > 0]

    def loss(log_m: float) -> float:
        m = np.exp(log_m)
        each = gammaln(m + d) - gammaln(m) + m * np.log(m / (m + e)) + d * np.log(e / (m + e))
        return -float(each.sum())

    found = minimize_scalar(loss, bounds=np.log([0.1, 1e4]), method="bounded")
    return float(np.exp(found.x))  # type: ignore[union-attr]
