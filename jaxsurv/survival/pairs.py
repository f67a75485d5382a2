"""Sums over comparable pairs of patients, per patient: the counts behind every concordance.

A pair (i, j) is comparable if i has its event while j is at risk and known to live on: t_i < t_j,
or t_i = t_j with j censored; and j entered before t_i; both in one stratum. It is concordant if
risk_i > risk_j. The weight of the earlier event is x_i, and that of the other patient w_j. Every
sum is Σ x_i w_j over pairs.
"""

from functools import partial
from types import ModuleType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.survival.inversions import blocked_cumsum, inversions
from jaxsurv.survival.life_table import run_bounds, run_numbers
from jaxsurv.survival.validation import array_module
from jaxsurv.types import Array


class PairSums(NamedTuple):
    """Sums of weights over the pairs of each patient k; each ``[n]``.

    Attributes:
        half: Σ_j w_j over pairs in which k has the earlier event, concordant 1 and tied 1/2.
        tied, comparable: Σ_j w_j over tied pairs, and over all pairs, in which k has the earlier event.
        half_later, comparable_later: Σ_i x_i over pairs in which k lives on.
        tied_time: Σ_j w_j over patients with an event at the same time.
        tied_both: Σ_j w_j over patients with an event at the same time and the same risk.
    """

    half: Array
    tied: Array
    comparable: Array
    half_later: Array
    comparable_later: Array
    tied_time: Array
    tied_both: Array


class PairRows(NamedTuple):
    """Columns that decide which pairs are comparable and concordant; each ``[n]``."""

    risk: Any
    event: Any
    time: Any
    entry: Any = None
    stratum: Any = None


def absent(xp: ModuleType, rows: PairRows, rest: Any) -> PairRows:
    """Remove rows from all pairs: a patient who enters and is censored before time 0 is in no pair."""
    return rows._replace(
        event=rows.event & ~rest,
        time=xp.where(rest, -1, rows.time),
        entry=None if rows.entry is None else xp.where(rest, -2, rows.entry),
    )


def compare(i: PairRows, j: PairRows) -> tuple[Any, Any, Any, Any, Any]:
    """Masks of the pairs (i, j) that are concordant, tied, comparable, tied in time, and tied in both.

    ``i`` holds ``[b, 1]`` and ``j`` ``[1, n]`` or ``[b, n]``. A patient is tied with itself.
    """
    together = i.time == j.time
    comparable = i.event & ((i.time < j.time) | (together & ~j.event))
    tied_time = i.event & j.event & together
    if i.entry is not None:
        comparable = comparable & (j.entry < i.time)
    if i.stratum is not None:
        comparable, tied_time = (x & (i.stratum == j.stratum) for x in (comparable, tied_time))
    same = i.risk == j.risk
    return (
        comparable & (i.risk > j.risk),
        comparable & same,
        comparable,
        tied_time,
        tied_time & same,
    )


def dense_pair_sums(rows: PairRows, earlier: Any, later: Any) -> PairSums:
    """Pair sums by direct comparison of all pairs: O(n²) work and no sort. NumPy in, NumPy out.

    Args:
        rows: ``[n]`` each.
        earlier: ``[n]``, x_i, 0 where i has no event to compare.
        later: ``[n]``, w_j, or None = all 1.
    """
    xp = array_module(*rows, earlier, later)
    later = xp.ones_like(earlier) if later is None else later
    concordant, tied, comparable, tied_time, tied_both = compare(
        PairRows(*(None if x is None else x[:, None] for x in rows)),
        PairRows(*(None if x is None else x[None] for x in rows)),
    )
    itself = xp.where(rows.event, later, 0)
    half = xp.where(concordant, 1, xp.where(tied, 0.5, 0)).astype(later.dtype)

    def over_later(pairs: Any) -> Any:
        if xp is np:
            return pairs.astype(later.dtype) @ later
        return jnp.sum(pairs * later[None], 1)

    def over_earlier(pairs: Any) -> Any:
        if xp is np:
            return earlier @ pairs.astype(earlier.dtype)
        return jnp.sum(pairs * earlier[:, None], 0)

    return PairSums(
        half=over_later(half),
        tied=over_later(tied),
        comparable=over_later(comparable),
        half_later=over_earlier(half),
        comparable_later=over_earlier(comparable),
        tied_time=over_later(tied_time) - itself,
        tied_both=over_later(tied_both) - itself,
    )


class _Sorted(NamedTuple):
    """Two orders of the rows, with bounds (group start, group end, block start, block end).

    Attributes:
        order: the row at each position, in the order (stratum, time, events first, risk).
        place: the position of each row.
        position: the position of each rank, in the order (stratum, risk, position).
        by_time: groups of tied (stratum, time, event) in blocks of strata, by position; without
            strata the bounds of the one block are left out.
        by_risk: groups of tied (stratum, time, event) in blocks of tied (stratum, risk), by rank;
            None if it is known that no event shares its risk.
    """

    order: Any
    place: Any
    position: Any
    by_time: tuple[Any, ...]
    by_risk: tuple[Any, ...] | None


HOST_ROWS = 2**17  # up to here, known values are counted in NumPy, which compiles nothing
_SIGN = np.uint64(1 << 31)


def _codes(x: np.ndarray, stratum: np.ndarray | None) -> np.ndarray:
    """Integers below 2^32 in the order of (stratum, x); 2^31 and above where x >= 0."""
    single = x.astype(np.float32)
    if stratum is None and x.dtype.kind in "bf" and np.array_equal(single, x):
        bits = (single + 0.0).view(np.uint32)  # + 0.0 turns -0 into 0
        return np.where(single < 0, ~bits, bits | np.uint32(_SIGN)).astype(np.uint64)
    codes = np.unique(x, return_inverse=True)[1]
    if stratum is not None:
        codes = np.unique(stratum.astype(np.int64) * x.size + codes, return_inverse=True)[1]
    return codes.astype(np.uint64) | _SIGN


