"""Regularisers compared at the same effective scale: how much a term weighs beside the Cox loss."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

from jaxsurv.plots.style import BLUE, GREEN, GREY, ORANGE, series_label, styled
from jaxsurv.report.page import Picture
from jaxsurv.report.sentences import tested
from jaxsurv.study.findings import Findings

_LOOKS = ((BLUE, "o"), (ORANGE, "s"), (GREEN, "^"), ("black", "D"))


def scores_by_scale(findings: Findings, scales: pd.Series) -> tuple[Figure, Picture]:
    """Scores against ``scales``, the regulariser's share beside the Cox loss in each setting."""
    rows = findings.settings.assign(scale=findings.settings["setting"].map(scales))
    base = findings.summary[findings.summary["setting"].isin(findings.baselines)]
    figure = score_against_scale(
        rows[rows["scale"] > 0], base, ylabel="Harrell's C, test rows", title=tested(findings)
    )
    return figure, Picture(
        "c_against_scale",
        "Mean test C with its 95 % interval against the effective scale: how much the weighted regulariser "
        "adds to the loss for one unit of weighted Cox loss, on training rows at the best epoch, mean over "
        "runs. Regularisers are to be compared at the same place of this axis, not at the same weight.",
        "Mean test C with intervals against the effective scale, one line per regulariser.",
    )


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
            color=colour, label=series_label(method), elinewidth=0.6,
        )  # fmt: skip
    for (_, row), dash in zip(baselines.iterrows(), ("--", ":", "-."), strict=False):
        ax.axhline(
            row["mean"], color=GREY, ls=dash, lw=1.2, zorder=0, label=f"{row['setting']}, mean"
        )
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(LogFormatter())
    ax.set(
        xlabel="weighted regulariser / weighted Cox loss, at the best epoch",
        ylabel=ylabel,
        title=title,
    )
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
    return figure
