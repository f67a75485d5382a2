"""Frozen models: what a perfect and a reversed one get, and that the training cohort alone is fitted."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from experiments.external_validation.judge import external_split, judge
from experiments.external_validation.report import inverted
from jaxsurv.data import join_cohorts, simulate_cohort
from jaxsurv.metrics import concordance_index, integrated_brier_score
from jaxsurv.recipe import Ensemble, prepare


@pytest.fixture(scope="module")
def joined():
    whole = simulate_cohort(n=240, n_genes=20, n_cnv=10).cohort
    modalities = {m: t for m, t in whole.modalities.items() if m != "igh"}
    kinds = {m: k for m, k in whole.kinds.items() if m != "igh"}
    whole = replace(whole, modalities=modalities, kinds=kinds)
    half = len(whole.survival) // 2
    first = replace(whole, survival=whole.survival.iloc[:half], name="first")
    second = replace(whole, survival=whole.survival.iloc[half:], name="second")
    return join_cohorts(first, {"second": second}, whole.endpoints[0])


@pytest.fixture(scope="module")
def data(joined):
    endpoint = joined.cohort.endpoints[0]
    event = np.asarray(joined.cohort.outcome(endpoint).event, bool)
    return prepare(joined.cohort, endpoint, external_split(event, joined.origin == "first", 5))


def test_the_split(data, joined):
    first = joined.origin == "first"
    np.testing.assert_array_equal(data.splits.develop[0], first)
    np.testing.assert_array_equal(data.splits.test[0], ~first)
    np.testing.assert_array_equal(data.splits.validation[0].sum(axis=0), first)


def model(data, sign=1.0):
    eta = sign * -np.log1p(data.time.astype(float))[None]
    return Ensemble(eta, eta)


# No slope is steep enough for a log hazard that is a function of the time.
@pytest.mark.filterwarnings("ignore::jaxsurv.survival.MonotoneLikelihoodWarning")
def test_c_is_raw_and_of_the_external_rows_alone(data, joined):
    good, bad = (judge(data, model(data, s), joined.origin) for s in (1.0, -1.0))
    assert good["cohort"].tolist() == ["second"]
    rows = joined.origin == "second"
    event, time = (
        np.asarray(a)[rows] for a in (data.shared.outcome.event, data.shared.outcome.time)
    )
    eta = model(data).log_hazard[0][rows]
    np.testing.assert_allclose(good["c"], concordance_index(eta, event, time).index)
    assert good["c"][0] > 0.99
    assert bad["c"][0] < 0.01
    assert good["slope"][0] > 0 > bad["slope"][0]
    assert good["hazard_ratio"][0] > 1
    assert good["ibs"][0] < good["ibs_null"][0] < bad["ibs"][0]
    assert not inverted(good.assign(model="good"))
    (sentence,) = inverted(bad.assign(model="bad"))
    assert "'bad' ranks the patients of second the wrong way round (C 0.0" in sentence


def test_a_model_without_knowledge_is_the_null_curve(data, joined):
    rng = np.random.default_rng(0)
    eta = 1e-6 * rng.normal(size=(1, len(joined.origin)))
    table = judge(data, Ensemble(eta, eta), joined.origin)
    np.testing.assert_allclose(table["ibs"], table["ibs_null"], rtol=0.02)
    assert 0.7 < table["observed_expected"][0] < 1.4


def two_cohorts(censored_a, censored_b, n=3000):
    """Cox data of one truth, censored differently in a and b: log hazards, times, judge's arguments."""
    rng = np.random.default_rng(0)
    origin = np.repeat(["a", "b"], n)
    eta = 0.7 * rng.normal(size=2 * n)
    complete = rng.exponential(5 / np.exp(eta))
    censored = np.concatenate([np.broadcast_to(c, n) for c in (censored_a, censored_b)])
    event, time = (complete <= censored) * 1.0, np.minimum(complete, censored)
    first = (origin == "a")[None]
    shared = SimpleNamespace(event=event, time=time)
    data = SimpleNamespace(shared=shared, design=SimpleNamespace(develop=first, test=~first))
    return eta, complete, (data, Ensemble(eta[None], eta[None]), origin)


def test_brier_scores_allow_for_the_external_cohorts_own_censoring():
    early = np.random.default_rng(1).exponential(2.0, 3000)
    eta, complete, arguments = two_cohorts(8.0, early)
    found = judge(*arguments)["ibs"][0]
    event, time = (np.asarray(a)[3000:] for a in arguments[0].shared.__dict__.values())
    times = np.linspace(*np.quantile(time[event > 0], [0.1, 0.9]), 50)
    truth = np.exp(-times[None] * np.exp(eta[3000:])[:, None] / 5)
    whole = {"event": np.ones(3000), "time": complete[3000:]}
    follow_up = {f"train_{k}": v for k, v in whole.items()}
    expected = integrated_brier_score(truth, times, *whole.values(), **follow_up)
    np.testing.assert_allclose(found, expected, rtol=0.05)


def test_events_beyond_the_training_follow_up_are_not_expected():
    longer = judge(*two_cohorts(2.0, 10.0)[2])
    cut = judge(*two_cohorts(2.0, 2.0)[2])
    for name in ("observed_expected", "observed_expected_lower", "observed_expected_upper"):
        np.testing.assert_allclose(longer[name], cut[name], rtol=1e-6)
    assert 0.9 < longer["observed_expected"][0] < 1.1
