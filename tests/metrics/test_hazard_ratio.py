"""The split by risk against R's coxph and the log-rank test."""

import jax
import numpy as np
import pytest
from scipy import stats

from jaxsurv.metrics import hazard_ratio
from jaxsurv.survival import (
    cox_fit,
    logrank_test,
    neg_log_partial_likelihood,
    prepare_risk_sets,
)
from jaxsurv.types import InputError
from tests.survival.reference_cox import quick_jit


@pytest.mark.usefixtures("x64")
def test_equals_r_coxph(reference):
    # aml has one covariate, the group: R 4.5.0, survival 3.8-3, coxph(ties = "efron").
    table, numbers = reference("aml")
    high, event, time = (table[k].to_numpy() for k in ("maintained", "event", "time"))
    result = hazard_ratio(high.astype(float), event, time, split=0.5)
    np.testing.assert_allclose(result.log_hazard_ratio, -0.915532575014718, rtol=1e-9)
    np.testing.assert_allclose(result.standard_error, 0.511934275172005, rtol=1e-9)
    np.testing.assert_allclose(result.p_value, numbers["logrank"]["plain"][0]["p_value"], rtol=1e-9)
    np.testing.assert_allclose(
        [result.lower, result.upper],
        np.exp(-0.915532575014718 + 1.959963984540054 * 0.511934275172005 * np.array([-1, 1])),
        rtol=1e-9,
    )


@pytest.mark.usefixtures("x64")
def test_delayed_entry_is_that_of_the_cox_model(reference):
    table, cases = reference("heart", "cox.json")
    event, time, entry = (table[k].to_numpy(float) for k in ("event", "stop", "start"))
    risk = table[cases["efron"]["covariates"]].to_numpy() @ cases["efron"]["fit"]["beta"]
    high = (risk > np.median(risk)).astype(float)
    fit = quick_jit(lambda x: cox_fit(x, event, time, entry=entry))(high[:, None])
    # The log-rank test is the score test under exact ties.
    risk_sets = prepare_risk_sets(event, time, entry=entry, exact=True)

    def exact(b):
        options = {"ties": "exact", "reduction": "sum", "risk_sets": risk_sets}
        return neg_log_partial_likelihood(b * high, **options)

    score, information = (quick_jit(d)(0.0) for d in (jax.grad(exact), jax.hessian(exact)))
    for eager_or_traced in (hazard_ratio, quick_jit(hazard_ratio)):
        result = eager_or_traced(risk, event, time, entry=entry)
        np.testing.assert_allclose(
            [result.log_hazard_ratio, result.standard_error, result.p_value],
            [fit.coef[0], fit.covariance[0, 0] ** 0.5, stats.chi2.sf(score**2 / information, 1)],
            rtol=1e-9,
        )


def test_median_split_under_vmap_and_masks():
    rng = np.random.default_rng(0)
    risks = rng.standard_normal((2, 90)).astype(np.float32)
    time = rng.exponential(np.exp(-risks[0])).astype(np.float32)
    event, masks = rng.random(90) < 0.7, rng.random((2, 90)) < 0.8
    together = jax.jit(jax.vmap(lambda r, m: hazard_ratio(r, event, time, where=m)))(risks, masks)
    for k, m in enumerate(masks):
        alone = hazard_ratio(risks[k][m], event[m], time[m])
        np.testing.assert_allclose([x[k] for x in together], alone, rtol=1e-4)
        high = risks[k][m] > np.median(risks[k][m])
        test = logrank_test(event[m], time[m], high)
        np.testing.assert_allclose(together.p_value[k], test.p_value, rtol=1e-4)
    assert together.lower[0] > 1


def test_all_events_on_one_side_is_an_infinite_ratio():
    result = hazard_ratio(np.arange(8.0)[::-1], np.ones(8), np.arange(1.0, 9))
    assert (float(result.hazard_ratio), float(result.lower), float(result.upper)) == (
        np.inf,
        0,
        np.inf,
    )


def test_one_side_only_is_refused():
    with pytest.raises(InputError, match="all risks are on one side of the split at 9"):
        hazard_ratio(np.arange(8.0), np.ones(8), np.arange(8.0), split=9)


@pytest.mark.parametrize("rounded", [False, True])
def test_within_strata_it_is_the_stratified_cox_model_s(rounded):
    rng = np.random.default_rng(0)
    risk, strata = rng.normal(size=90), np.array(["a", "b", "c"] * 30)
    time = rng.exponential(np.exp(-risk)) * np.where(strata == "a", 10, 1)
    time, event = np.ceil(2 * time) if rounded else time, rng.integers(0, 2, 90)
    found = hazard_ratio(risk, event, time, strata=strata)
    high = risk > np.median(risk)
    fit = cox_fit(high[:, None] * 1.0, event, time, strata=strata)
    assert found.log_hazard_ratio == pytest.approx(float(fit.coef[0]), rel=1e-5)
    assert found.standard_error == pytest.approx(float(fit.covariance[0, 0]) ** 0.5, rel=1e-5)
    test = logrank_test(event, time, high, strata=strata)
    assert found.p_value == pytest.approx(float(test.p_value), rel=1e-6)
    traced = jax.jit(lambda r: hazard_ratio(r, event, time, strata=np.arange(90) % 3))(risk)
    assert float(traced.hazard_ratio) == pytest.approx(float(found.hazard_ratio), rel=1e-4)
    assert found.hazard_ratio != pytest.approx(float(hazard_ratio(risk, event, time).hazard_ratio))
