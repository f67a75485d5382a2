"""Weighted inversions of a permutation, per element, in O(n log n) with no data-dependent shape.

A concordance is a count of inversions: put the patients in order of time; a later patient with a
lower risk than an earlier one is a concordant pair.
"""

import math

import jax.numpy as jnp

from jaxsurv.types import Array

_BLOCK = 32  # pairs this close together are compared directly


def _cumsum(x: Array, block: int) -> Array:
    """Inclusive sum along the last axis; a triangular product per block beats a scan on a CPU."""
    inside = x.reshape(*x.shape[:-1], -1, block)
    upper = jnp.triu(jnp.ones((block, block), x.dtype))
    inside = jnp.matmul(inside, upper, precision="highest")
    totals = jnp.cumsum(inside[..., -1], axis=-1)
    before = jnp.pad(totals[..., :-1], [(0, 0)] * (x.ndim - 1) + [(1, 0)])
    return (inside + before[..., None]).reshape(x.shape)


def inversions(position: Array, later: Array, earlier: Array) -> tuple[Array, Array]:
    """Sum the weights that each element meets in an inversion.

    With elements i, j at positions p in one order and ranks q in another, returns per element

        lower_i  = sum_{j: p_j > p_i, q_j < q_i} later_j
        higher_j = sum_{i: p_i < p_j, q_i > q_j} earlier_i

    The elements start in order of rank and are partitioned stably by one bit of their position at a
    time, the highest first. At each step two elements of one group whose bits differ are an
    inversion if the one with bit 1 comes first, which a cumulative sum counts (the wavelet tree of
    Grossi, Gupta and Vitter 2003, read from the side of the elements).

    Args:
        position: ``[n]``, a permutation of 0 .. n-1: the position of the element of rank q.
        later: ``[n]`` weights by rank, met by elements at earlier positions.
        earlier: ``[n]`` weights by rank, met by elements at later positions.

    Returns:
        ``lower [n]`` and ``higher [n]``, both by position.

    >>> lower, higher = inversions(jnp.array([1, 2, 0]), jnp.ones(3), jnp.ones(3))
    >>> lower.tolist(), higher.tolist()
    ([2.0, 0.0, 0.0], [0.0, 1.0, 1.0])
    """
    n = position.shape[0]
    levels = max(0, math.ceil(math.log2(n / _BLOCK))) if n else 0
    block = -(-n // 2**levels)
    size = block * 2**levels
    p = jnp.concatenate([position, jnp.arange(n, size, dtype=position.dtype)])
    # Columns: later, earlier, lower, higher. Rows move together, which keeps a gather to one line.
    columns = jnp.pad(jnp.stack([later, earlier, 0 * later, 0 * later], 1), ((0, size - n), (0, 0)))
    for level in range(levels, 0, -1):
        half = block * 2 ** (level - 1)
        group = p.reshape(-1, 2 * half)
        inner = jnp.arange(2 * half, dtype=p.dtype)[None]
        base = jnp.arange(0, size, 2 * half, dtype=p.dtype)[:, None]
        late = group - base >= half
        a, b = columns[:, 0].reshape(group.shape), columns[:, 1].reshape(group.shape)
        counts = jnp.stack([late.astype(a.dtype), jnp.where(late, a, 0), jnp.where(late, 0, b)])
        ones, lower, higher = _cumsum(counts, block)
        lower = jnp.where(late, 0, lower)
        higher = jnp.where(late, higher[:, -1:] - higher, 0)
        columns = columns.at[:, 2].add(lower.ravel()).at[:, 3].add(higher.ravel())
        ones = ones.astype(p.dtype)
        target = base + jnp.where(late, half + ones - 1, inner - ones)
        source = (
            jnp.zeros_like(p)
            .at[target.ravel()]
            .set(jnp.arange(size, dtype=p.dtype), unique_indices=True, mode="promise_in_bounds")
        )
        p, columns = (
            x.at[source].get(unique_indices=True, mode="promise_in_bounds") for x in (p, columns)
        )
    group = p.reshape(-1, block)
    a, b, lower, higher = (columns[:, k].reshape(group.shape) for k in range(4))
    before = jnp.tri(block, k=-1, dtype=bool)[None]  # [., x, y]: y has the lower rank
    mine, other = group[:, :, None], group[:, None, :]
    lower += jnp.sum(jnp.where(before & (other > mine), a[:, None, :], 0), -1)
    after = jnp.swapaxes(before, 1, 2)
    higher += jnp.sum(jnp.where(after & (other < mine), b[:, None, :], 0), -1)
    result = jnp.zeros((size, 2), columns.dtype)
    result = result.at[p].set(jnp.stack([lower.ravel(), higher.ravel()], 1), unique_indices=True)
    return result[:n, 0], result[:n, 1]
