"""Optimal shrinkage of noisy loadings in the spiked covariance model."""

import jax.numpy as jnp
import numpy as np

from jaxsurv.factors.decompositions import svd
from jaxsurv.factors.structure import Structure
from jaxsurv.types import Array


def shrink(loadings: Array, noise: Array, n: Array | int, structure: Structure) -> Array:
    """Shrink every block's singular values, for the least error of ``W_S W_S'`` in Frobenius norm.

    With g = features of the block per patient, a factor of variance ``l - 1`` (in units of the noise)
    shows an eigenvalue ``e = l + g l / (l - 1)`` in the sample, along a direction whose squared cosine
    with the true one is ``c² = (1 - g / (l - 1)²) / (1 + g / (l - 1))``. The best estimate is
    ``c² (l - 1)``; below the edge ``(1 + sqrt g)²`` a factor cannot be told from noise and is set to zero.
    Source: Donoho, Gavish & Johnstone, Annals of Statistics 46 (2018), for factors without overlap; the
    paper of HCL does not shrink. The shrinkage vanishes as n grows. Unless there are many times more
    patients than features, the noise is underestimated and the shrinkage is too weak.

    Args:
        loadings: ``[D, R]``, result of :func:`jaxsurv.factors.refine`.
        noise: variance of the noise.
        n: number of patients; with missing modalities ``[M, M]``, number of patients who have both of two
            modalities. A block takes the harmonic mean: the variance of a covariance goes with 1 / n.
        structure: the blocks.
    """
    names = list(structure.modalities)
    inverse = 1 / jnp.broadcast_to(jnp.asarray(n, loadings.dtype), (len(names), len(names)))
    for subset, columns in structure.blocks.items():
        rows = structure.rows(subset)
        own = np.flatnonzero(np.isin(names, subset))
        per_patient = len(rows) * jnp.mean(inverse[np.ix_(own, own)])
        left, values, right = svd(loadings[rows, columns])
        best = jnp.sqrt(noise * _shrunk(values**2 / noise, per_patient))
        loadings = loadings.at[rows, columns].set((left * best[None]) @ right)
    return loadings


def _shrunk(observed: Array, g: Array) -> Array:
    """Shrink variances ``e - 1``, in units of the noise."""
    e = observed + 1
    seen = e > (1 + jnp.sqrt(g)) ** 2
    b = jnp.where(seen, e + 1 - g, 2 + 2 * e)
    s = (b + jnp.sqrt(jnp.where(seen, b**2 - 4 * e, 0))) / 2 - 1
    s = jnp.where(seen, s, 1)
    return jnp.where(seen, s * (1 - g / s**2) / (1 + g / s), 0)
