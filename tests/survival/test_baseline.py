"""Baselines, survival curves and residuals against R."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsurv.survival import (
    breslow_baseline,
    deviance_residuals,
    martingale_residuals,
    prepare_risk_sets,
    survival_function,
)
from jaxsurv.types import InputError
from tests.survival.reference_cox import BY_HAND, DATA, baselines, pad, problem, quick_jit


@partial(quick_jit, static_argnames="ties")
def curve_and_residuals(log_hazard, risk_sets, ties):
    options = {"risk_sets": risk_sets, "ties": ties}
    return breslow_baseline(log_hazard, **options), martingale_residuals(log_hazard, **options)


@pytest.mark.parametrize("name", DATA + BY_HAND)
@pytest.mark.parametrize("precision", [np.float64, np.float32])
def test_equals_r(reference, name, precision):
    table, cases = reference(name, "cox.json")
    rtol = 1e-9 if precision is np.float64 else 1e-5
    with jax.enable_x64(precision is np.float64):
        for case in cases.values():
            if case["ties"] == "exact":
                continue
            x, risk_sets = problem(table, case)
            e = table[case["covariates"]].to_numpy() @ case["fit"]["beta"]
            log_hazard = pad(e, len(x)).astype(precision)
            curve, m = curve_and_residuals(log_hazard, risk_sets, case["ties"])
            assert (curve.stratum is not None) == bool(case["strata"])
            for stratum, times, expected in baselines(table, case):
                np.testing.assert_allclose(curve(times, stratum), expected, rtol=rtol)
            if case.get("martingale_residuals"):
                first = case["martingale_residuals"]["first_rows"]
                expected = np.array(case["martingale_residuals"]["value"])
                scale = 1 + np.abs(expected)
                np.testing.assert_allclose(m[:first] / scale, expected / scale, atol=rtol)


@pytest.mark.parametrize("name", BY_HAND)
@pytest.mark.usefixtures("x64")
def test_worked_by_hand(reference, name):
    table, cases = reference(name, "cox.json")
    for case in cases.values():
        if "at_optimum" not in case:
            continue
        x, risk_sets = problem(table, case)
        for key, beta in {"at_zero": 0, "at_optimum": case["fit"]["beta"][0]}.items():
            curve, m = curve_and_residuals(x[:, 0] * beta, risk_sets, case["ties"])
            m, expected = m[: len(table)], case[key]
            np.testing.assert_allclose(m, expected["martingale"], atol=1e-9)
            if "deviance" in expected:
                deviance = deviance_residuals(m, table["event"].to_numpy())
                np.testing.assert_allclose(deviance, expected["deviance"], atol=1e-9)
        at = case["survival_at_x0"]
        got = survival_function(curve, np.zeros(1), np.array(at["time"], float))
        np.testing.assert_allclose(got[0], at["surv"], rtol=1e-9)


def test_curve_is_a_right_continuous_step_function_of_the_event_times():
    event, time = np.array([1, 0, 1, 1]), np.array([2.0, 1.0, 5.0, 2.0])
    curve = breslow_baseline(np.zeros(4), event, time, ties="breslow")
    assert curve.times.tolist() == [2, 5]
    np.testing.assert_allclose(curve.values, [2 / 3, 5 / 3], rtol=1e-6)
    at = np.array([[0.0, 1.999], [2.0, 99.0]])
    np.testing.assert_allclose(curve(at), [[0, 0], [2 / 3, 5 / 3]], rtol=1e-6)
    tenths = breslow_baseline(np.zeros(4), event, time / 10, ties="breslow")
    np.testing.assert_array_equal(tenths(time / 10), curve(time))  # 0.2 is not a float32
    options = {"strata": np.array([0, 0, 1, 1]), "ties": "breslow"}
    by_stratum = breslow_baseline(np.zeros(4), event, time, **options)
    inside = jax.jit(
        lambda t: breslow_baseline(jnp.zeros(4), event, t, **options)(at, jnp.ones(at.shape, int))
    )(time)
    np.testing.assert_allclose(by_stratum(at, 1), [[0, 0], [0.5, 1.5]], rtol=1e-6)
    np.testing.assert_allclose(inside, by_stratum(at, 1), rtol=1e-6)


def test_survival_function_by_stratum_and_at_extreme_scores():
    event, time, strata = np.ones(4), np.array([1.0, 2.0, 1.0, 2.0]), np.array([0, 0, 1, 1])
    curve = breslow_baseline(np.array([0.0, 0, 1, 1]), event, time, strata=strata)
    got = survival_function(
        curve, np.array([0.0, 1.0]), np.array([0.5, 1.0]), stratum=np.array([0, 1])
    )
    np.testing.assert_allclose(got, [[1, np.exp(-0.5)], [1, np.exp(-0.5)]], rtol=1e-6)
    extreme = survival_function(curve, np.array([-500.0, 500.0]), np.array([0.5, 1.0]), stratum=0)
    assert extreme.tolist() == [[1, 1], [1, 0]]


def test_no_event_is_no_hazard():
    curve = breslow_baseline(np.zeros(2), np.zeros(2), np.array([1.0, 2.0]))
    assert curve(np.array([0.0, 5.0])).tolist() == [0, 0]


def test_residuals_sum_to_zero_and_restate_the_score():
    rng = np.random.default_rng(0)
    event, time = rng.random(30) < 0.6, rng.integers(1, 9, 30).astype(float)
    e = rng.normal(size=30).astype(np.float32)
    here = np.arange(30) < 25
    m = martingale_residuals(e, event, time, where=here)
    assert not np.asarray(m[25:]).any()
    np.testing.assert_allclose(m.sum(), 0, atol=1e-5)
    expected = event[:25] - m[:25]
    curve = breslow_baseline(e, event, time, ties="breslow", where=here)
    breslow = martingale_residuals(e, event, time, ties="breslow", where=here)
    np.testing.assert_allclose(
        event[:25] - breslow[:25], curve(time[:25]) * np.exp(e[:25]), rtol=1e-4
    )
    d = deviance_residuals(m[:25], event[:25])
    assert (np.sign(d) == np.sign(m[:25])).all()
    log_expected = np.log(np.where(event[:25], expected, 1))
    np.testing.assert_allclose(
        d**2 / 2, expected - event[:25] - event[:25] * log_expected, atol=1e-5
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_deviance_is_finite_where_all_of_an_event_is_unexpected(dtype):
    with jax.enable_x64(dtype is np.float64):
        m, event = np.array([1, 1 - 1e-3, 0.5], dtype), np.ones(3, dtype)
        eager, traced = deviance_residuals(m, event), jax.jit(deviance_residuals)(m, event)
        np.testing.assert_allclose(eager, traced, rtol=1e-3)
        np.testing.assert_allclose(eager[0] ** 2, -2 * (1 + np.log(np.finfo(dtype).eps)), rtol=1e-6)
        slope = jax.grad(lambda m: deviance_residuals(m, event).sum())(jnp.asarray(m))
        assert np.isfinite(slope).all()
        assert (slope != 0).all()


def test_refuses():
    with pytest.raises(InputError, match="defines no baseline"):
        breslow_baseline(np.zeros(2), np.ones(2), np.ones(2), ties="exact")
    risk_sets = prepare_risk_sets(np.ones(2), np.ones(2))
    with pytest.raises(InputError, match="common length"):
        martingale_residuals(np.zeros(3), risk_sets=risk_sets)
