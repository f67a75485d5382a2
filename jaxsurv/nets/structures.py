"""Networks of hierarchical contrastive learning: an encoder per modality and structure, fusion, decoders.

A structure is a subset of the modalities. Each of its modalities has an encoder of what they share.
"""

from collections.abc import Mapping
from typing import NamedTuple

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxsurv.nets.mlp import MLP, Dense, Dropout
from jaxsurv.nets.random import lecun_normal
from jaxsurv.types import Array

Subset = tuple[str, ...]


class ParallelMLP(nn.Module):
    """``count`` networks that read one input: first one wide product, then one batched product per layer.

    Attributes:
        widths: output width of each layer; ReLU after each but the last.
        count: number of networks.
    """

    widths: tuple[int, ...]
    count: int

    @nn.compact
    def __call__(self, x: Array, dropout: Array | float | None = None) -> Array:
        """Outputs ``[n, d] -> [count, n, widths[-1]]``; ``dropout`` is the rate, None = evaluation mode."""
        first, *rest = self.widths
        x = Dense(self.count * first, param_dtype=x.dtype, name="first")(x)
        x = x.reshape(-1, self.count, first).swapaxes(0, 1)
        for i, width in enumerate(rest):
            if dropout is not None:
                x = Dropout()(x, dropout)
            x = nn.relu(x)
            shape = (self.count, x.shape[-1], width)
            kernel = self.param(f"kernel_{i}", lecun_normal, shape, x.dtype)
            bias = self.param(f"bias_{i}", nn.initializers.zeros, (self.count, 1, width), x.dtype)
            x = jnp.einsum("kni,kio->kno", x, kernel) + bias
        return x


def unit(x: Array) -> Array:
    """Divide x by its length along the last axis; vectors shorter than 1e-6 stay as they are."""
    square = jnp.sum(x**2, axis=-1, keepdims=True)
    return x * lax.rsqrt(jnp.where(square > 1e-12, square, 1))


def containing(structures: tuple[Subset, ...], modality: str) -> np.ndarray:
    """Positions of the ``structures`` with ``modality``, in the order of its encodings."""
    return np.flatnonzero([modality in s for s in structures])


class Structured(NamedTuple):
    """Outputs of a `StructuredNetwork`.

    Attributes:
        encodings: ``{modality: [k, n, w]}``, encodings of unit length for the k structures with the
            modality, in their order; 0 where the patient lacks the modality.
        sums: ``[structures, n, w]``, sum of the encodings over the modalities of each structure.
        fused: ``[structures, n, w]``, mean of the encodings over the modalities of each structure that
            the patient has; 0 if the patient has none.
        out: ``[n, k]``, outputs of the head.
        made: ``{modality: [n, d]}``, reconstructions; empty without decoders.
    """

    encodings: dict[str, Array]
    sums: Array
    fused: Array
    out: Array
    made: dict[str, Array]


class StructuredNetwork(nn.Module):
    """Encoders -> mean over each structure -> concatenation with the clinical block -> MLP.

    Attributes:
        structures: subsets of the modalities.
        sizes: number of features of each modality that a structure names (name -> d).
        widths: layer widths of every encoder.
        fusion: widths of the MLP before its outputs.
        constant: True = the outputs have a bias.
        decoders: True = reconstruct each modality from the fused representations of its structures.
        outputs: number k of outputs.
    """

    structures: tuple[Subset, ...]
    sizes: Mapping[str, int]
    widths: tuple[int, ...]
    fusion: tuple[int, ...]
    constant: bool
    decoders: bool
    outputs: int = 1

    @nn.compact
    def __call__(
        self,
        inputs: Mapping[str, Array],
        presence: Mapping[str, Array],
        clinical: Array | None,
        dropout: Array | float | None = None,
    ) -> Structured:
        """Outputs of inputs ``{m: [n, d]}``, presence ``{m: [n]}``, clinical ``[n, c]``; head starts at 0."""
        own = {m: containing(self.structures, m) for m in self.sizes}
        n, dtype = len(next(iter(inputs.values()))), next(iter(inputs.values())).dtype
        sums = jnp.zeros((len(self.structures), n, self.widths[-1]), dtype)
        count = jnp.zeros((len(self.structures), n), dtype)
        encodings = {}
        for m, at in own.items():
            x = ParallelMLP(self.widths, len(at), name=f"encode_{m}")(inputs[m], dropout)
            there = presence[m] > 0
            encodings[m] = jnp.where(there[None, :, None], unit(x), 0)
            sums = sums.at[at].add(encodings[m])
            count = count.at[at].add(there[None].astype(dtype))
        fused = sums / jnp.maximum(count, 1)[:, :, None]

        def beside(z: Array) -> Array:
            return z.swapaxes(0, 1).reshape(n, -1)

        read = jnp.concatenate([beside(fused), *([] if clinical is None else [clinical])], axis=-1)
        widths = (*self.fusion, self.outputs)
        head = MLP(widths, nn.relu, zero=True, constant=self.constant, name="head")
        made = {}
        for m, d in self.sizes.items() if self.decoders else ():
            mirror = (*reversed(self.widths[:-1]), d)
            made[m] = MLP(mirror, nn.relu, name=f"decode_{m}")(beside(fused[own[m]]), dropout)
        return Structured(encodings, sums, fused, head(read, dropout), made)
