"""HSIC against energy, its definition in NumPy, and what it is for: independence."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.test_util import check_grads

from jaxsurv.divergences import hsic
from jaxsurv.types import InputError
from tests.divergences import naive

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(9, 3)), RNG.normal(size=(9, 2))
WHERE = np.array([1, 1, 0, 1, 0, 1, 1, 1, 0], bool)
ESTIMATORS = ["biased", "unbiased"]

compiled = jax.jit(hsic, static_argnames="estimator")


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_agrees_with_energy(reference, estimator):
    table, expected = reference("kernels", "kernels.json")
    for case in expected["hsic"]:
        x, y = (table[case[f"columns_{v}"]].to_numpy(float) for v in "xy")
        ours = compiled(
            x,
            y,
            bandwidth_x=(2 * case["gamma_x"]) ** -0.5,
            bandwidth_y=(2 * case["gamma_y"]) ** -0.5,
            estimator=estimator,
            where=np.arange(len(x)) < case["n_first_rows"],
        )
        np.testing.assert_allclose(ours, case[f"hsic_{estimator}"], rtol=1e-9)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize(
    ("bandwidth", "estimator"), [(np.array([0.5, 1.0, 3.0]), "biased"), (0.8, "unbiased")]
)
def test_is_its_definition(bandwidth, estimator):
    options = {"bandwidth_x": bandwidth, "bandwidth_y": 1.1, "estimator": estimator}
    for where in (np.ones(9, bool), WHERE):
        ours, exact = (
            compiled(X, Y, **options, where=where),
            naive.hsic(X[where], Y[where], **options),
        )
        np.testing.assert_allclose(ours, exact, rtol=1e-10)


def test_wide_kernels_keep_their_digits_in_float32():
    """Kernels near 1 leave little between large sums."""
    x, y = RNG.normal(size=(2, 400, 32))
    y[:, 0] += x[:, 0]
    for estimator in ESTIMATORS:
        options = {"bandwidth_x": 22.6, "bandwidth_y": 22.6, "estimator": estimator}
        exact = naive.hsic(x, y, **options)
        np.testing.assert_allclose(compiled(x, y, **options), exact, rtol=2e-3)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize(
    ("bandwidth", "estimator"), [(0.8, "biased"), (np.array([0.5, 1.0, 3.0]), "unbiased")]
)
def test_gradients(bandwidth, estimator):
    x = np.vstack([X[:-1], X[:1]])  # a point that lies on another
    options = {"bandwidth_x": bandwidth, "bandwidth_y": 1.1, "estimator": estimator}
    f = jax.jit(lambda x, y: hsic(x, y, **options, where=WHERE))
    check_grads(f, (x, Y), order=1, modes=["rev"])


@pytest.mark.usefixtures("x64")
def test_second_derivatives():
    def pushed(x, y):
        gradient = jax.grad(lambda x: hsic(x, y, bandwidth_x=0.8, bandwidth_y=1.1))
        return (gradient(x) ** 2).sum()

    check_grads(jax.jit(pushed), (X, Y), order=1, modes=["rev"])


def test_points_that_all_coincide_have_finite_gradients():
    f = jax.jit(jax.grad(lambda x: hsic(x, Y, bandwidth_x=0.1, bandwidth_y=1.0)))
    np.testing.assert_allclose(f(jnp.ones((9, 3))), 0, atol=1e-6)


@given(garbage=st.sampled_from([np.nan, np.inf, 1e30, 7.0]), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_masked_rows_change_nothing(garbage, seed):
    where = np.random.default_rng(seed).permutation(WHERE)

    def f(x, y):
        options = {"bandwidth_x": 1.0, "bandwidth_y": 1.0, "estimator": "unbiased"}
        return compiled(x, y, **options, where=where)

    def filled(value):
        return [np.where(where[:, None], z, value).astype(np.float32) for z in (X, Y)]

    both = jax.value_and_grad(f, argnums=(0, 1))
    (value, gradients), (other, spoilt) = both(*filled(0)), both(*filled(garbage))
    assert value == other
    for gradient, same in zip(gradients, spoilt, strict=True):
        np.testing.assert_array_equal(gradient, same)
        assert not gradient[~where].any()


def independent(n, runs=500):
    return RNG.normal(size=(runs, n, 2)), RNG.exponential(size=(runs, n, 1))


@jax.jit
def unbiased(x, y):
    def f(x, y):
        return hsic(x, y, bandwidth_x=1.0, bandwidth_y=0.7, estimator="unbiased")

    return jax.vmap(f)(x, y)


def test_independence_has_mean_zero():
    values = np.asarray(unbiased(*independent(20)))
    assert abs(values.mean()) < 4 * values.std() / np.sqrt(len(values))
    assert values.min() < 0 < values.max()
    x, y = independent(20)
    assert unbiased(x, y + x[:, :, :1] ** 2).mean() > 10 * abs(values.mean())


def test_permutations_find_dependence_without_correlation():
    permutations = np.array([RNG.permutation(60) for _ in range(500)])

    def p_value(x, y):
        values = np.asarray(unbiased(np.tile(x, (500, 1, 1)), y[permutations]))
        return (1 + (values >= float(unbiased(x[None], y[None])[0])).sum()) / 501

    x, noise = RNG.normal(size=(60, 2)), RNG.normal(size=(60, 1))
    assert p_value(x, x[:, :1] ** 2 + 0.5 * noise) < 0.01
    assert p_value(x, noise) > 0.01


@pytest.mark.usefixtures("x64")
def test_symmetric_and_blind_to_order():
    options = {"bandwidth_x": 0.8, "bandwidth_y": 1.3}
    swapped = {"bandwidth_x": 1.3, "bandwidth_y": 0.8}
    order = RNG.permutation(9)
    for estimator in ESTIMATORS:
        value = compiled(X, Y, **options, estimator=estimator)
        np.testing.assert_allclose(compiled(Y, X, **swapped, estimator=estimator), value)
        again = compiled(X[order], Y[order], **options, estimator=estimator)
        np.testing.assert_allclose(again, value, rtol=1e-10)


def test_vmapped_is_sequential():
    x, scale = RNG.normal(size=(4, 9, 3)).astype(np.float32), np.float32([0.5, 1, 2, 4])
    where = np.arange(9) < np.array([9, 8, 6, 5])[:, None]

    def gradient(x, scale, where):
        y = np.float32(Y)
        return jax.value_and_grad(
            lambda x: hsic(x, y, bandwidth_x=scale, bandwidth_y=1.0, where=where)
        )(x)

    many = jax.jit(jax.vmap(gradient))(x, scale, where)
    one = [jax.jit(gradient)(*row) for row in zip(x, scale, where, strict=True)]
    for i, part in enumerate(many):
        np.testing.assert_allclose(part, np.stack([r[i] for r in one]), rtol=1e-4, atol=1e-7)


def test_memory_grows_with_n_alone():
    def needed(n):
        x = jax.ShapeDtypeStruct((n, 32), jnp.float32)
        f = jax.value_and_grad(
            lambda x, y: hsic(x, y, bandwidth_x=5.0, bandwidth_y=5.0), argnums=(0, 1)
        )
        return jax.jit(f).lower(x, x).compile().memory_analysis().temp_size_in_bytes

    assert needed(20_000) < 100e6  # one kernel matrix is 1,600 MB


def test_blocks_and_a_remainder():
    x, y = RNG.normal(size=(2, 1100, 2))
    y += x**2
    options = {"bandwidth_x": 0.7, "bandwidth_y": 1.3, "estimator": "biased"}
    np.testing.assert_allclose(compiled(x, y, **options), naive.hsic(x, y, **options), rtol=1e-4)


@pytest.mark.parametrize(("estimator", "least"), [("biased", 1), ("unbiased", 4)])
def test_too_few_rows(estimator, least):
    options = {"bandwidth_x": 1.0, "bandwidth_y": 1.0, "estimator": estimator}
    where = np.arange(9) < least - 1
    with pytest.raises(InputError, match=f"hsic needs at least {least} rows, got {least - 1}"):
        hsic(X, Y, **options, where=where)
    value, gradient = jax.jit(jax.value_and_grad(lambda x, w: hsic(x, Y, **options, where=w)))(
        X, where
    )
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


def test_refusals():
    with pytest.raises(InputError, match="paired, got 9 and 8 rows"):
        hsic(X, Y[:8], bandwidth_x=1.0, bandwidth_y=1.0)
    with pytest.raises(
        InputError, match=r"y must have shape \[n, d\], got \[9\]; use y\[:, None\]"
    ):
        hsic(X, Y[:, 0], bandwidth_x=1.0, bandwidth_y=1.0)
    with pytest.raises(InputError, match="bandwidth must be finite and > 0"):
        hsic(X, Y, bandwidth_x=1.0, bandwidth_y=0.0)
    with pytest.raises(InputError, match="estimator"):
        hsic(X, Y, bandwidth_x=1.0, bandwidth_y=1.0, estimator="V")
