"""Ranks that the data support: blocks and latent variables are removed while BIC falls."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.factors._hcl_svd import hcl_svd
from jaxsurv.factors._refine import refine
from jaxsurv.factors.covariance import Moments, denoise
from jaxsurv.factors.decompositions import svd
from jaxsurv.factors.likelihood import bic
from jaxsurv.factors.structure import Structure
from jaxsurv.types import Array, InputError


def select_structure(found: Moments, structure: Structure) -> tuple[Structure, list[float]]:
    """Backward elimination of latent variables, from the largest ranks to consider.

    Every step tries each block without its weakest latent variable, refines the other loadings, and
    keeps the trial with the lowest BIC. The search stops when no trial lowers BIC. All trials of a step
    are one compiled call, the same for all steps: removed latent variables are masked.

    Args:
        found: result of :func:`jaxsurv.factors.moments`.
        structure: structure with the largest ranks to consider; all BIC use its estimate of the noise.

    Returns:
        Structure, and BIC before the first step and after each step.

    Raises:
        InputError: the data support no latent variable at all.
    """
    signal, noise = jax.jit(denoise, static_argnums=1)(found.covariance, structure.rank)
    mask = jnp.asarray(structure.mask, signal.dtype)
    start = jax.jit(hcl_svd, static_argnums=1)(signal, structure)
    size = dict(structure.sizes)
    columns = list(structure.blocks.values())

    @jax.jit
    def attempt(loadings: Array, active: Array) -> Array:
        return refine(loadings, signal, mask * active[None]).loadings

    attempts = jax.jit(jax.vmap(attempt))

    def criterion(loadings: Array, ranks: np.ndarray) -> float:
        kept = zip(structure.ranks, ranks, strict=True)
        reduced = Structure(structure.sizes, tuple((s, int(r)) for (s, _), r in kept if r))
        return float(bic(loadings, noise, found, reduced))

    def active(ranks: np.ndarray) -> np.ndarray:
        return np.concatenate(
            [np.arange(b.stop - b.start) < r for b, r in zip(columns, ranks, strict=True)]
        ).astype(float)

    ranks = np.array([r for _, r in structure.ranks])
    best = attempt(start, jnp.ones(structure.rank))
    values = [criterion(best, ranks)]
    while ranks.any():
        turned = _principal(best, columns)
        trials = np.maximum(ranks[None] - np.eye(len(ranks), dtype=int), 0)
        tried = attempts(
            jnp.broadcast_to(turned, (len(trials), *turned.shape)),
            jnp.asarray(np.stack([active(t) for t in trials]), signal.dtype),
        )
        scored = [
            criterion(w, t) if t.sum() < ranks.sum() else np.inf
            for w, t in zip(tried, trials, strict=True)
        ]
        k = int(np.argmin(scored))
        if scored[k] >= values[-1]:
            break
        best, ranks = tried[k], trials[k]
        values.append(scored[k])
    kept = tuple((s, int(r)) for (s, _), r in zip(structure.ranks, ranks, strict=True) if r)
    if not kept:
        raise InputError(
            f"BIC supports no latent variable of {size} features with {int(jnp.max(found.n))} patients"
        )
    return Structure(structure.sizes, kept), values


def _principal(loadings: Array, columns: list[slice]) -> Array:
    """Rotate every block to its principal axes, the strongest first."""
    for b in columns:
        left, values, _ = svd(loadings[:, b])
        loadings = loadings.at[:, b].set(left * values[None])
    return loadings
