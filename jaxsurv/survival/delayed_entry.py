"""Risk sets with delayed entry, by sums over intervals in O(n log n) and without subtraction.

The difference "everyone who leaves later minus everyone who enters later" cancels: in float32 it has
no correct digit where few are at risk. Instead the time axis is halved again and again. The interval
of a row crosses the middle of exactly one block. It is the end of the left half of this block plus
the start of the right half, and both are cumulative sums (a disjoint sparse table).
"""

from types import ModuleType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.survival.cumulative import cumulative_logsumexp, log_add, log_sum
from jaxsurv.types import Array


class Intervals(NamedTuple):
    """Rows as intervals ``[a, b]`` on an axis of whole numbers, and events as queries at its points.

    Each tie group has three equal parts of the axis. Rows enter in the first part. In the second,
    each event of the group queries everyone at risk; the events of the group leave after it. In the
    third, each event queries the others, that is, those at risk apart from the events of the group.

    Attributes:
        enter: ``[n]``, first position at whose time the row is at risk.
        slot_row: ``[2 n]``, row of each slot: one slot for the left and one for the right part of
            every row, sorted by (level, place).
        slot_half: ``[2 n]``, half block of each slot.
        everyone: ``[levels, n]``, slot to sum from for each event's query of everyone; 2 n = none.
        others: ``[levels, n]``, slot to sum from for each event's query of the others; 2 n = none.
        question: ``[levels, size]``, query at each place of the axis, in the order in which the
            halves of the level are summed: an event, n + an event (others), or 2 n (no query).
        half: ``[levels, size]``, half block of each place.
        left, right: ``[n]``, place in the flattened ``[levels, size]`` up to which to sum.
    """

    enter: Array
    slot_row: Array
    slot_half: Array
    everyone: Array
    others: Array
    question: Array
    half: Array
    left: Array
    right: Array


def _mirror(level: Any, place: Any) -> Any:
    """Reverse the left (even) halves, so that in every half a row reaches the places up to its own."""
    inside = (1 << level) - 1
    return place ^ (inside * (1 - ((place >> level) & 1)))


def make_intervals(xp: ModuleType, died: Any, enter: Any, start: Any, end: Any) -> Intervals:
    """Lay out sorted rows that are at risk from position ``enter`` on.

    Args:
        xp: numpy or jax.numpy.
        died: ``[n]`` booleans, True for events.
        enter: ``[n]``, first position at whose time the row is at risk.
        start: ``[n]``, first position of the row's tie group.
        end: ``[n]``, position after the row's tie group.
    """
    n = died.shape[0]
    levels = max(3 * n - 1, 1).bit_length()
    size = 1 << levels
    row, rows = xp.arange(n, dtype=np.int32), end - start
    ask_everyone, ask_others = 2 * start + rows + row, 2 * start + 2 * rows + row
    a, b = 3 * enter, 3 * start + xp.where(died, 2, 3) * rows - 1
    level = xp.searchsorted(1 << np.arange(levels, dtype=np.int32), a ^ b, side="right") - 1
    level = level.astype(np.int32)
    left, right = (level * size + _mirror(level, c) for c in (a, b))

    key = xp.concatenate([left, right])
    slot = xp.argsort(key, stable=True)
    key = key[slot]
    every_level = np.arange(levels, dtype=np.int32)[:, None]

    def first_slot(question: Any) -> Any:
        asked = every_level * size + _mirror(every_level, question[None, :])
        found = xp.searchsorted(key, asked.ravel()).reshape(asked.shape)
        half_end = ((asked >> every_level) + 1) << every_level
        inside = key[xp.minimum(found, 2 * n - 1)] < half_end
        return xp.where((found < 2 * n) & inside, found, 2 * n).astype(np.int32)

    axis = xp.full(size, 2 * n, np.int32)
    if xp is np:
        axis[ask_everyone], axis[ask_others] = row, n + row
    else:
        axis = axis.at[ask_everyone].set(row).at[ask_others].set(n + row)
    place = np.arange(size, dtype=np.int32)[None, :]
    return Intervals(
        enter=enter,
        slot_row=xp.concatenate([row, row])[slot],
        slot_half=key - key % size + ((key % size) >> (key // size)),
        everyone=first_slot(ask_everyone),
        others=first_slot(ask_others),
        question=axis[_mirror(every_level, place)],
        half=xp.asarray(place >> every_level),
        left=left,
        right=right,
    )


def log_at_risk(intervals: Intervals, log_hazard: Array) -> tuple[Array, Array]:
    """Log sums of the hazards at risk at each event: with, and without, the tied events."""
    slots = cumulative_logsumexp(
        log_hazard[intervals.slot_row], segment=intervals.slot_half, reverse=True
    )

    def over_levels(first_slot: Array) -> Array:
        return log_sum(slots.at[first_slot].get(mode="fill", fill_value=-jnp.inf), axis=0)

    return over_levels(intervals.everyone), over_levels(intervals.others)


def log_before(intervals: Intervals, everyone: Array, others: Array) -> Array:
    """Log sum of ``everyone`` and ``others`` over the events at which each row is at risk.

    This is the adjoint of `log_at_risk`. Both arguments are ``[n]``, logs of one number per event.
    """
    asked = jnp.concatenate([everyone, others, jnp.full(1, -jnp.inf, everyone.dtype)])
    sums = jax.vmap(lambda x, half: cumulative_logsumexp(x, segment=half))(
        asked[intervals.question], intervals.half
    ).reshape(-1)
    return log_add(sums[intervals.left], sums[intervals.right])
