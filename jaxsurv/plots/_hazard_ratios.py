"""Hazard ratios of a Cox model with their limits: a forest plot with the numbers beside it."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from jaxsurv.plots.style import BLUE, GREY, styled
from jaxsurv.types import InputError

_WIDEST = 1e3  # ratio at which the axis ends


@styled
def hazard_ratios(table: pd.DataFrame, *, title: str = "", xlabel: str = "hazard ratio") -> Figure:
    """Draw one row per covariate: the hazard ratio with its limits, on a log scale, and its p-value.

    A row without limits, or whose limits leave the axis, is cut off with an arrow.

    Args:
        table: result of `CoxFit.summary`, or rows of several that were put together: an index of names,
            columns ``hazard_ratio``, ``hr_lower``, ``hr_upper`` and ``p``.
        title: title of the figure.
        xlabel: label of the axis, such as "hazard ratio per standard deviation".

    Raises:
        InputError: no row, or a column that is missing.
    """
    columns = ["hazard_ratio", "hr_lower", "hr_upper", "p"]
    if len(table) == 0 or not set(columns) <= set(table.columns):
        raise InputError(f"a forest plot needs rows with the columns {columns}")
    ratio, lower, upper, p = table[columns].to_numpy(float).T
    k, finite = len(table), np.r_[ratio, lower, upper]
    finite = finite[np.isfinite(finite) & (finite > 1 / _WIDEST) & (finite < _WIDEST)]
    low, high = min(finite.min(initial=1), 1 / 1.5), max(finite.max(initial=1), 1.5)
    low, high = low / (high / low) ** 0.05, high * (high / low) ** 0.05

    figure = Figure(figsize=(6.4, 1.1 + 0.27 * k), layout="constrained")
    ax = figure.subplots()
    ax.set_xscale("log")
    ax.axvline(1, color=GREY, lw=0.8, ls="--", zorder=0)
    for y, (r, least, most) in enumerate(zip(ratio, lower, upper, strict=True)):
        known = np.isfinite(r)
        if known and np.isfinite([least, most]).all():
            ax.plot([max(least, low), min(most, high)], [y, y], color=BLUE, lw=1.5, zorder=2)
            for end, beyond, mark in ((low, least < low, "<"), (high, most > high, ">")):
                if beyond:
                    ax.plot(end, y, mark, color=BLUE, ms=5, clip_on=False, zorder=3)
        if known and low <= r <= high:
            ax.plot(r, y, "s", color=BLUE, ms=5, zorder=3)
    ax.set(xlim=(low, high), ylim=(k - 0.5, -0.5), xlabel=xlabel, title=title)
    ax.set_yticks(range(k), [str(name) for name in table.index])
    ax.xaxis.set_major_locator(FixedLocator(_ticks(low, high)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.tick_params(left=False)
    beside = ax.secondary_yaxis("right")
    beside.set_yticks(range(k), list(map(_told, ratio, lower, upper, p)))
    beside.tick_params(right=False, labelsize=8)
    beside.spines[:].set_visible(False)
    return figure


def _told(ratio: float, lower: float, upper: float, p: float) -> str:
    limits = f"{ratio:.2f} ({lower:.2f} to {upper:.2f})" if np.isfinite(upper) else f"{ratio:.2f}"
    return limits + ("" if np.isnan(p) else ", p < 0.001" if p < 0.001 else f", p = {p:.2g}")


def _ticks(low: float, high: float) -> list[float]:
    """Round places on a log scale, at most about eight of them."""
    for steps in ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1,)):
        ticks = [s * 10.0**e for e in range(-4, 5) for s in steps if low <= s * 10.0**e <= high]
        if len(ticks) <= 8:
            break
    return ticks
