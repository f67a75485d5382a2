"""Figures of a study, each with its caption."""

import numpy as np
from matplotlib.figure import Figure

from jaxsurv.plots import (
    Forest,
    RiskGroups,
    calibration,
    decision_curves,
    incidence_groups,
    risk_groups,
    score_forest,
)
from jaxsurv.report.page import Picture
from jaxsurv.report.sentences import tested
from jaxsurv.study.findings import Findings, hazard_ratios
from jaxsurv.survival import gray_test


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
        f"Test C of every run, and the mean with its 95 % interval{line}.",
        f"Forest plot of {len(summary)} methods and settings, mean C from "
        f"{summary['mean'].min():.3f} to {summary['mean'].max():.3f}.",
        caveat="Intervals say how sure each mean is; differences are paired, see the table."
        + _optimistic(findings),
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
        told = f"hazard ratio {row['hazard_ratio']:.2f}"
        if np.isnan(row["hazard_ratio"]):
            told = "nobody is above the median risk"
        title = name if settings else ""
        panels.append(RiskGroups(risk > row["threshold"], event, time, told, title))
        statements.append(f"'{name}': {told}")
    unit = findings.data.cohort.time_unit or "unit of the cohort"
    figure = risk_groups(panels, xlabel=f"time ({unit})", title=tested(findings))
    return figure, Picture(
        "kaplan_meier",
        "Kaplan-Meier curves of the pooled out-of-fold risk at its median: the mean over seeds and repeats, "
        f"each scaled within its fold. {'; '.join(statements)}.",
        f"Two survival curves per panel; {'; '.join(statements)}.",
        finding=f"At the median of the pooled out-of-fold risk: {'; '.join(statements)}."
        if settings
        else "",
        caveat="Without p-value or interval: the folds' models share patients, and a log-rank p of these "
        "groups is below 0.05 in 11 % of cohorts without any signal.",
    )


def calibration_at_horizon(findings: Findings) -> list[tuple[Figure, Picture]]:
    """Calibration of the headline on held-out patients, pooled over splits; none if it cannot be judged."""
    held = findings.held_out
    if held is None or held.calibration is None:
        return []
    at, name = _horizon(findings), str(findings.comparison.headline)
    figure = calibration(
        held.calibration.curve, xlabel=f"predicted probability by {at}", title=tested(findings)
    )
    line = held.calibration.line
    return [(figure, Picture(
        "calibration",
        f"Observed against predicted probability of the event by {at}, of '{name}' on held-out patients: "
        "the mean over splits of each patient's probability. Smooth with its pointwise 95 % band, and fifths "
        "of the patients by Kaplan-Meier.",
        f"Calibration curve: slope {line.slope:.2f}, observed over expected {line.ratio:.2f}.",
        caveat="Where predictions are few, at the ends, the curve follows single patients."
        + _optimistic(findings),
    ))]  # fmt: skip


def decisions(findings: Findings) -> list[tuple[Figure, Picture]]:
    """Decision curves of headline and clinical model on held-out patients; none if they cannot be judged."""
    held = findings.held_out
    if held is None or not held.benefit:
        return []
    at = _horizon(findings)
    figure = decision_curves(
        held.benefit, xlabel=f"threshold probability of the event by {at}", title=tested(findings)
    )
    low, *_, high = next(iter(held.benefit.values())).thresholds
    return [(figure, Picture(
        "decision_curves",
        f"Net benefit of acting on held-out probabilities of the event by {at}, in true positives per "
        "patient, against treating everybody and nobody; bands resample patients, 95 %.",
        f"Net benefit of {', '.join(held.benefit)} at thresholds from {low:.0%} to {high:.0%}.",
        caveat="Bands do not cover the luck of training; where two overlap, the paired difference may still "
        "be clear." + _optimistic(findings),
    ))]  # fmt: skip


def _horizon(findings: Findings) -> str:
    assert findings.held_out is not None
    return f"{findings.held_out.horizon:g} {findings.data.cohort.time_unit}".rstrip()


def _optimistic(findings: Findings) -> str:
    return " Two-way protocol: these patients stopped the training." * findings.two_way


def incidence_curves(findings: Findings) -> list[tuple[Figure, Picture]]:
    """Cumulative incidences by pooled risk of the headline, in a list; empty without competing causes."""
    cohort, name = findings.data.cohort, findings.comparison.headline
    ratios = hazard_ratios(findings).set_index("setting")
    if cohort.competing is None or np.isnan(threshold := ratios.loc[name, "threshold"]):
        return []
    codes, causes, chosen, _ = cohort.competing
    pooled = findings.predictions[findings.predictions["setting"] == name]
    code, time = codes.loc[pooled["patient"]].to_numpy(int), pooled["time"].to_numpy(float)
    high = pooled["risk"].to_numpy(float) > threshold
    p_values = [float(gray_test(code, time, high, cause=c + 1).p_value) for c in range(len(causes))]
    notes = [f"Gray's test {f'p = {p:.2g}' if p >= 1e-4 else 'p < 0.0001'}" for p in p_values]
    unit = cohort.time_unit or "unit of the cohort"
    figure = incidence_groups(
        high,
        code,
        time,
        causes=causes,
        notes=notes,
        xlabel=f"time ({unit})",
        title=tested(findings),
    )
    others = [cause for cause in causes if cause != chosen]
    told = (
        "all causes count as the event"
        if len(others) == len(causes)
        else f"the model and all scores of this page are of the hazard of {chosen}: events of "
        f"{', '.join(others)} censor there, and one minus its survival curves is no probability"
    )
    listed = "; ".join(f"{cause}: {note}" for cause, note in zip(causes, notes, strict=True))
    return [(figure, Picture(
        "incidence",
        f"Cumulative incidence of each cause (Aalen-Johansen) by the pooled out-of-fold risk of '{name}' at "
        f"its median. {listed}. {told.capitalize()}. Descriptive, since the folds' models share patients.",
        f"Two incidence curves per cause: {listed}.",
        finding=f"Competing causes: {told}.",
    ))]  # fmt: skip
