"""Cumulative sums of positive numbers, in two arithmetics: the numbers themselves, or their logs.

A formula made of sums, products, quotients and cumulative sums is written once and evaluated in
`LINEAR`, which is fast, or in `LOG`, which neither over- nor underflows whatever the spread.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import lax

from jaxsurv.types import Array

_MATMUL_BLOCK = 32
_SCAN_BLOCK = 16
_PAIRS_BLOCK = 128
_TOTAL_BLOCK = 4096


def safe_log(x: Array) -> Array:
    """Logarithm of x; -inf with zero derivative where x is 0."""
    positive = x > 0
    return jnp.where(positive, jnp.log(jnp.where(positive, x, 1)), -jnp.inf)


def log_sum(x: Array, axis: int) -> Array:
    """Logarithm of sum exp(x) along an axis; all x may be -inf."""
    top = _reference(jnp.max(x, axis, keepdims=True))
    return jnp.squeeze(top, axis) + safe_log(jnp.sum(jnp.exp(x - top), axis))


def log_add(a: Array, b: Array) -> Array:
    """Logarithm of e^a + e^b; both may be -inf."""
    top = _reference(jnp.maximum(a, b))
    return top + safe_log(jnp.exp(a - top) + jnp.exp(b - top))


def _reference(x: Array) -> Array:
    """Exponent x to subtract: never -inf, and a constant for derivatives."""
    return lax.stop_gradient(jnp.maximum(x, jnp.finfo(x.dtype).min / 4))


def _blocks(x: Array, size: int, fill: Any) -> Array:
    rows = -(-x.shape[0] // size)
    return jnp.pad(x, (0, rows * size - x.shape[0]), constant_values=fill).reshape(rows, size)


def _neighbour(x: Array, fill: Any, reverse: bool) -> Array:
    """Total up to the block before (or after); subtracting this block from its total would cancel."""
    edge = jnp.full(1, fill, x.dtype)
    return jnp.concatenate([x[1:], edge] if reverse else [edge, x[:-1]])


def cumulative_sum(x: Array, *, reverse: bool = False, segment: Array | None = None) -> Array:
    """Cumulative sum ``y_i = sum_{j <= i} x_j``, or ``j >= i``, within each segment.

    Each block is multiplied by a triangular matrix, and the totals before it are added. This is
    several times faster than ``lax.cumsum`` on a CPU, and the error grows with log n. The total of
    another segment is never added and subtracted again.

    Args:
        x: ``[n]``.
        reverse: sum from the end.
        segment: ``[n]`` integers >= 0, equal neighbours form a segment; None = one segment.
    """
    n, edge = x.shape[0], 0 if reverse else -1
    blocks = _blocks(x, min(_MATMUL_BLOCK, n), 0)
    triangle = jnp.tri(blocks.shape[1], dtype=x.dtype)
    triangle = triangle if reverse else triangle.T
    run = None if segment is None else _blocks(segment, blocks.shape[1], -1)
    if run is None:
        inner = jnp.matmul(blocks, triangle, precision=lax.Precision.HIGHEST)
    else:
        counted = (run[:, :, None] == run[:, None, :]) * triangle[None]
        inner = jnp.einsum("bj,bji->bi", blocks, counted, precision=lax.Precision.HIGHEST)
    if blocks.shape[0] > 1:
        edges = None if run is None else run[:, edge]
        outer = cumulative_sum(inner[:, edge], reverse=reverse, segment=edges)
        before = _neighbour(outer, 0, reverse)[:, None]
        if run is not None and edges is not None:
            before = jnp.where(run == _neighbour(edges, -1, reverse)[:, None], before, 0)
        inner = inner + before
    return inner.reshape(-1)[:n]


def cumulative_logsumexp(x: Array, *, reverse: bool = False, segment: Array | None = None) -> Array:
    """Cumulative ``y_i = log sum_{j <= i} exp(x_j)``, or ``j >= i``, within each segment.

    A sum is stored as (max, sum of exp(x - max)), so that a small sum keeps all its digits next to a
    large one. The totals of short blocks are summed first. Then all blocks continue from these
    totals in parallel, one place after the other. ``lax.cumlogsumexp`` is many times slower.

    Args:
        x: ``[n]``, may hold -inf (a term that is absent).
        reverse: sum from the end.
        segment: ``[n]`` integers >= 0, equal neighbours form a segment; None = one segment.
    """
    n, edge = x.shape[0], 0 if reverse else -1
    if n <= _PAIRS_BLOCK:
        counted = jnp.tri(n, dtype=bool).T if reverse else jnp.tri(n, dtype=bool)
        if segment is not None:
            counted &= segment[:, None] == segment[None, :]
        return log_sum(jnp.where(counted, x[None, :], -jnp.inf), 1)

    x = _blocks(x, _SCAN_BLOCK, -jnp.inf)
    run = None if segment is None else _blocks(segment, _SCAN_BLOCK, -1).T
    edges = None if run is None else run[edge]
    own = x if run is None else jnp.where(run[edge][:, None] == run.T, x, -jnp.inf)
    total = cumulative_logsumexp(log_sum(own, 1), reverse=reverse, segment=edges)
    before = _neighbour(total, -jnp.inf, reverse)

    # A scan reads and writes one row per step; an update in place of a carried array copies it all.
    def next_place(carry: Any, place: Any) -> Any:
        (top, total, last), (x, now) = carry, place
        goes_on = True if run is None else last == now
        new_top = _reference(jnp.where(goes_on, jnp.maximum(top, x), x))
        kept = jnp.where(goes_on, total * jnp.exp(jnp.minimum(top - new_top, 0)), 0)
        total = kept + jnp.exp(x - new_top)
        return (new_top, total, now), new_top + safe_log(total)

    top = _reference(before)
    last = None if edges is None else _neighbour(edges, -1, reverse)
    carry = top, jnp.exp(before - top), last
    return lax.scan(next_place, carry, (x.T, run), reverse=reverse)[1].T.reshape(-1)[:n]


class Arithmetic(NamedTuple):
    """Representation of positive numbers, and the operations on it.

    Attributes:
        zero, one: the numbers 0 and 1.
        exp: function that represents e^x, of a plain x.
        log: function that returns the plain logarithm of a number.
        of: function that represents a plain x >= 0.
        plain: function that returns the plain value of a number.
        add, multiply, divide: operations on two numbers.
        sum: sum along an axis, ``sum(x, axis)``.
        cumulative: cumulative sums, ``cumulative(x, reverse=False, segment=None)``.
    """

    zero: float
    one: float
    exp: Callable[[Array], Array]
    log: Callable[[Array], Array]
    of: Callable[[Array], Array]
    plain: Callable[[Array], Array]
    add: Callable[[Array, Array], Array]
    multiply: Callable[[Array, Array], Array]
    divide: Callable[[Array, Array], Array]
    sum: Callable[[Array, int], Array]
    cumulative: Callable[..., Array]


def _same(x: Array) -> Array:
    return x


LINEAR = Arithmetic(
    zero=0.0,
    one=1.0,
    exp=jnp.exp,
    log=safe_log,
    of=_same,
    plain=_same,
    add=jnp.add,
    multiply=jnp.multiply,
    divide=jnp.divide,
    sum=jnp.sum,
    cumulative=cumulative_sum,
)
LOG = Arithmetic(
    zero=-jnp.inf,
    one=0.0,
    exp=_same,
    log=_same,
    of=safe_log,
    plain=jnp.exp,
    add=log_add,
    multiply=jnp.add,
    divide=jnp.subtract,
    sum=log_sum,
    cumulative=cumulative_logsumexp,
)


def across_devices(arithmetic: Arithmetic, axis: str) -> Arithmetic:
    """Arithmetic on rows cut into consecutive blocks, one per device: for ``shard_map``.

    A cumulative sum continues from block to block; devices exchange only the totals of the blocks.
    The total of all blocks before this one (or, in reverse, after it) replaces its first (last)
    row, which must hold the number 0. In logs, a total is stored as (max, sum of exp(x - max)) too.

    Args:
        arithmetic: `LINEAR` or `LOG`.
        axis: the mesh axis of the devices.
    """
    a = arithmetic

    def cumulative(x: Array, *, reverse: bool = False, segment: None = None) -> Array:
        # Sum in two steps, because the rounding errors of one long sum grow with its length.
        total = a.sum(a.sum(_blocks(x, _TOTAL_BLOCK, a.zero), 1), 0)
        totals, here = lax.all_gather(total, axis), lax.axis_index(axis)
        block = jnp.arange(totals.size)
        others = jnp.where(block > here if reverse else block < here, totals, a.zero)
        edge = -1 if reverse else 0
        return a.cumulative(x.at[edge].set(a.sum(others, 0)), reverse=reverse, segment=segment)

    return a._replace(cumulative=cumulative)
