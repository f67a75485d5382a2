"""The chain against a naive twin, scikit-learn's regressions and its IterativeImputer."""

import warnings
from functools import partial
from typing import NamedTuple

import jax
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from jaxsurv.preprocess import Features, fit_round_robin, fit_scaler, impute_round_robin
from jaxsurv.preprocess.round_robin import RIDGE, SHRINK, nearest

N, D = 400, 45


class Data(NamedTuple):
    """``[n, d]`` in three blocks of 15: in each ten measured, four five-state, one binary columns."""

    full: np.ndarray
    x: np.ndarray
    presence: dict
    five: np.ndarray
    two: np.ndarray


def blocks(seed, *, two=True, five=True, sporadic=0.0):
    rng = np.random.default_rng(seed)
    load = rng.normal(size=(6, D)) * (rng.random((6, D)) < 0.5)
    x = rng.normal(size=(N, 6)) @ load + rng.normal(size=(N, D))
    x /= x.std(axis=0)
    place = np.arange(D) % 15
    five, two = five & (place >= 10) & (place < 14), two & (place == 14)
    x = np.where(five, np.digitize(x, [-2, -0.9, 0.9, 2]) - 2, x)
    x = np.where(two, x > 0.6, x).astype(np.float32)
    absent = rng.random((N, 3)) < 0.3
    absent[absent.all(axis=1)] = False
    missing = np.repeat(absent, 15, axis=1) | (rng.random((N, D)) < sporadic)
    presence = {m: 1.0 - absent[:, i] for i, m in enumerate("abc")}
    return Data(x, np.where(missing, np.nan, x), presence, five, two)


def scaled(data, where):
    order = np.argsort(data.x, axis=0).astype(np.int32)
    features = Features(data.x, order, ~(data.five | data.two))
    return features, jax.tree.map(np.asarray, jax.jit(fit_scaler)(features, where))


@partial(jax.jit, static_argnames=("rounds", "neighbours"))
def chain(features, scaler, where, rounds=5, neighbours=20):
    model = fit_round_robin(features, scaler, where, rounds=rounds, neighbours=neighbours)
    return model, impute_round_robin(model, features.x)


def filled(data, where=None, **options):
    where = np.ones(len(data.x), bool) if where is None else where
    return np.asarray(chain(*scaled(data, where), where, **options)[1])


def error(data, out):
    """Root mean square over the masked cells, in standard deviations; states and classes rounded."""
    out = np.where(data.five, np.clip(np.round(out), -2, 2), out)
    out = np.where(data.two, np.clip(np.round(out), 0, 1), out)
    cells = ((out - data.full) / data.full.std(axis=0))[np.isnan(data.x)]
    return np.sqrt(np.mean(cells**2))


def iterative(data):
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it does not converge, nor do we in five rounds
        model = IterativeImputer(max_iter=5, n_nearest_features=20, random_state=0, tol=0)
        return model.fit_transform(data.x)


def naive(data, where, rounds, k):
    """Loops over rounds, features and rows' regressions, from the definitions, in float64."""
    scaler = scaled(data, where)[1]
    gain, center = (np.asarray(a, float) for a in (scaler.gain, scaler.center))
    x = np.clip(data.x, scaler.lower, scaler.upper).astype(float)
    z, known = (x - center) * gain, np.isfinite(x)
    start, values, coef = np.where(known, z, 0), np.where(known, z, 0), np.zeros((D, k + 1))
    seen = known & where[:, None]
    neighbours = []
    for j in range(D):
        score = np.zeros(D)
        for i in range(D):
            both, lacks = seen[:, i] & seen[:, j], where & ~known[:, j]
            share = known[lacks, i].mean() if lacks.any() else 1
            score[i] = abs(start[both, i] @ start[both, j]) / (both.sum() + SHRINK) * share
        score[j] = -1
        neighbours.append(np.argsort(-score, kind="stable")[:k])
    for _ in range(rounds):
        after = values.copy()
        for j, near in enumerate(neighbours):
            design = np.c_[values[:, near], np.ones(N)]
            rows, eta = design[seen[:, j]], design[seen[:, j]] @ coef[j]
            p = 1 / (1 + np.exp(-eta)) if data.two[j] else eta
            weight = p * (1 - p) if data.two[j] else np.ones(len(rows))
            y = x[seen[:, j], j] if data.two[j] else z[seen[:, j], j]
            penalty = np.r_[np.full(k, RIDGE), 1e-3] * (0.25 if data.two[j] else 1)
            step = np.linalg.solve(
                rows.T @ (weight[:, None] * rows) + np.diag(penalty),
                rows.T @ (weight * eta + y - p),
            )
            coef[j] = step
            eta = design @ step
            value = (1 / (1 + np.exp(-eta)) - center[j]) * gain[j] if data.two[j] else eta
            value = np.clip(value, z[seen[:, j], j].min(), z[seen[:, j], j].max())
            after[:, j] = np.where(known[:, j], z[:, j], value)
        values = after
    raw = values / gain + center
    raw = np.where(data.five | data.two, np.round(raw), raw)
    return np.where(np.isfinite(data.x), data.x, raw)


def test_against_the_naive_twin(x64):
    data, where = blocks(0, sporadic=0.05), np.arange(N) % 4 > 0
    out, expected = filled(data, where, rounds=3, neighbours=5), naive(data, where, 3, 5)
    np.testing.assert_allclose(out, expected, atol=1e-5)


