"""Principal components against NumPy's singular value decomposition."""

import jax
import numpy as np
import pytest

from jaxsurv.preprocess import Features, fit_projection, fit_scaler, transform


def standardised(n, d, rank=None, seed=0):
    """``[n, d]`` of mean 0 with singular values that halve from one to the next."""
    rng = np.random.default_rng(seed)
    rank = rank or min(n - 1, d)
    z = rng.normal(size=(n, rank)) * 0.5 ** np.arange(rank) @ rng.normal(size=(rank, d))
    return (z - z.mean(axis=0)).astype(np.float32)


@pytest.mark.parametrize(("n", "d"), [(80, 30), (25, 200)])
def test_directions_and_scale_equal_numpy(n, d):
    z, k = standardised(n, d), 4
    projection = fit_projection(z, k)
    assert projection.shape == (d, k)
    assert projection.dtype == np.float32
    _, scale, directions = np.linalg.svd(z.astype(float), full_matrices=False)
    expected = directions[:k].T * np.sqrt(n) / scale[0]
    sign = np.sign(np.sum(projection * expected, axis=0))
    np.testing.assert_allclose(projection * sign, expected, atol=1e-3 * np.abs(expected).max())
    covariance = np.cov(z @ projection, rowvar=False, ddof=0)
    np.testing.assert_allclose(covariance, np.diag(scale[:k] ** 2 / scale[0] ** 2), atol=1e-4)


@pytest.mark.parametrize(("n", "d", "rank"), [(40, 20, 2), (40, 3, 3), (3, 20, 2)])
def test_columns_beyond_the_rank_are_zero(n, d, rank):
    projection = fit_projection(standardised(n, d, rank), 6)
    assert projection.shape == (d, 6)
    np.testing.assert_array_equal(projection.any(axis=0), np.arange(6) < rank)


@pytest.mark.parametrize("n", [10, 0])
def test_nothing_to_project_gives_zero(n):
    projection = fit_projection(np.zeros((n, 7), np.float32), 3)
    np.testing.assert_array_equal(projection, np.zeros((7, 3)))


def test_same_rows_same_projection():
    z = standardised(50, 60)
    np.testing.assert_array_equal(fit_projection(z, 5), fit_projection(z.copy(), 5))


def test_rows_that_are_not_fitted_have_no_influence():
    @jax.jit
    def scores(x, order):
        yes = np.ones(x.shape[1], bool)
        return transform(fit_scaler(Features(x, order, yes), where), x)

    where = np.arange(50) < 35
    x = standardised(50, 12)
    other = np.where(where[:, None], x, 1e3 * x[::-1])
    one, two = (np.asarray(scores(x, np.argsort(x, axis=0))) for x in (x, other))
    assert not np.array_equal(one, two)
    np.testing.assert_array_equal(fit_projection(one[where], 3), fit_projection(two[where], 3))
