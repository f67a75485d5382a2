"""KL divergences against general formulas, sampling and their own derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from jax.test_util import check_grads
from scipy import stats

from jaxsurv.divergences import categorical_kl, kl_standard_normal
from jaxsurv.types import InputError

RNG = np.random.default_rng(0)
MU = RNG.normal(size=(5, 3))
LOGVAR = RNG.normal(size=(5, 3))

kl = jax.jit(kl_standard_normal)


def general_kl(m0, s0, m1, s1):
    """``KL(N(m0, s0) || N(m1, s1))`` for any covariance matrices."""
    inverse, difference = np.linalg.inv(s1), m1 - m0
    log_ratio = np.linalg.slogdet(s1)[1] - np.linalg.slogdet(s0)[1]
    quadratic = difference @ inverse @ difference
    return 0.5 * (np.trace(inverse @ s0) + quadratic - len(m0) + log_ratio)


EXPECTED = [
    general_kl(m, np.diag(np.exp(v)), np.zeros(3), np.eye(3))
    for m, v in zip(MU, LOGVAR, strict=True)
]


def test_equals_the_formula_for_any_normals():
    np.testing.assert_allclose(kl(np.float32(MU), np.float32(LOGVAR)), EXPECTED, rtol=1e-5)


@pytest.mark.usefixtures("x64")
def test_equals_the_formula_in_float64():
    np.testing.assert_allclose(kl(MU, LOGVAR), EXPECTED, rtol=1e-13)


def test_equals_the_mean_log_ratio_of_samples():
    sd = np.exp(LOGVAR / 2)
    z = MU + sd * RNG.normal(size=(20_000, 5, 3))
    ratio = (stats.norm.logpdf(z, MU, sd) - stats.norm.logpdf(z)).sum(axis=-1)
    standard_error = ratio.std(axis=0) / np.sqrt(len(z))
    assert (np.abs(ratio.mean(axis=0) - kl(MU, LOGVAR)) < 4 * standard_error).all()


@pytest.mark.parametrize("logvar", [1e-4, -1e-3, 1e-2])
def test_near_the_prior_nothing_cancels(logvar):
    series = logvar**2 / 4 + logvar**3 / 12 + logvar**4 / 48
    ours = kl(np.zeros((1, 1), np.float32), np.full((1, 1), logvar, np.float32))
    np.testing.assert_allclose(ours, [series], rtol=2e-3)


numbers = st.floats(-30, 30, width=32) | st.floats(-(2**-10), 2**-10, width=32)


@given(
    mu=arrays(np.float32, (4, 2), elements=numbers),
    logvar=arrays(np.float32, (4, 2), elements=numbers),
)
@settings(max_examples=100, deadline=None)
def test_is_never_negative(mu, logvar):
    assert (np.asarray(kl(mu, logvar)) >= 0).all()


def test_is_zero_at_the_prior_only():
    zero = jnp.zeros((2, 3))
    np.testing.assert_array_equal(kl(zero, zero), 0)
    assert (kl(zero, zero.at[0, 1].set(0.1)) > 0).tolist() == [True, False]


@pytest.mark.usefixtures("x64")
def test_gradients():
    check_grads(kl, (MU, LOGVAR), order=2, modes=["rev"])
    gradient = jax.jit(jax.grad(lambda m, v: kl(m, v).sum(), argnums=(0, 1)))
    by_mu, by_logvar = gradient(MU, LOGVAR)
    np.testing.assert_allclose(by_mu, MU, rtol=1e-12)
    np.testing.assert_allclose(by_logvar, (np.exp(LOGVAR) - 1) / 2, rtol=1e-12)


LOGITS = RNG.normal(size=(6, 4)) * np.array([0.01, 0.1, 1, 3, 10, 100])[:, None]
to_uniform = jax.jit(categorical_kl)


@pytest.mark.usefixtures("x64")
def test_categorical_equals_the_general_formula():
    p = np.exp(LOGITS - LOGITS.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    expected = stats.entropy(p, np.full(p.shape, 0.25), axis=1)
    np.testing.assert_allclose(to_uniform(LOGITS), expected, rtol=1e-10)
    np.testing.assert_allclose(to_uniform(LOGITS + 7), expected, rtol=1e-9)
    check_grads(to_uniform, (LOGITS[:4],), order=2, modes=["rev"])


@given(logits=arrays(np.float32, (3, 4), elements=numbers))
@settings(max_examples=100, deadline=None)
def test_categorical_is_between_zero_and_log_k(logits):
    kl = np.asarray(to_uniform(logits))
    assert (kl > -1e-12).all()
    assert (kl <= np.log(4) * (1 + 1e-6)).all()


@pytest.mark.parametrize("size", [1e-3, 1e-2])
def test_categorical_near_uniform_nothing_cancels(size):
    logits = size * np.array([[1.0, -1.0, 0.5, 0.0]])
    expected = np.var(logits) / 2  # the leading term
    np.testing.assert_allclose(to_uniform(np.float32(logits)), [expected], rtol=2 * size + 1e-3)


def test_categorical_ends():
    one_hot = jnp.array([[300.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    np.testing.assert_allclose(to_uniform(one_hot), [np.log(3), 0], rtol=1e-6, atol=1e-13)
    assert np.isfinite(jax.grad(lambda x: to_uniform(x).sum())(one_hot)).all()


def test_refusals():
    with pytest.raises(InputError, match=r"shape \[n, d\], got \[3\] and \[3\]"):
        kl_standard_normal(jnp.zeros(3), jnp.zeros(3))
    with pytest.raises(InputError, match=r"got \[2, 3\] and \[2, 1\]"):
        kl_standard_normal(jnp.zeros((2, 3)), jnp.zeros((2, 1)))
    with pytest.raises(InputError, match=r"logits must have shape \[n, K\], got \[4\]"):
        categorical_kl(jnp.zeros(4))
