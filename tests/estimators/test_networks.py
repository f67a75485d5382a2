"""The ensemble: its risks, curves and latents; missing modalities, unlabelled patients, new tables."""

import pickle
import warnings
from dataclasses import replace

import jax
import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from jaxsurv.data import Cohort, DataWarning
from jaxsurv.estimators import HCL, CoxMT, CoxNnet, MORiskVAE, Network, load
from jaxsurv.estimators.inputs import read_patients
from jaxsurv.metrics import concordance_index
from jaxsurv.models import (
    CoxMTConfig,
    CoxNnetHParams,
    HCLConfig,
    Model,
    cox_nnet,
    nesterov,
    register,
    registered,
)
from jaxsurv.models._cox_nnet import PENALTIES
from jaxsurv.recipe import Recipe
from jaxsurv.survival import breslow_baseline
from jaxsurv.types import InputError
from tests.estimators.conftest import PARTS

SMALL = {"epochs": 30, "n_seeds": 5, "modalities": PARTS}


@pytest.fixture(scope="module")
def fitted(patients):
    return CoxNnet(hparams=CoxNnetHParams(l2=0.01), **SMALL).fit(*patients)


def test_risk_is_learned_and_centred_and_scored_by_harrell(fitted, patients):
    x, y = patients
    risk = fitted.predict(x)
    assert abs(risk.mean()) < 0.1 * risk.std()
    expected = concordance_index(risk, y["event"], y["time"]).index
    assert fitted.score(x, y) == pytest.approx(float(expected))
    assert expected > 0.7
    summary = fitted.model_.cohort
    assert (summary.patients, summary.events) == (90, y["event"].sum())
    assert summary.c[1] < summary.c[0] < summary.c[2]


def test_a_few_patients_need_not_make_a_cohort(fitted, patients):
    x, y = patients
    few, outcome = x.iloc[:6].assign(b=np.nan, c=1.0), y[:6]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert 0 <= fitted.score(few, outcome) <= 1
    with pytest.raises(InputError, match="negative time"):
        fitted.score(few, (outcome["event"], -outcome["time"]))
    with pytest.raises(InputError, match="X has 5 features, but CoxNnet is expecting 6"):
        fitted.predict(np.zeros((3, 5)))


def test_curves_are_those_of_the_held_out_baseline(fitted, patients):
    x, y = patients
    times = np.array([0.0, 0.1, 0.5, 1.0, 1e6])
    survival = fitted.predict_survival_function(x, times)
    assert survival.shape == (90, 5)
    assert np.all(np.diff(survival, axis=1) <= 0)
    np.testing.assert_array_equal(survival[:, 0], 1)
    hazard = fitted.predict_cumulative_hazard(x, times)
    np.testing.assert_allclose(np.exp(-hazard), survival, atol=1e-6)
    # had the fitted log hazards of the rows made the baseline, it would be another one
    own = breslow_baseline(fitted.predict(x), y["event"], y["time"])
    assert np.abs(own(times[1:]) / fitted.model_.baseline(times[1:]) - 1).max() > 0.01
    with pytest.raises(InputError, match="times must be numbers >= 0"):
        fitted.predict_survival_function(x, [-1.0])


def test_a_patient_has_one_risk_in_any_company_and_any_order(fitted, patients):
    x, _ = patients
    risk = fitted.predict(x)
    shuffled = np.random.default_rng(0).permutation(90)
    np.testing.assert_array_equal(fitted.predict(x.iloc[shuffled]), risk[shuffled])
    np.testing.assert_array_equal(fitted.predict(x.iloc[3:4]), risk[3:4])
    np.testing.assert_array_equal(fitted.predict(x[list("fedcba")].assign(new=1)), risk)
    many = pd.concat([x.set_axis(x.index + f"-{i}", axis=0) for i in range(12)])  # two chunks
    np.testing.assert_array_equal(fitted.predict(many), np.tile(risk, 12))


