"""How much each part of a model matters, with intervals."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from jaxsurv.plots.style import many_colours, styled


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
        names: of the parts, the first on top.
        series: by name, rows ``mean``, ``lower``, ``upper`` in the order of ``names``.
        xlabel: what is measured.
        truth: where known, drawn as a mark on each line.
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
            rows["mean"], place + offset, xerr=error, fmt="o", ms=4, color=colour, label=name
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
