"""Strata in estimators: every loss and C within strata, a baseline hazard for each, strata on disk."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import DataWarning, simulate_cohort
from jaxsurv.estimators import HCL, CoxMT, Coxnet, CoxNnet, MORiskVAE, SurvivalStack, load
from jaxsurv.metrics import concordance_index
from jaxsurv.models import SurvivalVAEConfig
from jaxsurv.survival import kaplan_meier
from jaxsurv.types import InputError
from tests.estimators.conftest import changed

pytestmark = pytest.mark.filterwarnings(
    "ignore:no epoch of any network", "ignore:constant features", "ignore:nothing was found",
    "ignore:no feature has a coefficient",
)  # fmt: skip
FAST = {"epochs": 6, "n_seeds": 2}
FACTOR = 8.0  # exact in any precision
SMALL = SurvivalVAEConfig(latent=3, widths=lambda d: (4,))
SOURCE = replace(SMALL, regulariser="mmd_hsic", hsic="source")
MODELS = {
    "stack": SurvivalStack(config=SMALL, grid={}, **FAST),
    "all members": SurvivalStack(
        ("modalities", "clinical squares", "clinical RBF", "elastic net", "all modalities")
    ),
    "coxnet": Coxnet(),
    "cox-nnet": CoxNnet(**FAST),
    "cox-nnet in batches": CoxNnet(batch_size=40, **FAST),
    "cox-mt": CoxMT(batch_size=40, **FAST),
    "vae": MORiskVAE(SMALL, **FAST),
    "vae, hsic of the source": MORiskVAE(SOURCE, **FAST),
    "hcl": HCL(epochs=3, n_seeds=1),
}


@pytest.fixture(scope="module")
def cohort():
    """150 patients of two strata; in one follow-up is three times as long."""
    made = simulate_cohort(n=150, n_genes=10, n_cnv=8).cohort
    strata = np.where(np.arange(150) % 3 == 0, "A", "B")
    return stretched(replace(made, strata=strata), "A", 3.0)


def stretched(cohort, stratum, factor):
    """The cohort with other times in one stratum."""
    survival = cohort.survival.copy()
    rows = (cohort.strata == stratum).to_numpy()
    columns = [c for c in survival.columns if c.endswith("_time")]
    survival.loc[rows, columns] *= factor
    return replace(cohort, survival=survival)


@pytest.mark.parametrize("name", MODELS)
def test_times_are_compared_within_strata_alone(name, cohort):
    """Another unit of time in one stratum changes no bit of the risks, nor C, nor what was learned of it."""
    endpoint, other = cohort.endpoints[0], stretched(cohort, "A", FACTOR)
    model = MODELS[name]
    risk = model.fit(cohort, endpoint).predict(cohort)
    c, summary = model.score(cohort, endpoint), model.model_.cohort.c
    times = np.quantile(cohort.survival[f"{endpoint}_time"], [0.2, 0.5, 0.8])
    curves = model.predict_survival_function(cohort, times)
    again = model.fit(other, endpoint)
    np.testing.assert_array_equal(again.predict(cohort), risk)
    assert again.score(other, endpoint) == c
    assert again.model_.cohort.c == summary
    a = (cohort.strata == "A").to_numpy()
    moved = again.predict_survival_function(other, FACTOR * times)[a]
    np.testing.assert_allclose(moved, curves[a], atol=1e-6)
    kept = again.predict_survival_function(other, times)[~a]
    np.testing.assert_allclose(kept, curves[~a], atol=1e-6)
    if name in ("coxnet", "all members", "cox-nnet"):  # without strata the same times are others
        plain = [replace(x, strata=None) for x in (cohort, other)]
        one, two = (model.fit(x, endpoint).predict(cohort) for x in plain)
        assert (one != two).any()


def test_hsic_of_the_source_needs_strata(cohort):
    model = MORiskVAE(SOURCE, **FAST)
    with pytest.raises(InputError, match=r'hsic="source" needs .*give the cohort strata'):
        model.fit(replace(cohort, strata=None), cohort.endpoints[0])


@pytest.mark.filterwarnings("ignore:these .* have the events:jaxsurv.data.DataWarning")
def test_c_is_of_pairs_within_strata(cohort):
    endpoint = cohort.endpoints[0]
    model = Coxnet().fit(cohort, endpoint)
    risk, outcome = model.predict(cohort), cohort.outcome(endpoint)
    parts = [
        concordance_index(risk[rows], outcome.event[rows], outcome.time[rows])
        for rows in (outcome.stratum == 0, outcome.stratum == 1)
    ]
    good, bad, tied = (
        sum(float(getattr(p, k)) for p in parts) for k in ("concordant", "discordant", "tied_risk")
    )
    expected = (good + tied / 2) / (good + bad + tied)
    assert model.score(cohort, endpoint) == pytest.approx(expected)
    search = CoxNnet(**FAST).search(cohort, endpoint, {"l2": [0.1]}, folds=2)
    assert 0 < search.table["mean_c"].iloc[0] < 1
    lost = model.explain(cohort, endpoint, repeats=1, steps=1).modalities
    assert lost["c"].iloc[0] == pytest.approx(expected)


def test_curves_are_those_of_the_patient_s_stratum(cohort):
    endpoint = cohort.endpoints[0]
    model = Coxnet().fit(cohort, endpoint)
    a = (cohort.strata == "A").to_numpy()
    times = np.quantile(cohort.survival[f"{endpoint}_time"], [0.2, 0.4, 0.6])
    curves = model.predict_survival_function(cohort, times)
    for rows in (a, ~a):
        outcome = cohort.take(rows).outcome(endpoint)
        seen = kaplan_meier(outcome.event, outcome.time)(times)
        np.testing.assert_allclose(curves[rows].mean(axis=0), seen, atol=0.06)
    hazard = model.predict_cumulative_hazard(cohort, times)
    np.testing.assert_allclose(np.exp(-hazard), curves)
    table = model.risk_table(cohort, times[:1])
    np.testing.assert_allclose(table.iloc[:, 2], curves[:, 0])


def test_a_patient_of_no_known_stratum_has_the_curve_of_all_and_is_told(cohort, tmp_path):
    endpoint = cohort.endpoints[0]
    model = Coxnet().fit(cohort, endpoint)
    times = np.quantile(cohort.survival[f"{endpoint}_time"], [0.3, 0.6])
    unknown = replace(cohort, strata=None)
    told = r"150 of 150 patients are of no stratum of training with events \(A, B\): .*give their strata"
    with pytest.warns(DataWarning, match=told):
        pooled = model.predict_survival_function(unknown, times)
    labels = np.where(np.arange(150) < 10, "new", cohort.strata)
    with pytest.warns(DataWarning, match="10 of 150 patients are of no stratum"):
        mixed = model.predict_survival_function(unknown, times, strata=labels)
    own = model.predict_survival_function(cohort, times)
    np.testing.assert_array_equal(mixed[:10], pooled[:10])
    np.testing.assert_array_equal(mixed[10:], own[10:])
    assert (pooled[10:] != own[10:]).all()
    with pytest.raises(InputError, match=r"one label per row of X, \[150\], got shape \[3\]"):
        model.predict_survival_function(cohort, times, strata=["A"] * 3)
    model.save(tmp_path / "model.zip")
    kept = load(tmp_path / "model.zip")
    np.testing.assert_array_equal(kept.predict_survival_function(cohort, times), own)
    # a model without strata asks for none
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)
        plain = Coxnet().fit(unknown, endpoint)
        assert plain.model_.baselines.own is None
        plain.predict_survival_function(cohort, times)


@pytest.mark.parametrize("form", ["frame", "structured"])
def test_y_may_have_strata(form, cohort):
    endpoint = cohort.endpoints[0]
    complete = cohort.take(cohort.complete)
    x = dict(complete.modalities)
    event, time = complete.survival[f"{endpoint}_event"], complete.survival[f"{endpoint}_time"]
    y = pd.DataFrame({"event": event, "time": time, "stratum": complete.strata})
    if form == "structured":
        y = y.to_records(index=False).astype([("event", bool), ("time", float), ("stratum", "U1")])
    model = Coxnet(kinds=dict(complete.kinds)).fit(x, y)
    expected = Coxnet().fit(complete, endpoint)
    np.testing.assert_array_equal(model.predict(x), expected.predict(complete))
    assert model.score(x, y) == expected.score(complete, endpoint)
    assert model.model_.baselines.own.labels == ("A", "B")


def test_strata_in_a_damaged_file_are_refused(cohort, tmp_path):
    path = tmp_path / "model"
    Coxnet().fit(cohort, cohort.endpoints[0]).save(path)

    def falling(entries, weights, arrays):
        entries["baseline"]["strata"]["A"]["values"] = [3.0, 1.0]
        entries["baseline"]["strata"]["A"]["times"] = [1.0, 2.0]

    changed(path, "falling", falling)
    with pytest.raises(InputError, match="baseline hazard must be nondecreasing"):
        load(tmp_path / "falling")
