"""Matrices of features × samples in text files, and their conversion to modalities."""

from collections.abc import Collection, Mapping

import pandas as pd

from jaxsurv.data.delimited import Lines, read_table
from jaxsurv.data.identifiers import one_row_per_gene, patients_of
from jaxsurv.data.raw_scale import is_raw_scale
from jaxsurv.data.tables import to_float
from jaxsurv.types import InputError


def read_matrix(lines: Lines, names: Collection[str] = ()) -> pd.DataFrame:
    """Read numbers ``[features, samples]`` from tab-separated text.

    Args:
        lines: lines from the header on, see `read_table`.
        names: columns that may name the features (the first one with any value is used; all are
            left out of the matrix); none = the first column.

    Raises:
        InputError: a table that `read_table` refuses; one without a value; a cell that is no number, with its
            row and column.
    """
    frame = read_table(lines)
    header = list(frame.columns)
    there = [c for c in names if c in header] or header[:1]
    if len(there) == len(header):
        raise InputError("holds no numbers; is it a tab-separated matrix of features × samples?")
    features = next((frame[c] for c in there if frame[c].notna().any()), frame[there[0]])
    if pd.api.types.is_float_dtype(features):  # Entrez numbers with gaps
        features = features.astype("Int64")
    frame = frame.drop(columns=there).set_axis(features.astype("string").fillna(""), axis=0)
    if frame.isna().to_numpy().all():
        raise InputError("has no value; fill it, or take the file out of the folder")
    return as_numbers(frame).rename_axis(index=None, columns=None)


def as_numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """Convert all columns to float64.

    Raises:
        InputError: a cell that is no number or infinite, with its row and column; a column of text.
    """
    for name, column in frame.select_dtypes(exclude=["number", "bool"]).items():
        text = column.dropna()
        if len(text) and pd.to_numeric(text, errors="coerce").isna().all():
            raise InputError(
                f"column {name!r} holds text alone, such as {text.iloc[0]!r}; take it out, or give the "
                "numbers that were measured (with decimal points)"
            )
    return to_float(frame.rename_axis(index="row"), "", "correct or empty it")


def as_modality(
    matrix: pd.DataFrame, label: str, patients: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Table ``[patients, features]`` from ``[features, samples]``, one sample per patient.

    Args:
        matrix: result of ``read_matrix``; several rows of one gene become one, see ``one_row_per_gene``.
        label: name of the file in warnings.
        patients: sample to patient, if the source tells.
    """
    chosen = patients_of(matrix.columns, label, patients=patients)
    matrix = one_row_per_gene(matrix[list(chosen)], label).set_axis(chosen.index, axis=1)
    return matrix.dropna(how="all").T


def measured_kind(table: pd.DataFrame) -> str | None:
    """Kind ``counts`` for values on the scale of counts or intensities; None = to be inferred."""
    return "counts" if is_raw_scale(table) else None
