"""Tables of other libraries, read by the names of their columns."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from jaxsurv.data.tables import few, refuse_repeated
from jaxsurv.types import InputError

PATIENT = "patient"  # the column of the names of rows, in tables whose rows have none


def as_frame(table: Any) -> Any:
    """Table with named columns as a DataFrame; anything else as it is.

    Tables of polars, pyarrow, narwhals, modin, cuDF, xarray, AnnData and structured arrays, and any with the
    interchange protocol (``__dataframe__``), are read by name. Those without row labels have
    none here: their rows are 0, 1, ... A table of pyarrow that was made of a DataFrame has its labels.

    Raises:
        InputError: a table that is not computed yet; a column of several values a row.
    """
    table = native(table)
    if isinstance(table, pd.DataFrame | pd.Series | Mapping):
        return table
    if hasattr(type(table), "columns") and (hasattr(table, "collect") or hasattr(table, "compute")):
        raise InputError(
            f"a {type(table).__name__} is not computed yet; call its collect() or compute() first"
        )
    fields = getattr(getattr(table, "dtype", None), "names", None)
    for names in (getattr(table, "column_names", None), getattr(table, "columns", None), fields):
        if isinstance(names, list | tuple) and all(isinstance(name, str) for name in names):
            refuse_repeated(pd.Index(names), "X has several columns named")
            cells = {name: np.asarray(table[name]) for name in names}
            if nested := [name for name, column in cells.items() if column.ndim != 1]:
                raise InputError(
                    f"column {few(nested)} holds several values a row; give each a column of its own"
                )
            return pd.DataFrame(cells)
    for convert in ("to_df", "to_pandas"):
        if hasattr(table, convert):
            return getattr(table, convert)()
    exchanged = hasattr(table, "__dataframe__")
    return pd.api.interchange.from_dataframe(table) if exchanged else table


def native(table: Any) -> Any:
    """Table that one of narwhals wraps, and the DataFrame with its row labels that pyarrow's was made of."""
    table = table.to_native() if hasattr(table, "to_native") else table
    if not hasattr(type(table), "to_pandas"):  # or a lazy table would be asked for its schema
        return table
    of_pandas = getattr(getattr(table, "schema", None), "pandas_metadata", None)
    return table.to_pandas() if of_pandas else table


def has_names(index: pd.Index) -> bool:
    """False for 0, 1, ..., which nobody gave."""
    return not (isinstance(index, pd.RangeIndex) and index.equals(pd.RangeIndex(len(index))))


def with_named_rows(table: Any, label: str) -> Any:
    """DataFrame with the patients as its index, of a table of polars and its like; others as they are.

    Raises:
        InputError: a table whose rows have no names, and no column ``patient``; ``label`` says which table.
    """
    if isinstance(table, pd.DataFrame):
        return table
    frame = as_frame(table)
    if not isinstance(frame, pd.DataFrame) or has_names(frame.index):
        return frame
    if PATIENT not in frame:
        raise InputError(
            f"{label} is a {type(table).__module__.split('.')[0]} table, whose rows have no names: give the "
            f"patients as the column {PATIENT!r}; there are {few(frame.columns)}"
        )
    return frame.set_index(PATIENT)
