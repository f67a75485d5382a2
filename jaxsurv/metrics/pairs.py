"""Sums over comparable pairs of patients, per patient: the counts behind every concordance.

A pair (i, j) is comparable if i has its event while j is at risk and known to live on: t_i < t_j,
or t_i = t_j with j censored; and j entered before t_i; both in one stratum. It is concordant if
risk_i > risk_j. With x_i the weight of the earlier event and w_j of the other patient, every sum
is Σ x_i w_j over pairs.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxsurv.metrics.inversions import inversions
from jaxsurv.survival.validation import array_module
from jaxsurv.types import Array

DENSE_ROWS = 1024  # below this, comparing all pairs is faster than sorting


class PairSums(NamedTuple):
    """Per patient k, what the others of its pairs weigh; each ``[n]``.

    Attributes:
        concordant, tied, comparable: Σ_j w_j over pairs in which k has the earlier event.
        concordant_later, tied_later, comparable_later: Σ_i x_i over pairs in which k lives on.
        tied_time: Σ_j w_j over patients with an event at the same time.
        tied_both: those of them with the same risk.
    """

    concordant: Array
    tied: Array
    comparable: Array
    concordant_later: Array
    tied_later: Array
    comparable_later: Array
    tied_time: Array
    tied_both: Array


class Rows(NamedTuple):
    """What decides which pairs are comparable and concordant; each ``[n]``."""

    risk: Any
    event: Any
    time: Any
    entry: Any = None
    stratum: Any = None


def _ranks(*columns: Any) -> list[np.ndarray]:
    """Common dense ranks: they keep apart what float32 would make equal."""
    ranks = np.unique(np.concatenate(columns), return_inverse=True)[1].astype(np.int32)
    return np.split(ranks, len(columns))


def dense_pair_sums(rows: Rows, earlier: Any, later: Any) -> PairSums:
    """All pairs compared directly: O(n²) work, no sort, fused so that no ``[n, n]`` is stored.

    Args:
        rows: ``[n]`` each.
        earlier: ``[n]``, x_i, 0 where i has no event to compare.
        later: ``[n]``, w_j.
    """
    if array_module(*rows) is np:
        times = [x for x in (rows.time, rows.entry) if x is not None]
        rows = rows._replace(
            risk=_ranks(rows.risk)[0], **dict(zip(("time", "entry"), _ranks(*times), strict=False))
        )
    return _compare_all(rows, earlier, later)


@jax.jit
def _compare_all(rows: Rows, earlier: Array, later: Array) -> PairSums:
    column = jax.tree.map(lambda x: x[:, None], rows)
    row = jax.tree.map(lambda x: x[None], rows)

    def comparable(i: Rows, j: Rows) -> Array:
        later = (i.time < j.time) | ((i.time == j.time) & ~j.event)
        if i.entry is not None:
            later &= j.entry < i.time
        return later if i.stratum is None else later & (i.stratum == j.stratum)

    def total(pairs: Array, weight: Array) -> Array:
        return jnp.sum(jnp.where(pairs, weight[None], 0), -1)

    ahead, behind = comparable(column, row), comparable(row, column)
    higher, same = column.risk > row.risk, column.risk == row.risk
    both = (column.time == row.time) & column.event & row.event & ~jnp.eye(later.size, dtype=bool)
    if rows.stratum is not None:
        both &= column.stratum == row.stratum
    return PairSums(
        concordant=total(ahead & higher, later),
        tied=total(ahead & same, later),
        comparable=total(ahead, later),
        concordant_later=total(behind & (column.risk < row.risk), earlier),
        tied_later=total(behind & same, earlier),
        comparable_later=total(behind, earlier),
        tied_time=total(both, later),
        tied_both=total(both & same, later),
    )


def _around(outer: Array, inner: Array, earlier: Array, later: Array) -> tuple[Array, Array, Array]:
    """For sorted rows in blocks (``outer``) of groups (``inner``): what is around a group.

    Returns:
        per row Σ later after its group in its block, Σ earlier before it, and Σ later within it.
    """
    n = outer.shape[0]
    index = jnp.arange(n, dtype=jnp.int32)

    def bounds(new: Array) -> tuple[Array, Array]:
        start = lax.cummax(jnp.where(new, index, 0))
        new_next = jnp.concatenate([new[1:], jnp.ones(1, bool)])
        return start, lax.cummin(jnp.where(new_next, index + 1, n), reverse=True)

    new_block = jnp.concatenate([jnp.ones(1, bool), outer[1:] != outer[:-1]])
    new_group = new_block.at[1:].set(new_block[1:] | (inner[1:] != inner[:-1]))
    block_start, block_end = bounds(new_block)
    start, end = bounds(new_group)
    before = jnp.pad(jnp.cumsum(earlier), (1, 0))
    after = jnp.pad(jnp.flip(jnp.cumsum(jnp.flip(later))), (0, 1))
    return (
        after[end] - after[block_end],
        before[start] - before[block_start],
        after[start] - after[end],
    )


@jax.jit
def _sums_of_sorted(
    stratum: Array, group: Array, run: Array, position: Array, earlier: Array, later: Array
) -> PairSums:
    """By position, except ``run``, the runs of equal risk, and ``position``, which go by rank."""
    comparable, comparable_later, tied_time = _around(stratum, group, earlier, later)
    tied, tied_later, tied_both = _around(run, group[position], earlier[position], later[position])
    concordant, concordant_later = inversions(position, later[position], earlier[position])

    def by_position(x: Array) -> Array:
        return jnp.zeros_like(x).at[position].set(x, unique_indices=True)

    return PairSums(
        concordant=concordant,
        tied=by_position(tied),
        comparable=comparable,
        concordant_later=concordant_later,
        tied_later=by_position(tied_later),
        comparable_later=comparable_later,
        tied_time=tied_time - later,
        tied_both=by_position(tied_both) - later,
    )


def sorted_pair_sums(rows: Rows, earlier: Any, later: Any) -> PairSums:
    """The same sums in O(n log n).

    Patients stand in the order (stratum, time, events first, risk). Concordant pairs are then the
    inversions between this order and that of (stratum, risk): tied events stand in ascending risk
    and so are none. What is comparable is all that follows the own tied events in the stratum, and
    what is tied, all that follows them in the run of equal risk.

    Delayed entry is a second row, at the time of entry, with minus the patient's weight: the two
    cancel for the events up to there.
    """
    xp = array_module(*rows, earlier, later)
    n = earlier.shape[0]
    risk, event, time, entry, stratum = rows
    stratum = xp.zeros(n, np.int32) if stratum is None else stratum
    if entry is not None:
        nothing = xp.zeros(n, bool)
        risk, stratum = xp.concatenate([risk, risk]), xp.concatenate([stratum, stratum])
        event, time = xp.concatenate([event, nothing]), xp.concatenate([time, entry])
        earlier = xp.concatenate([earlier, nothing.astype(earlier.dtype)])
        later = xp.concatenate([later, -later])

    def number(*columns: Any) -> Any:
        new = sum(x[1:] != x[:-1] for x in columns) > 0
        return xp.concatenate([xp.zeros(1, np.int32), xp.cumsum(new).astype(np.int32)])

    order = xp.lexsort((risk, ~event, time, stratum))
    risk, event, time, stratum = (x[order] for x in (risk, event, time, stratum))
    index = xp.arange(order.size, dtype=np.int32)
    position = xp.lexsort((index, risk, stratum)).astype(np.int32)
    run = number(risk[position], stratum[position])
    sums = _sums_of_sorted(
        stratum, number(time, event), run, position, earlier[order], later[order]
    )
    place = jnp.zeros(order.size, np.int32).at[order].set(index, unique_indices=True)
    back = jax.tree.map(lambda x: x[place[:n]], sums)
    if entry is None:
        return back
    return back._replace(
        **{
            name: getattr(back, name) - getattr(sums, name)[place[n:]]
            for name in ("concordant_later", "tied_later", "comparable_later")
        }
    )
