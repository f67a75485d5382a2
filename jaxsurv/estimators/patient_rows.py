"""Outcomes of rows that name their patients, of whom each may have several."""

# pandas' own types cannot tell frame[name], a Series, from frame[names].
# pyright: reportArgumentType=false, reportReturnType=false

from typing import Any

import numpy as np
import pandas as pd

from jaxsurv.data import Cohort
from jaxsurv.data.patient_rows import FROM
from jaxsurv.data.row_checks import checked_patients
from jaxsurv.data.survival_table import clean_survival
from jaxsurv.estimators.inputs import Patients
from jaxsurv.types import InputError

OUTCOME = "outcome"  # the endpoint of a cohort that is made of X and y
PATIENT = "patient"  # the column of y that names the patients of rows


def checked_outcome(table: pd.DataFrame) -> pd.DataFrame:
    """The checked outcome, with the patients of the rows as its last column where they are given."""
    if PATIENT not in table:
        return clean_survival(table)
    if f"{OUTCOME}_entry" not in table:
        raise InputError(
            "y has several rows of one patient and no entry; a row holds from its entry to its time"
        )
    survival = clean_survival(table.drop(columns=PATIENT))
    return survival.assign(**{PATIENT: checked_patients(table[PATIENT], survival).astype(str)})


def rows_of_patients(
    patients: Patients, outcome: pd.DataFrame
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Tables and outcome as a cohort of patients with several rows has them.

    The rows of all tables are those of the outcome, whose entry says from when their values hold.
    """
    if not patients.ordered:
        raise InputError(
            "rows of a patient are matched by their order, and the tables of X have different rows; give a "
            "Cohort, whose tables say from when their values hold"
        )
    who = pd.Index(outcome[PATIENT], name="patient")
    since, tables = outcome[f"{OUTCOME}_entry"].to_numpy(), {}
    for m, table in patients.tables.items():
        tables[m] = table.set_axis(who, axis=0).assign(**{FROM: since})
    return tables, outcome.drop(columns=PATIENT).set_axis(who, axis=0)


def refuse_from(patients: Patients) -> None:
    """Refuse a table of X with the column by which a cohort knows from when values hold."""
    if any(FROM in table for table in patients.tables.values()):
        raise InputError(
            f"X has a column {FROM!r}; when values change, the entry of a row in y says from when they hold "
            "(with entry and patient), or give a Cohort; a feature needs another name"
        )


def mask_of_rows(where: Any, X: Any, cohort: Cohort) -> np.ndarray:
    """``[n]`` booleans, the rows of the cohort to fit to.

    Raises:
        InputError: another type or length; rows of X that the cohort does not have one by one.
    """
    if cohort.patients is not None and not isinstance(X, Cohort):
        raise InputError(
            "where cannot be given with y that names patients; leave the other patients out of X and y, or "
            "give a Cohort and a mask over the rows of its survival table"
        )
    where, n = np.asarray(where), len(cohort.survival)
    if where.dtype != bool or where.shape != (n,):
        raise InputError(
            f"where must be {n} booleans, one per patient with a row in X, got "
            f"{where.dtype} of shape {where.shape}"
        )
    return where
