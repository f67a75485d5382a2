"""Calibration at a horizon: simulated truth, the binomial regression, invariances, refusals."""

import jax
import numpy as np
import pytest
from scipy import optimize

from jaxsurv.metrics import calibration_curve, recalibration
from jaxsurv.survival import kaplan_meier
from jaxsurv.types import ConvergenceWarning, InputError

H = 0.7  # horizon, at which -log S = H exp(log hazard)


def cohort(n, seed, censored=True):
    rng = np.random.default_rng(seed)
    log_hazard = rng.normal(size=n)
    t = rng.exponential(np.exp(-log_hazard))
    c = rng.exponential(2, n) if censored else np.full(n, 99.0)
    return log_hazard, (t <= c).astype(int), np.minimum(t, c)


def predicted(log_hazard, level=1.0, slope=1.0):
    return np.exp(-H * level * np.exp(slope * log_hazard))


def test_a_right_model_is_on_the_diagonal_and_a_wrong_one_is_seen():
    x, event, time = cohort(4000, 0)
    right = calibration_curve(predicted(x), event, time, H)
    assert np.abs(right.observed - right.predicted).max() < 0.06
    assert np.abs(right.groups.observed - right.groups.predicted).max() < 0.04
    wrong = calibration_curve(predicted(x, 0.5, 2.0), event, time, H)
    np.testing.assert_allclose(wrong.predicted, 1 - predicted(x, 0.5, 2.0))
    assert np.abs(wrong.observed - (1 - predicted(x))).max() < 0.06
    assert ((wrong.lower < wrong.observed) & (wrong.observed < wrong.upper)).all()
    outside = (wrong.predicted < wrong.lower) | (wrong.predicted > wrong.upper)
    assert outside.mean() > 0.7


def test_limits_cover_what_they_say():
    inside, z = [], []
    for seed in range(250):
        x, event, time = cohort(150, seed)
        curve = calibration_curve(predicted(x), event, time, H)
        at = np.argsort(x)[[20, 50, 75, 110]]
        inside.append(((curve.lower <= curve.predicted) & (curve.predicted <= curve.upper))[at])
        found = recalibration(predicted(x), event, time, H)
        z.append((np.array([found.intercept, found.slope]) - [0, 1]) / found.standard_error)
        z[-1] = np.append(z[-1], found.in_the_large / found.in_the_large_error)
    assert ((np.mean(inside, 0) > 0.91) & (np.mean(inside, 0) < 0.985)).all()
    covered = np.mean(np.abs(z) < 1.96, 0)
    assert ((covered > 0.91) & (covered < 0.985)).all()


def test_recalibration_finds_what_was_done_and_undoes_it():
    x, event, time = cohort(4000, 1)
    found = recalibration(predicted(x, 0.5, 2.0), event, time, H)
    np.testing.assert_allclose(found.slope, 0.5, atol=4 * found.standard_error[1])
    # log(H e^x) = intercept + slope log(H / 2 e^2x)
    intercept = np.log(H) - 0.5 * np.log(H * 0.5)
    np.testing.assert_allclose(found.intercept, intercept, atol=4 * found.standard_error[0])
    repaired = found(predicted(x, 0.5, 2.0))
    again = recalibration(repaired, event, time, H)
    np.testing.assert_allclose((again.intercept, again.slope), (0, 1), atol=1e-5)
    np.testing.assert_allclose(found.observed, 1 - kaplan_meier(event, time)(H))
    assert found.ratio == found.observed / found.expected
    assert found(np.array([0.0, 1.0])).tolist() == [0, 1]


def test_without_censoring_it_is_a_binomial_regression():
    x, event, time = cohort(300, 2, censored=False)
    s = predicted(x, 0.8, 1.3)
    log_cumulative, y = np.log(-np.log(s)), time <= H

    def loss(b):
        hazard = np.exp(b[0] + b[1] * log_cumulative)
        return -np.sum(np.where(y, np.log(-np.expm1(-hazard)), -hazard))

    best = optimize.minimize(loss, [0.0, 1.0], tol=1e-10).x
    found = recalibration(s, event, time, H)
    np.testing.assert_allclose((found.intercept, found.slope), best, atol=1e-5)


def test_standard_errors_are_about_those_of_the_jackknife_under_heavy_censoring():
    rng = np.random.default_rng(3)
    x, n = rng.normal(size=150), 150
    t, c = rng.exponential(np.exp(-x)), rng.exponential(0.6, n)
    given = predicted(x), t <= c, np.minimum(t, c), H
    out = [recalibration(*given, where=np.arange(n) != k) for k in range(n)]
    values = np.array([(found.intercept, found.slope) for found in out])
    jackknife = np.sqrt((n - 1) * values.var(0))
    np.testing.assert_allclose(recalibration(*given).standard_error, jackknife, rtol=0.25)


def test_rows_that_are_not_there_and_units_change_nothing():
    x, event, time = cohort(200, 3)
    s, here = predicted(x, 0.8), np.arange(200) % 3 > 0
    whole, part = (
        calibration_curve(s, event, time, H, where=here),
        calibration_curve(s[here], event[here], time[here] * 365, H * 365),
    )
    for a, b in zip(whole[:4], part[:4], strict=True):
        assert np.isnan(a[~here]).all()
        np.testing.assert_allclose(a[here], b, rtol=1e-7)
    np.testing.assert_allclose(whole.groups, part.groups, rtol=1e-9)


@pytest.mark.parametrize("function", [calibration_curve, recalibration])
def test_refusals(function):
    x, event, time = cohort(100, 4)
    s = predicted(x)
    for change, message in (
        (
            {"survival_at_t": np.where(np.arange(100) == 7, 1.0, s)},
            r"inside \(0, 1\), it is not in row 7",
        ),
        ({"survival_at_t": np.full(100, 0.5)}, "three distinct predictions|there is no slope"),
        ({"horizon": 1e6}, "beyond the follow-up"),
        ({"horizon": -1.0}, "horizon"),
        ({"horizon": time[event == 1].min() / 2}, "nobody has the event by the horizon"),
        (
            {"event": np.ones(100), "time": np.minimum(time, 0.5), "horizon": 0.5},
            "nobody is alive at",
        ),
        ({"time": np.where(np.arange(100) == 3, np.nan, time)}, "time has NaN"),
        ({"survival_at_t": s[:, None]}, r"shape \[n\]"),
    ):
        given = {"survival_at_t": s, "event": event, "time": time, "horizon": H} | change
        with pytest.raises(InputError, match=message):
            function(**given)
    with pytest.raises(InputError, match="outside jit"):
        jax.jit(lambda s: function(s, event, time, H)[0])(s)


def test_separation_is_told():
    time, event = np.linspace(0.1, 2, 60), np.ones(60)
    with pytest.warns(ConvergenceWarning, match="predictions separate"):
        recalibration(np.linspace(0.1, 0.9, 60), event, time, 1.0)
