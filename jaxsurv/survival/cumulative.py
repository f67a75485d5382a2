"""Cumulative log-sum-exp that neither over- nor underflows in float32, whatever the spread."""

import jax.numpy as jnp
from jax import lax

from jaxsurv.types import Array


def safe_log(x: Array) -> Array:
    """log x, and -inf with zero derivative where x is 0."""
    positive = x > 0
    return jnp.where(positive, jnp.log(jnp.where(positive, x, 1)), -jnp.inf)


def cumulative_logsumexp(x: Array, *, segment: Array | None = None, reverse: bool = False) -> Array:
    """``y_i = log sum_{j <= i} exp(x_j)`` (``j >= i`` if ``reverse``) within each segment.

    A sum is carried as a pair (max, sum of exp(x - max)), so a small one next to a large one keeps
    all its digits. Differentiable to any order, in both modes.

    Args:
        x: ``[n]``, may hold -inf (a term that is absent).
        segment: ``[n]`` integers, equal neighbours form a segment; None = one segment.
        reverse: sum from the end.
    """
    if segment is None:
        segment = jnp.zeros(x.shape, jnp.int32)
    absent = x == -jnp.inf
    finite = jnp.where(absent, jnp.finfo(x.dtype).min / 2, x)
    top = lax.stop_gradient(finite)
    term = jnp.where(absent, 0, jnp.exp(finite - top))

    def merge(a, b):
        same = a[2] == b[2]
        m = jnp.where(same, jnp.maximum(a[0], b[0]), b[0])
        carried = jnp.where(same, a[1] * jnp.exp(jnp.where(same, a[0] - m, 0)), 0)
        return m, carried + b[1] * jnp.exp(b[0] - m), b[2]

    m, s, _ = lax.associative_scan(merge, (top, term, segment), reverse=reverse)
    return m + safe_log(s)
