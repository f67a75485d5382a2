"""Forest plot of a leaderboard."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from jaxsurv.plots.style import BLUE, GREY, ORANGE, styled


@styled
def leaderboard(table: pd.DataFrame, scores: Mapping[str, str], *, headline: str = "") -> Figure:
    """One row per model and one panel per score, in the order of the table.

    Args:
        table: columns ``model``, ``source`` (``published`` or ``jaxsurv``), and of each score its name with
            ``_lower`` and ``_upper``.
        scores: score to the label of its axis.
        headline: model whose scores are drawn through all rows.
    """
    figure = Figure(figsize=(3 + 2.6 * len(scores), 1 + 0.24 * len(table)), layout="constrained")
    axes = figure.subplots(1, len(scores), sharey=True, squeeze=False)[0]
    at = np.arange(len(table))
    for ax, (name, label) in zip(axes, scores.items(), strict=True):
        for source, colour in (("published", GREY), ("jaxsurv", BLUE)):
            own = (table["source"] == source).to_numpy()
            value, lower, upper = (
                table.loc[own, [name, f"{name}_lower", f"{name}_upper"]].to_numpy(float).T
            )
            ax.errorbar(
                value, at[own], xerr=[value - lower, upper - value], fmt="o", ms=4, capsize=2, lw=1.1,
                color=colour, label=source,
            )  # fmt: skip
        for value in table.loc[table["model"] == headline, name]:
            ax.axvline(value, color=ORANGE, lw=0.9, ls="--", zorder=0, label=headline)
        ax.set_xlabel(label)
    axes[0].set_yticks(at, table["model"])
    axes[0].set_ylim(len(table) - 0.5, -0.5)
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8
    )
    return figure
