"""Prediction intervals of images from draws and residuals, calibrated on held-out rows."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from scipy import stats

from jaxsurv.types import Array, InputError, Key


class Predictive(NamedTuple):
    """Mean and variance over draws, each ``[n, *shape]``."""

    mean: Array
    variance: Array


class Calibration(NamedTuple):
    """How far from its prediction an outcome may lie.

    Attributes:
        residual_variance: ``[*shape]``, mean square of outcome minus prediction over training rows.
        factor: scalar, half the width of an interval in standard deviations.
    """

    residual_variance: Array
    factor: Array


def predictive(one_draw: Callable[[Key], Array], key: Key, draws: int = 32) -> Predictive:
    """Mean and variance (divisor ``draws``) of ``one_draw(key) -> [n, *shape]``, in constant memory."""
    if draws < 1:
        raise InputError(f"draws must be at least 1, got {draws}")
    start = one_draw(key)

    def body(i: Array, carry: tuple[Array, Array]) -> tuple[Array, Array]:
        total, squares = carry
        # around the first draw: the variance may be tiny beside the mean
        away = one_draw(jax.random.fold_in(key, i)) - start
        return total + away, squares + away**2

    zero = jnp.zeros_like(start)
    total, squares = lax.fori_loop(0, draws, body, (zero, zero))
    mean = total / draws
    return Predictive(start + mean, jnp.maximum(squares / draws - mean**2, 0))


def normal_calibration(predicted: Predictive, outcome: Array, train: Array, *, level: float = 0.95):
    """Normal intervals: the residual variance of the training rows, and the normal quantile.

    A model that fits its training rows too closely gets intervals that are too narrow.

    Args:
        predicted: of all rows.
        outcome: ``[n, *shape]``.
        train: ``[n]`` booleans.
        level: in (0, 1).
    """
    _check(level)
    squares = (outcome - predicted.mean) ** 2
    variance = jnp.sum(jnp.where(_rows(train, squares), squares, 0), axis=0)
    variance = variance / jnp.maximum(jnp.sum(train), 1)
    return Calibration(variance, jnp.asarray(stats.norm.ppf(0.5 + level / 2), squares.dtype))


def conformal_calibration(
    predicted: Predictive,
    outcome: Array,
    train: Array,
    held_out: Array,
    *,
    level: float = 0.95,
    mask: Array | None = None,
) -> Calibration:
    """Split conformal intervals (Papadopoulos et al. 2002; Lei et al. 2018) in units of the normal ones.

    The factor is the ``ceil((m + 1) level) / m`` quantile of ``|outcome - mean| / sd`` over the m pixels
    inside the mask of the held-out rows, with ``sd`` of `normal_calibration`. One factor for all
    pixels: the level holds on average over the pixels of new patients, not for each pixel. Pixels of
    one patient depend on each other, so that with few held-out rows the level is met on average over
    studies rather than in each.

    Args:
        predicted, outcome, train, level: see `normal_calibration`.
        held_out: ``[n]`` booleans, rows that trained nothing; at least one.
        mask: ``[*shape]``, 1 inside the region of interest; None = all.
    """
    normal = normal_calibration(predicted, outcome, train, level=level)
    sd = jnp.sqrt(predicted.variance + normal.residual_variance[None])
    ratio = jnp.abs(outcome - predicted.mean) / jnp.where(sd > 0, sd, 1)
    counted = jnp.broadcast_to(_rows(held_out, ratio), ratio.shape)
    if mask is not None:
        counted = counted & (mask[None] > 0)
    ordered = jnp.sort(jnp.where(counted, ratio, jnp.inf).ravel())
    m = jnp.sum(counted)
    rank = jnp.minimum(jnp.ceil((m + 1) * level), m).astype(int)
    return Calibration(normal.residual_variance, ordered[jnp.maximum(rank - 1, 0)])


def prediction_interval(predicted: Predictive, calibration: Calibration) -> tuple[Array, Array]:
    """``lower, upper``, each ``[n, *shape]``: mean -+ factor * sqrt(variance + residual variance)."""
    sd = jnp.sqrt(predicted.variance + calibration.residual_variance[None])
    return predicted.mean - calibration.factor * sd, predicted.mean + calibration.factor * sd


def _rows(where: Array, like: Array) -> Array:
    return where.reshape(-1, *[1] * (like.ndim - 1))


def _check(level: float) -> None:
    if not 0 < level < 1:
        raise InputError(f"level must be between 0 and 1, got {level}")
