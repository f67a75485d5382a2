"""Importance of each part of a model, with intervals."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from jaxsurv.plots.style import GREY, many_colours, series_label, styled


@styled
def importance_bars(
    names: Sequence[str],
    series: Mapping[str, pd.DataFrame],
    *,
    xlabel: str,
    truth: Sequence[float] | None = None,
) -> Figure:
    """Points with intervals, one line per part and one colour per series.

    Args:
        names: names of the parts, the first on top.
        series: ``{name: table}``, columns ``mean``, ``lower``, ``upper``, rows in the order of ``names``.
        xlabel: name of the measured quantity.
        truth: true values, if known, drawn as a mark on each line.
    """
    height = 0.32 * len(names) * max(len(series), 2) / 2 + 1.2
    figure = Figure(figsize=(7.5, height), layout="constrained")
    axis = figure.subplots()
    place = np.arange(len(names))
    offsets = np.linspace(-0.25, 0.25, len(series)) if len(series) > 1 else [0.0]
    for (name, rows), offset, colour in zip(
        series.items(), offsets, many_colours(len(series)), strict=True
    ):
        error = np.abs(rows[["lower", "upper"]].to_numpy().T - rows["mean"].to_numpy()[None])
        axis.errorbar(
            rows["mean"],
            place + offset,
            xerr=error,
            fmt="o",
            ms=4,
            color=colour,
            label=series_label(name),
        )
    if truth is not None:
        axis.plot(truth, place, "|", ms=22, color="0.2", label="truth")
    axis.axvline(0, color="0.7", lw=0.8)
    axis.set_yticks(place, names)
    axis.invert_yaxis()
    axis.set_xlabel(xlabel)
    if len(series) > 1 or truth is not None:
        figure.legend(loc="outside right upper")
    return figure


@styled
def explanation_panels(
    features: pd.DataFrame, modalities: pd.DataFrame, *, top: int = 20, title: str = ""
) -> Figure:
    """Importance for the risk: the features of the largest attribution, and below them the modalities.

    The left panels show attributions. The right panels, if the tables have them, show the loss of
    Harrell's C. Colours are modalities.

    Args:
        features: index (modality, feature); columns ``attribution`` and ``c_drop``, each also with
            ``_lower`` and ``_upper``, and ``direction``, whose sign is shown.
        modalities: one row per modality; columns ``attribution``, ``c_drop`` and ``c_lost``, each also with
            ``_lower`` and ``_upper``.
        top: largest number of features shown.
        title: title of the figure.
    """
    shown = features[features["attribution"] > 0].nlargest(top, "attribution")
    every = dict(zip(modalities.index, many_colours(len(modalities)), strict=True))
    own, colours = [every[m] for m in shown.index.get_level_values(0)], list(every.values())
    with_c, rows = "c_drop" in modalities, (max(len(shown), 1), len(modalities))
    figure = Figure(figsize=(8.4 if with_c else 5.4, 2.0 + 0.2 * sum(rows)), layout="constrained")
    upper, lower = figure.subplots(
        2, 1 + with_c, sharey="row", squeeze=False, height_ratios=rows, gridspec_kw={"hspace": 0.05}
    )
    signs = ["^" if d > 0 else "v" if d < 0 else "o" for d in shown["direction"]]
    _points(upper[0], shown, "attribution", own, signs)
    _points(lower[0], modalities, "attribution", colours, "o" * len(modalities))
    if with_c:
        _points(upper[1], shown, "c_drop", own, "D" * len(shown))
        _points(lower[1], modalities, "c_drop", colours, "D" * len(modalities), shift=-0.17)
        _points(lower[1], modalities, "c_lost", colours, "s" * len(modalities), shift=0.17)
    for row, names in ((upper, shown.index.get_level_values(1)), (lower, modalities.index)):
        row[0].set_yticks(range(len(names)), names)
        row[0].set_ylim(len(names) - 0.5, -0.5)
        for ax, xlabel in zip(row, ("mean |attribution|, log hazard", "loss of C"), strict=False):
            ax.axvline(0, color="0.7", lw=0.8, zorder=0)
            ax.set_xlabel(xlabel)
            ax.locator_params(axis="x", nbins=5)
    figure.suptitle(title)
    drawn = _MARKERS if with_c else _MARKERS[:3]
    figure.legend(
        [Line2D([], [], ls="", ms=4.5, marker=marker, color=GREY) for marker, _ in drawn],
        [label for _, label in drawn], loc="outside lower center", ncols=3, fontsize=8,
    )  # fmt: skip
    return figure


_MARKERS = (
    ("^", "more is worse"),
    ("v", "more is better"),
    ("o", "categories, or several features"),
    ("D", "permuted; interval over seeds"),
    ("s", "withheld; interval over patients"),
)


def _points(
    ax: Axes,
    table: pd.DataFrame,
    name: str,
    colours: Sequence,
    markers: Sequence[str],
    shift: float = 0.0,
) -> None:
    """Draw a point with its interval in every row."""
    values = table[[name, f"{name}_lower", f"{name}_upper"]].to_numpy(float)
    for y, (mean, lower, upper) in enumerate(values):
        ax.errorbar(
            mean, y + shift, xerr=[[mean - lower], [upper - mean]], fmt=markers[y], ms=4.5, lw=1.1,
            color=colours[y],
        )  # fmt: skip
