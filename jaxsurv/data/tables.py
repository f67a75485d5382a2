"""Checks of a table of features: rows named by patients, cells that fit the kind."""

# pandas' own types cannot tell frame[name], a Series, from frame[names].
# pyright: reportArgumentType=false, reportReturnType=false, reportAssignmentType=false

import sys
import warnings
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from jaxsurv.data.raw_scale import refuse_logarithms, refuse_raw_scale
from jaxsurv.types import InputError

KINDS = ("continuous", "counts", "five_state", "binary", "categorical", "mixed")
_CODES = {"binary": (0, 1), "five_state": (-2, -1, 0, 1, 2)}
_NUMBERS = (Real, Decimal, np.bool_)
# Cells that are missing; "None" may be an answer, for example to "treatment".
MISSING = ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NULL", "null")
MANY_NUMBERS = 10  # distinct numbers; a column with more is no code


class DataWarning(UserWarning):
    """Data that can be analysed but deserves a look, such as constant features."""


def warn(message: str, category: type[Warning] = DataWarning) -> None:
    """Give a warning that points to the line outside this package by which it came about."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").startswith("jaxsurv."):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def warn_of(told: Mapping[str, Mapping[Any, str]]) -> None:
    """One `DataWarning` per kind of finding that there is: what it is, and the places where it was found."""
    for what, found in told.items():
        if found:
            warn(f"{what}: {'; '.join(found.values())}")


def refuse_repeated(names: pd.Index, what: str, fix: str = "keep one of each") -> None:
    """Raise for names that are there more than once.

    Raises:
        InputError: the names, as ``what NAMES; fix``.
    """
    if names.has_duplicates:
        raise InputError(f"{what} {few(names[names.duplicated()].unique())}; {fix}")


def few(items: object, limit: int = 5) -> str:
    """List a few items: ``a, b, c and 4 more``."""
    names = [str(i) for i in np.asarray(items, dtype=object)]
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def refuse_cells(bad: pd.DataFrame, frame: pd.DataFrame, label: str, what: str, fix: str) -> None:
    """Raise for the first cell where ``bad`` is True.

    Raises:
        InputError: the cell, as ``label: what VALUE in column, patient; fix``. Rows are patients unless
            the index has another name; an empty label is left out.
    """
    cells = np.argwhere(bad.to_numpy())
    if len(cells):
        row, column = cells[0]
        value = frame.iat[row, column]
        shown = repr(value) if isinstance(value, str) else f"{value}"
        more = f" (and {len(cells) - 1} more cells)" if len(cells) > 1 else ""
        name = frame.index.astype(object)[row]
        raise InputError(
            f"{label}{': ' if label else ''}{what} {shown} in column {frame.columns[column]!r}, "
            f"{frame.index.name or 'patient'} {name!r}{more}; {fix}"
        )


def _without_text(frame: pd.DataFrame) -> bool:
    return all(map(is_numeric, frame.dtypes))


def _numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """Convert to float64, with NaN for text; column by column only if there may be text."""
    if not _without_text(frame):
        frame = frame.apply(pd.to_numeric, errors="coerce")
    return frame.astype("float64")


def to_float(frame: pd.DataFrame, label: str, fix: str) -> pd.DataFrame:
    """Convert all columns to float64; text that is no number is refused, not turned into NaN."""
    numeric = _numbers(frame)
    if not _without_text(frame):
        refuse_cells(numeric.isna() & frame.notna(), frame, label, "the non-numeric value", fix)
    refuse_cells(
        pd.DataFrame(np.isinf(numeric)), frame, label, "the infinite value", "leave it empty"
    )
    return numeric


def refuse_codes(frame: pd.DataFrame, codes: tuple[int, ...], label: str, fix: str = "") -> None:
    bad = frame.notna()
    for code in codes:  # a loop is much faster than isin
        bad &= frame != code
    fix = fix or f"the codes are {few(codes)}" + "; see jaxsurv.data.five_states" * (-2 in codes)
    refuse_cells(bad, frame, label, "the value", fix)


def to_text(column: pd.Series) -> pd.Series:
    """Categories as text with NaN where missing; 2, 2.0, "2" and "2 " are one category."""
    if pd.api.types.is_float_dtype(column) and np.all(column.dropna() % 1 == 0):
        column = column.astype("Int64")
    text = column.astype(object).map(lambda v: str(v).strip(), na_action="ignore")
    return text.where(column.notna() & (text != ""), np.nan)


is_numeric = pd.api.types.is_numeric_dtype  # of a column that `plain_column` has read


def plain_column(column: pd.Series, label: str) -> pd.Series:
    """Column as numbers or as text, whatever its type: objects, nullable, Arrow, categories.

    Numbers, decimals and booleans that are stored as objects become float64; durations become days.

    Raises:
        InputError: a date, a list, bytes or another value that is neither a number nor text, with
            ``label``, column and patient.
    """
    if column.dtype.kind in "biuf" and not isinstance(column.dtype, pd.SparseDtype):
        return column
    cells = column.astype(object)
    cells = cells.where(cells.notna(), np.nan)
    known = cells[cells.notna()]
    if len(known) and all(isinstance(v, timedelta | np.timedelta64) for v in known):
        return pd.to_timedelta(cells) / pd.Timedelta(days=1)
    number = known.map(lambda v: isinstance(v, _NUMBERS))
    if number.all():
        return cells.astype("float64")
    text = known.map(lambda v: isinstance(v, str))
    bad = ~(number | text).reindex(cells.index, fill_value=True)
    fix = "give a number or text; for a date the days since diagnosis, for example"
    refuse_cells(bad.to_frame(), cells.to_frame(), label, "the value", fix)
    return cells


def with_text_names(frame: pd.DataFrame, label: str = "X") -> pd.DataFrame:
    """Table with patient names as text; values are not copied.

    Raises:
        InputError: a name that is missing or blank, with ``label`` and the row.
    """
    if frame.index.nlevels > 1:
        raise InputError(
            f"rows need one name each, not {frame.index.nlevels} (first row: {frame.index[0]}); in a file "
            "they may have more cells than the header: check the separator"
        )
    frame = frame.copy(deep=False)
    names = frame.index
    text = names.dtype == object and names.inferred_type == "string"
    if not text:  # otherwise keep the index object, and what pandas has cached in it
        frame.index = names.astype(str)
    unnamed = names.isna() | frame.index.str.strip().isin(MISSING)
    if unnamed.any():
        rows = np.flatnonzero(unnamed) + 1
        raise InputError(
            f"{label} has rows without a patient name: row {few(rows)}, named "
            f"{str(frame.index[rows[0] - 1])!r}; name or drop them"
        )
    return frame


def clean_rows(frame: pd.DataFrame, label: str) -> pd.DataFrame:
    """Table with names of patients and features as text; values are not copied.

    Raises:
        InputError: a table without columns, repeated or missing names of rows and columns, a cell that
            `plain_column` refuses.
    """
    if not isinstance(frame, pd.DataFrame):
        raise InputError(f"{label} must be a pandas DataFrame, got {type(frame).__name__}")
    if not frame.shape[1]:
        raise InputError(f"{label} has no columns beside the patient names; check the separator")
    if frame.columns.nlevels > 1:
        raise InputError(
            f"{label}: columns need one name each, not {frame.columns.nlevels}; give one table per modality, "
            "such as frame['rna']"
        )
    frame = with_text_names(frame, label)
    frame.index = frame.index.rename("patient")
    frame.columns = frame.columns.astype(str).rename(None)
    rows = "keep one of each, or name copies apart (in a file, the first column is the name)"
    for what, names, fix in (
        ("patients", frame.index, rows),
        ("columns", frame.columns, "keep one of each"),
    ):
        refuse_repeated(names, f"{label} has duplicate {what}:", fix)
    if all(kind.kind in "biuf" and isinstance(kind, np.dtype) for kind in frame.dtypes):
        return frame
    columns = {name: plain_column(frame[name], label) for name in frame.columns}
    return pd.DataFrame(columns, frame.index).set_axis(frame.columns, axis=1)


def infer_kind(frame: pd.DataFrame, label: str) -> str:
    """Infer the kind of an undeclared modality. ``counts`` is never guessed: it must be declared.

    Any text column makes the table ``mixed``; values in {0, 1} ``binary``; whole values in -2..2,
    some negative, ``five_state``; anything else ``continuous``.

    Raises:
        InputError: a column that is text because of a few cells only: a typo, or a code for "missing".
    """
    numbers = _numbers(frame)
    text = frame.notna() & numbers.isna()
    if text.to_numpy().any():
        typo = text.sum() < 0.1 * frame.notna().sum()
        fix = "correct or empty it, or declare the modality's kind"
        refuse_cells(text & typo, frame, label, "among numbers, the text", fix)
        return "mixed"
    values = numbers.to_numpy()[numbers.notna()]
    if np.isin(values, _CODES["binary"]).all():
        return "binary"
    five = np.isin(values, _CODES["five_state"]).all() and values.min() < 0
    return "five_state" if five else "continuous"


def clean_modality(name: str, frame: pd.DataFrame, kind: str | None) -> tuple[pd.DataFrame, str]:
    """Check one modality; returns it as float64 (text columns as objects) with its kind.

    Patients without a single value do not have the modality and are left out. Continuous data on
    the scale of counts (see :func:`jaxsurv.data.raw_scale.is_raw_scale`) are refused, unless they are
    declared continuous and not whole numbers: in a linear method the largest values would dominate.

    Args:
        name: name of the modality in messages.
        frame: ``[patients, features]``, index = patient names.
        kind: one of ``KINDS``, or None to infer it.

    Raises:
        InputError: duplicate patients or columns, an unknown kind, or a cell that does not fit it,
            naming the column, the patient and the value.
    """
    label = f"modality {name!r}"
    frame = clean_rows(frame, label)
    declared = kind is not None
    kind = kind if kind is not None else infer_kind(frame, label)
    label = f"{label} ({kind})"
    if kind not in KINDS:
        raise InputError(f"modality {name!r} has the unknown kind {kind!r}; use {few(KINDS, 9)}")
    if kind == "categorical":
        frame = frame.apply(to_text)
    elif kind == "mixed":
        numeric = [c for c in frame.columns if is_numeric(frame[c])]
        floats = to_float(frame[numeric], label, "")
        _refuse_numbers_as_text(frame.drop(columns=numeric), label)
        frame = frame.apply(lambda c: floats[c.name] if c.name in floats else to_text(c))
    else:
        fix = "correct or empty it, or declare the modality as 'mixed'"
        frame = to_float(frame, label, fix)
        if kind == "counts":
            fix = "counts are >= 0: set what is below a background to 0, or declare log-scale data as "
            fix += "'continuous'"
            refuse_cells(frame < 0, frame, label, "the negative value", fix)
            refuse_logarithms(frame, label)
        elif kind in _CODES:
            refuse_codes(frame, _CODES[kind], label)
        elif not frame.empty:
            refuse_raw_scale(frame, label, name, declared)
    return frame.dropna(how="all"), kind


def _refuse_numbers_as_text(frame: pd.DataFrame, label: str) -> None:
    """Refuse text columns with over ten numbers and fewer words: each number would be a category."""
    number = frame.apply(_as_number).notna()
    word = frame.notna() & ~number
    numbers, words = frame[number].nunique(), frame[word].nunique()
    offending = word | (number & ~word.any())  # without a word, numbers stored as text
    bad = offending & (numbers > MANY_NUMBERS) & (numbers > words)
    fix = (
        "correct or empty it, give numbers as numbers with a decimal point, or move the column to a "
        "'categorical' modality"
    )
    refuse_cells(bad, frame, label, "among many numbers, the text", fix)


def _as_number(column: pd.Series) -> pd.Series:
    """Numbers or NaN; text may have commas, for decimals or thousands."""
    plain = column.map(lambda v: v.replace(",", "") if isinstance(v, str) else v)
    return pd.to_numeric(plain, errors="coerce")


def constant_columns(frame: pd.DataFrame) -> list[str]:
    """Columns with one distinct value among those present."""
    return [c for c, distinct in frame.nunique().items() if distinct == 1]
