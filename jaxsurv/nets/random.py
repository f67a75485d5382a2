"""Random numbers where very many of them are needed: dropout and initial weights.

JAX's generator, Threefry, makes the keys; from a key these numbers come by an integer hash of each position.
When Threefry made them too they were half of a small network's step and of its compilation.
"""

import math

import jax
import jax.numpy as jnp
from jax import lax

from jaxsurv.types import Array, Key

DEVIATION = 0.87962566103423978  # of a standard normal variable that is kept within -2 and 2


def _mix(x: Array) -> Array:
    """A bijection of 32 bits of which each depends on all, with the constants of Wellons' search [1].

    [1] C. Wellons, "Prospecting for hash functions", 2018 ("lowbias32").
    """
    x = (x ^ (x >> 16)) * jnp.uint32(0x7FEB352D)
    x = (x ^ (x >> 15)) * jnp.uint32(0x846CA68B)
    return x ^ (x >> 16)


def uniform(key: Key, shape: tuple[int, ...], dtype: jnp.dtype) -> Array:
    """Numbers in (0, 1), odd multiples of 2⁻²⁴; a number depends on its key and position alone."""
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
