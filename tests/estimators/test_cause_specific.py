"""Cause-specific models of all causes: incidences against a simulation's truth, and what they are made of."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from jaxsurv.data import Cohort
from jaxsurv.estimators import CauseSpecific, Coxnet, CoxNnet
from jaxsurv.models import CoxNnetConfig
from jaxsurv.types import InputError
from tests.estimators.test_competing import CODE, COHORT, TIME, TIMES, N, X


@pytest.fixture(scope="module")
def fitted():
    return CauseSpecific(Coxnet(l1_ratio=0.5)).fit(X, (CODE, TIME))


def test_incidences_and_survival_add_up_to_one(fitted):
    f, alive = (getattr(fitted, f"predict_{what}")(X, TIMES) for what in
                ("cumulative_incidence", "survival_function"))  # fmt: skip
    assert f.shape == (N, 2, 4)
    np.testing.assert_allclose(f.sum(axis=1) + alive, 1, atol=1e-12)
    hazards = sum(m.predict_cumulative_hazard(X, TIMES) for m in fitted.estimators_.values())
    np.testing.assert_allclose(alive, np.exp(-hazards), atol=1e-7)
    for k, (name, model) in enumerate(fitted.estimators_.items()):
        assert name == str(k + 1)
        alone = 1 - model.predict_survival_function(X, TIMES)
        assert (f[:, k, 1:] < alone[:, 1:]).all()
        own = clone(fitted.estimator).fit(X, (k + 1 == CODE, TIME))
        np.testing.assert_array_equal(model.predict(X), own.predict(X))


def test_times_between_events_do_not_matter(fitted):
    few = fitted.predict_cumulative_incidence(X, [1.0])
    many = fitted.predict_cumulative_incidence(X, np.linspace(0, 1, 77))
    np.testing.assert_allclose(few[:, :, 0], many[:, :, -1], rtol=1e-9)


def test_the_truth_of_a_simulation():
    """Constant hazards a and b: F_1(t) = a / (a + b) (1 - exp(-(a + b) t))."""
    rng, n = np.random.default_rng(1), 3000
    x = rng.integers(0, 2, size=(n, 2)).astype(float)
    a, b = np.exp(0.8 * x[:, 0] - 0.5), np.exp(-0.8 * x[:, 0] + 0.5 * x[:, 1])
    one, two, end = (rng.exponential(1 / rate) for rate in (a, b, np.full(n, 0.3)))
    time = np.min([one, two, end], axis=0)
    code = np.select([time == one, time == two], [1, 2], 0)
    model = CauseSpecific(Coxnet(n_lambdas=40, lambda_min_ratio=0.001)).fit(x, (code, time))
    times = np.array([0.2, 0.5, 1.0])
    found = model.predict_cumulative_incidence(x, times)
    for k, rate in enumerate((a, b)):
        total = (a + b)[:, None]
        truth = rate[:, None] / total * -np.expm1(-total * times)
        np.testing.assert_allclose(found[:, k], truth, atol=0.03)


def test_cohorts_and_tables():
    model = CauseSpecific(Coxnet()).fit(COHORT, "efs")
    assert model.causes_ == ("relapse", "death")
    table = model.risk_table(COHORT, [0.3, 1.0])
    assert table.columns.tolist() == [
        "risk_relapse", "risk_death", "incidence_relapse_0.3", "incidence_relapse_1",
        "incidence_death_0.3", "incidence_death_1", "survival_0.3", "survival_1",
    ]  # fmt: skip
    assert table.index.tolist() == COHORT.survival.index.tolist()
    frame = pd.DataFrame(X, COHORT.survival.index, list("abcd"))
    y = COHORT.survival[["efs_event", "efs_time"]].iloc[::-1]
    again = CauseSpecific(Coxnet(modalities={"rna": list("abcd")})).fit(frame, y)
    f, g = (m.predict_cumulative_incidence(x, TIMES) for m, x in ((model, COHORT), (again, frame)))
    np.testing.assert_allclose(f, g, rtol=1e-5)


def test_strata_and_curves_of_networks():
    outcome = COHORT.survival.assign(stratum=np.where(np.arange(N) % 2, "a", "b"))
    stratified = Cohort(COHORT.modalities, outcome, causes=COHORT.causes)
    f = (
        CauseSpecific(Coxnet())
        .fit(stratified, "efs")
        .predict_cumulative_incidence(stratified, TIMES)
    )
    assert np.isfinite(f).all()
    weibull = CoxNnet(CoxNnetConfig(head="weibull"), epochs=40, n_seeds=1, l2=0.01)
    g = CauseSpecific(weibull).fit(X, (CODE, TIME)).predict_cumulative_incidence(X, TIMES)
    assert (g.sum(axis=1) <= 1 + 1e-12).all()
    assert (np.diff(g, axis=2) >= 0).all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((X, (CODE > 0, TIME)), "y has one cause"),
        ((X, (CODE * 2, TIME)), "no event of cause 1"),
        ((X, (CODE - 0.5, TIME)), "event in y must be 0"),
        ((X, (0 * CODE, TIME)), "no event: code is 0"),
        ((COHORT, "os"), "name of an endpoint with causes as y; the cohort has efs"),
        ((COHORT, None), "name of an endpoint with causes"),
        ((COHORT.of_cause("efs", "death"), "efs"), "none: name the causes"),
    ],
)
def test_refusals(given, message):
    with pytest.raises(InputError, match=message):
        CauseSpecific(Coxnet()).fit(*given)
    with pytest.raises(InputError, match="times"):
        CauseSpecific(Coxnet()).fit(X, (CODE, TIME)).predict_cumulative_incidence(X, [2.0, 1.0])
