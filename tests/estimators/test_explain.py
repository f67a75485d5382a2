"""Explanations: complete, exact where the model is linear, and the same as by doing it by hand."""

import warnings
from dataclasses import replace
from functools import cache

import jax
import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import DataWarning
from jaxsurv.estimators import Coxnet, CoxNnet, MORiskVAE, importance, load
from jaxsurv.estimators.attribution import _mean_gradient, integrated_gradients
from jaxsurv.estimators.coxnet import LINEAR
from jaxsurv.estimators.fitted import FittedModel, functions_of
from jaxsurv.estimators.inputs import Patients, read_patients
from jaxsurv.estimators.reading import read_patients_of, rows_of
from jaxsurv.metrics import concordance_index
from jaxsurv.models import (
    CoxMTConfig,
    CoxNnetHParams,
    HCLConfig,
    HParams,
    SurvivalVAEConfig,
    find_model,
)
from jaxsurv.recipe import Rows, Terms
from jaxsurv.recipe.members import batch_of
from jaxsurv.types import InputError

SEEN = "these .* patients have the events and the follow-up of those who trained"
pytestmark = [
    pytest.mark.filterwarnings("ignore:constant features:jaxsurv.data.DataWarning"),
    pytest.mark.filterwarnings(f"ignore:{SEEN}:jaxsurv.data.DataWarning"),
]


@pytest.fixture(scope="module")
def cohort(patients):
    """``(X, y)``: a third table with categories, and patients who lack one of the others or all."""
    x, y = patients
    rng, names = np.random.default_rng(1), x.index
    y = pd.DataFrame({"event": y["event"], "time": y["time"]}, names)
    stage = rng.choice(["I", "II", "III"], len(x))
    clinical = pd.DataFrame(
        {"stage": stage, "age": rng.normal(60, 9, len(x)), "sex": rng.choice(["f", "m"], len(x))},
        names,
    )
    one = x[list("abcd")].assign(constant=1.0)
    return {"one": one.iloc[15:], "two": x[["e", "f"]].iloc[:80], "clinical": clinical}, y


VAE = SurvivalVAEConfig(latent=3, categories=2, zero_head=False, widths=lambda d: (d + 1,))
MODELS = {
    "vae": MORiskVAE(VAE, HParams(learning_rate=0.01), epochs=15, n_seeds=2, components=2),
    "nnet": CoxNnet(hparams=CoxNnetHParams(l2=0.01), epochs=40, n_seeds=3),
    "coxnet": Coxnet(l1_ratio=0.2),
}
FEW = {"steps": 1, "repeats": 1}


@pytest.fixture(scope="module")
def fit(cohort):
    return cache(lambda name: MODELS[name].fit(*cohort))


@pytest.fixture(scope="module")
def nnet(fit):
    return fit("nnet")


@pytest.fixture(scope="module")
def vae(fit):
    return fit("vae")


@pytest.fixture(scope="module")
def coxnet(fit):
    return fit("coxnet")


def standard(model: FittedModel, X):
    """Patients as the members read them, and what networks read before any projection."""
    patients = X if isinstance(X, Patients) else read_patients(X, None)
    reads = model.reads
    encoded = read_patients_of(model.preprocessing, patients, reads)
    before = model.preprocessing.inputs(encoded, project=False)
    return rows_of(model.preprocessing, encoded, reads), before.inputs


def with_coef(model, coef):
    return model.model_.params._replace(network={"coef": coef})


def members(model: FittedModel):
    for j in range(len(model.center)):
        params = jax.tree.map(lambda p, j=j: p[j : j + 1], model.params)
        yield replace(model, params=params, center=model.center[j : j + 1])


