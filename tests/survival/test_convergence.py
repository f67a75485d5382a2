"""Iterations that end too early say so."""

import jax
import numpy as np
import pytest

from jaxsurv.recipe import stacking
from jaxsurv.survival import ConvergenceWarning, cox_fit, coxnet_cv, coxnet_path, host_newton
from jaxsurv.survival.risk_sets import prepare_risk_sets

rng = np.random.default_rng(3)
N = 61
X = rng.normal(size=(N, 5)) + 3 * rng.normal(size=(N, 1))
TIME, EVENT = rng.exponential(np.exp(-X[:, 0] / 3)), rng.random(N) < 0.7


def test_a_path_names_the_lambda():
    with pytest.warns(ConvergenceWarning, match=r"the first at lambda = .*kkt is up to"):
        path = coxnet_path(X, EVENT, TIME, n_lambdas=6, tolerance=1e-14)
    assert np.max(path.kkt) > 1e-14
    with pytest.warns(ConvergenceWarning, match="kkt"):
        coxnet_cv(X, EVENT, TIME, np.arange(N) % 3, n_lambdas=6, tolerance=1e-14)


def test_what_rounding_alone_prevents_is_fitted_in_float64():
    options = {"n_lambdas": 12, "l1_ratio": 1.0, "lambda_min_ratio": 2e-2}
    with jax.enable_x64(True):
        right = coxnet_path(X, EVENT, TIME, tolerance=2e-6, **options)
    path = coxnet_path(X, EVENT, TIME, tolerance=2e-6, **options)  # without a warning
    assert path.coef.dtype == np.float32
    assert np.max(path.kkt) <= 2e-6
    np.testing.assert_allclose(path.coef, right.coef, rtol=1e-4, atol=1e-5)


def test_newton_says_that_it_did_not_converge(monkeypatch):
    monkeypatch.setattr(host_newton, "MAX_STEPS", 3)
    with pytest.warns(ConvergenceWarning, match="did not converge"):
        fit = cox_fit(X[:, :4], EVENT, TIME, l2=1e-3)
    assert not fit.converged


def test_a_stack_says_that_its_weights_did_not_converge(monkeypatch):
    sets, held_out = prepare_risk_sets(EVENT, TIME), X[:, :2] / 3
    found = stacking._weights(held_out, sets, np.ones(N, bool))
    assert np.isfinite(found).all()
    whole = stacking.minimize

    def stopped(*args, options, **more):
        return whole(*args, options={"maxiter": 0}, **more)

    monkeypatch.setattr(stacking, "minimize", stopped)
    with pytest.warns(ConvergenceWarning, match="weights of the stack"):
        stacking._weights(held_out, sets, np.ones(N, bool))
