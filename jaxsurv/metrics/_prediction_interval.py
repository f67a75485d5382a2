"""Prediction intervals of images from draws and residuals, calibrated on held-out rows."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival.validation import is_concrete
from jaxsurv.types import Array, InputError, Key


class Predictive(NamedTuple):
    """Mean and variance of a prediction over draws.

    Attributes:
        mean, variance: ``[n, *shape]``.
    """

    mean: Array
    variance: Array


class IntervalScale(NamedTuple):
    """Scale of prediction intervals.

    Attributes:
        residual_variance: ``[*shape]``, mean square of outcome minus prediction over training rows.
        factor: scalar, half the width of an interval, in standard deviations.
    """

    residual_variance: Array
    factor: Array


class IntervalCalibration(NamedTuple):
    """Calibration of prediction intervals of any level, from held-out rows.

    Attributes:
        residual_variance: ``[*shape]``, see `IntervalScale`.
        ratios: ``[k]``, ``|outcome - mean| / sd`` of the m held-out pixels inside the mask, ascending; all
            further entries are inf.
        count: number m of these pixels.
    """

    residual_variance: Array
    ratios: Array
    count: Array | int


@read_arguments
def predictive(one_draw: Callable[[Key], Array], key: Key, draws: int = 32) -> Predictive:
    """Mean and variance (divisor ``draws``) of ``one_draw(key) -> [n, *shape]``, in constant memory."""

    def body(i: Array, carry: tuple[Array, Array]) -> tuple[Array, Array]:
        mean, squares = carry  # Welford: the variance may be tiny beside the mean
        drawn = one_draw(jax.random.fold_in(key, i))
        after = mean + (drawn - mean) / (i + 1)
        return after, squares + (drawn - mean) * (drawn - after)

    like = jax.eval_shape(one_draw, key)
    zero = jnp.zeros(like.shape, like.dtype)
    mean, squares = lax.fori_loop(0, draws, body, (zero, zero))
    return Predictive(mean, squares / draws)


@read_arguments
def conformal_scale(
    predicted: Predictive,
    outcome: Array,
    train: Array,
    held_out: Array,
    *,
    level: float = 0.95,
    mask: Array | None = None,
) -> IntervalScale:
    """Scale of split conformal intervals (Papadopoulos et al. 2002; Lei et al. 2018).

    The factor is the ``ceil((m + 1) level) / m`` quantile of ``|outcome - mean| / sd`` over the m
    pixels inside the mask of the held-out rows (the largest ratio if this exceeds 1), with ``sd``
    the root of the variance over draws plus the residual variance. One factor serves all pixels:
    the level holds on average over the pixels of new patients, not for each pixel. If the ratios of
    all pixels were exchangeable, coverage would be at least the level, and at most 1 / (m + 1)
    more. If the pixels of a patient depend on each other, coverage falls short by the order of 1
    over the number of held-out patients: nominal 0.95 is about 0.91 with 10 patients and 0.94 with
    40, if the pixels of a patient hardly differ. It falls a little shorter if the held-out rows
    were also used for early stopping or to choose a penalty.

    Args:
        predicted: mean and variance over draws, all rows.
        outcome: ``[n, *shape]``.
        train: ``[n]`` booleans, True for training rows.
        level: coverage, in (0, 1).
        held_out: ``[n]`` booleans, True for rows that trained nothing; at least one.
        mask: ``[*shape]``, 1 inside the region of interest; None = all.

    Raises:
        InputError: a level outside (0, 1).
    """
    calibration = calibrate_intervals(predicted, outcome, train, held_out, mask=mask)
    return calibrated_scale(calibration, level=level)


@read_arguments
def calibrate_intervals(
    predicted: Predictive,
    outcome: Array,
    train: Array,
    held_out: Array,
    *,
    mask: Array | None = None,
) -> IntervalCalibration:
    """First part of `conformal_scale`, which reads the rows; `calibrated_scale` is the second part.

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


@read_arguments
def calibrated_scale(calibration: IntervalCalibration, *, level: float = 0.95) -> IntervalScale:
    """Scale of intervals at one level, see `conformal_scale`.

    Args:
        calibration: result of `calibrate_intervals`.
        level: coverage, in (0, 1).

    Raises:
        InputError: a level outside (0, 1); no held-out pixel. Under ``jit`` the factor is inf then.
    """
    if not 0 < level < 1:
        raise InputError(f"level must be between 0 and 1, got {level}")
    if is_concrete(calibration.count) and not np.asarray(calibration.count) > 0:
        raise InputError("no pixel of a held-out row to calibrate with; check held_out and mask")
    m = jnp.asarray(calibration.count)
    rank = jnp.minimum(jnp.ceil((m + 1) * level), m).astype(int)
    factor = calibration.ratios[jnp.maximum(rank - 1, 0)]
    return IntervalScale(calibration.residual_variance, factor)


def prediction_interval(predicted: Predictive, scale: IntervalScale) -> tuple[Array, Array]:
    """Bounds ``lower, upper``, each ``[n, *shape]``: mean -+ factor * sqrt(variance + residual variance).

    Args:
        predicted: mean and variance over draws.
        scale: residual variance and factor, such as from `conformal_scale`.
    """
    half = scale.factor * _deviation(predicted, scale.residual_variance)
    return predicted.mean - half, predicted.mean + half


def _residual_variance(predicted: Predictive, outcome: Array, train: Array) -> Array:
    squares = (outcome - predicted.mean) ** 2
    variance = jnp.sum(jnp.where(_rows(train, squares), squares, 0), axis=0)
    return variance / jnp.maximum(jnp.sum(train), 1)


def _deviation(predicted: Predictive, residual_variance: Array) -> Array:
    return jnp.sqrt(predicted.variance + residual_variance[None])


def _rows(where: Array, like: Array) -> Array:
    return where.reshape(-1, *[1] * (like.ndim - 1))
