"""Numbers at risk, with an event and censored at each distinct time: the base of every curve."""

from types import ModuleType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.survival.ties import in_ranks, merge_near_ties, rounding
from jaxsurv.survival.validation import array_module
from jaxsurv.types import ArrayLike


class LifeTable(NamedTuple):
    """Weighted counts at the distinct times.

    If the values are known, these are NumPy arrays of the m distinct times, so that eager curves
    have the precision of their input. While ``jit`` traces, they are JAX arrays of the fixed length
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
    """Sums ``[size]`` of ``values [n]`` over equal ``segment [n]``."""
    if xp is np:
        return np.bincount(segment, values, size)
    return jax.ops.segment_sum(values, segment, size)


def step_at(query: Any, times: Any, values: Any, *, initial: float, left: bool = False) -> Any:
    """Evaluate a step function at ``query``: the value of the last time <= query (< query if ``left``).

    Known times that equal one of ``times`` but for rounding are that time, see `rounding`.

    Args:
        query: any shape.
        times: ``[m]``, ascending.
        values: ``[m, ...]``, value from each time on.
        initial: the value before the first time.
        left: take the limit from the left, as the censoring curve G(t-) needs.
    """
    xp = array_module(query, times)  # known times are found on the host, whatever the values are
    times = xp.asarray(times)
    query = xp.asarray(query) if xp is np else xp.asarray(query, times.dtype)
    slack = rounding(query, times) if xp is np else 0
    bound, side = (query - slack, "left") if left else (query + slack, "right")
    place = xp.searchsorted(times, bound.ravel(), side=side)
    xp = array_module(place, values)
    values = xp.asarray(values)
    values = xp.concatenate([xp.full_like(values, initial)[:1], values])
    return values[place].reshape(query.shape + values.shape[1:])


def reversed_cumsum(xp: ModuleType, x: Any) -> Any:
    """Reversed sums ``y_i = sum_{j >= i} x_j`` along the first axis; total - before would cancel."""
    return xp.flip(xp.cumsum(xp.flip(x, 0), 0), 0)


def _new_run(xp: ModuleType, columns: tuple[Any, ...]) -> Any:
    """Mask ``[n]``, True where a row differs from the row before it in some column."""
    new = columns[0][1:] != columns[0][:-1]
    for x in columns[1:]:
        new = new | (x[1:] != x[:-1])
    return xp.concatenate([xp.ones(1, bool), new])


def run_numbers(xp: ModuleType, *columns: Any) -> Any:
    """Numbers ``[n]``, 0, 1, ..., of the runs of neighbours that are equal in every column."""
    return xp.cumsum(_new_run(xp, columns), dtype=np.int32) - 1


def run_bounds(xp: ModuleType, *columns: Any) -> tuple[Any, ...]:
    """Bounds ``start <= row < end`` of the run of equal rows around each row, ``[n]`` each.

    Without columns the tuple is empty.
    """
    if not columns:
        return ()
    if xp is np:
        new = _new_run(np, columns)
        run, start = np.cumsum(new, dtype=np.int32) - 1, np.flatnonzero(new).astype(np.int32)
        return start[run], np.append(start[1:], np.int32(run.size))[run]
    run = run_numbers(jnp, *columns)
    size = jnp.bincount(run, length=run.size)
    end = jnp.cumsum(size, dtype=np.int32)[run]
    return end - size[run].astype(np.int32), end


def entry_positions(xp: ModuleType, columns: Any, entry: Any) -> Any:
    """First position ``[n]`` of each row's stratum whose time is after ``entry``, for sorted rows.

    Args:
        xp: numpy or jax.numpy.
        columns: strata (if any) and times, by which the rows are sorted.
        entry: ``[n]``, entry times, each before the time of its row.
    """
    n = entry.shape[0]
    # Sort the entries among the times: a row is not yet at risk at the times up to its entry.
    times = xp.concatenate([columns[-1], entry])
    is_entry = xp.arange(2 * n) >= n
    merged = xp.lexsort((is_entry, times, *(xp.concatenate([c, c]) for c in columns[:-1])))
    times_before = xp.cumsum(~is_entry[merged], dtype=np.int32)
    return times_before[xp.argsort(merged)][n:]


def life_table(
    event: ArrayLike,
    time: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    where: ArrayLike | None = None,
) -> LifeTable:
    """Count the events, the censored and those at risk in ``(entry, time]``, per distinct time.

    Input is not checked here. On the host, a row masked out by ``where`` leaves no time behind;
    while tracing, its time becomes inf.

    Args:
        event: ``[n]``, 1 = observed, 0 = censored. A patient censored at t is at risk at t.
        time: ``[n]``; times that are equal but for rounding are one, see `merge_near_ties`.
        entry: ``[n]``, delayed entry, or None.
        weights: ``[n]`` case weights or None.
        where: ``[n]`` booleans, False for rows that are not there.
    """
    xp = array_module(event, time, entry, weights, where)
    number = np.dtype(float) if xp is np else jnp.result_type(float)
    time, entry = merge_near_ties(time, entry, where)
    key, enter = in_ranks(time, entry) if xp is jnp else (time, entry)
    died, t = xp.asarray(event).astype(bool), xp.asarray(time)
    if xp is np and t.dtype.kind in "iu":
        t = t.astype(np.promote_types(t.dtype, np.int64))  # 64-bit integers stay exact
    elif xp is jnp or t.dtype != np.float32:  # whose rounding is that of the times asked for
        t = t.astype(number)
    key = t if xp is np else xp.asarray(key)
    after = np.iinfo(np.int32).max if key.dtype.kind == "i" else np.inf  # later than all times
    w = xp.ones(t.shape, number) if weights is None else xp.asarray(weights).astype(number)
    enter = xp.zeros(0) if enter is None else xp.asarray(enter)
    if where is not None:
        here = xp.asarray(where).astype(bool)
        if xp is np:
            died, t, key, w, enter = (x[here] if x.size else x for x in (died, t, key, w, enter))
        else:
            t, w = xp.where(here, t, xp.inf), xp.where(here, w, 0)
            key = xp.where(here, key, after)
    order = xp.argsort(key)
    t, key, group = t[order], key[order], run_numbers(xp, key[order])
    if xp is np:
        keys = times = t[np.flatnonzero(np.diff(group, prepend=-1))]
    else:
        times = xp.full(t.shape, xp.inf, number).at[group].set(t)
        keys = xp.full(t.shape, after, key.dtype).at[group].set(key)
    size = times.shape[0]
    events = segment_sum(xp, xp.where(died, w, 0)[order], group, size)
    censored = segment_sum(xp, xp.where(died, 0, w)[order], group, size)
    leaving = events + censored
    if entry is not None:
        # A row that enters at or after the k-th time is not at risk there: subtract it from 0 .. k.
        last = xp.searchsorted(keys, enter, side="right") - 1
        absent = segment_sum(xp, xp.where(last >= 0, w, 0), xp.maximum(last, 0), size)
        leaving = leaving - absent
    return LifeTable(times, reversed_cumsum(xp, leaving), events, censored)
