"""Which structures matter for an outcome, and how sure that is."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxsurv.factors.group_lasso import block_norms
from jaxsurv.types import Array, Key


class Importance(NamedTuple):
    """Per block, in the order of their numbers.

    Attributes:
        value: ``[S]``, ``|coef_S|``: the standard deviation that the block's latent variables, of variance
            1, give to the outcome. Their posterior means vary less, and so does what is predicted.
        lower, upper: ``[S]``, 95 % percentile interval over patients drawn anew.
        chosen: ``[S]``, share of the draws in which the block is not zero.
    """

    value: Array
    lower: Array
    upper: Array
    chosen: Array


def importance(
    fit: Callable[[Array], Array], key: Key, n: int, groups: np.ndarray, *, draws: int = 200
) -> Importance:
    """Fit again on patients drawn with replacement; what is not fitted anew, such as loadings, is held.

    Args:
        fit: ``rows [n] -> coef [R]``, the whole fit on those patients.
        key: typed key.
        n: patients.
        groups: ``[R]``, static: the block of each coefficient.
        draws: of the bootstrap.
    """
    rows = jax.random.randint(key, (draws, n), 0, n)
    drawn = block_norms(lax.map(fit, rows), groups)
    value = block_norms(fit(jnp.arange(n)), groups)
    lower, upper = jnp.quantile(drawn, jnp.array([0.025, 0.975]), axis=0)
    return Importance(value, lower, upper, jnp.mean(drawn > 0, axis=0))
