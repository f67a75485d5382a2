import numpy as np
import pytest

from jaxsurv.data import stratified_kfold
from jaxsurv.metrics import concordance_index
from jaxsurv.models import HParams, survival_vae
from jaxsurv.recipe import prepare
from jaxsurv.study.execute import Method, baseline_rows, ensemble_rows, pooled_risk, score, train
from jaxsurv.training import FitConfig, Plan

from .test_baselines import small_cohort


@pytest.fixture(scope="module")
def data():
    cohort = small_cohort()
    splits = stratified_kfold(cohort.outcome("os").event, folds=2, repeats=2)
    return prepare(cohort, "os", splits, components=4)


@pytest.fixture(scope="module")
def trained(data):
    reported = []
    settings = {f"beta {b}": HParams(b) for b in (0.1, 1.0)}
    config = FitConfig(epochs=12, patience=6, burn_in=2)
    method = Method("VAE", survival_vae(), settings, data, config)
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
