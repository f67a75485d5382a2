"""Losses that are sums over rows, reduced in one way."""

from typing import Literal

import jax.numpy as jnp

from jaxsurv.types import Array, check_choice

Reduction = Literal["mean", "sum"]


def check_reduction(reduction: str) -> None:
    """Refuse what is not ``"mean"`` or ``"sum"``."""
    check_choice("reduction", reduction, ("mean", "sum"))


def reduce_rows(each: Array, weights: Array | None, where: Array | None, reduction: str) -> Array:
    """Weighted sum of ``each [n]`` over the rows that are there, or their weighted mean."""
    weight = jnp.ones_like(each) if weights is None else weights.astype(each.dtype)
    if where is not None:
        each, weight = jnp.where(where, each, 0), jnp.where(where, weight, 0)
    total = jnp.sum(weight)
    loss = jnp.sum(weight * each)
    return loss / jnp.where(total > 0, total, 1) if reduction == "mean" else loss
