"""Held-out probabilities of a study against loops over splits, and what is judged of them."""

from dataclasses import replace

import numpy as np
import pytest

from jaxsurv.recipe import AS_MEASURED, Ensemble, prepare
from jaxsurv.study.held_out import held_out
from jaxsurv.study.prediction_error import integrated_brier
from jaxsurv.study.statistics import corrected_t
from jaxsurv.survival import breslow_baseline, kaplan_meier, survival_function
from tests.recipe.cohorts import small_cohort, splits_of


@pytest.fixture(scope="module")
def data():
    cohort = small_cohort()
    return prepare(cohort, "os", splits_of(cohort, folds=4, repeats=2), AS_MEASURED)


@pytest.fixture(scope="module")
def risks(data):
    """Log hazards of two seeds per split, worse for shorter times, and of a clinical model."""
    rng = np.random.default_rng(0)
    true = -np.log(data.time + 1)
    split = np.repeat(np.arange(8), 2)
    noise = rng.normal(size=(16, len(true)))
    return {"a": (split, true + noise), "clinical Cox": (np.arange(8), true + noise[::2])}


def judge(data, risks, pooled=None):
    return held_out(data, "a", risks, np.full(8, 0.1), pooled)


def test_probabilities_are_breslows_pooled_over_the_runs_that_tested_a_patient(data, risks):
    found = judge(data, risks)
    median = np.median(data.time[data.event > 0])
    assert found.horizon == float(f"{median:.2g}")
    split, log_hazard = risks["a"]
    for i in (0, 17, 59):
        values = []
        for r, s in enumerate(split):
            if data.splits.test[s, i]:
                rows = data.splits.develop[s]
                h = breslow_baseline(log_hazard[r][rows], data.event[rows], data.time[rows])
                values.append(
                    survival_function(h, log_hazard[r][[i]], np.array([found.horizon]))[0, 0]
                )
        assert len(values) == 4  # two seeds, two deals
        assert found.risk["a"][i] == pytest.approx(1 - np.mean(values), rel=1e-5)


def test_one_curve_for_everybody_is_that_without_features(data, risks):
    found = judge(data, risks)
    nobody = integrated_brier(data, np.arange(8), np.zeros((8, len(data.time)), np.float32))
    assert found.no_features_ibs == pytest.approx(nobody.mean())
    expected = corrected_t(0.1 - nobody, data.test_fraction, repeat=data.splits.repeat)
    np.testing.assert_allclose(found.no_features, expected)


def test_benefit_is_judged_around_the_probability_of_all_patients(data, risks):
    found = judge(data, risks)
    everybody = 1 - float(kaplan_meier(found.event, found.time)(found.horizon))
    own = found.benefit["a"]
    middle = len(own.thresholds) // 2
    assert own.thresholds[middle] == pytest.approx(everybody)
    assert own.treat_all[middle] == pytest.approx(0, abs=1e-9)
    assert own.net_benefit[middle] > 0.05  # they know the order
    assert list(found.benefit) == ["a", "clinical Cox"]


def test_what_cannot_be_judged_is_none(data):
    """One risk for everybody has neither a calibration curve nor an effect."""
    once = data.splits._replace(
        **{name: getattr(data.splits, name)[:1] for name in data.splits._fields[:5]}
    )
    one = replace(data, splits=once)
    flat = {"a": (np.zeros(1, int), np.zeros((1, len(data.time))))}
    found = held_out(one, "a", flat, np.full(1, 0.1), np.zeros(len(data.time)))
    assert found.calibration is None
    assert found.time_effect is None


def test_a_risk_in_the_order_of_the_times_has_no_finite_effect(data):
    """The likelihood rises for ever: there is no ratio to be told, and nobody is to be warned of it."""
    flat = {"a": (np.arange(8), np.zeros((8, len(data.time))))}
    assert judge(data, flat, -data.time.argsort().argsort().astype(float)).time_effect is None


def test_effects_that_change_with_time_are_found(data):
    """The risk orders patients up to the horizon, and says nothing, or the opposite, after it."""
    flat = {"a": (np.arange(8), np.zeros((8, len(data.time))))}
    horizon = judge(data, flat).horizon
    rng = np.random.default_rng(1)
    early = np.where(data.time <= horizon, 1.5, 0.0) + rng.normal(size=len(data.time))
    effect = judge(data, flat, early).time_effect
    assert effect.early > 1.5 > effect.late
    assert effect.p_value < 0.05
    noise = judge(data, flat, rng.normal(size=len(data.time))).time_effect
    assert noise.p_value > 0.01


def test_findings_hold_them(data):
    from jaxsurv.study.execute import baseline_rows
    from jaxsurv.study.findings import Comparison, find
    from tests.study.made_up import made_up

    trained = made_up(data, "VAE", {"x": 1.0, "y": 1.0}, np.random.default_rng(0))
    log_hazard = np.random.default_rng(1).normal(size=data.splits.test.shape)
    base = baseline_rows(data, "clinical Cox", log_hazard)
    models = {"clinical Cox": Ensemble(log_hazard, log_hazard)}
    found = find(data, Comparison("x", {}, "y"), [trained], base, models)
    mine = trained.rows[trained.rows["setting"] == "y"]
    expected = held_out(
        data, "y",
        {"y": (trained.arrays.split[mine.index], trained.arrays.prediction[mine.index])},
        mine.groupby(["repeat", "fold"])["test_ibs"].mean().to_numpy(), None,
    )  # fmt: skip
    np.testing.assert_allclose(found.held_out.risk["y"], expected.risk["y"])
    np.testing.assert_allclose(found.held_out.no_features, expected.no_features)
    assert found.held_out.time_effect is not None
