"""Labels of strata, clusters, groups and folds: any hashable values, each of which means itself."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.arguments.columns import is_frame, missing
from jaxsurv.types import InputError


@jax.tree_util.register_static
class Labels(tuple):
    """Known labels, in the order of their codes 0, 1, ...: a constant for JAX."""


def column_names(x: Any) -> Labels | None:
    """Names of the columns of a table; None for an array."""
    return Labels(x.columns) if is_frame(x) else None


def labels(name: str, x: Any) -> Any:
    """Read one label per row; integers stay as they are, other labels come back as they were given.

    Args:
        name: name of the argument, for messages.
        x: ``[n]`` hashable values of any type; integers if they are traced.

    Raises:
        InputError: a missing label (None, NaN, NaT, NA), named by its row; a table; traced values
            that are no integers.
    """
    if isinstance(x, jax.core.Tracer):
        if not jnp.issubdtype(x.dtype, jnp.integer) and x.dtype != bool:
            raise InputError(f"{name} must be integers while jit traces, got {x.dtype}")
        return x
    if isinstance(x, jax.Array):
        x = np.asarray(x)
    if is_frame(x):
        raise InputError(f"{name} must be one column [n], got a table; take one of its columns")
    if np.ma.isMaskedArray(x):
        x = np.ma.filled(x.astype(object), np.nan)
    if type(x) is not np.ndarray:
        x = _cells(name, x)
    if x.dtype.kind in "biu":
        return x
    if x.dtype == object:
        _check_cells(name, x)
        return x
    bad = x != x
    if np.any(bad):
        raise _missing(name, int(np.flatnonzero(bad)[0]))
    return x


def _missing(name: str, row: int) -> InputError:
    return InputError(
        f"{name} has a missing label in row {row}; drop such rows, or give them a label of their own"
    )


def _cells(name: str, x: Any) -> np.ndarray:
    """Array of labels from a list or a column; no label becomes text, and a tuple is one label."""
    if isinstance(x, list | tuple):
        cells = np.empty(len(x), object)
        cells[:] = x
    else:
        try:
            cells = np.asarray(x)
        except Exception as error:  # a foreign array
            raise InputError(f"{name} cannot be read as labels: {error}") from error
    if cells.dtype == object and cells.size and cells.ndim == 1:
        kinds = {type(v) for v in cells.tolist()}
        if kinds <= {int, bool, np.int32, np.int64}:
            try:
                return cells.astype(np.int64)
            except OverflowError:
                pass
    return cells


def _check_cells(name: str, cells: np.ndarray) -> None:
    try:
        distinct = dict.fromkeys(cells.ravel().tolist())
    except TypeError as error:
        raise InputError(f"{name} must be labels that can be compared: {error}") from error
    if any(missing(label) for label in distinct):
        raise _missing(name, next(i for i, v in enumerate(cells.ravel()) if missing(v)))


def factorised(x: np.ndarray) -> tuple[np.ndarray, list[Any]]:
    """Codes 0, 1, ... of the shape of x, and the labels that they stand for, sorted where possible."""
    if x.dtype != object:
        if x.dtype.kind in "mM":
            x = x.astype(x.dtype.str[:2] + "8[us]")  # other units come back as whole numbers
        found, codes = np.unique(x, return_inverse=True)
        return codes.reshape(x.shape).astype(np.int32), found.tolist()
    cells = x.ravel().tolist()
    distinct = list(dict.fromkeys(cells))
    try:
        distinct.sort()
    except TypeError:  # labels of several types
        distinct.sort(key=lambda v: (type(v).__name__, str(v)))
    place = {label: code for code, label in enumerate(distinct)}
    codes = np.fromiter((place[label] for label in cells), np.int32, len(cells))
    return codes.reshape(x.shape), distinct


_SMALL = np.iinfo(np.int32)


def encoded(x: Any) -> tuple[Any, Labels | None]:
    """Integers that tell labels apart: whole numbers are their own codes, others get 0, 1, ...

    Args:
        x: ``[n]``, result of `labels`.

    Returns:
        32-bit codes ``[n]``, and the labels in the order of the codes, or None if the codes are they.
    """
    if isinstance(x, jax.core.Tracer):
        return x.astype(jnp.int32), None
    x = np.asarray(x)
    if x.dtype.kind in "biu" and (x.size == 0 or (x.min() >= _SMALL.min and x.max() <= _SMALL.max)):
        return x.astype(np.int32), None
    codes, names = factorised(x)
    if all(_is_code(label) for label in names):
        return np.array([int(label) for label in names], np.int32)[codes], None
    return codes, Labels(names)


def _is_code(label: Any) -> bool:
    return (
        isinstance(label, int | float) and _SMALL.min <= label <= _SMALL.max and label == int(label)
    )


def dense(x: Any) -> Any:
    """Codes 0, 1, ... ``[n]`` of labels that `labels` has read; traced integers are returned as they are."""
    return x if isinstance(x, jax.core.Tracer) else factorised(np.asarray(x))[0]
