"""A score along several axes, one small panel each."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from jaxsurv.plots.style import BLUE, ORANGE, styled


class Profile(NamedTuple):
    """One panel.

    Attributes:
        label: of the axis.
        values: ``k`` labels of the ticks, equally spaced.
        scores: ``k`` rows ``mean``, ``lower``, ``upper``.
        reference: level of a dashed line.
        reference_label: what it is.
    """

    label: str
    values: Sequence[str]
    scores: pd.DataFrame
    reference: float
    reference_label: str


@styled
def score_profiles(panels: Sequence[Profile], *, ylabel: str, title: str = "") -> Figure:
    """Mean and interval along each axis, all panels on one scale.

    Args:
        panels: at most three in a row.
        ylabel: what the score is.
        title: of the figure.
    """
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(2.7 * columns + 0.6, 2.5 * rows + 0.4), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for ax, panel in zip(axes.flat, panels, strict=False):
        mean, lower, upper = panel.scores[["mean", "lower", "upper"]].to_numpy(float).T
        x = np.arange(len(mean))
        error = np.stack([mean - lower, upper - mean])
        ax.errorbar(x, mean, error, fmt="o-", color=BLUE, ms=4, lw=1.2, capsize=3, elinewidth=0.7)
        ax.axhline(panel.reference, color=ORANGE, ls="--", lw=1.2, label=panel.reference_label)
        ax.legend(fontsize=7, loc="lower center", bbox_to_anchor=(0.5, 1.0), borderaxespad=0.1)
        ax.set_xticks(x, panel.values)
        ax.set_xlabel(panel.label)
        ax.margins(x=0.15)
    for row in axes:
        row[0].set_ylabel(ylabel)
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    return figure
