"""Training curves of a sweep over one hyper-parameter."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from jaxsurv.plots.style import ordered_colours, series_label, styled


@styled
def training_curves(
    history: Mapping[str, np.ndarray],
    setting: np.ndarray,
    *,
    panels: Sequence[tuple[str, str]],
    legend: str,
) -> Figure:
    """Mean of each loss term against the epoch, one line per setting.

    A run that has stopped keeps its last value, so that the mean is over the same runs everywhere; a
    line ends where fewer than half of its runs are still training.

    Args:
        history: ``{name: [runs, epochs]}``, NaN after a run has stopped.
        setting: ``[runs]``, hyper-parameter of each run, or name of its method.
        panels: pairs ``(name in history, y label)``, in order.
        legend: title of the legend.
    """
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(7.2, 2.7 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    values = np.unique(setting)
    for ax, (name, label) in zip(axes.flat, panels, strict=False):
        for value, colour in zip(values, ordered_colours(len(values)), strict=True):
            h = history[name][setting == value]
            alive = np.isfinite(h).sum(axis=0)
            last = int(np.sum(alive >= max(1, len(h) / 2)))
            held = pd.DataFrame(h[:, :last].T).ffill().mean(axis=1)
            name_of_line = series_label(value) if isinstance(value, str) else f"{value:g}"
            ax.plot(held.index + 1, held, color=colour, lw=1.2, label=name_of_line)
        ax.set(xlabel="epoch", ylabel=label)
        if name == "kl":
            ax.set_yscale("symlog", linthresh=0.01)
            ax.yaxis.set_major_formatter("{x:g}")
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    figure.legend(*axes[0, 0].get_legend_handles_labels(), title=legend, loc="outside right upper")
    return figure
