"""Latent spaces in two dimensions, coloured by risk."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from jaxsurv.plots.style import GREY, styled


class LatentMap(NamedTuple):
    """One panel: a latent space.

    Attributes:
        title: title of the panel.
        position: ``[n, 2]``.
        risk: ``[n]``.
    """

    title: str
    position: np.ndarray
    risk: np.ndarray


@styled
def latent_maps(
    maps: Sequence[LatentMap], test: np.ndarray, *, axis: str, label: str, title: str = ""
) -> Figure:
    """Draw several latent spaces of the same patients, side by side under one colour scale.

    Args:
        maps: the panels.
        test: ``[n]`` booleans, True for the test set.
        axis: name of the two axes, which get the numbers 1 and 2.
        label: label of the colour bar. The bar ends at the 2nd and 98th percentile, so that a few
            extreme risks do not take all colours.
        title: title of the figure.
    """
    figure = Figure(figsize=(4.1 * len(maps) + 0.9, 4.3), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontsize=10)
    axes = figure.subplots(1, len(maps), squeeze=False)[0]
    norm = Normalize(*np.quantile(np.concatenate([m.risk for m in maps]), [0.02, 0.98]))
    shapes = (
        (~test, "o", 0.0, "development patients"),
        (test, "^", 0.7, "test patients"),
    )
    for ax, panel in zip(axes, maps, strict=True):
        for rows, marker, edge, name in shapes:
            dots = ax.scatter(
                *panel.position[rows].T, c=panel.risk[rows], s=18 + 14 * (edge > 0), marker=marker,
                linewidths=edge, edgecolors="black", norm=norm, cmap="viridis",
                label=f"{name} (n = {rows.sum()})",
            )  # fmt: skip
        ax.set(xlabel=f"{axis} 1", ylabel=f"{axis} 2", title=panel.title, xticks=[], yticks=[])
    figure.colorbar(dots, ax=axes, label=label, extend="both")
    legend = figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=8
    )
    for handle in filter(None, legend.legend_handles):  # not the colour of some patient
        handle.set(array=None, facecolor=GREY)
    return figure
