"""Encoder, decoder and risk head of a multimodal variational autoencoder."""

from collections.abc import Callable, Mapping

import flax.linen as nn
import jax.numpy as jnp

from jaxsurv.nets.mlp import MLP
from jaxsurv.types import Array


class GaussianEncoder(nn.Module):
    """Peripheral encoder per modality, concatenation, then two separate networks for mu and logvar.

    Attributes:
        widths: per modality (name -> layer widths).
        latent: latent dimensions z; the mu and logvar networks are ``[H, 2z, z]``.
        activation: of every layer.
        final: activate and drop out after the last layer of each network too.
    """

    widths: Mapping[str, tuple[int, ...]]
    latent: int
    activation: Callable[[Array], Array] = nn.leaky_relu
    final: bool = False

    @nn.compact
    def __call__(
        self,
        inputs: Mapping[str, Array],
        presence: Mapping[str, Array],
        dropout: Array | float | None = None,
    ) -> tuple[Array, Array]:
        """``{m: [n, d_m]}, {m: [n]} -> mu [n, z], logvar [n, z]``; an absent modality encodes to zero."""
        encodings = []
        for name, widths in self.widths.items():
            # the peripheral encoders always end in an activation: a fusion network follows
            h = MLP(widths, self.activation, final=True, name=f"encode_{name}")(
                inputs[name], dropout
            )
            encodings.append(h * presence[name][:, None])
        h = jnp.concatenate(encodings, axis=-1)
        widths = (2 * self.latent, self.latent)
        mu = MLP(widths, self.activation, final=self.final, name="mu")(h, dropout)
        logvar = MLP(widths, self.activation, final=self.final, name="logvar")(h, dropout)
        return mu, logvar


class MultimodalDecoder(nn.Module):
    """Joint decoder ``[z, H]``, split per modality, then the mirror of each peripheral encoder.

    Attributes:
        widths: the encoder's widths per modality.
        sizes: features per modality (name -> d).
        activation, final: as in the encoder.
    """

    widths: Mapping[str, tuple[int, ...]]
    sizes: Mapping[str, int]
    activation: Callable[[Array], Array] = nn.leaky_relu
    final: bool = False

    @nn.compact
    def __call__(self, z: Array, dropout: Array | float | None = None) -> dict[str, Array]:
        """``[n, z] -> {m: [n, d_m]}``."""
        total = sum(widths[-1] for widths in self.widths.values())
        h = MLP((total,), self.activation, final=True, name="joint")(z, dropout)
        outputs, start = {}, 0
        for name, widths in self.widths.items():
            part = h[:, start : start + widths[-1]]
            start += widths[-1]
            mirror = (*reversed(widths[:-1]), self.sizes[name])
            outputs[name] = MLP(mirror, self.activation, final=self.final, name=f"decode_{name}")(
                part, dropout
            )
        return outputs
