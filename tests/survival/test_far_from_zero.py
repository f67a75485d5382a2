"""Origins and units change nothing: of times, of covariates, of log hazards."""

import jax
import numpy as np
import pytest

from jaxsurv.divergences import hsic, median_bandwidth, mmd2, rbf_kernel
from jaxsurv.metrics import (
    bootstrap,
    brier_score,
    calibration_slope,
    concordance_index,
    concordance_td,
    cumulative_dynamic_auc,
    hazard_ratio,
    integrated_brier_score,
    integrated_calibration_index,
    latent_alignment,
)
from jaxsurv.survival import (
    breslow_baseline,
    cox_fit,
    coxnet_cv,
    coxnet_path,
    kaplan_meier,
    logrank_test,
    martingale_residuals,
    neg_log_partial_likelihood,
    prepare_risk_sets,
    restricted_mean,
    survival_function,
)

rng = np.random.default_rng(0)
N = 60
X = rng.normal(size=(N, 3))
RISK = X[:, 0]
TIME = np.ceil(rng.exponential(20 * np.exp(-RISK)))
EVENT = rng.random(N) < 0.7
FOLD = np.arange(N) % 3
GRID = np.quantile(TIME, [0.2, 0.5, 0.7])
CURVES = np.clip(0.9 - 0.2 * np.arange(3) - 0.05 * RISK[:, None], 0.01, 0.99)
STRATA = np.arange(N) % 2

OF_TIMES = {
    "baseline": lambda t, q: cox_fit(X, EVENT, t).baseline(q),
    "strata": lambda t, q: breslow_baseline(RISK, EVENT, t, strata=STRATA)(q, 1),
    "kaplan_meier": lambda t, q: kaplan_meier(EVENT, t)(q),
    "logrank": lambda t, q: logrank_test(EVENT, t, RISK > 0).statistic,
    "survival": lambda t, q: survival_function(breslow_baseline(RISK, EVENT, t), RISK, q),
    "concordance": lambda t, q: concordance_index(RISK, EVENT, t, tau=q[1]).index,
    "antolini": lambda t, q: concordance_td(CURVES, q, EVENT, t).index,
    "brier": lambda t, q: brier_score(CURVES, q, EVENT, t, train_event=EVENT, train_time=t),
    "ibs": lambda t, q: integrated_brier_score(
        CURVES, q, EVENT, t, train_event=EVENT, train_time=t
    ),
    "auc": lambda t, q: (
        cumulative_dynamic_auc(RISK, q, EVENT, t, train_event=EVENT, train_time=t).auc
    ),
    "calibration": lambda t, q: integrated_calibration_index(CURVES[:, 1], EVENT, t, tau=q[1]).ici,
    "bootstrap": lambda t, q: (
        bootstrap(
            lambda r, e, t: concordance_index(r, e, t).index,
            jax.random.key(0),
            RISK,
            EVENT,
            t,
            n_samples=20,
        ).samples
    ),
}


@pytest.mark.parametrize("shift", [1.7e9, 1.7e12, np.int64(1_700_000_000_000_000_000)])
@pytest.mark.parametrize("name", OF_TIMES)
def test_the_origin_of_time(name, shift):
    whole = isinstance(shift, np.int64)
    time, grid = (TIME.astype(int), np.floor(GRID).astype(int)) if whole else (TIME, GRID)
    if whole and name in ("bootstrap",):
        pytest.skip("JAX has no exact 64-bit integers in float64 arithmetic")
    of = OF_TIMES[name]
    found, right = of(time + shift, grid + shift), of(time, grid)
    np.testing.assert_allclose(np.asarray(found), np.asarray(right), rtol=1e-5, atol=1e-7)


def test_the_restricted_mean_keeps_its_digits():
    far = restricted_mean(kaplan_meier(EVENT, TIME + 1.7e9), 1.7e9 + 30).mean
    near = restricted_mean(kaplan_meier(EVENT, TIME), 30).mean
    np.testing.assert_allclose(far - 1.7e9, near, atol=1e-5)


SHIFT = np.array([1e6, -2e7, 1960.0])
SCALE = np.array([1e20, 1e-20, 1e-6])


