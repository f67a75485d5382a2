"""Scaling against a naive NumPy twin, and that nothing outside the mask is ever seen."""

import math

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxsurv.preprocess import Features, fit_scaler, transform, two_valued

N = 60
STATES = (5,)  # columns of `table` that are not measured


def table(seed):
    """Eight kinds of column, a tenth of the cells missing."""
    rng = np.random.default_rng(seed)
    x = np.stack(
        [
            rng.normal(5.0, 2.0, N),
            rng.lognormal(0.0, 2.0, N),  # outliers beyond the fences
            rng.poisson(0.2, N),  # interquartile range often 0
            rng.random(N) < 0.4,
            rng.random(N) < 0.08,  # often rarer than five carriers
            rng.integers(-2, 3, N),
            np.full(N, 7.3),
            np.round(rng.normal(size=N)),  # ties
        ],
        axis=1,
    ).astype(np.float32)
    x[rng.random(x.shape) < 0.1] = np.nan
    return x


def features(x, states=STATES):
    order = np.argsort(x, axis=0, kind="stable").astype(np.int32)
    return Features(x, order, ~np.isin(np.arange(x.shape[1]), states))


def nearest_rank(values, q):
    return sorted(values)[math.ceil(q * len(values)) - 1]


def naive(f, where):
    """Lower, upper, center and gain of each column, from the definitions, in float64."""
    rows = []
    for j, column in enumerate(f.x.T.astype(float)):
        values = column[where & np.isfinite(column)]
        lower, upper = -np.inf, np.inf
        indicator = set(values) <= {0, 1}
        heavy_tailed = f.measured[j] and not indicator
        if heavy_tailed and len(values):
            first, third = nearest_rank(values, 0.25), nearest_rank(values, 0.75)
            if third > first:
                lower, upper = first - 3 * (third - first), third + 3 * (third - first)
        values = np.clip(values, lower, upper)
        mean, sd = (values.mean(), values.std()) if len(values) else (0.0, 0.0)
        if heavy_tailed and len(values):
            lower, upper = max(lower, mean - 5 * sd), min(upper, mean + 5 * sd)
        rare = indicator and min(sum(values == 0), sum(values == 1)) < 5
        dropped = rare or sd <= 1e-9
        floor = 0.0 if heavy_tailed else 0.2
        rows.append((lower, upper, mean, 0.0 if dropped else 1.0 / max(sd, floor)))
    return np.array(rows).T


fit = jax.jit(fit_scaler)
fit_all = jax.jit(jax.vmap(fit_scaler, in_axes=(None, 0)))


@jax.jit
def standardise(f, where):
    return transform(fit_scaler(f, where), f.x)


@given(seed=st.integers(0, 10**6), share=st.sampled_from([0.05, 0.3, 0.8]))
@settings(max_examples=25, deadline=None)
def test_every_mask_of_a_vmap_equals_the_naive_twin(seed, share):
    f = features(table(seed))
    masks = np.random.default_rng(seed).random((3, N)) < share
    masks[0] = True
    for k, expected in enumerate(zip(*(naive(f, m) for m in masks), strict=True)):
        for ours, theirs in zip(fit_all(f, masks)[k], expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-5)


def test_one_at_a_time_equals_vmapped():
    f = features(table(1))
    masks = np.random.default_rng(1).random((3, N)) < 0.6
    for k, together in enumerate(zip(*fit_all(f, masks), strict=True)):
        for alone, row in zip(fit(f, masks[k]), together, strict=True):
            np.testing.assert_allclose(alone, row, rtol=1e-6, atol=1e-7)


def test_a_value_that_training_hardly_knows_is_at_most_five_standard_deviations():
    x = np.full((N, 8), np.nan, np.float32)
    x[:, 0] = 0
    x[0, 0], x[-1, 0] = 1e-3, 10.0  # nearly silent in training; the last patient is a test patient
    where = np.arange(N) < N - 1
    z = np.asarray(standardise(features(x), where))[:, 0]
    assert z[-1] == pytest.approx(5, rel=1e-3)
    assert (np.abs(z) <= 5.01).all()


