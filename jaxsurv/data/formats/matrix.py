"""Matrices of features × samples in text files, and their conversion to modalities."""

import csv
import gzip
import warnings
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TextIO

import pandas as pd

from jaxsurv.data.identifiers import one_row_per_gene, patients_of
from jaxsurv.data.readers import EXACT
from jaxsurv.data.tables import few, is_raw_scale, refuse_repeated, to_float
from jaxsurv.types import InputError


def open_text(path: Path) -> TextIO:
    """Open a text file, compressed or not; its name does not matter."""
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    opened = gzip.open if zipped else open
    return opened(path, "rt", encoding="utf-8-sig", newline="")  # type: ignore[return-value]


def read_header(handle: TextIO) -> list[str]:
    """Read the cells of the next line."""
    return next(csv.reader([handle.readline()], delimiter="\t"), [])


def read_matrix(handle: TextIO, names: Collection[str] = ()) -> pd.DataFrame:
    """Read numbers ``[features, samples]`` from tab-separated text.

    Args:
        handle: file, open at the header; lines that begin with ``!`` are skipped, as GEO needs.
        names: columns that may name the features (the first one with any value is used; all are
            left out of the matrix); none = the first column.

    Raises:
        InputError: repeated samples; rows longer than the header, as R writes them, since columns cannot
            be matched without a guess; a cell that is no number, with its row and column.
    """
    header = read_header(handle)
    refuse_repeated(pd.Index(header), "duplicate columns")
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)  # it would drop the last column
        try:
            frame = pd.read_csv(
                handle,
                sep="\t",
                names=header,
                comment="!",
                low_memory=False,
                index_col=False,
                **EXACT,
            )
        except pd.errors.ParserWarning as error:
            raise InputError(
                f"rows have more cells than the header ({few(header, 3)}); name the first column too"
            ) from error
    there = [c for c in names if c in header] or header[:1]
    if len(there) == len(header) or frame.empty:
        raise InputError("holds no numbers; is it a tab-separated matrix of features × samples?")
    features = next((frame[c] for c in there if frame[c].notna().any()), frame[there[0]])
    if pd.api.types.is_float_dtype(features):  # Entrez numbers with gaps
        features = features.astype("Int64")
    frame = frame.drop(columns=there).set_axis(features.astype("string").fillna(""), axis=0)
    return as_numbers(frame).rename_axis(index=None, columns=None)


def as_numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """Convert all columns to float64.

    Raises:
        InputError: a cell that is no number or infinite, with its row and column.
    """
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
