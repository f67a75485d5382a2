"""Outcomes in the forms that people have them, and with the features one checked cohort."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from jaxsurv.data import Cohort
from jaxsurv.data.names import hint
from jaxsurv.data.survival_table import STRATUM
from jaxsurv.data.tables import few, is_numeric, plain_column
from jaxsurv.estimators.cause_codes import Codes, of_cause
from jaxsurv.estimators.inputs import (
    Modalities,
    Patients,
    check_modalities,
    has_names,
    is_mudata,
    read_patients,
)
from jaxsurv.estimators.outcome_columns import outcome_columns
from jaxsurv.estimators.patient_rows import (
    OUTCOME,
    PATIENT,
    checked_outcome,
    mask_of_rows,
    refuse_from,
    rows_of_patients,
)
from jaxsurv.survival.causes import check_codes
from jaxsurv.survival.validation import check_event
from jaxsurv.types import InputError

_EVENT_FIX = (
    "give True where the event was observed, such as status == 'dead', or numbers by .astype(int)"
)


def labelled_cohort(
    X: Any,
    y: Any,
    modalities: Modalities | None,
    kinds: Mapping[str, str],
    *,
    unlabelled: bool,
    codes: Codes = Codes(),
) -> tuple[Cohort, str]:
    """Features and outcome as a cohort, whose rows are those of X, and the endpoint's name.

    Args:
        X, modalities: see `read_patients`.
        kinds: modality to its kind, see :class:`jaxsurv.data.Cohort`; a cohort keeps its own.
        y: see `read_outcome`; for a cohort the name of an endpoint, or None if it has one.
        unlabelled: keep patients without an outcome; not of a cohort whose patients have several rows.
        codes: codes that events may have; the cohort is then of the cause that risks are of.

    Raises:
        InputError: patients without an outcome, unless they are kept; modalities of X that has them; what a
            :class:`jaxsurv.data.Cohort` refuses.
    """
    if modalities is not None:
        if isinstance(X, Cohort) or is_mudata(X):
            raise InputError(
                "modalities name the columns of one table, and X has its modalities already: leave them out; "
                "to train on some of X, give these tables alone, such as Cohort({'rna': rna}, survival); two "
                "that attend to each other are CoxMTConfig(sources=('rna', 'slides'))"
            )
        check_modalities(modalities)
    if isinstance(X, Cohort):
        endpoint = _endpoint(X, y)
        X = of_cause(X, endpoint, codes)
        labelled = X.for_endpoint(endpoint)
        return (X if unlabelled and X.patients is None else labelled), endpoint
    patients = read_patients(X, modalities)
    if modalities is not None and not isinstance(X, Mapping):
        given = [c for columns in modalities.values() for c in columns]
        there = {c for table in patients.tables.values() for c in table.columns}
        if absent := [c for c in given if c not in there]:
            raise InputError(f"modalities name the columns {few(absent)}, which X does not have")
    outcome = read_outcome(y, patients, codes.causes)
    refuse_from(patients)
    tables = patients.tables
    if PATIENT in outcome:
        tables, outcome = rows_of_patients(patients, outcome)
    names = [str(k + 1) for k in range(codes.causes)]
    causes = {OUTCOME: names} if codes.causes > 1 else {}
    cohort = of_cause(Cohort(tables, outcome, dict(kinds), causes=causes), OUTCOME, codes)
    if not unlabelled:
        refuse_unlabelled(outcome.index[outcome[f"{OUTCOME}_time"].isna()], "X")
    return cohort, OUTCOME


def rows_to_fit(
    X: Any, where: Any, cohort: Cohort, endpoint: str, unlabelled: bool
) -> tuple[Cohort, str, np.ndarray]:
    """The cohort, the endpoint, and ``[n]`` booleans: the labelled patients to fit to.

    Args:
        X, cohort: what was given, and the cohort of `labelled_cohort`.
        where: see `mask_of_rows`; None = all.
        endpoint: name of the endpoint.
        unlabelled: patients without an outcome train where ``where`` is True; else they are left out.
    """
    rows = ~np.isnan(outcome_of(cohort, endpoint)[1])
    if where is None:
        return cohort, endpoint, rows
    where = mask_of_rows(where, X, cohort)
    if not unlabelled and not isinstance(X, Cohort):
        refuse_unlabelled(cohort.survival.index[where & ~rows], "X[where]")
    kept = rows | where if unlabelled else rows
    return cohort.take(kept), endpoint, (rows & where)[kept]


def refuse_unlabelled(patients: pd.Index, where: str) -> None:
    """Refuse patients without an outcome; ``where`` they are."""
    if len(patients):
        raise InputError(
            f"{len(patients)} patients in {where} have no outcome: {few(patients)}; leave them out (CoxMT "
            "learns from them as well)"
        )


def _endpoint(cohort: Cohort, y: Any) -> str:
    if y is None and len(cohort.endpoints) == 1:
        return cohort.endpoints[0]
    if not isinstance(y, str):
        raise InputError(
            f"give the name of an endpoint as y; the cohort has {few(cohort.endpoints)}"
        )
    return y


def outcome_of(
    cohort: Cohort, endpoint: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Event, time, entry and stratum of all patients, each ``[n]``, NaN where there is no outcome."""
    table, entry = cohort.survival, f"{endpoint}_entry"
    event, time = (table[f"{endpoint}_{c}"].to_numpy(float) for c in ("event", "time"))
    strata = None if cohort.strata is None else cohort.strata.to_numpy(object)
    return event, time, table[entry].to_numpy(float) if entry in table else None, strata


