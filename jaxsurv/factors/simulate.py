"""Simulated tables from the linear model, with known loadings."""

import jax
import jax.numpy as jnp

from jaxsurv.factors.decompositions import orthonormal
from jaxsurv.factors.structure import Structure
from jaxsurv.types import Array, Key


def simulate_loadings(key: Key, structure: Structure) -> Array:
    """Draw ``W [D, R]``: each modality's part of a block is ``Q diag(a) P'`` with a ~ U(0.5, 1.5).

    Q ``[d_m, r]`` and P ``[r, r]`` are orthonormal, from the QR decomposition of normal numbers.

    Args:
        key: typed key.
        structure: blocks and ranks.
    """
    # few draws, shared out among the parts: random numbers are slow to compile
    d, r, m = structure.features, structure.rank, len(structure.modalities)
    key_left, key_right, key_size = jax.random.split(key, 3)
    left = jax.random.normal(key_left, (d, r))
    right = jax.random.normal(key_right, (m, r, r))
    size = jax.random.uniform(key_size, (m, r), minval=0.5, maxval=1.5)
    loadings = jnp.zeros((d, r))
    for subset, columns in structure.blocks.items():
        for k, (name, rows) in enumerate(structure.modalities.items()):
            if name in subset:
                q = orthonormal(left[rows, columns])
                p = orthonormal(right[k, columns, columns])
                loadings = loadings.at[rows, columns].set((q * size[k, columns][None]) @ p.T)
    return loadings


def simulate_factors(
    key: Key, loadings: Array, structure: Structure, *, n: int, noise: float = 1.0
) -> tuple[dict[str, Array], Array]:
    """Draw ``x = W z + e`` for n patients, z ~ N(0, I), e ~ N(0, noise I).

    Args:
        key: typed key.
        loadings: W ``[D, R]``.
        structure: structure of the loadings.
        n: number of patients.
        noise: variance of each feature's e.

    Returns:
        ``{modality: [n, d_m]}`` and z ``[n, R]``.
    """
    key_latent, key_noise = jax.random.split(key)
    z = jax.random.normal(key_latent, (n, structure.rank))
    e = jax.random.normal(key_noise, (n, structure.features))
    x = z @ loadings.T + jnp.sqrt(noise) * e
    return {m: x[:, rows] for m, rows in structure.modalities.items()}, z
