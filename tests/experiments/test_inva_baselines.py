from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.linear_model import Ridge

from experiments.inva.ridge import PENALTIES, pixelwise_ridge
from experiments.inva.tensor import cp_predict, cp_start, cp_sweep, tensor_regression
from jaxsurv.types import InputError

N = 60
SIZES = (2, 5, 4, 3, 6)  # K, h, w, h', w'
TRAIN, VALIDATION = np.arange(N) < 30, (np.arange(N) >= 30) & (np.arange(N) < 45)
TEST = ~(TRAIN | VALIDATION)
FITS = [
    jax.jit(pixelwise_ridge),
    jax.jit(partial(tensor_regression, ranks=(2,), penalties=(1.0, 100.0), sweeps=5)),
]


def coefficients(factors):
    return jnp.einsum("kr,ir,jr,pr,qr->kijpq", *factors)


def planted(rank, noise, seed=0):
    """Inputs and outcomes of a coefficient array of that rank, both far from centred."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(N, *SIZES[:3])) + rng.normal(size=SIZES[:3])
    b = np.array(coefficients([rng.normal(size=(d, rank)) for d in SIZES]))
    y = np.tensordot(x, b, 3) + 5 * rng.normal(size=SIZES[3:])
    return x, y + noise * y.std() * rng.normal(size=y.shape)


def local(seed=0):
    """Each outcome pixel depends on the inputs at that pixel, by coefficients of its own."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(N, 3, 4, 5)) + 1
    signal = np.einsum("nkhw,khw->nhw", x, rng.normal(size=(3, 4, 5)))
    return x, signal + 2 + 3 * rng.normal(size=signal.shape)


def test_pixelwise_ridge_is_that_of_scikit_learn_at_the_penalty_of_least_validation_error(x64):
    x, y = local()

    def reference(penalty):
        out = np.empty_like(y)
        for pixel in np.ndindex(y.shape[1:]):
            at = (slice(None), *pixel)
            inputs = x[:, :, *pixel]
            out[at] = Ridge(alpha=penalty).fit(inputs[TRAIN], y[at][TRAIN]).predict(inputs)
        return out

    fits = [reference(penalty) for penalty in PENALTIES]
    errors = [np.sum((fit - y)[VALIDATION] ** 2) for fit in fits]
    best = int(np.argmin(errors))
    assert 0 < best < len(PENALTIES) - 1
    np.testing.assert_allclose(pixelwise_ridge(x, y, TRAIN, VALIDATION), fits[best], rtol=1e-9)


def test_tensor_regression_recovers_a_planted_coefficient_its_rank_and_the_intercept():
    x, y = planted(rank=2, noise=0)
    prediction = tensor_regression(
        x, y, TRAIN, VALIDATION, ranks=(1, 2), penalties=(1e-4, 1e4), sweeps=40
    )
    assert np.max(np.abs(prediction - y)[TEST]) < 1e-3 * y.std()


@pytest.mark.parametrize("penalty", [0.1, 30.0])
def test_sweeps_never_raise_the_objective_and_end_where_its_gradient_is_zero(x64, penalty):
    x, y = (jnp.asarray(a - a.mean(0)) for a in planted(rank=2, noise=0.5))

    def objective(factors):  # in terms of the whole array of coefficients
        b = coefficients(factors)
        return jnp.sum((y - jnp.tensordot(x, b, 3)) ** 2) + penalty * jnp.sum(b**2)

    factors = cp_start(x, y, 3)
    assert [f.shape for f in factors] == [(d, 3) for d in SIZES]
    step = jax.jit(lambda f: (cp_sweep(f, x, y, penalty), objective(f)))
    path = []
    for _ in range(600):
        factors, value = step(factors)
        path.append(float(value))
    assert np.all(np.diff(path) <= 1e-12 * path[0])
    assert path[-1] < 0.7 * path[0]
    gradient = jax.grad(objective)(factors)
    assert max(float(jnp.max(jnp.abs(g))) for g in gradient) < 1e-5 * path[-1]
    np.testing.assert_allclose(cp_predict(factors, x), jnp.tensordot(x, coefficients(factors), 3))


def test_at_full_rank_a_matrix_of_coefficients_is_that_of_ridge_regression(x64):
    rng = np.random.default_rng(0)
    x, noise = rng.normal(size=(N, 4)) + 1, rng.normal(size=(N, 3))
    y = x @ rng.normal(size=(4, 3)) + 3 + noise
    prediction = tensor_regression(
        x[:, None, :, None], y[:, :, None], TRAIN, VALIDATION,
        ranks=(3,), penalties=(5.0,), sweeps=300,
    )  # fmt: skip
    expected = Ridge(alpha=5.0).fit(x[TRAIN], y[TRAIN]).predict(x)
    np.testing.assert_allclose(prediction[:, :, 0], expected, rtol=1e-6)


def test_components_beyond_the_rank_of_the_coefficients_do_no_harm():
    x, y = planted(rank=1, noise=0)
    prediction = tensor_regression(x, y, TRAIN, VALIDATION, ranks=(6,), penalties=(0.0,))
    assert np.max(np.abs(prediction - y)[TRAIN]) < 1e-3 * y.std()
    assert np.all(np.isfinite(prediction))


@pytest.mark.parametrize("fit", FITS, ids=["pixelwise", "tensor"])
def test_the_outcome_of_test_rows_is_not_read(fit):
    x, y = local()
    hidden = np.where(TEST[:, None, None], np.nan, y)
    prediction = fit(x, hidden, TRAIN, VALIDATION)
    np.testing.assert_array_equal(prediction, fit(x, y, TRAIN, VALIDATION))
    assert np.all(np.isfinite(prediction))
    assert np.any(prediction != fit(x, y, TRAIN | TEST, VALIDATION))


@pytest.mark.parametrize("fit", FITS, ids=["pixelwise", "tensor"])
def test_over_replicates_under_vmap_as_one_by_one(fit):
    x, y = (np.stack(a) for a in zip(*(local(seed) for seed in range(3)), strict=True))
    train, validation = (np.stack([np.roll(m, s) for s in range(3)]) for m in (TRAIN, VALIDATION))
    together = jax.jit(jax.vmap(fit))(x, y, train, validation)
    for s in range(3):
        np.testing.assert_allclose(
            together[s], fit(x[s], y[s], train[s], validation[s]), atol=2e-3 * y.std()
        )


def test_what_does_not_fit_is_named():
    x, y = local()
    with pytest.raises(InputError, match="same pixels"):
        pixelwise_ridge(x[..., :2], y, TRAIN, VALIDATION)
    with pytest.raises(InputError, match=r"x must be \[n, K, h, w\]"):
        tensor_regression(x[:10], y, TRAIN, VALIDATION)
    with pytest.raises(InputError, match="validation must be 60 booleans"):
        pixelwise_ridge(x, y, TRAIN, VALIDATION.astype(int))
