"""Kaplan-Meier curves of risk groups."""

import lifelines
import numpy as np
from lifelines.plotting import add_at_risk_counts
from matplotlib.figure import Figure

from jaxsurv.plots.style import BLUE, ORANGE, styled


@styled
def risk_groups(
    high: np.ndarray,
    event: np.ndarray,
    time: np.ndarray,
    *,
    xlabel: str,
    note: str,
    title: str = "",
) -> Figure:
    """Kaplan-Meier curves of the low- and high-risk group with 95 % bands and numbers at risk.

    Args:
        high: ``[n]`` booleans.
        event: ``[n]``, 1 = observed.
        time: ``[n]``.
        xlabel: with the unit of time.
        note: printed in the panel (hazard ratio, log-rank p).
    """
    figure = Figure(figsize=(5.6, 4.4), layout="constrained")
    ax = figure.subplots()
    curves = []
    for rows, name, colour in ((~high, "low risk", BLUE), (high, "high risk", ORANGE)):
        label = f"{name} (n = {rows.sum()}, events = {int(event[rows].sum())})"
        curve = lifelines.KaplanMeierFitter().fit(time[rows], event[rows], label=label)
        curve.plot_survival_function(
            ax=ax, color=colour, show_censors=True, censor_styles={"ms": 4}
        )
        curves.append(curve)
    ax.set(ylim=(0, 1.02), ylabel="survival probability", xlabel=xlabel, title=title)
    ax.text(0.98, 0.98, note, transform=ax.transAxes, ha="right", va="top", fontsize=8)
    ax.legend(loc="lower left", fontsize=8)
    add_at_risk_counts(
        *curves, labels=["low risk", "high risk"], ax=ax, fig=figure, rows_to_show=["At risk"]
    )
    return figure