@pytest.mark.parametrize(
    ("network", "config"),
    [
        ("MORiskVAE", VAE),
        ("HCL", HCLConfig(widths=(8, 4), fusion=(6,))),
        ("CoxMT", CoxMTConfig((8, 4))),
        ("CoxNnet", None),
        (LINEAR, None),
    ],
)
def test_attributions_sum_to_the_log_hazard_less_that_at_the_mean(network, config, coxnet, cohort):
    """Each member and patient, whatever the weights are; some modalities are projected."""
    rng, model = np.random.default_rng(0), coxnet.model_
    projection = {"one": rng.normal(size=(5, 2)).astype(np.float32)}
    preprocessing = replace(model.preprocessing, projection=projection)
    model, network = replace(model, preprocessing=preprocessing), find_model(network)
    rows, before = standard(model, cohort[0])
    nothing = rows._replace(inputs={m: 0 * x for m, x in rows.inputs.items()})
    init = jax.jit(functions_of(network, config).init)
    first = init(jax.random.key(0), batch_of(rows))
    weights = jax.tree.map(
        lambda p: np.asarray(p) + rng.normal(0, 0.1, (2, *p.shape)).astype(np.float32), first
    )
    terms = Terms(weights, None, {}, {"network": np.ones(2, np.float32)})
    model = replace(
        model, network=network, config=config, params=terms, center=np.zeros(2, np.float32)
    )
    found = list(integrated_gradients(model, rows, before, steps=3000))
    assert len(found) == 2
    for a, member in zip(found, members(model), strict=True):
        here, there = (member.log_hazard_of(x) for x in (rows, nothing))
        spread = np.std(here - there)
        assert spread > 0.01
        np.testing.assert_allclose(a.sum(axis=1), here - there, atol=0.01 * spread)


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_the_path_is_cut_by_the_midpoint_rule(steps):
    """Exact for squares with a single step, and with any number the mean at the midpoints."""
    rng = np.random.default_rng(0)
    x, z = (rng.normal(size=(7, 3)).astype(np.float32) for _ in range(2))
    rows = Rows({"m": x}, {"m": np.ones(7, np.float32)}, {"m": z}, {"m": z > 0})
    s, w = (rng.normal(size=3).astype(np.float32) for _ in range(2))
    terms = Terms({"s": s, "w": w}, None, {}, {})

    def predict(terms, rows):
        p = terms.network
        return (
            rows.inputs["m"] ** 2 @ p["s"] + rows.z["m"] ** 4 @ p["w"] + rows.inputs["m"] @ p["w"]
        )

    read, plain = _mean_gradient(predict, steps, terms, rows)
    np.testing.assert_allclose(read["m"], x * s + w, rtol=1e-5, atol=1e-6)
    middle = (np.arange(steps) + 0.5) / steps
    np.testing.assert_allclose(plain["m"], 4 * z**3 * w * np.mean(middle**3), rtol=1e-4)


def test_training_patients_with_their_outcome_are_told(nnet, cohort):
    with pytest.warns(DataWarning, match=SEEN):
        nnet.explain(*cohort, **FEW)
    x, y = cohort
    x, y = {m: table.iloc[:70] for m, table in x.items()}, y.iloc[:85]
    others = {m: table[table.index.isin(y.index)] for m, table in x.items()}
    with warnings.catch_warnings(record=True) as told:
        nnet.explain(others, y, **FEW)
    assert not any("who trained" in str(w.message) for w in told)


