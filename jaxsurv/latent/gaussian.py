"""The reparameterised Gaussian."""

import jax
import jax.numpy as jnp

from jaxsurv.types import Array, Key


def sample_gaussian(key: Key, mu: Array, logvar: Array) -> Array:
    """Draw ``z = mu + exp(logvar / 2) eps``, ``eps ~ N(0, I)``: differentiable in ``mu`` and ``logvar``.

    Args:
        key: typed key.
        mu: ``[..., d]`` means.
        logvar: ``[..., d]`` log variances.

    Returns:
        ``[..., d]`` samples (Kingma & Welling 2014).
    """
    return mu + jnp.exp(0.5 * logvar) * jax.random.normal(key, mu.shape, mu.dtype)
