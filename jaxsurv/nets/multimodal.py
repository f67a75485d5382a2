"""Encoder, decoder and risk head of a multimodal variational autoencoder."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import flax.linen as nn
import jax.numpy as jnp

from jaxsurv.nets.mlp import MLP
from jaxsurv.types import Array


class Posterior(NamedTuple):
    """Posterior of each patient's latent variables.

    Attributes:
        mu, logvar: ``[n, z]``, mean and log variance of the Gaussian part.
        logits: ``[n, K]``, logits of the categorical part, or None.
    """

    mu: Array
    logvar: Array
    logits: Array | None = None


class MultimodalEncoder(nn.Module):
    """Peripheral encoder per modality, concatenation, then a network each for mu, logvar and logits.

    The initial weights of a network depend on its name and shape alone. So encoders with and
    without categories have the same initial weights in all other parts.

    Attributes:
        widths: layer widths per modality (name -> widths).
        latent: number z of latent dimensions; the mu and logvar networks are ``[H, 2z, z]``.
        categories: number K of categories of a categorical latent variable, whose network is
            ``[H, 2z, K]``; 0 = none.
        activation: activation of every layer.
        final: True = activation and dropout after the last layer of each network too.
    """

    widths: Mapping[str, tuple[int, ...]]
    latent: int
    categories: int = 0
    activation: Callable[[Array], Array] = nn.leaky_relu
    final: bool = False

    @nn.compact
    def __call__(
        self,
        inputs: Mapping[str, Array],
        presence: Mapping[str, Array],
        dropout: Array | float | None = None,
    ) -> Posterior:
        """Posterior from inputs ``{m: [n, d_m]}``, presence ``{m: [n]}``; absent modalities encode to 0."""
        encodings = []
        for name, widths in self.widths.items():
            # the peripheral encoders always end in an activation: a fusion network follows
            encode = MLP(widths, self.activation, final=True, name=f"encode_{name}")
            encodings.append(encode(inputs[name], dropout) * presence[name][:, None])
        h = jnp.concatenate(encodings, axis=-1)

        def network(name: str, size: int) -> Array:
            widths = (2 * self.latent, size)
            return MLP(widths, self.activation, final=self.final, name=name)(h, dropout)

        mu, logvar = network("mu", self.latent), network("logvar", self.latent)
        logits = network("logits", self.categories) if self.categories else None
        return Posterior(mu, logvar, logits)


class MultimodalDecoder(nn.Module):
    """Joint decoder ``[z, H]``, split per modality, then the mirror of each peripheral encoder.

    Attributes:
        widths: layer widths of the encoder per modality.
        sizes: number of features per modality (name -> d).
        activation: activation of every layer.
        final: True = activation and dropout after the last layer of each network too.
    """

    widths: Mapping[str, tuple[int, ...]]
    sizes: Mapping[str, int]
    activation: Callable[[Array], Array] = nn.leaky_relu
    final: bool = False

    @nn.compact
    def __call__(self, z: Array, dropout: Array | float | None = None) -> dict[str, Array]:
        """Reconstructions, ``[n, z] -> {m: [n, d_m]}``."""
        total = sum(widths[-1] for widths in self.widths.values())
        h = MLP((total,), self.activation, final=True, name="joint")(z, dropout)
        outputs, start = {}, 0
        for name, widths in self.widths.items():
            part = h[:, start : start + widths[-1]]
            start += widths[-1]
            mirror = (*reversed(widths[:-1]), self.sizes[name])
            decode = MLP(mirror, self.activation, final=self.final, name=f"decode_{name}")
            outputs[name] = decode(part, dropout)
        return outputs
