"""Alignment of a latent space with the risk predicted from it."""

from functools import partial
from types import ModuleType
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival.life_table import run_bounds
from jaxsurv.survival.validation import array_module, check_finite, check_vectors
from jaxsurv.types import Array, ArrayLike, InputError


class LatentAlignment(NamedTuple):
    """Attributes:
    first_component: absolute Spearman correlation of the latent space's first principal component.
    mean_dimension: mean over dimensions of the absolute Spearman correlation of each; 0 for a constant.
    """

    first_component: Array
    mean_dimension: Array


@read_arguments
def latent_alignment(latent: ArrayLike, risk: ArrayLike) -> LatentAlignment:
    """Rank correlation of risk with the first principal component and with each dimension.

    Args:
        latent: ``[n, d]``, e.g. posterior means.
        risk: ``[n]``.

    Raises:
        InputError: latent not ``[n, d]``, no rows, NaN.

    >>> z = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0], [5.0, 1.0]])
    >>> result = latent_alignment(z, np.array([4.0, 3.0, 2.0, 1.0]))
    >>> float(result.first_component), float(result.mean_dimension)
    (1.0, 0.5)
    """
    n = check_vectors(risk=risk)
    if np.ndim(latent) != 2 or np.shape(latent)[0] != n or 0 in np.shape(latent):
        raise InputError(f"latent must have shape [n, d], n = {n}, got {list(np.shape(latent))}")
    check_finite("latent", latent)
    check_finite("risk", risk)
    xp = array_module(latent, risk)
    z = xp.asarray(latent, float if xp is np else None)
    centred = z - z.mean(0, keepdims=True)
    with jax.default_matmul_precision("highest"):
        first = centred @ xp.linalg.eigh(centred.T @ centred)[1][:, -1]
    rank = partial(_ranks, xp)
    target = _standard(xp, rank(xp.asarray(risk)))
    columns = np.stack([rank(c) for c in z.T]) if xp is np else jax.vmap(rank)(z.T)
    each = xp.abs(_standard(xp, columns) @ target)
    return LatentAlignment(xp.abs(_standard(xp, rank(first)) @ target), each.mean())


def _ranks(xp: ModuleType, x: Any) -> Any:
    """Ranks of ``x [n]``; equal values get the mean of their ranks."""
    order = xp.argsort(x)
    start, end = run_bounds(xp, x[order])
    return ((start + end) / 2)[xp.argsort(order)]


def _standard(xp: ModuleType, x: Any) -> Any:
    """Standardise ``[..., n]`` to mean 0 and length 1 along the last axis; a constant becomes 0."""
    x = x - x.mean(-1, keepdims=True)
    length = xp.sqrt(xp.sum(x**2, -1, keepdims=True))
    return xp.where(length > 0, x / xp.where(length > 0, length, 1), 0)
