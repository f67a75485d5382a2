"""Closed-form Kullback-Leibler divergences."""

import jax.numpy as jnp

from jaxsurv.types import Array


def kl_standard_normal(mu: Array, logvar: Array) -> Array:
    """``KL(N(mu, diag exp(logvar)) || N(0, I)) = -1/2 sum_d (1 + logvar - mu² - exp(logvar))``.

    Args:
        mu: ``[n, d]``.
        logvar: ``[n, d]``.

    Returns:
        ``[n]``, nats, >= 0; zero for ``mu = logvar = 0``.

    >>> import jax.numpy as jnp
    >>> kl_standard_normal(jnp.array([[1.0, 0.0]]), jnp.zeros((1, 2)))
    Array([0.5], dtype=float32)
    """
    # expm1 keeps the terms that cancel near logvar = 0
    return 0.5 * jnp.sum(mu**2 + jnp.expm1(logvar) - logvar, axis=-1)
