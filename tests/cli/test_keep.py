"""The kept model: which setting it has, by numbers worked out by hand, and that nothing of it is lost."""

from dataclasses import replace

import numpy as np
import pytest

from jaxsurv.artifacts import read_model
from jaxsurv.cli.keep import (
    Headline,
    estimator_class,
    estimator_of,
    headline_of,
    python_line,
    without_idle_network,
    write_headline,
)
from jaxsurv.data import single_split
from jaxsurv.estimators import HCL, CoxMT, CoxNnet, MORiskVAE, MyeVAE, Network, SurvivalStack
from jaxsurv.models import CoxNnetHParams, HParams, SurvivalVAEConfig, find_model, registered
from jaxsurv.recipe import Recipe, cox_members, prepare
from jaxsurv.recipe.stacking import NETWORK
from jaxsurv.study.execute import Method, baseline_rows
from jaxsurv.study.findings import Comparison, find
from jaxsurv.training import FitConfig
from tests.recipe.cohorts import small_cohort, splits_of
from tests.study.made_up import made_up

RECIPE = Recipe(scaling="plain", components=3, offset="none")
SETTINGS = {"low": 0.1, "middle": 0.5, "high": 2.0}
# mean losses [splits, settings]: in the mean over splits "middle" is best, though "low" is in two of
# three splits and "high" has the best run
LOSSES = np.array([[1.0, 1.1, 1.3], [1.0, 1.1, 1.2], [1.6, 1.3, 1.4]])


@pytest.fixture(scope="module")
def data():
    cohort = small_cohort()
    return prepare(cohort, "os", splits_of(cohort, folds=3), RECIPE)


@pytest.fixture(scope="module")
def trained(data):
    rng, seeds = np.random.default_rng(0), np.array([-0.2, 0.1, 0.1])
    losses = LOSSES[:, None, :] + seeds[None, :, None]
    losses[0, :, 2] = [0.1, 1.9, 1.9]
    vae = made_up(data, "VAE", SETTINGS, rng, validation_loss=losses)
    return [made_up(data, "other", {"other": 1.0}, rng, validation_loss=0.0), vae]


@pytest.fixture(scope="module")
def choosing():
    return Comparison("low", {"chosen": tuple(SETTINGS)}, "chosen", {"stacked": ("chosen", {})})


@pytest.mark.parametrize(
    ("headline", "setting", "stacked"),
    [("chosen", "middle", False), ("stacked", "middle", True), ("high", "high", False),
     ("other", "other", False)],
)  # fmt: skip
def test_the_setting_is_that_of_least_mean_loss(trained, choosing, headline, setting, stacked):
    found = headline_of(replace(choosing, headline=headline), trained)
    assert (found.setting, found.stacked) == (setting, stacked)
    assert found.method.name == ("other" if setting == "other" else "VAE")
    assert ("lowest early-stopping loss" in found.why) == (headline in ("chosen", "stacked"))


def test_every_split_counts_the_same(trained, choosing):
    """However many of its runs there are: the third split, where "low" is worst, has but one seed."""
    vae = trained[1]
    few = vae.rows[(vae.rows["fold"] < 2) | (vae.rows["seed"] == 0)]
    means = few.groupby("setting")["validation_loss"].mean()
    assert means.idxmin() == "low"
    assert headline_of(choosing, [vae._replace(rows=few)]).setting == "middle"


TRAINING = FitConfig(epochs=17, burn_in=3, patience=5, batch_size=24)


@pytest.mark.parametrize("stacked", [True, False])
def test_the_estimator_has_all_choices_of_the_method(data, stacked):
    config = SurvivalVAEConfig(latent=3, head_reads_clinical=False)
    points = {"one": HParams(beta=0.7, dropout=0.4), "two": HParams(beta=9.0)}
    method = Method("VAE", find_model("SurvivalVAE"), points, data, TRAINING, config)
    made = estimator_of(Headline(method, "one", stacked, ""), 6)
    assert isinstance(made, SurvivalStack if stacked else Network)
    found = {name: getattr(made, name) for name in ("config", "hparams", "recipe", "n_seeds")}
    assert found == {"config": config, "hparams": points["one"], "recipe": RECIPE, "n_seeds": 6}
    for name in ("epochs", "burn_in", "patience", "batch_size"):
        assert getattr(made, name) == getattr(TRAINING, name)
    if stacked:
        assert made.grid == {}  # nothing is chosen again
        assert made.network == method.model


def test_every_model_has_the_estimator_of_its_name(data):
    kinds = {
        "MORiskVAE": MORiskVAE,
        "MyeVAE": MyeVAE,
        "CoxNnet": CoxNnet,
        "CoxMT": CoxMT,
        "HCL": HCL,
    }
    for name, kind in kinds.items():
        assert estimator_class(find_model(name)) is kind
    for name in set(registered()) - set(kinds):
        made = estimator_class(find_model(name))(n_seeds=2)
        assert type(made) is Network
        assert (find_model(made.model).name, made.n_seeds) == (name, 2)


class Kept:
    """A folder that writes what it is given at once."""

    def __init__(self, path):
        self.path = path

    def write(self, name, how):
        how(self.path / name)


