"""Derivatives are finite where the value is, and right: float64, against finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from jaxsurv.divergences import (
    categorical_kl,
    hsic,
    kl_standard_normal,
    mmd2,
    mmd2_standard_normal,
    rbf_kernel,
)
from jaxsurv.metrics import calibration_slope, d_calibration, observed_expected
from jaxsurv.metrics import integrated_calibration_index as ici
from jaxsurv.survival import (
    breslow_baseline,
    cox_fit,
    coxnet_cv,
    coxnet_path,
    deviance_residuals,
    martingale_residuals,
    neg_log_partial_likelihood,
    prepare_risk_sets,
    survival_function,
)
from jaxsurv.types import InputError

pytestmark = pytest.mark.usefixtures("x64")

rng = np.random.default_rng(1)
N = 24
X = rng.normal(size=(N, 2))
H = X[:, 0].copy()
TIME = np.ceil(rng.exponential(8 * np.exp(-H)))
EVENT = rng.random(N) < 0.7
EVENT[np.argmin(TIME)] = False
GRID = np.array([2.0, 5.0])


def fitted(x):
    fit = cox_fit(x, EVENT, TIME, l2=0.1)
    curve = fit.baseline(GRID)
    return fit.coef, fit.covariance, fit.log_likelihood, fit.wald.statistic, curve


FUNCTIONS = {
    "loss": (lambda h: neg_log_partial_likelihood(h, EVENT, TIME), H),
    "exact": (lambda h: neg_log_partial_likelihood(h, EVENT, TIME, ties="exact"), H),
    "survival": (lambda h: survival_function(breslow_baseline(h, EVENT, TIME), h, GRID), H),
    "martingale": (lambda h: martingale_residuals(h, EVENT, TIME), H),
    "deviance": (
        lambda h: deviance_residuals(martingale_residuals(h, EVENT, TIME), EVENT)[TIME > 1], H,
    ),
    "deviance of an event as expected": (lambda m: deviance_residuals(m, np.ones(1)), np.zeros(1)),
    "cox_fit": (fitted, X),
    "cox_fit, l2": (lambda l2: cox_fit(X, EVENT, TIME, l2=l2).coef, 0.5),
    "cox_fit, p > n": (lambda x: cox_fit(x, EVENT[:3], TIME[:3], l2=1.0).coef, X.ravel()[:12].reshape(3, 4)),
    "calibration_slope": (lambda h: calibration_slope(h, EVENT, TIME), H),
    "observed_expected": (lambda h: observed_expected(h, EVENT).ratio, np.exp(H)),
    "d_calibration": (lambda s: d_calibration(s, EVENT).statistic, np.linspace(0.02, 0.97, N)),
    "calibration_index": (
        lambda s: ici(s, EVENT, TIME, tau=4.0).observed, np.linspace(0.1, 0.9, N) ** 2,
    ),
    "kl": (kl_standard_normal, X, 3 * X),
    "categorical_kl": (categorical_kl, 30 * X),
    "mmd2": (lambda x: mmd2(x, X[:5], bandwidth=1.0), X),
    "mmd2_standard_normal": (lambda x: mmd2_standard_normal(x, bandwidth=1.0), X),
    "mmd2 at one point": (lambda x: mmd2(x, X[:1], bandwidth=1.0), np.repeat(X[:1], 4, 0)),
    "hsic": (lambda x: hsic(x, X[:, :1], bandwidth_x=1.0, bandwidth_y=1.0), X),
    "rbf_kernel": (lambda x: rbf_kernel(x, x[:2], bandwidth=1.0), X[:4]),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives(name):
    function, *at = FUNCTIONS[name]
    check_grads(function, at, order=1, modes=("rev", "fwd"), rtol=1e-4, atol=1e-6, eps=1e-5)


def test_cox_fit_under_jit_and_vmap():
    sets = prepare_risk_sets(EVENT, TIME)

    def coef(scale):
        return cox_fit(X * scale, risk_sets=sets, l2=1.0).coef[0]

    scales = jnp.array([0.5, 1.0, 2.0])
    found = jax.jit(jax.vmap(jax.grad(coef)))(scales)
    step = 1e-6
    wanted = [(coef(s + step) - coef(s - step)) / (2 * step) for s in np.asarray(scales)]
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


@pytest.mark.parametrize("double", [False, True])
@pytest.mark.parametrize("scale", [1.0, 40.0, 100.0])
def test_spread_log_hazards(scale, double):
    with jax.enable_x64(double):

        def alive(h):
            return survival_function(breslow_baseline(h, EVENT, TIME), h, GRID).sum()

        h = jnp.asarray(H * scale)
        assert np.isfinite(jax.grad(alive)(h)).all()
        assert np.isfinite(jax.jit(jax.grad(alive))(h)).all()

        def deviance(h):
            m = martingale_residuals(h, EVENT, TIME)
            return jnp.sum(jnp.where(jnp.isfinite(m), deviance_residuals(m, EVENT) ** 2, 0))

        if scale == 1:
            assert np.isfinite(jax.grad(deviance)(h)).all()


@pytest.mark.parametrize("size", [50.0, 80.0])
def test_divergences_at_extremes(size):
    mu, logvar = jnp.full((2, 2), size), jnp.full((2, 2), size)
    for function in (
        lambda v: kl_standard_normal(mu, v).sum(),
        lambda v: kl_standard_normal(v, -v).sum(),
    ):
        assert np.isfinite(jax.grad(function)(logvar)).all()
    logits = jnp.array([[10 * size, 0.0, -10 * size]])
    assert np.isfinite(jax.grad(lambda x: categorical_kl(x).sum())(logits)).all()
    far = jnp.asarray(X * size)
    assert np.isfinite(jax.grad(lambda x: mmd2(x, x[:3], bandwidth=1.0))(far)).all()


@pytest.mark.parametrize("argument", ["x", "lambdas", "l1_ratio", "penalty_factor", "weights"])
@pytest.mark.parametrize(
    "wrap", [jax.grad, lambda f: jax.jit(jax.grad(f)), lambda f: jax.grad(jax.jit(f))]
)
def test_a_path_says_that_it_has_no_derivatives(wrap, argument):
    rng = np.random.default_rng(0)
    clean = {
        "x": rng.normal(size=(20, 2)),
        "lambdas": np.array([0.2, 0.1]),
        "l1_ratio": 0.5,
        "penalty_factor": np.ones(2),
        "weights": np.ones(20),
    }
    event, time = np.ones(20), rng.exponential(size=20)

    def last(value):
        return coxnet_path(event=event, time=time, **{**clean, argument: value}).coef[-1].sum()

    with pytest.raises(InputError, match=r"cannot be differentiated; .*cox_fit.*stop_gradient"):
        wrap(last)(jnp.asarray(clean[argument]))
    if argument == "x":  # held, it is a constant
        assert wrap(lambda a: a * last(clean["x"]))(2.0) == pytest.approx(last(clean["x"]))
        with pytest.raises(InputError, match="cannot be differentiated"):
            wrap(lambda x: coxnet_cv(x, event, time, np.arange(20) % 2).deviance[0])(
                jnp.ones((20, 2))
            )
