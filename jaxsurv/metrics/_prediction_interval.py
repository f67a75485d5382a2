"""Prediction intervals of images from draws and residuals, calibrated on held-out rows."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from scipy import stats

from jaxsurv.types import Array, InputError, Key


class Predictive(NamedTuple):
    """A prediction over draws.

    Attributes:
        mean, variance: ``[n, *shape]``.
    """

    mean: Array
    variance: Array


class IntervalScale(NamedTuple):
    """How far from its prediction an outcome may lie.

    Attributes:
        residual_variance: ``[*shape]``, mean square of outcome minus prediction over training rows.
        factor: scalar, half the width of an interval in standard deviations.
    """

    residual_variance: Array
    factor: Array


class IntervalCalibration(NamedTuple):
    """What intervals of any level need to know of the rows that calibrate them.

    Attributes:
        residual_variance: ``[*shape]``, see `IntervalScale`.
        ratios: ``[k]``, ``|outcome - mean| / sd`` of the m held-out pixels inside the mask, ascending, and
            after those inf.
        count: m.
    """

    residual_variance: Array
    ratios: Array
    count: Array | int


def predictive(one_draw: Callable[[Key], Array], key: Key, draws: int = 32) -> Predictive:
    """Mean and variance (divisor ``draws``) of ``one_draw(key) -> [n, *shape]``, in constant memory."""
    if draws < 1:
        raise InputError(f"draws must be at least 1, got {draws}")

    def body(i: Array, carry: tuple[Array, Array]) -> tuple[Array, Array]:
        mean, squares = carry  # Welford: the variance may be tiny beside the mean
        drawn = one_draw(jax.random.fold_in(key, i))
        after = mean + (drawn - mean) / (i + 1)
        return after, squares + (drawn - mean) * (drawn - after)

    like = jax.eval_shape(one_draw, key)
    zero = jnp.zeros(like.shape, like.dtype)
    mean, squares = lax.fori_loop(0, draws, body, (zero, zero))
    return Predictive(mean, squares / draws)


def normal_scale(
    predicted: Predictive, outcome: Array, train: Array, *, level: float = 0.95
) -> IntervalScale:
    """Normal intervals: the residual variance of the training rows, and the normal quantile.

    Too narrow where a model fits its training rows too closely. The residuals of a mean over draws hold
    part of the draws' own spread, which `prediction_interval` adds once more.

    Args:
        predicted: of all rows.
        outcome: ``[n, *shape]``.
        train: ``[n]`` booleans.
        level: in (0, 1).

    Raises:
        InputError: another level.
    """
    _check_level(level)
    variance = _residual_variance(predicted, outcome, train)
    return IntervalScale(variance, jnp.asarray(stats.norm.ppf(0.5 + level / 2), variance.dtype))


def conformal_scale(
    predicted: Predictive,
    outcome: Array,
    train: Array,
    held_out: Array,
    *,
    level: float = 0.95,
    mask: Array | None = None,
) -> IntervalScale:
    """Split conformal intervals (Papadopoulos et al. 2002; Lei et al. 2018) in units of the normal ones.

    The factor is the ``ceil((m + 1) level) / m`` quantile of ``|outcome - mean| / sd`` over the m pixels
    inside the mask of the held-out rows (the largest where that exceeds 1), with ``sd`` of `normal_scale`.
    One factor for all pixels: the level is for the average over the pixels of new patients, not for
    each pixel. If the ratios of all pixels were exchangeable, it would be covered, by at most 1 / (m + 1)
    more. Where the pixels of a patient depend on each other, coverage falls short by the order of 1 over the
    number of held-out patients: nominal 0.95 is about 0.91 with 10 and 0.94 with 40 if they hardly
    differ. If the held-out rows also stopped the training or chose a penalty, a little more.

    Args:
        predicted, outcome, train, level: see `normal_scale`.
        held_out: ``[n]`` booleans, rows that trained nothing; at least one.
        mask: ``[*shape]``, 1 inside the region of interest; None = all.

    Raises:
        InputError: a level outside (0, 1).
    """
    calibration = calibrate_intervals(predicted, outcome, train, held_out, mask=mask)
    return calibrated_scale(calibration, level=level)


def calibrate_intervals(
    predicted: Predictive,
    outcome: Array,
    train: Array,
    held_out: Array,
    *,
    mask: Array | None = None,
) -> IntervalCalibration:
    """The part of `conformal_scale` that sees the rows; `calibrated_scale` is the other.

    Arguments as in `conformal_scale`. ``ratios`` has an entry for every pixel of every row, so that its
    shape does not depend on ``held_out`` and ``mask``; outside ``jit`` it may be cut at ``count``.
    """
    variance = _residual_variance(predicted, outcome, train)
    sd = _deviation(predicted, variance)
    ratio = jnp.abs(outcome - predicted.mean) / jnp.where(sd > 0, sd, 1)
    counted = jnp.broadcast_to(_rows(held_out, ratio), ratio.shape)
    if mask is not None:
        counted = counted & (mask[None] > 0)
    ordered = jnp.sort(jnp.where(counted, ratio, jnp.inf).ravel())
    return IntervalCalibration(variance, ordered, jnp.sum(counted))


def calibrated_scale(calibration: IntervalCalibration, *, level: float = 0.95) -> IntervalScale:
    """The scale of intervals at one level, see `conformal_scale`.

    Args:
        calibration: from `calibrate_intervals`.
        level: in (0, 1).

    Raises:
        InputError: another level.
    """
    _check_level(level)
    m = jnp.asarray(calibration.count)
    rank = jnp.minimum(jnp.ceil((m + 1) * level), m).astype(int)
    factor = calibration.ratios[jnp.maximum(rank - 1, 0)]
    return IntervalScale(calibration.residual_variance, factor)


def prediction_interval(predicted: Predictive, scale: IntervalScale) -> tuple[Array, Array]:
    """``lower, upper``, each ``[n, *shape]``: mean -+ factor * sqrt(variance + residual variance).

    Args:
        predicted: mean and variance over draws.
        scale: residual variance and factor, from `conformal_scale` or `normal_scale`.
    """
    half = scale.factor * _deviation(predicted, scale.residual_variance)
    return predicted.mean - half, predicted.mean + half


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise InputError(f"level must be between 0 and 1, got {level}")


def _residual_variance(predicted: Predictive, outcome: Array, train: Array) -> Array:
    squares = (outcome - predicted.mean) ** 2
    variance = jnp.sum(jnp.where(_rows(train, squares), squares, 0), axis=0)
    return variance / jnp.maximum(jnp.sum(train), 1)


def _deviation(predicted: Predictive, residual_variance: Array) -> Array:
    return jnp.sqrt(predicted.variance + residual_variance[None])


def _rows(where: Array, like: Array) -> Array:
    return where.reshape(-1, *[1] * (like.ndim - 1))