def test_of_a_linear_model_they_are_coefficient_times_value(coxnet, cohort):
    order, (_, before) = ["one", "two", "clinical"], standard(coxnet.model_, cohort[0])
    z = np.concatenate([before[m] for m in order], axis=1)
    features, modalities, each = coxnet.explain(cohort[0])
    coef = coxnet.coef_.to_numpy()
    assert list(coxnet.coef_["clinical"].index)[-2:] == ["age", "sex=m"]
    assert (coef != 0).sum() >= 6
    expected = z * coef
    # of the clinical block: three columns of stage and their ranks, age, sex
    columns = [*expected[:, :7].T, expected[:, 7:11].sum(axis=1), expected[:, 11], expected[:, 12]]
    np.testing.assert_allclose(each[order], np.stack(columns, axis=1), atol=1e-5)
    np.testing.assert_allclose(
        features.loc[order, "attribution"], np.abs(columns).mean(axis=1), atol=1e-5
    )
    slope = [*coef[:4], np.nan, *coef[5:7], np.nan, *coef[11:]]
    np.testing.assert_allclose(features.loc[order, "direction"], slope, atol=1e-5)
    together = np.abs([s.sum(axis=0) for s in np.split(np.array(columns), [5, 7])]).mean(axis=1)
    np.testing.assert_allclose(modalities.loc[order, "attribution"], together, atol=1e-5)
    assert features.filter(like="_lower").isna().all(axis=None)
    np.testing.assert_allclose(
        each.sum(axis=1), coxnet.predict(cohort[0]) + coxnet.model_.center[0], atol=1e-5
    )


def test_a_projection_changes_nothing_but_the_way(coxnet, cohort):
    """The same linear model, whose first table enters through a rotation."""
    x, y = cohort
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(5, 5)))[0].astype(np.float32)
    model, coef = coxnet.model_, coxnet.model_.params.network["coef"].copy()
    coef[:, :5] = coef[:, :5] @ turn
    preprocessing = replace(model.preprocessing, projection={"one": turn})
    turned = Coxnet()
    turned.model_ = replace(model, preprocessing=preprocessing, params=with_coef(coxnet, coef))
    plain, other = coxnet.explain(x, y), turned.explain(x, y)
    for a, b in zip(plain, other, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)
    assert plain.features.loc["one", "c_drop"].max() > 0.02


def test_what_matters_comes_first(nnet, cohort):
    features, modalities, each = nnet.explain(*cohort)
    for measure in ("attribution", "c_drop"):
        assert set(features[measure].nlargest(2).index) == {("one", "a"), ("two", "e")}
        assert modalities[measure].idxmax() == "one"
    assert (features.loc[[("one", "a"), ("two", "e")], "direction"] > 0).all()
    both = features.dropna()
    assert (both["attribution_lower"] < both["attribution"]).all()
    assert modalities["c_lost"].idxmax() == "one"
    assert modalities.loc["one", "c_lost_lower"] > 0
    assert each.shape == (90, 10)
    assert each.columns.equals(features.index)
    assert set(each.index) == set(cohort[1].index)


def test_what_the_model_does_not_see_is_exactly_nothing(vae, coxnet, cohort):
    x, y = cohort
    blind = Coxnet()
    coef = np.zeros_like(coxnet.model_.params.network["coef"])
    coef[:, 0] = 1
    blind.model_ = replace(coxnet.model_, params=with_coef(coxnet, coef))
    unseen = blind.explain(x, y).features.drop(("one", "a"))
    constant = vae.explain(x, y, **FEW).features.loc[[("one", "constant")]]
    for rows in (unseen, constant):
        assert (rows[["attribution", "c_drop"]] == 0).all(axis=None)


def reverse(rng, rows, n, repeats):
    orders = np.tile(np.arange(n), (2, 1))
    orders[1, rows] = rows[::-1]
    return orders


@pytest.mark.parametrize("name", ["nnet", "vae"])
def test_permutations_are_those_of_the_tables(name, fit, cohort, monkeypatch):
    """Against predictions of tables that were turned upside down."""
    monkeypatch.setattr(importance, "_orders", reverse)
    x, y = cohort
    names = x["clinical"].index
    x = {m: x[m] for m in ("clinical", "one", "two")}  # all patients first, in the order of names
    estimator = fit(name)
    each = list(members(estimator.model_))
    found = estimator.explain(x, y, **FEW)

    def c(member, tables):
        risk = member.log_hazard(read_patients(tables, None)._replace(names=names))
        return concordance_index(risk, y["event"], y["time"]).index

    def drop(tables):
        return np.mean([c(m, x) - c(m, tables) for m in each])

    for m, f in found.features.index:
        turned = x[m].assign(**{f: x[m][f].to_numpy()[::-1]})
        expected = drop(x | {m: turned})
        assert found.features.loc[(m, f), "c_drop"] == pytest.approx(expected, abs=1e-3), (m, f)
    for m in x:
        turned = x[m].reindex(names[::-1]).set_axis(names, axis=0).dropna(how="all")
        expected = drop(x | {m: turned})
        assert found.modalities.loc[m, "c_drop"] == pytest.approx(expected, abs=1e-3), m


