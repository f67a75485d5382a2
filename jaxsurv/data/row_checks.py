"""Checks of the rows of patients who have several: in order, without overlap, one event at the end."""

# pandas' own types cannot tell frame[name], a Series, from frame[names].
# pyright: reportArgumentType=false, reportReturnType=false, reportAssignmentType=false

from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd

from jaxsurv.arguments.labels import factorised, labels
from jaxsurv.data.survival_table import STRATUM, endpoint_names
from jaxsurv.data.tables import few, refuse_cells, warn
from jaxsurv.types import InputError

ROUNDING = 1e-9  # relative: times that are equal but for rounding
LABEL = "survival table"


def check_rows(survival: pd.DataFrame, patients: pd.Series) -> pd.DataFrame:
    """The table, with entries that equal the time before but for rounding made equal.

    Args:
        survival: clean survival table with entries; index = names of rows.
        patients: ``[n]`` patient of each row.

    Raises:
        InputError: overlapping rows of a patient; an event before the last row; rows in two strata.

    Warns:
        DataWarning: patients with a gap between two rows.
    """
    code = pd.factorize(patients)[0]
    if STRATUM in survival:
        strata = survival[STRATUM].groupby(patients.to_numpy()).nunique()
        if len(several := strata.index[strata > 1]):
            raise InputError(
                f"{LABEL}: patients with rows in two strata: {few(several)}; a patient is in one: make what "
                "changes a covariate"
            )
    survival = survival.copy()
    for endpoint in endpoint_names(survival.drop(columns=STRATUM, errors="ignore")):
        known = np.flatnonzero(survival[f"{endpoint}_time"].notna())
        columns = [survival[f"{endpoint}_{c}"].to_numpy() for c in ("entry", "time", "event")]
        order = known[np.lexsort((columns[1][known], columns[0][known], code[known]))]
        entry, time, event = (column[order] for column in columns)
        same = code[order][1:] == code[order][:-1]
        near = same & np.isclose(entry[1:], time[:-1], rtol=ROUNDING, atol=0)
        entry[1:] = np.where(near, time[:-1], entry[1:])

        def told(bad: np.ndarray, e=entry, t=time, order=order) -> str:
            k = int(np.flatnonzero(bad)[0])
            first, second = (f"({e[j]:.12g}, {t[j]:.12g}]" for j in (k, k + 1))
            return f"of patient {patients.iloc[order[k]]!r} the rows {first} and {second}"

        if (bad := same & (entry[1:] < time[:-1])).any():
            raise InputError(
                f"{LABEL}: {told(bad)} of {endpoint!r} overlap; a row ends where the next begins"
            )
        if (bad := same & (event[:-1] > 0)).any():
            twice = "both have an event" if (event[1:] > 0)[bad].any() else "the first has an event"
            raise InputError(
                f"{LABEL}: {told(bad)} of {endpoint!r}: {twice}; only the last row of a patient may have "
                "one: events of earlier rows are 0, and of an event that recurs only the first counts"
            )
        if (gap := same & (entry[1:] > time[:-1])).any():
            found = patients.iloc[order[1:][gap]].unique()
            warn(
                f"{len(found)} patients have gaps between their rows of {endpoint!r}: {few(found)}; they are "
                "not at risk there; if they were followed, let a row last until the next"
            )
        survival.iloc[order, survival.columns.get_loc(f"{endpoint}_entry")] = entry
    return survival


def checked_patients(patients: Any, survival: pd.DataFrame) -> pd.Series:
    """Patients of the rows of a clean survival table; raises as `check_rows` does."""
    if len(patients) != len(survival):
        raise InputError(
            f"patients has {len(patients)} labels and the survival table {len(survival)} rows; give one each"
        )
    if isinstance(patients, pd.Series) and not patients.index.equals(survival.index):
        patients = patients.reindex(survival.index)
    patients = pd.Series(np.asarray(patients, object), survival.index, name="patient")
    refuse_cells(
        patients.isna().to_frame(), patients.to_frame(), LABEL, "the missing patient", "name it"
    )
    check_rows(survival, patients)
    return patients


class PatientsOfRows(NamedTuple):
    """The p patients of n rows.

    Attributes:
        number: ``[n]``, number of the patient of each row.
        event: ``[p]`` booleans, whether any row has an event.
        rows: ``[..., p]`` booleans, a mask of patients.
        strata: ``[p]`` labels, or None.
    """

    number: np.ndarray
    event: np.ndarray
    rows: np.ndarray
    strata: np.ndarray | None

    @classmethod
    def of(cls, patient: Any, event: np.ndarray, rows: Any, strata: Any) -> Self:
        """Patients of rows.

        Args:
            patient: ``[n]`` labels.
            event: ``[n]`` booleans.
            rows: ``[..., n]`` booleans, a mask of rows.
            strata: ``[n]`` labels, or None.

        Raises:
            InputError: a mask that holds some rows of a patient and not others, or another number of labels.
        """
        if np.shape(patient) != np.shape(event):
            raise InputError(
                f"patient must be one label per row, {len(event)}, got shape {list(np.shape(patient))}"
            )
        number, names = factorised(labels("patient", patient))
        first = np.unique(number, return_index=True)[1]
        happened = np.bincount(number, event) > 0
        refuse_straddling(rows, number, names)
        own = None if strata is None else np.asarray(strata)[first]
        return cls(number, happened, np.asarray(rows, bool)[..., first], own)


def refuse_straddling(mask: Any, number: np.ndarray, names: Any) -> None:
    """Refuse masks ``[..., n]`` that hold some rows of a patient and not others.

    Args:
        mask: booleans.
        number: ``[n]``, number of the patient of each row.
        names: names of the patients, by number.
    """
    mask = np.atleast_2d(np.asarray(mask, bool))
    first = np.unique(number, return_index=True)[1]
    torn = (mask != mask[..., first][..., number]).any(axis=tuple(range(mask.ndim - 1)))
    if torn.any():
        whose = [names[k] for k in np.unique(number[torn])]
        raise InputError(
            f"some rows of a patient are in a part and others are not: {few(whose)}; deal patients, not "
            "rows: stratified_kfold(event, patient=cohort.patients), or grouped_kfold"
        )
