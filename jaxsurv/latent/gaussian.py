"""The reparameterised Gaussian."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.types import Array, InputError, Key


def sample_gaussian(key: Key, mu: Array, logvar: Array) -> Array:
    """Draw ``z = mu + exp(logvar / 2) eps``, ``eps ~ N(0, I)``: differentiable in ``mu`` and ``logvar``.

    Args:
        key: typed key.
        mu: ``[..., d]`` means.
        logvar: ``[..., d]`` log variances.

    Returns:
        ``[..., d]`` samples (Kingma & Welling 2014).

    Raises:
        InputError: shapes that differ.
    """
    if np.shape(mu) != np.shape(logvar):
        raise InputError(
            "mu and logvar must have one common shape, got "
            f"{list(np.shape(mu))} and {list(np.shape(logvar))}"
        )
    return mu + jnp.exp(0.5 * logvar) * jax.random.normal(key, mu.shape, mu.dtype)
