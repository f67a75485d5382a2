"""Methods beside each other: every run, the mean and its interval, one row per method."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from jaxsurv.plots.style import BLUE, GREY, ORANGE, styled


@styled
def score_forest(
    runs: pd.DataFrame,
    summary: pd.DataFrame,
    *,
    score: str,
    xlabel: str,
    highlight: str,
    title: str = "",
) -> Figure:
    """A row per setting, in the order of ``summary``, top to bottom.

    Args:
        runs: one row per run with the columns ``setting`` and ``score``; settings without runs (whose
            mean is over fits without a seed) have no dots.
        summary: one row per setting: ``setting``, ``mean``, ``lower``, ``upper``.
        score: column of ``runs``.
        xlabel: what the score is.
        highlight: the setting whose mean is drawn through all rows, to compare by eye; if it is there.
        title: of the figure.
    """
    k = len(summary)
    figure = Figure(figsize=(7.2, 1.1 + 0.3 * k), layout="constrained")
    ax = figure.subplots()
    at = {s: i for i, s in enumerate(summary["setting"])}
    shown = runs[runs["setting"].isin(at)]
    jitter = np.random.default_rng(0).uniform(-0.25, 0.25, len(shown))
    ax.plot(
        shown[score], shown["setting"].map(at) + jitter, "o", ms=2.5, mew=0, alpha=0.4, color=GREY,
        zorder=1, label=f"single runs (n = {len(shown)})",
    )  # fmt: skip
    for picked, colour, label in ((False, BLUE, "mean, 95 % interval"), (True, ORANGE, highlight)):
        rows = summary[(summary["setting"] == highlight) == picked]
        if rows.empty:
            continue  # a grid need not hold the reference
        error = np.stack([rows["mean"] - rows["lower"], rows["upper"] - rows["mean"]])
        ax.errorbar(
            rows["mean"], rows["setting"].map(at), xerr=error, fmt="o", ms=5, lw=1.5, capsize=3,
            color=colour, zorder=3, label=label,
        )  # fmt: skip
        if picked:
            ax.axvline(rows["mean"].item(), color=colour, lw=1, ls="--", zorder=0)
    ax.set_yticks(range(k), list(summary["setting"]))
    ax.set_ylim(k - 0.5, -0.5)
    ax.set(xlabel=xlabel, title=title)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
    return figure
