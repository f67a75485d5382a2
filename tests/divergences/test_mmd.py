"""MMD² against kernlab, its definition in NumPy, and the closed form for normal distributions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.test_util import check_grads

from jaxsurv.divergences import median_bandwidth, mmd2, mmd2_standard_normal
from jaxsurv.types import InputError
from tests.divergences import naive

RNG = np.random.default_rng(0)
X, Y = 0.5 + 1.5 * RNG.normal(size=(9, 3)), RNG.normal(size=(6, 3))
WHERE = np.array([1, 1, 0, 1, 0, 1, 1, 1, 0], bool)
ESTIMATORS = ["biased", "unbiased"]
MIXTURE = np.array([0.5, 1.0, 3.0])

compiled = jax.jit(mmd2, static_argnames="estimator")
to_prior = jax.jit(mmd2_standard_normal, static_argnames="estimator")


@pytest.mark.usefixtures("x64")
def test_agrees_with_kernlab(reference):
    table, expected = reference("kernels", "kernels.json")
    z = table[expected["columns_used"]].to_numpy(float)
    for case in expected["mmd"]:
        x, y, bandwidth = z[case["x_rows"]], z[case["y_rows"]], (2 * case["gamma"]) ** -0.5
        ours = mmd2(x, y, bandwidth=bandwidth)
        np.testing.assert_allclose(ours, case["mmd2_biased"], rtol=1e-9, atol=1e-14)
        if case["id"] in "ab":  # the other statistic leaves out i = j between the samples too
            ours = mmd2(x, y, bandwidth=bandwidth, estimator="unbiased")
            between = naive.kernel(x, y, bandwidth)
            theirs = ours + 2 * (between.mean() - naive.off_diagonal_mean(between))
            np.testing.assert_allclose(theirs, case["mmd2_h_ustat"], rtol=1e-9, atol=1e-14)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize(("bandwidth", "estimator"), [(MIXTURE, "biased"), (0.8, "unbiased")])
def test_is_its_definition(bandwidth, estimator):
    for where in (np.ones(9, bool), WHERE):
        ours = compiled(X, Y, bandwidth=bandwidth, estimator=estimator, where=where)
        exact = naive.mmd2(X[where], Y, bandwidth, estimator)
        np.testing.assert_allclose(ours, exact, rtol=1e-11)


def expected_kernel(m0, v0, m1, v1, s):
    """``E k(x, y)`` for independent normals with variances ``v0`` and ``v1``, per coordinate."""
    v = v0 + v1 + s**2
    return np.prod(np.sqrt(s**2 / v) * np.exp(-((m0 - m1) ** 2) / (2 * v)))


def test_two_normals_have_the_closed_form():
    m0, v0, m1, v1, s = np.array([0.5, 0.0]), np.array([1.0, 2.0]), np.zeros(2), np.ones(2), 1.2
    exact = expected_kernel(m0, v0, m0, v0, s) + expected_kernel(m1, v1, m1, v1, s)
    exact -= 2 * expected_kernel(m0, v0, m1, v1, s)
    x = m0 + np.sqrt(v0) * RNG.normal(size=(400, 50, 2))
    y = RNG.normal(size=(400, 70, 2))
    for f, samples in (
        (lambda x, y: mmd2(x, y, bandwidth=s, estimator="unbiased"), (x, y)),
        (lambda x: mmd2_standard_normal(x, bandwidth=s, estimator="unbiased"), (x,)),
    ):
        values = np.asarray(jax.jit(jax.vmap(f))(*samples))
        assert abs(values.mean() - exact) < 4 * values.std() / np.sqrt(len(values))
        assert values.std() / np.sqrt(len(values)) < 0.05 * exact


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_prior_equals_an_endless_sample_of_it(estimator):
    bandwidth = np.array([0.8, 2.0])
    ours = to_prior(X[:, :1], bandwidth=bandwidth, estimator=estimator, where=WHERE)
    # points and weights that integrate exactly against N(0, 1)
    points, weights = np.polynomial.hermite_e.hermegauss(80)
    weights, x = weights / weights.sum(), X[WHERE, :1]
    mean = np.mean if estimator == "biased" else naive.off_diagonal_mean
    points = points[:, None]
    exact = (
        mean(naive.kernel(x, x, bandwidth))
        + weights @ naive.kernel(points, points, bandwidth) @ weights
        - 2 * (naive.kernel(x, points, bandwidth) @ weights).mean()
    )
    np.testing.assert_allclose(ours, exact, rtol=1e-8)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize(("bandwidth", "estimator"), [(0.8, "biased"), (MIXTURE, "unbiased")])
def test_gradients(bandwidth, estimator):
    x = np.vstack([X[:-1], Y[:1]])  # a point that lies on another
    options = {"bandwidth": bandwidth, "estimator": estimator}
    f = jax.jit(lambda x, y: mmd2(x, y, **options, where=WHERE))
    check_grads(f, (x, Y), order=1, modes=["rev"])
    check_grads(jax.jit(lambda x: mmd2_standard_normal(x, **options)), (x,), order=1, modes=["rev"])
    slope = jax.jvp(f, (x, Y), (Y[[0, 1, 2, 3, 4, 5, 0, 1, 2]], X[:6]))[1]
    by_x, by_y = jax.jit(jax.grad(f, argnums=(0, 1)))(x, Y)
    by_hand = (by_x * Y[[0, 1, 2, 3, 4, 5, 0, 1, 2]]).sum() + (by_y * X[:6]).sum()
    np.testing.assert_allclose(slope, by_hand, rtol=1e-10)


@pytest.mark.usefixtures("x64")
def test_second_derivatives():
    def pushed(x, y):
        gradient = jax.grad(lambda x: mmd2(x, y, bandwidth=0.8, estimator="unbiased"))
        return (gradient(x) ** 2).sum()

    check_grads(jax.jit(pushed), (X, Y), order=1, modes=["rev"])


def test_points_that_all_coincide_have_finite_gradients():
    same = jnp.ones((6, 3))

    @jax.jit
    def gradients(x):
        return jax.grad(lambda x: mmd2(x, same, bandwidth=0.1))(x), jax.grad(
            lambda x: mmd2_standard_normal(x, bandwidth=0.1, estimator="unbiased")
        )(x)

    assert all(np.isfinite(g).all() for g in gradients(same))
    # the gradients themselves are smooth there
    assert np.isfinite(
        jax.jit(jax.grad(lambda x: sum((g**2).sum() for g in gradients(x))))(same)
    ).all()


@given(garbage=st.sampled_from([np.nan, np.inf, -np.inf, 1e30, 7.0]), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_masked_rows_change_nothing(garbage, seed):
    where = np.random.default_rng(seed).permutation(WHERE)
    for f in (
        lambda x: compiled(x, np.float32(Y), bandwidth=1.0, estimator="unbiased", where=where),
        lambda x: to_prior(x, bandwidth=1.0, estimator="biased", where=where),
    ):
        clean = np.where(where[:, None], X, 0).astype(np.float32)
        dirty = np.where(where[:, None], X, garbage).astype(np.float32)
        (value, gradient), (other, spoilt) = (jax.value_and_grad(f)(x) for x in (clean, dirty))
        assert value == other
        np.testing.assert_array_equal(gradient, spoilt)
        assert not gradient[~where].any()
        assert np.asarray(gradient[where]).any(axis=1).all()


def test_distance_is_not_negative_and_symmetric():
    x, y = np.float32(RNG.normal(size=(2, 40, 5)))
    assert abs(compiled(x, x, bandwidth=1.0)) < 1e-6
    assert compiled(x, y, bandwidth=1.0) > 0
    np.testing.assert_allclose(
        compiled(x, y, bandwidth=1.0), compiled(y, x, bandwidth=1.0), rtol=1e-4
    )
    shifted = compiled(x + np.float32(100), y + np.float32(100), bandwidth=1.0)
    np.testing.assert_allclose(shifted, compiled(x, y, bandwidth=1.0), rtol=1e-3)


def test_vmapped_is_sequential():
    x, bandwidth = RNG.normal(size=(4, 9, 3)).astype(np.float32), np.float32([0.5, 1, 2, 4])
    where = RNG.random((4, 9)) < 0.7

    def gradient(x, bandwidth, where):
        y = np.float32(Y)
        return jax.value_and_grad(lambda x: mmd2(x, y, bandwidth=bandwidth, where=where))(x)

    many = jax.jit(jax.vmap(gradient))(x, bandwidth, where)
    one = [jax.jit(gradient)(*row) for row in zip(x, bandwidth, where, strict=True)]
    for i, part in enumerate(many):
        np.testing.assert_allclose(part, np.stack([r[i] for r in one]), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_too_few_rows(estimator):
    least, nothing = (
        (2, "x needs at least 2 rows, got 1")
        if estimator == "unbiased"
        else (
            1,
            "x needs at least 1 rows, got 0",
        )
    )
    where = np.arange(9) < least - 1
    with pytest.raises(InputError, match=nothing):
        mmd2(X, Y, bandwidth=1.0, estimator=estimator, where=where)
    for f in (
        lambda x, w: mmd2(x, Y, bandwidth=1.0, estimator=estimator, where=w),
        lambda x, w: mmd2_standard_normal(x, bandwidth=1.0, estimator=estimator, where=w),
    ):
        value, gradient = jax.jit(jax.value_and_grad(f))(X, where)
        assert value == 0
        np.testing.assert_array_equal(gradient, 0)


def test_memory_grows_with_n_alone():
    def needed(n):
        x = jax.ShapeDtypeStruct((n, 32), jnp.float32)
        f = jax.value_and_grad(lambda x, y: mmd2(x, y, bandwidth=5.0), argnums=(0, 1))
        return jax.jit(f).lower(x, x).compile().memory_analysis().temp_size_in_bytes

    assert needed(20_000) < 100e6  # one kernel matrix is 1,600 MB


def test_one_compilation_for_new_values():
    traces = []

    @jax.jit
    def traced(x, bandwidth, where):
        traces.append(1)
        return mmd2(x, Y, bandwidth=bandwidth, where=where)

    traced(X, 1.0, WHERE)
    traced(X + 1, 2.0, ~WHERE)
    assert len(traces) == 1


def test_blocks_and_a_remainder():
    """More rows than one block, none of them alike; float64 on the other side."""
    x, y = RNG.normal(size=(2, 1100, 2))
    value, gradient = jax.jit(
        jax.value_and_grad(lambda x: mmd2(x, y, bandwidth=0.7, estimator="unbiased"))
    )(x)
    np.testing.assert_allclose(value, naive.mmd2(x, y, 0.7, "unbiased"), rtol=1e-2, atol=1e-7)
    for i in (0, 700, 1099):
        within = naive.kernel(x[i : i + 1], x, 0.7).T * (x - x[i])
        between = naive.kernel(x[i : i + 1], y, 0.7).T * (y - x[i])
        exact = 2 / 0.7**2 * (within.sum(0) / (1100 * 1099) - between.sum(0) / 1100**2)
        np.testing.assert_allclose(gradient[i], exact, rtol=1e-3, atol=1e-8)


def test_refusals():
    with pytest.raises(InputError, match=r"estimator must be one of .*, got 'u'"):
        mmd2(X, Y, bandwidth=1.0, estimator="u")
    with pytest.raises(InputError, match=r"where must have shape \[n\] = \[9\]"):
        mmd2(X, Y, bandwidth=1.0, where=WHERE[:, None])
    with pytest.raises(InputError, match="equally many columns"):
        mmd2(X, Y[:, :1], bandwidth=1.0)
    with pytest.raises(InputError, match=r"y must have shape \[n, d\], got \[6\]"):
        mmd2(X, Y[:, 0], bandwidth=1.0)
    with pytest.raises(InputError, match="y needs at least 2 rows, got 1"):
        mmd2(X, Y[:1], bandwidth=1.0, estimator="unbiased")
    with pytest.raises(InputError, match="bandwidth must be finite and > 0"):
        mmd2_standard_normal(X, bandwidth=-1.0)


def test_a_mask_of_x_hides_no_row_of_y():
    """Of equally long samples too: rows of y that are many bandwidths away need float64."""
    rng, where = np.random.default_rng(0), np.arange(10) < 5
    x, y = rng.normal(size=(2, 10, 1))
    y[5:] += 5e3
    masked = mmd2(x, y, bandwidth=0.1, where=where, estimator="biased")
    np.testing.assert_allclose(masked, mmd2(x[where], y, bandwidth=0.1, estimator="biased"))
    np.testing.assert_allclose(
        median_bandwidth(x, y, where=where), median_bandwidth(x[where], y), rtol=1e-6
    )
