"""Nomogram of a Cox model: the points of each covariate, and what their sum says."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from jaxsurv.arguments.labels import column_names
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.plots.style import BLUE, GREY, styled
from jaxsurv.survival import CoxFit, survival_function
from jaxsurv.survival.validation import check_finite
from jaxsurv.types import ArrayLike, InputError

_MARKS = np.array([0.99, 0.95, *np.arange(0.9, 0.05, -0.1), 0.05, 0.01])  # survival on the axes
_ROW, _APART = 0.42, 3.0  # inches per row; points that labels need between them


@read_arguments
@styled
def nomogram(
    fit: CoxFit, x: ArrayLike, horizons: Sequence[float], *, unit: str = "", title: str = ""
) -> Figure:
    """Draw a Cox model for reading by hand.

    The points of each covariate are read on the scale at the top; their sum, on the axis of the total, stands
    above the predicted survival at each horizon. 0 points is the value of lowest hazard in ``x``, and
    100 points is the covariate whose range changes the log hazard most.

    Args:
        fit: result of `cox_fit` without strata.
        x: ``[n, p]`` covariates of the fit, whose ranges are drawn; columns with two values have two marks.
            Names are those of a table's columns.
        horizons: times at which survival is read, up to the last event.
        unit: unit of time.
        title: title of the figure.

    Raises:
        InputError: another number of columns, or a missing value; a model with strata, or whose coefficients
            are all 0; no horizon.
    """
    coef, values = np.asarray(fit.coef, float), np.asarray(x, float)
    if values.ndim != 2 or values.shape[1] != coef.size:
        raise InputError(f"x must be [n, {coef.size}] as in the fit, got {list(values.shape)}")
    check_finite("x", x)
    if fit.baseline.stratum is not None:
        raise InputError("a nomogram has one baseline hazard, the model has one per stratum")
    if not len(horizons):
        raise InputError("horizons is empty: give at least one time")
    low, high = values.min(axis=0), values.max(axis=0)
    best = np.where(coef > 0, low, high)
    reach = np.abs(coef) * (high - low)
    if not reach.max() > 0:
        raise InputError("no column of x changes the hazard: there is nothing to draw")
    per_unit = 100 / reach.max()
    rows = 2 + coef.size + len(horizons)
    figure = Figure(figsize=(7.2, 0.8 + _ROW * rows), layout="constrained")
    ax = figure.subplots()
    _axis(ax, 0, "points", np.arange(0, 101, 10.0), np.arange(0, 101, 10.0))
    for j, name in enumerate(column_names(x) or range(coef.size)):
        marks = np.unique(values[:, j])
        if marks.size > 2:
            marks = MaxNLocator(8, steps=[1, 2, 2.5, 5, 10]).tick_values(low[j], high[j])
            marks = marks[(marks >= low[j]) & (marks <= high[j])]
        _axis(ax, 1 + j, str(name), per_unit * coef[j] * (marks - best[j]), marks)
    most = per_unit * reach.sum()
    totals = MaxNLocator(10, steps=[1, 2, 2.5, 5, 10]).tick_values(0, most)
    totals = totals[totals <= most]
    wide = 100 / most  # all axes have one width
    _axis(ax, 1 + coef.size, "total points", wide * totals, totals)
    total = np.linspace(0, most, 2001)
    for k, horizon in enumerate(horizons):
        log_hazard = best @ coef + total / per_unit
        alive = np.asarray(survival_function(fit.baseline, log_hazard, np.array([horizon])))[:, 0]
        marks = _MARKS[(alive.min() <= _MARKS) & (alive.max() >= _MARKS)]
        at = np.interp(-marks, -alive, total)
        name = f"survival, {horizon:g} {unit}".rstrip()
        _axis(ax, 2 + coef.size + k, name, wide * at, marks)
    ax.set(xlim=(-2, 102), ylim=(rows - 0.4, -0.6), title=title)
    ax.set_yticks([])
    ax.set_xticks([])
    ax.spines[:].set_visible(False)
    return figure


def _axis(ax: Axes, row: int, name: str, at: np.ndarray, marks: np.ndarray) -> None:
    """One scale: a line from the first to the last mark, and the marks that have room."""
    if at.size:
        ax.plot([at.min(), at.max()], [row, row], color=GREY, lw=0.9)
    last = -np.inf
    for place, mark in sorted(zip(at, marks, strict=True)):
        ax.plot([place, place], [row, row + 0.16], color=BLUE, lw=0.9)
        if place - last >= _APART:
            ax.text(place, row + 0.2, f"{mark:.6g}", ha="center", va="top", fontsize=7)
            last = place
    ax.text(-0.01, row, name, ha="right", va="center", transform=ax.get_yaxis_transform())
