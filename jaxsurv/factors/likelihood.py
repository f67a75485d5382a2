"""Gaussian likelihood of the linear model, and its Bayesian information criterion."""

import math

import jax.numpy as jnp

from jaxsurv.factors.covariance import Moments
from jaxsurv.factors.decompositions import cholesky, solve
from jaxsurv.factors.structure import Structure
from jaxsurv.types import Array


def log_likelihood(loadings: Array, noise: Array, covariance: Array) -> Array:
    """Mean over patients of ``log N(x | mean, W W' + noise I)``, from their covariance S::

        -1/2 (D log 2 pi + log|Sigma| + tr(Sigma^-1 S))
        log|Sigma|      = (D - R) log noise + log|noise I + W'W|
        tr(Sigma^-1 S)  = (tr S - tr((noise I + W'W)^-1 W'S W)) / noise

    With the ``covariance`` of other patients (around the training mean), the result is the held-out log
    likelihood. Columns of zeros in W change nothing.

    Args:
        loadings: ``[D, R]``.
        noise: variance of the noise.
        covariance: ``[D, D]``.
    """
    d, r = loadings.shape
    inner = noise * jnp.eye(r, dtype=loadings.dtype) + loadings.T @ loadings
    log_inner = 2 * jnp.sum(jnp.log(jnp.diagonal(cholesky(inner))))
    explained = jnp.trace(solve(inner, loadings.T @ (covariance @ loadings)))
    log_det = (d - r) * jnp.log(noise) + log_inner
    rest = (jnp.trace(covariance) - explained) / noise
    return -0.5 * (d * math.log(2 * math.pi) + log_det + rest)


def free_parameters(structure: Structure) -> int:
    """Number of parameters: loadings minus rotations inside a block, means, variance of the noise."""
    size = dict(structure.sizes)
    blocks = sum(r * sum(size[m] for m in s) - r * (r - 1) // 2 for s, r in structure.ranks)
    return blocks + structure.features + 1


def bic(loadings: Array, noise: Array, found: Moments, structure: Structure) -> Array:
    """Bayesian information criterion ``-2 n loglik + log(n) parameters``; lower is better.

    Args:
        loadings: ``[D, R]``.
        noise: variance of the noise.
        found: covariance and number of patients.
        structure: structure of the loadings.
    """
    n, fit = jnp.max(found.n), log_likelihood(loadings, noise, found.covariance)
    return -2 * n * fit + jnp.log(n) * free_parameters(structure)
