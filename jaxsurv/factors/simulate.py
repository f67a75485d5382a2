"""Simulated tables from the linear model, with known loadings."""

import jax
import jax.numpy as jnp

from jaxsurv.factors.decompositions import cholesky, orthonormal
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


def simulate_covariance(key: Key, loadings: Array, *, n: int, noise: Array | float) -> Array:
    """Draw the covariance ``[D, D]`` (divisor n) of n patients around their mean, without the patients.

    n S has a Wishart distribution with n - 1 degrees of freedom: ``S = L A A' L' / n`` with
    ``L L' = W W' + noise I`` and Bartlett's lower triangular A, whose squared diagonal is chi-squared
    with n - 1, n - 2, ... degrees of freedom and which is standard normal below it. The cost does not
    depend on n.

    Args:
        key: typed key.
        loadings: ``[D, R]``.
        n: number of patients, more than D.
        noise: variance of the noise.
    """
    d = len(loadings)
    key_diagonal, key_below = jax.random.split(key)
    freedom = n - 1 - jnp.arange(d, dtype=loadings.dtype)
    diagonal = jnp.sqrt(2 * jax.random.gamma(key_diagonal, freedom / 2))
    bartlett = jnp.tril(jax.random.normal(key_below, (d, d)), -1) + jnp.diag(diagonal)
    true = loadings @ loadings.T + noise * jnp.eye(d, dtype=loadings.dtype)
    half = cholesky(true) @ bartlett
    return half @ half.T / n
