"""The figures of a one-axis study, with captions, and what they say in sentences."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from jaxsurv.metrics import hazard_ratio
from jaxsurv.plots import risk_groups, score_against_setting, training_curves
from jaxsurv.study.findings import Findings
from jaxsurv.study.report import Picture, interval

PANELS = (
    ("cox", "Cox loss, training rows"),
    ("validation", "Cox loss, early-stopping rows"),
    ("reconstruction", "reconstruction error"),
    ("kl", "KL divergence (nats)"),
)


def draw(findings: Findings) -> tuple[dict[str, Figure], list[Picture], list[str]]:
    """Figures by name, their captions, and the sentences that the numbers support."""
    parts = [_scores(findings), _risk_groups(findings), _training(findings)]
    figures = {picture.name: figure for figure, picture in parts}
    return figures, [picture for _, picture in parts], _sentences(findings)


def _about(findings: Findings, patients: int, events: int) -> str:
    data = findings.data
    return f"{data.cohort.name}, {data.endpoint}: {patients} patients, {events} events"


def _scores(findings: Findings) -> tuple[Figure, Picture]:
    axis, summary = findings.axis, findings.summary
    swept = summary[summary[axis.name].notna()]
    tested = findings.data.design.test.any(axis=0)
    figure = score_against_setting(
        findings.runs,
        swept,
        summary[summary["validation_loss"].isna()].assign(method=summary["setting"]),
        by=axis.name,
        score="test_c",
        xlabel=axis.label,
        ylabel="Harrell's C, test rows",
        title=_about(
            findings, tested.sum(), int(np.asarray(findings.data.shared.event)[tested].sum())
        ),
    )
    warning = " Two-way protocol: optimistic for the network." if findings.two_way else ""
    return figure, Picture(
        f"c_against_{axis.name}",
        f"Test C against {axis.label}: every run, the mean with its 95 % interval, and the baselines' means. "
        f"The intervals say how sure each mean is; differences are paired, see the table.{warning}",
        f"Mean C from {swept['mean'].min():.3f} to {swept['mean'].max():.3f}, "
        f"single runs from {swept['worst_run'].min():.3f} to {swept['best_run'].max():.3f}.",
    )


def _risk_groups(findings: Findings) -> tuple[Figure, Picture]:
    axis = findings.axis
    pooled = findings.predictions[findings.predictions["setting"] == axis.chosen]
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
        title=_about(findings, len(risk), int(event.sum())),
    )
    return figure, Picture(
        "kaplan_meier",
        f"Kaplan-Meier curves of the pooled out-of-fold risk at its median: the mean over seeds and repeats, "
        f"each scaled within its fold, {axis.symbol} chosen per fold by the early-stopping loss. "
        f"{statement}, log-rank {shown_p}; descriptive, since the folds' models share patients.",
        f"Two survival curves; {statement}.",
    )


def _training(findings: Findings) -> tuple[Figure, Picture]:
    axis = findings.axis
    settings = np.asarray(getattr(findings.arrays.hparams, axis.name))
    figure = training_curves(findings.arrays.history, settings, panels=PANELS, legend=axis.symbol)
    return figure, Picture(
        "training",
        "Loss terms against the epoch, mean over runs; a run that has stopped keeps its last value, and a "
        "line ends where half of its runs have stopped. Training terms are with dropout.",
        "Four panels of loss terms, one line per setting.",
    )


def _sentences(findings: Findings) -> list[str]:
    axis = findings.axis
    summary = findings.summary.set_index("setting")
    swept = summary[summary[axis.name].notna()]
    chosen, best = summary.loc[axis.chosen], swept.loc[swept["mean"].idxmax()]
    event = np.asarray(findings.data.shared.event)
    sentences = [
        f"{_about(findings, len(event), int(event.sum()))}; {len(findings.runs)} training runs.",
        f"With {axis.symbol} chosen in each split by the early-stopping loss, the mean test C is "
        f"{interval(chosen)} (95 % interval).",
    ]
    for short in ("ridge", "clinical"):
        if f"{short}_mean" in summary:
            sentences.append(
                f"The {short} Cox model on the same splits has {interval(summary.loc[f'{short} Cox'])}; the "
                f"paired difference is {interval(chosen, f'{short}_', sign=True)}: {_verdict(chosen, short)}."
            )
    sentences.append(
        f"The highest of the {len(swept)} means is {best['mean']:.3f} at {best.name}, picked by test scores "
        f"and so optimistic; single runs there go from {best['worst_run']:.3f} to {best['best_run']:.3f}, "
        "so any one of them says little."
    )
    if (share := float(np.mean(findings.runs["best_epoch"] == 0))) > 0.05:
        sentences.append(
            f"In {share:.0%} of the runs no epoch was better than the initial network: they predict what "
            "they started from."
        )
    if findings.two_way:
        sentences.append(
            "Two-way protocol: early stopping watched the rows that are scored, as many papers do. All C of "
            "trained networks here are optimistic."
        )
    return sentences


def _verdict(row: pd.Series, short: str) -> str:
    lower, upper = row[f"{short}_lower"], row[f"{short}_upper"]
    if not lower * upper > 0:
        return "the data do not tell them apart"
    return "the network is better" if lower > 0 else "the network is worse"
