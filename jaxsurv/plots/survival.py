"""Kaplan-Meier curves of a whole cohort, and of risk groups."""

from collections.abc import Sequence
from typing import NamedTuple

import lifelines
import numpy as np
from lifelines.plotting import add_at_risk_counts
from matplotlib.figure import Figure

from jaxsurv.arguments.columns import column
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.arguments.settings import mask
from jaxsurv.plots.style import BLUE, ORANGE, styled
from jaxsurv.survival.validation import check_survival


@read_arguments
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
    """Kaplan-Meier curve of all patients with its 95 % band and numbers at risk.

    Args:
        event: ``[n]``, 1 = observed, 0 = censored.
        time: ``[n]``.
        entry: ``[n]``, delayed entry.
        xlabel: label of the time axis, with the unit of time.
        note: text printed in the panel (medians).
        title: title of the figure.
    """
    check_survival(event, time, entry=entry)
    figure = Figure(figsize=(5.6, 4.0), layout="constrained")
    ax = figure.subplots()
    curve = lifelines.KaplanMeierFitter().fit(time, event, entry=entry, label="all patients")
    curve.plot_survival_function(ax=ax, color=BLUE, show_censors=True, censor_styles={"ms": 4})
    ax.set(ylim=(0, 1.02), ylabel="event-free probability", xlabel=xlabel, title=title)
    ax.legend().remove()
    ax.text(0.98, 0.98, note, transform=ax.transAxes, ha="right", va="top", fontsize=8)
    add_at_risk_counts(
        _counted(event, time, entry), labels=[""], ax=ax, fig=figure,
        rows_to_show=["At risk", "Censored", "Events"],
    )  # fmt: skip
    return figure


def _counted(
    event: np.ndarray, time: np.ndarray, entry: np.ndarray | None = None
) -> lifelines.KaplanMeierFitter:
    """Curve for the table of numbers at risk, with each time moved up by the smallest possible step.

    lifelines does not count a patient at the patient's own time, at which the patient is at risk.
    """
    later = np.nextafter(np.asarray(time, float), np.inf)
    return lifelines.KaplanMeierFitter().fit(later, event, entry=entry)


class RiskGroups(NamedTuple):
    """One panel of curves.

    Attributes:
        high: ``[n]`` booleans, True for the high-risk group.
        event: ``[n]``, 1 = observed, 0 = censored.
        time: ``[n]``.
        note: text printed in the panel (hazard ratio, log-rank p).
        title: title of the panel.
    """

    high: np.ndarray
    event: np.ndarray
    time: np.ndarray
    note: str
    title: str = ""


@styled
def risk_groups(panels: Sequence[RiskGroups], *, xlabel: str, title: str = "") -> Figure:
    """Kaplan-Meier curves of the low- and high-risk group with 95 % bands and numbers at risk.

    Args:
        panels: panels, drawn side by side.
        xlabel: label of the time axis, with the unit of time.
        title: title of the figure.
    """
    figure = Figure(figsize=(5.6 * len(panels), 4.4), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    for ax, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        curves, labels = [], []
        high = np.asarray(mask("high", panel.high), bool)
        columns = column("event", panel.event), column("time", panel.time)
        check_survival(*columns, where=np.ones_like(high))
        for rows, name, colour in ((~high, "low", BLUE), (high, "high", ORANGE)):
            if not rows.any():
                continue  # a constant risk has no high group
            event, time = (np.asarray(x)[rows] for x in columns)
            label = f"{name} risk (n = {rows.sum()}, events = {int(event.sum())})"
            curve = lifelines.KaplanMeierFitter().fit(time, event, label=label)
            curve.plot_survival_function(
                ax=ax, color=colour, show_censors=True, censor_styles={"ms": 4}
            )
            curves.append(_counted(event, time))
            labels.append(f"{name} risk")
        ax.set(ylim=(0, 1.02), ylabel="survival probability", xlabel=xlabel)
        ax.set_title(panel.title, pad=20)
        ax.text(0.98, 0.98, panel.note, transform=ax.transAxes, ha="right", va="top", fontsize=8)
        # above the axes: inside there is no place that curves and bands leave free
        ax.legend(
            loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, borderpad=0.2,
            ncols=2, fontsize=8, handlelength=1.2, columnspacing=1.2,
        )  # fmt: skip
        add_at_risk_counts(*curves, labels=labels, ax=ax, fig=figure, rows_to_show=["At risk"])
    return figure
