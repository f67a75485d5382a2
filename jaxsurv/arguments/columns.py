"""Columns and tables of any type as arrays of real numbers; refusals name column, row and value."""

import datetime
from decimal import Decimal
from numbers import Real
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.types import InputError


def is_frame(x: Any) -> bool:
    """True for a table with named columns: pandas, polars, pyarrow."""
    return hasattr(type(x), "columns")  # asked of an instance, pandas would search the row names


def first_rows(bad: np.ndarray, limit: int = 5) -> str:
    """Rows of a mask ``[n]`` in words: ``rows 3, 8``."""
    rows = np.flatnonzero(bad)
    more = f" and {rows.size - limit} more" if rows.size > limit else ""
    return f"{'row' if rows.size == 1 else 'rows'} {', '.join(map(str, rows[:limit]))}{more}"


def first_cells(bad: np.ndarray, x: Any) -> str:
    """Rows of a mask ``[n, ...]`` in words, with the columns of a table ``x``: ``row 4 (column b)``."""
    if bad.ndim < 2:
        return first_rows(bad) if bad.ndim else "it"
    rows = bad.reshape(len(bad), -1).any(1)
    if bad.ndim > 2:
        return first_rows(rows)
    names = list(x.columns) if is_frame(x) else range(bad.shape[1])
    columns = np.flatnonzero(bad.any(0))
    told = ", ".join(str(names[k]) for k in columns[:5]) + (", ..." if columns.size > 5 else "")
    return f"{first_rows(rows)} ({'column' if columns.size == 1 else 'columns'} {told})"


def check_finite(name: str, x: Any) -> None:
    """Refuse NaN and infinity in a concrete array or table ``[n, ...]``."""
    if x is None or isinstance(x, jax.core.Tracer):
        return
    bad = ~np.isfinite(np.asarray(x))
    if bad.any():
        raise InputError(
            f"{name} has NaN or infinite values in {first_cells(bad, x)}; drop or impute them"
        )


def as_real(x: Any) -> jax.Array:
    """A JAX array of at least 32-bit real numbers: integers become the default real type."""
    x = jnp.asarray(x)
    real = jnp.issubdtype(x.dtype, jnp.floating)
    return x.astype(jnp.promote_types(x.dtype, jnp.float32) if real else jnp.result_type(float))


def missing(cell: Any) -> bool:
    """True for None, NaN, NaT and pandas' NA."""
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(cell, float | np.floating | np.datetime64 | np.timedelta64) and cell != cell


def _number(cell: Any) -> float | None:
    """Value of one cell, NaN if it is missing; None if it is no number."""
    if missing(cell):
        return np.nan
    if isinstance(cell, datetime.timedelta | np.timedelta64):
        return float(np.timedelta64(cell) / np.timedelta64(1, "D"))
    if isinstance(cell, Real | Decimal | np.bool_):
        return float(cell)
    return None


def _refusal(name: str, kind: str, where: str) -> InputError:
    fix = {
        "text": "recode it as numbers, with pd.to_numeric if it is digits, pd.get_dummies if categories",
        "dates": "subtract the start date, so that it is a number of days",
        "complex numbers": f"take its real part, {name}.real, if that is what it means",
    }.get(kind, "give one number per row")
    return InputError(f"{name} must be real numbers, got {kind}{where}; {fix}")


def _from_cells(name: str, cells: np.ndarray) -> np.ndarray:
    out = np.empty(cells.shape)
    for at, cell in np.ndenumerate(cells):
        try:
            value = _number(cell)
        except (ArithmeticError, ValueError, TypeError):
            value = None
        if value is None:
            dates = isinstance(cell, datetime.date | datetime.time | np.datetime64)
            kind = "text" if isinstance(cell, str | bytes) else "dates" if dates else "objects"
            kind = "complex numbers" if isinstance(cell, complex) else kind
            place = f" in row {at[0]}" if at else ""
            place += f" (column {', '.join(map(str, at[1:]))})" if at[1:] else ""
            raise _refusal(name, kind, f": {str(cell)[:40]!r}{place}")
        out[at] = value
    return out


