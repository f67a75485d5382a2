"""Latent variables of a patient, given the loadings."""

import jax
import jax.numpy as jnp

from jaxsurv.factors.covariance import presence_matrix, together
from jaxsurv.factors.decompositions import pinv, solve
from jaxsurv.factors.structure import Structure
from jaxsurv.types import Array


def posterior_mean(
    loadings: Array,
    noise: Array,
    mean: Array,
    inputs: dict[str, Array],
    structure: Structure,
    *,
    presence: dict[str, Array] | None = None,
) -> Array:
    """Posterior mean ``E[z | x] [n, R]``, from the modalities that a patient has::

        (sum_m p_m W_m'W_m + noise I)^-1 sum_m p_m W_m'(x_m - mean_m)

    The regression of an outcome on the posterior mean is the best linear prediction from x. Latent
    variables of subsets that the patient lacks altogether are 0, their mean.

    Args:
        loadings: ``[D, R]``.
        noise: variance of the noise, > 0.
        mean: ``[D]``.
        inputs: ``{modality: [n, d_m]}``.
        structure: the blocks.
        presence: ``{modality: [n]}`` or a table, 1 where the patient has the modality; None = all have all.

    Raises:
        InputError: see :func:`jaxsurv.factors.moments`.
    """
    x = together(structure, inputs) - mean[None]
    identity = noise * jnp.eye(structure.rank, dtype=x.dtype)
    if presence is None:
        return solve(loadings.T @ loadings + identity, loadings.T @ x.T).T
    parts = [loadings[rows] for rows in structure.modalities.values()]
    has = presence_matrix(structure, inputs, presence, x.dtype)
    grams = jnp.einsum("nm,mrs->nrs", has, jnp.stack([w.T @ w for w in parts])) + identity[None]
    right = (has[:, structure.modality] * x) @ loadings
    return jax.vmap(solve)(grams, right)


def least_squares_scores(
    loadings: Array, mean: Array, inputs: dict[str, Array], structure: Structure
) -> Array:
    """Scores ``(W'W)^-1 W'(x - mean) [n, R]``: z plus an error of covariance ``noise (W'W)^-1``.

    Patients must have all modalities. Latent variables whose loadings are all zero get 0.

    Args:
        loadings: W ``[D, R]``.
        mean: ``[D]``.
        inputs: ``{modality: [n, d_m]}``.
        structure: structure of the loadings.
    """
    x = together(structure, inputs) - mean[None]
    return x @ loadings @ pinv(loadings.T @ loadings)