def _sort(xp: ModuleType, risk: Any, event: Any, time: Any, stratum: Any) -> _Sorted:
    index = xp.arange(time.size, dtype=np.int32)
    strata = () if stratum is None else (stratum,)
    if xp is np:  # one 64-bit key sorts several times as fast as lexsort
        risk, low = _codes(risk, stratum), np.uint64(32)
        moment = np.maximum(_codes(time, stratum), _SIGN - np.uint64(1)) - (_SIGN - np.uint64(1))
        moment = moment << np.uint64(1) | ~event  # times below 0 are all one
        order = np.argsort(moment << low | risk)
        by_rank = np.sort(risk[order] << low | index.astype(np.uint64))
        position, equal = by_rank.astype(np.int32), (by_rank >> low,)
        together = (moment[order],)
        place = np.empty_like(index)
        place[order] = index
    else:
        order = jnp.lexsort((risk, ~event, time, *strata))
        together = [x[order] for x in (event, time, *strata)]
        position = jnp.lexsort((index, risk[order], *together[2:])).astype(np.int32)
        equal = [risk[order][position], *(x[position] for x in together[2:])]
        place = jnp.zeros_like(index).at[order].set(index, unique_indices=True)
    by_time = (*run_bounds(xp, *together), *run_bounds(xp, *(x[order] for x in strata)))
    start, end = run_bounds(xp, *equal)
    tied = end - start > 1
    by_risk = None
    if xp is not np or event[order[position[tied]]].any():
        group = run_numbers(xp, *together)
        by_risk = (*run_bounds(xp, group[position], *equal), start, end)
    return _Sorted(order, place, position, by_time, by_risk)


def sorted_pair_sums(rows: PairRows, earlier: Any, later: Any) -> PairSums:
    """Pair sums by sorting, in O(n log n).

    In the order (stratum, time, events first, risk) concordant pairs are the inversions against the
    order (stratum, risk). Tied events stand in ascending risk, and so are no inversions. A patient
    is comparable to all rows that follow its tied events in the stratum, and tied with all rows
    that follow its tied events among equal risks.

    Delayed entry is a second row, at the time of entry, with minus the patient's weight: the two
    rows cancel for the events up to the entry.
    """
    xp = array_module(*rows)
    risk, event, time, entry, stratum = rows
    on_host = xp is np and time.size <= HOST_ROWS
    if entry is not None:
        later = xp.ones_like(earlier) if later is None else later
        earlier, later = xp.pad(earlier, (0, len(time))), xp.concatenate([later, -later])
        event = xp.concatenate([event, xp.zeros_like(event)])
        time, risk = xp.concatenate([time, entry]), xp.concatenate([risk, risk])
        stratum = None if stratum is None else xp.concatenate([stratum, stratum])
    orders, delayed = _sort(xp, risk, event, time, stratum), entry is not None
    if on_host:
        return _sums_of_sorted(np, orders, earlier, later, delayed)
    return _sums_under_jit(orders, earlier, later, delayed=delayed)


@partial(jax.jit, static_argnames="delayed")
def _sums_under_jit(
    orders: _Sorted, earlier: Array, later: Array | None, delayed: bool
) -> PairSums:
    return _sums_of_sorted(jnp, orders, earlier, later, delayed)


def _sums_of_sorted(
    xp: ModuleType, orders: _Sorted, earlier: Any, later: Any, delayed: bool
) -> PairSums:
    n = earlier.size
    earlier = earlier[orders.order]
    later = None if later is None else later[orders.order]
    weight = xp.ones_like(earlier) if later is None else later

    def around(order: Any, start: Any, end: Any, *block: Any) -> tuple[Any, Any, Any]:
        """Sums per row: w after its group in its block, x before its group, w of others in the group."""
        pair = xp.stack([weight, earlier])
        pair = pair if order is None else pair[:, order]
        sums = blocked_cumsum(xp.pad(pair, ((0, 0), (1, -(n + 1) % 32)))).T
        at_start, at_end = sums[start], sums[end]
        first, last = (sums[x] for x in block) if block else (sums[:1], sums[-1:])
        return (
            last[:, 0] - at_end[:, 0],
            at_start[:, 1] - first[:, 1],
            at_end[:, 0] - at_start[:, 0] - pair[0],
        )

    comparable, comparable_later, tied_time = around(None, *orders.by_time)
    tied, tied_later, tied_both = xp.zeros((3, n), earlier.dtype)
    if orders.by_risk is not None:
        by_rank = xp.stack(around(orders.position, *orders.by_risk))
        by_position = xp.zeros_like(by_rank)
        if xp is np:
            by_position[:, orders.position] = by_rank
        else:
            by_position = by_position.at[:, orders.position].set(by_rank, unique_indices=True)
        tied, tied_later, tied_both = by_position
    concordant, concordant_later = inversions(orders.position, earlier, later)
    half_later = concordant_later + tied_later / 2
    half = concordant + tied / 2
    sums = PairSums(half, tied, comparable, half_later, comparable_later, tied_time, tied_both)
    if not delayed:
        return PairSums(*xp.stack(sums, 1)[orders.place].T)
    here, entered = xp.split(orders.place, 2)
    at_exit = jax.tree.map(lambda x: x[here], sums)
    return at_exit._replace(
        half_later=at_exit.half_later - half_later[entered],
        comparable_later=at_exit.comparable_later - comparable_later[entered],
    )
