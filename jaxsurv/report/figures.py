"""Figures of a study, each with its caption."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from jaxsurv.plots import (
    Forest,
    Profile,
    RiskGroups,
    risk_groups,
    score_against_scale,
    score_against_setting,
    score_forest,
    score_profiles,
    training_curves,
)
from jaxsurv.report.page import Picture
from jaxsurv.report.sentences import tested
from jaxsurv.study.findings import Findings, hazard_ratios

PANELS = (
    ("cox", "Cox loss, training rows"),
    ("validation", "Cox loss, early-stopping rows"),
    ("reconstruction", "reconstruction error"),
    ("kl", "KL divergence (nats)"),
)


def scores_along(findings: Findings, name: str, label: str) -> tuple[Figure, Picture]:
    """Scores of the first method against one of its hyper-parameters."""
    runs = findings.trained[0].rows
    swept = findings.summary[findings.summary["setting"].isin(runs["setting"])]
    lines = [*findings.baselines, *findings.comparison.stacked]
    base = findings.summary[findings.summary["setting"].isin(lines)]
    figure = score_against_setting(
        runs,
        swept,
        base,
        by=name,
        score="test_c",
        xlabel=label,
        ylabel="Harrell's C, test rows",
        title=tested(findings),
    )
    warning = " Two-way protocol: optimistic for the network." if findings.two_way else ""
    return figure, Picture(
        f"c_against_{name}",
        f"Test C against {label}: every run, the mean with its 95 % interval, and the means of stack and "
        f"baselines. The intervals say how sure a mean is; differences are paired, see the table.{warning}",
        f"Dots and line of test C: means from {swept['mean'].min():.3f} to {swept['mean'].max():.3f}, "
        f"single runs from {swept['worst_run'].min():.3f} to {swept['best_run'].max():.3f}.",
    )


def forest(findings: Findings, highlight: str) -> tuple[Figure, Picture]:
    """Scores of all settings, choices and baselines beside each other."""
    summary = findings.summary
    figure = score_forest(
        [Forest(findings.runs, summary, "test_c", "Harrell's C, test rows")],
        highlight=highlight,
        title=tested(findings),
    )
    there = highlight in set(summary["setting"])
    line = f"; the dashed line is the mean of {highlight}" if there else ""
    return figure, Picture(
        "methods",
        f"Test C of every run, and the mean with its 95 % interval{line}. The "
        "intervals say how sure each mean is; differences are paired, see the table.",
        f"Forest plot of {len(summary)} methods and settings, mean C from "
        f"{summary['mean'].min():.3f} to {summary['mean'].max():.3f}.",
    )


def profiles(
    findings: Findings, panels: Mapping[str, tuple[Mapping[float, str], str]]
) -> tuple[Figure, Picture]:
    """Scores of some settings along several axes.

    Args:
        findings: findings of the study.
        panels: axis label to a pair: a mapping from values on the axis to settings, and the setting of a
            reference line.
    """
    rows = findings.summary.set_index("setting")
    drawn = [
        Profile(
            label,
            [f"{value:g}" for value in sorted(settings)],
            {"": rows.loc[[settings[value] for value in sorted(settings)]]},
            float(rows.loc[line, "mean"]),
            line,
        )
        for label, (settings, line) in panels.items()
    ]
    figure = score_profiles(drawn, ylabel="Harrell's C, test rows", title=tested(findings))
    return figure, Picture(
        "profiles",
        "Mean test C with its 95 % interval along each axis. The intervals say how sure each mean is; "
        "differences are paired, see the table.",
        f"{len(drawn)} panels of mean test C with intervals, along {', '.join(panels)}.",
    )


def scores_by_scale(findings: Findings, scales: pd.Series) -> tuple[Figure, Picture]:
    """Scores against ``scales``, the regulariser's share beside the Cox loss in each setting."""
    rows = findings.settings.assign(scale=findings.settings["setting"].map(scales))
    base = findings.summary[findings.summary["setting"].isin(findings.baselines)]
    figure = score_against_scale(
        rows[rows["scale"] > 0], base, ylabel="Harrell's C, test rows", title=tested(findings)
    )
    return figure, Picture(
        "c_against_scale",
        "Mean test C with its 95 % interval against the effective scale: how much the weighted regulariser "
        "adds to the loss for one unit of weighted Cox loss, on training rows at the best epoch, mean over "
        "runs. Regularisers are to be compared at the same place of this axis, not at the same weight.",
        "Mean test C with intervals against the effective scale, one line per regulariser.",
    )


def survival_curves(findings: Findings, *settings: str) -> tuple[Figure, Picture]:
    """Kaplan-Meier curves by pooled risk of settings or choices; the headline if none is given."""
    names = settings or (findings.comparison.headline,)
    ratios = hazard_ratios(findings).set_index("setting")
    panels, statements = [], []
    for name in names:
        pooled = findings.predictions[findings.predictions["setting"] == name]
        risk, event, time = (pooled[c].to_numpy(float) for c in ("risk", "event", "time"))
        row = ratios.loc[name]
        if np.isnan(p := row["p_value"]):
            told = ["nobody is above the median risk"]
        else:
            ratio = "hazard ratio {hazard_ratio:.2f} ({lower:.2f} to {upper:.2f})".format(**row)
            told = [ratio, f"log-rank {f'p = {p:.2g}' if p >= 1e-4 else 'p < 0.0001'}"]
        title = name if settings else ""
        panels.append(RiskGroups(risk > row["threshold"], event, time, "\n".join(told), title))
        statements.append(f"'{name}': {', '.join(told)}")
    unit = findings.data.cohort.time_unit or "unit of the cohort"
    figure = risk_groups(panels, xlabel=f"time ({unit})", title=tested(findings))
    return figure, Picture(
        "kaplan_meier",
        "Kaplan-Meier curves of the pooled out-of-fold risk at its median: the mean over seeds and repeats, "
        f"each scaled within its fold. {'; '.join(statements)}; descriptive, since the folds' models share "
        "patients.",
        f"Two survival curves per panel; {'; '.join(statements)}.",
        finding=f"At the median of the pooled out-of-fold risk: {'; '.join(statements)}."
        if settings
        else "",
    )


def training_along(findings: Findings, name: str, symbol: str) -> tuple[Figure, Picture]:
    """Loss terms of the first method, one line per value of one of its hyper-parameters."""
    arrays = findings.trained[0].arrays
    settings = np.asarray(getattr(arrays.hparams, name))
    figure = training_curves(arrays.history, settings, panels=PANELS, legend=symbol)
    return figure, Picture(
        "training",
        "Loss terms against the epoch, mean over runs; a run that has stopped keeps its last value, and a "
        "line ends where half of its runs have stopped. Training terms are with dropout.",
        f"{len(PANELS)} panels of loss terms against the epoch, one line per {symbol}.",
    )
