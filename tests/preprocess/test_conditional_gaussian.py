"""Whole modalities imputed: against the formula, brute-force cross-validation, and scikit-learn."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from jaxsurv.preprocess import fit_gaussian, impute_gaussian, transform
from jaxsurv.preprocess.conditional_gaussian import ridge_by_gcv
from jaxsurv.types import InputError

from .test_round_robin import N, blocks, error, iterative, scaled

COLUMNS = {"a": slice(0, 15), "b": slice(15, 30), "c": slice(30, 45)}


@pytest.mark.parametrize(("n", "p"), [(30, 8), (20, 50)])
def test_ridge_by_brute_force(n, p):
    rng = np.random.default_rng(0)
    x = rng.normal(2, 1, (n, p))
    y = 0.5 * x[:, :3] + rng.normal(size=(n, 3)) + 5
    found = {}
    for penalty in n * np.logspace(-2, 3, 26):
        model = Ridge(penalty).fit(x, y)
        centred = x - x.mean(axis=0)
        hat = centred @ np.linalg.solve(centred.T @ centred + penalty * np.eye(p), centred.T)
        found[np.sum((y - model.predict(x)) ** 2) / (n - 1 - np.trace(hat)) ** 2] = model
    best = found[min(found)]
    coef, intercept = ridge_by_gcv(x, y)
    np.testing.assert_allclose(coef, best.coef_.T, atol=1e-8)
    np.testing.assert_allclose(intercept, best.intercept_, atol=1e-8)


def filled(data, where=None):
    where = np.ones(len(data.x), bool) if where is None else where
    features, scaler = scaled(data, where)
    model = fit_gaussian(features.x, scaler, COLUMNS, data.presence, where)
    return model, impute_gaussian(model, features.x, data.presence)


def test_is_the_conditional_mean_of_a_gaussian_with_shrunk_correlations():
    data = blocks(0, two=False, five=False)
    out = filled(data)[1]
    scaler = scaled(data, np.ones(len(data.x), bool))[1]
    z, gain = np.asarray(transform(scaler, data.x), float), np.asarray(scaler.gain, float)
    has = {m: p > 0 for m, p in data.presence.items()}
    rows = has["a"] & has["b"] & has["c"]
    target = ~has["b"] & has["a"] & has["c"]
    p = np.r_[0:15, 30:45]
    s = np.cov(z[rows], rowvar=False, ddof=0)
    mean = z[rows].mean(axis=0)
    found = ((out - np.asarray(scaler.center)) * gain)[target, 15:30]
    errors = []
    for more in np.logspace(-2, 3, 26):
        coef = np.linalg.solve(s[np.ix_(p, p)] + more * np.eye(30), s[p, 15:30])
        expected = mean[15:30] + (z[target][:, p] - mean[p]) @ coef
        errors.append(np.abs(found - expected).max())
    assert min(errors) < 1e-4 < sorted(errors)[1]


def test_only_absent_modalities_change():
    data = blocks(1, sporadic=0.05)
    _, out = filled(data)
    known = np.isfinite(data.x)
    np.testing.assert_array_equal(out[known], data.x[known])
    for m, columns in COLUMNS.items():
        absent = data.presence[m] == 0
        assert np.isfinite(out[absent, columns]).all()
        np.testing.assert_array_equal(out[~absent, columns], data.x[~absent, columns])


def test_rows_that_are_not_fitted_have_no_influence():
    data, where = blocks(2), np.arange(N) % 4 > 0
    rng = np.random.default_rng(0)
    junk = data._replace(x=np.where(where[:, None], data.x, rng.permuted(data.x, axis=1)))
    np.testing.assert_array_equal(filled(data, where)[1][where], filled(junk, where)[1][where])


def test_rows_may_come_in_any_order():
    data, order = blocks(3), np.random.default_rng(0).permutation(N)
    moved = data._replace(x=data.x[order], presence={m: p[order] for m, p in data.presence.items()})
    np.testing.assert_allclose(filled(moved)[1], filled(data)[1][order], atol=1e-4)


def test_is_no_worse_than_iterative_imputer():
    data = blocks(3)
    assert error(data, filled(data)[1]) < 1.01 * error(data, iterative(data))


def test_patterns_that_cannot_be_learnt_stay_missing_and_unknown_ones_are_refused():
    data = blocks(5)
    has = {m: p > 0 for m, p in data.presence.items()}
    where = ~(has["a"] & has["b"])  # nobody to learn b from a
    model, out = filled(data, where)
    only_a = has["a"] & ~has["b"]
    assert np.isnan(out[only_a, 15:30]).all()
    seen = ~(has["a"] & ~has["b"] & ~has["c"])
    part = data._replace(x=data.x[seen], presence={m: p[seen] for m, p in data.presence.items()})
    model, _ = filled(part)
    with pytest.raises(InputError, match="patients with a only, a pattern that was not there"):
        impute_gaussian(model, data.x, data.presence)
    nothing = {m: np.zeros(2) for m in COLUMNS}
    assert np.isnan(impute_gaussian(model, np.full((2, 45), np.nan), nothing)).all()


def test_features_that_are_not_used_stay_missing():
    data = blocks(6)
    features, scaler = scaled(data, np.ones(N, bool))
    scaler = scaler._replace(gain=np.where(np.arange(45) == 20, 0, scaler.gain))
    model = fit_gaussian(features.x, scaler, COLUMNS, data.presence, np.ones(N, bool))
    out = impute_gaussian(model, features.x, data.presence)
    absent = data.presence["b"] == 0
    assert np.isnan(out[absent, 20]).all()
    assert np.isfinite(out[absent, 21]).all()
