"""Saved estimators: the same bits, a closed list of models, and parts that must fit each other."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jaxsurv.artifacts import read_model
from jaxsurv.data import read_features
from jaxsurv.estimators import CoxNnet, MORiskVAE, load
from jaxsurv.estimators.card import card_of
from jaxsurv.models import MO_RISKVAE_HPARAMS, SurvivalVAEConfig
from jaxsurv.types import InputError
from tests.estimators.conftest import PARTS, changed

V1 = Path(__file__).parents[1] / "artifacts" / "model_v1"


@pytest.fixture(scope="module")
def fitted(patients):
    config = SurvivalVAEConfig(latent=3, categories=2, widths=lambda d: (d + 1,))
    return MORiskVAE(config, epochs=4, n_seeds=2, modalities=PARTS).fit(*patients)


@pytest.fixture
def path(fitted, tmp_path):
    fitted.save(tmp_path / "m.zip", metrics={"C, external": (0.7, 0.6, 0.8)})
    return tmp_path / "m.zip"


def test_a_loaded_model_is_the_same_to_the_bit(fitted, path, patients):
    x, y = patients
    loaded = load(path)
    for name in ("predict", "transform"):
        np.testing.assert_array_equal(getattr(loaded, name)(x), getattr(fitted, name)(x))
    times = [0.1, 1.0]
    pd.testing.assert_frame_equal(loaded.risk_table(x, times), fitted.risk_table(x, times))
    assert loaded.model_.cohort == fitted.model_.cohort
    assert loaded.score(x, y) == fitted.score(x, y)
    assert list(loaded.feature_names_in_) == list("abcdef")
    # the widths that a function gave are written out
    assert loaded.config.widths == {"one": (5,), "two": (3,)}
    again = loaded.fit(x, y)
    np.testing.assert_array_equal(again.predict(x), fitted.predict(x))
    again.save(path.parent / "again.zip", metrics={"C, external": (0.7, 0.6, 0.8)})
    assert (path.parent / "again.zip").read_bytes() == path.read_bytes()


def test_predictions_leave_the_callers_table_as_it_was(fitted, patients):
    before = patients[0].copy()
    fitted.predict(patients[0])
    pd.testing.assert_frame_equal(patients[0], before)


def test_the_file_names_what_the_fit_was_called_with(fitted, path):
    loaded = load(path).set_params(epochs=9, hparams=MO_RISKVAE_HPARAMS._replace(beta=9.0))
    loaded.save(path.parent / "later.zip", metrics={"C, external": (0.7, 0.6, 0.8)})
    assert (path.parent / "later.zip").read_bytes() == path.read_bytes()


def test_the_table_places_patients_in_the_training_cohort(fitted, patients):
    table = fitted.risk_table(patients[0], [0.5])
    assert list(table.columns) == ["risk", "percentile", "survival_0.5", "group"]
    assert table.index.name == "patient"
    order = table.sort_values("risk")
    assert order["percentile"].is_monotonic_increasing
    assert order["percentile"].between(0, 100).all()
    high = table["risk"] > fitted.model_.cohort.threshold
    assert (high == (table["group"] == "high")).all()
    assert (high == (table["percentile"] > 50)).all()


def test_the_card_says_what_it_is(path):
    text = card_of(read_model(path))
    for part in (
        "# MORiskVAE",
        "## Limits",
        "90 patients",
        "one: 4 features (continuous): a, b, c, d",
    ):
        assert part in text
    assert "0.700 (0.600 to 0.800)" in text


def test_a_loaded_model_keeps_what_was_told_of_it_until_it_is_fitted_again(
    path, patients, tmp_path
):
    loaded = load(path)
    assert "0.700 (0.600 to 0.800)" in loaded.card()
    loaded.save(tmp_path / "again.zip", metrics={"slope": (1.0, 0.5, 1.5)}, notes="from afar")
    again = load(tmp_path / "again.zip")
    assert set(again.metrics_) == {*loaded.metrics_, "slope"}
    assert "from afar" in again.card()
    again.fit(*patients)
    assert "## Held-out scores\n\n- C held out" in again.card()
    assert "0.700" not in again.card()
    assert "from afar" not in again.card()


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            lambda e, w, p: e.update(model="os.system"),
            "unknown model 'os.system'; there are Coxnet",
        ),
        (lambda e, w, p: e.update(model=None), "unknown model None"),
        (
            lambda e, w, p: e["config"].update(latent=4),
            r"the weights .* do not fit config and features",
        ),
        (lambda e, w, p: e["config"].update(latent=10**12), "config.latent must not be 10000"),
        (lambda e, w, p: e["config"].update(latent="4"), "config.latent must not be '4'"),
        (lambda e, w, p: e["config"].update(prior="flat"), "is damaged or of another make"),
        (
            lambda e, w, p: e["hparams"].pop("beta") and e.pop("hparams"),
            "is damaged or of another make",
        ),
        (lambda e, w, p: e["settings"].update(device="tpu"), "is damaged or of another make"),
        (lambda e, w, p: w.pop("params['gamma']"), "do not fit config and features"),
        (lambda e, w, p: w.update(more=np.zeros(3)), r"the weights more do not fit"),
        (lambda e, w, p: w.pop("center"), "is damaged or of another make"),
        (lambda e, w, p: w.update(center=w["center"][:1]), "do not fit config and features"),
        (
            lambda e, w, p: p.update({"scaler/gain": p["scaler/gain"][:-1]}),
            "preprocessing scaler/gain does not fit",
        ),
        (
            lambda e, w, p: p.update({"projection/one": np.zeros((9, 2))}),
            "preprocessing projection/one does not fit",
        ),
        (
            lambda e, w, p: e["preprocessing"]["schema"]["features"]["one"].pop(),
            "preprocessing scaler/lower, scaler/upper, scaler/center, scaler/gain does not fit",
        ),
        (
            lambda e, w, p: e["baseline"]["values"].reverse(),
            "baseline hazard must be nondecreasing",
        ),
        (lambda e, w, p: e["cohort"].pop("threshold"), "manifest.cohort.threshold is missing"),
    ],
)
def test_parts_that_do_not_fit_each_other_are_refused(path, edit, message):
    with pytest.raises(InputError, match=message):
        load(changed(path, "other", edit))


def test_an_unfitted_or_finished_path_is_refused(fitted, path):
    with pytest.raises(InputError, match="exists; give the path of a new folder"):
        fitted.save(path)


def test_a_model_of_schema_version_1_scores_as_it_did():
    model = load(V1 / "model")
    expected = pd.read_csv(V1 / "expected.csv", index_col="patient")
    kinds = model.model_.preprocessing.schema.kinds
    table = model.risk_table(read_features(V1 / "cohort", kinds), [200.0])
    assert set(table.index) == set(expected.index)
    table = table.loc[expected.index]
    for column in ("risk", "percentile", "survival_200"):
        np.testing.assert_allclose(table[column], expected[column], atol=1e-5)
    assert list(table["group"]) == list(expected["group"])
    assert json.loads((V1 / "model" / "manifest.json").read_text())["schema"] == 1


def test_files_from_before_a_model_had_a_config_are_read(patients, tmp_path):
    x, y = patients
    model = CoxNnet(epochs=2, n_seeds=1).fit(x.to_numpy(), y)
    model.save(tmp_path / "folder")
    loaded = load(tmp_path / "folder")
    np.testing.assert_array_equal(loaded.predict(x.to_numpy()), model.predict(x.to_numpy()))
    before = read_model(tmp_path / "folder")
    before.entries["config"] = None
    earlier = CoxNnet._restore(before)
    np.testing.assert_array_equal(earlier.predict(x.to_numpy()), model.predict(x.to_numpy()))
    with pytest.raises(InputError, match="X has 5 features, but CoxNnet is expecting 6"):
        loaded.predict(x.to_numpy()[:, :5])
