"""Errors against the number of patients, on logarithmic axes."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from jaxsurv.plots.style import many_colours, series_label, styled


@styled
def error_curves(
    panels: Mapping[str, pd.DataFrame], *, ylabel: str, xlabel: str, root: bool = False
) -> Figure:
    """Means and 95 % bands per method.

    Args:
        panels: ``{title: table}``, columns ``method``, ``n``, ``mean``, ``lower``, ``upper``; all > 0 except
            ``lower``.
        ylabel, xlabel: labels of the axes.
        root: draw the slope of ``n^-1/2`` too.
    """
    methods = list(dict.fromkeys(m for rows in panels.values() for m in rows["method"]))
    colours = dict(zip(methods, many_colours(len(methods)), strict=True))
    across = min(len(panels), 2)
    down = -(-len(panels) // across)
    figure = Figure(figsize=(5.2 * across + 2.2, 3.6 * down), layout="constrained")
    axes = figure.subplots(down, across, squeeze=False)
    for axis, (title, rows) in zip(axes.flat, panels.items(), strict=False):
        floor = rows["mean"].min() / 10
        for method, own in rows.groupby("method", sort=False):
            own = own.sort_values("n")
            lower = np.maximum(own["lower"], floor)
            axis.fill_between(own["n"], lower, own["upper"], color=colours[method], alpha=0.2, lw=0)
            axis.plot(
                own["n"], own["mean"], "o-", ms=4, color=colours[method], label=series_label(method)
            )
        n = np.unique(rows["n"])
        if root:
            start = rows.loc[rows["n"] == n[0], "mean"].min() * 0.8
            axis.plot(n, start * np.sqrt(n[0] / n), ":", color="0.4", label="slope -1/2")
        axis.set(xscale="log", yscale="log", xlabel=xlabel, title=title)
        axis.set_xticks(n, [f"{v:,}" for v in n])
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_major_formatter("{x:g}")
        axis.minorticks_off()
    for axis in axes[:, 0]:
        axis.set_ylabel(ylabel)
    for axis in axes.flat[len(panels) :]:
        axis.remove()
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper")
    return figure
