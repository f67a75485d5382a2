"""Inversions against their definition."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxsurv.survival.inversions import inversions


@pytest.mark.parametrize("n", [1, 2, 31, 33, 64, 65, 257, 1000])
def test_matches_the_double_sum(x64, n):
    rng = np.random.default_rng(n)
    position = rng.permutation(n)
    later, earlier = rng.random(n), rng.random(n)
    lower, higher = inversions(jnp.asarray(position), jnp.asarray(earlier), jnp.asarray(later))
    rank = np.argsort(position)
    pair = (np.arange(n)[:, None] < np.arange(n)) & (rank[:, None] > rank)  # [earlier, later]
    np.testing.assert_allclose(lower, pair @ later, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(higher, earlier @ pair, rtol=1e-11, atol=1e-11)


def test_counts_are_exact_in_float32():
    n = 5000
    position = np.random.default_rng(0).permutation(n)
    lower, higher = inversions(jnp.asarray(position), jnp.ones(n), None)
    rank = np.argsort(position)
    expected = (rank[None] < rank[:, None]) & (np.arange(n) > np.arange(n)[:, None])
    np.testing.assert_array_equal(lower, expected.sum(1))
    np.testing.assert_array_equal(higher, expected.sum(0))
