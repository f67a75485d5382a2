"""Public functions of an outcome, each called with the columns that it takes, as one number."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from jaxsurv import divergences, metrics, survival

N = 40
TIMES = [0.4, 0.9]
COEF = [0.3, -0.2]


def columns(seed: int = 0) -> dict[str, Any]:
    """Clean columns of N patients."""
    rng = np.random.default_rng(seed)
    time = np.round(rng.exponential(1.0, N), 3) + 0.25
    return {
        "risk": np.round(rng.normal(size=N), 3),
        "event": np.arange(N) % 3 > 0,
        "time": time,
        "entry": np.zeros(N),
        "weights": rng.integers(1, 4, N).astype(float),
        "where": np.arange(N) % 10 > 0,
        "labels": rng.integers(0, 3, N),
        "code": np.arange(N) % 3,
        "interval": np.arange(N) % 2,
    }


GROUPS = (columns()["labels"] + np.arange(N)) % 3
Call = Callable[..., Any]
# name: (columns of rows that it takes, call)
FUNCTIONS: dict[str, tuple[tuple[str, ...], Call]] = {
    "kaplan_meier": (
        ("event", "time", "entry", "weights", "where"),
        lambda **c: survival.kaplan_meier(**c).survival[-1],
    ),
    "nelson_aalen": (
        ("event", "time", "entry", "weights", "where"),
        lambda **c: survival.nelson_aalen(**c).cumulative_hazard[-1],
    ),
    "censoring_curve": (
        ("event", "time", "weights", "where"),
        lambda **c: survival.censoring_curve(**c).survival[-1],
    ),
    "logrank_test": (
        ("event", "time", "group", "strata", "where"),
        lambda **c: survival.logrank_test(**c).statistic,
    ),
    "aalen_johansen": (
        ("code", "time", "entry", "weights", "where"),
        lambda **c: survival.aalen_johansen(**c).standard_error[-1, 1],
    ),
    "gray_test": (
        ("code", "time", "group", "strata", "where"),
        lambda **c: survival.gray_test(**c).statistic,
    ),
    "fine_gray": (
        ("x", "code", "time", "weights", "where", "cluster", "censoring_strata"),
        lambda **c: survival.fine_gray(**c, cause=2).robust_covariance[0, 0],
    ),
    "event_quantile_grid": (
        ("event", "time", "weights", "where"),
        lambda **c: survival.event_quantile_grid(**c, intervals=3)[1],
    ),
    "discretise": (
        ("event", "time", "entry"),
        lambda **c: survival.discretise(**c, ends=TIMES).interval.sum(),
    ),
    "logistic_hazard_loss": (
        ("logits", "event", "interval", "entry", "weights", "where"),
        lambda **c: survival.logistic_hazard_loss(**c),
    ),
    "pmf_loss": (
        ("logits", "event", "interval", "entry", "weights", "where"),
        lambda **c: survival.pmf_loss(**c, ranking=0.5),
    ),
    "weibull_loss": (
        ("parameters", "event", "time", "entry", "weights", "where"),
        lambda **c: survival.weibull_loss(**c),
    ),
    "log_normal_loss": (
        ("parameters", "event", "time", "entry", "weights", "where"),
        lambda **c: survival.log_normal_loss(**c),
    ),
    "group_summary": (
        ("event", "time", "group", "entry", "weights", "where"),
        lambda **c: survival.group_summary(**c, tau=0.5)["restricted_mean"].sum(),
    ),
    "restricted_mean_difference": (
        ("event", "time", "group", "entry", "weights"),
        lambda **c: abs(
            survival.restricted_mean_difference(
                **c, tau=0.5, where=GROUPS[: len(c["group"])] < 2
            ).difference
        ),
    ),
    "pairwise_logrank": (
        ("event", "time", "group", "strata", "where"),
        lambda **c: survival.pairwise_logrank(**c)["chi_square"].sum(),
    ),
    "prepare_risk_sets": (
        ("event", "time", "entry", "strata", "weights", "where"),
        lambda **c: survival.prepare_risk_sets(**c).total,
    ),
    "neg_log_partial_likelihood": (
        ("risk", "event", "time", "entry", "strata", "weights", "where"),
        lambda risk, **c: survival.neg_log_partial_likelihood(risk, **c),
    ),
    "breslow_baseline": (
        ("risk", "event", "time", "entry", "strata", "weights", "where"),
        lambda risk, **c: survival.breslow_baseline(risk, **c).values.sum(),
    ),
    "martingale_residuals": (
        ("risk", "event", "time", "entry", "strata", "weights", "where"),
        lambda risk, **c: survival.martingale_residuals(risk, **c)[1],
    ),
    "deviance_residuals": (
        ("risk", "event"),
        lambda risk, event: survival.deviance_residuals(
            [r - 9 for r in risk] if isinstance(risk, list) else risk - 9, event
        )[1],
    ),
    "cox_fit": (
        ("x", "event", "time", "entry", "strata", "weights", "where", "cluster"),
        lambda **c: survival.cox_fit(**c).robust_covariance[0, 0],
    ),
    "schoenfeld_residuals": (
        ("x", "event", "time", "entry", "strata", "weights", "where"),
        lambda **c: survival.schoenfeld_residuals(**c, coef=COEF, scaled=True).residuals.sum(),
    ),
    "dfbeta": (
        ("x", "event", "time", "entry", "strata", "weights", "where"),
        lambda **c: survival.dfbeta(**c, coef=COEF)[1, 0],
    ),
    "proportional_hazards_test": (
        ("x", "event", "time", "entry", "strata", "weights", "where"),
        lambda **c: survival.proportional_hazards_test(**c).global_statistic,
    ),
    "coxnet_path": (
        ("x", "event", "time", "entry", "strata", "weights", "where"),
        lambda **c: survival.coxnet_path(**c, lambdas=[0.1, 0.05]).coef[1, 0],
    ),
    "coxnet_cv": (
        ("x", "event", "time", "fold", "strata", "weights", "where"),
        lambda **c: survival.coxnet_cv(**c, lambdas=[0.1, 0.05]).deviance[1],
    ),
    "concordance_index": (
        ("risk", "event", "time", "entry", "strata", "weights", "where"),
        lambda **c: metrics.concordance_index(**c).index,
    ),
    "concordance_index_ipcw": (
        ("risk", "event", "time", "train_event", "train_time", "weights", "where"),
        lambda **c: metrics.concordance_index_ipcw(**c, tau=1.5).index,
    ),
    "concordance_index_competing": (
        ("risk", "code", "time", "weights", "where"),
        lambda **c: metrics.concordance_index_competing(**c, cause=2).index,
    ),
    "brier_score_competing": (
        ("incidence", "code", "time", "train_code", "train_time", "where"),
        lambda **c: metrics.brier_score_competing(times=TIMES, **c)[1],
    ),
    "integrated_brier_score_competing": (
        ("incidence", "code", "time", "train_code", "train_time", "where"),
        lambda incidence, code, time, **c: metrics.integrated_brier_score_competing(
            incidence, TIMES, code, time, **c
        ),
    ),
    "cumulative_dynamic_auc_competing": (
        ("risk", "code", "time", "train_code", "train_time", "where"),
        lambda **c: metrics.cumulative_dynamic_auc_competing(times=TIMES, cause=2, **c).mean,
    ),
    "concordance_td": (
        ("survival", "event", "time", "where"),
        lambda **c: metrics.concordance_td(times=TIMES, **c).index,
    ),
    "brier_score": (
        ("survival", "event", "time", "train_event", "train_time", "where"),
        lambda **c: metrics.brier_score(times=TIMES, **c)[1],
    ),
    "integrated_brier_score": (
        ("survival", "event", "time", "train_event", "train_time", "where"),
        lambda survival, event, time, **c: metrics.integrated_brier_score(
            survival, TIMES, event, time, **c
        ),
    ),
    "cumulative_dynamic_auc": (
        ("risk", "event", "time", "train_event", "train_time", "where"),
        lambda **c: metrics.cumulative_dynamic_auc(times=TIMES, **c).mean,
    ),
    "hazard_ratio": (
        ("risk", "event", "time", "entry", "where"),
        lambda **c: metrics.hazard_ratio(**c).hazard_ratio,
    ),
    "calibration_slope": (
        ("risk", "event", "time", "where"),
        lambda risk, **c: metrics.calibration_slope(risk, **c).slope,
    ),
    "integrated_calibration_index": (
        ("probability", "event", "time", "where"),
        lambda probability, **c: (
            metrics.integrated_calibration_index(probability, tau=0.9, **c).ici
        ),
    ),
    "calibration_curve": (
        ("probability", "event", "time", "where"),
        lambda probability, **c: np.nansum(
            metrics.calibration_curve(probability, horizon=0.9, **c).upper
        ),
    ),
    "recalibration": (
        ("probability", "event", "time", "where"),
        lambda probability, **c: metrics.recalibration(probability, horizon=0.9, **c).intercept,
    ),
    "net_benefit": (
        ("probability", "event", "time", "where"),
        lambda probability, **c: metrics.net_benefit(
            probability, horizon=0.9, thresholds=[0.2, 0.5], n_samples=20, **c
        ).upper.sum(),
    ),
    "d_calibration": (
        ("probability", "event", "where"),
        lambda probability, **c: metrics.d_calibration(probability, **c).statistic,
    ),
    "observed_expected": (
        ("probability", "event", "where"),
        lambda probability, **c: metrics.observed_expected(probability, **c).ratio,
    ),
    "latent_alignment": (
        ("x", "risk"),
        lambda x, risk: metrics.latent_alignment(x, risk).mean_dimension,
    ),
    "bootstrap": (
        ("risk",),
        lambda risk: (
            metrics.bootstrap(
                lambda r: r.mean(), jax.random.key(0), risk, n_samples=10
            ).standard_error
        ),
    ),
    "mmd2": (
        ("x", "where"),
        lambda x, **c: divergences.mmd2(x, np.ones((3, 2)), bandwidth=1.0, **c),
    ),
    "hsic": (
        ("x", "where"),
        lambda x, **c: divergences.hsic(
            x, np.arange(1.0 * N)[:, None], bandwidth_x=1.0, bandwidth_y=9.0, **c
        ),
    ),
}
LABELS = ("strata", "group", "cluster", "fold", "censoring_strata")


def of(names: tuple[str, ...], **changed: Any) -> dict[str, Any]:
    """Columns for a function; ``changed`` replaces clean ones."""
    clean = columns()
    risk = clean["risk"]
    clean |= {
        "x": np.stack([risk, np.cos(np.arange(N))], 1),
        "survival": np.stack([0.5 + 0.1 * risk, 0.3 + 0.05 * risk], 1),
        "probability": 0.5 + 0.1 * risk,
        "incidence": np.stack([0.3 + 0.05 * risk, 0.5 + 0.1 * risk], 1),
        "logits": np.stack([risk, np.cos(np.arange(N))], 1),
        "parameters": np.stack([risk, 0.1 * np.cos(np.arange(N))], 1),
        "train_code": clean["code"],
        "train_event": clean["event"],
        "train_time": clean["time"],
        **dict.fromkeys(LABELS, clean["labels"]),
        "group": GROUPS,
    }
    return {name: changed.get(name, clean[name]) for name in names}


def labelled(label: str) -> list[str]:
    """Functions that take the labels of this name."""
    return [name for name, (names, _) in FUNCTIONS.items() if label in names]


def value(function: str, **changed: Any) -> float:
    """Value of a function on clean columns, but for those that are changed."""
    names, call = FUNCTIONS[function]
    return float(call(**of(names, **changed)))
