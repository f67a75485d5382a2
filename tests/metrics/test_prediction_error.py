"""Brier scores and dynamic AUCs against R, riskRegression and scikit-survival."""

import jax
import numpy as np
import pytest

from jaxsurv.metrics import brier_score, cumulative_dynamic_auc, integrated_brier_score
from jaxsurv.survival import kaplan_meier
from jaxsurv.types import InputError

DATA = ["aml", "gbsg", "lung", "ovarian", "rats", "veteran"]


def predictions(table, numbers):
    """Curves [n, t], times [t], event, time, and which times no one is censored at."""
    expected = numbers["prediction_error"]
    times = np.array(expected["times"], float)
    curves = table[expected["survival_columns"]].to_numpy()
    event, time = table["event"].to_numpy(), table["time"].to_numpy(float)
    nobody_censored = ~np.isin(times, time[event == 0])
    return curves, times, event, time, nobody_censored


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("precision", [64, 32])
def test_brier_score_equals_r(reference, name, precision):
    table, numbers = reference(name)
    curves, times, event, time, untied = predictions(table, numbers)
    nobody_knows = np.tile(kaplan_meier(event, time)(times), (len(time), 1))
    with jax.enable_x64(precision == 64):
        score, null = (
            np.asarray(brier_score(s, times, event, time, train_event=event, train_time=time))
            for s in (curves, nobody_knows)
        )
    expected, rtol = numbers["prediction_error"], 1e-9 if precision == 64 else 1e-6
    # R's brier() predicts itself: the stored curves have 10 digits.
    np.testing.assert_allclose(score, expected["survival_brier"]["brier"], rtol=max(rtol, 2e-8))
    r_squared = expected["survival_brier"]["rsquared"]
    np.testing.assert_allclose(1 - score / null, r_squared, atol=max(rtol, 2e-8))
    for other in ("brier_G_minus", "riskRegression"):  # without patients censored at the time
        theirs = np.array(expected[other]["brier"])
        np.testing.assert_allclose(score[untied], theirs[untied], rtol=rtol)
    theirs = np.array(expected["riskRegression"]["brier_null_km"])
    np.testing.assert_allclose(null[untied], theirs[untied], rtol=rtol)


@pytest.mark.parametrize("name", DATA)
@pytest.mark.usefixtures("x64")
def test_auc_equals_risk_regression(reference, name):
    table, numbers = reference(name)
    curves, times, event, time, untied = predictions(table, numbers)
    result = cumulative_dynamic_auc(
        1 - curves, times, event, time, train_event=event, train_time=time
    )
    expected = numbers["prediction_error"]["riskRegression"]
    assert expected["auc_times"] == times.tolist()
    auc, error = (np.array(expected[key], float)[untied] for key in ("auc", "auc_se"))
    np.testing.assert_allclose(result.auc[untied], auc, rtol=1e-9)
    # Its error has n - 1 and the estimation of G, which ours takes as known.
    n = len(event)
    error = error * np.sqrt((n - 1) / n)
    np.testing.assert_allclose(result.standard_error[untied], error, rtol=5e-3)


@pytest.mark.usefixtures("x64")
def test_equal_scikit_survival_without_tied_times(reference):
    # scikit-survival 0.28.0 takes G(t) where we take G(t-): the same if no times are tied.
    table, numbers = reference("ovarian")
    curves, times, event, time, untied = predictions(table, numbers)
    assert untied.all()
    train = {"train_event": event, "train_time": time}
    theirs = numbers["scikit_survival"]
    np.testing.assert_allclose(
        brier_score(curves, times, event, time, **train), theirs["brier_score"]["brier"], rtol=1e-9
    )
    np.testing.assert_allclose(
        integrated_brier_score(curves, times, event, time, **train),
        theirs["integrated_brier_score"]["ibs"],
        rtol=1e-9,
    )
    for score in ("risk_fixed", "risk_tied"):
        expected = theirs[score]["cumulative_dynamic_auc"]
        result = cumulative_dynamic_auc(
            table[score].to_numpy(), np.array(expected["times"]), event, time, **train
        )
        np.testing.assert_allclose(result.auc, expected["auc"], rtol=1e-9)
        np.testing.assert_allclose(result.mean, expected["mean_auc"], rtol=1e-9)


