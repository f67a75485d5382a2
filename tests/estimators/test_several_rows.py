"""Estimators of cohorts whose patients have several rows."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GroupKFold, cross_val_score

from jaxsurv.data import Cohort, landmark_cohort, stratified_kfold
from jaxsurv.estimators import Coxnet, CoxNnet, SurvivalStack
from jaxsurv.metrics import concordance_index
from jaxsurv.recipe import Recipe, prepare
from jaxsurv.recipe.cox import inner_folds
from jaxsurv.survival import cox_fit
from jaxsurv.types import InputError
from tests.data.several_rows import LONG, OUTCOME, N, changing, cut

HEART = Path(__file__).parents[1] / "reference" / "heart" / "data.csv.gz"
COVARIATES = ["age", "year", "surgery", "transplant"]


@pytest.fixture(scope="module")
def cohort():
    """Patients whose risk is their present laboratory value: the last before an event is high."""
    tables = changing(0)
    lab = tables["lab"]
    last = ~lab.index.duplicated(keep="last")
    lab["ldh"] += 2.0 * last * OUTCOME.loc[lab.index, "os_event"].to_numpy()
    return Cohort(tables, OUTCOME)


@pytest.fixture(scope="module")
def fitted(cohort):
    return Coxnet().fit(cohort, "os")


def table_of(cohort):
    """``(X, y)`` of the rows of a cohort, in random order."""
    x = pd.concat([t.reset_index(drop=True) for t in cohort.modalities.values()], axis=1)
    y = cohort.survival.rename(columns=lambda c: c.removeprefix("os_"))
    y = y.assign(patient=cohort.patients).reset_index(drop=True)
    order = np.random.default_rng(0).permutation(len(x))
    return x.iloc[order].reset_index(drop=True), y.iloc[order].reset_index(drop=True)


def test_stanford_heart_transplants_have_the_coefficients_of_r():
    """R 4.2.2, survival 3.5-3: coxph(Surv(start, stop, event) ~ age + year + surgery + transplant)."""
    rows = pd.read_csv(HEART).set_index("id")
    survival = rows[["start", "stop", "event"]].set_axis(
        ["os_entry", "os_time", "os_event"], axis=1
    )
    values = rows[["start", *COVARIATES]].rename(columns={"start": "from"})
    cohort = Cohort({"clinical": values}, survival)
    assert (len(cohort.survival), cohort.patients.nunique()) == (172, 103)
    event, time, entry, *_ = cohort.outcome("os")
    fit = cox_fit(cohort.modalities["clinical"].to_numpy(), event, time, entry=entry)
    np.testing.assert_allclose(fit.coef, [0.02717, -0.14635, -0.63721, -0.01025], atol=5e-6)
    np.testing.assert_allclose(
        np.sqrt(np.diag(fit.covariance)), [0.01371, 0.07047, 0.36723, 0.31375], atol=5e-6
    )


def test_rows_cut_anywhere_give_the_same_model_to_the_bit(cohort, fitted):
    pieces = cut(cohort.survival.set_axis(cohort.patients, axis=0), np.random.default_rng(3))
    tables = {
        m: t.set_axis(cohort.patients[t.index], axis=0).assign(
            **{"from": cohort.survival["os_entry"][t.index].to_numpy()}
        )
        for m, t in cohort.modalities.items()
    }
    again = Coxnet().fit(Cohort(tables, pieces[cohort.survival.columns]), "os")
    np.testing.assert_array_equal(again.coef_, fitted.coef_)
    assert again.fitted().cohort == fitted.fitted().cohort


def test_a_table_that_names_patients_is_the_cohort(cohort, fitted):
    x, y = table_of(cohort)
    columns = {m: list(t.columns) for m, t in cohort.modalities.items()}
    model = Coxnet(modalities=columns).fit(x, y)
    order = [("lab", "ldh"), ("lab", "crp"), ("clinical", "age")]
    np.testing.assert_allclose(model.coef_[order], fitted.coef_[order], rtol=1e-3, atol=1e-4)
    kept = model.fitted().cohort
    assert (kept.patients, kept.events) == (N, OUTCOME["os_event"].sum())
    assert kept.median_time == OUTCOME["os_time"].median()
    assert model.score(x, y) == pytest.approx(fitted.score(cohort, "os"), abs=0.02)
    fields = y.assign(event=y["event"].astype(bool)).to_records(index=False)
    recorded = Coxnet(modalities=columns).fit(x, np.asarray(fields))
    np.testing.assert_array_equal(recorded.coef_, model.coef_)


def test_score_compares_an_event_with_the_rows_at_risk(cohort, fitted):
    risk, (event, time, entry, *_) = fitted.predict(cohort), cohort.outcome("os")
    good = comparable = 0.0
    for i in np.flatnonzero(event):
        for j in range(len(risk)):
            at_risk = entry[j] < time[i] and (
                time[j] > time[i] or (time[j] == time[i] and not event[j])
            )
            comparable += at_risk
            good += at_risk * ((risk[i] > risk[j]) + 0.5 * (risk[i] == risk[j]))
    assert fitted.score(cohort, "os") == pytest.approx(good / comparable)
    assert fitted.score(cohort, "os") > 0.7


def test_folds_and_early_stopping_parts_hold_whole_patients(cohort):
    event, who = cohort.outcome("os").event, cohort.patients.to_numpy()
    splits = stratified_kfold(event, folds=3, patient=who)
    data = prepare(cohort, "os", splits, Recipe(components=None, offset="none"))
    for mask in inner_folds(data).reshape(-1, len(event)):
        assert (pd.Series(mask).groupby(who).nunique() == 1).all()
    torn = stratified_kfold(event, folds=3)
    with pytest.raises(InputError, match=r"some rows of a patient are in a part .* patient=cohort"):
        prepare(cohort, "os", torn, Recipe(components=None, offset="none"))
    with pytest.raises(InputError, match="some rows of a patient are in a part"):
        Coxnet().fit(cohort, "os", where=np.arange(len(event)) > 0)
    where = pd.Series(who).isin(OUTCOME.index[:40]).to_numpy()
    part = Coxnet().fit(cohort, "os", where=where)
    whole = Coxnet().fit(cohort.take(where), "os")
    assert part.fitted().cohort.patients == 40
    np.testing.assert_allclose(part.coef_, whole.coef_, rtol=1e-5)


def test_curves_from_a_landmark_on(cohort, fitted):
    later = landmark_cohort(cohort, "os", 3, horizon=10)
    times = np.array([3.0, 5, 9])
    curves = fitted.predict_conditional_survival(later, times, 3)
    whole = fitted.predict_survival_function(later, times)
    np.testing.assert_allclose(curves, whole / whole[:, :1])
    assert (curves[:, 0] == 1).all()
    with pytest.raises(InputError, match=r"times must be at or after 4, .* got 3"):
        fitted.predict_conditional_survival(later, times, 4)
    event, time, *_ = later.outcome("os")
    c = concordance_index(fitted.predict(later), event, time)
    assert fitted.score(later, "os") == float(c.index)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_networks_and_stacks_train_on_rows(cohort):
    stack = SurvivalStack(("block ridge", "elastic net")).fit(cohort, "os")
    assert stack.score(cohort, "os") > 0.6
    net = CoxNnet(epochs=8, n_seeds=2, l2=0.01).fit(cohort, "os")
    summary = net.fitted().cohort
    assert (summary.patients, summary.events) == (N, OUTCOME["os_event"].sum())
    found = net.search(cohort, "os", {"l2": [0.01, 0.1]}, folds=2)
    assert found.table["mean_c"].between(0, 1).all()


def test_refused(cohort, fitted):
    x, y = table_of(cohort)
    for wrong, message in [
        (y.drop(columns="entry"), "y has several rows of one patient and no entry"),
        (y.assign(entry=0.0), r"the rows \(.*\] of 'outcome' overlap"),
        (y.assign(event=1), "of 'outcome': both have an event; only the last row of a patient"),
        (y.assign(patient=y["patient"].where(y.index > 0)), "the missing patient"),
    ]:
        with pytest.raises(InputError, match=message):
            Coxnet().fit(x, wrong)
    for outcome in (y, y[["event", "time"]]):
        with pytest.raises(
            InputError, match="X has a column 'from'; when values change, the entry"
        ):
            Coxnet().fit(x.assign(**{"from": 0.0}), outcome)
    with pytest.raises(InputError, match="where cannot be given with y that names patients"):
        Coxnet().fit(x, y, where=np.ones(len(x), bool))
    names = [f"row {k}" for k in range(len(x))]
    apart = {"a": x[["ldh"]].set_axis(names), "b": x[["age"]].set_axis(names).iloc[::-1]}
    with pytest.raises(InputError, match="the tables of X have different rows"):
        Coxnet().fit(apart, y.set_axis(names))
    with pytest.raises(InputError, match="an explanation by C takes one row per patient"):
        fitted.explain(cohort, "os")
    later = landmark_cohort(cohort, "os", 3)
    assert fitted.explain(later, "os", steps=4, repeats=1).modalities["c"].notna().all()
    with pytest.raises(InputError, match="lower bounds do not know delayed entry"):
        fitted.predict_lower_bound(later, calibration=(cohort, "os"))


def test_patients_of_one_row_need_no_entry():
    y = OUTCOME.rename(columns=lambda c: c.removeprefix("os_"))
    x = pd.DataFrame({"a": -y["time"] + np.arange(N) % 7, "b": np.arange(N) % 5})
    named = y.assign(patient=y.index).reset_index(drop=True)
    one = Coxnet().fit(x, y)
    np.testing.assert_array_equal(Coxnet().fit(x.reset_index(drop=True), named).coef_, one.coef_)
    assert one.coef_.any()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_scikit_learn_keeps_patients_together(cohort):
    x, y = table_of(cohort)
    scores = cross_val_score(Coxnet(), x, y, groups=y["patient"], cv=GroupKFold(3))
    assert (scores > 0.5).all()


def test_replacing_a_table_keeps_the_patients(cohort):
    scaled = replace(cohort, modalities={"lab": cohort.modalities["lab"] * 2}, kinds={})
    pd.testing.assert_series_equal(scaled.patients, cohort.patients)
    with pytest.raises(InputError, match="patients has 3 labels and the survival table"):
        replace(cohort, patients=["a", "b", "c"])
    with pytest.raises(InputError, match="overlap"):
        replace(cohort, patients=["a"] * len(cohort.survival))
    assert len(LONG) == len(cohort.survival)
