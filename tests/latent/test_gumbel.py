"""Gumbel-Softmax: its frequencies, its two kinds of gradients, and the annealing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads
from scipy import special, stats

from jaxsurv.latent import exponential_temperature, gumbel_softmax
from jaxsurv.types import InputError

LOGITS = jnp.array([0.5, -1.0, 2.0, 0.0])
PROBABILITIES = special.softmax(np.asarray(LOGITS, float))
N = 20_000

draw = jax.jit(gumbel_softmax, static_argnames="hard")


@pytest.mark.parametrize("temperature", [0.01, 1.0, 10.0])
@pytest.mark.parametrize("hard", [False, True])
def test_frequencies_are_the_softmax(temperature, hard):
    y = np.asarray(draw(jax.random.key(0), jnp.tile(LOGITS, (N, 1)), temperature, hard=hard))
    counts = np.bincount(y.argmax(axis=1), minlength=4)
    assert stats.chisquare(counts, N * PROBABILITIES).pvalue > 0.001
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-5)
    if hard:
        assert set(np.unique(y)) == {0.0, 1.0}


def test_temperature_goes_from_one_hot_to_uniform():
    logits, key = jnp.tile(LOGITS, (200, 1)), jax.random.key(1)
    peaks = [float(draw(key, logits, t).max(axis=1).mean()) for t in (1e-3, 0.5, 1.0, 5.0, 1e4)]
    assert peaks == sorted(peaks, reverse=True)
    assert peaks[0] > 0.99
    np.testing.assert_allclose(peaks[-1], 0.25, atol=0.01)


def test_hard_draws_are_the_largest_soft_entries_at_every_temperature():
    logits, key = jnp.tile(LOGITS, (200, 1)), jax.random.key(2)
    soft, cold = draw(key, logits, 1.0), draw(key, logits, 1e-6, hard=True)
    np.testing.assert_array_equal(soft.argmax(axis=1), cold.argmax(axis=1))


@pytest.mark.usefixtures("x64")
def test_gradients_pass_through_soft_and_hard_draws():
    key, logits = jax.random.key(3), jnp.asarray(np.random.default_rng(0).normal(size=(5, 4)))
    values = jnp.arange(20.0).reshape(5, 4) ** 2

    def expected(logits, temperature, hard=False):
        return (values * gumbel_softmax(key, logits, temperature, hard=hard)).sum()

    check_grads(jax.jit(expected), (logits, 0.7), order=1, modes=["rev"])
    gradient = jax.jit(jax.grad(expected, argnums=(0, 1)), static_argnames="hard")
    for soft, hard in zip(gradient(logits, 0.7), gradient(logits, 0.7, hard=True), strict=True):
        np.testing.assert_array_equal(soft, hard)
        assert np.asarray(soft).any()
    assert gumbel_softmax(key, logits, 0.7).dtype == jnp.float64


def test_one_key_one_draw():
    first, again, other = (draw(jax.random.key(i), LOGITS, 1.0) for i in (4, 4, 5))
    np.testing.assert_array_equal(first, again)
    assert (np.asarray(first) != other).all()
    keys, temperatures = jax.random.split(jax.random.key(6), 3), jnp.array([0.5, 1.0, 2.0])
    many = jax.vmap(lambda k, t: gumbel_softmax(k, LOGITS, t))(keys, temperatures)
    one = [draw(k, LOGITS, t) for k, t in zip(keys, temperatures, strict=True)]
    np.testing.assert_allclose(many, jnp.stack(one), rtol=1e-5)


@pytest.mark.parametrize(("start", "end", "steps"), [(1.0, 0.5, 100), (0.3, 0.7, 7), (1.0, 0.1, 1)])
def test_annealing_reaches_its_end_and_stays(start, end, steps):
    temperature = jax.jit(exponential_temperature(start, end, steps))
    values = np.array([temperature(step) for step in range(-1, steps + 3)])
    assert values[0] == values[1] == np.float32(start)
    np.testing.assert_array_equal(values[steps + 1 :], np.float32(end))
    ratios = values[2 : steps + 2] / values[1 : steps + 1]
    np.testing.assert_allclose(ratios, (end / start) ** (1 / steps), rtol=1e-4)


def test_annealing_is_traced_and_vectorised():
    @jax.jit
    def at(start, end, steps, step):
        return exponential_temperature(start, end, steps)(step)

    steps = jnp.array([0, 5, 10, 11])
    np.testing.assert_allclose(at(1.0, 0.25, 10, steps), [1, 0.5, 0.25, 0.25], rtol=1e-6)
    many = jax.vmap(at, in_axes=(0, None, None, None))(jnp.array([1.0, 4.0]), 0.25, 10, 5)
    np.testing.assert_allclose(many, [0.5, 1.0], rtol=1e-6)


def test_refusals():
    key = jax.random.key(0)
    with pytest.raises(InputError, match="temperature must be > 0, got 0"):
        gumbel_softmax(key, LOGITS, 0.0)
    with pytest.raises(InputError, match=r"temperature must be a number, got shape \[4\]"):
        gumbel_softmax(key, LOGITS, jnp.ones(4))
    with pytest.raises(InputError, match=r"logits must have shape \[..., K\], got \[\]"):
        gumbel_softmax(key, jnp.float32(1), 1.0)
    for wrong in ((0.0, 1.0, 5), (1.0, -1.0, 5), (1.0, 0.5, 0)):
        with pytest.raises(InputError, match="must be > 0"):
            exponential_temperature(*wrong)
