"""Maximum mean discrepancy: a distance between two distributions."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from jaxsurv.arguments.columns import check_finite
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.divergences.arguments import (
    check_rows,
    enough_digits,
    is_unbiased,
    mask,
    precisions,
    samples,
    zero_outside,
)
from jaxsurv.divergences.kernels import along, check_columns, potential, square
from jaxsurv.types import Array, ArrayLike


@read_arguments
@enough_digits(("bandwidth", "x", "y"))
def mmd2(
    x: ArrayLike,
    y: ArrayLike,
    *,
    bandwidth: ArrayLike | float,
    estimator: str = "biased",
    where: ArrayLike | None = None,
) -> Array:
    """Estimate ``MMD² = E k(x, x') + E k(y, y') - 2 E k(x, y)`` from two samples, with `rbf_kernel`.

    ``"biased"`` is the V-statistic, the mean over all pairs, >= 0; ``"unbiased"`` the U-statistic,
    the mean over i != j within each sample and over all pairs between them, which may be negative
    (Gretton et al., JMLR 13, 2012, eqs. 5 and 3). kernlab's second statistic also leaves out
    i = j between the samples, hence differs.

    Memory of the value and its gradient grows as n, not as n². Differentiable twice, in x and y.

    Args:
        x: ``[n, d]``.
        y: ``[m, d]``.
        bandwidth: bandwidth of `rbf_kernel`; ``[b]`` is a mixture.
        estimator: name of the estimator, ``"biased"`` or ``"unbiased"``.
        where: ``[n]`` booleans, the rows of **x** that count; None = all. All rows of y count.

    Returns:
        A scalar. Under ``jit`` with fewer rows than the estimator needs (1 or 2): 0, zero gradient.

    Raises:
        InputError: wrong shapes, NaN, a bandwidth <= 0, too few rows.

    >>> import numpy as np
    >>> mmd2(np.zeros((3, 1)), np.full((2, 1), 2.0), bandwidth=1.0)
    Array(1.7293, dtype=float32)
    """
    x, y = samples(origin="shared", where=where, x=x, y=y)
    check_columns(x, y)
    unbiased, keep = is_unbiased(estimator), mask(where, len(x))
    check_rows(keep, 1 + unbiased, "x")
    check_rows(jnp.ones(len(y)), 1 + unbiased, "y")
    check_finite("y", y)
    return _mmd2(zero_outside("x", x, keep), y, keep, precisions(bandwidth, x.dtype), unbiased)


@partial(jax.jit, static_argnames="unbiased")
def _mmd2(x: Array, y: Array, keep: Array, gamma: Array, unbiased: bool) -> Array:
    weight, ones = keep.astype(x.dtype), jnp.ones(len(y), x.dtype)
    rows = jnp.maximum(weight.sum(), 1 + unbiased)
    value = (
        _self_sum(x, weight, gamma, unbiased) / (rows * (rows - unbiased))
        + _self_sum(y, ones, gamma, unbiased) / (len(y) * (len(y) - unbiased))
        - 2 * _cross_sum(x, y, weight, ones, gamma) / (rows * len(y))
    )
    return jnp.where(weight.sum() > unbiased, value, 0)


@read_arguments
@enough_digits(("bandwidth", "x"), least=1.0)  # the prior's own
def mmd2_standard_normal(
    x: ArrayLike,
    *,
    bandwidth: ArrayLike | float,
    estimator: str = "biased",
    where: ArrayLike | None = None,
) -> Array:
    """Estimate ``MMD²`` between a sample and ``N(0, I)``: the limit of `mmd2` for an infinite prior sample.

    With s the bandwidth, ``E_y k(x, y) = (s² / (s² + 1))^(d/2) exp(-|x|² / (2 (s² + 1)))`` and
    ``E k(y, y') = (s² / (s² + 2))^(d/2)``, so neither needs a draw: less noise and half the work.

    Args:
        x: ``[n, d]``.
        bandwidth: bandwidth of `rbf_kernel`; ``[b]`` is a mixture.
        estimator: estimator of ``E k(x, x')``: ``"biased"`` (all pairs; >= 0) or ``"unbiased"`` (i != j).
        where: ``[n]`` booleans, the rows that count; None = all.

    Returns:
        A scalar. Under ``jit`` with fewer rows than the estimator needs (1 or 2): 0, zero gradient.

    Raises:
        InputError: wrong shapes, NaN, a bandwidth <= 0, too few rows.

    >>> import numpy as np
    >>> mmd2_standard_normal(np.zeros((1, 1)), bandwidth=1.0)
    Array(0.1631, dtype=float32)
    """
    (x,) = samples(x=x)
    unbiased, keep = is_unbiased(estimator), mask(where, len(x))
    check_rows(keep, 1 + unbiased, "x")
    return _to_prior(zero_outside("x", x, keep), keep, precisions(bandwidth, x.dtype), unbiased)


@partial(jax.jit, static_argnames="unbiased")
def _to_prior(x: Array, keep: Array, gamma: Array, unbiased: bool) -> Array:
    weight, d = keep.astype(x.dtype), x.shape[1]
    rows = jnp.maximum(weight.sum(), 1 + unbiased)
    shrunk = 1 / (1 + 2 * gamma)[None]  # s² / (s² + 1)
    with_prior = shrunk ** (d / 2) * jnp.exp(-square(x) * gamma[None] * shrunk)
    value = (
        _self_sum(x, weight, gamma, unbiased) / (rows * (rows - unbiased))
        + jnp.mean((1 + 4 * gamma) ** (-d / 2))
        - 2 * jnp.sum(weight * with_prior.mean(axis=1)) / rows
    )
    return jnp.where(weight.sum() > unbiased, value, 0)


# Value and derivative come from one visit of each block of the kernel matrix, which is then
# dropped: hence the rules below. A derivative that is not needed is not computed.


@partial(jax.custom_jvp, nondiff_argnums=(3,))
def _self_sum(x: Array, weight: Array, gamma: Array, skip: bool) -> Array:
    """Sum ``sum_ij weight_i weight_j k(x_i, x_j)``, without i = j if ``skip``."""
    return jnp.sum(weight * potential(x, x, weight, gamma, skip)[0])


@partial(_self_sum.defjvp, symbolic_zeros=True)
def _(skip: bool, primals: Any, tangents: Any) -> tuple[Array, Any]:
    x, weight, gamma = primals
    values, by_x = potential(x, x, weight, gamma, skip)
    return jnp.sum(weight * values), along(lambda: 2 * weight[:, None] * by_x, tangents[0])


@jax.custom_jvp
def _cross_sum(x: Array, y: Array, u: Array, v: Array, gamma: Array) -> Array:
    """Sum ``sum_ij u_i v_j k(x_i, y_j)``."""
    return jnp.sum(u * potential(x, y, v, gamma, skip=False)[0])


@partial(_cross_sum.defjvp, symbolic_zeros=True)
def _(primals: Any, tangents: Any) -> tuple[Array, Any]:
    x, y, u, v, gamma = primals
    values, by_x = potential(x, y, v, gamma, skip=False)
    x_part = along(lambda: u[:, None] * by_x, tangents[0])
    y_part = along(lambda: v[:, None] * potential(y, x, u, gamma, skip=False)[1], tangents[1])
    return jnp.sum(u * values), x_part + y_part