def test_the_ensemble_is_the_mean_of_its_centred_members(fitted, patients):
    x, _ = patients
    model = fitted.model_
    new, each = read_patients(x, PARTS), []
    for i in range(5):
        params, center = jax.tree.map(lambda p, i=i: p[i : i + 1], (model.params, model.center))
        each.append(replace(model, params=params, center=center).log_hazard(new))
    np.testing.assert_allclose(np.mean(each, axis=0), fitted.predict(x), atol=1e-6)
    assert np.std(each, axis=0).min() > 0
    shifted = replace(model, center=model.center + 1).log_hazard(new)
    np.testing.assert_allclose(shifted, fitted.predict(x) - 1, atol=1e-6)
    # the centres are means of the rows that trained, four fifths of all
    assert np.abs(np.mean(each, axis=1)).max() < 0.5 * np.std(each)


def test_a_modality_may_be_absent_and_a_patient_without_any_is_warned_of(patients, fitted):
    x, y = patients
    tables = {"one": x[PARTS["one"]].iloc[:80], "two": x[PARTS["two"]].iloc[10:]}
    with pytest.raises(InputError, match="so y must name them"):
        CoxNnet(**SMALL).fit(tables, y)
    named = pd.DataFrame({"event": y["event"], "time": y["time"]}, index=x.index)
    model = CoxNnet(epochs=3, n_seeds=1).fit(tables, named)
    assert np.isfinite(model.predict(tables)).all()
    with pytest.warns(DataWarning, match="none of the 90 patients has two, which the model reads"):
        only = fitted.predict({"one": x[PARTS["one"]]})
    assert only.shape == (90,)
    assert not np.allclose(only, fitted.predict(x))
    empty = x.copy()
    empty.iloc[4] = np.nan
    with pytest.warns(DataWarning, match="1 of 90 patients have no modality at all: p4"):
        assert np.isfinite(fitted.predict(empty)).all()


def test_new_tables_that_do_not_fit_are_refused_by_name(fitted, patients):
    x, y = patients
    with pytest.raises(InputError, match=r"lacks 1 of the 4 features .* a"):
        fitted.predict(x.drop(columns="a"))
    with pytest.raises(InputError, match="not the modality 'three'"):
        fitted.predict({"three": x})
    with pytest.raises(NotFittedError):
        CoxNnet().predict(x)
    stage = pd.DataFrame({"stage": ["I", "II", "III"] * 30, "age": np.arange(90.0)}, index=x.index)
    model = CoxNnet(epochs=5, n_seeds=2).fit({"basic": stage}, (y["event"], y["time"]))
    with pytest.raises(InputError, match="category 'IV' in column 'stage', patient 'p7'"):
        model.predict(
            {"basic": stage.replace({"stage": {"I": "IV"}}).iloc[[7, 0]].replace("II", "IV")}
        )


def test_patients_without_an_outcome_train_where_they_can(patients):
    x, y = patients
    y = y.copy()
    y["event"][:20], y["time"][:20] = False, np.nan
    small = CoxMTConfig(hidden=(8,))
    model = CoxMT(small, epochs=5, n_seeds=1, batch_size=32).fit(x, y)
    assert (model.model_.cohort.patients, model.model_.cohort.unlabelled) == (70, 20)
    other = x.copy()
    other.iloc[:20] *= -1  # of patients who are in no scaler and in no risk set
    changed = CoxMT(small, epochs=5, n_seeds=1, batch_size=32).fit(other, y)
    np.testing.assert_array_equal(
        changed.model_.preprocessing.scaler, model.model_.preprocessing.scaler
    )
    assert not np.allclose(model.predict(x[20:]), changed.predict(x[20:]))
    assert 0 <= model.score(x, y) <= 1
    where = np.arange(90) >= 15  # of them five train
    some = CoxMT(small, epochs=5, n_seeds=1, batch_size=32).fit(x, y, where=where)
    same = CoxMT(small, epochs=5, n_seeds=1, batch_size=32).fit(x[where], y[where])
    assert some.model_.cohort.unlabelled == 5
    np.testing.assert_array_equal(some.predict(x), same.predict(x))
    with pytest.raises(InputError, match="20 patients in X have no outcome"):
        CoxNnet(**SMALL).fit(x, y)


