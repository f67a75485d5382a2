"""Tables, figures and page of a comparison of many cohorts."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from rich.console import Console

from jaxsurv.artifacts import ResultsFolder
from jaxsurv.data.safe_text import literal
from jaxsurv.plots.forest import Forest, score_forest
from jaxsurv.plots.style import GREY, ordered_colours, styled
from jaxsurv.report.page import Picture, Section, write_report
from jaxsurv.report.tables import interval, print_table
from jaxsurv.study.statistics import corrected_t

from .pool import Pool
from .shared import shared_map
from .transfer import METHODS, OTHERS, OWN

ALL = "all targets"
NOTE = (
    "C within the target, mean over its folds, and its difference from the target's own data on the same "
    "test patients. Of a target: corrected resampled t over folds. Of all targets: t over their means. In "
    "the pool, measurements are z-scores within each cohort, test patients included, without their outcomes."
)


def summary_of(runs: pd.DataFrame, folds: int) -> pd.DataFrame:
    """One row per size, cohort (and all of them) and method.

    Returns:
        ``size``, ``cohort``, ``method``, ``c``, and the difference from own data: ``mean``, ``lower``,
        ``upper``.
    """
    wide = runs.pivot(index=["size", "cohort", "repeat", "fold"], columns="method", values="c")
    methods, rows = [m for m in METHODS if m in wide], []
    for size, of_size in wide.groupby(level="size", sort=False):
        means = of_size.groupby(level="cohort", sort=False).mean()
        for cohort, own in of_size.groupby(level="cohort", sort=False):
            deal = own.index.get_level_values("repeat")
            for method in methods:
                minus = (own[method] - own[OWN]).to_numpy()
                found = corrected_t(minus, 1 / (folds - 1), repeat=deal)
                rows.append((size, cohort, method, own[method].mean(), *found[:3]))
        for method in methods:
            found = corrected_t((means[method] - means[OWN]).to_numpy(), 0.0)
            rows.append((size, ALL, method, means[method].mean(), *found[:3]))
    columns = ["size", "cohort", "method", "c", "mean", "lower", "upper"]
    return pd.DataFrame(rows, columns=columns)


def worth_of(runs: pd.DataFrame) -> pd.DataFrame:
    """Number of own training patients with which own data has the C of the others alone.

    Own data's mean C, made monotone, is interpolated in the logarithm of the number.

    Args:
        runs: see `transferred`.

    Returns:
        columns ``cohort``, ``patients`` and ``bound``: ``=``, or ``<`` and ``>`` where the number is outside
        of the sizes that were tried.
    """
    wide = runs.pivot(
        index=["cohort", "patients", "repeat", "fold"], columns="method", values="c"
    ).reset_index()
    rows = []
    for cohort, mine in wide.groupby("cohort", sort=False):
        sizes = mine["patients"].where(
            mine["patients"] < 0.98 * mine["patients"].max(), mine["patients"].max()
        )  # folds differ by a patient
        own = mine.groupby(sizes)[OWN].mean().cummax()
        wanted = mine[OTHERS].mean()
        bound = "<" if wanted < own.iloc[0] else ">" if wanted > own.iloc[-1] else "="
        patients = np.exp(np.interp(wanted, own, np.log(own.index.to_numpy(float))))
        rows.append((cohort, round(float(patients)), bound))
    return pd.DataFrame(rows, columns=["cohort", "patients", "bound"])


def publish(
    runs: pd.DataFrame,
    shared: pd.DataFrame,
    pool: Pool,
    folder: ResultsFolder,
    facts: dict[str, Any],
    console: Console,
) -> None:
    """Write and print everything.

    Args:
        runs: see `transferred`, of all targets.
        shared: see `one_by_one`.
        pool: the cohorts.
        folder, facts, console: results folder, facts for the manifest, and console to print to.
    """
    summary = summary_of(runs, facts["options"]["folds"])
    folder.table("runs.csv", runs)
    folder.table("summary.csv", summary)
    folder.table("shared.csv", shared)
    folder.table("worth.csv", worth := worth_of(runs))
    shown = _shown(summary)
    title = f"What other cohorts are worth: {', '.join(pool.targets)}, {pool.endpoint}"
    others = [m for m in METHODS if m != OWN and m in set(summary["method"])]
    drawn = [
        (
            _differences(runs, summary, others),
            Picture(
                "differences",
                "C minus that of the target's own data, all of its training patients.",
                f"Forest plot of {len(pool.targets)} targets and all together, one panel per method.",
            ),
        ),
        (
            learning_curve(summary[summary["cohort"] == ALL]),
            Picture(
                "learning_curve",
                "Mean C over the targets that have so many training patients of their own.",
                "Lines of the mean C of each method against the number of own training patients.",
            ),
        ),
        (
            shared_map(shared),
            Picture(
                "shared",
                "C of the block ridge Cox model of each cohort on every cohort; on its own, cross-fitted.",
                f"Heat map of {len(pool.targets)} cohorts trained on by {len(pool.targets)} judged on.",
            ),
        ),
    ]
    told = [
        f"With {_size(r.size)} training patients of the target's own, '{r.method}' minus own data is "
        f"{r.mean:+.3f} ({r.lower:+.3f} to {r.upper:+.3f}) in the mean over the targets."
        for r in summary[(summary["cohort"] == ALL) & (summary["method"] != OWN)].itertuples()
    ]
    own_patients = ", ".join(
        f"{r.cohort} {'' if r.bound == '=' else r.bound + ' '}{r.patients}"
        for r in worth.itertuples()
    )
    told.append(
        f"Training patients of its own with which a target reaches the C of the others alone: {own_patients}."
    )
    write_report(folder, title, told, [Section("Results", shown, NOTE)], drawn, facts)
    folder.manifest(**facts, status="complete")
    print_table(console, title, shown, NOTE)
    console.print(literal(f"report: {folder.path / 'report.html'}"))


def _size(size: int) -> str:
    return str(size) if size else "all"


def _shown(summary: pd.DataFrame) -> pd.DataFrame:
    """The summary as strings."""
    differences = [
        "" if r["method"] == OWN else interval(r, sign=True, digits=3)
        for _, r in summary.iterrows()
    ]
    return pd.DataFrame({
        "own patients": summary["size"].map(_size), "target": summary["cohort"], "method": summary["method"],
        "C": summary["c"].map("{:.3f}".format), "minus own data": differences,
    })  # fmt: skip


def _differences(runs: pd.DataFrame, summary: pd.DataFrame, methods: list[str]) -> Figure:
    size = 0 if (runs["size"] == 0).any() else int(runs["size"].max())
    own = runs[runs["size"] == size].pivot(
        index=["cohort", "repeat", "fold"], columns="method", values="c"
    )
    panels = []
    for method in methods:
        folds = (own[method] - own[OWN]).rename("difference").reset_index()
        mine = summary[(summary["size"] == size) & (summary["method"] == method)]
        label = f"{method} minus own data, C"
        folds, mine = (t.assign(setting=t["cohort"]) for t in (folds, mine))
        panels.append(Forest(folds, mine, "difference", label, (0.0,), "no difference"))
    return score_forest(panels, highlight=ALL, dots="folds")


@styled
def learning_curve(summary: pd.DataFrame) -> Figure:
    """Mean C of each method against the number of own training patients.

    Args:
        summary: columns ``size`` (0 = all), ``method``, ``c``.
    """
    figure = Figure(figsize=(5.2, 3.2), layout="constrained")
    ax = figure.subplots()
    sizes = sorted(summary["size"].unique(), key=lambda s: s or np.inf)
    methods = list(dict.fromkeys(summary["method"]))
    for method, colour in zip(methods, ordered_colours(len(methods)), strict=True):
        c = summary[summary["method"] == method].set_index("size")["c"].loc[sizes]
        ax.plot(range(len(sizes)), c, "o-", ms=4, lw=1.3, color=colour, label=method)
    ax.set_xticks(range(len(sizes)), [_size(s) for s in sizes])
    ax.set(xlabel="training patients of the target's own", ylabel="C within the target")
    ax.axhline(0.5, color=GREY, lw=0.8, ls=":", zorder=0)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=8)
    return figure
