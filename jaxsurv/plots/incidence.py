"""Cumulative incidence of competing causes in two risk groups."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from jaxsurv.arguments.reading import read_arguments
from jaxsurv.arguments.settings import mask
from jaxsurv.plots.style import BLUE, ORANGE, series_label, styled
from jaxsurv.survival import aalen_johansen


@read_arguments
@styled
def incidence_groups(
    high: np.ndarray,
    code: np.ndarray,
    time: np.ndarray,
    *,
    causes: Sequence[str],
    notes: Sequence[str],
    xlabel: str,
    title: str = "",
) -> Figure:
    """Aalen-Johansen curves of each cause with 95 % bands, of the low- and the high-risk group.

    Args:
        high: ``[n]`` booleans, True for the high-risk group.
        code: ``[n]``, 0 = censored, 1, 2, ... = causes.
        time: ``[n]``.
        causes: names of the causes 1, 2, ..., one panel each.
        notes: texts printed in the panels.
        xlabel: label of the time axis, with the unit of time.
        title: title of the figure.

    Raises:
        InputError: see :func:`jaxsurv.survival.aalen_johansen`.
    """
    high = mask("high", high)
    figure = Figure(figsize=(4.2 * len(causes), 3.6), layout="constrained")
    panels = figure.subplots(1, len(causes), squeeze=False, sharey=True)[0]
    for ax, cause, name, note in zip(panels, range(1, len(causes) + 1), causes, notes, strict=True):
        for group, label, colour in ((~high, "low risk", BLUE), (high, "high risk", ORANGE)):
            of_cause = code[group] == cause
            told = series_label(f"{label} (n = {group.sum()}, events = {of_cause.sum()})")
            if not of_cause.any():
                ax.plot([0, time[group].max()], [0, 0], color=colour, label=told)
                continue
            curve = aalen_johansen(np.where(of_cause, 1, 2 * (code[group] > 0)), time[group])
            lines = (curve.incidence, curve.lower, curve.upper)
            start, *lines = (np.append(0, x) for x in (curve.times, *(y[:, 0] for y in lines)))
            ax.step(start, lines[0], where="post", color=colour, label=told)
            ax.fill_between(start, *lines[1:], step="post", color=colour, alpha=0.2, lw=0)
        ax.set(ylim=(0, 1.02), xlabel=xlabel, title=name)
        ax.text(0.98, 0.98, note, transform=ax.transAxes, ha="right", va="top", fontsize=8)
        ax.legend(loc="upper left", fontsize=8)
    panels[0].set_ylabel("cumulative incidence")
    figure.suptitle(title)
    return figure
