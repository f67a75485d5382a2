"""Runs as tidy rows: scores of their own split, names of their own setting, curves of their own model."""

from dataclasses import replace

import jax
import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import stratified_kfold
from jaxsurv.metrics import concordance_index, integrated_brier_score
from jaxsurv.models import CLINICAL, HParams, Model, find_model
from jaxsurv.recipe import AS_MEASURED, prepare
from jaxsurv.recipe.networks import collect_parameters
from jaxsurv.study.execute import Method, baseline_rows, ensemble_rows, pooled_risk, score, train
from jaxsurv.study.prediction_error import horizons, integrated_brier
from jaxsurv.training import FitConfig, Plan
from jaxsurv.types import InputError
from tests.models.weibull import WEIBULL, WeibullConfig, WeibullHParams, weibull
from tests.recipe.cohorts import small_cohort


@pytest.fixture(scope="module")
def data():
    cohort = small_cohort()
    splits = stratified_kfold(cohort.outcome("os").event, folds=2, repeats=2)
    return prepare(cohort, "os", splits, replace(AS_MEASURED, components=4))


@pytest.fixture(scope="module")
def trained(data):
    reported = []
    settings = {f"beta {b}": HParams(b) for b in (0.1, 1.0)}
    config = FitConfig(epochs=12, patience=6, burn_in=2)
    method = Method("VAE", find_model("SurvivalVAE"), settings, data, config)
    _, rows, arrays = train(method, seeds=[0, 1], plan=Plan(2, 3, 1), report=reported.append)
    return rows, arrays, reported


def test_rows_carry_the_c_of_their_own_split(data, trained):
    rows, arrays, _ = trained
    assert len(rows) == 4 * 2 * 2
    event, time = data.event, data.time
    for i in (0, 5, 15):
        s = arrays.split[i]
        assert (rows["repeat"][i], rows["fold"][i]) == (data.splits.repeat[s], data.splits.fold[s])
        for part in ("train", "validation", "test"):
            mask = getattr(data.splits, part)[s]
            mask = mask if part == "test" else mask[arrays.seed[i] % 5]
            c = concordance_index(arrays.prediction[i][mask], event[mask], time[mask]).index
            np.testing.assert_allclose(rows[f"{part}_c"][i], c, rtol=1e-5)


def test_rows_name_their_own_setting(trained):
    rows, arrays, _ = trained
    assert (rows["setting"] == [f"beta {b:.1f}" for b in rows["beta"]]).all()
    np.testing.assert_allclose(rows["beta"], arrays.hparams.beta)


def test_rows_are_reported_as_they_come(trained):
    rows, _, reported = trained
    assert [len(r) for r in reported] == [6, 6, 4]
    assert sum(reported[i]["test_c"].sum() for i in range(3)) == pytest.approx(rows["test_c"].sum())


def test_ensembles_average_the_seeds(data, trained):
    rows, arrays, _ = trained
    ensembles = ensemble_rows(data, rows, arrays.prediction)
    assert len(ensembles) == 4 * 2
    pick = (rows["repeat"] == 1) & (rows["fold"] == 0) & (rows["beta"] > 0.5)
    mean = arrays.prediction[pick.to_numpy()].mean(axis=0)
    mask = data.splits.test[2]
    event, time = data.event, data.time
    c = concordance_index(mean[mask], event[mask], time[mask]).index
    row = ensembles[
        (ensembles["repeat"] == 1) & (ensembles["fold"] == 0) & (ensembles["setting"] == "beta 1.0")
    ]
    assert row["test_c"].item() == pytest.approx(float(c), rel=1e-5)


def test_pooled_risk_ignores_the_origin_and_scale_of_each_fold(data):
    rng = np.random.default_rng(0)
    risk = np.tile(rng.normal(size=80), (4, 1))
    split = np.arange(4)
    moved = risk * np.array([[1], [10], [0.1], [2]]) + np.array([[0], [5], [-7], [1]])
    pooled = pooled_risk(data, split, moved)
    np.testing.assert_allclose(pooled, pooled_risk(data, split, risk), atol=1e-6)
    assert np.corrcoef(pooled, risk[0])[0, 1] > 0.99
    one_fold = pooled_risk(data, split[:1], risk[:1])
    np.testing.assert_array_equal(np.isnan(one_fold), ~data.splits.test[0])


def test_baselines_have_one_row_per_split(data):
    risk = np.tile(data.time * -1.0, (4, 1))
    rows = baseline_rows(data, "oracle", risk)
    assert rows["test_c"].tolist() == [1.0] * 4
    assert score(data, np.arange(4), np.zeros(4, int), -risk)["train_c"].tolist() == [0.0] * 4


def test_a_method_has_the_models_choices_unless_it_says_others(data):
    model = find_model("SurvivalVAE")
    plain = Method("VAE", model, {"a": HParams()}, data)
    assert plain.static == model.config
    small = replace(model.config, latent=2)
    assert Method("VAE", model, {"a": HParams()}, data, config=small).static == small
    assert plain.objective is plain.objective  # made once


