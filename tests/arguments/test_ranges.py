"""Order, range and emptiness of arguments: a value that is right, or a refusal that names the argument."""

import jax
import numpy as np
import pytest

from jaxsurv import divergences, metrics, survival
from jaxsurv.data import single_split, stratified_kfold
from jaxsurv.estimators import CoxNnet, MORiskVAE
from jaxsurv.models import SurvivalVAEConfig
from jaxsurv.recipe import Recipe
from jaxsurv.training import FitConfig, Plan
from jaxsurv.types import InputError
from tests.arguments.functions import FUNCTIONS, TIMES, N, of, value

WITH_MASK = [name for name, (names, _) in FUNCTIONS.items() if "where" in names]
CURVES = ("concordance_td", "brier_score", "integrated_brier_score", "cumulative_dynamic_auc")
OUTCOME = of(("event", "time"))
TRAINED = of(("event", "time", "train_event", "train_time"))
RISK, X = of(("risk", "x")).values()
KM = survival.kaplan_meier(**OUTCOME)


def curve_metric(name, times):
    event, time, *train = TRAINED.values()
    function = getattr(metrics, name)
    prediction = RISK if name == "cumulative_dynamic_auc" else np.full((N, np.size(times)), 0.5)
    if name == "concordance_td":
        return function(prediction, times, event, time)
    return function(prediction, times, event, time, train_event=train[0], train_time=train[1])


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize(
    ("times", "message"),
    [
        (TIMES[::-1], r"times must be ascending.*0\.9 is followed by 0\.4\. Give np\.unique"),
        ([0.4, 0.4, 0.9], r"0\.4 is followed by 0\.4"),
        ([], "times is empty|at least two times"),
        ([0.4, np.nan], "times has NaN .*row 1"),
        ([[0.4, 0.9]], r"times must have shape \[n\]"),
        (["0.4", "0.9"], "times must be real numbers, got text"),
    ],
)
def test_times_out_of_order_are_refused_in_the_same_way(name, times, message):
    with pytest.raises(InputError, match=message):
        curve_metric(name, np.asarray(times))


@pytest.mark.parametrize("times", [[3.0, 0.5, 0.5], [np.inf, -1.0], []])
def test_a_curve_is_evaluated_at_times_in_any_order(times):
    baseline = survival.breslow_baseline(RISK, **OUTCOME)
    for curve in (KM, survival.nelson_aalen(**OUTCOME), baseline):
        one_by_one = [float(curve(np.array([t]))[0]) for t in times]
        np.testing.assert_array_equal(curve(times), one_by_one)
        with pytest.raises(InputError, match="times has NaN in row 1"):
            curve([1.0, np.nan])
    with pytest.raises(InputError, match="times has NaN in row 1"):
        survival.survival_function(baseline, RISK, [1.0, np.nan])
    with pytest.raises(InputError, match=r"log_hazard has NaN .*row 0"):
        survival.survival_function(baseline, [np.nan], [1.0])


