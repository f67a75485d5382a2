"""Modalities of the patients: bars of pattern counts over a matrix of dots (an UpSet plot)."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from jaxsurv.plots.style import BLUE, GREY, ORANGE, styled

LEAST, MOST = 3, 20  # numbers of columns; a cohort with more has a long tail of single patients


@styled
def modality_patterns(presence: pd.DataFrame, *, title: str = "") -> Figure:
    """Draw one column per pattern of modalities, most frequent first, and one row per modality.

    Filled, joined dots are the modalities that the patients of a column have. The bars above count
    the patients of each pattern (patients with all modalities in orange). The bars at the left count
    the patients of each modality.

    Args:
        presence: ``[patients, modalities]`` booleans.
        title: title of the figure.

    Reference: Lex et al., IEEE TVCG 20 (2014) 1983.
    """
    sizes = presence.sum().sort_values(ascending=False, kind="stable")
    counts = presence[sizes.index].value_counts().sort_values(ascending=False, kind="stable")
    shown = counts.iloc[:MOST]
    has = np.array([list(np.atleast_1d(p)) for p in shown.index], bool)  # [patterns, modalities]
    k, m = has.shape
    figure = Figure(figsize=(3.2 + 0.42 * max(k, LEAST), 2.5 + 0.27 * m), layout="constrained")
    grid = figure.add_gridspec(
        2, 2, width_ratios=(2.2, 0.42 * max(k, LEAST)), height_ratios=(2, 0.27 * m)
    )
    dots = figure.add_subplot(grid[1, 1])
    bars = figure.add_subplot(grid[0, 1], sharex=dots)
    totals = figure.add_subplot(grid[1, 0], sharey=dots)

    colours = [ORANGE if row.all() else BLUE for row in has]
    drawn = bars.bar(range(k), shown.to_numpy(), color=colours, width=0.6)
    bars.bar_label(drawn, fontsize=8, padding=1)
    bars.tick_params(bottom=False, labelbottom=False)
    bars.margins(y=0.12)
    bars.set(ylabel="patients", title=title)

    totals.barh(range(m), sizes.to_numpy(), color=GREY, height=0.6)
    for y, size in enumerate(sizes):
        totals.text(size, y, f"{size} ", ha="right", va="center", fontsize=8)
    totals.set_xlim(1.35 * max(sizes.max(), 1), 0)
    totals.set_title("patients per modality", fontsize=8, loc="right", color=GREY)
    totals.set_xticks([])
    totals.tick_params(left=False, labelleft=False)
    totals.spines[:].set_visible(False)

    dots.scatter(*np.nonzero(np.ones_like(has)), s=36, color="#DDDDDD", zorder=1)
    for x, (row, colour) in enumerate(zip(has, colours, strict=True)):
        rows = np.flatnonzero(row)
        dots.plot(np.full(len(rows), x), rows, "o-", color=colour, ms=6, lw=1.6, zorder=2)
    dots.set_yticks(range(m), list(sizes.index))
    dots.tick_params(left=False, bottom=False, labelbottom=False)
    dots.set(xlim=(-0.6, max(k, LEAST) - 0.4), ylim=(m - 0.5, -0.5))
    dots.spines[:].set_visible(False)
    if len(counts) > k:
        dots.set_xlabel(f"and {len(counts) - k} rarer patterns of {counts.iloc[k:].sum()} patients")
    return figure
