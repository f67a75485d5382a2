"""The stack: what a study scores is what an estimator keeps, and what is kept scores new patients."""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning

from jaxsurv.data import Cohort, DataWarning, load_tcga_acc, simulate_cohort, stratified_kfold
from jaxsurv.estimators import Coxnet, CoxNnet, SurvivalStack, load
from jaxsurv.estimators.inputs import read_patients
from jaxsurv.models import CoxNnetHParams, HParams, SurvivalVAEConfig, find_model
from jaxsurv.models._cox_nnet import PENALTIES
from jaxsurv.recipe import AS_MEASURED, Recipe, cox_members, ensemble, prepare, stack, stacking
from jaxsurv.recipe.stacking import RECOMMENDED
from jaxsurv.study.execute import Method, train
from jaxsurv.study.findings import choose_per_split
from jaxsurv.survival import breslow_baseline
from jaxsurv.training import FitConfig, choose_plan
from jaxsurv.types import InputError

BETAS = (0.01, 1.0)
SMALL = SurvivalVAEConfig(latent=3, widths=lambda d: (4,), head_reads_clinical=False)
TRAINING = {"epochs": 12, "n_seeds": 2}
pytestmark = pytest.mark.filterwarnings(
    "ignore:no epoch of any network", "ignore:constant features", "ignore:nothing was found"
)


def without_mutations(cohort):
    tables = {m: t for m, t in cohort.modalities.items() if m != "mutation"}
    return replace(cohort, modalities=tables, kinds={m: cohort.kinds[m] for m in tables})


@pytest.fixture(scope="module")
def acc():
    return without_mutations(load_tcga_acc())


@pytest.fixture(scope="module")
def simulated():
    return simulate_cohort(n=120, n_genes=12, n_cnv=8).cohort


@pytest.fixture(scope="module")
def stratified(simulated):
    return replace(simulated, strata=np.where(np.arange(120) % 3 == 0, "A", "B"))


