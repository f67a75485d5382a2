"""Known values are computed on the host in float64: as traced ones in float64, and compiling nothing."""

import jax
import numpy as np
import pytest
from jax import monitoring

from jaxsurv import metrics, survival
from jaxsurv.survival import (
    breslow_baseline,
    cox_fit,
    martingale_residuals,
    neg_log_partial_likelihood,
    prepare_risk_sets,
)

N = 40
OPTIONS = (
    [],
    ["strata"],
    ["weights"],
    ["entry"],
    ["strata", "weights"],
    ["entry", "strata", "where"],
)


def outcome(n, tied, names, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    time = rng.exponential(np.exp(-x[:, 0])) + 0.01
    time = np.ceil(4 * time) if tied else time
    columns = {
        "strata": rng.integers(0, 3, n),
        "weights": rng.uniform(0, 2, n) * (rng.random(n) < 0.8),
        "entry": time * rng.choice([0, 0.5, 0.9], n),
        "where": rng.random(n) < 0.8,
    }
    return x, rng.random(n) < 0.7, time, {k: columns[k] for k in names}


def assert_close(found, expected, rtol=1e-12):
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        scale = np.abs(np.asarray(b, float)).max(initial=1e-300)
        np.testing.assert_allclose(np.asarray(a, float) / scale, np.asarray(b) / scale, atol=rtol)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("names", OPTIONS, ids="+".join)
@pytest.mark.usefixtures("x64")
def test_loss_residuals_and_baseline_are_those_of_traced_values(ties, names):
    x, event, time, columns = outcome(N, True, names)
    risk_sets = prepare_risk_sets(event, time, **columns)

    def all_of(log_hazard, risk_sets):
        how = {"risk_sets": risk_sets, "ties": ties}
        return (
            neg_log_partial_likelihood(log_hazard, **how),
            martingale_residuals(log_hazard, **how),
        )

    under_jit = jax.jit(all_of)
    for log_hazard in (x[:, 0], 1e4 * x[:, 0]):  # the larger ones only logarithms hold
        assert isinstance(neg_log_partial_likelihood(log_hazard, risk_sets=risk_sets), float)
        assert_close(all_of(log_hazard, risk_sets), under_jit(log_hazard, risk_sets))


@pytest.mark.parametrize("names", OPTIONS, ids="+".join)
@pytest.mark.usefixtures("x64")
def test_baseline_is_that_of_traced_values(names):
    x, event, time, columns = outcome(N, True, names)
    risk_sets = prepare_risk_sets(event, time, **columns)
    curve = breslow_baseline(x[:, 0], risk_sets=risk_sets)
    whole = jax.jit(breslow_baseline)(x[:, 0], risk_sets=risk_sets)
    strata = (0, 1, 2) if "strata" in names else (0,)
    for k in strata:  # under jit a step per row, of which the last of a tie group counts
        at = np.unique(time)
        assert_close(curve.log(at, k), np.asarray(whole.log(at, k)))


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize(
    ("names", "n", "l2"),
    [*((names, 60, 3.0) for names in OPTIONS), ([], 60, 0.0), ([], 2, 3.0)],
)
@pytest.mark.usefixtures("x64")
def test_cox_fit_is_that_of_traced_values(ties, names, n, l2):
    x, event, time, columns = outcome(max(n, 30), True, names)
    x, event, time = x[-n:], event[-n:] | (n < 5), time[-n:]
    columns = {k: v[-n:] for k, v in columns.items()}
    if n < 5:
        columns.pop("weights", None), columns.pop("where", None)
    risk_sets = prepare_risk_sets(event, time, **columns)
    cluster = np.arange(n) % 7

    def fit(x, cluster):
        found = cox_fit(x, risk_sets=risk_sets, ties=ties, cluster=cluster, l2=l2)._asdict()
        return {
            k: v for k, v in found.items() if k not in ("baseline", "steps", "converged", "rows")
        }

    assert isinstance(cox_fit(x, risk_sets=risk_sets, l2=l2).log_likelihood, float)
    found, expected = fit(x, cluster), jax.jit(fit)(x, cluster)
    for name in expected:
        assert_close(found[name], expected[name], rtol=1e-9 if n < 5 else 1e-11)


CURVE = survival.StepFunction(np.array([0.1, 0.5]), np.array([0.2, 0.9]))
TIMES = np.array([0.2, 0.5, 0.8])


def curves(risk):
    return np.exp(-TIMES * np.exp(np.clip(risk, -3, 3))[:, None] / 2)


def trained(event, time):
    return {"train_event": event, "train_time": time}


EAGER = {
    "neg_log_partial_likelihood": lambda x, e, t: neg_log_partial_likelihood(x[:, 0], e, t),
    "prepare_risk_sets": lambda x, e, t: prepare_risk_sets(e, t),
    "restrict": lambda x, e, t: survival.restrict(prepare_risk_sets(e, t), x[:, 0] > 0),
    "cox_fit": cox_fit,
    "cox_fit, strata": lambda x, e, t: cox_fit(x, e, t, strata=np.arange(len(e)) % 3),
    "cox_fit, entry": lambda x, e, t: cox_fit(x, e, t, entry=t / 2),
    "cox_fit, ridge": lambda x, e, t: cox_fit(x, e, t, l2=1.0),
    "coxnet_path": lambda x, e, t: survival.coxnet_path(x, e, t, n_lambdas=5),
    "coxnet_cv": lambda x, e, t: survival.coxnet_cv(x, e, t, np.arange(len(e)) % 3, n_lambdas=5),
    "breslow_baseline": lambda x, e, t: breslow_baseline(x[:, 0], e, t),
    "survival_function": lambda x, e, t: survival.survival_function(CURVE, x[:, 0], TIMES),
    "martingale_residuals": lambda x, e, t: martingale_residuals(x[:, 0], e, t),
    "deviance_residuals": lambda x, e, t: survival.deviance_residuals(
        np.minimum(x[:, 0], 0.9 * e), e
    ),
    "kaplan_meier": lambda x, e, t: survival.kaplan_meier(e, t),
    "nelson_aalen": lambda x, e, t: survival.nelson_aalen(e, t),
    "censoring_curve": lambda x, e, t: survival.censoring_curve(e, t),
    "restricted_mean": lambda x, e, t: survival.restricted_mean(survival.kaplan_meier(e, t), 0.5),
    "logrank_test": lambda x, e, t: survival.logrank_test(e, t, x[:, 0] > 0),
    "concordance_index": lambda x, e, t: metrics.concordance_index(x[:, 0], e, t),
    "concordance_index, entry": lambda x, e, t: metrics.concordance_index(
        x[:, 0], e, t, entry=t / 2
    ),
    "concordance_index_ipcw": lambda x, e, t: metrics.concordance_index_ipcw(
        x[:, 0], e, t, **trained(e, t), tau=0.8
    ),
    "concordance_td": lambda x, e, t: metrics.concordance_td(curves(x[:, 0]), TIMES, e, t),
    "brier_score": lambda x, e, t: metrics.brier_score(
        curves(x[:, 0]), TIMES, e, t, **trained(e, t)
    ),
    "integrated_brier_score": lambda x, e, t: metrics.integrated_brier_score(
        curves(x[:, 0]), TIMES, e, t, **trained(e, t)
    ),
    "cumulative_dynamic_auc": lambda x, e, t: metrics.cumulative_dynamic_auc(
        x[:, 0], TIMES, e, t, **trained(e, t)
    ),
    "d_calibration": lambda x, e, t: metrics.d_calibration(curves(x[:, 0])[:, 0], e),
    "calibration_slope": lambda x, e, t: metrics.calibration_slope(x[:, 0], e, t),
    "observed_expected": lambda x, e, t: metrics.observed_expected(np.abs(x[:, 0]), e),
    "integrated_calibration_index": lambda x, e, t: metrics.integrated_calibration_index(
        curves(x[:, 0])[:, 1], e, t, tau=0.5
    ),
    "summary": lambda x, e, t: str(cox_fit(x, e, t)),
    "proportional_hazards_test": survival.proportional_hazards_test,
    "schoenfeld_residuals": lambda x, e, t: survival.schoenfeld_residuals(
        x, e, t, np.zeros(x.shape[1]), scaled=True
    ),
    "dfbeta": lambda x, e, t: survival.dfbeta(x, e, t, np.zeros(x.shape[1])),
    "pairwise_logrank": lambda x, e, t: survival.pairwise_logrank(e, t, np.arange(len(e)) % 3),
    "restricted_mean_difference": lambda x, e, t: survival.restricted_mean_difference(
        e, t, x[:, 0] > 0, 0.5
    ),
    "calibration_curve": lambda x, e, t: metrics.calibration_curve(
        curves(x[:, 0])[:, 1], e, t, 0.5
    ),
    "recalibration": lambda x, e, t: metrics.recalibration(curves(x[:, 0])[:, 1], e, t, 0.5),
    "net_benefit": lambda x, e, t: metrics.net_benefit(
        curves(x[:, 0])[:, 1], e, t, 0.5, TIMES, n_samples=5
    ),
    "hazard_ratio": lambda x, e, t: metrics.hazard_ratio(x[:, 0], e, t),
    "latent_alignment": lambda x, e, t: metrics.latent_alignment(x, x[:, 0]),
}
COMPILED = []
monitoring.register_event_duration_secs_listener(
    lambda name, *_, **__: COMPILED.append(name) if "backend_compile" in name else None
)


@pytest.mark.parametrize("name", EAGER)
def test_a_new_number_of_patients_compiles_nothing(name):
    for n in (60, 103, 411):  # on both sides of where concordance sorts
        x, event, time, _ = outcome(n, False, [], seed=n)
        if n > 60:
            COMPILED.clear()
        EAGER[name](x, event, time)
    assert not COMPILED