def test_fences_by_hand():
    x = np.full((N, 8), np.nan, np.float32)
    x[:10, 0] = [*range(1, 10), 1000]
    scaler = fit(features(x), np.ones(N, bool))
    # quartiles by nearest rank of 10 values: the 3rd and the 8th
    assert (scaler.lower[0], scaler.upper[0]) == (3 - 15, 8 + 15)
    clipped = np.array([*range(1, 10), 23.0])
    np.testing.assert_allclose(scaler.center[0], clipped.mean(), rtol=1e-6)
    np.testing.assert_allclose(scaler.gain[0], 1 / clipped.std(), rtol=1e-6)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_rows_outside_the_mask_leave_no_trace(seed):
    x, rng = table(seed), np.random.default_rng(seed)
    masks = rng.random((3, N)) < 0.7
    masks[1] = masks[2] = masks[0]
    junk = rng.permuted(x, axis=1) * rng.choice([-1e4, 1.0, np.nan], x.shape)
    other = np.where(masks[0][:, None], x, junk.astype(np.float32))
    for before, after in zip(
        fit_all(features(x), masks), fit_all(features(other), masks), strict=True
    ):
        np.testing.assert_array_equal(before, after)


def test_columns_that_say_nothing_are_dropped():
    where = np.arange(N) < 40
    x = np.zeros((N, 8), np.float32)
    x[:, 0] = 0.1  # constant
    x[:, 1] = np.where(where, np.nan, 1.0)  # no value under the mask
    x[:4, 2] = 1  # four carriers
    x[:5, 3] = 1  # five
    x[: 40 - 4, 4] = 1  # all but four
    x[:, 5] = np.where(where, 3.0, np.arange(N))  # constant under the mask only
    x[:, 6] = np.arange(N)
    f = features(x)
    z = np.asarray(standardise(f, where))
    np.testing.assert_array_equal(z.any(axis=0), [0, 0, 0, 1, 0, 0, 1, 0])
    assert not np.asarray(standardise(f, np.zeros(N, bool))).any()


def test_rare_mutations_do_not_weigh_most():
    x = np.zeros((400, 2), np.float32)
    x[:5, 0] = 1  # sd 0.11
    x[:200, 1] = 1
    z = np.asarray(standardise(features(x), np.ones(400, bool)))
    np.testing.assert_allclose(np.ptp(z, axis=0), [5.0, 2.0], rtol=1e-4)


def test_gross_outliers_hardly_move_the_others():
    clean = np.random.default_rng(2).normal(size=(400, 2)).astype(np.float32)
    dirty = clean.copy()
    dirty[0], dirty[1] = 1e4, -1e4
    where = np.ones(400, bool)
    before, after = (np.asarray(standardise(features(x, ()), where)) for x in (clean, dirty))
    assert np.abs(before - after)[2:].max() < 0.25
    assert np.abs(after).max() < 6


@pytest.mark.parametrize("unit", [2.0**-40, 2.0**40])
def test_the_unit_of_a_measurement_does_not_matter(unit):
    x = np.random.default_rng(3).normal(size=(400, 2)).astype(np.float32)
    where = np.ones(400, bool)
    expected = standardise(features(x, ()), where)
    converted = standardise(features(x * np.float32(unit), ()), where)
    np.testing.assert_allclose(converted, expected, rtol=1e-5)


def test_training_rows_become_z_scores_and_missing_cells_zero():
    x = table(4)
    where = np.arange(N) < 45
    z = np.array(standardise(features(x), where))
    assert (z[np.isnan(x)] == 0).all()
    z[np.isnan(x)] = np.nan
    np.testing.assert_allclose(np.nanmean(z[where], axis=0), 0, atol=1e-6)
    kept = [0, 1, 3, 5, 7]  # neither constant nor rare
    np.testing.assert_allclose(np.nanstd(z[where], axis=0)[kept], 1, rtol=1e-5)


def test_a_feature_is_two_valued_on_the_rows_of_the_mask():
    x = np.array([[0, 1, 0, 3], [1, np.nan, 1, 1], [2, 0, np.nan, 0]], np.float32)
    where = np.array([True, True, False])
    assert two_valued(x, where).tolist() == [True, True, True, False]
    assert two_valued(x, np.ones(3, bool)).tolist() == [False, True, True, False]
