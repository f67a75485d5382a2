"""Cumulative sums against NumPy, in both arithmetics."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from jaxsurv.survival.cumulative import LINEAR, LOG, cumulative_logsumexp, cumulative_sum

SIZES = [1, 31, 32, 33, 129, 1500]  # on both sides of every block size


def accumulated(add, x, segment, reverse):
    """NumPy's running ``add`` from either end, within each segment."""
    turn = slice(None, None, -1 if reverse else 1)
    out = np.empty(len(x))
    for s in np.unique(0 if segment is None else segment):
        own = slice(None) if segment is None else segment == s
        out[own] = add.accumulate(x[own][turn])[turn]
    return out


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("segments", [None, 1, 3, 200])
@pytest.mark.usefixtures("x64")
def test_sums_within_segments(n, reverse, segments):
    rng = np.random.default_rng(n)
    segment = None if segments is None else np.sort(rng.integers(0, segments, n))
    # Segments of very different size: what one of them adds must not blur the others.
    scale = np.ones(n) if segment is None else 10.0 ** (20 * (segment % 2))
    x = rng.random(n) * scale
    expected = accumulated(np.add, x, segment, reverse)
    segment = None if segment is None else jnp.asarray(segment)
    got = cumulative_sum(jnp.asarray(x), reverse=reverse, segment=segment)
    np.testing.assert_allclose(got, expected, rtol=1e-13)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("segments", [None, 1, 3, 200])
@pytest.mark.usefixtures("x64")
def test_log_sums_of_any_spread_within_segments(n, reverse, segments):
    rng = np.random.default_rng(n)
    x = np.where(rng.random(n) < 0.2, -np.inf, rng.normal(size=n) * 500)
    segment = None if segments is None else np.sort(rng.integers(0, segments, n))
    expected = accumulated(np.logaddexp, x, segment, reverse)
    got = jax.jit(cumulative_logsumexp, static_argnames="reverse")(
        jnp.asarray(x), reverse=reverse, segment=segment
    )
    np.testing.assert_allclose(got, expected, rtol=1e-13)


def test_float32_keeps_small_sums_next_to_large_ones():
    x = np.linspace(300, -300, 2000).astype(np.float32)
    got = cumulative_logsumexp(jnp.asarray(x), reverse=True)
    expected = np.logaddexp.accumulate(x.astype(float)[::-1])[::-1]
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-4)


@pytest.mark.usefixtures("x64")
def test_log_sums_are_differentiable_twice_both_ways():
    x = jnp.array([0.3, -jnp.inf, 40.0, -50.0, 0.1, 2.0] + [0.2] * 130)
    is_term = jnp.isfinite(x)

    @jax.jit
    def total(y):
        sums = cumulative_logsumexp(jnp.where(is_term, y, -jnp.inf), segment=jnp.arange(136) // 9)
        return jnp.sum(jnp.where(is_term, jnp.sin(sums), 0))

    check_grads(total, (jnp.where(is_term, x, 0.0),), order=2, modes=["rev"])
    check_grads(total, (jnp.where(is_term, x, 0.0),), order=1, modes=["fwd"])


@pytest.mark.usefixtures("x64")
def test_one_formula_in_two_arithmetics():
    x = jnp.asarray(np.random.default_rng(0).normal(size=200))

    def formula(a):
        sums = a.cumulative(a.exp(x), reverse=True)
        mixed = a.add(a.multiply(sums, a.of(jnp.full(200, 0.25))), a.divide(a.exp(x), sums))
        return a.log(mixed), a.plain(mixed)

    for linear, log in zip(formula(LINEAR), formula(LOG), strict=True):
        np.testing.assert_allclose(linear, log, rtol=1e-12)
