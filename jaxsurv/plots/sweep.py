"""Figures of a sweep over one hyper-parameter: the score against it, and the training curves."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from jaxsurv.plots.style import BLUE, GREEN, GREY, ORANGE, ordered_colours, styled


@styled
def score_against_setting(
    runs: pd.DataFrame,
    summary: pd.DataFrame,
    baselines: pd.DataFrame,
    *,
    by: str,
    score: str,
    xlabel: str,
    ylabel: str,
    title: str = "",
) -> Figure:
    """Every run as a dot, the mean with its 95 % interval, and baselines as lines.

    Args:
        runs: one row per run with the columns ``by`` (positive numbers) and ``score``.
        summary: one row per setting: ``by``, ``mean``, ``lower``, ``upper``.
        baselines: one row per baseline: ``method``, ``mean``.
        by: column of the setting.
        score: column of the score.
        xlabel, ylabel: labels of the axes.
        title: title of the figure.
    """
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    ax = figure.subplots()
    settings = summary[by].to_numpy(float)
    at = {s: i for i, s in enumerate(settings)}  # equally spaced, whatever the grid
    jitter = np.random.default_rng(0).uniform(-0.16, 0.16, len(runs))
    ax.plot(
        runs[by].map(at) + jitter, runs[score], "o", ms=2.5, mew=0, alpha=0.35, color=GREY, zorder=1,
        label=f"single runs (n = {len(runs)})",
    )  # fmt: skip
    x = np.arange(len(settings))
    error = np.stack([summary["mean"] - summary["lower"], summary["upper"] - summary["mean"]])
    ax.errorbar(
        x, summary["mean"], error, fmt="o-", color=BLUE, ms=5, lw=1.5, capsize=3, zorder=3,
        label="mean, 95 % interval",
    )  # fmt: skip
    looks = zip(cycle((ORANGE, GREEN, "black")), cycle(("--", ":")), strict=False)  # six differ
    for (_, row), (colour, dash) in zip(baselines.iterrows(), looks, strict=False):
        ax.axhline(
            row["mean"], color=colour, ls=dash, lw=1.5, zorder=2, label=f"{row['method']}, mean"
        )
    if runs[score].min() < 0.55:
        ax.axhline(0.5, color="black", lw=0.6)
    ax.set_xticks(x, [f"{s:g}" for s in settings])
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=8)
    return figure


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
            ax.plot(
                held.index + 1,
                held,
                color=colour,
                lw=1.2,
                label=value if isinstance(value, str) else f"{value:g}",
            )
        ax.set(xlabel="epoch", ylabel=label)
        if name == "kl":
            ax.set_yscale("symlog", linthresh=0.01)
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    figure.legend(*axes[0, 0].get_legend_handles_labels(), title=legend, loc="outside right upper")
    return figure
