"""Gaussian (RBF) kernel, its median bandwidth, and sums over its rows in bounded memory."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.custom_derivatives import SymbolicZero

from jaxsurv.arguments.columns import check_finite
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.divergences.arguments import (
    enough,
    enough_digits,
    mask,
    precisions,
    samples,
    width,
    zero_outside,
)
from jaxsurv.types import Array, ArrayLike, InputError

HIGHEST = lax.Precision.HIGHEST  # a GPU's shorter formats leave nothing of a small distance
_MEDIAN_ROWS = 2048


@read_arguments
@enough_digits(("bandwidth", "x", "y"))
def rbf_kernel(x: ArrayLike, y: ArrayLike, *, bandwidth: ArrayLike | float) -> Array:
    """Gaussian kernel ``k(x_i, y_j) = mean_b exp(-|x_i - y_j|² / (2 bandwidth_b²))``.

    InfoVAE's ``exp(-|x - y|² / d²)`` is ``bandwidth = d / sqrt(2)``; kernlab's and scikit-learn's
    ``gamma`` is ``1 / (2 bandwidth²)``.

    Args:
        x: ``[n, d]``.
        y: ``[m, d]``.
        bandwidth: a number, or ``[b]`` for the mean of b kernels (a mixture). A constant for
            derivatives.

    Returns:
        Kernel values ``[n, m]``, in ``[0, 1]``.

    Raises:
        InputError: wrong shapes, NaN, a bandwidth <= 0.

    >>> import numpy as np
    >>> rbf_kernel(np.zeros((1, 2)), np.array([[0.0, 0.0], [0.0, 2.0]]), bandwidth=2.0)
    Array([[1.    , 0.6065]], dtype=float32)
    """
    x, y = samples(origin="shared", x=x, y=y)
    check_columns(x, y)
    check_finite("x", x)
    check_finite("y", y)
    x, y = centred(x, y)
    return kernel(left_factor(x), right_factor(y), precisions(bandwidth, x.dtype))


def check_columns(x: Array, y: Array) -> None:
    """Refuse two samples with different numbers of columns."""
    if x.shape[1] != y.shape[1]:
        raise InputError(
            f"x and y must have equally many columns, got {list(x.shape)} and {list(y.shape)}"
        )


def centred(x: Array, y: Array) -> tuple[Array, Array]:
    """Move the origin of both samples to the mean of y: least cancellation in distances."""
    origin = lax.stop_gradient(y.mean(axis=0, keepdims=True))
    return x - origin, y - origin


def left_factor(x: Array) -> Array:
    """Left factor ``[n, d + 2]`` of distances: ``left_factor(x) @ right_factor(y) = |x_i - y_j|²``."""
    return jnp.concatenate([-2 * x, jnp.ones_like(x[:, :1]), square(x)], axis=1)


def right_factor(y: Array) -> Array:
    """Right factor ``[d + 2, m]`` of distances, see `left_factor`."""
    return jnp.concatenate([y, square(y), jnp.ones_like(y[:, :1])], axis=1).T


def square(x: Array) -> Array:
    """Squared lengths ``|x_i|²`` as ``[n, 1]``."""
    return jnp.sum(x * x, axis=1, keepdims=True)


def kernels(left: Array, right: Array, gamma: Array) -> list[Array]:
    """Values of one kernel per bandwidth, for one row or many."""
    product = jnp.matmul(left, right, precision=HIGHEST)
    # rounding below zero is cut from the value alone: derivatives stay those of the distance
    distance = product + lax.stop_gradient(jnp.maximum(product, 0) - product)
    return [jnp.exp(-gamma[b] * distance) for b in range(len(gamma))]


def kernel(left: Array, right: Array, gamma: Array) -> Array:
    """Mean of the kernels over the bandwidths."""
    terms = kernels(left, right, gamma)
    return sum(terms[1:], terms[0]) / len(terms)


def map_rows(row: Callable[..., Any], arrays: tuple[Array, ...], width: int) -> Any:
    """Apply ``row``, which needs ``width`` numbers, to every row, in blocks of bounded memory."""
    # on a CPU a block should stay in its cache; an accelerator wants large ones
    numbers = 2**20 if jax.default_backend() == "cpu" else 2**24
    if len(arrays[0]) * width <= numbers:
        return jax.vmap(row)(arrays)
    return lax.map(row, arrays, batch_size=max(1, numbers // width))


def row_sum(
    terms: list[Array], gamma: Array, factor: Array | float, weight: Array, y: Array, x: Array
) -> tuple[Array, Array]:
    """Sum ``sum_j factor_j weight_j k(x, y_j)`` and its gradient in x, from the row's kernels.

    With many rows mapped, both are matrix products, which cost half as much as reductions.
    """
    value, gradient = jnp.zeros((), x.dtype), jnp.zeros_like(x)
    for b, term in enumerate(terms):
        product = factor * term
        mass = jnp.matmul(product, weight, precision=HIGHEST)
        pull = jnp.matmul(product, weight[:, None] * y, precision=HIGHEST)
        value, gradient = value + mass, gradient + gamma[b] * (pull - mass * x)
    return value / len(terms), 2 * gradient / len(terms)


def potential(x: Array, y: Array, weight: Array, gamma: Array, skip: bool) -> tuple[Array, Array]:
    """Sums ``f_i = sum_j weight_j k(x_i, y_j)`` and gradients in ``x_i``; ``skip`` leaves out j = i.

    Returns:
        Sums ``[n]`` and gradients ``[n, d]``.
    """
    x, y = centred(x, y)
    right, index = right_factor(y), jnp.arange(len(y))

    def row(arrays: tuple[Array, ...]) -> tuple[Array, Array]:
        x, left, i = arrays
        factor = (index != i).astype(x.dtype) if skip else 1.0
        return row_sum(kernels(left, right, gamma), gamma, factor, weight, y, x)

    return map_rows(row, (x, left_factor(x), jnp.arange(len(x))), len(y) * len(gamma))


def along(gradient: Callable[[], Array], tangent: Any) -> Array | float:
    """Product ``gradient() · tangent``; a tangent known to be zero leaves the gradient uncomputed."""
    return 0.0 if isinstance(tangent, SymbolicZero) else jnp.sum(gradient() * tangent)


@read_arguments
def median_bandwidth(
    x: ArrayLike, y: ArrayLike | None = None, *, where: ArrayLike | None = None
) -> Array:
    """Median of ``|z_i - z_j|`` over all pairs i < j of the pooled rows z of x and y.

    The median heuristic (Gretton et al. 2012); ``median_bandwidth(x) * jnp.array([0.5, 1, 2])`` is
    a mixture around it. Beyond 2,048 pooled rows it is taken over 2,048 evenly spaced ones.

    Args:
        x: ``[n, d]``.
        y: ``[m, d]``; None = x alone, as for `hsic`.
        where: ``[n]`` booleans, the rows of x that count; None = all.

    Returns:
        A constant for derivatives; 1 where the median is 0 or there is no pair.

    Raises:
        InputError: wrong shapes, NaN.

    >>> import numpy as np
    >>> median_bandwidth(np.array([[0.0], [1.0], [5.0]]))
    Array(4., dtype=float32)
    """
    pair = {"x": x} if y is None else {"x": x, "y": y}
    given = list(pair.values())
    x, *rest = samples(origin="shared", where=where, **pair)
    keep = mask(where, len(x))
    if rest:
        (y,) = rest
        check_columns(x, y)
        x, keep = jnp.concatenate([x, y]), jnp.concatenate([keep, jnp.ones(len(y), bool)])
    x = zero_outside("x", lax.stop_gradient(x), keep)
    median = _median_distance(x, keep)
    if any(isinstance(a, jax.core.Tracer) for a in (where, *given)):
        return median
    spread = width(where, *given)
    if spread == 0 or enough(spread, np.minimum(median, spread), x.dtype):
        return median
    return jnp.asarray(_exact_median(np.concatenate(given)[np.asarray(keep)]), x.dtype)


def _exact_median(z: np.ndarray) -> float:
    """Median distance of `median_bandwidth` in float64, from differences: for rows of very different size."""
    from scipy.spatial.distance import pdist  # hardly ever needed

    if len(z) > _MEDIAN_ROWS:
        z = z[np.floor(len(z) / _MEDIAN_ROWS * np.arange(_MEDIAN_ROWS)).astype(int)]
    scale = np.abs(z).max()
    return float(np.median(pdist(z / scale)) * scale) or 1.0


@jax.jit
def _median_distance(x: Array, keep: Array) -> Array:
    rank = jnp.cumsum(keep)
    step = jnp.maximum(rank[-1], min(len(x), _MEDIAN_ROWS)) / min(len(x), _MEDIAN_ROWS)
    wanted = 1 + jnp.floor(step * jnp.arange(min(len(x), _MEDIAN_ROWS))).astype(rank.dtype)
    chosen = jnp.minimum(jnp.searchsorted(rank, wanted), len(x) - 1)
    z, kept = x[chosen] - x.mean(axis=0, keepdims=True), wanted <= rank[-1]
    distance = jnp.maximum(jnp.matmul(left_factor(z), right_factor(z), precision=HIGHEST), 0)
    pair = kept[:, None] & kept[None] & ~jnp.eye(len(z), dtype=bool)
    pairs = kept.sum() * (kept.sum() - 1) // 2
    # each pair is present twice
    low, high = (
        _order_statistic(jnp.where(pair, distance, jnp.inf), 2 * k)
        for k in ((pairs - 1) // 2, pairs // 2)
    )
    median = 0.5 * (jnp.sqrt(low) + jnp.sqrt(high))
    return jnp.where((pairs > 0) & (median > 0), median, 1)


def _order_statistic(x: Array, k: Array) -> Array:
    """Find the k-th smallest (from 0) of numbers >= 0, bit by bit: several times faster than a sort."""
    width = jnp.finfo(x.dtype).bits
    bits = lax.bitcast_convert_type(x, jnp.dtype(f"int{width}"))

    def halve(_: Any, bounds: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = bounds
        middle = low + (high - low) // 2
        enough = jnp.sum(bits <= middle) > k
        return jnp.where(enough, low, middle + 1), jnp.where(enough, middle, high)

    bounds = jnp.zeros((), bits.dtype), bits.max()
    return lax.bitcast_convert_type(lax.fori_loop(0, width - 1, halve, bounds)[0], x.dtype)
