"""One result on the host and under jit: tied times, entry, strata, weights and a mask at once."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsurv import metrics, survival

N = 300  # above the size from which concordance sorts
AT = np.array([0.5, 1, 2, 3, 5, 8, 13])
TIMES = AT[2:5]
rng = np.random.default_rng(5)
X = rng.normal(size=(N, 3))
TIME = np.ceil(4 * rng.exponential(np.exp(-X[:, 0])))
COLUMNS = {
    "x": X,
    "risk": np.round(X[:, 0], 1),
    "curves": np.exp(-TIMES / 9 * np.exp(np.clip(X[:, :1], -3, 3))),
    "event": rng.random(N) < 0.6,
    "time": TIME,
    "entry": TIME * rng.choice([0, 0.5, 0.9], N),
    "strata": rng.integers(0, 3, N),
    "weights": rng.uniform(0.1, 2, N) * (rng.random(N) < 0.85),
    "where": rng.random(N) < 0.8,
    "cluster": rng.integers(0, 40, N),
}
GROUP = X[:, 1] > 0
ALL = ("event", "time", "entry", "strata", "weights", "where")


def without(*names):
    return tuple(name for name in ALL if name not in names)


def at(times, *values):
    """Values at ``AT``: under jit a curve has a step per row, of which the last of a tie group counts."""
    last = jnp.searchsorted(jnp.asarray(times), AT, side="right") - 1
    return [jnp.where(last < 0, -1, jnp.asarray(v)[jnp.maximum(last, 0)]) for v in values]


def of_fit(fit):
    plain = {k: v for k, v in fit._asdict().items() if k not in ("baseline", "steps", "converged")}
    return plain, [fit.baseline.log(AT, k) for k in range(3)]


def kaplan_meier(event, time, **more):
    km = survival.kaplan_meier(event, time, **more)
    steps = at(km.times, km.survival, km.standard_error, km.lower, km.upper)
    return km(AT), steps, km.quantile(0.5).time, survival.restricted_mean(km, 7.3)


def nelson_aalen(event, time, **more):
    found = survival.nelson_aalen(event, time, **more)
    return found(AT), at(found.times, found.cumulative_hazard, found.standard_error)


def survival_function(risk, event, time, strata, **more):
    curve = survival.breslow_baseline(risk, event, time, strata=strata, **more)
    return survival.survival_function(curve, risk, AT, stratum=strata)


def trained(function, prediction, event, time, where, **more):
    train = {"train_event": event, "train_time": time}
    return function(prediction, TIMES, event, time, where=where, **train, **more)


CALLS = {
    **{
        f"loss, {ties}, {reduction}": (
            ("risk", *ALL),
            lambda risk, event, time, ties=ties, reduction=reduction, **more: (
                survival.neg_log_partial_likelihood(
                    risk, event, time, ties=ties, reduction=reduction, **more
                )
            ),
        )
        for ties in ("efron", "breslow")
        for reduction in ("mean", "sum")
    },
    **{
        f"cox_fit, {ties}, l2 = {l2}": (
            ("x", *ALL, "cluster"),
            lambda x, event, time, ties=ties, l2=l2, **more: of_fit(
                survival.cox_fit(x, event, time, ties=ties, l2=l2, **more)
            ),
        )
        for ties in ("efron", "breslow")
        for l2 in (0.0, 2.0)
    },
    **{
        f"baseline and residuals, {ties}": (
            ("risk", *ALL),
            lambda risk, event, time, ties=ties, **more: (
                survival.martingale_residuals(risk, event, time, ties=ties, **more),
                [
                    survival.breslow_baseline(risk, event, time, ties=ties, **more).log(AT, k)
                    for k in range(3)
                ],
            ),
        )
        for ties in ("efron", "breslow")
    },
    "survival_function": (("risk", *ALL), survival_function),
    "kaplan_meier": (without("strata"), kaplan_meier),
    "nelson_aalen": (without("strata"), nelson_aalen),
    "censoring_curve": (
        without("strata", "entry"),
        lambda event, time, **more: survival.censoring_curve(event, time, **more).before(AT),
    ),
    "logrank_test": (
        without("weights", "entry"),
        lambda event, time, **more: survival.logrank_test(event, time, GROUP, rho=0.5, **more),
    ),
    "concordance_index": (
        ("risk", *ALL),
        lambda risk, event, time, **more: metrics.concordance_index(
            risk, event, time, tau=9.0, **more
        ),
    ),
    "concordance_index, S/G": (
        ("risk", *without("entry", "strata")),
        lambda risk, event, time, **more: metrics.concordance_index(
            risk, event, time, time_weight="S/G", **more
        ),
    ),
    "concordance_index_ipcw": (
        ("risk", *without("entry", "strata")),
        lambda risk, event, time, **more: metrics.concordance_index_ipcw(
            risk, event, time, train_event=event, train_time=time, tau=7.0, **more
        ),
    ),
    "concordance_td": (
        ("curves", "event", "time", "where"),
        lambda curves, event, time, where: metrics.concordance_td(
            curves, TIMES, event, time, where=where
        ),
    ),
    "brier_score": (
        ("curves", "event", "time", "where"),
        lambda curves, **more: trained(metrics.brier_score, curves, **more),
    ),
    "integrated_brier_score": (
        ("curves", "event", "time", "where"),
        lambda curves, **more: trained(metrics.integrated_brier_score, curves, **more),
    ),
    "cumulative_dynamic_auc": (
        ("risk", "event", "time", "where"),
        lambda risk, **more: trained(metrics.cumulative_dynamic_auc, risk, **more),
    ),
    "hazard_ratio": (("risk", *without("strata", "weights")), metrics.hazard_ratio),
    "calibration_slope": (
        ("risk", "event", "time", "where"),
        lambda risk, **more: metrics.calibration_slope(risk, **more),
    ),
    "integrated_calibration_index": (
        ("curves", "event", "time", "where"),
        lambda curves, **more: metrics.integrated_calibration_index(curves[:, 1], tau=3.0, **more),
    ),
    "observed_expected": (
        ("curves", "event", "where"),
        lambda curves, **more: metrics.observed_expected(curves[:, 1], **more),
    ),
    "d_calibration": (
        ("curves", "event", "where"),
        lambda curves, **more: metrics.d_calibration(curves[:, 1], **more),
    ),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.usefixtures("x64")
def test_host_and_jit_agree(name):
    names, call = CALLS[name]
    given = {n: COLUMNS[n] for n in names}
    known, traced = call(**given), jax.jit(call)(**given)
    for a, b in zip(jax.tree.leaves(known), jax.tree.leaves(traced), strict=True):
        np.testing.assert_allclose(
            np.asarray(a, float), np.asarray(b, float), rtol=1e-10, atol=1e-11
        )
