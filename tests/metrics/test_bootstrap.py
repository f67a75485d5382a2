"""The bootstrap against formulas, and its program."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsurv.metrics import bootstrap, concordance_index
from jaxsurv.types import InputError


def test_error_of_a_mean_and_one_compilation():
    rng = np.random.default_rng(0)
    traces = []

    def mean(x, weights):
        traces.append(1)
        return jnp.sum(x * weights) / jnp.sum(weights)

    for seed in range(2):
        x = rng.standard_normal(400).astype(np.float32)
        result = bootstrap(mean, jax.random.key(seed), x, np.ones(400), n_samples=2000)
        np.testing.assert_allclose(result.standard_error, x.std() / 20, rtol=0.06)
        width = result.upper - result.lower
        np.testing.assert_allclose(width, 2 * 1.96 * x.std() / 20, rtol=0.1)
        np.testing.assert_allclose(result.estimate, x.mean(), atol=1e-6)
        assert result.samples.shape == (2000,)
    assert len(traces) == 2  # once for the estimate and once for the samples


def test_concordance_and_its_jackknife_agree(reference):
    table, _ = reference("lung")
    arrays = [table[k].to_numpy(np.float32) for k in ("risk_fixed", "event", "time")]

    def index(*patients):
        return concordance_index(*patients).index

    key = jax.random.key(1)
    result = bootstrap(index, key, *arrays, n_samples=400, batch_size=50)
    jackknife = concordance_index(*arrays)
    np.testing.assert_allclose(result.standard_error, jackknife.standard_error, rtol=0.12)
    np.testing.assert_allclose(result.estimate, jackknife.index, rtol=1e-5)
    again = bootstrap(index, key, *arrays, n_samples=400, batch_size=130)
    np.testing.assert_allclose(again.samples, result.samples, rtol=1e-6)


def test_samples_without_a_pair_are_left_out():
    event = np.array([1, 0, 0, 0, 0, 0])
    result = bootstrap(
        lambda *a: concordance_index(*a).index,
        jax.random.key(0),
        np.arange(6.0),
        event,
        np.arange(6.0),
    )
    assert np.isnan(result.samples).mean() > 0.2
    assert float(result.lower) == float(result.upper) == 0


@pytest.mark.parametrize(
    "x",
    [
        1_700_000_000_000 + np.arange(20) * 10**9,  # wraps in int32, and stays unique
        1_700_000_000 + np.arange(20),  # seconds, equal in float32
        np.uint32(2**31) + np.arange(20, dtype=np.uint32),
        2.0**40 + np.arange(20) * 2.0**17 * 1.03,  # rounded, and stays unique
        np.append(0.0, 1e300 * np.arange(20)),
    ],
    ids=["milliseconds", "seconds", "unsigned", "rounded", "overflow"],
)
def test_values_beyond_the_default_precision_keep_their_spread(x):
    def place(a):
        return jnp.mean((a - a.min()) / (a.max() - a.min()))

    exact = (x.astype(float) - float(x.min())) / (float(x.max()) - float(x.min()))
    result = bootstrap(place, jax.random.key(0), x, n_samples=9)
    np.testing.assert_allclose(result.estimate, exact.mean(), rtol=1e-6)


def test_refusals():
    key = jax.random.key(0)
    with pytest.raises(InputError, match=r"one common number of rows, got \[\[3\], \[2, 1\]\]"):
        bootstrap(jnp.mean, key, np.ones(3), np.ones((2, 1)))
    with pytest.raises(InputError, match="level must be between 0 and 1, got 95"):
        bootstrap(jnp.mean, key, np.ones(3), level=95)