@pytest.mark.parametrize("double", [False, True])
@pytest.mark.parametrize("l2", [0.0, 1.0])
def test_cox_fit_does_not_depend_on_zero_and_unit(double, l2):
    with jax.enable_x64(double):
        right = cox_fit(X, EVENT, TIME, l2=l2)
        moved = cox_fit(X + SHIFT, EVENT, TIME, l2=l2)
        np.testing.assert_allclose(moved.coef, right.coef, rtol=2e-5)
        np.testing.assert_allclose(moved.covariance, right.covariance, rtol=1e-4, atol=1e-7)
        log_hazard = (X + SHIFT) @ moved.coef
        curves = survival_function(moved.baseline, log_hazard, GRID)
        wanted = survival_function(right.baseline, X @ right.coef, GRID)
        np.testing.assert_allclose(curves, wanted, rtol=1e-4)
        if l2 == 0:
            scaled = cox_fit(X * SCALE, EVENT, TIME)
            np.testing.assert_allclose(scaled.coef * SCALE, right.coef, rtol=2e-5)
            se, wanted = (np.sqrt(np.diag(f.covariance)) for f in (scaled, right))
            np.testing.assert_allclose(se * SCALE, wanted, rtol=1e-4)


def test_a_constant_column_far_from_zero_stays_constant():
    x = np.c_[X[:, 0], np.full(N, 1e6 + 0.1)]
    fit = cox_fit(x, EVENT, TIME, l2=1.0)
    np.testing.assert_allclose(fit.coef, [*cox_fit(X[:, :1], EVENT, TIME, l2=1.0).coef, 0], 1e-5)


def test_paths_do_not_depend_on_zero_and_unit():
    options = {"n_lambdas": 8, "lambda_min_ratio": 0.1}
    right = coxnet_path(X, EVENT, TIME, **options)
    for x, unit in ((X + SHIFT, 1.0), (X * SCALE, SCALE)):
        path = coxnet_path(x, EVENT, TIME, **options)
        np.testing.assert_allclose(np.asarray(path.coef) * unit, right.coef, rtol=1e-3, atol=1e-6)
        np.testing.assert_allclose(
            coxnet_cv(x, EVENT, TIME, FOLD, **options).deviance,
            coxnet_cv(X, EVENT, TIME, FOLD, **options).deviance,
            rtol=1e-4,
        )


@pytest.mark.parametrize("shift", [-116.0, 300.0, 1e5])
def test_the_zero_of_log_hazards(shift):
    h, sets = 2 * RISK, prepare_risk_sets(EVENT, TIME)
    curve, near = (breslow_baseline(x, risk_sets=sets) for x in (h + shift, h))
    found = survival_function(curve, h + shift, GRID)
    np.testing.assert_allclose(found, survival_function(near, h, GRID), rtol=2e-5)
    np.testing.assert_allclose(curve.log(GRID) + shift, near.log(GRID), atol=1e-5)
    if abs(shift) < 700:
        np.testing.assert_allclose(curve.values * np.exp(shift), near.values, rtol=1e-5)
    for function in (neg_log_partial_likelihood, martingale_residuals):
        np.testing.assert_allclose(
            function(h + shift, risk_sets=sets), function(h, risk_sets=sets), atol=2e-5
        )
    slope = calibration_slope(h + shift, EVENT, TIME).slope
    np.testing.assert_allclose(slope, calibration_slope(h, EVENT, TIME).slope, rtol=1e-4)


def test_risks_that_float32_takes_for_equal_are_ranked():
    fine = 1 + 1e-12 * RISK
    right, found = (concordance_index(r, EVENT, TIME).index for r in (RISK, fine))
    assert found == right
    assert hazard_ratio(fine, EVENT, TIME).p_value == hazard_ratio(RISK, EVENT, TIME).p_value
    curves = np.array([[1 - 1e-10 * np.exp(r)] for r in RISK])
    assert concordance_td(curves, GRID[:1] * 0 + 1, EVENT, TIME).index == pytest.approx(right)
    auc = [
        cumulative_dynamic_auc(r, GRID, EVENT, TIME, train_event=EVENT, train_time=TIME).auc
        for r in (RISK, fine)
    ]
    np.testing.assert_array_equal(*auc)
    aligned = [latent_alignment(X * s + z, RISK).first_component for s, z in ((1, 0), (1e-9, 1))]
    assert aligned[0] == pytest.approx(aligned[1])


@pytest.mark.parametrize("shift", [1e6, -1e9])
def test_kernels_of_data_far_from_zero(shift):
    y = X[:40] + 0.5
    for of in (
        lambda x, y: mmd2(x, y, bandwidth=1.0),
        lambda x, y: hsic(x, x[:, :1], bandwidth_x=1.0, bandwidth_y=1.0),
        lambda x, y: median_bandwidth(x, y),
        lambda x, y: rbf_kernel(x, y, bandwidth=1.0),
    ):
        np.testing.assert_allclose(of(X + shift, y + shift), of(X, y), rtol=1e-4, atol=1e-6)