def test_patients_without_an_outcome_may_be_outside_where(patients):
    x, y = patients
    y = y.copy()
    y["event"][:20], y["time"][:20] = False, np.nan
    where = np.arange(90) >= 25
    some, same = (
        CoxNnet(**SMALL).fit(*of) if rows is None else CoxNnet(**SMALL).fit(*of, where=rows)
        for of, rows in (((x, y), where), ((x[where], y[where]), None))
    )
    np.testing.assert_allclose(some.predict(x), same.predict(x), atol=1e-5)
    with pytest.raises(InputError, match=r"10 patients in X\[where\] have no outcome"):
        CoxNnet(**SMALL).fit(x, y, where=np.arange(90) >= 10)


def test_latents_are_those_of_the_first_seed(patients):
    x, y = patients
    model = MORiskVAE(epochs=2, n_seeds=2, modalities=PARTS).fit(x, y)
    z = model.transform(x)
    assert z.shape == (90, 32 + 4)
    np.testing.assert_allclose(z[:, 32:].sum(axis=1), 1, atol=1e-5)
    subsets = HCL(HCLConfig(widths=(5,), fusion=(4,)), epochs=2, n_seeds=1, modalities=PARTS).fit(
        x, y
    )
    assert subsets.transform(x).shape == (90, 3 * 5)


def test_the_clinical_table_enters_as_a_block_and_needs_company(patients):
    x, y = patients
    parts = {"clinical": ["a", "b"], "rna": list("cdef")}
    model = MORiskVAE(epochs=3, n_seeds=1, modalities=parts, components=2).fit(x, y)
    assert list(model.model_.preprocessing.projection) == ["rna"]
    encoders = model.model_.params.network["encoder"]["params"]
    assert [k for k in encoders if k.startswith("encode_")] == ["encode_rna"]
    with pytest.raises(InputError, match="no modality to encode beside 'clinical'"):
        MORiskVAE(modalities={"clinical": ["a"]}).fit(x, y)


def test_cohorts_are_fitted_and_scored_by_endpoint(patients):
    x, y = patients
    survival = pd.DataFrame({"os_event": y["event"], "os_time": y["time"]}, index=x.index)
    cohort = Cohort({"one": x}, survival.astype(float), time_unit="years")
    model = CoxNnet(epochs=3, n_seeds=1).fit(cohort, "os")
    assert model.model_.cohort.time_unit == "years"
    assert model.score(cohort) == model.score(cohort, "os")
    with pytest.raises(InputError, match="none of the 90 patients has an outcome; C needs some"):
        model.score({"one": x}, (np.full(90, np.nan),) * 2)
    np.testing.assert_array_equal(model.predict(cohort), model.predict({"one": x}))


def test_fitted_estimators_can_be_copied(fitted, patients):
    x, _ = patients
    copy = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(copy.predict(x), fitted.predict(x))


FIFTH = Model("Fifth", cox_nnet, CoxNnetHParams(l2=0.5), optimizer=nesterov)


def test_another_network_costs_its_entry(patients, tmp_path, monkeypatch):
    monkeypatch.setattr("jaxsurv.models.registry._MODELS", dict(registered()))  # undone afterwards
    x, y = patients
    same = CoxNnet(hparams=CoxNnetHParams(l2=0.5), epochs=3, n_seeds=1).fit(x, y)
    fifth = Network(FIFTH, epochs=3, n_seeds=1).fit(x, y)
    np.testing.assert_array_equal(fifth.predict(x), same.predict(x))
    with pytest.raises(
        InputError, match=r"'Fifth' is not registered.* add the line jaxsurv\.models"
    ):
        fifth.save(tmp_path / "m.zip")
    register(FIFTH)
    fifth.save(tmp_path / "m.zip")
    np.testing.assert_array_equal(load(tmp_path / "m.zip").predict(x), same.predict(x))
    with pytest.raises(InputError, match="there is no model named 'Sixth'; known are"):
        Network("Sixth").fit(x, y)


