"""Discrete time: intervals, and the outcome in them.

Interval j is ``(ends[j - 1], ends[j]]``, the first from 0.
"""

from functools import partial
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxsurv.arguments.columns import check_finite, first_rows
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival.causes import check_codes
from jaxsurv.survival.ties import at_known_times, merge_near_ties
from jaxsurv.survival.validation import (
    array_module,
    check_known,
    check_some,
    check_survival,
    check_times,
    check_vectors,
    check_weights,
    is_concrete,
)
from jaxsurv.types import Array, ArrayLike, InputError


@read_arguments
def event_quantile_grid(
    event: ArrayLike,
    time: ArrayLike,
    intervals: int,
    *,
    weights: ArrayLike | None = None,
    where: ArrayLike | None = None,
) -> np.ndarray:
    """Ends ``[intervals]`` of intervals with equal numbers of events, as far as ties allow.

    Ends are event times, and the last is the last event. Where many events are tied, an interval has
    more of them than its share, and the others share the rest.

    Args:
        event: ``[n]``, 1 = observed (or any cause), 0 = censored.
        time: ``[n]``, > 0 for at least one event per interval, any unit.
        intervals: number of intervals.
        weights: ``[n]``, case weights.
        where: ``[n]``, False for rows that are not there, such as those outside the training set.

    Raises:
        InputError: more intervals than distinct event times; see `check_survival`.

    >>> event_quantile_grid(np.ones(6), np.array([1.0, 2, 3, 4, 5, 9]), 3).tolist()
    [2.0, 4.0, 9.0]
    """
    check_known(event=event, time=time, weights=weights, where=where)
    happened = check_codes("event", event) > 0
    check_survival(happened, time, weights=weights, where=where)
    here = happened & (np.asarray(time) > 0)
    here = here if where is None else here & np.asarray(where).astype(bool)
    count = np.ones(here.size) if weights is None else np.asarray(weights, float)
    here = here & (count > 0)
    times, row = np.unique(merge_near_ties(time, where=here)[0][here], return_inverse=True)
    if times.size < intervals:
        raise InputError(
            f"{intervals} intervals are more than the distinct event times, of which there are "
            f"{times.size}; ask for at most so many"
        )
    share = np.cumsum(np.bincount(row, count[here]))
    return _ends(times, share, times.size, intervals).astype(float)


def traced_quantile_grid(count: Array, time: Array, intervals: int) -> Array:
    """`event_quantile_grid` while ``jit`` traces: where distinct event times are too few, ends repeat.

    Args:
        count: ``[n]``, weighted events of each row, 0 where it is not there.
        time: ``[n]``, any unit.
        intervals: number of intervals.
    """
    n, time = count.size, jnp.where((count > 0) & (time > 0), time, jnp.inf)
    order = jnp.argsort(time)
    time = time[order]
    last = jnp.isfinite(time) & (time != jnp.append(time[1:], jnp.inf))  # of those that are tied
    share = jnp.cumsum(jnp.where(jnp.isfinite(time), count[order], 0))
    place = jnp.where(last, jnp.cumsum(last) - 1, n)
    times = jnp.zeros_like(time).at[place].set(time, mode="drop")
    shares = jnp.full_like(share, share[-1]).at[place].set(share, mode="drop")
    return _ends(times, shares, jnp.sum(last), intervals)


def _ends(times: Any, share: Any, distinct: Any, intervals: int) -> Any:
    """Ends among the first ``distinct`` of the ascending times, of which ``share`` have had events."""
    xp = array_module(times)
    number = xp.arange(intervals)
    wanted = share[-1] * (number + 1) / intervals
    place = xp.searchsorted(share, wanted * (1 - xp.finfo(wanted.dtype).eps ** 0.75))
    # one event time per interval at least, before it and after it
    place = xp.maximum.accumulate(place - number) + number
    return times[xp.maximum(xp.minimum(place, distinct - intervals + number), 0)]


class DiscreteOutcome(NamedTuple):
    """Outcome in intervals 0, 1, ..., m - 1; arguments of the losses in discrete time.

    Attributes:
        event: ``[n]``, code of the event as it was given; 0 also for an event after the last end.
        interval: ``[n]``, interval of the event; of a censored row the last interval that it survived
            whole, -1 if none.
        entry: ``[n]``, interval in which the row enters, m if after the last end; or None.
        share: ``[n]``, share of the next interval that a censored row was followed; 0 of events.
    """

    event: np.ndarray
    interval: np.ndarray
    entry: np.ndarray | None = None
    share: np.ndarray | None = None


