"""Who is at risk, who fails and who is censored at each distinct time: the base of every curve."""

from types import ModuleType
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxsurv.survival.validation import array_module
from jaxsurv.types import ArrayLike


class LifeTable(NamedTuple):
    """Weighted counts at the distinct times.

    NumPy arrays of the m distinct times if the values are known, so that a curve computed eagerly
    is computed in the precision of its input. While ``jit`` traces, JAX arrays of one fixed length
    n: the rows beyond the last distinct time have ``times = inf`` and no one at risk.

    Attributes:
        times: ``[m]``, ascending.
        at_risk: ``[m]``, weight at risk just before the time.
        events: ``[m]``, weight of the events.
        censored: ``[m]``, weight of the censored.
    """

    times: Any
    at_risk: Any
    events: Any
    censored: Any


def segment_sum(xp: ModuleType, values: Any, segment: Any, size: int) -> Any:
    """``[size]`` sums of ``values [n]`` or ``[n, k]`` over equal ``segment [n]``."""
    if xp is not np:
        return jax.ops.segment_sum(values, segment, size)
    out = np.zeros((size, *values.shape[1:]), values.dtype)
    np.add.at(out, segment, values)
    return out


def reversed_cumsum(xp: ModuleType, x: Any) -> Any:
    """``y_i = sum_{j >= i} x_j`` along the first axis, free of the cancellation in total - before."""
    return xp.flip(xp.cumsum(xp.flip(x, 0), 0), 0)


def tie_groups(xp: ModuleType, time: Any) -> tuple[Any, Any, Any]:
    """Sort by time and number the distinct times.

    Returns:
        ``order [n]``, ``group [n]`` of the sorted rows, and ``times``: ``[m]`` on the host, ``[n]``
        padded with inf while tracing.
    """
    order = xp.argsort(time)
    t = time[order]
    first = xp.concatenate([xp.ones(1, bool), t[1:] != t[:-1]])
    group = xp.cumsum(first) - 1
    if xp is np:
        return order, group, t[first]
    times = xp.full(t.shape, xp.inf, t.dtype).at[group].set(t)
    return order, group, times


def life_table(
    event: ArrayLike,
    time: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    where: ArrayLike | None = None,
) -> LifeTable:
    """Count the events, the censored and those at risk in ``(entry, time]``, per distinct time.

    Input is taken as checked. A row masked out by ``where`` leaves no time behind on the host;
    while tracing it goes to time inf.

    Args:
        event: ``[n]``, 1 = observed, 0 = censored. A patient censored at t is at risk at t.
        time: ``[n]``.
        entry: ``[n]`` or None.
        weights: ``[n]`` case weights or None.
        where: ``[n]`` booleans, False for rows that are not there.
    """
    xp = array_module(event, time, entry, weights, where)
    event, time = xp.asarray(event), xp.asarray(time)
    weights = xp.ones(time.shape) if weights is None else xp.asarray(weights)
    weights = weights.astype(float if xp is np else jax.numpy.result_type(float))
    entry = None if entry is None else xp.asarray(entry)
    if where is not None:
        here = xp.asarray(where).astype(bool)
        if xp is np:
            event, time, weights = event[here], time[here], weights[here]
            entry = None if entry is None else entry[here]
        else:
            time = xp.where(here, time.astype(weights.dtype), xp.inf)
            weights = xp.where(here, weights, 0)
    order, group, times = tie_groups(xp, time)
    size = times.shape[0]
    w, observed = weights[order], event[order].astype(bool)
    events = segment_sum(xp, xp.where(observed, w, 0), group, size)
    censored = segment_sum(xp, xp.where(observed, 0, w), group, size)
    leaving = events + censored
    if entry is not None:
        # A row that enters at or after the k-th time is not at risk there: it is taken off 0 .. k.
        last = xp.searchsorted(times, entry, side="right") - 1
        absent = segment_sum(xp, xp.where(last >= 0, weights, 0), xp.maximum(last, 0), size)
        leaving = leaving - absent
    return LifeTable(times, reversed_cumsum(xp, leaving), events, censored)