def test_jit_masks_and_float32_agree_with_the_subset():
    rng, n = np.random.default_rng(0), 700
    train = rng.random(60) < 0.5, rng.integers(1, 40, 60) * 1.0
    train[1][0] = 40
    event, time = rng.random(n) < 0.6, rng.integers(1, 30, n) * 1.0
    time[0] = 30
    times, curves = np.array([10.0, 15.0, 20.0]), np.sort(rng.random((n, 3)))[:, ::-1]
    where = rng.random(n) < 0.7
    where[0] = True
    options = {"train_event": train[0], "train_time": train[1]}

    def auc(*args, **kwargs):
        return cumulative_dynamic_auc(*args, **kwargs)[:2]

    for metric, prediction in [
        (integrated_brier_score, curves),
        (auc, curves),
        (auc, curves[:, 0].round(1)),
    ]:
        alone = metric(prediction[where], times, event[where], time[where], **options)
        masked = metric(prediction, times, event, time, **options, where=where)

        def traced(p, e, t, w, metric=metric):
            return metric(p, times, e, t, **options, where=w)

        vmapped = jax.jit(jax.vmap(traced, in_axes=(0, None, None, 0)))
        vmapped = vmapped(prediction[None], event, time, where[None])
        for a, b, c in zip(*map(jax.tree.leaves, (alone, masked, vmapped)), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5)
            np.testing.assert_allclose(a, c[0], rtol=1e-4)


def test_a_hundred_thousand_patients_keep_their_digits_in_float32():
    rng = np.random.default_rng(0)
    n, times = 100_001, np.array([1.0, 2.0])
    event, time = np.ones(n), rng.exponential(2, n)
    curves = rng.random((n, 2))
    score = brier_score(curves, times, event, time, train_event=event, train_time=time)
    alive = time[:, None] > times
    np.testing.assert_allclose(score, ((alive - curves) ** 2).mean(0), rtol=2e-6)


def test_auc_of_no_censoring_is_the_mann_whitney_statistic():
    rng = np.random.default_rng(0)
    risk, time = rng.integers(0, 5, 50), rng.exponential(1, 50)
    result = cumulative_dynamic_auc(
        risk, np.array([0.7]), np.ones(50), time, train_event=np.ones(50), train_time=time
    )
    case, control = risk[time <= 0.7], risk[time > 0.7]
    pairs = (case[:, None] > control) + 0.5 * (case[:, None] == control)
    np.testing.assert_allclose(result.auc, [pairs.mean()], rtol=1e-12)
    spread = pairs.mean(1).var() / len(case) + pairs.mean(0).var() / len(control)
    np.testing.assert_allclose(result.standard_error, [np.sqrt(spread)], rtol=1e-12)  # DeLong


def test_refusals():
    event, time = np.array([1, 1, 0, 1]), np.array([1.0, 2.0, 3.0, 4.0])
    good = {"train_event": event, "train_time": time}
    half = np.full((4, 1), 0.5)
    for curves, times, options, message in [
        (
            half,
            [4.5],
            good,
            "time 4.5 is beyond the follow-up of the training data, which ends at 4",
        ),
        (half, [4.5], good | {"train_time": time + 2}, "time 4.5 is beyond the follow-up, .* at 4"),
        (half[:, 0], [2.0], good, r"survival must have shape \[n, t\] = \[4, 1\]"),
        (half * 3, [2.0], good, r"survival must be in \[0, 1\]; NaN or outside in rows 0, 1, 2, 3"),
        (half * np.nan, [2.0], good, "NaN or outside in rows 0"),
    ]:
        with pytest.raises(InputError, match=message):
            brier_score(curves, np.array(times), event, time, **options)
    with pytest.raises(InputError, match="an integral needs at least two times"):
        integrated_brier_score(half, np.array([2.0]), event, time, **good)
    for times, risk, message in [
        ([0.5, 2.0], time, "at time 0.5 there is no event yet, or nobody left alive"),
        ([2.0, 4.0], time, "at time 4 there is no event yet, or nobody left alive"),
        ([2.0], np.ones((4, 2)), r"risk must have shape \[4\] or \[4, 1\], got \[4, 2\]"),
    ]:
        with pytest.raises(InputError, match=message):
            cumulative_dynamic_auc(risk, np.array(times), event, time, **good)
