"""Figures of a study, each with its caption."""

import numpy as np
from matplotlib.figure import Figure

from jaxsurv.plots import (
    Forest,
    RiskGroups,
    risk_groups,
    score_forest,
)
from jaxsurv.report.page import Picture
from jaxsurv.report.sentences import tested
from jaxsurv.study.findings import Findings, hazard_ratios


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
