"""Cox-nnet's network with one hidden layer."""

import math

import flax.linen as nn

from jaxsurv.types import Array


class CoxNnetwork(nn.Module):
    """Network ``tanh(x W + b) v``: ceil(sqrt(p)) hidden units; W Glorot-uniform, b and v zero at first."""

    @nn.compact
    def __call__(self, x: Array) -> Array:
        """Log hazard, ``[n, p] -> [n]``."""
        glorot = nn.initializers.glorot_uniform()
        units = math.ceil(math.sqrt(x.shape[1]))
        h = nn.tanh(nn.Dense(units, kernel_init=glorot, param_dtype=x.dtype, name="hidden")(x))
        zeros = nn.initializers.zeros
        out = nn.Dense(1, use_bias=False, kernel_init=zeros, param_dtype=x.dtype, name="output")(h)
        return out[:, 0]
