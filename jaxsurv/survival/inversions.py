"""Weighted inversions of a permutation, per element, in O(n log n) with no data-dependent shape.

A concordance is a count of inversions: put the patients in order of time; a later patient with a
lower risk than an earlier one is a concordant pair.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxsurv.survival.validation import array_module
from jaxsurv.types import Array

_BLOCK = 32


def blocked_cumsum(x: Any) -> Any:
    """Inclusive sum along the last axis, whose length is a multiple of 32.

    A triangular product per block beats XLA's scan fourfold on a CPU. The sum of the blocks before
    goes in with the first element, so that the product is the last operation: a reshape of an
    addition would cost more than everything else. Known values are summed by NumPy.
    """
    if array_module(x) is np:
        return np.cumsum(x, -1)
    blocks = x.reshape(*x.shape[:-1], -1, _BLOCK)
    totals = blocks.sum(-1)
    before = jnp.cumsum(totals, -1) - totals
    blocks = jnp.concatenate([blocks[..., :1] + before[..., None], blocks[..., 1:]], -1)
    upper = jnp.triu(jnp.ones((_BLOCK, _BLOCK), x.dtype))
    return jnp.matmul(blocks, upper, precision="highest").reshape(x.shape)


def inversions(position: Array, earlier: Array, later: Array | None) -> tuple[Array, Array]:
    """Sum the weights that each element meets in an inversion.

    With elements i, j at positions p in one order and ranks q in another, returns per element

        lower_i  = sum_{j: p_j > p_i, q_j < q_i} later_j
        higher_j = sum_{i: p_i < p_j, q_i > q_j} earlier_i

    The elements start in order of rank and are partitioned stably by one bit of their position at a
    time, the highest first. At each step two elements of one group whose bits differ are an
    inversion if the one with bit 1 comes first, which a cumulative sum counts (the wavelet tree of
    Grossi, Gupta and Vitter, SODA 2003, read from the side of the elements). As the positions are a
    permutation, the bounds of all groups are known.

    Counts are exact below 2^24 elements in float32.

    Args:
        position: ``[n]``, a permutation of 0 .. n-1: the position of the element of rank q.
        earlier: ``[n]`` weights by position, met by elements at later positions.
        later: ``[n]`` weights by position, met by elements at earlier positions; None = all 1.

    Returns:
        Sums ``lower [n]`` and ``higher [n]``, both by position.

    >>> lower, higher = inversions(jnp.array([1, 2, 0]), jnp.ones(3), None)
    >>> lower.tolist(), higher.tolist()
    ([2.0, 0.0, 0.0], [0.0, 1.0, 1.0])
    """
    n, xp = position.shape[0], array_module(position, earlier, later)
    size = -(-n // _BLOCK) * _BLOCK
    rank = xp.arange(size, dtype=np.int32)
    position = xp.concatenate([position.astype(np.int32), rank[n:]])
    earlier = xp.pad(earlier, (0, size - n))
    later = None if later is None else xp.pad(later, (0, size - n))

    def look_up(x: Any, index: Any) -> Any:
        return x[index] if xp is np else x.at[index].get(mode="promise_in_bounds")

    def put(x: Any, index: Any) -> Any:
        out = xp.zeros_like(x)
        if xp is np:
            out[index] = x
            return out
        return out.at[index].set(x, mode="promise_in_bounds", unique_indices=True)

    def partition(step: Any, state: tuple[Any, Any]) -> tuple[Any, Any]:
        p, sums = state
        bit = levels - 1 - step
        late = (p >> bit) & 1 == 1
        start = p >> bit + 1 << bit + 1  # first of the positions that share the higher bits
        half = xp.left_shift(1, bit)
        counted = [late.astype(earlier.dtype), xp.where(late, 0, look_up(earlier, p))]
        if later is not None:
            counted.append(xp.where(late, look_up(later, p), 0))
        counts = blocked_cumsum(xp.stack(counted))
        ones = counts[0].astype(np.int32) - (start >> 1)  # groups before have as many 1s as 0s
        end = xp.minimum(start + 2 * half, size) - 1
        higher = look_up(counts[1], end) - counts[1]
        if later is None:
            lower = ones.astype(earlier.dtype)
        else:
            lower = counts[2] - xp.where(start > 0, look_up(counts[2], start - 1), 0)
        sums += xp.stack([xp.where(late, 0, lower), xp.where(late, higher, 0)], 1)
        target = xp.where(late, start + half + ones - 1, rank - ones)
        return put(p, target), put(sums, target)

    levels = max(size - 1, 1).bit_length()
    state = position, xp.zeros((size, 2), earlier.dtype)
    if xp is np:
        for step in range(levels):
            state = partition(step, state)
    else:
        state = lax.fori_loop(0, levels, partition, state)
    sums = state[1]
    return sums[:n, 0], sums[:n, 1]
