"""The integrated Brier score of runs, all in one program, against the metric called one by one."""

import numpy as np
import pytest

from jaxsurv.data import stratified_kfold
from jaxsurv.metrics import integrated_brier_score
from jaxsurv.recipe import AS_MEASURED, prepare
from jaxsurv.study.prediction_error import _horizon, horizons, integrated_brier
from jaxsurv.survival import breslow_baseline, kaplan_meier, survival_function
from tests.recipe.cohorts import small_cohort


@pytest.fixture(scope="module")
def data():
    cohort = small_cohort()
    splits = stratified_kfold(cohort.outcome("os").event, folds=4)
    return prepare(cohort, "os", splits, AS_MEASURED)


def parts(data, s):
    event, time = (
        np.asarray(a, float) for a in (data.shared.outcome.event, data.shared.outcome.time)
    )
    develop, test = data.splits.develop[s], data.splits.test[s]
    return (event[test], time[test]), (event[develop], time[develop]), develop, test


def test_is_the_score_of_breslows_curves(data):
    risk = np.random.default_rng(0).normal(size=(5, 80))
    split = np.array([0, 3, 1, 1, 2])
    ours = integrated_brier(data, split, risk)
    for value, s, eta in zip(ours, split, risk, strict=True):
        outcome, (event, time), develop, test = parts(data, s)
        times = np.asarray(_horizon(data, s).times, float)
        alive = survival_function(breslow_baseline(eta[develop], event, time), eta[test], times)
        expected = integrated_brier_score(
            alive, times, *outcome, train_event=event, train_time=time
        )
        np.testing.assert_allclose(value, expected, rtol=1e-4)


def test_level_of_the_log_hazards_is_no_matter_and_their_scale_is(data):
    risk = np.random.default_rng(1).normal(size=(1, 80))
    split = np.zeros(1, int)
    base = integrated_brier(data, split, risk)
    np.testing.assert_allclose(integrated_brier(data, split, risk + 40), base, rtol=1e-4)
    assert integrated_brier(data, split, 3 * risk) > base  # noise, and ever surer of it


def test_one_risk_for_everybody_is_the_kaplan_meier_curve(data):
    outcome, (event, time), _, test = parts(data, 2)
    times = np.asarray(_horizon(data, 2).times, float)
    curve = np.tile(kaplan_meier(event, time)(times), (test.sum(), 1))
    null = integrated_brier_score(curve, times, *outcome, train_event=event, train_time=time)
    ours = integrated_brier(data, np.array([2]), np.zeros((1, 80)))
    np.testing.assert_allclose(ours, null, rtol=0.02)


def test_curves_of_a_models_own_take_the_place_of_breslows(data):
    rng = np.random.default_rng(2)
    split = np.array([3, 0, 3])
    times = horizons(data)
    assert times.shape == (4, 50)
    rate = rng.exponential(1, (3, 80))
    curves = np.exp(-rate[:, :, None] * times[split][:, None]).astype(np.float32)
    noise = rng.normal(size=(3, 80))
    ours = integrated_brier(data, split, noise, curves)
    np.testing.assert_array_equal(ours, integrated_brier(data, split, -5 * noise, curves))
    for value, s, alive in zip(ours, split, curves, strict=True):
        outcome, (event, time), _, test = parts(data, s)
        expected = integrated_brier_score(
            alive[test], times[s].astype(float), *outcome, train_event=event, train_time=time
        )
        np.testing.assert_allclose(value, expected, rtol=1e-4)
