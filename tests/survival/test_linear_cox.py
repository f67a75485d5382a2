"""The linear Cox model against R, and where it has no answer."""

import warnings
from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from jaxsurv.survival import (
    CollinearityWarning,
    MonotoneLikelihoodWarning,
    cox_fit,
    neg_log_partial_likelihood,
    prepare_risk_sets,
    restrict,
)
from jaxsurv.types import InputError
from tests.survival.reference_cox import (
    BY_HAND,
    DATA,
    ROWS,
    baselines,
    outcome_of,
    pad,
    problem,
    quick_jit,
)

TESTS = {"likelihood_ratio": "lr_test", "wald": "wald_test", "score": "score_test"}


@partial(quick_jit, static_argnames="ties")
def fit_of(x, risk_sets, cluster, ties):
    return cox_fit(x, risk_sets=risk_sets, cluster=cluster, ties=ties)


@pytest.mark.parametrize("name", DATA + BY_HAND)
@pytest.mark.usefixtures("x64")
def test_equals_r(reference, name):
    table, cases = reference(name, "cox.json")
    for case in cases.values():
        if "beta" not in case["fit"]:
            continue
        # Exact ties with delayed entry take time by the square of the number of rows.
        rows = 172 if case["ties"] == "exact" and case["entry"] else ROWS
        x, risk_sets = problem(table, case, rows=rows)
        if case["ties"] == "exact":
            risk_sets = replace(risk_sets, max_ties=4)
        elif risk_sets.stratum is None:  # the same as one stratum, and one program fewer
            risk_sets = replace(risk_sets, stratum=jnp.zeros(rows, np.int32))
        expected = case["fit"]
        unit = expected.get("robust_cluster", "row")
        cluster = np.arange(len(table)) if unit == "row" else table[unit]
        cluster = pad(np.unique(cluster, return_inverse=True)[1], rows)
        fit = fit_of(x, risk_sets, cluster, case["ties"])

        p, se = len(expected["beta"]), np.array(expected["se"])
        assert bool(fit.converged)
        np.testing.assert_allclose(fit.coef[:p], expected["beta"], rtol=1e-9)
        np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance))[:p], se, rtol=1e-9)
        scale = np.outer(se, se)
        np.testing.assert_allclose(
            fit.covariance[:p, :p] / scale, expected["vcov"] / scale, atol=1e-9
        )
        np.testing.assert_allclose(fit.log_likelihood, expected["loglik"], rtol=1e-9)
        np.testing.assert_allclose(fit.log_likelihood_null, expected["loglik_null"], rtol=1e-9)
        for ours, theirs in TESTS.items():
            got = getattr(fit, ours)
            np.testing.assert_allclose(got.statistic, expected[theirs], rtol=1e-9)
        if case["ties"] == "exact":
            assert np.isnan(fit.robust_covariance).all()
        else:
            robust = np.sqrt(np.diag(fit.robust_covariance))[:p]
            np.testing.assert_allclose(robust, expected["robust_se"], rtol=1e-9)
        for stratum, times, cumhaz in baselines(table, case):
            np.testing.assert_allclose(fit.baseline(times, stratum), cumhaz, rtol=1e-9)


def simulated(n, p, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p))
    time = rng.exponential(np.exp(-x[:, 0]))
    censoring = rng.exponential(2, n)
    return x, (time <= censoring).astype(int), np.minimum(time, censoring)


def test_float32_is_near_float64_whatever_the_penalty():
    """The last step is Newton's own: one of any other length ends up to 1e-3 away."""
    x, event, time = simulated(64, 8)
    penalties = np.logspace(-1, 2, 40)
    found = []
    for double in (False, True):
        with jax.enable_x64(double):
            sets = prepare_risk_sets(event, time)
            fit = jax.jit(lambda l2, sets=sets: cox_fit(x, risk_sets=sets, l2=l2).coef)
            found.append(np.array([fit(l2) for l2 in penalties]))
    np.testing.assert_allclose(found[0], found[1], atol=2e-5)


@pytest.mark.parametrize("p", [3, 60])  # on both sides of n
@pytest.mark.usefixtures("x64")
def test_ridge_is_where_the_penalised_gradient_vanishes(p):
    x, event, time = simulated(40, p)
    l2 = 2.5
    ridge = quick_jit(lambda x, l2: cox_fit(x, event, time, l2=l2))
    fit = ridge(x, l2)

    def objective(b):
        loss = neg_log_partial_likelihood(x @ b, event, time, reduction="sum")
        return loss + l2 / 2 * jnp.sum(b**2)

    np.testing.assert_allclose(quick_jit(jax.grad(objective))(fit.coef), 0, atol=1e-7)
    hessian = quick_jit(jax.hessian(objective))(fit.coef)
    np.testing.assert_allclose(fit.covariance @ hessian, np.eye(p), atol=1e-6)
    np.testing.assert_allclose(fit.robust_covariance, np.transpose(fit.robust_covariance))
    # The unit of a column is a unit of its penalty, too: nothing is standardised in it.
    other = ridge(x * 3 + 5, l2 * 9)
    np.testing.assert_allclose(other.coef * 3, fit.coef, rtol=1e-6)


