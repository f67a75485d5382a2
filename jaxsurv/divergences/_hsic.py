"""Hilbert-Schmidt independence criterion: strength of the dependence between two variables."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

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
from jaxsurv.divergences.kernels import (
    HIGHEST,
    along,
    centred,
    kernel,
    kernels,
    left_factor,
    map_rows,
    right_factor,
    row_sum,
)
from jaxsurv.types import Array, ArrayLike, InputError


@read_arguments
@enough_digits(("bandwidth_x", "x"), ("bandwidth_y", "y"))
def hsic(
    x: ArrayLike,
    y: ArrayLike,
    *,
    bandwidth_x: ArrayLike | float,
    bandwidth_y: ArrayLike | float,
    estimator: str = "biased",
    where: ArrayLike | None = None,
) -> Array:
    """Dependence of paired x and y; 0 in the population if and only if they are independent.

    With ``K = rbf_kernel(x, x)``, ``L = rbf_kernel(y, y)`` and ``H = I - 11'/n``, ``"biased"`` is
    ``tr(K H L H) / n²``, >= 0 (Gretton et al. 2005); papers that divide by ``(n - 1)²`` (Greenfeld
    & Shalit 2020) get ``n² / (n - 1)²`` times as much. ``"unbiased"`` (Song et al., JMLR 13, 2012,
    eq. 5), with zero diagonals, is ``[tr(K L) + 1'K1 1'L1 / ((n-1)(n-2)) - 2 1'K L1 / (n-2)] /
    (n (n-3))``: mean 0 under independence, may be negative.

    Memory of the value and its gradient grows as n, not as n². Differentiable twice, in x and y.

    Args:
        x: ``[n, p]``.
        y: ``[n, q]``; one-hot columns for a categorical variable.
        bandwidth_x: bandwidth of the kernel of x, see `rbf_kernel`; ``[b]`` is a mixture.
        bandwidth_y: bandwidth of the kernel of y, see `rbf_kernel`; ``[b]`` is a mixture.
        estimator: name of the estimator, ``"biased"`` or ``"unbiased"``.
        where: ``[n]`` booleans, the pairs that count; None = all.

    Returns:
        A scalar. Under ``jit`` with fewer pairs than the estimator needs (1 or 4): 0, zero gradient.

    Raises:
        InputError: wrong shapes, NaN, a bandwidth <= 0, too few rows.

    >>> import numpy as np
    >>> x = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> hsic(x, x**2, bandwidth_x=1.0, bandwidth_y=1.0)
    Array(0.1289, dtype=float32)
    """
    x, y = samples(origin="own", where=where, x=x, y=y)
    if len(x) != len(y):
        raise InputError(f"x and y must be paired, got {len(x)} and {len(y)} rows")
    unbiased, keep = is_unbiased(estimator), mask(where, len(x))
    check_rows(keep, 4 if unbiased else 1, "hsic")
    gamma_x, gamma_y = (precisions(b, x.dtype) for b in (bandwidth_x, bandwidth_y))
    return _hsic(
        zero_outside("x", x, keep), zero_outside("y", y, keep), keep, gamma_x, gamma_y, unbiased
    )


@partial(jax.jit, static_argnums=5)
def _hsic(x: Array, y: Array, keep: Array, gamma_x: Array, gamma_y: Array, unbiased: bool) -> Array:
    value = _covariance(x, y, keep.astype(x.dtype), gamma_x, gamma_y, unbiased)
    return jnp.where(keep.sum() >= (4 if unbiased else 1), value, 0)


@partial(jax.custom_jvp, nondiff_argnums=(5,))
def _covariance(
    x: Array, y: Array, weight: Array, gamma_x: Array, gamma_y: Array, unbiased: bool
) -> Array:
    return _value_and_gradient(x, y, weight, gamma_x, gamma_y, unbiased)[0]


@partial(_covariance.defjvp, symbolic_zeros=True)
def _(unbiased: bool, primals: Any, tangents: Any) -> tuple[Array, Any]:
    x, y, weight, gamma_x, gamma_y = primals
    value, by_x = _value_and_gradient(x, y, weight, gamma_x, gamma_y, unbiased)
    x_part = along(lambda: by_x, tangents[0])
    y_part = along(
        lambda: _value_and_gradient(y, x, weight, gamma_y, gamma_x, unbiased)[1], tangents[1]
    )
    return value, x_part + y_part


def _value_and_gradient(
    x: Array, y: Array, weight: Array, gamma_x: Array, gamma_y: Array, unbiased: bool
) -> tuple[Array, Array]:
    """Sum ``sum_ij A_ij K_ij`` and its gradient in x; A, the centred L, is HSIC's derivative in K.

    Rows of A sum to zero, whether ``A = H L H / n²`` or its unbiased counterpart (Székely & Rizzo
    2014), so that little is left to cancel in the sum.
    """
    (x, _), (y, _) = centred(x, x), centred(y, y)
    right_x, right_y, index = right_factor(x), right_factor(y), jnp.arange(len(x))
    width = len(x) * max(len(gamma_x), len(gamma_y))
    # a constant in L changes nothing; without one, sums over rows keep their last digits
    level = lax.stop_gradient(kernel(left_factor(y[:1]), right_y, gamma_y).mean())

    def other(left_y: Array, i: Array) -> Array:
        values = kernel(left_y, right_y, gamma_y) - level
        return jnp.where(index == i, 0, values) if unbiased else values

    def sum_of_row(arrays: tuple[Array, Array]) -> Array:
        return jnp.matmul(other(*arrays), weight, precision=HIGHEST)

    sums = weight * map_rows(sum_of_row, (left_factor(y), index), width)
    n = jnp.maximum(weight.sum(), 4 if unbiased else 1)
    divisor, total, scale = (n - 2, (n - 1) * (n - 2), n * (n - 3)) if unbiased else (n, n**2, n**2)
    means, mean = sums / divisor, sums.sum() / total

    def row(arrays: tuple[Array, ...]) -> tuple[Array, Array]:
        x_i, left_x, left_y, mean_i, i = arrays
        factor = other(left_y, i) - means - mean_i + mean
        factor = jnp.where(index == i, 0, factor) if unbiased else factor
        return row_sum(kernels(left_x, right_x, gamma_x), gamma_x, factor, weight, x, x_i)

    rows = (x, left_factor(x), left_factor(y), means, index)
    values, gradient = map_rows(row, rows, width)
    return jnp.sum(weight * values) / scale, 2 * weight[:, None] * gradient / scale
