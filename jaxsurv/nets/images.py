"""Networks that encode and decode images, by dense layers or convolutions."""

import math
from functools import partial

import flax.linen as nn

from jaxsurv.nets.mlp import MLP
from jaxsurv.types import Array


class ImageEncoder(nn.Module):
    """Encoder ``[n, *shape] -> [n, size]``: convolutions that halve both sides, then dense layers.

    Attributes:
        widths: widths of the dense layers, without the last.
        size: width of the output.
        channels: channels of the 3 x 3 convolutions of stride 2; none = the pixels go into the dense
            layers.
    """

    widths: tuple[int, ...]
    size: int
    channels: tuple[int, ...] = ()

    @nn.compact
    def __call__(self, x: Array) -> Array:
        if self.channels:
            x = x[..., None]
        for c in self.channels:
            x = nn.leaky_relu(nn.Conv(c, (3, 3), strides=(2, 2), param_dtype=x.dtype)(x))
        return MLP((*self.widths, self.size))(x.reshape(x.shape[0], -1))


class ImageDecoder(nn.Module):
    """Decoder ``[n, d] -> [n, *shape]``, the mirror of the encoder.

    Attributes:
        widths: widths of the encoder's dense layers.
        shape: shape of one image.
        channels: channels of the encoder's convolutions.
    """

    widths: tuple[int, ...]
    shape: tuple[int, ...]
    channels: tuple[int, ...] = ()

    @nn.compact
    def __call__(self, x: Array) -> Array:
        if not self.channels:
            x = MLP((*reversed(self.widths), math.prod(self.shape)))(x)
            return x.reshape(-1, *self.shape)
        small = tuple(-(-side // 2 ** len(self.channels)) for side in self.shape)
        x = MLP((*reversed(self.widths), math.prod(small) * self.channels[-1]), final=True)(x)
        x = x.reshape(-1, *small, self.channels[-1])
        layer = partial(nn.ConvTranspose, kernel_size=(3, 3), strides=(2, 2), param_dtype=x.dtype)
        for c in reversed(self.channels[:-1]):
            x = nn.leaky_relu(layer(c)(x))
        return layer(1)(x)[:, : self.shape[0], : self.shape[1], 0]