def test_a_column_alone_is_a_ridge_or_a_logistic_regression(x64):
    data = blocks(1)
    for j in (0, 14):
        x = data.full.astype(float)
        x[:60, j] = np.nan
        one = data._replace(x=x)
        features, scaler = scaled(one, np.ones(N, bool))
        model, out = chain(features, scaler, np.ones(N, bool), rounds=8, neighbours=D - 1)
        z = (np.clip(x, scaler.lower, scaler.upper) - scaler.center) * scaler.gain
        others = np.asarray(model.neighbours[j])
        assert sorted(others) == [i for i in range(D) if i != j]
        if j == 0:
            peer = Ridge(RIDGE).fit(z[60:][:, others], z[60:, j])
            np.testing.assert_allclose(model.coef[-1, j, :-1], peer.coef_, atol=1e-5)
            expected = peer.predict(z[:60][:, others]) / scaler.gain[j] + scaler.center[j]
            clipped = np.clip(expected, np.nanmin(x[:, j]), np.nanmax(x[:, j]))
            np.testing.assert_allclose(out[:60, j], clipped, atol=1e-4)
        else:
            peer = LogisticRegression(C=4 / RIDGE, tol=1e-10).fit(z[60:][:, others], x[60:, j])
            np.testing.assert_allclose(model.coef[-1, j, :-1], peer.coef_[0], atol=1e-4)
            np.testing.assert_array_equal(out[:60, j], peer.predict(z[:60][:, others]))


@pytest.mark.parametrize("sporadic", [0.0, 0.1])
def test_is_no_worse_than_iterative_imputer(sporadic):
    data = blocks(2, sporadic=sporadic)
    out = filled(data)
    assert error(data, out) < 1.01 * error(data, iterative(data))
    assert error(data, out) < 0.85 * error(data, np.where(np.isnan(data.x), 0.0, data.x))


def test_values_are_of_their_kind_and_what_was_there_stays():
    data = blocks(3, sporadic=0.1)
    out, known = filled(data), np.isfinite(data.x)
    assert np.isfinite(out).all()
    np.testing.assert_array_equal(out[known], data.x[known])
    assert set(np.unique(out[:, data.two])) == {0, 1}
    assert set(np.unique(out[:, data.five])) == {-2, -1, 0, 1, 2}
    assert (out <= np.nanmax(data.x, axis=0) + 1e-5).all()
    whole = data._replace(x=data.full)
    np.testing.assert_array_equal(filled(whole), data.full)


def test_rows_that_are_not_fitted_have_no_influence():
    data, where = blocks(4), np.arange(N) % 4 > 0
    rng = np.random.default_rng(0)
    junk = data._replace(x=np.where(where[:, None], data.x, rng.permuted(data.x, axis=1)))
    one, other = (
        jax.tree.map(np.asarray, chain(*scaled(d, where), where)[0]) for d in (data, junk)
    )
    jax.tree.map(np.testing.assert_array_equal, one, other)
    np.testing.assert_array_equal(filled(data, where)[where], filled(junk, where)[where])


def test_rows_may_come_in_any_order():
    data, order = blocks(5), np.random.default_rng(0).permutation(N)
    moved, still = filled(data._replace(x=data.x[order])), filled(data)[order]
    rounded = data.five | data.two  # a half may fall to either side
    np.testing.assert_allclose(moved[:, ~rounded], still[:, ~rounded], atol=1e-3)
    assert (moved != still)[:, rounded].mean() < 0.001


def test_new_rows_are_filled_by_what_was_fitted():
    data, where = blocks(6), np.arange(N) < 300
    model, out = chain(*scaled(data, where), where)
    new = impute_round_robin(model, data.x[300:])
    np.testing.assert_allclose(new, out[300:], atol=1e-4)


def test_folds_are_an_axis():
    data = blocks(7)
    masks = np.random.default_rng(0).random((2, N)) < 0.8
    pairs = [scaled(data, where) for where in masks]
    scalers = jax.tree.map(lambda *a: np.stack(a), *(s for _, s in pairs))
    both = jax.vmap(chain, in_axes=(None, 0, 0))(pairs[0][0], scalers, masks)[1]
    rounded = data.five | data.two
    for where, out in zip(masks, np.asarray(both), strict=True):
        np.testing.assert_allclose(out[:, ~rounded], filled(data, where)[:, ~rounded], atol=1e-3)


def test_neighbours_are_those_that_are_there():
    data = blocks(8)
    scaler = scaled(data, np.ones(N, bool))[1]
    known = np.isfinite(data.x)
    z = np.where(known, (data.x - scaler.center) * scaler.gain, 0)
    found = np.asarray(nearest(z, known, np.ones(N, bool), 4))
    own = found // 15 == np.arange(D)[:, None] // 15
    assert not own.any()


def test_features_that_are_not_used_stay_missing_and_teach_nothing():
    data, where = blocks(9), np.ones(N, bool)
    features, scaler = scaled(data, where)
    scaler = scaler._replace(gain=np.where(np.arange(D) == 20, 0, scaler.gain).astype(np.float32))
    out = np.asarray(chain(features, scaler, where)[1])
    assert np.isnan(out[data.presence["b"] == 0, 20]).all()
    x = data.x.copy()
    x[:, 20] = np.random.default_rng(0).permutation(x[:, 20])
    other = np.asarray(chain(features._replace(x=x), scaler, where)[1])
    rest = np.arange(D) != 20
    np.testing.assert_array_equal(out[:, rest], other[:, rest])
