"""Antolini's time-dependent concordance, for models whose survival curves may cross."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival.concordance import Concordance, checked, concordance_of
from jaxsurv.survival.pairs import HOST_ROWS, PairRows, PairSums, absent, compare
from jaxsurv.survival.ties import at_known_times, merge_near_ties
from jaxsurv.survival.validation import (
    array_module,
    check_curves,
    check_probabilities,
    check_survival,
    is_concrete,
)
from jaxsurv.types import ArrayLike

_CHUNK = 1 << 22  # pairs compared at a time


@read_arguments
def concordance_td(
    survival: ArrayLike,
    times: ArrayLike,
    event: ArrayLike,
    time: ArrayLike,
    *,
    where: ArrayLike | None = None,
) -> Concordance:
    """Share of comparable pairs in which the earlier event has the lower predicted S at its time.

    Comparable pairs are those of `concordance_index`. A pair is concordant if
    S(t_i | x_i) < S(t_i | x_j) at the time t_i of the earlier event; equal values count 1/2. If the
    curves do not cross, the result is Harrell's C. Curves are steps: S(t) is the column of the last
    of ``times`` <= t, and 1 before the first. All n² pairs are compared, a few rows at a time.

    Args:
        survival: ``[n, t]``, S(times | x), one row per patient.
        times: ``[t]``, ascending, without repeats.
        event: ``[n]``, 1 = observed, 0 = censored.
        time: ``[n]``, follow-up time in the unit of ``times``.
        where: ``[n]`` booleans, False for patients that are not there.

    Raises:
        InputError: malformed input (see `check_survival`); survival not ``[n, t]`` or outside
            [0, 1]; no comparable pair.

    Reference: Antolini, Boracchi and Biganzoli, Stat. Med. 24 (2005) 3927.

    >>> curves = np.array([[0.9, 0.2], [0.8, 0.6], [0.7, 0.5]])
    >>> c = concordance_td(curves, np.array([1.0, 2.0]), np.array([1, 0, 1]), np.array([2.0, 3, 1]))
    >>> float(c.index), float(c.concordant)
    (1.0, 3.0)
    """
    n = check_survival(event, time, where=where)
    survival = check_curves(survival, times, n)
    check_probabilities("survival", survival)
    xp = array_module(times, event, time, where)
    time = merge_near_ties(time, where=where)[0]
    times = at_known_times(times, time)
    column = xp.searchsorted(xp.asarray(times), xp.asarray(time), side="right")
    rows = PairRows(None, xp.asarray(event).astype(bool), xp.asarray(time))
    if where is not None:
        rows = absent(xp, rows, ~xp.asarray(where).astype(bool))
    if xp is np:
        rows = rows._replace(time=np.unique(rows.time, return_inverse=True)[1])
    xp = array_module(survival, column, *(a for a in rows if a is not None))
    xp = jnp if n > HOST_ROWS else xp
    number = np.dtype(float) if xp is np else jnp.result_type(float)
    if is_concrete(survival) and np.asarray(survival).dtype.itemsize > number.itemsize:
        # ranks, as float32 would take probabilities near 1 for equal
        ranks = [np.unique(s, return_inverse=True)[1] for s in np.asarray(survival).T]
        survival = np.stack(ranks, 1).astype(np.int32)
    survival = xp.asarray(survival, number)
    earlier = xp.asarray(rows.event, number)
    sums = _pair_sums if xp is np else _sums_under_jit
    return checked(concordance_of(sums(survival, column, rows, earlier), earlier, None))


def _pair_sums(survival: Any, column: Any, rows: PairRows, earlier: Any) -> PairSums:
    n, xp = rows.time.size, array_module(survival, column, earlier)
    curves = xp.concatenate([xp.ones((1, n), survival.dtype), survival.T])
    size = min(n, max(1, _CHUNK // n))
    chunks = xp.arange(-(-n // size) * size).reshape(-1, size)

    def step(later: Any, index: Any) -> tuple[Any, Any]:
        there = index < n
        index = xp.minimum(index, n - 1)
        seen = -curves[column[index]]  # [size, n]: risk of each patient at the time of i
        i = PairRows(
            xp.take_along_axis(seen, index[:, None], 1),
            (rows.event[index] & there)[:, None],
            rows.time[index][:, None],
        )
        j = PairRows(seen, rows.event[None], rows.time[None])
        concordant, tied, comparable, tied_time, tied_both = compare(i, j)
        half = xp.where(concordant, 1, xp.where(tied, 0.5, 0))
        later = later + xp.stack([x.sum(0, dtype=later.dtype) for x in (half, comparable)])
        own = (half, tied, comparable, tied_time, tied_both)
        return later, [x.sum(1, dtype=later.dtype) for x in own]

    later = xp.zeros((2, n), earlier.dtype)
    if xp is np:
        own = []
        for chunk in chunks:
            later, found = step(later, chunk)
            own.append(found)
        own = [np.stack(x) for x in zip(*own, strict=True)]
    else:
        later, own = lax.scan(step, later, chunks)
    half, tied, comparable, tied_time, tied_both = (x.ravel()[:n] for x in own)
    # each patient is tied in time with itself
    self_tied = rows.event.astype(earlier.dtype)
    later = later[0], later[1]
    return PairSums(half, tied, comparable, *later, tied_time - self_tied, tied_both - self_tied)


_sums_under_jit = jax.jit(_pair_sums)
