"""What an external validation found, as table, figures and page."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from rich.console import Console

from jaxsurv.artifacts import ResultsFolder
from jaxsurv.data import Joined
from jaxsurv.plots import RiskGroups, external_scores, risk_groups
from jaxsurv.recipe import CrossFitted, Prepared
from jaxsurv.report.page import Picture, Section, write_report
from jaxsurv.report.tables import print_table

NOTE = (
    "C: Harrell's, raw, with its jackknife interval. Slope: Cox coefficient of the predicted log hazard, 1 "
    "is right, below 1 the predictions are too extreme. O / E: observed over expected events, up to the end "
    "of the training cohort's follow-up. IBS: integrated Brier score, beside that of the training cohort's "
    "Kaplan-Meier curve for everybody (null). "
    "HR: above against below the training cohort's median risk; empty where all are on one side. Nothing "
    "was refitted or rescaled on the external cohorts, and their outcomes were seen by no choice."
)


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """The table as strings."""

    def interval(name: str, digits: int = 2) -> list[str]:
        values = table[[name, f"{name}_lower", f"{name}_upper"]].to_numpy(float)
        return [
            "" if np.isnan(v).any() else f"{v[0]:.{digits}f} ({v[1]:.2f} to {v[2]:.2f})"
            for v in values
        ]

    return pd.DataFrame(
        {
            "cohort": table["cohort"],
            "model": table["model"],
            "C (95 %)": interval("c", 3),
            "slope": interval("slope"),
            "O / E": interval("observed_expected"),
            "IBS": table["ibs"].map("{:.3f}".format),
            "null": table["ibs_null"].map("{:.3f}".format),
            "HR": interval("hazard_ratio"),
        }
    )


def inverted(table: pd.DataFrame) -> list[str]:
    """A sentence for each model that ranks external patients the wrong way round, beyond chance."""
    return [
        f"'{model}' ranks the patients of {' and of '.join(rows['cohort'])} the wrong way round (C "
        f"{', '.join(rows['c'].map('{:.3f}'.format))}, intervals below 0.5): is a feature that it reads "
        "coded the other way there?"
        for model, rows in table[table["c_upper"] < 0.5].groupby("model", sort=False)
    ]


def _curves(
    data: Prepared, model: CrossFitted, table: pd.DataFrame, origin: np.ndarray, name: str
) -> tuple[Figure, Picture]:
    event, time = data.event, data.time
    panels = []
    for row in table[table["model"] == name].itertuples():
        rows = origin == row.cohort
        ratio = (
            "all on one side of the training median"
            if pd.isna(row.hazard_ratio)
            else f"hazard ratio {row.hazard_ratio:.2f} ({row.hazard_ratio_lower:.2f} to "
            f"{row.hazard_ratio_upper:.2f})\nlog-rank p = {row.p_value:.2g}"
        )
        high = np.asarray(model.log_hazard)[0][rows] > row.threshold
        title = f"{row.cohort}: {row.patients} patients, {row.events} events"
        panels.append(RiskGroups(high, event[rows], time[rows], ratio, title))
    unit = data.cohort.time_unit or "unit of the cohort"
    figure = risk_groups(panels, xlabel=f"time ({unit})", title=name)
    return figure, Picture(
        "kaplan_meier",
        "Kaplan-Meier curves of the external cohorts, split at the training cohort's median risk of "
        f"'{name}'.",
        "Kaplan-Meier curves above and below the median risk, one panel per cohort: "
        f"{', '.join(panel.title for panel in panels)}.",
    )


def publish(
    data: Prepared,
    models: Mapping[str, CrossFitted],
    joined: Joined,
    table: pd.DataFrame,
    folder: ResultsFolder,
    facts: dict[str, Any],
    console: Console,
) -> None:
    """Write and print everything; the last of the models is the headline."""
    headline, trained = list(models)[-1], joined.origin[0]
    origin, n = joined.origin, int(data.splits.develop[0].sum())
    events = int(data.event[data.splits.develop[0]].sum())
    risks = pd.DataFrame({"cohort": origin}, index=data.cohort.survival.index)
    for name, model in models.items():
        risks[name] = np.where(data.splits.test[0], model.log_hazard[0], model.held_out[0])
    folder.table("external.csv", table)
    folder.table("features_found.csv", joined.found)
    folder.table("risks.csv", risks.reset_index())
    scores = external_scores(table, title=f"trained on {trained}: {n} patients, {events} events")
    drawn = [
        (
            scores,
            Picture(
                "external_c",
                f"C on each external cohort, of models trained on {trained} and then frozen.",
                f"Forest plot of {len(table)} values of C with intervals, from {table['c'].min():.3f} to "
                f"{table['c'].max():.3f}.",
            ),
        ),
        _curves(data, models[headline], table, origin, headline),
    ]
    best = table[table["model"] == headline]
    told = [
        f"Trained on {trained}: {n} patients with {events} events. {len(models)} models, frozen."
    ]
    told += [
        f"On {r.cohort} ({r.patients} patients, {r.events} events) '{headline}' has a C of {r.c:.3f} "
        f"({r.c_lower:.2f} to {r.c_upper:.2f}) and a calibration slope of {r.slope:.2f}."
        for r in best.itertuples()
    ]
    reversed_ = inverted(table)
    told += reversed_
    found = joined.found[joined.found["cohort"] != trained].astype(str)
    title = f"External validation of models trained on {data.cohort.title or trained}"
    sections = [
        Section("Results", shown(table), NOTE),
        Section(
            "Features found", found, "Of the training cohort's; what is missing is at its mean."
        ),
    ]
    write_report(folder, title, told, sections, drawn, facts)
    folder.manifest(**facts, status="complete")
    print_table(console, title, shown(table), NOTE)
    for sentence in reversed_:
        console.print(sentence, style="yellow")
