"""Kaplan-Meier curves of a whole cohort, and of risk groups."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import lifelines
import numpy as np
from lifelines.plotting import add_at_risk_counts
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxsurv.arguments.columns import column
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.arguments.settings import mask
from jaxsurv.plots.style import BLUE, GREEN, ORANGE, many_colours, series_label, styled
from jaxsurv.survival.groups import masks_of_groups
from jaxsurv.survival.validation import check_survival
from jaxsurv.types import InputError

_BANDS, _MOST = 4, 20  # most groups: whose bands can be seen, whose colours can be told apart


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
        high = np.asarray(mask("high", panel.high), bool)
        event, time = column("event", panel.event), column("time", panel.time)
        check_survival(event, time, where=np.ones_like(high))
        groups = [("low risk", ~high, BLUE), ("high risk", high, ORANGE)]
        # a constant risk has no high group
        groups = [_Group(*g, event, time) for g in groups if g[1].any()]
        _draw_groups(figure, ax, groups)
        ax.set(ylabel="event-free probability", xlabel=xlabel)
        ax.set_title(panel.title, pad=20)
        ax.text(0.98, 0.98, panel.note, transform=ax.transAxes, ha="right", va="top", fontsize=8)
    return figure


@read_arguments
@styled
def kaplan_meier_groups(
    event: np.ndarray,
    time: np.ndarray,
    group: np.ndarray,
    *,
    entry: np.ndarray | None = None,
    where: np.ndarray | None = None,
    xlabel: str = "time",
    ylabel: str = "event-free probability",
    note: str = "",
    title: str = "",
) -> Figure:
    """Kaplan-Meier curves of any groups and the numbers at risk below; 95 % bands of up to four groups.

    Args:
        event: ``[n]``, 1 = observed, 0 = censored.
        time: ``[n]``.
        group: ``[n]``, labels of any type; groups stand in their ascending order.
        entry: ``[n]``, delayed entry.
        where: ``[n]`` booleans, False for patients that are not there.
        xlabel: label of the time axis, with the unit of time.
        ylabel: name of the probability.
        note: text printed in the panel (log-rank p).
        title: title of the figure.

    Raises:
        InputError: see `check_survival`; a missing label; more than 20 groups.
    """
    masks = list(masks_of_groups(event, time, group, 1, where, entry=entry))
    if len(masks) > _MOST:
        raise InputError(f"{len(masks)} groups are more than {_MOST}, which nobody can tell apart")
    colours = (BLUE, ORANGE, GREEN) if len(masks) <= 3 else many_colours(len(masks))
    groups = [
        _Group(str(name), own, colour, event, time, entry)
        for (name, own), colour in zip(masks, colours, strict=False)
    ]
    figure = Figure(figsize=(5.6, 4.2 + 0.2 * len(groups)), layout="constrained")
    ax = figure.subplots()
    _draw_groups(figure, ax, groups)
    ax.set(ylabel=ylabel, xlabel=xlabel)
    ax.set_title(title, pad=8 + 12 * -(-len(groups) // 2))
    ax.text(0.98, 0.98, note, transform=ax.transAxes, ha="right", va="top", fontsize=8)
    return figure


class _Group(NamedTuple):
    """Patients of one curve: those of ``own [n]`` among ``event``, ``time`` and ``entry``."""

    name: str
    own: np.ndarray
    colour: Any
    event: Any
    time: Any
    entry: Any = None

    @property
    def rows(self) -> list[Any]:
        """Event, time and entry of the patients."""
        columns = (self.event, self.time, self.entry)
        return [None if x is None else np.asarray(x)[self.own] for x in columns]


def _draw_groups(figure: Figure, ax: Axes, groups: Sequence[_Group]) -> None:
    """Curves with bands and censorings, a legend above the axes and the table at risk below them."""
    for group in groups:
        event, time, entry = group.rows
        label = f"{group.name} (n = {group.own.sum()}, events = {int(event.sum())})"
        curve = lifelines.KaplanMeierFitter().fit(
            time, event, entry=entry, label=series_label(label)
        )
        curve.plot_survival_function(
            ax=ax, color=group.colour, show_censors=True, censor_styles={"ms": 4},
            ci_show=len(groups) <= _BANDS,
        )  # fmt: skip
    ax.set_ylim(0, 1.02)
    # above the axes: inside there is no place that curves and bands leave free
    ax.legend(
        loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, borderpad=0.2,
        ncols=2, fontsize=8, handlelength=1.2, columnspacing=1.2,
    )  # fmt: skip
    add_at_risk_counts(
        *(_counted(*group.rows) for group in groups), labels=[g.name for g in groups],
        ax=ax, fig=figure, rows_to_show=["At risk"],
    )  # fmt: skip
