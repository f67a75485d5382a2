"""Times that are equal but for rounding are one, in every function; R's numbers."""

import numpy as np
import pytest

from jaxsurv.metrics import (
    brier_score,
    concordance_index,
    concordance_index_ipcw,
    concordance_td,
    cumulative_dynamic_auc,
    hazard_ratio,
    integrated_brier_score,
)
from jaxsurv.survival import (
    breslow_baseline,
    censoring_curve,
    cox_fit,
    kaplan_meier,
    logrank_test,
    martingale_residuals,
    neg_log_partial_likelihood,
    nelson_aalen,
    restricted_mean,
)
from jaxsurv.survival.ties import at_known_times, merge_near_ties
from jaxsurv.types import InputError

RISK = np.array([0.0, 1, 0, 1, 2, 1, 0.5, 0.2])
EVENT = np.array([1, 1, 1, 0, 1, 0, 1, 0])
EXACT = np.array([0.3, 0.3, 0.5, 0.7, 0.7, 0.9, 0.9, 1.1])
ROUNDED = EXACT + np.array([5.6e-17, 0, 0, 1.2e-16, 0, 0, 2.3e-16, 0])
CURVES = np.linspace(0.9, 0.2, 16).reshape(2, 8).T
GIVEN = {"train_event": EVENT, "train_time": EXACT}

FUNCTIONS = {
    "cox_fit": lambda t: cox_fit(RISK[:, None], EVENT, t).coef,
    "loss": lambda t: neg_log_partial_likelihood(RISK, EVENT, t),
    "martingale": lambda t: martingale_residuals(RISK, EVENT, t),
    "baseline": lambda t: breslow_baseline(RISK, EVENT, t)(EXACT),
    "kaplan_meier": lambda t: kaplan_meier(EVENT, t)(EXACT),
    "kaplan_meier at rounded times": lambda t: kaplan_meier(EVENT, EXACT)(t),
    "nelson_aalen": lambda t: nelson_aalen(EVENT, t)(EXACT),
    "quantile": lambda t: kaplan_meier(EVENT, t).quantile(0.5).time,
    "restricted_mean": lambda t: restricted_mean(kaplan_meier(EVENT, t), 0.9).mean,
    "censoring": lambda t: censoring_curve(EVENT, t).before(EXACT),
    "censoring at rounded times": lambda t: censoring_curve(EVENT, EXACT).before(t),
    "logrank": lambda t: logrank_test(EVENT, t, RISK > 0.4).statistic,
    "hazard_ratio": lambda t: hazard_ratio(RISK, EVENT, t).log_hazard_ratio,
    "concordance": lambda t: np.array(concordance_index(RISK, EVENT, t)[:6]),
    "concordance up to tau": lambda t: concordance_index(RISK, EVENT, t, tau=0.9).concordant,
    "uno": lambda t: concordance_index_ipcw(RISK, EVENT, t, tau=0.9, **GIVEN).index,
    "antolini": lambda t: concordance_td(CURVES, np.array([0.3, 0.7]), EVENT, t).index,
    "auc": lambda t: cumulative_dynamic_auc(RISK, np.array([0.3, 0.7]), EVENT, t, **GIVEN).auc,
    "brier": lambda t: brier_score(CURVES, np.array([0.3, 0.7]), EVENT, t, **GIVEN),
    "ibs": lambda t: integrated_brier_score(CURVES, np.array([0.3, 0.7]), EVENT, t, **GIVEN),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_rounding_changes_nothing(name):
    assert (ROUNDED != EXACT).any()
    of = FUNCTIONS[name]
    np.testing.assert_allclose(np.asarray(of(ROUNDED)), np.asarray(of(EXACT)), rtol=1e-6)


def test_the_numbers_of_r():
    """R 4.x, survival 3.x: coxph and survfit, timefix = TRUE."""
    time, event = np.array([0.1 + 0.2, 0.3, 0.5, 0.7]), np.array([1, 1, 1, 0])
    fit = cox_fit(np.array([[0.0], [1], [0], [1]]), event, time)
    np.testing.assert_allclose(fit.coef, [-0.6931472], rtol=1e-5)
    assert kaplan_meier(event, time)(np.array([0.3])) == 0.5


def test_what_is_merged_and_what_is_not():
    days = np.array([3, 1, 2**60, 2**60 + 1])
    assert merge_near_ties(days)[0] is days  # integers are exact
    seconds = 1.7e9 + np.arange(6.0)  # R would merge these
    np.testing.assert_array_equal(merge_near_ties(seconds)[0], seconds)
    rng = np.random.default_rng(0)
    steps = np.concatenate([np.cumsum(np.full(1000, 0.1)), np.arange(1, 1001) / 10])
    merged = merge_near_ties(rng.permutation(steps))[0]
    assert len(np.unique(merged)) == 1000
    exact = rng.integers(1, 40, 100) / 7.0
    np.testing.assert_array_equal(merge_near_ties(exact)[0], exact)


def test_entries_are_merged_with_times():
    time, entry = np.array([0.3, 0.6, 0.9]), np.array([0.0, 0.1 + 0.2, 0.1])
    assert merge_near_ties(time, entry)[1][1] == 0.3
    with pytest.raises(InputError, match="row 0"):
        merge_near_ties(np.array([0.1 + 0.2, 1.0]), np.array([0.3, 0.0]))


def test_float32_times_of_evaluation_meet_float64_times():
    time = np.array([0.1, 0.7, 1.3, 2.9])
    curve = kaplan_meier(np.ones(4), time)
    np.testing.assert_array_equal(curve(time.astype(np.float32)), curve(time))
    np.testing.assert_array_equal(at_known_times(time.astype(np.float32), time), time)
