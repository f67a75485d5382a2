"""Dense network that every model is built from."""

from collections.abc import Callable
from functools import partial

import flax.linen as nn
import jax.numpy as jnp

from jaxsurv.nets.random import lecun_normal, uniform
from jaxsurv.types import Array

Dense = partial(nn.Dense, kernel_init=lecun_normal)


class Dropout(nn.Module):
    """Inverted dropout whose rate may be traced, so that it can be a sweep axis."""

    @nn.compact
    def __call__(self, x: Array, rate: Array | float) -> Array:
        keep = 1.0 - jnp.asarray(rate, x.dtype)
        kept = uniform(self.make_rng("dropout"), x.shape, x.dtype) < keep
        return jnp.where(kept, x / keep, 0.0)


class MLP(nn.Module):
    """Linear -> dropout -> activation, per layer.

    Attributes:
        widths: output width of each layer.
        activation: activation after each layer but the last.
        final: True = dropout and activation after the last layer too.
        zero: True = initialise the last layer at zero, so that the network starts as the zero function.
        constant: True = the last layer has a bias.
    """

    widths: tuple[int, ...]
    activation: Callable[[Array], Array] = nn.leaky_relu
    final: bool = False
    zero: bool = False
    constant: bool = True

    @nn.compact
    def __call__(self, x: Array, dropout: Array | float | None = None) -> Array:
        """Output ``[n, d] -> [n, widths[-1]]``; ``dropout`` is the rate, None = evaluation mode."""
        last = len(self.widths) - 1
        for i, width in enumerate(self.widths):
            kernel = nn.initializers.zeros if self.zero and i == last else lecun_normal
            bias = self.constant or i < last
            x = Dense(width, bias, kernel_init=kernel, param_dtype=x.dtype)(x)
            if i < last or self.final:
                if dropout is not None:
                    x = Dropout()(x, dropout)
                x = self.activation(x)
        return x
