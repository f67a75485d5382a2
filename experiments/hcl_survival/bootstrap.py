"""Importance of blocks of latent variables for an outcome, with bootstrap intervals."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxsurv.factors import block_norms
from jaxsurv.types import Array, Key


class Importance(NamedTuple):
    """Importance of each block, in the order of the block numbers.

    Attributes:
        value: ``[S]``, ``|coef_S|``: standard deviation that the block's latent variables, of variance 1,
            give to the outcome. Posterior means vary less than these, and so do predictions.
        lower, upper: ``[S]``, 95 % percentile interval over bootstrap samples.
        chosen: ``[S]``, share of the bootstrap samples in which the block is not zero.
    """

    value: Array
    lower: Array
    upper: Array
    chosen: Array


def importance(
    fit: Callable[[Array], Array], key: Key, n: int, groups: np.ndarray, *, draws: int = 200
) -> Importance:
    """Bootstrap the importance of blocks: repeat ``fit`` on patients drawn with replacement.

    Quantities that ``fit`` does not estimate, e.g. loadings, stay fixed.

    Args:
        fit: function ``rows [n] -> coef [R]``, the whole fit on these patients.
        key: typed key.
        n: number of patients.
        groups: ``[R]``, static: the block of each coefficient.
        draws: number of bootstrap samples.
    """
    rows = jax.random.randint(key, (draws, n), 0, n)
    drawn = block_norms(lax.map(fit, rows), groups)
    value = block_norms(fit(jnp.arange(n)), groups)
    lower, upper = jnp.quantile(drawn, jnp.array([0.025, 0.975]), axis=0)
    return Importance(value, lower, upper, jnp.mean(drawn > 0, axis=0))
