"""Regularisers compared at the same effective scale: how much a term weighs beside the Cox loss."""

import pandas as pd
from matplotlib.figure import Figure

from jaxsurv.plots.style import BLUE, GREEN, GREY, ORANGE, styled

_LOOKS = ((BLUE, "o"), (ORANGE, "s"), (GREEN, "^"), ("black", "D"))


@styled
def score_against_scale(
    summary: pd.DataFrame, baselines: pd.DataFrame, *, ylabel: str, title: str = ""
) -> Figure:
    """Mean score and interval against the weighted regulariser over the weighted Cox loss.

    Args:
        summary: one row per setting: ``method``, ``scale`` (> 0), ``mean``, ``lower``, ``upper``.
        baselines: one row per baseline: ``setting``, ``mean``.
        ylabel: name of the score.
        title: title of the figure.
    """
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    ax = figure.subplots()
    groups = summary.groupby("method", sort=False)
    for (method, rows), (colour, marker) in zip(groups, _LOOKS, strict=False):
        rows = rows.sort_values("scale")
        scale, mean, lower, upper = rows[["scale", "mean", "lower", "upper"]].to_numpy(float).T
        ax.errorbar(
            scale, mean, [mean - lower, upper - mean], fmt=marker + "-", ms=4, lw=1.2, capsize=2,
            color=colour, label=method, elinewidth=0.6,
        )  # fmt: skip
    for (_, row), dash in zip(baselines.iterrows(), ("--", ":", "-."), strict=False):
        ax.axhline(
            row["mean"], color=GREY, ls=dash, lw=1.2, zorder=0, label=f"{row['setting']}, mean"
        )
    ax.set_xscale("log")
    ax.set(
        xlabel="weighted regulariser / weighted Cox loss, at the best epoch",
        ylabel=ylabel,
        title=title,
    )
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
    return figure