@read_arguments
def discretise(
    event: ArrayLike, time: ArrayLike, ends: ArrayLike, *, entry: ArrayLike | None = None
) -> DiscreteOutcome:
    """Outcome in the intervals ``(ends[j - 1], ends[j]]``, the first from 0.

    A time of censoring is rounded down to the end of an interval, as in pycox, and ``share`` is what that
    loses; nnet-survival counts an interval as survived from its middle on. Who enters inside an interval
    counts as at risk in all of it.

    Args:
        event: ``[n]``, 1 = observed, 0 = censored, or codes of causes.
        time: ``[n]``, in the unit of the ends.
        ends: ``[m]``, ascending, > 0, such as `event_quantile_grid`.
        entry: ``[n]``, delayed entry: the row is at risk in ``(entry, time]``.

    Raises:
        InputError: ends that are not ascending and > 0; a malformed outcome.

    >>> discretise(np.array([1, 0, 0, 1]), np.array([2.0, 2.5, 0.5, 9.0]), np.array([1.0, 2.0, 3.0]))[:2]
    (array([1, 0, 0, 0]), array([ 1,  1, -1,  2]))
    """
    check_known(event=event, time=time, ends=ends, entry=entry)
    check_vectors(event=event, time=time, entry=entry)
    codes, ends = check_codes("event", event), check_ends(ends)
    check_survival(codes > 0, time, entry=entry)
    entry = None if entry is None else at_known_times(entry, ends)
    return locate(codes, at_known_times(time, ends), ends, entry)


def locate(event: Any, time: Any, ends: Any, entry: Any = None) -> DiscreteOutcome:
    """`discretise` of columns that were checked, or that ``jit`` traces."""
    xp = array_module(event, time, ends, entry)
    find = np.searchsorted if xp is np else partial(jnp.searchsorted, method="compare_all")
    of_event = find(ends, time)
    inside = (event > 0) & (of_event < ends.shape[0])
    interval = xp.where(inside, of_event, find(ends, time, side="right") - 1)
    entered = None if entry is None else find(ends, entry, side="right")
    event, last = xp.where(inside, event, 0), ends.shape[0] - 1
    start, end = (xp.append(0, ends)[xp.minimum(interval + k, last + k - 1)] for k in (1, 2))
    followed = (time - start) / xp.where(end > start, end - start, 1)
    share = xp.where((event > 0) | (interval >= last), 0, xp.clip(followed, 0, 1))
    return DiscreteOutcome(event, interval, entered, share)


def check_ends(ends: Any) -> np.ndarray:
    """Ends of intervals ``[m]``: ascending and > 0."""
    check_times(ends, "ends")
    ends = np.asarray(ends, float)
    if ends[0] <= 0:
        raise InputError(f"ends must be > 0, since the first interval starts at 0; got {ends[0]:g}")
    return ends


def check_discrete(
    logits: Any, event: Any, interval: Any, entry: Any, weights: Any, where: Any
) -> None:
    """Check the arguments of a loss in discrete time: shapes always, values where they are known.

    Raises:
        InputError: logits that are not ``[n, m]`` or ``[n, causes, m]``; codes beyond the causes; intervals
            that are no whole numbers, or outside the grid.
    """
    shape = np.shape(logits)
    if len(shape) not in (2, 3) or not shape[-1]:
        raise InputError(
            f"logits must have shape [n, intervals] or [n, causes, intervals], got {list(shape)}"
        )
    rows = np.empty(shape[0])
    n = check_vectors(
        logits=rows, event=event, interval=interval, entry=entry, weights=weights, where=where
    )
    check_some(n, where)
    check_weights(weights)
    for name, x in (("interval", interval), ("entry", entry), ("weights", weights)):
        check_finite(name, x)
    if is_concrete(logits):
        here = (
            np.ones(n, bool) if where is None or not is_concrete(where) else np.asarray(where) > 0
        )
        each = here.reshape(-1, *[1] * (len(shape) - 1))
        check_finite("logits", np.where(each, np.asarray(logits), 0))
    if not is_concrete(event):
        return
    codes, causes = check_codes("event", event), 1 if len(shape) == 2 else shape[1]
    if codes.max() > causes:
        raise InputError(
            f"event has the cause {codes.max()} in {first_rows(codes > causes)}, but logits "
            f"{list(shape)} have {causes}: give logits [n, causes, intervals]"
        )
    for name, x, least in (("interval", interval, -1 * (codes == 0)), ("entry", entry, 0)):
        if x is None or not is_concrete(x):
            continue
        values, most = np.asarray(x), shape[-1] - (name == "interval")
        bad = (values < least) | (values > most) | (values % 1 != 0)
        if bad.any():
            raise InputError(
                f"{name} must be the number of an interval, 0 to {shape[-1] - 1}, got "
                f"{values[bad][0]:g} in {first_rows(bad)}; see discretise"
            )
