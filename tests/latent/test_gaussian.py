"""The reparameterised Gaussian: its distribution, and the gradients that pass through it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from jaxsurv.latent import sample_gaussian
from jaxsurv.types import InputError

MU = jnp.array([-2.0, 0.0, 5.0])
LOGVAR = jnp.array([-3.0, 0.0, 2.0])


N = 4000


@jax.jit
def draw(key):
    return sample_gaussian(key, jnp.tile(MU, (N, 1)), jnp.tile(LOGVAR, (N, 1)))


def test_draws_from_the_normal_distribution():
    z = np.asarray(draw(jax.random.key(0)))
    for j in range(3):
        normal = stats.norm(float(MU[j]), float(np.exp(LOGVAR[j] / 2)))
        assert stats.kstest(z[:, j], normal.cdf).pvalue > 0.001
    correlation = np.corrcoef(z, rowvar=False) - np.eye(3)
    assert np.abs(correlation).max() < 4 / np.sqrt(N)


@pytest.mark.usefixtures("x64")
def test_gradients_pass_through_the_draw():
    key, mu, logvar = jax.random.key(1), jnp.float64(0.7), jnp.float64(-0.4)
    value_and_grad = jax.jit(jax.value_and_grad(sample_gaussian, argnums=(1, 2)))
    z, (by_mu, by_logvar) = value_and_grad(key, mu, logvar)
    assert by_mu == 1
    np.testing.assert_allclose(by_logvar, (z - mu) / 2, rtol=1e-12)
    assert z.dtype == jnp.float64


def test_one_key_one_draw():
    first, again, other = (np.asarray(draw(jax.random.key(i))) for i in (2, 2, 3))
    np.testing.assert_array_equal(first, again)
    assert (first != other).mean() > 0.99
    rows = np.asarray(jax.vmap(draw)(jax.random.split(jax.random.key(2), 4)))[:, :, 1]
    correlation = np.corrcoef(rows) - np.eye(4)
    assert np.abs(correlation).max() < 4 / np.sqrt(N)


def test_without_variance_the_mean_is_drawn():
    z = jax.jit(sample_gaussian)(jax.random.key(4), MU, jnp.full(3, -200.0))
    np.testing.assert_array_equal(z, MU)


def test_shapes_that_differ_are_refused():
    with pytest.raises(InputError, match=r"one common shape, got \[3\] and \[1\]"):
        sample_gaussian(jax.random.key(0), MU, LOGVAR[:1])