def test_a_network_without_anything_to_encode_is_refused():
    cohort = small_cohort()
    clinical = {CLINICAL: cohort.modalities[CLINICAL]}
    cohort = replace(cohort, modalities=clinical, kinds={})
    splits = stratified_kfold(cohort.outcome("os").event, folds=2)
    method = Method(
        "VAE", find_model("SurvivalVAE"), {"a": HParams()}, prepare(cohort, "os", splits)
    )
    with pytest.raises(InputError, match="there is no modality to encode beside 'clinical'"):
        train(method, seeds=[0], plan=Plan(1, 1, 1), report=lambda rows: None)


def test_settings_come_back_by_name_whatever_their_order(data, trained):
    rows, arrays, _ = trained
    settings = {f"beta {b}": HParams(b) for b in (1.0, 0.1)}
    assert list(settings) == list(reversed(rows["setting"].unique()))
    config = FitConfig(epochs=12, patience=6, burn_in=2)
    method = Method("VAE", find_model("SurvivalVAE"), settings, data, config)
    _, other, other_arrays = train(
        method, seeds=[0, 1], plan=Plan(2, 3, 1), report=lambda rows: None
    )
    assert (other["setting"] == [f"beta {b:.1f}" for b in other["beta"]]).all()
    by = ["setting", "repeat", "fold", "seed"]
    one, two = (table.reset_index().set_index(by).sort_index() for table in (rows, other))
    order, again = one.pop("index").to_numpy(), two.pop("index").to_numpy()
    pd.testing.assert_frame_equal(one, two)
    np.testing.assert_array_equal(arrays.prediction[order], other_arrays.prediction[again])


def test_settings_that_single_precision_tells_apart_keep_their_names(data):
    """1/3 is no float32, and neither is a number next to it."""
    betas = {"third": 1 / 3, "more": 1 / 3 + 1e-6, "tenth": 0.1}
    settings = {name: HParams(beta) for name, beta in betas.items()}
    method = Method("VAE", find_model("SurvivalVAE"), settings, data, FitConfig(1, 0, 1))
    _, rows, _ = train(method, seeds=[0], plan=Plan(1, 4, 1), report=lambda rows: None)
    for name, beta in betas.items():
        mine = rows.loc[rows["setting"] == name, "beta"]
        assert len(mine) == 4
        np.testing.assert_array_equal(mine.to_numpy(np.float32), np.float32(beta))


@pytest.fixture(scope="module")
def weibull_runs(data):
    """Curves of the model's own: in units of a year of one, so that they fall off within the study."""
    settings = {"fast": WeibullHParams(0.1, 3e-2), "slow": WeibullHParams(0.1, 1e-3)}
    config = WeibullConfig(width=8, unit=0.5)
    method = Method(
        "Weibull", WEIBULL, settings, data, FitConfig(30, 5, 10), config,
        collect=collect_parameters,
    )  # fmt: skip
    return train(method, seeds=[0], plan=Plan(2, 3, 1), report=lambda rows: None)


def test_curves_of_their_own_give_the_brier_score(data, weibull_runs):
    _, rows, arrays = weibull_runs
    model, times = weibull(WeibullConfig(width=8, unit=0.5)), horizons(data)
    event, time = (np.asarray(a, float) for a in (data.event, data.time))
    for i in (0, 3, 6):
        s, params = arrays.split[i], jax.tree.map(lambda x, i=i: x[i], arrays.collected)
        split = jax.tree.map(lambda x, s=s: x[s], data.fitted)
        batch, _ = data.build(data.shared, split, np.uint32(arrays.seed[i]))
        alive = np.asarray(model.survival(params, batch, times[s]))
        np.testing.assert_allclose(
            model.predict(params, batch), arrays.prediction[i], rtol=1e-4, atol=1e-5
        )
        test = data.splits.test[s]
        expected = integrated_brier_score(
            alive[test], times[s].astype(float), event[test], time[test],
            train_event=event[~test], train_time=time[~test],
        )  # fmt: skip
        np.testing.assert_allclose(rows["test_ibs"][i], expected, rtol=1e-3)


def test_they_are_other_scores_than_those_of_breslows_curves(data, weibull_runs):
    _, rows, arrays = weibull_runs
    breslow = integrated_brier(data, arrays.split, arrays.prediction)
    assert np.abs(rows["test_ibs"] - breslow).max() > 0.005
    without = Model(
        "Weibull by Breslow",
        lambda config: weibull(config)._replace(survival=None),
        WEIBULL.hparams,
    )
    method = replace(weibull_runs.method, model=without)
    _, other, _ = train(method, seeds=[0], plan=Plan(2, 3, 1), report=lambda rows: None)
    np.testing.assert_allclose(other["test_ibs"], breslow, rtol=1e-4)
    np.testing.assert_allclose(other["test_c"], rows["test_c"], atol=1e-6)
    assert weibull_runs.arrays.collected is not None


def test_what_was_not_asked_for_is_not_kept(weibull_runs):
    method = replace(weibull_runs.method, collect=None)
    _, rows, arrays = train(method, seeds=[0], plan=Plan(2, 3, 1), report=lambda rows: None)
    assert arrays.collected is None
    np.testing.assert_allclose(rows["test_ibs"], weibull_runs.rows["test_ibs"], rtol=1e-5)
