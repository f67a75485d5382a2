"""Hashed random numbers: as uniform, normal and independent as those of JAX's generator."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from scipy import stats

from jaxsurv.nets.random import lecun_normal, uniform

SHAPE = (512, 256)


def drawn(*seeds):
    return [np.asarray(uniform(jax.random.key(i), SHAPE, jnp.float32)) for i in seeds]


def correlation(a, b):
    """In units of its standard error."""
    return np.corrcoef(a.ravel(), b.ravel())[0, 1] * np.sqrt(a.size)


@pytest.mark.parametrize("seed", range(4))
def test_numbers_are_uniform(seed):
    (u,) = drawn(seed)
    assert u.min() > 0
    assert u.max() < 1
    assert stats.kstest(u.ravel(), "uniform").pvalue > 1e-4
    counts = np.histogram(u, 4096, (0, 1))[0]
    assert stats.chisquare(counts).pvalue > 1e-4
    for axis in (0, 1):
        sums = (u.sum(axis) - u.shape[axis] / 2) / np.sqrt(u.shape[axis] / 12)
        assert stats.kstest(sums, "norm").pvalue > 1e-4


def test_low_bits_are_uniform_too():
    (u,) = drawn(5)
    low = (u.astype(float) * 2**24).astype(int) // 2 % 64  # the lowest bit is always 1
    assert stats.chisquare(np.bincount(low.ravel(), minlength=64)).pvalue > 1e-4


@pytest.mark.parametrize("lag", [1, 2, 3, 4, 255, 256, 257, 65536])
def test_positions_are_independent(lag):
    for u in drawn(6, 7):
        assert abs(correlation(u.ravel()[lag:], u.ravel()[:-lag])) < 4.5
        joint = np.histogram2d(u.ravel()[lag:], u.ravel()[:-lag], 16, [(0, 1), (0, 1)])[0]
        assert stats.chisquare(joint.ravel()).pvalue > 1e-4


def test_keys_are_independent_even_if_one_word_is_the_same():
    words = np.uint32([[1, 7], [1, 8], [2, 7], [7, 1], [0, 0], [0, 1], [1, 0], [2**31, 7]])
    keys = jax.random.wrap_key_data(words)
    u = np.asarray(jax.vmap(lambda k: uniform(k, SHAPE, jnp.float32))(keys)).reshape(len(words), -1)
    apart = np.corrcoef(u) - np.eye(len(words))
    assert np.abs(apart).max() < 4.5 / np.sqrt(u.shape[1])
    # nor is one stream another one shifted
    for lag in range(1, 9):
        shifted = np.corrcoef(u[:, lag:], u[:, :-lag])[: len(words), len(words) :]
        assert np.abs(shifted).max() < 5 / np.sqrt(u.shape[1])


def test_a_number_depends_on_key_and_position_alone():
    keys = jax.random.split(jax.random.key(8), 3)
    one = [uniform(k, (6, 5), jnp.float32) for k in keys]
    np.testing.assert_array_equal(jax.vmap(lambda k: uniform(k, (6, 5), jnp.float32))(keys), one)
    np.testing.assert_array_equal(uniform(keys[0], (2, 5), jnp.float32), one[0][:2])


def test_initial_weights_have_the_distribution_of_lecun():
    d, width = 64, 2000
    ours = np.asarray(lecun_normal(jax.random.key(9), (d, width)))
    theirs = np.asarray(nn.initializers.lecun_normal()(jax.random.key(9), (d, width)))
    assert stats.ks_2samp(ours.ravel(), theirs.ravel()).pvalue > 1e-4
    np.testing.assert_allclose(np.abs(ours).max(), np.abs(theirs).max(), rtol=1e-3)


def test_networks_beside_each_other_have_the_fan_in_of_one():
    ours = lecun_normal(jax.random.key(10), (5, 64, 400))
    np.testing.assert_allclose(np.std(ours, axis=(1, 2)), 1 / 8, rtol=0.03)
