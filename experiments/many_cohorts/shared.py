"""Models of single cohorts, each judged on every other: what they share."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from jaxsurv.data import Cohort, without_test
from jaxsurv.metrics import concordance_index
from jaxsurv.plots.style import styled
from jaxsurv.recipe import Recipe, block_ridge_cox, prepare


def one_by_one(pooled: Cohort, endpoint: str, recipe: Recipe) -> pd.DataFrame:
    """Harrell's C of the block ridge Cox model of each cohort on every cohort.

    A model judged on its own cohort is judged by cross-fitted log hazards, of inner models that did not see
    the patient.

    Args:
        pooled: all cohorts, with the columns that all have.
        endpoint: name of the outcome.
        recipe: choices of the preprocessing.

    Returns:
        columns ``trained_on``, ``judged_on``, ``c``, ``se``.
    """
    outcome = pooled.outcome(endpoint)
    event, time = np.asarray(outcome.event), np.asarray(outcome.time, float)
    names, own = pooled.labels, np.stack([pooled.strata == name for name in pooled.labels])
    models = block_ridge_cox(prepare(pooled, endpoint, without_test(event, own), recipe))
    held_out = np.asarray(models.held_out)
    rows = []
    for model, trained_on in zip(held_out, names, strict=True):
        for judged, name in zip(own, names, strict=True):
            c = concordance_index(model, event, time, where=judged)
            rows.append((trained_on, name, float(c.index), float(c.standard_error)))
    return pd.DataFrame(rows, columns=["trained_on", "judged_on", "c", "se"])


@styled
def shared_map(table: pd.DataFrame) -> Figure:
    """Heat map of `one_by_one`: a row per training cohort, a column per cohort that is judged."""
    names = list(dict.fromkeys(table["trained_on"]))
    c = table.pivot(index="trained_on", columns="judged_on", values="c").loc[names, names]
    figure = Figure(figsize=(1.6 + 0.7 * len(names), 1.3 + 0.5 * len(names)), layout="constrained")
    ax = figure.subplots()
    reach = max(0.05, float((c - 0.5).abs().max().max()))
    image = ax.imshow(c, cmap="RdBu_r", vmin=0.5 - reach, vmax=0.5 + reach, aspect="auto")
    for i, j in np.ndindex(c.shape):
        colour = "white" if abs(c.iloc[i, j] - 0.5) > 0.7 * reach else "black"
        ax.text(j, i, f"{c.iloc[i, j]:.2f}", ha="center", va="center", color=colour, fontsize=8)
    ax.set_xticks(range(len(names)), names, rotation=30, ha="right")
    ax.set_yticks(range(len(names)), names)
    ax.set(xlabel="judged on", ylabel="trained on")
    figure.colorbar(image, ax=ax, label="Harrell's C")
    return figure
