"""Known times beside traced values, curves that ``jit`` made, and rows that are not there."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsurv import divergences, metrics, survival
from jaxsurv.types import InputError

EVENT, TIME = np.array([1, 1, 0, 1, 1, 0]), np.array([1.0, 2, 3, 4, 5, 6])
RISK = np.array([6.0, 4, 5, 2, 3, 1])
FAR = 1.7e9 + TIME  # seconds that float32 does not tell apart
TIED = np.array([1.0, 2, 2, 4, 5, 5])


@pytest.mark.parametrize(
    "curve",
    [survival.kaplan_meier, survival.nelson_aalen, lambda e, t: survival.censoring_curve(e, t)],
)
def test_a_curve_of_jit_is_asked_as_one_of_known_values(curve):
    at = np.array([0.5, 2, 3, 4, 9])
    known, made = curve(EVENT, TIED), jax.jit(curve)(EVENT, TIED)
    ask = (lambda c: c.before(at)) if hasattr(known, "before") else (lambda c: c(at))
    np.testing.assert_allclose(ask(made), ask(known), rtol=1e-6)


ONE_TRACED = {
    "concordance": lambda risk, here: metrics.concordance_index(risk, EVENT, FAR).index,
    "uno": lambda risk, here: (
        metrics.concordance_index_ipcw(
            risk, EVENT, FAR, train_event=EVENT, train_time=FAR, tau=FAR[-2]
        ).index
    ),
    "hazard ratio": lambda risk, here: metrics.hazard_ratio(risk, EVENT, FAR).log_hazard_ratio,
    "kaplan_meier": lambda risk, here: survival.kaplan_meier(EVENT, FAR, where=here).survival.min(),
    "log-rank": lambda risk, here: (
        survival.logrank_test(EVENT, FAR, np.arange(6) % 2, where=here).statistic
    ),
    "cox_fit": lambda risk, here: survival.cox_fit(RISK[:, None], EVENT, FAR, where=here).coef[0],
    "cox_fit, entry": lambda risk, here: survival.cox_fit(
        RISK[:, None], EVENT, FAR, entry=FAR - 2.5, where=here
    ).coef[0],
}


@pytest.mark.parametrize("name", ONE_TRACED)
def test_known_times_keep_their_order_beside_traced_values(name):
    here = np.array([True, True, True, True, True, False])
    known = ONE_TRACED[name](RISK, here)
    traced = jax.jit(ONE_TRACED[name])(jnp.asarray(RISK), jnp.asarray(here))
    np.testing.assert_allclose(traced, known, rtol=2e-3)


def test_rows_that_are_not_there_merge_no_times():
    event, time, here = np.append(EVENT, 0), np.append(TIME, 1e12), np.arange(7) < 6
    assert survival.kaplan_meier(event, time, where=here).survival.size == 6
    risk = np.append(RISK, 0.0)
    for whole, part in (
        (metrics.concordance_index(risk, event, time, where=here).index,
         metrics.concordance_index(RISK, EVENT, TIME).index),
        (survival.cox_fit(risk[:, None], event, time, where=here).coef[0],
         survival.cox_fit(RISK[:, None], EVENT, TIME).coef[0]),
        (survival.logrank_test(event, time, risk > 3, where=here).statistic,
         survival.logrank_test(EVENT, TIME, RISK > 3).statistic),
    ):  # fmt: skip
        np.testing.assert_allclose(whole, part, rtol=1e-9)
    curves, more = np.full((7, 1), 0.5), np.append(TIME, 20.0)
    known = {"train_event": event, "train_time": more}
    with pytest.raises(InputError, match="beyond the follow-up, which ends at 6"):
        metrics.brier_score(curves, np.array([9.0]), event, more, **known, where=here)


def test_float32_times_are_those_of_float32():
    event, time = np.array([1, 0, 1, 1, 0]), np.array([0.2, 0.7, 0.7, 0.9, 1.1])
    single = survival.censoring_curve(event, time.astype(np.float32))
    np.testing.assert_allclose(
        single.before([0.7]), survival.censoring_curve(event, time).before([0.7])
    )
    assert survival.kaplan_meier(np.ones(4), np.float32([0.1, 0.2, 0.3, 0.7]))([0.3])[
        0
    ] == pytest.approx(0.25)
    assert (
        survival.restricted_mean(survival.kaplan_meier([1, 0], np.float32([0.1, 0.7])), 0.7).mean
        > 0
    )
    ratio = metrics.hazard_ratio(
        np.float32([0.1, 0.1, 0.3, 0.05]), np.ones(4), [2.0, 1, 3, 4], split=0.1
    )
    assert abs(ratio.log_hazard_ratio) < 14


def test_small_integers_do_not_wrap():
    times = np.int16([10000, 20000, 25000, 30000])
    assert survival.kaplan_meier([1, 1, 0, 0], times).quantile(0.5).time == 25000
    assert divergences.kl_standard_normal(np.int8([[100, 100]]), np.int8([[0, 0]]))[0] == 10000
    found = metrics.observed_expected(np.full(70000, 1, np.float16), np.ones(70000))
    assert found.ratio == 1
    rng = np.random.default_rng(0)
    risk, time = rng.integers(0, 100, 300), rng.exponential(size=300)
    small, huge = (
        metrics.concordance_index(r, np.ones(300), time).index for r in (risk, risk + 2**60)
    )
    assert small == huge


def test_the_unit_of_weights_does_not_matter():
    weights = np.array([1, 0.1, 0.3, 0.7, 0.1, 0.2])
    fits = [
        survival.cox_fit(RISK[:, None], EVENT, TIME, weights=s * weights).coef[0]
        for s in (1, 1e-12)
    ]
    np.testing.assert_allclose(*fits, rtol=1e-6)


@pytest.mark.parametrize(
    ("risk", "event"), [([5.0, 1, 1, 1], [0, 1, 1, 0]), ([5.0, 4, 3, 2], [0, 0, 0, 1])]
)
@pytest.mark.filterwarnings("ignore::jaxsurv.survival.CollinearityWarning")
@pytest.mark.filterwarnings("ignore:overflow")
def test_a_prediction_that_varies_in_no_risk_set_has_no_slope(risk, event):
    found = metrics.calibration_slope(risk, event, [1.0, 2, 3, 4])
    assert np.isnan(found.slope)
    assert np.isnan(found.standard_error)


def test_a_mean_up_to_the_end_of_a_curve_that_came_down():
    assert survival.restricted_mean(survival.kaplan_meier([1, 1], [1.0, 2.0]), np.inf).mean == 1.5
