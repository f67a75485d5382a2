"""Profiles of a score along several axes, one small panel each."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from jaxsurv.plots.style import BLUE, ORANGE, many_colours, series_label, styled


class Profile(NamedTuple):
    """One panel of score profiles.

    Attributes:
        label: label of the axis.
        values: ``k`` labels of the ticks, equally spaced.
        scores: ``{series: k rows mean, lower, upper}``.
        reference: level of a dashed line.
        reference_label: meaning of the dashed line.
    """

    label: str
    values: Sequence[str]
    scores: Mapping[str, pd.DataFrame]
    reference: float
    reference_label: str


@styled
def score_profiles(panels: Sequence[Profile], *, ylabel: str, title: str = "") -> Figure:
    """Means and intervals along each axis, all panels on one scale.

    Args:
        panels: panels with the same series, at most three in a row; a legend names several series.
        ylabel: name of the score.
        title: title of the figure.
    """
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(2.7 * columns + 0.6, 2.5 * rows + 0.4), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharey=True)
    several = len(panels[0].scores) > 1
    colours = many_colours(len(panels[0].scores))
    for ax, panel in zip(axes.flat, panels, strict=False):
        apart = np.linspace(-0.2, 0.2, len(panel.scores)) if several else [0.0]
        for i, (name, scores) in enumerate(panel.scores.items()):
            mean, lower, upper = scores[["mean", "lower", "upper"]].to_numpy(float).T
            ax.errorbar(
                np.arange(len(mean)) + apart[i], mean, np.stack([mean - lower, upper - mean]),
                fmt=f"{'os^Dv'[i % 5]}-", color=colours[i] if several else BLUE,
                ms=4, lw=1.2, capsize=3, elinewidth=0.7, label=series_label(name) if several else None,
            )  # fmt: skip
        line = ax.axhline(panel.reference, color=ORANGE, ls="--", lw=1.2)
        ax.legend(
            [line], [panel.reference_label],
            fontsize=7, loc="lower center", bbox_to_anchor=(0.5, 1.0), borderaxespad=0.1,
        )  # fmt: skip
        ax.set_xticks(np.arange(len(panel.values)), panel.values)
        ax.set_xlabel(panel.label)
        ax.margins(x=0.15)
    for row in axes:
        row[0].set_ylabel(ylabel)
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    if several:
        handles = axes[0, 0].get_legend_handles_labels()
        figure.legend(*handles, loc="outside lower center", ncols=4, fontsize=8)
    return figure
