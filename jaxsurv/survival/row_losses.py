"""Losses that are sums over rows, reduced in one way."""

from typing import Any, Literal

import jax.numpy as jnp

from jaxsurv.types import Array, check_choice

Reduction = Literal["mean", "sum"]


def reduce_rows(each: Array, weights: Any, where: Any, reduction: str) -> Array:
    """Weighted sum of ``each [n]`` over the rows that are there, or their weighted mean."""
    check_choice("reduction", reduction, ("mean", "sum"))
    weight = jnp.ones_like(each) if weights is None else jnp.asarray(weights, each.dtype)
    if where is not None:
        here = jnp.asarray(where).astype(bool)
        each, weight = jnp.where(here, each, 0), jnp.where(here, weight, 0)
    total = jnp.sum(weight)
    loss = jnp.sum(weight * each)
    return loss / jnp.where(total > 0, total, 1) if reduction == "mean" else loss
