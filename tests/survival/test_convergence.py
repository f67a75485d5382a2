"""Iterations that end too early say so."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsurv.factors import Loss, cox, group_path, group_penalised, refine
from jaxsurv.recipe import stacking
from jaxsurv.survival import ConvergenceWarning, cox_fit, coxnet_cv, coxnet_path
from jaxsurv.survival.host import newton
from jaxsurv.survival.ridge_path import ridge_path
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
    monkeypatch.setattr(newton, "MAX_STEPS", 3)
    with pytest.warns(ConvergenceWarning, match="did not converge"):
        fit = cox_fit(X[:, :4], EVENT, TIME, l2=1e-3)
    assert not fit.converged
    with pytest.warns(ConvergenceWarning, match="did not converge"):
        ridge_path(X[:, :4], prepare_risk_sets(EVENT, TIME), [1e-3])


def test_a_stack_says_that_its_weights_did_not_converge(monkeypatch):
    sets, held_out = prepare_risk_sets(EVENT, TIME), X[:, :2] / 3
    found = stacking._weights(held_out, sets, np.ones(N, bool), np.ones(2, bool))
    assert np.isfinite(found[0]).all()
    whole = stacking.minimize

    def stopped(*args, options, **more):
        return whole(*args, options={"maxiter": 0}, **more)

    monkeypatch.setattr(stacking, "minimize", stopped)
    with pytest.warns(ConvergenceWarning, match="weights of the stack"):
        stacking._weights(held_out, sets, np.ones(N, bool), np.ones(2, bool))


def test_a_group_path_names_the_penalty():
    z = jnp.asarray(np.column_stack([X[:, :3], X[:, 0] + 1e-4 * X[:, 4]]))
    groups, on = np.array([0, 0, 1, 1]), cox(z, prepare_risk_sets(EVENT, TIME))
    every, penalties = np.ones(N, bool), jnp.geomspace(0.1, 1e-5, 5)
    told = r"fits did not converge in 30 Newton steps, the first at penalty [\d.e-]+: .*tolerance 0.00012"
    with pytest.warns(ConvergenceWarning, match=told) as seen:
        group_path(on(every), groups, penalties)
    assert seen[0].filename == __file__
    options = {"folds": 2, "n_penalties": 5, "ratio": 1e-5}
    with pytest.warns(ConvergenceWarning, match=told) as seen:
        fit = group_penalised(on, every, np.arange(N) % 2, groups, **options)
    assert seen[0].filename == __file__
    assert fit.change.shape == (3, 5)
    assert np.max(fit.change) > 1.2e-4
    fit = group_penalised(on, every, np.arange(N) % 2, groups, folds=2, n_penalties=3, ratio=0.1)
    assert np.max(fit.change) <= 1.2e-4  # without a warning


def test_a_short_step_is_no_arrival():
    """A loss that rises along every whole step: the halved steps get nowhere."""

    def loss(coef):  # the gradient points the wrong way
        return Loss(
            1e12 * jnp.sum(coef**2) + 1, jnp.full(2, -1e-2), 1e2 * jnp.eye(2), jnp.float32(1)
        )

    with pytest.warns(ConvergenceWarning, match="1 of 1 fits"):
        group_path(loss, np.array([0, 1]), jnp.array([1e-3]))


def test_refined_loadings_say_what_is_left():
    w = jnp.asarray(X[:6, :2])
    with pytest.warns(
        ConvergenceWarning, match="did not converge in 2 steps: a gradient of"
    ) as seen:
        refine(w + 1, w @ w.T, jnp.ones((6, 2)), most=2)
    assert seen[0].filename == __file__
    assert refine(w + 1, w @ w.T, jnp.ones((6, 2))).gradient <= 1e-4
    refine(w + 1, w @ w.T, jnp.ones((6, 2)), most=0)  # none was asked for
