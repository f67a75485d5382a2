"""What scikit-learn asks of estimators: its own checks, cloning, pipelines, searches."""

from inspect import signature

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

from jaxsurv.data import DataWarning
from jaxsurv.estimators import HCL, CoxMT, Coxnet, CoxNnet, MORiskVAE, MyeVAE, Network, load
from jaxsurv.models import MYEVAE, CoxNnetHParams, HCLConfig, SurvivalVAEConfig, find_model
from jaxsurv.types import InputError
from tests.estimators.conftest import PARTS

# each with the reason why the estimator does otherwise
EXPECTED = {
    "check_fit2d_1sample": "the message speaks of patients and events, where the check asks for samples",
    "check_dtype_object": "the message names the forms of y, where the check asks for label types",
}


class OfTimes(CoxNnet):
    """Takes the checks' one-dimensional y, of any sign, for times, all observed."""

    def fit(self, X, y=None):
        return super().fit(X, observed(y))

    def score(self, X, y=None):
        return super().score(X, observed(y))


def observed(y):
    y = y if y is None else np.asarray(y)
    return y if y is None or y.dtype.kind not in "iuf" else (np.ones(len(y)), y - y.min())


CHECKS = [
    case
    for case in estimator_checks_generator(
        OfTimes(epochs=1, n_seeds=1), expected_failed_checks=EXPECTED, mark="xfail"
    )
    if "array_api" not in str(case)  # of arrays on other devices, which skips itself
]