SETTINGS = {
    "quantile in percent": (lambda: KM.quantile(50), "p must be between 0 and 1, got 50; divide"),
    "quantile NaN": (lambda: KM.quantile(np.nan), "p must be between 0 and 1, got nan"),
    "quantiles": (lambda: KM.quantile([0.5, 1.5]), "p must be between 0 and 1"),
    **{
        f"tau {tau} of {name}": (lambda call=call, tau=tau: call(tau), "tau must be (a|one) number")
        for tau in (np.nan, -1.0, [0.5, 0.9])
        for name, call in {
            "restricted_mean": lambda tau: survival.restricted_mean(KM, tau),
            "concordance_index": lambda tau: metrics.concordance_index(RISK, **OUTCOME, tau=tau),
            "concordance_index_ipcw": lambda tau: metrics.concordance_index_ipcw(
                RISK, **TRAINED, tau=tau
            ),
            "integrated_calibration_index": lambda tau: metrics.integrated_calibration_index(
                0.5 + 0.1 * RISK, **OUTCOME, tau=tau
            ),
        }.items()
    },
    "tau as text": (
        lambda: survival.restricted_mean(KM, "1"),
        "tau must be real numbers, got text",
    ),
    "rho NaN": (lambda: survival.logrank_test(**OUTCOME, group=RISK > 0, rho=np.nan), "rho"),
    "split NaN": (lambda: metrics.hazard_ratio(RISK, **OUTCOME, split=np.nan), "split"),
    "split mean": (lambda: metrics.hazard_ratio(RISK, **OUTCOME, split="mean"), "split"),
    "level": (lambda: draw(level=95), "level must be between 0 and 1, got 95"),
    "n_samples 0": (lambda: draw(n_samples=0), "n_samples must be at least 2"),
    "n_samples 2.5": (lambda: draw(n_samples=2.5), "n_samples must be an integer"),
    "batch 0": (lambda: draw(batch_size=0), "batch_size must be at least 1"),
    "bins 0": (lambda: metrics.d_calibration(np.full(N, 0.5), RISK > 0, bins=0), "bins must be"),
    "bins -3": (lambda: metrics.d_calibration(np.full(N, 0.5), RISK > 0, bins=-3), "bins must be"),
    "bins 2.5": (lambda: metrics.d_calibration(np.full(N, 0.5), RISK > 0, bins=2.5), "integer"),
    "n_lambdas 0": (lambda: survival.coxnet_path(X, **OUTCOME, n_lambdas=0), "n_lambdas"),
    "n_lambdas 9.5": (lambda: survival.coxnet_path(X, **OUTCOME, n_lambdas=9.5), "n_lambdas"),
    "l1_ratio 50": (
        lambda: survival.coxnet_path(X, **OUTCOME, l1_ratio=50),
        "l1_ratio must be bet",
    ),
    "l1_ratio -1": (
        lambda: survival.coxnet_path(X, **OUTCOME, l1_ratio=-1),
        "l1_ratio must be bet",
    ),
    "l1_ratio NaN": (lambda: survival.coxnet_path(X, **OUTCOME, l1_ratio=np.nan), "l1_ratio"),
    "least ratio": (lambda: survival.coxnet_path(X, **OUTCOME, lambda_min_ratio=0.0), "> 0"),
    "tolerance": (lambda: survival.coxnet_path(X, **OUTCOME, tolerance=-1e-4), "tolerance"),
    "lambda 0": (lambda: survival.coxnet_path(X, **OUTCOME, lambdas=[0.1, 0.0]), "lambdas must"),
    "lambda NaN": (lambda: survival.coxnet_path(X, **OUTCOME, lambdas=[0.1, np.nan]), "lambdas"),
    "no lambda": (lambda: survival.coxnet_path(X, **OUTCOME, lambdas=[]), "lambdas"),
    "l2 -1": (
        lambda: survival.cox_fit(X, **OUTCOME, l2=-1.0),
        "l2 must be a finite number >= 0, got -1",
    ),
    "l2 NaN": (
        lambda: survival.cox_fit(X, **OUTCOME, l2=np.nan),
        "l2 must be a finite number >= 0",
    ),
    "l2 of each": (lambda: survival.cox_fit(X, **OUTCOME, l2=[1.0, 2.0]), "l2 must be one number"),
    "folds 2.5": (
        lambda: stratified_kfold(OUTCOME["event"], folds=2.5),
        "folds must be an integer",
    ),
    "repeats 0": (
        lambda: stratified_kfold(OUTCOME["event"], repeats=0),
        "repeats must be at least",
    ),
    "seed -1": (lambda: stratified_kfold(OUTCOME["event"], seed=-1), "seed must be at least 0"),
    "seed 0.5": (lambda: stratified_kfold(OUTCOME["event"], seed=0.5), "seed must be an integer"),
    "n_validation": (
        lambda: single_split(OUTCOME["event"], n_validation=3.5),
        "n_validation must be an integer",
    ),
    **{
        f"{name} {bad}": (lambda call=call, bad=bad: call(bad), f"{name} must be (a )?finite")
        for bad in (np.inf, -np.inf, np.nan)
        for name, call in {
            "l2": lambda v: survival.cox_fit(X, **OUTCOME, l2=v),
            "rho": lambda v: survival.logrank_test(**OUTCOME, group=RISK > 0, rho=v),
            "tolerance": lambda v: survival.coxnet_path(X, **OUTCOME, tolerance=v),
            "split": lambda v: metrics.hazard_ratio(RISK, **OUTCOME, split=v),
            "bandwidth": lambda v: divergences.mmd2(X, X, bandwidth=[1.0, v]),
            "penalty_factor": lambda v: survival.coxnet_path(X, **OUTCOME, penalty_factor=[1.0, v]),
        }.items()
    },
    **{
        f"{name} {bad!r}": (lambda name=name, bad=bad: FitConfig(**{name: bad}), f"{name} must be")
        for name in ("epochs", "patience", "burn_in", "batch_size")
        for bad in (-1, 2.5, "10", True, np.nan)
    },
    "plan": (lambda: Plan(1, 1.5, 1), "plan: length must be an integer"),
    "components": (lambda: Recipe(components=2.5), "components must be an integer"),
    "top": (lambda: Recipe(top="50"), "top must be an integer"),
    "latent": (lambda: SurvivalVAEConfig(latent=8.0), "latent must be an integer"),
    "categories": (lambda: SurvivalVAEConfig(categories=2.5), "categories must be an integer"),
}