@pytest.mark.usefixtures("x64")
def test_folds_and_penalties_in_one_program():
    x, event, time = simulated(40, 3)
    masks = np.random.default_rng(1).random((3, 40)) < 0.8
    penalties = np.array([0.1, 1.0, 30.0])
    risk_sets = prepare_risk_sets(event, time)

    @quick_jit
    def over_folds(masks, penalties):
        def fit(mask, l2):
            fitted = cox_fit(x, risk_sets=restrict(risk_sets, mask), l2=l2)
            return fitted.coef, fitted.baseline(jnp.array([0.5, 1.0]))

        return jax.vmap(fit)(masks, penalties)

    coef, hazard = over_folds(masks, penalties)
    for i, mask in enumerate(masks):
        alone = cox_fit(x, event, time, where=mask, l2=penalties[i])
        np.testing.assert_allclose(coef[i], alone.coef, atol=1e-9)
        np.testing.assert_allclose(hazard[i], alone.baseline(np.array([0.5, 1.0])), rtol=1e-9)


def test_float32_and_degrees_of_freedom(reference):
    table, cases = reference("lung", "cox.json")
    case = cases["efron"]
    event, time, _ = outcome_of(table, case)
    fit, expected = cox_fit(table[case["covariates"]], event, time), case["fit"]
    se = np.array(expected["se"])
    np.testing.assert_allclose(fit.coef / se, expected["beta"] / se, atol=1e-3)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance)), se, rtol=1e-4)
    np.testing.assert_allclose(fit.log_likelihood, expected["loglik"], rtol=1e-5)
    for ours, theirs in TESTS.items():
        got = getattr(fit, ours)
        assert got.degrees_of_freedom == expected["df"]
        np.testing.assert_allclose(got.statistic, expected[theirs], rtol=1e-4)
        p_value = stats.chi2.sf(expected[theirs], expected["df"])
        np.testing.assert_allclose(got.p_value, p_value, rtol=1e-3)


@pytest.mark.usefixtures("x64")
def test_monotone_likelihood_is_a_warning_that_names_the_column():
    x, event, time = simulated(40, 3)
    x[:, 1] = np.where(event == 1, 1.0, 0.0)  # every event has it, no one else
    with pytest.warns(MonotoneLikelihoodWarning, match="grow: 1"):
        fit = cox_fit(x, event, time)
    assert np.isfinite(fit.coef).all()
    assert np.isfinite(fit.log_likelihood)
    assert fit.coef[1] > 5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cox_fit(x, event, time, l2=1.0)


@pytest.mark.parametrize("seed", range(4))
def test_a_function_of_time_itself_is_fitted_as_far_as_it_goes(seed):
    rng = np.random.default_rng(seed)
    time, event = rng.exponential(1000, 120).round() + 1, rng.random(120) < 0.6
    with pytest.warns(MonotoneLikelihoodWarning, match="grow: 0"):
        fit = cox_fit(-np.log1p(time.astype(np.float32))[:, None], event, time)
    assert 100 < fit.coef[0] < 1e6
    assert -10 < fit.log_likelihood <= 0
    assert np.isfinite(fit.covariance).all()


@pytest.mark.usefixtures("x64")
def test_monotone_exact_likelihood_of_r(reference):
    table, cases = reference("therneau_test1", "cox.json")
    assert cases["exact"]["fit"]["diverges"]
    event, time, _ = outcome_of(table, cases["exact"])
    with pytest.warns(MonotoneLikelihoodWarning, match="grow: x"):
        cox_fit(table[["x"]], event, time, ties="exact")


@pytest.mark.usefixtures("x64")
def test_collinear_columns_are_a_warning_that_names_them():
    x, event, time = simulated(40, 3)
    x[:, 2] = 2 * x[:, 0] - 3
    table = pd.DataFrame(x, columns=["age", "dose", "age in units"])
    with pytest.warns(CollinearityWarning, match="at risk: age, age in units. "):
        fit = cox_fit(table, event, time)
    alone = cox_fit(table[["age", "dose"]], event, time)
    assert np.isfinite(fit.coef).all()
    np.testing.assert_allclose(fit.log_likelihood, alone.log_likelihood, rtol=1e-9)
    np.testing.assert_allclose(fit.coef[0] + 2 * fit.coef[2], alone.coef[0], rtol=1e-6)


@pytest.mark.usefixtures("x64")
@pytest.mark.filterwarnings("ignore::jaxsurv.survival.CollinearityWarning")
def test_no_events_give_zero():
    x, event, time = simulated(40, 3)
    with pytest.raises(InputError, match="no events"):
        cox_fit(x, 0 * event, time)
    fit = jax.jit(cox_fit)(x, 0 * event, time)
    assert not np.asarray(fit.coef).any()
    assert fit.log_likelihood == 0


def test_refuses_by_name():
    x, event, time = simulated(20, 3)
    for match, kwargs in {
        r"x must have shape \[n, p\], got \[20\]": {"x": x[:, 0]},
        "x has NaN": {"x": np.where(x > 2, np.nan, x) * np.where(np.eye(20, 3) > 0, np.nan, 1)},
        "more columns than rows": {"x": np.tile(x, 10)},
        "common length": {"x": x[:10]},
        "not both": {"risk_sets": prepare_risk_sets(event, time)},
    }.items():
        with pytest.raises(InputError, match=match):
            cox_fit(**{"x": x, "event": event, "time": time} | kwargs)


@pytest.mark.parametrize("columns", [3, 40])
def test_columns_that_do_not_vary_get_no_coefficient_under_a_penalty(columns):
    rng = np.random.default_rng(0)
    risk_sets = prepare_risk_sets(rng.random(20) < 0.7, rng.exponential(1.0, 20))
    fit = jax.jit(lambda x: cox_fit(x, risk_sets=risk_sets, l2=1.0))
    assert not np.any(fit(jnp.zeros((20, columns))).coef)
    assert np.isnan(fit(jnp.full((20, columns), jnp.nan)).coef).all()  # and it ends
