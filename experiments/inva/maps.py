"""Predicted images beside the outcome, with their errors and the widths of their intervals."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from jaxsurv.plots.style import styled


@styled
def image_maps(
    outcome: np.ndarray, predicted: Mapping[str, np.ndarray], *, title: str = ""
) -> Figure:
    """Outcome image of one patient, and its predictions by several methods.

    Args:
        outcome: ``[h, w]``.
        predicted: ``{method: [2, h, w]}``: the prediction, and half the width of its interval.
        title: title of the figure.
    """
    rows = ("prediction", "prediction\nminus outcome", "half width of the\n95 % interval")
    figure = Figure(figsize=(1.25 * (len(predicted) + 1) + 1.0, 4.4), layout="constrained")
    axes = figure.subplots(len(rows), len(predicted) + 1, squeeze=False)
    most = float(np.abs(outcome).max())
    widest = max(float(p[1].max()) for p in predicted.values())
    signed = {"cmap": "RdBu_r", "vmin": -most, "vmax": most}
    looks = (signed, signed, {"cmap": "viridis", "vmin": 0.0, "vmax": widest})
    axes[0, 0].imshow(outcome, **signed)
    axes[0, 0].set_title("outcome", fontsize=8, loc="center")
    for ax in axes[1:, 0]:
        ax.set_axis_off()
    for column, (name, (mean, half)) in zip(axes.T[1:], predicted.items(), strict=True):
        column[0].set_title(name.replace(", ", ",\n"), fontsize=8, loc="center")
        for ax, image, look in zip(column, (mean, mean - outcome, half), looks, strict=True):
            ax.imshow(image, **look)
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
    for line, row in zip(axes, rows, strict=True):
        drawn = next(ax.images[0] for ax in line[::-1] if ax.images)
        bar = figure.colorbar(drawn, ax=line, shrink=0.9, aspect=12)
        bar.ax.tick_params(labelsize=7)
        line[1].set_ylabel(row, fontsize=8)
    figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    return figure
