"""Scores of models on cohorts that they were not trained on."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from jaxsurv.plots.style import GREY, ordered_colours, series_label, styled

_MARKERS = "osD^vPX"


@styled
def external_scores(table: pd.DataFrame, *, title: str = "") -> Figure:
    """Harrell's C with its 95 % interval, of every model on every cohort.

    Args:
        table: columns ``model``, ``cohort``, ``patients``, ``events``, ``c``, ``c_lower``, ``c_upper``.
        title: title of the figure.
    """
    models, cohorts = table["model"].unique(), table["cohort"].unique()
    figure = Figure(figsize=(6.8, 1.2 + 0.24 * len(table)), layout="constrained")
    ax = figure.subplots()
    colours = ordered_colours(len(models))
    step = min(0.2, 0.64 / max(len(models) - 1, 1))  # rows of a cohort stand closer than cohorts
    shift = step * (np.arange(len(models)) - (len(models) - 1) / 2)
    for k, model in enumerate(models):
        rows = table[table["model"] == model].set_index("cohort").loc[list(cohorts)]
        c, lower, upper = rows[["c", "c_lower", "c_upper"]].to_numpy(float).T
        ax.errorbar(
            c, np.arange(len(cohorts)) + shift[k], xerr=[c - lower, upper - c],
            fmt=_MARKERS[k % len(_MARKERS)], ms=4.5, capsize=2, lw=1.1, color=colours[k],
            label=series_label(model),
        )  # fmt: skip
    first = table.drop_duplicates("cohort").set_index("cohort")
    labels = [
        f"{name}\n{first.loc[name, 'patients']} patients, {first.loc[name, 'events']} events"
        for name in cohorts
    ]
    ax.axvline(0.5, color=GREY, lw=0.8, ls=":", zorder=0)
    for k in range(1, len(cohorts)):
        ax.axhline(k - 0.5, color=GREY, lw=0.4, zorder=0)
    ax.set_yticks(range(len(cohorts)), labels)
    ax.set_ylim(len(cohorts) - 0.5, -0.5)
    ax.set(xlabel="Harrell's C (95 % interval), dotted: chance", title=title)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
    return figure
