"""Two sources of tokens that attend to each other, as in the multi-modal Cox-MT.

source -> tokens [n, T, width] --+-> + attention to the tokens of the other -> masked mean --+-> MLP
"""

import math

import flax.linen as nn
import jax.numpy as jnp

from jaxsurv.nets.mlp import MLP, Dense
from jaxsurv.nets.random import lecun_normal
from jaxsurv.types import Array


class Tokens(nn.Module):
    """Tokens of one source, zero where the mask is zero.

    Features ``[n, d]`` are cut into contiguous chunks of ``ceil(d / count)``, each with a linear map of
    its own; the patient's presence ``[n]`` is the mask of all chunks. Tokens given as ``[n, T, d]`` share
    one linear map, so that their order does not matter, and come with their mask ``[n, T]``.

    Attributes:
        count: largest number of chunks.
        width: width of a token.
    """

    count: int
    width: int

    @nn.compact
    def __call__(self, x: Array, presence: Array) -> tuple[Array, Array]:
        """Tokens ``[n, T, width]`` and their mask ``[n, T]``."""
        if x.ndim == 2:
            n, d = x.shape
            chunk = -(-d // self.count)
            tokens = -(-d // chunk)
            x = jnp.pad(x, ((0, 0), (0, tokens * chunk - d))).reshape(n, tokens, chunk)
            there = jnp.broadcast_to(presence[:, None] > 0, (n, tokens))
            shape = (tokens, chunk, self.width)
            kernel = self.param("kernel", lecun_normal, shape, x.dtype)
            bias = self.param("bias", nn.initializers.zeros, (tokens, self.width), x.dtype)
            tokens = jnp.einsum("ntc,tcw->ntw", x, kernel) + bias[None]
        else:
            there = presence > 0
            tokens = Dense(self.width, param_dtype=x.dtype, name="shared")(x)
        return jnp.where(there[:, :, None], tokens, 0), there


class Attention(nn.Module):
    """Multi-head attention to tokens, any of which may be absent; zero if all are.

    Attributes:
        heads: number of heads; the width of the tokens is a multiple of it.
    """

    heads: int

    @nn.compact
    def __call__(self, queries: Array, tokens: Array, there: Array) -> Array:
        """Attention ``[n, S, w]`` of queries ``[n, S, w]`` to tokens ``[n, T, w]`` with mask ``[n, T]``."""
        width = queries.shape[-1]

        def split(x: Array, name: str) -> Array:
            x = Dense(width, param_dtype=x.dtype, name=name)(x)
            return x.reshape(*x.shape[:2], self.heads, width // self.heads)

        q, k, v = split(queries, "query"), split(tokens, "key"), split(tokens, "value")
        logits = jnp.einsum("nshd,nthd->nhst", q, k) / math.sqrt(width // self.heads)
        seen = there[:, None, None, :]
        lowest = jnp.finfo(logits.dtype).min
        top = jnp.max(jnp.where(seen, logits, lowest), axis=-1, keepdims=True)
        weights = jnp.where(seen, jnp.exp(jnp.where(seen, logits - top, 0)), 0)
        total = jnp.sum(weights, axis=-1, keepdims=True)
        weights = weights / jnp.maximum(total, 1)  # the largest weight is 1, if there is any
        read = jnp.einsum("nhst,nthd->nshd", weights, v).reshape(*queries.shape)
        return Dense(width, use_bias=False, param_dtype=read.dtype, name="out")(read)


class CrossAttention(nn.Module):
    """Mutual attention of two sources, masked means, an MLP.

    Attention to the other source is added to the tokens, so that a patient without one of the
    sources still has the tokens of the other. The pooled tokens of an absent source are zero.

    Attributes:
        hidden: widths of the MLP before its outputs.
        tokens: largest number of chunks of a source that comes as features.
        width: width of a token.
        heads: number of heads of each attention.
        outputs: number k of outputs.
        constant: True = the outputs have a bias.
    """

    hidden: tuple[int, ...]
    tokens: int = 32
    width: int = 256
    heads: int = 4
    outputs: int = 1
    constant: bool = False

    @nn.compact
    def __call__(
        self,
        sources: tuple[Array, Array],
        presence: tuple[Array, Array],
        clinical: Array,
        dropout: Array | float | None = None,
    ) -> Array:
        """Outputs ``[n, k]`` from sources as in `Tokens` and the clinical block ``[n, c]``."""
        named = zip(("first", "second"), sources, presence, strict=True)
        read = [Tokens(self.tokens, self.width, name=f"tokens_{s}")(x, p) for s, x, p in named]
        pooled = []
        for name, own, other in (("first", *read), ("second", *read[::-1])):
            tokens, there = own
            tokens = tokens + Attention(self.heads, name=f"attend_{name}")(tokens, *other)
            count = jnp.maximum(jnp.sum(there, axis=1), 1)[:, None]
            pooled.append(jnp.sum(jnp.where(there[:, :, None], tokens, 0), axis=1) / count)
        x = jnp.concatenate([*pooled, clinical], axis=-1)
        widths = (*self.hidden, self.outputs)
        mlp = MLP(widths, nn.relu, zero=True, constant=self.constant, name="mlp")
        return mlp(x, dropout)
