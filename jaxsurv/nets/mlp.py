"""The dense network that every model is built from."""

import math
from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

from jaxsurv.types import Array, Key


def _coins(key: Key, chance: Array, shape: tuple[int, ...]) -> Array:
    """Booleans that are True with the given chance, from one random byte each.

    A byte knows the chance to 1/256, and a threshold drawn anew in each call makes up for the rest.
    Four times as fast as a random number each, which were a third of a training step.
    """
    n = math.prod(shape)
    key_bytes, key_threshold = jax.random.split(key)
    words = jax.random.bits(key_bytes, (-(-n // 4),), jnp.uint32)
    drawn = lax.bitcast_convert_type(words, jnp.uint8).reshape(-1)[:n].reshape(shape)
    threshold = jnp.floor(256 * chance + jax.random.uniform(key_threshold, dtype=chance.dtype))
    return drawn.astype(jnp.int32) < threshold.astype(jnp.int32)


class Dropout(nn.Module):
    """Inverted dropout whose rate may be traced, so that it can be a sweep axis."""

    @nn.compact
    def __call__(self, x: Array, rate: Array | float) -> Array:
        keep = 1.0 - jnp.asarray(rate, x.dtype)
        return jnp.where(_coins(self.make_rng("dropout"), keep, x.shape), x / keep, 0.0)


class MLP(nn.Module):
    """Linear -> dropout -> activation, per layer.

    Attributes:
        widths: output width of each layer.
        activation: applied after each layer but the last.
        final: also drop out and activate after the last layer.
        zero: initialise the last layer at zero, so that the network starts as the zero function.
        constant: the last layer has a bias.
    """

    widths: tuple[int, ...]
    activation: Callable[[Array], Array] = nn.leaky_relu
    final: bool = False
    zero: bool = False
    constant: bool = True

    @nn.compact
    def __call__(self, x: Array, dropout: Array | float | None = None) -> Array:
        """``[n, d] -> [n, widths[-1]]``; ``dropout`` is the rate, None = evaluation mode."""
        last = len(self.widths) - 1
        for i, width in enumerate(self.widths):
            kernel = (
                nn.initializers.zeros if self.zero and i == last else nn.initializers.lecun_normal()
            )
            bias = self.constant or i < last
            x = nn.Dense(width, bias, kernel_init=kernel, param_dtype=x.dtype)(x)
            if i < last or self.final:
                if dropout is not None:
                    x = Dropout()(x, dropout)
                x = self.activation(x)
        return x