@pytest.fixture(scope="module", autouse=True)
def networks_count():
    """Every stack of this file gives its network a weight, earned or not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stacking, "EARNED", -1.0)
        yield


def study_of(cohort, model, settings, config, recipe, folds=2):
    """The headline of a small study: log hazards of every split, and the chosen setting of each."""
    endpoint = cohort.endpoints[0]
    outcome = cohort.outcome(endpoint)
    splits = stratified_kfold(outcome.event, folds=folds, strata=outcome.stratum)
    data = prepare(cohort, endpoint, splits, recipe)
    training = FitConfig(TRAINING["epochs"])
    method = Method("network", find_model(model), settings, data, training, config)
    runs = len(splits.fold) * TRAINING["n_seeds"] * len(settings)
    done = train(
        method, seeds=range(TRAINING["n_seeds"]), plan=choose_plan(runs), report=lambda rows: None
    )
    kept = choose_per_split(done.rows)
    arrays = done.arrays
    member = ensemble(data, arrays.split[kept], arrays.prediction[kept], arrays.seed[kept])
    headline = stack(data, {**cox_members(data), "network": member})
    chosen = done.rows[kept].groupby("fold")["setting"].first()
    return data, headline, chosen


RECIPES = {
    "default": Recipe(),
    "selected and imputed": Recipe(select="elastic-net", impute="gaussian", components=None),
    "as measured": replace(AS_MEASURED, unknown="level", scaling="plain"),
}


@pytest.mark.parametrize(
    ("name", "recipe"),
    [
        ("acc", "default"),
        ("acc", "selected and imputed"),
        ("simulated", "as measured"),
        ("stratified", "default"),
    ],
)
def test_parity_with_the_headline_of_a_study(name, recipe, request):
    """For every split, the stack that is fitted to its training rows is the one that the study scored."""
    cohort, recipe = request.getfixturevalue(name), RECIPES[recipe]
    settings = {f"β = {b:g}": HParams(beta=b) for b in BETAS}
    data, headline, chosen = study_of(cohort, "SurvivalVAE", settings, SMALL, recipe)
    for s, test in enumerate(data.splits.test):
        model = SurvivalStack(
            config=SMALL, grid={"beta": BETAS}, recipe=recipe, random_state=s, **TRAINING
        ).fit(data.cohort, data.endpoint, where=~test)
        risk = model.predict(data.cohort)
        np.testing.assert_allclose(risk[test], headline.log_hazard[s][test], atol=1e-5)
        np.testing.assert_allclose(model.weights_, headline.weights[s], atol=1e-5)
        assert f"β = {model.choice_['beta']:g}" == chosen.iloc[s]
        # curves, percentiles and groups are of log hazards by members that did not train on the row
        known = ~test & np.isfinite(headline.held_out[s])
        held_out = headline.held_out[s][known]
        kept, baseline = model.model_.cohort, model.model_.baseline
        assert kept.threshold == pytest.approx(np.median(held_out), abs=1e-5)
        np.testing.assert_allclose(
            kept.percentiles, np.percentile(held_out, np.arange(101)), atol=1e-5
        )
        expected = breslow_baseline(held_out, data.event[known], data.time[known])
        at = np.quantile(data.time, [0.2, 0.5, 0.9])
        np.testing.assert_allclose(baseline(at), expected(at), rtol=1e-4)


@pytest.mark.parametrize("name", ["acc", "simulated"])
def test_parity_on_a_cohort_without_the_test_patients(name, request):
    """A network that draws no noise while it trains needs no mask: the test patients may not be there."""
    cohort = request.getfixturevalue(name)
    if name == "acc":  # a category of one patient would be unknown where that patient is tested
        tables = {
            **cohort.modalities,
            "clinical": cohort.modalities["clinical"][["years_to_birth"]],
        }
        cohort = replace(cohort, modalities=tables)
    settings = {f"l2 = {x:g}": CoxNnetHParams(l2=x) for x in (0.1, 1.0)}
    data, headline, _ = study_of(cohort, "CoxNnet", settings, None, Recipe())
    for s, test in enumerate(data.splits.test):
        model = SurvivalStack(
            network="CoxNnet", grid={"l2": (0.1, 1.0)}, random_state=s, **TRAINING
        ).fit(data.cohort.take(~test), data.endpoint)
        risk = model.predict(data.cohort.take(test))
        np.testing.assert_allclose(risk, headline.log_hazard[s][test], atol=1e-5)


@pytest.fixture(scope="module")
def fitted(acc):
    model = SurvivalStack(config=SMALL, grid={"beta": BETAS}, **TRAINING)
    return model.fit(acc, "os")


def test_a_loaded_stack_is_the_same_to_the_bit(fitted, acc, tmp_path):
    fitted.save(tmp_path / "m.zip", notes="a note")
    loaded = load(tmp_path / "m.zip")
    times = [365.0, 1095.0]
    np.testing.assert_array_equal(loaded.predict(acc), fitted.predict(acc))
    pd.testing.assert_frame_equal(loaded.risk_table(acc, times), fitted.risk_table(acc, times))
    pd.testing.assert_series_equal(loaded.weights_, fitted.weights_)
    assert loaded.choice_ == fitted.choice_
    for one, other in zip(loaded.explain(acc, steps=2), fitted.explain(acc, steps=2), strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)
    loaded.save(tmp_path / "again.zip", notes="a note")
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "m.zip").read_bytes()
    chosen = SurvivalStack(
        config=SMALL, hparams=HParams(beta=fitted.choice_["beta"]), grid={}, **TRAINING
    ).fit(acc, "os")
    np.testing.assert_array_equal(chosen.predict(acc), fitted.predict(acc))


def test_a_network_that_adds_nothing_is_left_out(acc, tmp_path, monkeypatch):
    monkeypatch.setattr(stacking, "EARNED", np.inf)
    how = {"config": SMALL, "hparams": HParams(beta=0.7), "grid": {}, **TRAINING}
    model = SurvivalStack(**how).fit(acc, "os")
    alone = SurvivalStack([m for m in RECOMMENDED if m != "network"]).fit(acc, "os")
    np.testing.assert_array_equal(model.predict(acc), alone.predict(acc))
    assert model.weights_["network"] == 0
    assert model.model_.network is None
    assert model.model_.params.network is None
    with pytest.raises(InputError, match="a model without a network has no latent variables"):
        model.transform(acc)
    model.save(tmp_path / "m.zip")
    loaded = load(tmp_path / "m.zip")
    np.testing.assert_array_equal(loaded.predict(acc), model.predict(acc))
    pd.testing.assert_series_equal(loaded.weights_, model.weights_)
    assert (loaded.config.latent, loaded.hparams) == (SMALL.latent, HParams(beta=0.7))
    loaded.save(tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "m.zip").read_bytes()


def test_where_nothing_is_found_a_warning_says_so(acc):
    random = np.random.default_rng(1).permutation(len(acc.survival))
    shuffled = acc.survival.set_axis(acc.survival.index[random]).reindex(acc.survival.index)
    with pytest.warns(ConvergenceWarning, match="nothing was found: the likelihood ratio"):
        model = SurvivalStack(["all modalities"]).fit(replace(acc, survival=shuffled), "os")
    assert model.weights_.sum() < 0.02


def test_no_patient_is_in_the_file(acc, tmp_path):
    members = ["network", "clinical RBF", "all modalities"]
    fitted = SurvivalStack(members, config=SMALL, **TRAINING).fit(acc, "os")
    fitted.save(tmp_path / "m")
    size = sum(f.stat().st_size for f in (tmp_path / "m").iterdir())
    text = (tmp_path / "m" / "manifest.json").read_text()
    assert "TCGA-OR" not in text
    n = fitted.model_.cohort.patients
    shapes = [
        a.shape for a in fitted.model_.params.cox["clinical, RBF kernel"] if hasattr(a, "shape")
    ]
    assert all(n not in shape for shape in shapes)
    assert size < 2**20


def test_explanations_add_up_over_the_members(fitted, acc):
    each = fitted.explain(acc, steps=256).patients.sum(axis=1)
    risk, model = fitted.predict(acc), fitted.model_
    rows = model.rows(read_patients(acc, None))
    at_mean = rows._replace(
        inputs={m: 0 * x for m, x in rows.inputs.items()}, z={m: 0 * x for m, x in rows.z.items()}
    )
    np.testing.assert_allclose(each, risk - model.log_hazard_of(at_mean), atol=0.02)


@pytest.mark.filterwarnings("ignore:none of the:jaxsurv.data.DataWarning")
@pytest.mark.filterwarnings("ignore:the members:jaxsurv.data.DataWarning")
@pytest.mark.filterwarnings("ignore:.* have no modality at all:jaxsurv.data.DataWarning")
def test_members_that_cannot_score_are_named_and_left_out(fitted, acc):
    some = {m: t for m, t in acc.modalities.items() if m in ("rna", "clinical")}
    with pytest.warns(DataWarning) as told:
        risk = fitted.predict(some)
    assert np.ptp(risk) > 0
    assert any("patients has cnv, mirna, protein" in str(w.message) for w in told)
    two = SurvivalStack(["modalities"], recipe=Recipe(blocks=("rna", "cnv"), offset="none"))
    two.fit(acc, "os")
    with pytest.warns(DataWarning, match="the members cnv cannot score") as told:
        two.predict({"rna": acc.modalities["rna"]})
    assert len(told) == 2
    whole = load_tcga_acc()  # no mutation is frequent enough to be used
    idle = SurvivalStack(["modalities"], recipe=Recipe(blocks=("rna", "mutation"), offset="none"))
    idle.fit(whole, "os")
    with pytest.raises(InputError, match="no member of the model can score these patients"):
        idle.predict({"mutation": whole.modalities["mutation"]})
    with pytest.raises(InputError, match="no modality is given; the model reads"):
        idle.predict({"protein": whole.modalities["protein"]})


def test_a_stack_of_cox_models_needs_no_network(acc):
    model = SurvivalStack(["modalities", "elastic net"]).fit(acc, "os")
    assert list(model.weights_.index) == [*acc.modalities, "elastic net"]
    assert model.choice_ == {}
    with pytest.raises(InputError, match="SurvivalStack has no network"):
        model.search(acc, "os", {"beta": [1.0]})
    with pytest.raises(InputError, match="members must be one of"):
        SurvivalStack(["forest"]).fit(acc, "os")
    with pytest.raises(InputError, match="members must be a list of names"):
        SurvivalStack("network").fit(acc, "os")


def test_search_scores_whole_stacks_as_if_fitted_one_by_one(acc):
    model = SurvivalStack(config=SMALL, **TRAINING)
    found = model.search(acc, "os", {"beta": BETAS}, folds=2)
    event = acc.outcome("os").event
    test = stratified_kfold(event, folds=2, validation_fraction=None).test
    for _, row in found.table.iterrows():
        single = partial(SurvivalStack, config=SMALL, grid={}, **TRAINING)
        for k, rows in enumerate(test):
            fold = single(hparams=HParams(beta=row["beta"])).fit(acc, "os", where=~rows)
            assert fold.score(acc.take(rows), "os") == pytest.approx(row[f"c_fold_{k}"])
    assert found.best_estimator.hparams == found.best_hparams


KEPT = [
    Recipe(select="elastic-net", impute="round-robin", components=3),
    Recipe(unknown="level", scaling="plain", blocks=("rna", "clinical"), components=None),
    Recipe(select="variance", top=5, components=None),
    Recipe(impute="gaussian", components=4, offset="none"),
]


@pytest.mark.filterwarnings("ignore:no feature has a coefficient")
@pytest.mark.parametrize(
    ("kind", "recipe"),
    [*(("stack", r) for r in KEPT[:2]), *(("elastic net", r) for r in KEPT)],
    ids=range(6),
)
def test_every_recipe_is_kept_with_its_model(kind, recipe, acc, tmp_path):
    if kind == "stack":
        model = SurvivalStack(config=SMALL, hparams=HParams(), epochs=3, n_seeds=1, recipe=recipe)
    else:
        model = Coxnet(recipe=recipe)
    model.fit(acc, "os").save(tmp_path / "m.zip")
    loaded = load(tmp_path / "m.zip")
    assert loaded.recipe == recipe
    risk = model.predict(acc)
    np.testing.assert_array_equal(loaded.predict(acc), risk)
    alone = acc.take(np.arange(len(risk)) == 7)  # whoever else is scored
    np.testing.assert_allclose(loaded.predict(alone), risk[7:8], atol=1e-5)


def test_tables_are_checked_and_encoded_once(acc, monkeypatch):
    from jaxsurv.data import cohort as cohorts
    from jaxsurv.preprocess import _encode, schema

    counts = {"checked": [], "encoded": []}
    clean, encode = cohorts.clean_modality, _encode.encode_table

    def counting_clean(name, *rest):
        counts["checked"].append(name)
        return clean(name, *rest)

    def counting_encode(schema, modality, table):
        counts["encoded"].append(modality)
        return encode(schema, modality, table)

    for module in (cohorts, schema):
        monkeypatch.setattr(module, "clean_modality", counting_clean)
    monkeypatch.setattr(_encode, "encode_table", counting_encode)
    cohort = Cohort(acc.modalities, acc.survival, acc.kinds)
    assert sorted(counts["checked"]) == sorted(acc.modalities)
    model = SurvivalStack(config=SMALL, grid={"beta": BETAS}, epochs=2, n_seeds=1)
    model.fit(cohort, "os")
    assert sorted(counts["checked"]) == sorted(acc.modalities)  # the cohort's own check was the one
    assert sorted(counts["encoded"]) == sorted(acc.modalities)
    counts["encoded"].clear()
    CoxNnet(epochs=2, n_seeds=1).search(cohort, "os", {"l2": (0.1, 1.0)}, folds=3)
    # once for the folds, once for the fit of the best
    assert sorted(counts["encoded"]) == sorted([*acc.modalities, *acc.modalities])
    assert sorted(counts["checked"]) == sorted(acc.modalities)


def test_a_stack_chooses_what_its_network_profiles():
    assert SurvivalStack(network="CoxNnet")._grid() == {"l2": PENALTIES}
    assert SurvivalStack(network="CoxNnet", hparams=CoxNnetHParams())._grid() == {}
    assert SurvivalStack(network="CoxNnet", grid={"momentum": (0.5, 0.9)})._grid() == {
        "momentum": (0.5, 0.9)
    }
    assert SurvivalStack()._grid() == {"beta": (0.01, 0.1, 1.0)}
    assert SurvivalStack(hparams=HParams())._grid() == {}


@pytest.mark.parametrize("network", [None, "no such network"])
def test_names_are_completed_whatever_the_parameters(network):
    assert {"fit", "predict", "save"} <= set(dir(SurvivalStack(network=network, recipe="wrong")))