def test_delayed_entry_counts(patients):
    x, y = patients
    late = pd.DataFrame({"event": y["event"], "time": y["time"], "entry": 0.4 * y["time"]}, x.index)
    model = CoxNnet(epochs=3, n_seeds=1)
    plain, entered = (model.fit(x, t).model_ for t in (late.drop(columns="entry"), late))
    assert (entered.baseline(np.array([0.5])) > plain.baseline(np.array([0.5]))).all()
    now = late.assign(entry=0.0)  # everybody from the start on
    np.testing.assert_allclose(
        CoxNnet(epochs=3, n_seeds=1).fit(x, now).predict(x),
        CoxNnet(epochs=3, n_seeds=1).fit(x, late.drop(columns="entry")).predict(x),
        atol=1e-6,
    )


def test_rows_outside_where_have_no_influence(patients):
    x, y = patients
    where, other = np.arange(90) % 3 > 0, x.copy()
    model = CoxNnet(**SMALL).fit(x, y, where=where)
    other.iloc[~where] = 9.0
    outcome = y.copy()
    outcome["time"][~where] = 7.0
    changed = CoxNnet(**SMALL).fit(other, outcome, where=where)
    np.testing.assert_array_equal(model.predict(x), changed.predict(x))
    assert model.model_.cohort == changed.model_.cohort
    assert model.model_.cohort.patients == where.sum()
    with pytest.raises(InputError, match="where must be 90 booleans"):
        model.fit(x, y, where=np.arange(90))


def test_training_that_learns_nothing_is_warned_of(patients):
    model = CoxNnet(epochs=5, n_seeds=2, hparams=CoxNnetHParams(learning_rate=1e6))
    with pytest.warns(ConvergenceWarning, match="nothing was learned, and all risks are the same"):
        model.fit(*patients)
    model = model.set_params(recipe=Recipe(components=4))
    with pytest.warns(ConvergenceWarning, match="nothing to the Cox model that is its offset"):
        model.fit(*patients)


def test_the_penalty_is_chosen_by_the_early_stopping_losses(patients, tmp_path):
    model = CoxNnet(**SMALL).fit(*patients)
    assert model.choice_["l2"] in PENALTIES
    given = CoxNnet(hparams=CoxNnetHParams(**model.choice_), **SMALL).fit(*patients)
    np.testing.assert_allclose(model.predict(patients[0]), given.predict(patients[0]), atol=1e-5)
    by_name = CoxNnet(**model.choice_, **SMALL).fit(*patients)
    assert given.choice_ == by_name.choice_ == {}  # what is given is not chosen
    np.testing.assert_array_equal(by_name.predict(patients[0]), given.predict(patients[0]))
    model.save(tmp_path / "m.zip")
    loaded = load(tmp_path / "m.zip")
    assert (loaded.hparams, loaded.choice_) == (given.hparams, model.choice_)
    assert loaded.fit(*patients).hparams == given.hparams  # again at the penalty that it names


@pytest.mark.parametrize("n", [60, 3000])
def test_the_default_penalty_holds_at_every_number_of_patients(n):
    """At the published l2 = exp(-1) the weights are next to 0, and their order is poor: C .70 for .83."""
    rng = np.random.default_rng(n)
    x = rng.normal(size=(n + 2000, 20))
    hazard = np.exp(x @ (0.4 * rng.normal(size=20)))
    time, follow_up = rng.exponential(1 / hazard), rng.exponential(2, len(x))
    event, time = time <= follow_up, np.minimum(time, follow_up)
    train, new = slice(n), slice(n, None)

    def c(model):
        model.fit(x[train], (event[train], time[train]))
        return model.score(x[new], (event[new], time[new]))

    how = {"epochs": 100, "n_seeds": 2}
    best = max(c(CoxNnet(hparams=CoxNnetHParams(l2=float(l2)), **how)) for l2 in PENALTIES)
    assert c(CoxNnet(**how)) > best - 0.02
