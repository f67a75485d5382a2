"""Tables of patients in a folder: text, Parquet, and arrays with a list of patients beside them."""

from collections.abc import Container
from pathlib import Path
from typing import TextIO

import numpy as np
import pandas as pd

from jaxsurv.data.delimited import by_first_column, read_table
from jaxsurv.data.files import (
    WORKBOOKS,
    naming,
    open_text,
    require_arrays,
    require_file,
    require_folder,
    save_sheet,
)
from jaxsurv.data.problems import refuse_all
from jaxsurv.data.safe_text import as_named
from jaxsurv.data.tables import MISSING, warn
from jaxsurv.types import InputError

_TEXT = {".csv": ",", ".csv.gz": ",", ".tsv": "\t", ".tsv.gz": "\t"}
_SUFFIXES = (*_TEXT, ".parquet", ".npy")
_BESIDE = ("split", "published")  # given splits, and scores of others: no modalities


def tables_in(folder: Path) -> dict[str, Path]:
    """Name to file of every table in the folder.

    Raises:
        InputError: no folder; tables that are there twice.

    Warns:
        DataWarning: arrays without their list of patients, and workbooks, which are not read.
    """
    require_folder(folder)
    found: dict[str, Path] = {}
    problems, unread = [], []
    files = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    for path in files:
        suffix = next((s for s in _SUFFIXES if path.name.lower().endswith(s)), None)
        name = path.name[: -len(suffix or "")]
        if suffix is None or name.lower() in _BESIDE:
            continue
        if suffix == ".npy" and not _patients_file(path).exists():
            unread.append(
                f"{path.name}, whose rows need {_patients_file(path).name}, a name a line"
            )
        elif name in found:
            problems.append(f"{folder} has both {found[name].name} and {path.name}; keep one")
        else:
            found[name] = path
    refuse_all(problems)
    if unread:
        warn(f"{folder}: not read: {'; '.join(unread)}")
    warn_of_workbooks(folder, found)
    return found


def warn_of_workbooks(folder: Path, found: Container[str] = ()) -> None:
    """Warn of Excel workbooks in a folder whose sheets are not among the tables ``found``."""
    books = (p for p in sorted(folder.iterdir()) if p.suffix.lower() in WORKBOOKS)
    if unread := [p for p in books if p.stem not in found and p.name[0] not in ".~"]:
        told = "; ".join(f"{p.name}: {save_sheet(p)}" for p in unread)
        warn(f"{folder}: Excel workbooks are not read ({told})")


def read_modality(path: Path, kind: str | None) -> pd.DataFrame:
    """Read one table; its index is the patients.

    Args:
        path: text, Parquet or ``.npy`` file, see :func:`jaxsurv.data.read_cohort`.
        kind: kind of the modality, if it is declared: categories of text files stay text.
    """
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return _read_array(path)
    if suffix == ".parquet":
        require_file(path)
        return as_named(read_parquet(path))
    separator = next(sep for end, sep in _TEXT.items() if path.name.lower().endswith(end))
    with open_text(path) as text:
        return as_named(read_cells(text, separator, kind))


def read_cells(text: TextIO, separator: str, kind: str | None) -> pd.DataFrame:
    """Read cells; patient names and declared categories stay text: "007" is not 7."""
    categorical = kind == "categorical"
    frame = read_table(  # pandas' own ``index_col`` ignores the converters
        enumerate(text, 1),
        separator,
        dtype=str if categorical else None,
        converters=None if categorical else {0: str},
        keep_default_na=False,
        na_values=MISSING,
    )
    return by_first_column(frame)


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a Parquet file, whose patients are its index or its first column.

    Raises:
        InputError: pyarrow is not installed; no column.
    """
    try:
        table = pd.read_parquet(path)
    except ImportError as error:
        raise InputError("is a Parquet file; pip install 'jaxsurv[omics]' to read it") from error
    if isinstance(table.index, pd.RangeIndex):
        if table.columns.empty:
            raise InputError("has no column; save the table again")
        table = by_first_column(table)
    return table.set_axis(table.index.map(str))


def _patients_file(path: Path) -> Path:
    """List of the patients of the rows of a ``.npy`` file: ``rna.patients.txt`` of ``rna.npy``."""
    return path.with_name(f"{path.name[:-4]}.patients.txt")


def _read_array(path: Path) -> pd.DataFrame:
    """Table ``[patients, x0, x1, ...]`` of an array."""
    require_arrays(path)
    x = np.load(path, allow_pickle=False)
    if x.ndim != 2 or x.dtype.kind not in "biuf":
        raise InputError(
            f"holds {x.dtype} of shape {list(x.shape)}; a modality is an array [patients, features] of "
            "numbers"
        )
    names = _patients_file(path)
    with naming(names), open_text(names) as text:
        patients = [line.strip() for line in text.read().rstrip().splitlines()]
    if len(patients) != len(x):
        raise InputError(
            f"has {len(x)} rows, and {names.name} {len(patients)} names; give one a row"
        )
    return pd.DataFrame(x, patients, [f"x{j}" for j in range(x.shape[1])])
