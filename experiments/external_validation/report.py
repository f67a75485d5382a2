"""Results of an external validation, as table, figures and page."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from rich.console import Console

from jaxsurv.artifacts import ResultsFolder
from jaxsurv.data.safe_text import literal
from jaxsurv.plots import RiskGroups, risk_groups
from jaxsurv.report.page import Picture, Section, write_report
from jaxsurv.report.tables import print_table

from .cohorts import Cohorts
from .figures import external_scores
from .judge import Judgement
from .models import Frozen
from .texts import (
    about_models,
    harmful,
    hindered,
    inverted,
    other_way_round,
    sentences,
    weights_of,
)

NOTE = (
    "C: Harrell's, raw, with its jackknife interval. Slope: Cox coefficient of the predicted log hazard, 1 "
    "is right, below 1 the predictions are too extreme. O / E: observed over expected events, up to the end "
    "of the training cohort's follow-up. IBS: integrated Brier score, beside that of one curve for everybody "
    "(null): {null}. "
    "HR: above against below the training cohort's median risk; empty where all are on one side. No "
    "model was refitted to the external cohorts, and their outcomes were seen by no choice but that of "
    "rows without some members."
)
RECALIBRATED = (
    "Log cumulative hazards plus intercept + (slope - 1) * log hazard, fitted to the given number of "
    "patients; IBS of the others, as predicted and recalibrated."
)
_COLUMNS = ("c", "slope", "observed_expected", "hazard_ratio")


class Warned(NamedTuple):
    """Warnings for a reader of the results.

    Attributes:
        slopes: calibration slopes of the members of stacks, see `member_table`.
        turned: columns that act the other way round, see `turned_columns`.
        recalibrated: see `recalibration_table`; empty = nobody asked.
    """

    slopes: pd.DataFrame
    turned: pd.DataFrame
    recalibrated: pd.DataFrame


def table_of(judgements: Mapping[str, Sequence[Judgement]]) -> pd.DataFrame:
    """One row per external cohort and model, the cohorts together; every column, whatever was judged."""
    rows = [{"model": name, **j.row} for name, each in judgements.items() for j in each]
    numbers = [f"{c}{end}" for c in _COLUMNS for end in ("", "_lower", "_upper")]
    numbers += ["ibs", "ibs_null", "p_value", "threshold", "high"]
    columns = ["model", "cohort", "patients", "events", *numbers, "note"]
    table = pd.DataFrame(rows).reindex(columns=columns)
    return table.astype(dict.fromkeys(numbers, float)).sort_values("cohort", kind="stable")


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """The table as strings."""

    def interval(name: str, digits: int = 2) -> list[str]:
        values = table[[name, f"{name}_lower", f"{name}_upper"]].to_numpy(float)
        return [
            "" if np.isnan(v).any() else f"{v[0]:.{digits}f} ({v[1]:.2f} to {v[2]:.2f})"
            for v in values
        ]

    def number(name: str) -> list[str]:
        return ["" if np.isnan(v) else f"{v:.3f}" for v in table[name].to_numpy(float)]

    return pd.DataFrame(
        {
            "cohort": table["cohort"],
            "model": table["model"],
            "C (95 %)": interval("c", 3),
            "slope": interval("slope"),
            "O / E": interval("observed_expected"),
            "IBS": number("ibs"),
            "null": number("ibs_null"),
            "HR": interval("hazard_ratio"),
        }
    )


def forest(table: pd.DataFrame, about: str) -> list[tuple[Figure, Picture]]:
    """C of every model on every cohort; nothing if there is no C at all."""
    if table["c"].isna().all():
        return []
    picture = Picture(
        "external_c",
        f"C on each external cohort of frozen models, {about}.",
        f"Forest plot of {table['c'].count()} values of C with intervals, from {table['c'].min():.3f} to "
        f"{table['c'].max():.3f}.",
    )
    return [(external_scores(table, title=about), picture)]


def curves(
    name: str, table: pd.DataFrame, judged: Sequence[Judgement], cohorts: Cohorts, unit: str
) -> list[tuple[Figure, Picture]]:
    """Kaplan-Meier curves of the cohorts that a model can score; nothing if there are none."""
    panels = []
    rows = table[table["model"] == name].set_index("cohort")
    for judgement in judged:
        row = rows.loc[judgement.row["cohort"]]
        if np.isnan(judgement.risk).any():
            continue
        outcome = cohorts.external[str(row.name)].outcome(cohorts.endpoint)
        ratio = (
            "all on one side of the training median"
            if pd.isna(row["hazard_ratio"])
            else f"hazard ratio {row['hazard_ratio']:.2f} ({row['hazard_ratio_lower']:.2f} to "
            f"{row['hazard_ratio_upper']:.2f})\nlog-rank p = {row['p_value']:.2g}"
        )
        title = f"{row.name}: {row['patients']} patients, {row['events']} events"
        high, event, time = judgement.risk > row["threshold"], outcome.event, outcome.time
        panels.append(RiskGroups(high, np.asarray(event), np.asarray(time), ratio, title))
    if not panels:
        return []
    figure = risk_groups(panels, xlabel=f"time ({unit or 'unit of the cohort'})", title=name)
    picture = Picture(
        "kaplan_meier",
        "Kaplan-Meier curves of the external cohorts, split at the training cohort's median risk of "
        f"'{name}'.",
        "Kaplan-Meier curves above and below the median risk, one panel per cohort: "
        f"{', '.join(panel.title for panel in panels)}.",
    )
    return [(figure, picture)]


def risks_of(judgements: Mapping[str, Sequence[Judgement]], cohorts: Cohorts) -> pd.DataFrame:
    """Log hazards of all external patients, a column per model."""
    parts = []
    for k, (name, cohort) in enumerate(cohorts.external.items()):
        patients = cohort.survival.index
        if cohorts.train is not None:  # joined cohorts name patients COHORT:PATIENT
            patients = patients.str.removeprefix(f"{name}:")
        columns = {model: judged[k].risk for model, judged in judgements.items()}
        parts.append(pd.DataFrame({"cohort": name, "patient": patients, **columns}))
    return pd.concat(parts)


def publish(
    models: Mapping[str, Frozen],
    judgements: Mapping[str, Sequence[Judgement]],
    cohorts: Cohorts,
    found: pd.DataFrame,
    warned: Warned,
    folder: ResultsFolder,
    facts: dict[str, Any],
    console: Console,
) -> None:
    """Write and print everything; the last of the models is the headline.

    Args:
        models: fitted models by name.
        judgements: judgements of each model, in the order of the external cohorts.
        cohorts: cohorts that the models were judged on.
        found: features of the saved models, see `check_models`.
        warned: members and columns that act otherwise outside, and recalibrations.
        folder, facts, console: results folder, facts for the manifest, and console to print to.
    """
    table, headline, train = table_of(judgements), list(models)[-1], cohorts.train
    if train is None:
        about, title, features = (
            "models that were saved",
            "External validation of saved models",
            found,
        )
        null = "the mean of the model's curves over the percentiles of its training patients' risks"
    else:
        event = np.asarray(train.outcome(cohorts.endpoint).event)
        about = f"trained on {train.name}: {len(event)} patients, {int(event.sum())} events"
        title = f"External validation of models trained on {train.title or train.name}"
        null = "the training cohort's Kaplan-Meier curve"
        joined = cohorts.found.assign(model=f"trained on {train.name}")
        features = pd.concat([joined, found])[list(found.columns)]
    unit = models[headline].estimator.fitted().cohort.time_unit
    folder.table("external.csv", table)
    folder.table("features_found.csv", features)
    folder.table("risks.csv", risks_of(judgements, cohorts))
    for name, one in warned._asdict().items():
        if len(one):
            folder.table(f"{name}.csv", one)
    weights, note = weights_of(models), NOTE.format(null=null)
    elsewhere = features[features["cohort"].isin(cohorts.external)].astype(str)
    sections = [
        Section("Results", shown(table), note),
        *_recalibration(warned.recalibrated),
        Section("Models", about_models(models), "Chosen: by early-stopping losses in training."),
        *([Section("Weights", weights, "Of the members of each stack.")] if len(weights) else []),
        Section(
            "Features found",
            elsewhere,
            "Of those that the models were trained on; what is missing is at its mean.",
        ),
    ]
    drawn = forest(table, about)
    drawn += curves(headline, table, judgements[headline], cohorts, unit)
    warnings = harmful(warned.slopes) + other_way_round(warned.turned)
    told = sentences(models, table, cohorts, about) + warnings
    write_report(folder, title, told, sections, drawn, facts)
    folder.manifest(**facts, status="complete")
    print_table(console, title, shown(table), note)
    for sentence in hindered(table) + inverted(table) + warnings:
        console.print(literal(sentence), style="yellow")


def _recalibration(table: pd.DataFrame) -> list[Section]:
    if table.empty:
        return []
    columns = {
        "intercept": "intercept", "slope": "slope", "ibs": "IBS", "ibs_recalibrated": "IBS, recalibrated"
    }  # fmt: skip
    numbers = {
        title: ["" if np.isnan(v) else f"{v:.3f}" for v in table[name].to_numpy(float)]
        for name, title in columns.items()
    }
    shown = table[["cohort", "model", "patients"]].assign(**numbers, note=table["note"])
    return [Section("Recalibrated", shown, RECALIBRATED)]
