"""Closed-form Kullback-Leibler divergences."""

import math

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.arguments.columns import as_real, check_finite
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.types import Array, InputError


@read_arguments
def kl_standard_normal(mu: Array, logvar: Array) -> Array:
    """``KL(N(mu, diag exp(logvar)) || N(0, I)) = -1/2 sum_d (1 + logvar - mu² - exp(logvar))``.

    Args:
        mu: ``[n, d]``.
        logvar: ``[n, d]``.

    Returns:
        ``[n]``, nats, >= 0; zero for ``mu = logvar = 0``.

    Raises:
        InputError: shapes that are not ``[n, d]``, or that differ; NaN.

    >>> import jax.numpy as jnp
    >>> kl_standard_normal(jnp.array([[1.0, 0.0]]), jnp.zeros((1, 2)))
    Array([0.5], dtype=float32)
    """
    if np.ndim(mu) != 2 or np.shape(mu) != np.shape(logvar):
        raise InputError(
            "mu and logvar must have one common shape [n, d], got "
            f"{list(np.shape(mu))} and {list(np.shape(logvar))}"
        )
    check_finite("mu", mu)
    check_finite("logvar", logvar)
    mu, logvar = as_real(mu), as_real(logvar)
    # expm1 keeps the terms that cancel near logvar = 0
    return 0.5 * jnp.sum(mu**2 + jnp.expm1(logvar) - logvar, axis=-1)


@read_arguments
def categorical_kl(logits: Array) -> Array:
    """``KL(softmax(logits) || uniform) = sum_k p_k log(K p_k) = log K - entropy``.

    Args:
        logits: ``[n, K]``, finite; adding a constant to a row changes nothing.

    Returns:
        ``[n]``, nats, in ``[0, log K]``; zero for equal logits.

    Raises:
        InputError: a shape other than ``[n, K]``; NaN.

    >>> import jax.numpy as jnp
    >>> categorical_kl(jnp.array([[0.0, 0.0], [100.0, 0.0]]))
    Array([0.    , 0.6931], dtype=float32)
    """
    if np.ndim(logits) != 2 or np.shape(logits)[1] == 0:
        raise InputError(f"logits must have shape [n, K], got {list(np.shape(logits))}")
    check_finite("logits", logits)
    log_ratio = jax.nn.log_softmax(jnp.asarray(logits)) + math.log(np.shape(logits)[1])
    # subtracting p - 1/K, which sums to zero, leaves terms >= 0: near uniform nothing cancels
    return jnp.mean(log_ratio * jnp.exp(log_ratio) - jnp.expm1(log_ratio), axis=-1)
