import jax
import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, rankdata

from jaxsurv.factors import (
    Structure,
    moments,
    search_structure,
    simulate_factors,
    simulate_loadings,
)
from jaxsurv.preprocess import normal_scores
from jaxsurv.types import InputError

RNG = np.random.default_rng(0)


def test_scores_are_the_quantiles_of_mid_ranks():
    x = RNG.integers(0, 9, (40, 3)).astype(float)
    expected = norm.ppf((rankdata(x, axis=0) - 0.5) / 40)
    np.testing.assert_allclose(normal_scores(x), expected, atol=1e-12)
    np.testing.assert_allclose(normal_scores(pd.DataFrame(x)), expected, atol=1e-12)


def test_no_increasing_function_changes_them():
    x = RNG.normal(size=(50, 4))
    np.testing.assert_array_equal(normal_scores(np.exp(3 * x)), normal_scores(x))
    np.testing.assert_allclose(normal_scores(-x), -normal_scores(x), atol=1e-12)


def test_missing_values_stay_missing_and_take_no_rank():
    x = RNG.normal(size=(30, 2))
    gaps = x.copy()
    gaps[::3, 0] = np.nan
    gaps[:, 1] = np.nan
    scores, there = normal_scores(gaps), ~np.isnan(gaps[:, 0])
    np.testing.assert_array_equal(np.isnan(scores), np.isnan(gaps))
    np.testing.assert_array_equal(scores[there, :1], normal_scores(x[there, :1]))


def test_other_rows_are_placed_among_the_training_rows_and_change_nothing():
    x, train = RNG.normal(size=(60, 2)), np.arange(60) < 40
    scores = normal_scores(x, train)
    np.testing.assert_array_equal(scores[train], normal_scores(x[train]))
    for j in range(2):
        order = np.argsort(x[:, j])
        assert (np.diff(scores[order, j]) >= 0).all()
    top = normal_scores(np.where(train[:, None], x, 1e9), train)
    np.testing.assert_array_equal(top[~train], np.full((20, 2), norm.ppf(1 - 0.5 / 40)))


def test_structure_is_found_behind_unknown_scales():
    """Features whose scale is the exponential of the model's: only their ranks know who shares what."""
    sizes = {"a": 12, "b": 10, "c": 8}
    truth = Structure.of(sizes, {("a", "b"): 1, ("c",): 1})
    w = 2 * simulate_loadings(jax.random.key(2), truth)
    x, _ = simulate_factors(jax.random.key(1), w, truth, n=1500, noise=1.0)
    scores = {m: normal_scores(np.exp(3 * np.asarray(v))) for m, v in x.items()}
    start = Structure.of(sizes, {tuple(sizes): 4})
    found, _ = search_structure(moments(start, scores), start)
    assert set(found.blocks) == set(truth.blocks)
    assert dict(found.ranks)["a", "b"] == 1


@pytest.mark.parametrize(
    ("x", "where", "message"),
    [
        (np.ones(3), None, r"must be \[n, d\]"),
        (np.ones((3, 2)), np.ones(2, bool), "where must be 3 booleans"),
        (np.ones((3, 2)), np.ones(3), "where must be 3 booleans"),
        (np.array([[1.0, 2.0], [3.0, np.inf]]), None, "row 1, column 1"),
    ],
)
def test_refusals(x, where, message):
    with pytest.raises(InputError, match=message):
        normal_scores(x, where)
