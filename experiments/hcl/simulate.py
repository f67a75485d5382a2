"""Simulated covariances of modalities with known loadings, without the patients."""

import jax
import jax.numpy as jnp

from jaxsurv.factors.decompositions import cholesky
from jaxsurv.types import Array, Key


def simulate_covariance(key: Key, loadings: Array, *, n: int, noise: Array | float) -> Array:
    """Draw the covariance ``[D, D]`` (divisor n) of n patients around their mean, without the patients.

    n S has a Wishart distribution with n - 1 degrees of freedom: ``S = L A A' L' / n`` with
    ``L L' = W W' + noise I`` and Bartlett's lower triangular A, whose squared diagonal is chi-squared
    with n - 1, n - 2, ... degrees of freedom and which is standard normal below it. The cost does not
    depend on n.

    Args:
        key: typed key.
        loadings: ``[D, R]``.
        n: number of patients, more than D.
        noise: variance of the noise.
    """
    d = len(loadings)
    key_diagonal, key_below = jax.random.split(key)
    freedom = n - 1 - jnp.arange(d, dtype=loadings.dtype)
    diagonal = jnp.sqrt(2 * jax.random.gamma(key_diagonal, freedom / 2))
    bartlett = jnp.tril(jax.random.normal(key_below, (d, d)), -1) + jnp.diag(diagonal)
    true = loadings @ loadings.T + noise * jnp.eye(d, dtype=loadings.dtype)
    half = cholesky(true) @ bartlett
    return half @ half.T / n
