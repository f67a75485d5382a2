"""Which structures matter for an outcome, and how sure that is."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from jaxsurv.factors.structure import Structure
from jaxsurv.types import Array, Key


class Importance(NamedTuple):
    """Per block, in the order of the structure.

    Attributes:
        value: ``[S]``, ``|coef_S|``: the standard deviation that the block gives to the prediction, as
            latent variables have variance 1.
        lower, upper: ``[S]``, 95 % percentile interval over patients drawn anew.
        chosen: ``[S]``, share of the draws in which the block is not zero.
    """

    value: Array
    lower: Array
    upper: Array
    chosen: Array


def block_norms(coef: Array, structure: Structure) -> Array:
    """``[..., S]`` Euclidean norms of ``coef [..., R]`` by block."""
    blocks = structure.blocks.values()
    return jnp.stack([jnp.sqrt(jnp.sum(coef[..., b] ** 2, axis=-1)) for b in blocks], axis=-1)


def importance(
    fit: Callable[[Array], Array], key: Key, n: int, structure: Structure, *, draws: int = 200
) -> Importance:
    """Fit again on patients drawn with replacement; the loadings are held.

    Args:
        fit: ``rows [n] -> coef [R]``, the whole fit on those patients.
        key: typed key.
        n: patients.
        structure: blocks of the coefficients.
        draws: of the bootstrap.
    """
    rows = jax.random.randint(key, (draws, n), 0, n)
    drawn = block_norms(lax.map(fit, rows), structure)
    value = block_norms(fit(jnp.arange(n)), structure)
    lower, upper = jnp.quantile(drawn, jnp.array([0.025, 0.975]), axis=0)
    return Importance(value, lower, upper, jnp.mean(drawn > 0, axis=0))
