"""Terms of deep HCL's loss, as functions of one forward pass."""

from itertools import combinations
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.models.masked import mean_over, mean_square
from jaxsurv.nets import Structured, Subset, containing
from jaxsurv.types import Array


def similarity(out: Structured, batch: Any) -> Array:
    """Mean of phi_ij over pairs of rows i != j minus the mean of phi_ii, see `hcl`; O(n)."""
    u = jnp.where(batch.where[None, :, None], out.sums, 0)
    n = jnp.sum(batch.where).astype(u.dtype)
    same, all_pairs = jnp.sum(u**2), jnp.sum(jnp.sum(u, axis=1) ** 2)
    return (all_pairs - same) / jnp.maximum(n * (n - 1), 1) - same / jnp.maximum(n, 1)


def infonce(
    chosen: tuple[Subset, ...], out: Structured, batch: Any, temperature: Array | float
) -> Array:
    """Cross-entropy of finding patient i's m' among all patients' by patient i's m.

    The mean over subsets, ordered pairs of modalities in them, and the patients who have both; O(n²).
    """
    pairs = [(s, *pair) for s in chosen for pair in combinations(s, 2)]
    names = list(out.encodings)
    slots = [(m, chosen[k]) for m in names for k in containing(chosen, m)]
    every = jnp.concatenate([out.encodings[m] for m in names])
    left, right = (
        every[np.array([slots.index((pair[side], pair[0])) for pair in pairs])] for side in (1, 2)
    )
    has = jnp.stack([batch.where & (batch.presence[m] > 0) for m in names])
    at = [[names.index(m) for m in pair[1:]] for pair in pairs]
    both = jnp.all(has[np.array(at)], axis=1)
    logits = jnp.einsum("pid,pjd->pij", left, right) / temperature
    logits = jnp.where(both[:, :, None] & both[:, None, :], logits, jnp.finfo(logits.dtype).min)
    found = jnp.sum(left * right, axis=-1) / temperature
    # one product serves both orders
    by_left, by_right = (jax.nn.logsumexp(logits, axis=axis) - found for axis in (2, 1))
    return mean_over(both, by_left / 2 + by_right / 2)


def orthogonality(out: Structured, batch: Any) -> Array:
    """Squared inner products of a modality's encodings by different structures.

    The mean over pairs of structures and the patients who have the modality, summed over modalities.
    """
    total = jnp.zeros((), out.sums.dtype)
    for m, h in out.encodings.items():
        if (k := len(h)) > 1:
            square = jnp.einsum("knw,jnw->nkj", h, h) ** 2 * (1 - jnp.eye(k, dtype=h.dtype))[None]
            mean = jnp.sum(square, axis=(1, 2)) / (k * (k - 1))
            total = total + mean_over(batch.where * batch.presence[m], mean)
    return total


def reconstruction_error(out: Structured, batch: Any) -> Array:
    """The mean square over features and the rows that have the modality, summed over modalities."""
    total, masks = jnp.zeros((), out.sums.dtype), batch.feature_mask or {}
    for m, made in out.made.items():
        square, _ = mean_square(made, batch.inputs[m], masks.get(m))
        total = total + mean_over(batch.where * batch.presence[m], square)
    return total
