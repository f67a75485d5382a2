"""Means that leave out masked features and absent rows."""

import math

import jax.numpy as jnp

from jaxsurv.types import Array


def masked(x: Array, mask: Array | None) -> Array:
    """``x`` ``[n, *shape]``, zero where ``mask`` ``[*shape]`` is; None = as it is."""
    return x if mask is None else x * mask[None]


def mean_square(made: Array, x: Array, mask: Array | None) -> tuple[Array, Array | int]:
    """``[n]``, over the features (pixels) inside the mask, and their number."""
    features = math.prod(x.shape[1:]) if mask is None else jnp.maximum(jnp.sum(mask), 1)
    squares = masked((made - x) ** 2, mask)
    return jnp.sum(squares.reshape(len(x), -1), axis=-1) / features, features


def mean_over(rows: Array, values: Array) -> Array:
    """The mean of ``values`` where ``rows``, of the same shape, is positive; 0 if that is nowhere."""
    return jnp.sum(jnp.where(rows > 0, values, 0)) / jnp.maximum(jnp.sum(rows), 1)
