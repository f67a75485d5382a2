"""Checks across the tables of a cohort: the same patients, and no outcome among the features."""

# pandas' own types cannot tell frame[name], a Series, from frame[names].
# pyright: reportArgumentType=false, reportReturnType=false, reportAssignmentType=false

from collections.abc import Mapping

import numpy as np
import pandas as pd

from jaxsurv.data.tables import constant_columns, few, warn, warn_of
from jaxsurv.types import InputError

MIN_CARRIERS = 5  # patients needed with each value of a two-valued feature, such as a category
ENOUGH = 20  # patients: as many equal values are no coincidence


def aligned(name: str, table: pd.DataFrame, patients: pd.Index) -> pd.DataFrame:
    """Rows of ``table`` whose patient is in ``patients``, in the order of ``patients``.

    Raises:
        InputError: no patient in common.
    """
    there = patients.isin(table.index)
    if not there.any():
        fix = "check the patient names"
        if table.columns.isin(patients).any():
            fix = "its columns are patients: transpose it"
        raise InputError(
            f"modality {name!r} has no patient in common with the survival table "
            f"({few(table.index, 2) or 'no rows'} against {few(patients, 2) or 'no rows'}); {fix}"
        )
    return table.loc[patients[there]]


def refuse_outcome(m: str, table: pd.DataFrame, survival: pd.DataFrame) -> None:
    """Refuse features that are a copy of the outcome.

    Raises:
        InputError: a column that equals a time or an event in every patient with both values known,
            who are at least ``ENOUGH``.
    """
    numbers = table.select_dtypes("number")
    values = numbers.to_numpy()
    measured = np.isfinite(values)
    for column in survival.columns:
        if column.endswith("_entry"):
            continue
        outcome = survival[column].reindex(table.index).to_numpy()[:, None]
        known = measured & np.isfinite(outcome)
        same = np.all((values == outcome) | ~known, axis=0) & (known.sum(axis=0) >= ENOUGH)
        if same.any():
            raise InputError(
                f"modality {m!r}: column {few(numbers.columns[same])} is the outcome, equal to "
                f"{column} in every patient; leave it out of the features"
            )


def refuse_empty(m: str, table: pd.DataFrame) -> None:
    """Refuse features without a value, and a modality of constant columns.

    Raises:
        InputError: naming the columns.
    """
    if (empty := table.columns[table.isna().all()]).size:
        raise InputError(
            f"modality {m!r}: no patient has a value in column {few(empty)}; drop the column"
        )
    if len(table) < 2 or not constant_columns(table.iloc[:, :1]):  # counting all columns is slow
        return
    if len(constant := constant_columns(table)) == table.shape[1]:
        raise InputError(
            f"modality {m!r}: every column is constant ({few(constant)}); drop the modality"
        )


def joined(m: str, table: pd.DataFrame, survival: pd.DataFrame) -> pd.DataFrame:
    """The rows of `aligned`, checked by `refuse_empty` and `refuse_outcome`."""
    rows = aligned(m, table, survival.index)
    refuse_empty(m, rows)
    refuse_outcome(m, rows, survival)
    return rows


def check_information(tables: Mapping[str, pd.DataFrame]) -> None:
    """Look for features without information.

    Warns:
        DataWarning: constant columns; text columns without a category of ``MIN_CARRIERS`` patients.
    """
    constants, rarities = {}, {}
    for m, table in tables.items():
        if len(table) > 1 and (constant := constant_columns(table)):
            constants[m] = f"{len(constant)} of {table.shape[1]} in {m!r} ({few(constant, 3)})"
        text = table.select_dtypes(exclude="number")
        if rare := [c for c in text.columns if _only_rare(text[c])]:
            rarities[m] = f"{few(rare, 3)} in {m!r} (such as {table[rare[0]].dropna().iloc[0]!r})"
    warn_of(
        {
            "constant features, of no use to models trained on these patients": constants,
            f"text without a category of {MIN_CARRIERS} patients, of no use to models trained on these "
            "patients: no names, dates or remarks are features": rarities,
        }
    )


def check_presence(tables: Mapping[str, pd.DataFrame], survival: pd.DataFrame) -> None:
    """Look for patients with an outcome and without a row in any of ``tables``.

    Warns:
        DataWarning: naming some.
    """
    labelled = survival.index[survival.notna().any(axis=1)]
    without = labelled.difference(pd.Index([]).append([t.index for t in tables.values()]), False)
    if len(without):
        warn(
            f"{len(without)} of {len(labelled)} patients have no modality at all: {few(without)}; they "
            "count, and models give all of them the same risk; leave them out if their data are still to come"
        )


def _only_rare(column: pd.Series) -> bool:
    counts = column.value_counts()
    return int(counts.sum()) >= ENOUGH and counts.iloc[0] < MIN_CARRIERS
