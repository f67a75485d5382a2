"""Baselines, survival curves and residuals against R."""

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
from tests.survival.test_partial_likelihood import BY_HAND, reference_problem

DATA = ["heart", "lung", "ovarian", "rats"]


@pytest.mark.parametrize("name", DATA + BY_HAND)
@pytest.mark.usefixtures("x64")
def test_equals_r(reference, name):
    table, cases = reference(name, "cox.json")
    for case in cases.values():
        if case["ties"] == "exact" or "fit" not in case:
            continue
        x, risk_sets, _ = reference_problem(table, case)
        log_hazard = x @ case["fit"]["beta"]
        curve = breslow_baseline(log_hazard, ties=case["ties"], risk_sets=risk_sets)
        labels = [str(v) for v in np.unique(table[case["strata"]])] if case["strata"] else ["all"]
        assert (curve.stratum is not None) == bool(case["strata"])
        for label, expected in case.get("baseline_cumhaz_at_x0", {}).items():
            if len(expected["time"]):
                number = labels.index(label.split("=")[-1])
                got = curve(np.array(expected["time"], float), number)
                np.testing.assert_allclose(got, expected["cumhaz"], rtol=1e-9)
        residuals = case.get("martingale_residuals")
        if residuals and case["ties"] == "efron":
            got = martingale_residuals(log_hazard, ties=case["ties"], risk_sets=risk_sets)
            first = residuals["first_rows"]
            np.testing.assert_allclose(got[:first], residuals["value"], atol=1e-9)


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
    extreme = survival_function(curve, np.array([-500.0, 500.0]), np.array([0.5, 1.0]))
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


def test_refuses():
    with pytest.raises(InputError, match="defines no baseline"):
        breslow_baseline(np.zeros(2), np.ones(2), np.ones(2), ties="exact")
    risk_sets = prepare_risk_sets(np.ones(2), np.ones(2))
    with pytest.raises(InputError, match="common length"):
        martingale_residuals(np.zeros(3), risk_sets=risk_sets)