class Labelled(NamedTuple):
    """Patients whose outcome is known.

    Attributes:
        patients: their tables, and their names.
        event, time: ``[n]``.
        strata: ``[n]`` labels, or None.
        entry: ``[n]``, or None.
    """

    patients: Patients
    event: np.ndarray
    time: np.ndarray
    strata: np.ndarray | None
    entry: np.ndarray | None


def with_outcome(X: Any, y: Any, patients: Patients, codes: Codes) -> Labelled:
    """The patients whose outcome is known.

    Args:
        X, y: a cohort and the name of an endpoint, or anything and its outcome, see `read_outcome`.
        patients: those of X; a few need not make a cohort.
        codes: codes that events may have; the events are those of the cause that risks are of.
    """
    if isinstance(X, Cohort):
        event, time, entry, strata = outcome_of(X, y)
    else:
        outcome, late = read_outcome(y, patients, codes.causes), f"{OUTCOME}_entry"
        code, time = outcome.iloc[:, :2].to_numpy(float).T
        event = np.where(np.isnan(code), np.nan, code == codes.cause)
        entry = outcome[late].to_numpy(float) if late in outcome else None
        strata = outcome[STRATUM].to_numpy(object) if STRATUM in outcome else None
    known = ~np.isnan(time)
    if not known.any():
        raise InputError(f"none of the {len(known)} patients has an outcome; C needs some")
    patients = patients._replace(names=patients.names[known])
    strata, entry = (None if a is None else a[known] for a in (strata, entry))
    return Labelled(patients, event[known], time[known], strata, entry)