@pytest.mark.filterwarnings("ignore:no epoch of any network")
@pytest.mark.parametrize("folds", ["three-way", "two-way"])
def test_the_file_tells_the_score_of_its_own_row(data, folds, tmp_path):
    """Its mean and interval are the summary's, whatever other rows there are."""
    cohort, rng = data.cohort, np.random.default_rng(1)
    fraction = 0.2 if folds == "three-way" else None
    data = prepare(cohort, "os", splits_of(cohort, folds=3, validation_fraction=fraction), RECIPE)
    trained = [made_up(data, "CoxNnet", SETTINGS, rng)]
    risk = rng.normal(size=data.splits.test.shape)
    found = find(data, Comparison("low", {}, "high"), trained, baseline_rows(data, "a", risk), {})
    model = CoxNnet(hparams=CoxNnetHParams(), epochs=1, n_seeds=1, recipe=RECIPE).fit(cohort, "os")
    saved = {}

    def save(path, *, metrics, notes):
        saved.update(metrics=metrics, notes=notes)

    model.__dict__["save"] = save
    headline = Headline(trained[0].method, "high", False, "because")
    kept, told = write_headline(found, (headline, model), Kept(tmp_path))
    row = found.summary.set_index("setting").loc["high"]
    for name, columns in (
        ("C on test sets", ["mean", "lower", "upper"]),
        ("integrated Brier score on test sets", ["ibs_mean", "ibs_lower", "ibs_upper"]),
    ):
        np.testing.assert_allclose(saved["metrics"][name], row[columns].astype(float))
    assert "'high': because" in saved["notes"]
    events = int(cohort.survival["os_event"].sum())
    assert (
        f"all {len(cohort.survival)} patients with {events} events, with 'high' (because)" in told
    )
    assert ("two-way" in told) == (folds == "two-way")
    assert kept.startswith("CoxNnet, high; fitted to all ")
    assert kept.endswith(f"events, in {tmp_path / 'model.zip'}.")


@pytest.mark.filterwarnings("ignore:no epoch of any network")
def test_the_file_of_a_study_of_one_split_has_no_interval(data, tmp_path):
    """As of a given split: no interval is undefined in the file, and its score is told."""
    cohort, rng = data.cohort, np.random.default_rng(1)
    data = prepare(cohort, "os", single_split(cohort.outcome("os").event, n_validation=20), RECIPE)
    trained = [made_up(data, "CoxNnet", SETTINGS, rng)]
    risk = rng.normal(size=data.splits.test.shape)
    found = find(data, Comparison("low", {}, "high"), trained, baseline_rows(data, "a", risk), {})
    model = CoxNnet(hparams=CoxNnetHParams(), epochs=1, n_seeds=1, recipe=RECIPE).fit(cohort, "os")
    headline = Headline(trained[0].method, "high", False, "because")
    write_headline(found, (headline, model), Kept(tmp_path))
    entries = read_model(tmp_path / "model.zip").entries
    assert not any("C on" in name or "Brier" in name for name in entries["metrics"])
    row = found.summary.set_index("setting").loc["high"]
    assert f"C on the test set: {row['mean']:.3f}." in entries["notes"]


@pytest.mark.filterwarnings("ignore:no epoch of any network")
@pytest.mark.filterwarnings("ignore:nothing was found")
@pytest.mark.parametrize("weight", [0.0, 0.2])
def test_a_network_that_added_nothing_in_the_study_is_not_in_the_file(data, tmp_path, weight):
    """Even where it has a weight with all patients."""
    trained = [made_up(data, "VAE", SETTINGS, np.random.default_rng(1))]
    risk = np.random.default_rng(2).normal(size=data.splits.test.shape)
    cox = cox_members(data, ["all modalities"])
    comparison = Comparison("low", {}, "stack", {"stack": ("high", cox)})
    found = find(data, comparison, trained, baseline_rows(data, "a", risk), {})
    network = found.weights["member"] == NETWORK
    assert network.sum() == 3
    rows = found.weights.assign(weight=np.where(network, 0.0, 0.5))
    rows.loc[network[network].index[-1], "weight"] = weight  # in one split
    found = replace(found, weights=rows)
    vae, points = find_model("SurvivalVAE"), {"high": HParams()}
    method = Method("VAE", vae, points, data, FitConfig(epochs=1), SurvivalVAEConfig())
    model = estimator_of(Headline(method, "high", True, ""), 1)
    model.set_params(members=["all modalities", NETWORK]).fit(data.cohort, "os")
    model.model_ = replace(model.fitted(), network=vae)  # as if it had earned a weight
    kept = without_idle_network(found, model, data)
    assert (kept is model) == (weight > 0)
    if weight == 0:
        kept.save(tmp_path / "model.zip")
    assert list(kept.weights_.index) == ["all modalities", NETWORK][: 1 + (weight > 0)]


def test_the_lines_of_the_report_score_new_patients(data, tmp_path):
    """As they are printed, for tables in a folder."""
    fitted = SurvivalStack(
        ["modalities"], recipe=replace(RECIPE, components=None)
    ).fit(data.cohort, "os")  # fmt: skip
    fitted.save(tmp_path / "model.zip")
    new = tmp_path / "new"
    new.mkdir()
    for name, table in data.cohort.modalities.items():
        table.to_csv(new / f"{name}.csv")
    line = python_line(tmp_path / "model.zip").replace("NEW_PATIENTS", str(new))
    scope: dict = {}
    exec(f"{line.rsplit(';', 1)[0]}; table = {line.rsplit(';', 1)[1].strip()}", scope)
    np.testing.assert_allclose(scope["table"]["risk"], fitted.predict(data.cohort), rtol=1e-5)