def draw(**options):
    return metrics.bootstrap(lambda r: r.mean(), jax.random.key(0), RISK, **options)


@pytest.mark.parametrize("case", SETTINGS)
def test_settings_out_of_range_are_refused(case):
    call, message = SETTINGS[case]
    with pytest.raises(InputError, match=message):
        call()


@pytest.mark.parametrize("estimator", [MORiskVAE, CoxNnet])
@pytest.mark.parametrize("setting", ["n_seeds", "random_state", "epochs", "batch_size"])
def test_estimators_refuse_settings_that_are_no_integers(estimator, setting):
    x = {"rna": __import__("pandas").DataFrame(X, columns=["a", "b"])}
    y = np.array(list(zip(*OUTCOME.values(), strict=True)), [("event", bool), ("time", float)])
    with pytest.raises(InputError, match=f"{setting} must be an integer"):
        estimator(**{"epochs": 1, "n_seeds": 1, setting: 2.5}).fit(x, y)


@pytest.mark.parametrize("function", WITH_MASK)
def test_masks(function):
    mask = of(("where",))["where"]
    right = value(function)
    for same in (mask.astype(int), mask.astype(float), mask.tolist(), mask.astype(object)):
        np.testing.assert_allclose(value(function, where=same), right, rtol=1e-5)
    with pytest.raises(
        InputError, match=r"where must be a boolean mask .* found 2 in row.*np\.isin"
    ):
        value(function, where=np.arange(N))
    with pytest.raises(InputError, match="where must be a boolean mask"):
        value(function, where=np.where(mask, np.nan, 1))
    with pytest.raises(InputError, match="where"):
        value(function, where=np.flatnonzero(mask)[:2] > 0)
    with pytest.raises(InputError, match=r"where is False in all 40 rows|needs at least 1 rows"):
        value(function, where=np.zeros(N, bool))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_rows(function):
    names, call = FUNCTIONS[function]
    train = ("train_event", "train_time")
    given = {k: v if k in train else v[:0] for k, v in of(names).items()}
    with pytest.raises(InputError, match=r"no rows|shape \[n, d\]"):
        call(**given)


def test_weights_of_zero():
    for function, (names, _) in FUNCTIONS.items():
        if "weights" in names:
            with pytest.raises(InputError, match="weights are all 0"):
                value(function, weights=np.zeros(N))


@pytest.mark.parametrize("constant", [0.25, 0.1, -0.0123, 1e-30, 7e8])
@pytest.mark.parametrize("n", [40, 559])
def test_a_constant_prediction_has_no_slope(constant, n, recwarn):
    rng = np.random.default_rng(0)
    event, time = rng.random(n) < 0.4, rng.exponential(size=n)
    risk = np.full(n, constant)
    for call in (metrics.calibration_slope, jax.jit(metrics.calibration_slope)):
        assert all(np.isnan(v) for v in call(risk, event, time))
    nearly = risk.astype(np.float32)
    nearly[::7] = np.nextafter(nearly[::7], np.float32(np.inf))  # the last bit
    assert all(np.isnan(v) for v in metrics.calibration_slope(nearly, event, time))
    assert not recwarn.list
    assert metrics.concordance_index(risk, event, time).index == 0.5
    with pytest.raises(InputError, match="all risks are on one side"):
        metrics.hazard_ratio(risk, event, time)
    masked = np.where(np.arange(n) == 3, 5.0, constant)
    slope = metrics.calibration_slope(masked, event, time, where=np.arange(n) != 3)
    assert all(np.isnan(v) for v in slope)


def test_nothing_observed():
    found = metrics.observed_expected(np.full(N, 0.1), np.zeros(N))
    # exact Poisson limit for no event: exp(-upper * expected) = 0.025
    np.testing.assert_allclose([found.ratio, found.lower], 0)
    np.testing.assert_allclose(np.exp(-found.upper * found.expected), 0.025)
    with pytest.raises(InputError, match="expected number of events is 0"):
        metrics.observed_expected(np.zeros(N), np.ones(N))
    early = np.where(np.median(RISK) < RISK, 0.1, 9.0) + np.arange(N) / 1e3
    with pytest.raises(InputError, match="no event while both groups are at risk"):
        metrics.hazard_ratio(RISK, np.median(RISK) >= RISK, early)
    with pytest.raises(InputError, match="martingale must be at most event; it is above in row 0"):
        survival.deviance_residuals([0.5, 0.5], [0, 1])
