"""Paths of elastic-net coefficients, and the cross-validation that chooses the penalty."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from jaxsurv.plots.style import BLUE, GREY, ORANGE, many_colours, series_label, styled
from jaxsurv.survival import CoxnetCV, CoxnetPath
from jaxsurv.types import InputError


@styled
def coefficient_paths(
    path: CoxnetPath | CoxnetCV,
    names: Sequence | None = None,
    *,
    scale: np.ndarray | None = None,
    top: int = 10,
    title: str = "",
) -> Figure:
    """Draw every coefficient against the penalty; the strongest penalty is at the left.

    The columns with the largest mean coefficients along the path, or with the largest at the penalty that
    a cross-validation chose, are coloured and named. Of a cross-validation there is a
    second panel below, the held-out deviance with its standard error over the folds; lines mark the
    penalty with the smallest deviance and the strongest within one standard error. The path ends there
    where that deviance is four standard errors above the one without any column.

    Args:
        path: result of `coxnet_path` or `coxnet_cv`.
        names: ``p`` names; None = the names of the columns of x, or their numbers.
        scale: ``[p]``, standard deviations of the columns of x: coefficients are drawn per standard
            deviation, and can be compared; None = per unit.
        top: number of coefficients with a name.
        title: title of the figure.

    Raises:
        InputError: another number of names or scales.
    """
    cv = path if isinstance(path, CoxnetCV) else None
    fits = cv.path if cv else path
    assert isinstance(fits, CoxnetPath)
    lambdas, coef = np.asarray(fits.lambdas, float), np.asarray(fits.coef, float)
    p = coef.shape[1]
    names = fits.names or range(p) if names is None else names
    for given, what in ((names, "names"), (np.ones(p) if scale is None else scale, "scale")):
        if len(given) != p:
            raise InputError(f"x has {p} columns, but {what} has {len(given)}")
    coef = coef if scale is None else coef * np.asarray(scale, float)
    if cv:
        lambdas = lambdas[: _worth_showing(cv)]
        coef = coef[: len(lambdas)]

    figure = Figure(figsize=(6.4, 5.6 if cv else 3.6), layout="constrained")
    axes = figure.subplots(1 + (cv is not None), 1, sharex=True, squeeze=False)[:, 0]
    axes[-1].set_xscale("log")
    axes[-1].set_xlim(1.1 * lambdas[0], lambdas[-1])  # a line at the strongest is seen
    axes[-1].xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes[-1].xaxis.set_minor_formatter(NullFormatter())
    chosen = slice(None) if cv is None else [int(np.argmin(np.asarray(cv.deviance)))]
    size = np.abs(coef[chosen]).mean(axis=0)
    largest = np.argsort(-size, kind="stable")[:top]
    largest = largest[size[largest] > 0]
    axes[0].plot(lambdas, np.delete(coef, largest, 1), color="#CCCCCC", lw=0.7)
    for j, colour in zip(largest, many_colours(len(largest)), strict=True):
        axes[0].plot(lambdas, coef[:, j], color=colour, lw=1.5, label=series_label(str(names[j])))
    axes[0].axhline(0, color=GREY, lw=0.7)
    axes[0].set_ylabel("coefficient" if scale is None else "coefficient per SD")
    axes[0].set_title(title)
    counts = axes[0].secondary_xaxis("top")
    places = np.geomspace(lambdas[0], lambdas[-1], 7)  # a path need not be even
    at = np.unique(np.abs(np.log(lambdas[:, None] / places)).argmin(0))
    counts.set_xticks(lambdas[at], [str(int((coef[k] != 0).sum())) for k in at])
    counts.minorticks_off()
    counts.tick_params(top=False, labelsize=7)
    counts.set_xlabel("columns with a coefficient", fontsize=7)
    counts.spines[:].set_visible(False)
    if cv:
        _deviance(axes[1], cv, lambdas)
    axes[-1].set_xlabel("penalty λ, strongest at the left")
    figure.legend(loc="outside right upper", fontsize=8)
    return figure


def _worth_showing(cv: CoxnetCV) -> int:
    """Number of penalties up to the first after the best that is far worse than none of the columns."""
    mean, error = np.asarray(cv.deviance, float), np.asarray(cv.standard_error, float)
    far = np.flatnonzero(mean > mean[0] + 4 * error[0])
    far = far[far > mean.argmin()]
    return int(far[0]) + 1 if len(far) else len(mean)


def _deviance(ax: Axes, cv: CoxnetCV, lambdas: np.ndarray) -> None:
    shown = slice(len(lambdas))
    mean, error = np.asarray(cv.deviance, float)[shown], np.asarray(cv.standard_error, float)[shown]
    ax.fill_between(lambdas, mean - error, mean + error, color=BLUE, alpha=0.2, lw=0)
    ax.plot(lambdas, mean, color=BLUE, lw=1.4)
    for place, style, told in (
        (cv.lambda_min, "-", "smallest deviance"),
        (cv.lambda_1se, "--", "within one standard error"),
    ):
        ax.axvline(float(place), color=ORANGE, lw=1, ls=style, label=told)
    ax.set_ylabel("held-out deviance\nper event")
