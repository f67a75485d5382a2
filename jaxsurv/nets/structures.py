"""Networks of hierarchical contrastive learning: an encoder per modality and structure, fusion, decoders.

A structure is a subset of the modalities; what its members share is encoded by each of them.
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
    """``count`` networks that read the same input, as one wide product and then one batched per layer.

    Attributes:
        widths: output width of each layer; ReLU after each but the last.
        count: number of networks.
    """

    widths: tuple[int, ...]
    count: int

    @nn.compact
    def __call__(self, x: Array, dropout: Array | float | None = None) -> Array:
        """``[n, d] -> [count, n, widths[-1]]``; ``dropout`` is the rate, None = evaluation mode."""
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
    """Divided by its length along the last axis; what is shorter than 1e-6 stays as it is."""
    square = jnp.sum(x**2, axis=-1, keepdims=True)
    return x * lax.rsqrt(jnp.where(square > 1e-12, square, 1))


def containing(structures: tuple[Subset, ...], modality: str) -> np.ndarray:
    """Positions of the ``structures`` with ``modality``, in the order of its encodings."""
    return np.flatnonzero([modality in s for s in structures])


class Structured(NamedTuple):
    """What a `StructuredNetwork` makes of patients.

    Attributes:
        encodings: ``{modality: [k, n, w]}``, of unit length, by the k structures with that modality in
            their order; 0 where the patient lacks it.
        sums: ``[structures, n, w]``, the encodings added up over the modalities of each structure.
        fused: likewise, their mean over the modalities that the patient has; 0 if that is none.
        out: ``[n]``, of the head.
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
        sizes: features of each modality that a structure names (name -> d).
        widths: of every encoder.
        fusion: of the MLP before its one output.
        constant: the output has a bias.
        decoders: reconstruct each modality from the fused representations of its structures.
    """

    structures: tuple[Subset, ...]
    sizes: Mapping[str, int]
    widths: tuple[int, ...]
    fusion: tuple[int, ...]
    constant: bool
    decoders: bool

    @nn.compact
    def __call__(
        self,
        inputs: Mapping[str, Array],
        presence: Mapping[str, Array],
        clinical: Array | None,
        dropout: Array | float | None = None,
    ) -> Structured:
        """From ``{m: [n, d]}``, ``{m: [n]}`` and ``[n, c]``; the head starts at zero."""
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
        head = MLP((*self.fusion, 1), nn.relu, zero=True, constant=self.constant, name="head")
        made = {}
        for m, d in self.sizes.items() if self.decoders else ():
            mirror = (*reversed(self.widths[:-1]), d)
            made[m] = MLP(mirror, nn.relu, name=f"decode_{m}")(beside(fused[own[m]]), dropout)
        return Structured(encodings, sums, fused, head(read, dropout)[:, 0], made)
