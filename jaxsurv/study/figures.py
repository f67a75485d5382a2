"""The figures of a study, each with its caption."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from jaxsurv.metrics import hazard_ratio
from jaxsurv.plots import (
    risk_groups,
    score_against_scale,
    score_against_setting,
    score_forest,
    training_curves,
)
from jaxsurv.study.findings import Findings
from jaxsurv.study.report import Picture
from jaxsurv.study.sentences import about

PANELS = (
    ("cox", "Cox loss, training rows"),
    ("validation", "Cox loss, early-stopping rows"),
    ("reconstruction", "reconstruction error"),
    ("kl", "KL divergence (nats)"),
)


def scores_along(findings: Findings, name: str, label: str) -> tuple[Figure, Picture]:
    """The scores of the first method against one of its hyper-parameters."""
    runs = findings.trained[0].rows
    swept = findings.summary[findings.summary["setting"].isin(runs["setting"])]
    base = findings.summary[findings.summary["setting"].isin(findings.baselines)]
    figure = score_against_setting(
        runs,
        swept,
        base,
        by=name,
        score="test_c",
        xlabel=label,
        ylabel="Harrell's C, test rows",
        title=_tested(findings),
    )
    warning = " Two-way protocol: optimistic for the network." if findings.two_way else ""
    return figure, Picture(
        f"c_against_{name}",
        f"Test C against {label}: every run, the mean with its 95 % interval, and the baselines' means. "
        f"The intervals say how sure each mean is; differences are paired, see the table.{warning}",
        f"Mean C from {swept['mean'].min():.3f} to {swept['mean'].max():.3f}, "
        f"single runs from {swept['worst_run'].min():.3f} to {swept['best_run'].max():.3f}.",
    )


def _tested(findings: Findings) -> str:
    tested = findings.data.design.test.any(axis=0)
    events = int(np.asarray(findings.data.shared.event)[tested].sum())
    return about(findings, int(tested.sum()), events)


def forest(findings: Findings, highlight: str) -> tuple[Figure, Picture]:
    """All settings, choices and baselines beside each other."""
    summary = findings.summary
    figure = score_forest(
        findings.runs,
        summary,
        score="test_c",
        xlabel="Harrell's C, test rows",
        highlight=highlight,
        title=_tested(findings),
    )
    there = highlight in set(summary["setting"])
    line = f"; the dashed line is the mean of {highlight}" if there else ""
    return figure, Picture(
        "methods",
        f"Test C of every run, and the mean with its 95 % interval{line}. The "
        "intervals say how sure each mean is; differences are paired, see the table.",
        f"{len(summary)} rows, mean C from {summary['mean'].min():.3f} to {summary['mean'].max():.3f}.",
    )


def scores_by_scale(findings: Findings, scales: pd.Series) -> tuple[Figure, Picture]:
    """The scores against ``scales``, by setting: the regulariser's share beside the Cox loss."""
    rows = findings.settings.assign(scale=findings.settings["setting"].map(scales))
    base = findings.summary[findings.summary["setting"].isin(findings.baselines)]
    figure = score_against_scale(
        rows[rows["scale"] > 0], base, ylabel="Harrell's C, test rows", title=_tested(findings)
    )
    return figure, Picture(
        "c_against_scale",
        "Mean test C with its 95 % interval against the effective scale: how much the weighted regulariser "
        "adds to the loss for one unit of weighted Cox loss, on training rows at the best epoch, mean over "
        "runs. Regularisers are to be compared at the same place of this axis, not at the same weight.",
        "One line per regulariser.",
    )


def survival_curves(findings: Findings) -> tuple[Figure, Picture]:
    """Kaplan-Meier curves of the headline's pooled risk."""
    headline = findings.comparison.headline
    pooled = findings.predictions[findings.predictions["setting"] == headline]
    risk, event, time = (pooled[c].to_numpy(float) for c in ("risk", "event", "time"))
    hr = hazard_ratio(risk, event, time)
    p = float(hr.p_value)
    shown_p = f"p = {p:.2g}" if p >= 1e-4 else "p < 0.0001"
    ratio, lower, upper = float(hr.hazard_ratio), float(hr.lower), float(hr.upper)
    statement = f"hazard ratio {ratio:.2f} ({lower:.2f} to {upper:.2f})"
    unit = findings.data.cohort.time_unit or "unit of the cohort"
    figure = risk_groups(
        risk > float(hr.threshold),
        event,
        time,
        xlabel=f"time ({unit})",
        note=f"{statement}\nlog-rank {shown_p}",
        title=about(findings, len(risk), int(event.sum())),
    )
    return figure, Picture(
        "kaplan_meier",
        "Kaplan-Meier curves of the pooled out-of-fold risk at its median: the mean over seeds and repeats, "
        f"each scaled within its fold, of '{headline}'. "
        f"{statement}, log-rank {shown_p}; descriptive, since the folds' models share patients.",
        f"Two survival curves; {statement}.",
    )


def training_along(findings: Findings, name: str, symbol: str) -> tuple[Figure, Picture]:
    """The loss terms of the first method, one line per value of one of its hyper-parameters."""
    arrays = findings.trained[0].arrays
    settings = np.asarray(getattr(arrays.hparams, name))
    figure = training_curves(arrays.history, settings, panels=PANELS, legend=symbol)
    return figure, Picture(
        "training",
        "Loss terms against the epoch, mean over runs; a run that has stopped keeps its last value, and a "
        "line ends where half of its runs have stopped. Training terms are with dropout.",
        "Four panels of loss terms, one line per setting.",
    )