def _array(name: str, x: Any) -> np.ndarray:
    """Array of real numbers from anything but a table."""
    if hasattr(type(x), "toarray"):
        raise InputError(f"{name} is a sparse matrix; give {name}.toarray()")
    if np.ma.isMaskedArray(x):
        x = np.ma.filled(x.astype(object), np.nan)
    dtype = getattr(x, "dtype", None)
    if hasattr(type(x), "to_numpy") and getattr(dtype, "kind", " ") in "biuf":  # a pandas column
        return x.to_numpy() if isinstance(dtype, np.dtype) else x.to_numpy(float, na_value=np.nan)
    try:
        array = np.asarray(x)
    except Exception as error:  # ragged lists, a traced value in a list, foreign arrays
        raise InputError(f"{name} cannot be read as an array of numbers: {error}") from error
    kind = array.dtype.kind
    if kind in "biuf":
        return array if array.dtype.itemsize <= 8 else array.astype(float)
    if kind == "m":
        return array.astype("timedelta64[ns]") / np.timedelta64(1, "D")
    if kind in "Mc":
        raise _refusal(name, "dates" if kind == "M" else "complex numbers", "")
    if kind == "V":
        if jnp.issubdtype(array.dtype, jnp.floating):  # bfloat16
            return array.astype(np.float32)
        raise InputError(f"{name} has fields {array.dtype.names}; give one of them")
    if kind != "O" and isinstance(x, list | tuple):  # NumPy has turned its numbers into text
        array = np.array(x, object)
    return _from_cells(name, array)


def numbers(name: str, x: Any) -> Any:
    """Read real numbers of any shape; arrays of numbers are returned as they are.

    Booleans are 0 and 1, durations are days, missing values NaN. Nullable and arrow-backed columns,
    decimals, lists and object columns are converted. A table becomes a DataFrame of numbers, with
    its names.

    Args:
        name: name of the argument, for messages.
        x: array, column, table or scalar.

    Raises:
        InputError: text (also of numbers), dates, complex numbers, and whatever is no array.
    """
    if type(x) is np.ndarray and x.dtype.kind in "biuf" and x.dtype.itemsize <= 8:
        return x
    if isinstance(x, jax.Array):
        if jnp.issubdtype(x.dtype, jnp.complexfloating):
            raise _refusal(name, "complex numbers", "")
        if not jnp.issubdtype(x.dtype, jnp.number) and x.dtype != bool:
            raise InputError(f"{name} must be real numbers, got {x.dtype}")
        return x
    if type(x) in (float, int, bool):
        return x
    return _table(name, x) if is_frame(x) else _array(name, x)


def column(name: str, x: Any) -> Any:
    """Read real numbers as `numbers` does; a table is refused."""
    if is_frame(x):
        one = next(iter(getattr(x, "column_names", x.columns)), "name")
        raise InputError(f"{name} must be one column [n], got a table; take {name}[{one!r}]")
    return numbers(name, x)


def _table(name: str, x: Any) -> Any:
    """DataFrame of numbers from any table with named columns."""
    import pandas as pd  # not needed by those who give arrays

    names = list(getattr(x, "column_names", x.columns))
    if isinstance(x, pd.DataFrame):
        kinds = set(x.dtypes)
        if all(isinstance(d, np.dtype) and d.kind in "biuf" for d in kinds):
            return x if len(kinds) < 2 else pd.DataFrame(x.to_numpy(float), x.index, names)
        columns, index = [x.iloc[:, k] for k in range(len(names))], x.index
    else:
        columns, index = [x[c] for c in names], None
    read = [_array(f"{name}[{c!r}]", values) for c, values in zip(names, columns, strict=True)]
    return pd.DataFrame(np.column_stack(read).astype(float), index, names)
