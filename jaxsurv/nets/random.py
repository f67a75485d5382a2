"""Fast random numbers for dropout and initial weights, which need very many of them.

JAX's generator, Threefry, makes the keys. The numbers are an integer hash of the key and each position.
With Threefry for the numbers too, they took half of a small network's step and of its compilation.
"""

import math

import jax
import jax.numpy as jnp
from jax import lax

from jaxsurv.types import Array, Key

DEVIATION = 0.87962566103423978  # sd of a standard normal variable truncated to -2 and 2


def _mix(x: Array) -> Array:
    """Bijection of 32 bits; each bit depends on all, with the constants of Wellons' search [1].

    [1] C. Wellons, "Prospecting for hash functions", 2018 ("lowbias32").
    """
    x = (x ^ (x >> 16)) * jnp.uint32(0x7FEB352D)
    x = (x ^ (x >> 15)) * jnp.uint32(0x846CA68B)
    return x ^ (x >> 16)


def uniform(key: Key, shape: tuple[int, ...], dtype: jnp.dtype) -> Array:
    """Uniform numbers in (0, 1), odd multiples of 2⁻²⁴; each depends on key and position alone."""
    salt, hashed = jnp.uint32(0), lax.iota(jnp.uint32, math.prod(shape)).reshape(shape)
    for word in jax.random.key_data(key):
        salt = _mix(salt + word)
        hashed = _mix(hashed ^ salt)
    return ((hashed >> 8) | 1).astype(dtype) * 2.0**-24


def lecun_normal(key: Key, shape: tuple[int, ...], dtype: jnp.dtype = jnp.float32) -> Array:
    """Initial weights ``[..., d, width]``: normal within two deviations, of variance 1 / d."""
    edge = math.erf(math.sqrt(2))
    normal = math.sqrt(2) * lax.erf_inv(edge * (2 * uniform(key, shape, dtype) - 1))
    return normal / (DEVIATION * math.sqrt(shape[-2]))