@pytest.mark.filterwarnings("ignore::jaxsurv.data.DataWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # after one epoch
@pytest.mark.parametrize(("estimator", "check"), CHECKS)
def test_scikit_learn_s_own_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("kind", [Coxnet, CoxMT, CoxNnet, HCL, MORiskVAE, MyeVAE])
def test_parameters_are_those_of_the_constructor(kind):
    model = kind(components=3, random_state=4)
    assert clone(model).get_params() == model.get_params()
    assert model.set_params(random_state=5).random_state == 5


def test_two_fits_give_the_same_bits_and_another_seed_others(patients):
    x, y = patients
    model = CoxNnet(epochs=3, n_seeds=2)
    first = model.fit(x, y).predict(x)
    np.testing.assert_array_equal(clone(model).fit(x, y).predict(x), first)
    assert not np.array_equal(model.set_params(random_state=7).fit(x, y).predict(x), first)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # with l2 = 100
def test_works_in_a_pipeline_and_in_scikit_learn_s_searches(patients):
    x, y = patients
    folds = KFold(2, shuffle=True, random_state=0)
    model = CoxNnet(epochs=30, n_seeds=1, hparams=CoxNnetHParams(l2=0.01))
    scores = cross_val_score(model, x, y, cv=folds)
    assert scores.min() > 0.6
    piped = make_pipeline(StandardScaler(), model)
    # the model standardises as well: a scaler before it changes next to nothing
    np.testing.assert_allclose(cross_val_score(piped, x, y, cv=folds), scores, atol=0.02)
    penalties = [CoxNnetHParams(l2=l2) for l2 in (0.01, 100.0)]
    found = GridSearchCV(model, {"hparams": penalties}, cv=folds, refit=False).fit(x, y)
    assert found.best_params_ == {"hparams": penalties[0]}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_hyper_parameters_are_parameters_by_their_names(patients, tmp_path):
    x, y = patients
    few = {"epochs": 10, "n_seeds": 1}
    whole = CoxNnet(hparams=CoxNnetHParams(l2=0.01, momentum=0.8), **few).fit(x, y)
    named = CoxNnet(hparams=CoxNnetHParams(momentum=0.8), l2=0.01, **few).fit(x, y)
    np.testing.assert_array_equal(named.predict(x), whole.predict(x))
    assert clone(named).get_params() == named.get_params()
    assert named.set_params(l2=0.5).chosen_hparams == CoxNnetHParams(0.5, momentum=0.8)
    named.save(tmp_path / "model.zip")  # of what was fitted, not of what was set since
    loaded = load(tmp_path / "model.zip")
    assert loaded.chosen_hparams == whole.chosen_hparams
    np.testing.assert_array_equal(loaded.predict(x), whole.predict(x))
    found = named.search(x, y, {"momentum": [0.5, 0.9]}, folds=2)
    assert {found.best_estimator.chosen_hparams.l2, found.best_hparams.l2} == {0.5}
    searched = GridSearchCV(CoxNnet(**few), {"l2": [0.01, 100.0]}, cv=2, refit=False).fit(x, y)
    assert searched.best_params_ == {"l2": 0.01}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_clone_whose_model_is_an_entry_can_be_saved(patients, tmp_path):
    """Cloning copies the entry: it is another object, and equal."""
    x, y = patients
    made = clone(Network(find_model("CoxNnet"), epochs=2, n_seeds=1)).fit(x, y)
    made.save(tmp_path / "model.zip")
    np.testing.assert_array_equal(load(tmp_path / "model.zip").predict(x), made.predict(x))


@pytest.mark.parametrize("kind", [CoxMT, CoxNnet, HCL, MORiskVAE, MyeVAE])
def test_every_hyper_parameter_has_its_name(kind):
    fields = kind().chosen_hparams._fields
    assert set(fields) < set(signature(kind).parameters) == set(kind().get_params())
    assert all(value is None for name, value in kind().get_params().items() if name in fields)


def test_hyper_parameters_that_cannot_be_are_refused(patients):
    with pytest.raises(InputError, match=r"does not read \['mmd_weight'\]; leave it out"):
        MORiskVAE(mmd_weight=1.0).fit(*patients)
    with pytest.raises(InputError, match="hyper-parameter beta has the value 'much'"):
        MORiskVAE(beta="much").fit(*patients)
    with pytest.raises(TypeError, match="unexpected keyword argument 'betta'"):
        MORiskVAE(betta=1.0)


def test_a_category_of_test_patients_alone(patients):
    """Unknown to a model that was fitted without them; under a mask, none of the others."""
    x, y = patients
    test = np.arange(90) >= 85
    x = x.assign(site=np.where(test, "c", np.where(np.arange(90) % 2, "a", "b")))
    model, known = Coxnet(folds=3, n_lambdas=5), x.assign(site=x["site"].where(~test))
    with pytest.raises(InputError, match="'c' in column 'site', patient 'p85', was never seen"):
        model.fit(x[~test], y[~test]).predict(x[test])
    assert np.isfinite(model.predict(known[test])).all()
    told = "no row of the fit had, .* 'c' in column 'site' of 'features', patient 'p85' and 4 more"
    with pytest.warns(DataWarning, match=told):
        assert np.isfinite(model.fit(x, y, where=~test).predict(x)).all()
    assert np.isfinite(model.predict(x[~test])).all()  # without a warning


@pytest.mark.parametrize("left", ["site 3", "stage 2", "stage 3"])
def test_categories_of_rows_under_the_mask_are_told_of(left, patients, tmp_path):
    """With a rank or without, and after the model was saved."""
    x, y = patients
    cells = np.array([f"{left[:-1]}{k}" for k in (1, 2, 3, 4)])[np.arange(90) % 4]
    if left == "site 3":
        cells = np.where(cells == "site 1", None, cells)  # missing is a category of its own
    out, x = cells == left, x.assign(site=cells)
    model = Coxnet(folds=3, n_lambdas=5).fit(x, y, where=~out)
    model.save(tmp_path / "model.zip")
    for kept in (model, load(tmp_path / "model.zip")):
        kept.predict(x[~out])
        with pytest.warns(DataWarning, match=f"no row of the fit had.*patient '{x.index[out][0]}'"):
            kept.predict(x[out])


def test_config_and_hparams_of_another_model_are_refused(patients):
    with pytest.raises(InputError, match="hparams of MORiskVAE must be a HParams"):
        MORiskVAE(hparams=CoxNnetHParams()).fit(*patients)
    with pytest.raises(InputError, match="config of CoxNnet must be a CoxNnetConfig"):
        CoxNnet(config=MYEVAE).fit(*patients)
    with pytest.raises(InputError, match="random_state must be an integer >= 0, got None"):
        Coxnet(random_state=None).fit(*patients)


WAYS = {"epochs": 1, "n_seeds": 1, "modalities": PARTS}
LATENT = {
    "vae": MORiskVAE(
        SurvivalVAEConfig(latent=3, widths=dict.fromkeys(PARTS, (4,)), categories=2), **WAYS
    ),
    "hcl": HCL(HCLConfig(widths=(2,), fusion=(4,)), **WAYS),
}
NAMES = {
    "vae": ["mu_0", "mu_1", "mu_2", "pi_0", "pi_1"],
    "hcl": ["one+two_0", "one+two_1", "one_0", "one_1", "two_0", "two_1"],
}


@pytest.fixture(scope="module", params=LATENT)
def latent(request, patients):
    """A fitted network with latent variables, and their names in any order."""
    return LATENT[request.param].fit(*patients), NAMES[request.param]


def test_latents_come_in_the_container_that_is_set(latent, patients):
    (model, names), (x, _) = latent, patients
    z, columns = model.set_output(transform="default").transform(x), model.get_feature_names_out()
    assert isinstance(z, np.ndarray)
    assert sorted(columns) == names
    assert z.shape == (90, len(names))
    model.set_output(transform="pandas").set_output()
    for labels in (x.index, pd.Index(range(7, 97), name="row")):
        table = model.transform(x.set_axis(labels))
        pd.testing.assert_frame_equal(table, pd.DataFrame(z, labels, columns))
    parts = {m: x[c].iloc[::-1] for m, c in PARTS.items()}
    table = model.transform(parts)  # no table of its own: the patients are the index
    assert list(table.index) == list(x.index[::-1])
    np.testing.assert_array_equal(table.loc[x.index], z)
    if "pi_0" in columns:  # the names say what is in the columns
        np.testing.assert_allclose(table[["pi_0", "pi_1"]].sum(axis=1), 1, atol=1e-5)
    else:  # 0 for whom no modality of a subset is there
        with pytest.warns(DataWarning, match="none of the 90 patients has two"):
            alone = model.transform({"one": x[PARTS["one"]]})
        assert set(alone.columns[(alone == 0).all()]) == {"two_0", "two_1"}
    with pytest.raises(InputError, match="transform must be"):
        model.set_output(transform="excel")


def test_set_output_of_a_clone_a_pipeline_and_all(latent, patients):
    (model, names), (x, _) = latent, patients
    config = clone(model.set_output(transform="pandas"))._sklearn_output_config
    assert config == {"transform": "pandas"}
    piped = make_pipeline(StandardScaler().fit(x), model.set_output(transform="default"))
    assert sorted(piped.set_output(transform="pandas").transform(x)) == names
    with sklearn.config_context(transform_output="pandas"):
        assert isinstance(model.set_output(transform="default").transform(x), np.ndarray)
        del model._sklearn_output_config  # nothing was set
        assert list(model.transform(x).index) == list(x.index)
    for method in ("transform", "set_output", "get_feature_names_out"):
        assert not hasattr(CoxNnet(), method)


def test_latents_as_a_polars_table(latent, patients):
    polars = pytest.importorskip("polars")
    z, table = (
        latent[0].set_output(transform=t).transform(patients[0]) for t in ("default", "polars")
    )
    assert isinstance(table, polars.DataFrame)
    assert table.columns == list(latent[0].get_feature_names_out())
    np.testing.assert_array_equal(table.to_numpy(), z)
