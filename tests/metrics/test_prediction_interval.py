"""Prediction intervals: moments of draws, coverage on Gaussian toys, and what held-out rows repair."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.inva.images import normal_scale
from jaxsurv.metrics import (
    Predictive,
    calibrate_intervals,
    calibrated_scale,
    conformal_scale,
    prediction_interval,
    predictive,
)
from jaxsurv.types import InputError

N, P = 600, 40
ROW = np.arange(N)
TRAIN, HELD_OUT, TEST = ROW < 200, (ROW >= 200) & (ROW < 400), ROW >= 400


def toy(draw_sd=0.0, residual_sd=1.0, seed=0):
    """Outcome = mean + draw + residual, whose deviation differs by pixel."""
    rng = np.random.default_rng(seed)
    sd = residual_sd * np.linspace(0.5, 2.0, P)
    mean = rng.normal(size=(N, P))
    y = mean + draw_sd * rng.normal(size=(N, P)) + sd * rng.normal(size=(N, P))
    predicted = Predictive(jnp.asarray(mean), jnp.full((N, P), draw_sd**2))
    return predicted, jnp.asarray(y)


def coverage(calibration, predicted, y):
    lower, upper = prediction_interval(predicted, calibration)
    return float(((lower <= y) & (y <= upper))[TEST].mean())


def test_moments_of_draws():
    mean, sd = jnp.asarray([[5.0, -300.0]]), jnp.asarray([[0.1, 2.0]])
    one = lambda key: mean + sd * jax.random.normal(key, (1, 2))  # noqa: E731
    found = jax.jit(lambda k: predictive(one, k, 4000))(jax.random.key(0))
    np.testing.assert_allclose(found.mean, mean, atol=0.15)
    np.testing.assert_allclose(found.variance, sd**2, rtol=0.1)
    keys = [jax.random.fold_in(jax.random.key(0), i) for i in range(7)]
    few = predictive(one, jax.random.key(0), 7)
    drawn = np.stack([one(k) for k in keys])
    np.testing.assert_allclose(few.mean, drawn.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(few.variance, drawn.var(axis=0), rtol=1e-3)


@pytest.mark.parametrize("level", [0.8, 0.95])
@pytest.mark.parametrize("draw_sd", [0.0, 1.5])
def test_both_cover_a_gaussian_whose_training_residuals_are_honest(level, draw_sd):
    predicted, y = toy()
    honest = predicted._replace(variance=jnp.zeros_like(y))
    for calibration in (
        normal_scale(honest, y, TRAIN, level=level),
        conformal_scale(honest, y, TRAIN, HELD_OUT, level=level),
    ):
        assert abs(coverage(calibration, honest, y) - level) < 0.015
    # residuals of the mean hold the draws' variance already, so normal intervals count it twice
    predicted, y = toy(draw_sd)
    found = conformal_scale(predicted, y, TRAIN, HELD_OUT, level=level)
    assert abs(coverage(found, predicted, y) - level) < 0.015


def test_held_out_rows_repair_what_training_rows_flatter():
    predicted, y = toy()
    flattered = predicted._replace(
        mean=jnp.where(TRAIN[:, None], y + 0.3 * (predicted.mean - y), predicted.mean)
    )
    assert coverage(normal_scale(flattered, y, TRAIN), flattered, y) < 0.5
    repaired = conformal_scale(flattered, y, TRAIN, HELD_OUT)
    assert abs(coverage(repaired, flattered, y) - 0.95) < 0.015


def test_the_factor_is_the_quantile_of_its_definition():
    predicted, y = toy()
    mask = jnp.asarray(np.arange(P) < 25)
    found = conformal_scale(predicted, y, TRAIN, HELD_OUT, level=0.9, mask=mask)
    away = np.asarray(y - predicted.mean)
    sd = np.sqrt((away[TRAIN] ** 2).mean(axis=0))
    ratio = np.sort(np.abs(away / sd)[HELD_OUT][:, :25].ravel())
    np.testing.assert_allclose(
        found.factor, ratio[int(np.ceil((len(ratio) + 1) * 0.9)) - 1], rtol=1e-5
    )


def in_one_piece(predicted, y, train, held_out, level, mask):
    """Split conformal intervals as one computation at one level."""
    variance = jnp.where(train[:, None], (y - predicted.mean) ** 2, 0).sum(axis=0) / train.sum()
    sd = jnp.sqrt(predicted.variance + variance[None])
    ratio = jnp.abs(y - predicted.mean) / jnp.where(sd > 0, sd, 1)
    counted = held_out[:, None] & (mask[None] > 0)
    ordered = jnp.sort(jnp.where(counted, ratio, jnp.inf).ravel())
    m = jnp.sum(counted)
    rank = jnp.minimum(jnp.ceil((m + 1) * level), m).astype(int)
    return variance, ordered[jnp.maximum(rank - 1, 0)]


@pytest.mark.parametrize("level", [1e-6, 0.5, 0.95, 0.99999])
def test_a_calibration_serves_every_level(level):
    predicted, y = toy(draw_sd=0.5)
    mask = jnp.asarray(np.arange(P) < 25)
    rows = jnp.asarray(TRAIN), jnp.asarray(HELD_OUT)
    expected = in_one_piece(predicted, y, *rows, level, mask)
    whole = calibrate_intervals(predicted, y, *rows, mask=mask)
    assert whole.count == 200 * 25
    cut = whole._replace(ratios=whole.ratios[: int(whole.count)], count=200 * 25)
    for calibration in (whole, cut):
        found = calibrated_scale(calibration, level=level)
        jax.tree.map(np.testing.assert_array_equal, tuple(found), expected)
    both = jax.jit(partial(conformal_scale, level=level, mask=mask))(predicted, y, *rows)
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-6), tuple(both), expected)


def test_test_rows_change_nothing():
    predicted, y = toy()
    other = jnp.where(TEST[:, None], 99.0, y)
    for fit in (
        partial(normal_scale, train=TRAIN),
        partial(conformal_scale, train=TRAIN, held_out=HELD_OUT),
    ):
        jax.tree.map(np.testing.assert_array_equal, fit(predicted, y), fit(predicted, other))


@pytest.mark.parametrize("level", [0.0, 1.0, 95])
def test_refuses_levels_that_are_no_share(level):
    predicted, y = toy()
    with pytest.raises(InputError, match=f"level must be between 0 and 1, got {level}"):
        conformal_scale(predicted, y, TRAIN, HELD_OUT, level=level)


def test_refuses_no_draws():
    with pytest.raises(InputError, match="draws must be at least 1, got 0"):
        predictive(lambda k: jnp.zeros((1, 1)), jax.random.key(0), 0)


def test_dependent_pixels_cost_what_the_docstring_says():
    rng = np.random.default_rng(0)
    found = []
    for _ in range(60):
        shared, own = rng.normal(size=(120, 1)), rng.normal(size=(120, 20))
        y = jnp.asarray(np.sqrt(0.9) * shared + np.sqrt(0.1) * own)
        predicted = Predictive(jnp.zeros_like(y), jnp.zeros_like(y))
        row = np.arange(120)
        scale = conformal_scale(predicted, y, row < 60, (row >= 60) & (row < 70))
        lower, upper = prediction_interval(predicted, scale)
        found.append(float(((lower <= y) & (y <= upper))[70:].mean()))
    assert 0.89 < np.mean(found) < 0.945
