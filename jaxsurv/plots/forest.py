"""Settings side by side: every run, the mean and its interval, one row per setting."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxsurv.plots.style import BLUE, GREY, ORANGE, series_label, styled


class Forest(NamedTuple):
    """One panel of a forest plot.

    Attributes:
        runs: one row per run with the columns ``setting`` and ``score``; settings without runs (whose
            mean is over fits without a seed) have no dots.
        summary: one row per setting: ``setting``, ``mean``, ``lower``, ``upper``.
        score: column of ``runs`` with the score.
        xlabel: name of the score.
        marks: places of vertical lines.
        marked: meaning of the vertical lines.
    """

    runs: pd.DataFrame
    summary: pd.DataFrame
    score: str
    xlabel: str
    marks: Sequence[float] = ()
    marked: str = ""


@styled
def score_forest(
    panels: Sequence[Forest], *, highlight: str = "", dots: str = "single runs", title: str = ""
) -> Figure:
    """Draw one row per setting, in the order of the first summary, top to bottom, the same in all panels.

    Args:
        panels: panels, drawn side by side.
        highlight: setting whose mean is drawn through all rows, to compare by eye, if it is present.
        dots: meaning of the dots, that is, of a row of ``runs``.
        title: title of the figure.
    """
    settings = list(panels[0].summary["setting"])
    k = len(settings)
    figure = Figure(figsize=(3.2 + 4.0 * len(panels), 1.1 + 0.3 * k), layout="constrained")
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for ax, panel in zip(axes, panels, strict=True):
        _draw(ax, panel, {s: i for i, s in enumerate(settings)}, highlight, dots)
    axes[0].set_yticks(range(k), settings)
    axes[0].set_ylim(k - 0.5, -0.5)
    axes[0].set_title(title)
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8
    )
    return figure


def _draw(ax: Axes, panel: Forest, at: dict[str, int], highlight: str, dots: str) -> None:
    shown = panel.runs[panel.runs["setting"].isin(at)]
    jitter = np.random.default_rng(0).uniform(-0.25, 0.25, len(shown))
    ax.plot(
        shown[panel.score], shown["setting"].map(at) + jitter, "o", ms=2.5, mew=0, alpha=0.4,
        color=GREY, zorder=1, label=f"{dots} (n = {len(shown)})",
    )  # fmt: skip
    for picked, colour, label in ((False, BLUE, "mean, 95 % interval"), (True, ORANGE, highlight)):
        rows = panel.summary[(panel.summary["setting"] == highlight) == picked]
        if rows.empty:
            continue  # a grid need not hold the reference
        error = np.stack([rows["mean"] - rows["lower"], rows["upper"] - rows["mean"]])
        ax.errorbar(
            rows["mean"], rows["setting"].map(at), xerr=error, fmt="o", ms=5, lw=1.5, capsize=3,
            color=colour, zorder=3, label=series_label(label),
        )  # fmt: skip
        if picked:
            ax.axvline(rows["mean"].item(), color=colour, lw=1, ls="--", zorder=0)
    for i, place in enumerate(panel.marks):
        label = "" if i else panel.marked
        ax.axvline(place, color="black", lw=0.8, ls=":", zorder=0, label=label)
    ax.set_xlabel(panel.xlabel)
