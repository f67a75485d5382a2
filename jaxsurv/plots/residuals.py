"""Residuals of a Cox model with a smooth: does an effect change with time, is its form right?"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxsurv.arguments.columns import column
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.plots.style import BLUE, GREY, ORANGE, styled
from jaxsurv.survival import ProportionalHazards, SchoenfeldResiduals
from jaxsurv.survival.splines import natural_spline
from jaxsurv.survival.validation import check_finite, check_vectors
from jaxsurv.types import InputError

_QUANTILES = [0.05, 0.275, 0.5, 0.725, 0.95]  # knots
_FEW = 5  # distinct values up to which means are drawn


@styled
def schoenfeld(
    residuals: SchoenfeldResiduals,
    test: ProportionalHazards,
    *,
    xlabel: str = "time",
    title: str = "",
) -> Figure:
    """Draw how the coefficient of each column changes with time, one panel per column.

    Dots are the events, equally spaced in order of their time. The line is a natural cubic spline
    through them with its pointwise 95 % band; under proportional hazards it is flat, and the dashed
    line, the mean, is the coefficient. Single dots that are far away are not drawn.

    Args:
        residuals: result of `schoenfeld_residuals` with ``scaled=True``.
        test: result of `proportional_hazards_test`, for names and p-values.
        xlabel: label of the time axis, with the unit of time.
        title: title of the figure.

    Raises:
        InputError: residuals and test of different columns.
    """
    time, values = (np.asarray(a, float) for a in residuals)
    if values.shape[1] != len(test.names):
        raise InputError(
            f"residuals have {values.shape[1]} columns, the test {len(test.names)}: give those of one x"
        )
    figure, axes = _panels(values.shape[1])
    place = np.arange(len(time), dtype=float)
    ticks = np.unique(np.linspace(0, len(time) - 1, 5).round().astype(int))
    for k, ax in enumerate(axes):
        p = float(test.p_value[k])
        told = "p < 0.001" if p < 0.001 else f"p = {p:.2g}"
        _cloud(ax, place, values[:, k])
        ax.axhline(values[:, k].mean(), color=GREY, lw=0.9, ls="--")
        ax.set_title(f"{test.names[k]} ({told})")
        ax.set_xticks(ticks, [f"{float(f'{time[i]:.3g}'):g}" for i in ticks])
        ax.set(xlabel=xlabel, ylabel="coefficient")
    figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    return figure


@read_arguments
@styled
def residuals_against(
    residuals: np.ndarray, x: pd.DataFrame, *, ylabel: str = "martingale residual", title: str = ""
) -> Figure:
    """Draw residuals of the patients against each column of x, with a smooth, one panel per column.

    Martingale residuals show the form of an effect: those of a model *without* the column follow its
    shape, those of a model with it are flat if a straight line is right. Deviance residuals show
    patients whom the model does not fit.

    Args:
        residuals: ``[n]``, result of `martingale_residuals` or `deviance_residuals`.
        x: ``[n, p]``, a table with names.
        ylabel: name of the residual.
        title: title of the figure.

    Raises:
        InputError: another number of rows; NaN.
    """
    y, table = column("residuals", residuals), pd.DataFrame(x)
    check_vectors(residuals=y, x=np.empty(len(table)))
    check_finite("residuals", y)
    check_finite("x", table)
    figure, axes = _panels(table.shape[1])
    for name, ax in zip(table.columns, axes, strict=True):
        _cloud(ax, table[name].to_numpy(float), np.asarray(y, float))
        ax.axhline(0, color=GREY, lw=0.9, ls="--")
        ax.set(xlabel=str(name), ylabel=ylabel)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    return figure


def _panels(p: int) -> tuple[Figure, list[Axes]]:
    columns = min(2, p)
    rows = -(-p // columns)
    figure = Figure(figsize=(3.0 * columns + 0.4, 2.5 * rows + 0.3), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for ax in axes[p:]:
        ax.set_axis_off()
    return figure, axes[:p]


def _cloud(ax: Axes, x: np.ndarray, y: np.ndarray) -> None:
    """Draw dots, and their smooth with its 95 % band; means at few distinct values."""
    at, mean, error = _means(x, y) if len(np.unique(x)) <= _FEW else _smooth(x, y)
    ax.plot(x, y, "o", ms=2.5, mew=0, alpha=0.35, color=GREY)
    if len(at) <= _FEW:
        ax.errorbar(at, mean, 1.96 * error, fmt="o", ms=5, capsize=3, color=ORANGE, zorder=3)
        ax.margins(x=0.2)
        ax.set_xticks(at)
    else:
        ax.plot(at, mean, color=BLUE, lw=1.6)
        ax.fill_between(at, mean - 1.96 * error, mean + 1.96 * error, color=BLUE, alpha=0.2, lw=0)
    low, high = np.quantile(y, [0.01, 0.99])
    low, high = min(low, (mean - 2 * error).min()), max(high, (mean + 2 * error).max())
    ax.set_ylim(low - 0.08 * (high - low), high + 0.08 * (high - low))


def _means(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    by = pd.Series(y).groupby(x)
    return by.mean().index.to_numpy(float), by.mean().to_numpy(), by.sem().fillna(0).to_numpy()


def _smooth(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Least squares of a natural cubic spline, and its standard error, at 100 places."""
    knots = np.unique(np.quantile(x, _QUANTILES))
    if len(knots) < 3:
        knots = np.linspace(x.min(), x.max(), 3)
    middle, unit = x.mean(), x.std()

    def design(x: np.ndarray) -> np.ndarray:
        return np.c_[
            np.ones(x.size), natural_spline(np, (x - middle) / unit, (knots - middle) / unit)
        ]

    own, at = design(x), np.linspace(x.min(), x.max(), 100)
    coef, _, rank, _ = np.linalg.lstsq(own, y)
    variance = np.sum((y - own @ coef) ** 2) / max(len(y) - rank, 1)
    spread = np.linalg.pinv(own.T @ own, hermitian=True) * variance
    there = design(at)
    return at, there @ coef, np.sqrt(np.einsum("ij,jk,ik->i", there, spread, there))
