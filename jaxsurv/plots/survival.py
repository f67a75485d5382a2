"""Kaplan-Meier curves: of a whole cohort, and of risk groups."""

import lifelines
import numpy as np
from lifelines.plotting import add_at_risk_counts
from matplotlib.figure import Figure

from jaxsurv.plots.style import BLUE, ORANGE, styled


@styled
def survival_curve(
    event: np.ndarray,
    time: np.ndarray,
    *,
    entry: np.ndarray | None = None,
    xlabel: str,
    note: str,
    title: str = "",
) -> Figure:
    """The Kaplan-Meier curve of all patients with its 95 % band and numbers at risk.

    Args:
        event: ``[n]``, 1 = observed.
        time: ``[n]``.
        entry: ``[n]``, delayed entry.
        xlabel: with the unit of time.
        note: printed in the panel (medians).
        title: of the figure.
    """
    figure = Figure(figsize=(5.6, 4.0), layout="constrained")
    ax = figure.subplots()
    curve = lifelines.KaplanMeierFitter().fit(time, event, entry=entry, label="all patients")
    curve.plot_survival_function(ax=ax, color=BLUE, show_censors=True, censor_styles={"ms": 4})
    ax.set(ylim=(0, 1.02), ylabel="event-free probability", xlabel=xlabel, title=title)
    ax.legend().remove()
    ax.text(0.98, 0.98, note, transform=ax.transAxes, ha="right", va="top", fontsize=8)
    add_at_risk_counts(
        curve, labels=[""], ax=ax, fig=figure, rows_to_show=["At risk", "Censored", "Events"]
    )
    return figure


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