def read_outcome(y: Any, patients: Patients, causes: int | None = 1) -> pd.DataFrame:
    """The survival table of the patients, in their order.

    Args:
        y: a structured array with one boolean and one float field; a table with columns ``event``
            and ``time``, or one pair ``<endpoint>_event``, ``<endpoint>_time``; or a pair of arrays
            ``(event, time)``. A DataFrame or structured array may have ``entry`` or ``<endpoint>_entry``,
            delayed entry, ``stratum``, and ``patient``, where patients have several rows.
            Rows are matched by name if both have names (an index that is not 0, 1, ...), else by order,
            unless they share labels that are not in the same rows.
        patients: those of X.
        causes: number of causes, whose codes 1, 2, ... events may have in the place of 1; None = any number.

    Returns:
        columns ``outcome_event`` and ``outcome_time``, both missing where there is no outcome, and
        ``outcome_entry``, ``stratum`` and ``patient`` where these were given.

    Raises:
        InputError: an unknown form, unequal lengths, patients without a row in y, events that
            are not 0/1 or codes of causes, times and events in each other's place; rows of a patient
            without an entry, or that :func:`jaxsurv.data.row_checks.check_rows` refuses.
    """
    event, time, entry, stratum, patient = outcome_columns(y)
    events, times = _numbers(event, "event", _EVENT_FIX), _times(time)
    if causes == 1:
        _check_events(events, times)
    else:
        _check_codes(events, causes)
    if getattr(getattr(event, "dtype", None), "kind", "") == "b":
        # a structured array has no missing boolean: without a time there is no outcome
        events = np.where(np.isnan(times) & (events == 0), np.nan, events)
    columns = {f"{OUTCOME}_event": events, f"{OUTCOME}_time": times}
    if entry is not None:
        columns[f"{OUTCOME}_entry"] = _times(entry)
    if stratum is not None:
        columns[STRATUM] = np.asarray(stratum, object)
    if patient is not None and pd.Index(np.asarray(patient)).has_duplicates:
        columns[PATIENT] = np.asarray(patient, object)
    table = pd.DataFrame(columns)
    names, index = patients.names, getattr(event, "index", None)
    if index is not None and has_names(index) and patients.named:
        table = table.set_axis(index.astype(str), axis=0)
        if table.index.has_duplicates:
            twice = table.index[table.index.duplicated()].unique()
            raise InputError(f"y has several rows for patient {few(twice)}; keep one of each")
        if len(absent := names[~names.isin(table.index)]):
            raise InputError(
                f"{len(absent)} patients in X are not in y: {few(absent)}{hint(absent, table.index)}; leave "
                "them out of X, or check the names"
            )
        return _checked(table.loc[names], causes)
    if not patients.ordered:
        raise InputError(
            "the tables of X have different patients, or in different orders, so y must name them: give a "
            "DataFrame with the patients as its index, or a pair of such Series"
        )
    if len(table) != len(names):
        raise InputError(f"X has {len(names)} patients and y has {len(table)}; needs as many")
    if index is not None and patients.labelled:
        labels = index.astype(str)
        if not labels.equals(names) and labels.isin(names).any():
            raise InputError(
                f"X and y share row labels, in other rows ({few(names, 3)} against {few(labels, 3)}): if "
                "they belong together by label, give y.loc[X.index], if by order y.set_axis(X.index)"
            )
    return _checked(table.set_axis(names, axis=0), causes)


def _checked(table: pd.DataFrame, causes: int | None) -> pd.DataFrame:
    """The checked outcome, with the patients of the rows as its last column where they are given."""
    if causes == 1:
        return checked_outcome(table)
    codes = table[f"{OUTCOME}_event"]
    happened = (codes > 0).astype(float).where(codes.notna())
    plain = checked_outcome(table.assign(**{f"{OUTCOME}_event": happened}))
    return plain.assign(**{f"{OUTCOME}_event": codes})


def _numbers(values: Any, what: str, fix: str) -> np.ndarray:
    """``[n]`` floats, NaN where missing, of any dtype that holds numbers, booleans or durations (days)."""
    column = plain_column(pd.Series(values).rename_axis("row").rename(what), "y")
    if not is_numeric(column):
        text = column[column.map(lambda v: isinstance(v, str))]
        raise InputError(
            f"{what} in y is text, such as {text.iloc[0]!r} in row {text.index[0]}; {fix}"
        )
    return column.to_numpy(float, na_value=np.nan)


def _times(time: Any) -> np.ndarray:
    return _numbers(time, "time", "give times as numbers, such as days since diagnosis")


def _check_codes(values: np.ndarray, causes: int | None) -> None:
    rows = np.flatnonzero(~np.isnan(values))
    codes = check_codes("event in y", np.where(np.isnan(values), 0, values))[rows]
    if causes is not None and (beyond := codes > causes).any():
        raise InputError(
            f"event in y has the code {codes[beyond][0]} in row {rows[beyond][0]}, and the model has "
            f"causes={causes}: set causes in its config to the number of causes, or drop codes that mean "
            "unknown"
        )


def _check_events(values: np.ndarray, times: np.ndarray) -> None:
    known = values[~np.isnan(values)]
    if other := sorted(set(known) - {0.0, 1.0}):
        codes = set(times[~np.isnan(times)])
        if len(codes) == 2 and codes <= {0.0, 1.0, 2.0}:
            why = "events and times look swapped: the order is (event, time)"
            raise InputError(f"event in y has the value {other[0]:g}; {why}")
        check_event(np.where(np.isnan(values), known[0], values))
