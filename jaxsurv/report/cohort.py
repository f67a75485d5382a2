"""Report on a cohort: modalities per patient, follow-up, outliers and constant columns."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from rich.console import Console

from jaxsurv.artifacts import ResultsFolder
from jaxsurv.data import Cohort
from jaxsurv.data.describe import (
    FAR,
    endpoint_table,
    missing_table,
    modality_table,
    outlier_table,
    pattern_table,
)
from jaxsurv.data.last_rows import last_rows
from jaxsurv.data.safe_text import file_stem, literal
from jaxsurv.data.tables import constant_columns, few
from jaxsurv.plots import modality_patterns, survival_curve
from jaxsurv.report.page import Picture, Section, write_report
from jaxsurv.report.tables import print_table


def _span(row: pd.Series, name: str) -> str:
    """Format a median with its 95 % interval, ``12.3 (10.1 to 15)``; a dash if it was not reached."""
    middle, lower, upper = (row[f"{name}{end}"] for end in ("", "_lower", "_upper"))
    if np.isnan(middle):
        return "not reached"
    ends = ["–" if np.isnan(x) else f"{x:.4g}" for x in (lower, upper)]
    return f"{middle:.4g} ({ends[0]} to {ends[1]})"


def _endpoints(cohort: Cohort) -> Iterator[tuple[str, str, str, pd.Series]]:
    """Name, patients, events and row of `endpoint_table`, endpoint by endpoint."""
    for endpoint, row in endpoint_table(cohort).iterrows():
        yield str(endpoint), f"{row['patients']:.0f}", f"{row['events']:.0f}", row


def _of_each_cause(cohort: Cohort, endpoint: str) -> str:
    """Numbers of events by cause, such as ``: relapse 20, death 12``; empty where there is one."""
    codes = last_rows(cohort).survival[f"{endpoint}_event"]
    names = enumerate(cohort.causes.get(endpoint, ()), 1)
    told = few([f"{name} {(codes == code).sum()}" for code, name in names])
    return f": {told}" if told else ""


def endpoints_section(cohort: Cohort) -> Section:
    """Section on endpoints: patients, events, follow-up and median survival."""
    unit = f" ({cohort.time_unit})" if cohort.time_unit else ""
    rows = [
        {
            "endpoint": endpoint,
            "patients": patients,
            "events": f"{events} ({row['events'] / row['patients']:.0%}){_of_each_cause(cohort, endpoint)}",
            f"median follow-up{unit}": _span(row, "follow_up"),
            f"median time to event{unit}": _span(row, "survival"),
            "last": f"{row['last']:.4g}",
        }
        for endpoint, patients, events, row in _endpoints(cohort)
    ]
    note = (
        "Medians with 95 % intervals, Kaplan-Meier; follow-up by reverse Kaplan-Meier, where censoring is "
        "the event. last: the longest time."
    )
    return Section("Endpoints", pd.DataFrame(rows), note)


def modalities_section(cohort: Cohort) -> Section:
    """Section on modalities: kinds, sizes, missing cells and constant features."""
    n, rows, gaps = len(cohort.survival), [], missing_table(cohort)
    for name, row in modality_table(cohort).iterrows():
        own = gaps[gaps["modality"] == name]
        lacking = few([f"{c} ({k})" for c, k in zip(own["column"], own["missing"], strict=True)])
        constant = constant_columns(cohort.modalities[str(name)]) if row["constant"] else []
        rows.append(
            {
                "modality": name,
                "kind": row["kind"],
                "patients": f"{row['patients']} of {n}",
                "without outcome": f"{row['unmatched']}",
                "features": f"{row['features']}",
                "missing cells": f"{row['missing']:.1%}: {lacking}" if row["missing"] else "none",
                "constant features": f"{len(constant)}: {few(constant, 5)}" if constant else "none",
            }
        )
    return Section(
        "Modalities",
        pd.DataFrame(rows),
        "without outcome: patients of this table whom the survival table does not have; they are left out. "
        "missing cells: of the patients of this table, and the columns with most of them, with their "
        "number. Constant features tell nothing, and preprocessing drops them.",
    )


def patterns_section(cohort: Cohort) -> Section:
    """Section on patterns of modalities that patients have together."""
    table = pattern_table(cohort)
    names = [c for c in table.columns if c != "patients"]
    have = [", ".join(m for m in names if row[m]) or "none" for _, row in table.iterrows()]
    rows = pd.DataFrame({"modalities": have, "patients": table["patients"].astype(str)})
    return Section("Who has which modality", rows, "Every patient is in one row.")


def _outliers_section(cohort: Cohort, table: pd.DataFrame, patients: int = 5) -> Section:
    rows = []
    for name, found in table.groupby("modality", sort=False):
        extreme = found.loc[found["z"].abs().idxmax()]
        features = cohort.modalities[str(name)].shape[1]
        cells = len(cohort.modalities[str(name)]) * features
        most = [f"{r.patient} ({r.cells})" for r in found.head(patients).itertuples()]
        rows.append(
            {
                "modality": name,
                "cells": f"{found['cells'].sum()} ({found['cells'].sum() / cells:.2%})",
                "patients": f"{len(found)} of {len(cohort.modalities[str(name)])}",
                "patients with most (cells)": ", ".join(most),
                "most extreme": f"{extreme['feature']} = {extreme['value']:.4g} of {extreme['patient']} "
                f"(z = {extreme['z']:.3g})",
            }
        )
    return Section(
        "Outliers",
        pd.DataFrame(rows or [{"modality": "no outlying value in any"}]),
        f"Cells beyond ±{FAR:g} robust standard deviations (1.4826 median absolute deviations) of their "
        "feature's median; counts as log2(x + 1); codes and features that are mostly one value have none. "
        "Preprocessing clips far-out values.",
    )


def _sentences(cohort: Cohort, outliers: pd.DataFrame) -> list[str]:
    n = len(cohort.survival)
    told = [
        f"{n} patients with {len(cohort.modalities)} modalities; {cohort.complete.sum()} have every one."
    ]
    for endpoint, patients, events, row in _endpoints(cohort):
        median = f"{_span(row, 'follow_up')} {cohort.time_unit}".rstrip()
        told.append(
            f"{endpoint}: {events} events in {patients} patients, followed for a median of {median}."
            + (" So few events hardly tell methods apart." if row["events"] < 50 else "")
        )
    for name, found in outliers.groupby("modality", sort=False):
        if len(found) > 0.5 * len(cohort.modalities[str(name)]):
            told.append(
                f"In {name}, {len(found)} patients have far-out values: not a few bad samples but heavy "
                "tails. If these are counts or ratios, their logarithm serves better."
            )
    return told


def _figures(cohort: Cohort) -> list[tuple[Figure, Picture]]:
    title = f"{cohort.name}: {len(cohort.survival)} patients"
    picture = Picture(
        "modalities",
        "Who has which modality: each column is a pattern, its dots are the modalities that these "
        "patients have, the bar counts them (orange: everything). Left: patients per modality.",
        f"Dots and bars: patients in {len(pattern_table(cohort))} patterns of "
        f"{', '.join(cohort.modalities)}.",
    )
    drawn = [(modality_patterns(cohort.presence, title=title), picture)]
    for endpoint, patients, events, row in _endpoints(cohort):
        event, time, entry, *_ = cohort.outcome(endpoint, "any")
        figure = survival_curve(
            event,
            time,
            entry=entry,
            xlabel=f"time ({cohort.time_unit or 'unit of the cohort'})",
            note=f"median {_span(row, 'survival')}\nmedian follow-up {_span(row, 'follow_up')}",
            title=f"{cohort.name}, {endpoint}: {patients} patients, {events} events",
        )
        caption = (
            f"Kaplan-Meier curve of {endpoint} with 95 % band; below, the patients still at risk after each "
            "time, and those censored or with an event up to it. Ticks: censored patients."
        )
        alternative = (
            f"Kaplan-Meier curve of {endpoint}: {events} events in {patients} patients, median "
            f"{_span(row, 'survival')}."
        )
        drawn.append((figure, Picture(f"kaplan_meier_{file_stem(endpoint)}", caption, alternative)))
    return drawn


def _rows_told(cohort: Cohort) -> list[str]:
    if cohort.patients is None:
        return []
    rows, n = len(cohort.survival), cohort.patients.nunique()
    return [
        f"Values of patients change: the {n} have {rows} rows, and the last of each is described."
    ]


def print_summary(cohort: Cohort, console: Console) -> Sequence[Section]:
    """Print the tables that describe the cohort, and return them."""
    for line in _rows_told(cohort):
        console.print(literal(line))
    cohort = last_rows(cohort)
    sections = [endpoints_section(cohort), modalities_section(cohort), patterns_section(cohort)]
    for section in sections:
        print_table(
            console, f"{cohort.name}: {section.heading.lower()}", section.table, section.note
        )
    return sections


def describe(cohort: Cohort, folder: ResultsFolder, console: Console) -> None:
    """Write tables, figures and ``report.html`` into ``folder``, and print the summary."""
    facts = {"cohort": cohort.title or cohort.name}
    facts |= {k: v for k in ("source", "licence") if (v := getattr(cohort, k))}
    facts["cohort_fingerprint"] = cohort.fingerprint()
    given, told, cohort = cohort, _rows_told(cohort), last_rows(cohort)
    folder.manifest(**facts, status="running")
    with console.status("looking for outliers, drawing"):
        outliers = outlier_table(cohort)
        folder.table("endpoints.csv", endpoint_table(cohort).reset_index())
        folder.table("modalities.csv", modality_table(cohort).reset_index())
        folder.table("missing.csv", missing_table(cohort))
        folder.table("patterns.csv", pattern_table(cohort))
        folder.table("outliers.csv", outliers)
        drawn = _figures(cohort)
    sections = [*print_summary(given, console), _outliers_section(cohort, outliers)]
    title = f"Cohort {cohort.title or cohort.name}"
    with console.status("writing the report"):
        write_report(folder, title, [*_sentences(cohort, outliers), *told], sections, drawn, facts)
    folder.manifest(**facts, status="complete")
    print_table(console, f"{cohort.name}: outliers", sections[-1].table, sections[-1].note)
    console.print(literal(f"report: {folder.path / 'report.html'}"))
