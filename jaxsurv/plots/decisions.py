"""Figures for somebody who acts on a prediction: is it calibrated, and is it worth acting on?"""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from jaxsurv.metrics import CalibrationCurve, NetBenefit
from jaxsurv.plots.style import BLUE, GREY, many_colours, series_label, styled
from jaxsurv.types import InputError


@styled
def calibration(
    curve: CalibrationCurve, *, xlabel: str = "predicted probability", title: str = ""
) -> Figure:
    """Draw observed against predicted probability of the event by the horizon.

    The line is the smooth of `calibration_curve` with its 95 % band; squares are fifths of the patients,
    1 - Kaplan-Meier with 95 % limits. A calibrated model is on the diagonal, below it risk is
    overestimated. The bars below count the predictions: where there are few, the smooth says little.

    Args:
        curve: result of `calibration_curve`.
        xlabel: label of the axis, with the horizon, such as "predicted 2-year mortality".
        title: title of the figure.
    """
    here = ~np.isnan(curve.predicted)
    order = np.argsort(curve.predicted[here])
    x, y, lower, upper = (np.asarray(a)[here][order] for a in curve[:4])
    figure = Figure(figsize=(4.6, 5.3), layout="constrained")
    ax, counts = figure.subplots(2, 1, sharex=True, height_ratios=(6, 1))
    ax.plot([0, 1], [0, 1], color=GREY, lw=0.9, ls="--", label="calibrated")
    ax.fill_between(x, lower, upper, color=BLUE, alpha=0.2, lw=0)
    ax.plot(x, y, color=BLUE, lw=1.6, label="smooth, 95 % band")
    g = curve.groups
    shown = ~np.isnan(g.observed)
    off = np.stack([g.observed - g.lower, g.upper - g.observed])[:, shown]
    ax.errorbar(
        g.predicted[shown], g.observed[shown], np.nan_to_num(off), fmt="s", ms=4.5, lw=1, capsize=2,
        color="black", label="fifths of the patients",
    )  # fmt: skip
    most = max(x.max(), y.max(), np.nanmax(g.upper, initial=0))
    most = min(1.0, np.ceil(most * 10) / 10)
    ax.set(xlim=(0, most), ylim=(0, most), ylabel="observed probability", title=title)
    ax.legend(loc="upper left", fontsize=8)
    counts.hist(x, bins=np.linspace(0, most, 41).tolist(), color=GREY)
    counts.set(xlabel=xlabel, ylabel="patients")
    return figure


@styled
def decision_curves(
    models: Mapping[str, NetBenefit], *, xlabel: str = "threshold probability", title: str = ""
) -> Figure:
    """Draw net benefit against the threshold, with treating everybody and treating nobody.

    A model is of use where its line is above both. Bands are bootstrap limits of each line; whether two
    lines differ is told by `NetBenefit.minus`, not by bands that overlap.

    Args:
        models: ``{name: result of net_benefit}``, on the same patients.
        xlabel: label of the axis, with the horizon.
        title: title of the figure.

    Raises:
        InputError: no model; models of different patients or thresholds.
    """
    first = next(iter(models.values()), None)
    if first is None:
        raise InputError("models is empty: give at least one result of net_benefit")
    for name, found in models.items():
        same = np.array_equal(found.thresholds, first.thresholds)
        if not same or not np.allclose(found.treat_all, first.treat_all):
            raise InputError(f"{name!r} has other patients, another horizon or other thresholds")
    figure = Figure(figsize=(5.6, 4.0), layout="constrained")
    ax = figure.subplots()
    ax.axhline(0, color="black", lw=1, label="treat nobody")
    ax.plot(first.thresholds, first.treat_all, color=GREY, lw=1.2, ls="--", label="treat everybody")
    for (name, found), colour in zip(models.items(), many_colours(len(models)), strict=True):
        ax.fill_between(found.thresholds, found.lower, found.upper, color=colour, alpha=0.15, lw=0)
        ax.plot(found.thresholds, found.net_benefit, color=colour, lw=1.6, label=series_label(name))
    top = max(np.nanmax([f.net_benefit for f in models.values()]), first.treat_all.max(), 0)
    most = max(np.nanmax([f.upper for f in models.values()]), top)
    ax.set(
        xlim=(first.thresholds[0], first.thresholds[-1]), ylim=(-0.2 * top, 1.05 * most),
        xlabel=xlabel, ylabel="net benefit per patient", title=title,
    )  # fmt: skip
    ax.legend(loc="upper right", fontsize=8)
    return figure
