"""Tables that describe a cohort: follow-up, modalities, patterns of missing modalities, outliers."""

# pandas' own types cannot tell frame[name], a Series, from frame[names].
# pyright: reportReturnType=false, reportArgumentType=false

import numpy as np
import pandas as pd

from jaxsurv.data.cohort import Cohort
from jaxsurv.data.last_rows import last_rows
from jaxsurv.data.tables import constant_columns, is_numeric
from jaxsurv.survival import kaplan_meier

FAR = 10.0  # robust z-score beyond which a cell is an outlier: far out, not just a heavy tail
_MAD = 1.482602218505602  # sd / median absolute deviation of a normal variable


def endpoint_table(cohort: Cohort) -> pd.DataFrame:
    """One row per endpoint: patients, events, and two medians with intervals in the unit of time.

    Columns ``follow_up``, ``follow_up_lower``, ``follow_up_upper`` are the median follow-up by the
    reverse Kaplan-Meier estimate, in which censoring is the event (Schemper and Smith, Control. Clin.
    Trials 17 (1996) 343). Columns ``survival``, ... are the median survival. A median is NaN if its
    curve does not fall to 0.5. ``last`` is the longest observed time. Where an endpoint has causes,
    events of all of them count. A patient with several rows counts once.
    """
    cohort, rows = last_rows(cohort), {}
    for endpoint in cohort.endpoints:
        event, time, entry, *_ = cohort.outcome(endpoint, "any")
        row = {"patients": len(time), "events": int(np.sum(event))}
        for name, observed in (("follow_up", 1 - event), ("survival", event)):
            median = kaplan_meier(observed, time, entry=entry).quantile(0.5)
            values = (float(x) for x in median)
            row |= dict(zip((name, f"{name}_lower", f"{name}_upper"), values, strict=True))
        rows[endpoint] = {**row, "last": float(np.max(time))}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("endpoint")


def modality_table(cohort: Cohort) -> pd.DataFrame:
    """One row per modality: kind, patients, features, missing cells, constant features, unmatched.

    Of a patient with several rows the last counts, here and in the tables below.
    """
    columns = ["kind", "patients", "features", "missing", "constant", "unmatched"]
    cohort, rows = last_rows(cohort), {}
    for m, table in cohort.modalities.items():
        missing = float(table.isna().to_numpy().mean())
        constant = len(constant_columns(table)) if len(table) > 1 else 0
        rows[m] = (cohort.kinds[m], *table.shape, missing, constant, cohort.unmatched[m])
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    return table.rename_axis("modality")


def missing_table(cohort: Cohort) -> pd.DataFrame:
    """One row per column with missing values, most of them first in each modality.

    Columns ``modality``, ``column``, ``missing``: patients who have the modality and no value, and
    ``patients`` who have the modality.
    """
    cohort, rows = last_rows(cohort), []
    for m, table in cohort.modalities.items():
        gaps = table.isna().sum().sort_values(ascending=False, kind="stable")
        rows += [(m, column, count, len(table)) for column, count in gaps[gaps > 0].items()]
    return pd.DataFrame(rows, columns=["modality", "column", "missing", "patients"])


def pattern_table(cohort: Cohort) -> pd.DataFrame:
    """One row per pattern of present modalities, most frequent first: booleans and ``patients``."""
    counts = last_rows(cohort).presence.value_counts(sort=False).rename("patients").reset_index()
    return counts.sort_values("patients", ascending=False, kind="stable", ignore_index=True)


def robust_z(table: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Robust z-score ``(x - median) / (1.4826 MAD)`` of each numeric column; counts as log2(x + 1).

    A column whose median absolute deviation is 0 (codes, mostly-zero counts) has no scale and gives NaN.
    """
    x = table[[c for c in table if is_numeric(table[c])]]
    if kind in ("binary", "five_state", "categorical"):
        x = x.iloc[:, :0]
    x = np.log2(x + 1) if kind == "counts" else x
    deviation = x - x.median()
    scale = _MAD * deviation.abs().median()
    return deviation / scale.where(scale > 0)


def outlier_table(cohort: Cohort, *, beyond: float = FAR) -> pd.DataFrame:
    """Cells whose robust z-score is beyond ±``beyond``, one row per patient and modality.

    Columns: ``modality``, ``patient``, ``cells`` (number of outliers), ``share`` (of the modality's
    features), and the most extreme cell: ``feature``, ``value``, ``z``. Rows with most cells come first.
    """
    cohort, rows = last_rows(cohort), []
    for m, table in cohort.modalities.items():
        z = robust_z(table, cohort.kinds[m])
        far = z.abs() > beyond
        for patient, cells in far.sum(axis=1)[lambda n: n > 0].items():
            feature = z.loc[patient].abs().idxmax()
            worst = feature, table.at[patient, feature], z.at[patient, feature]
            rows.append((m, patient, cells, cells / z.shape[1], *worst))
    columns = ["modality", "patient", "cells", "share", "feature", "value", "z"]
    found = pd.DataFrame(rows, columns=columns)
    return found.sort_values(["cells", "share"], ascending=False, kind="stable", ignore_index=True)
