"""Cox-nnet's network with one hidden layer."""

import math

import flax.linen as nn

from jaxsurv.types import Array


class CoxNnetwork(nn.Module):
    """Network ``tanh(x W + b) v``: ceil(sqrt(p)) hidden units; W Glorot-uniform, b and v zero at first.

    Attributes:
        outputs: number k of outputs.
        constant: True = ``+ c``, zero at first.
    """

    outputs: int = 1
    constant: bool = False

    @nn.compact
    def __call__(self, x: Array) -> Array:
        """Outputs, ``[n, p] -> [n, k]``."""
        glorot = nn.initializers.glorot_uniform()
        units = math.ceil(math.sqrt(x.shape[1]))
        h = nn.tanh(nn.Dense(units, kernel_init=glorot, param_dtype=x.dtype, name="hidden")(x))
        zeros = nn.initializers.zeros
        options = {"use_bias": self.constant, "kernel_init": zeros, "param_dtype": x.dtype}
        return nn.Dense(self.outputs, name="output", **options)(h)
