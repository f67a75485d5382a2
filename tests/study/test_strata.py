"""Studies of several strata: C of pairs within strata, curves by the baseline of the stratum, the source."""

from dataclasses import replace
from types import SimpleNamespace

import jax
import numpy as np
import pytest

from jaxsurv.cli.cohorts import make_splits
from jaxsurv.cli.options import StudyOptions
from jaxsurv.data import leave_one_group_out, stratified_kfold
from jaxsurv.metrics import hazard_ratio, integrated_brier_score
from jaxsurv.recipe import AS_MEASURED, prepare
from jaxsurv.recipe.curves import baseline_sets, fit_baselines
from jaxsurv.recipe.padded import padded
from jaxsurv.study.execute import concordances
from jaxsurv.study.findings import _pool, hazard_ratios
from jaxsurv.study.prediction_error import horizons, integrated_brier
from jaxsurv.survival import breslow_baseline, survival_function
from tests.recipe.cohorts import small_cohort

N = 80


@pytest.fixture(scope="module")
def cohort():
    """Two strata; times of one are ten times as long."""
    made, strata = small_cohort(), np.where(np.arange(N) % 2, "B", "A")
    survival = made.survival.copy()
    survival.loc[strata == "A", "os_time"] *= 10
    return replace(made, survival=survival, strata=strata)


def prepared(cohort, splits=None, **settings):
    outcome = cohort.outcome("os")
    if splits is None:
        splits = stratified_kfold(outcome.event, folds=2, strata=outcome.stratum)
    return prepare(cohort, "os", splits, AS_MEASURED, **settings)


def naive_c(risk, event, time, stratum, rows):
    good = pairs = 0.0
    for i in np.flatnonzero(rows & (event > 0)):
        for j in np.flatnonzero(rows & (stratum == stratum[i]) & (time > time[i])):
            pairs += 1
            good += (risk[i] > risk[j]) + (risk[i] == risk[j]) / 2
    return good / pairs


def test_c_is_of_pairs_within_strata(cohort):
    data = prepared(cohort)
    risk = np.random.default_rng(0).normal(size=(2, N)).astype(np.float32)
    table = concordances(data, np.arange(2), np.zeros(2, int), risk)
    stratum = np.arange(N) % 2
    for s in range(2):
        for part, rows in (("test", data.splits.test[s]), ("train", data.splits.train[s, 0])):
            expected = naive_c(risk[s], data.event, data.time, stratum, rows)
            assert table[f"{part}_c"][s] == pytest.approx(expected, abs=1e-6)


def test_arrays_hold_the_strata(cohort):
    data = prepared(cohort)
    stratum = np.arange(N) % 2
    np.testing.assert_array_equal(data.shared.source, np.stack([1 - stratum, stratum], axis=1))
    np.testing.assert_array_equal(data.outcome.stratum, stratum)
    batch, _ = data.build(data.shared, jax.tree.map(lambda a: a[0], data.fitted), 0)
    np.testing.assert_array_equal(batch.source, data.shared.source)
    sets = jax.tree.map(lambda a: np.asarray(a[0]), data.fitted.risk_sets)
    np.testing.assert_array_equal(
        sets.stratum[sets.position][data.splits.develop[0]], stratum[data.splits.develop[0]]
    )
    shared, fitted = padded(data)
    assert len(shared.source) == len(shared.outcome.stratum) == fitted.risk_sets.stratum.shape[1]


def test_patients_without_an_outcome_need_no_stratum(cohort):
    survival, strata = cohort.survival.copy(), cohort.strata.copy()
    survival.iloc[:6] = np.nan
    strata.iloc[:3] = np.nan
    data = prepared(replace(cohort, survival=survival, strata=strata), unlabelled=True)
    np.testing.assert_array_equal(data.shared.source.sum(axis=1), np.arange(N) >= 3)
    np.testing.assert_array_equal(data.outcome.stratum[6:], np.arange(6, N) % 2)
    assert np.isfinite(data.shared.outcome.time).all()


def test_brier_scores_are_by_the_baseline_of_the_stratum(cohort):
    data = prepared(cohort)
    risk = np.tile(np.asarray(0.3 * data.encoded.x[:, 0], np.float32), (2, 1))
    scores = integrated_brier(data, np.arange(2), risk)
    for s, (develop, test) in enumerate(zip(data.splits.develop, data.splits.test, strict=True)):
        eta = risk[s] - risk[s][develop].mean()
        curves = np.zeros((N, 50))
        for k in range(2):  # each stratum as if it were alone
            mine = np.arange(N) % 2 == k
            fit = breslow_baseline(eta, data.event, data.time, where=develop & mine)
            curves[mine] = survival_function(fit, eta[mine], horizons(data)[s])
        expected = integrated_brier_score(
            curves, horizons(data)[s], data.event, data.time,
            train_event=data.event[~test], train_time=data.time[~test], where=test,
        )  # fmt: skip
        assert scores[s] == pytest.approx(float(expected), rel=1e-5)


def test_a_stratum_that_nobody_trained_has_the_baseline_of_all(cohort):
    outcome = cohort.outcome("os")
    data = prepared(cohort, leave_one_group_out(outcome.event, cohort.strata))
    risk = np.tile(np.asarray(0.3 * data.encoded.x[:, 0], np.float32), (2, 1))
    scores = integrated_brier(data, np.arange(2), risk)
    assert np.isfinite(scores).all()
    plain = prepared(replace(cohort, strata=None), data.splits)
    np.testing.assert_allclose(scores, integrated_brier(plain, np.arange(2), risk), rtol=1e-6)


def test_a_stratum_without_events_has_the_baseline_of_all():
    rng = np.random.default_rng(0)
    event, time, risk = rng.integers(0, 2, 60), rng.exponential(1, 60), rng.normal(size=60)
    strata = np.array(["a", "b", "c"] * 20)
    event[strata == "c"] = 0
    found = fit_baselines(risk, baseline_sets(event, time, strata=strata))
    assert found.own.labels == ("a", "b")
    curves, at = found.survival(risk, np.array([0.5, 1.0]), strata), strata == "c"
    pooled = survival_function(found.pooled, risk, np.array([0.5, 1.0]))
    np.testing.assert_array_equal(curves[at], pooled[at])
    assert (curves[~at] != pooled[~at]).all()


def test_folds_have_their_share_of_every_stratum(cohort):
    splits = make_splits(cohort, "os", StudyOptions(folds=4))
    event, a = cohort.outcome("os").event > 0, (cohort.strata == "A").to_numpy()
    for own in (event & a, event & ~a):
        assert np.ptp((splits.test & own).sum(axis=1)) <= 1


def test_the_ratio_of_high_and_low_risk_is_within_strata(cohort):
    data = prepared(cohort)
    risk = np.tile(np.asarray(0.3 * data.encoded.x[:, 0], np.float32), (2, 1))
    table = _pool(data, {"ridge": (np.arange(2), risk)})
    assert table["stratum"].tolist() == cohort.strata.tolist()
    columns = (table[c].to_numpy(float) for c in ("risk", "event", "time"))
    found = hazard_ratios(SimpleNamespace(predictions=table)).iloc[0]  # type: ignore[arg-type]
    expected = hazard_ratio(*columns, strata=table["stratum"].to_numpy())
    assert found["hazard_ratio"] == pytest.approx(float(expected.hazard_ratio))
