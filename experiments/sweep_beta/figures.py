"""Figures of a sweep over one hyper-parameter: the score against it, and the training curves."""

from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from jaxsurv.plots import training_curves
from jaxsurv.plots.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, styled
from jaxsurv.report.page import Picture
from jaxsurv.report.sentences import tested
from jaxsurv.study.findings import Findings

PANELS = (
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
    return figure, Picture(
        f"c_against_{name}",
        f"Test C against {label}: every run, the mean with its 95 % interval, and the means of stack and "
        "baselines.",
        f"Dots and line of test C: means from {swept['mean'].min():.3f} to {swept['mean'].max():.3f}, "
        f"single runs from {swept['worst_run'].min():.3f} to {swept['best_run'].max():.3f}.",
        caveat="Intervals say how sure a mean is; differences are paired, see the table."
        + " Two-way protocol: optimistic for the network." * findings.two_way,
    )


@styled
def score_against_setting(
    runs: pd.DataFrame,
    summary: pd.DataFrame,
    baselines: pd.DataFrame,
    *,
    by: str,
    score: str,
    xlabel: str,
    ylabel: str,
    title: str = "",
) -> Figure:
    """Every run as a dot, the mean with its 95 % interval, and baselines as lines.

    Args:
        runs: one row per run with the columns ``by`` (positive numbers) and ``score``.
        summary: one row per setting: ``by``, ``mean``, ``lower``, ``upper``.
        baselines: one row per baseline: ``method``, ``mean``.
        by: column of the setting.
        score: column of the score.
        xlabel, ylabel: labels of the axes.
        title: title of the figure.
    """
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    ax = figure.subplots()
    settings = summary[by].to_numpy(float)
    at = {s: i for i, s in enumerate(settings)}  # equally spaced, whatever the grid
    jitter = np.random.default_rng(0).uniform(-0.16, 0.16, len(runs))
    ax.plot(
        runs[by].map(at) + jitter, runs[score], "o", ms=2.5, mew=0, alpha=0.35, color=GREY, zorder=1,
        label=f"single runs (n = {len(runs)})",
    )  # fmt: skip
    x = np.arange(len(settings))
    error = np.stack([summary["mean"] - summary["lower"], summary["upper"] - summary["mean"]])
    ax.errorbar(
        x, summary["mean"], error, fmt="o-", color=BLUE, ms=5, lw=1.5, capsize=3, zorder=3,
        label="mean, 95 % interval",
    )  # fmt: skip
    looks = zip(cycle((ORANGE, GREEN, "black", PURPLE, SKY)), cycle(("--", ":")), strict=False)
    for i, ((_, row), (colour, dash)) in enumerate(zip(baselines.iterrows(), looks, strict=False)):
        ax.axhline(  # of equal lines the later are thinner, and hide none
            row["mean"], color=colour, ls=dash, lw=max(1.2, 3.6 - 0.6 * i), zorder=2,
            label=f"{row['method']}: {row['mean']:.3f}",
        )  # fmt: skip
    if runs[score].min() < 0.55:
        ax.axhline(0.5, color="black", lw=0.6)
    ax.set_xticks(x, [f"{s:g}" for s in settings])
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=8)
    return figure


def training_along(findings: Findings, name: str, symbol: str, head: str) -> tuple[Figure, Picture]:
    """Loss terms of the first method, one line per value of one of its hyper-parameters."""
    loss = f"{head.replace('_', ' ').capitalize()} loss"
    panels = ((head, f"{loss}, training rows"), ("validation", f"{loss}, early-stopping rows"))
    panels = (*panels, *PANELS)
    arrays = findings.trained[0].arrays
    settings = np.asarray(getattr(arrays.hparams, name))
    figure = training_curves(arrays.history, settings, panels=panels, legend=symbol)
    return figure, Picture(
        "training",
        "Loss terms against the epoch, mean over runs; a run that has stopped keeps its last value, and a "
        "line ends where half of its runs have stopped. Training terms are with dropout.",
        f"{len(panels)} panels of loss terms against the epoch, one line per {symbol}.",
    )