@pytest.mark.filterwarnings("ignore:none of the:jaxsurv.data.DataWarning")
@pytest.mark.parametrize("name", ["vae", "coxnet"])
def test_withheld_is_scored_without_the_table(name, fit, cohort):
    fitted, (x, y) = fit(name), cohort
    modalities = fitted.explain(x, y, **FEW).modalities
    assert set(modalities.index) == set(x)
    for m, row in modalities.iterrows():
        rest = {other: x[other] for other in x if other != m}
        assert row["c_without"] == pytest.approx(fitted.score(rest, y), abs=1e-6)
        assert row["c"] == pytest.approx(fitted.score(x, y), abs=1e-6)
        assert row["c_lost"] == pytest.approx(row["c"] - row["c_without"])
        assert row["c_lost_lower"] <= row["c_lost"] <= row["c_lost_upper"]


def test_a_loaded_model_explains_to_the_same_bits(vae, coxnet, cohort, tmp_path):
    for model, given in ((vae, cohort[:1]), (coxnet, cohort)):
        path = tmp_path / type(model).__name__
        model.save(path)
        for one, other in zip(model.explain(*given), load(path).explain(*given), strict=True):
            pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_without_an_outcome_there_are_attributions_alone(coxnet, cohort):
    x, y = cohort
    features, modalities, each = coxnet.explain(x)
    assert not [c for c in [*features, *modalities] if c.startswith("c_")]
    y = y.assign(
        time=y["time"].where(np.arange(90) >= 8), event=y["event"].where(np.arange(90) >= 8)
    )
    known = coxnet.explain(x, y)
    assert len(known.patients) == 82
    pd.testing.assert_frame_equal(known.patients, each.loc[known.patients.index])
    assert known.modalities["c"].iloc[0] == pytest.approx(coxnet.score(x, y))


def test_what_nobody_has_is_named_and_left_empty(coxnet, cohort):
    x, y = cohort
    with pytest.warns(DataWarning, match="none of the 90 patients has two, which the model"):
        features, modalities, _ = coxnet.explain({m: x[m] for m in ("clinical", "one")}, y)
    for table in (features, modalities):
        assert table.loc[["two"]].isna().all(axis=None)
        assert table.loc[["one"], "c_drop"].notna().all(axis=None)


def test_a_patient_without_any_table_gets_nothing(vae, cohort):
    x, _ = cohort
    patients = read_patients(x, None)
    with pytest.warns(DataWarning, match="1 of 91 patients have no modality at all: nobody"):
        rows, before = standard(
            vae.model_, patients._replace(names=patients.names.append(pd.Index(["nobody"])))
        )
    for a in integrated_gradients(vae.model_, rows, before, steps=4):
        assert not a[-1].any()
        assert np.isfinite(a).all()


def test_refusals(coxnet, cohort):
    x, y = cohort
    with pytest.raises(InputError, match="repeats must be at least 1, got 0"):
        coxnet.explain(x, y, repeats=0)
    with pytest.raises(InputError, match=r"steps must be an integer >= 1, got 1\.5"):
        coxnet.explain(x, y, steps=1.5)
    with pytest.raises(InputError, match="no comparable pair"):
        coxnet.explain(x, y.assign(event=False))
    with pytest.raises(InputError, match="2 patients in X are not in y: p15, p16"):
        coxnet.explain(x, y.drop(["p15", "p16"]))
