"""Settings: whole numbers and real numbers within their range, and masks of rows."""

from collections.abc import Callable
from numbers import Integral
from typing import Any

import jax
import numpy as np

from jaxsurv.arguments.columns import column, first_rows
from jaxsurv.types import InputError

_LARGEST = np.finfo(float).max


def check_whole(name: str, value: Any, least: int = 1) -> int:
    """Refuse what is no integer >= ``least``, such as 2.5, "3" and True.

    Raises:
        InputError: names the setting, what it must be, and the value.
    """
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise InputError(f"{name} must be an integer >= {least}, got {value!r}")
    if value < least:
        raise InputError(f"{name} must be at least {least}, got {value!r}")
    return int(value)


def whole(least: int) -> Callable[[str, Any], int]:
    """Reader of a whole number >= ``least``."""
    return lambda name, value: check_whole(name, value, least)


def real(least: float = -_LARGEST, most: float = _LARGEST) -> Callable[[str, Any], Any]:
    """Reader of one number, or of an array of them, in ``[least, most]``; NaN is refused.

    Infinity is refused too, unless it is a bound.
    """
    room = f"between {least:g} and {most:g}"
    if most in (_LARGEST, np.inf):
        room = "a finite number" if most < np.inf else "a number"
        room += f" >= {least:g}" if least > -_LARGEST else ""

    def read(name: str, x: Any) -> Any:
        x = column(name, x)
        if isinstance(x, jax.core.Tracer):
            return x
        values = np.asarray(x)
        if not ((values >= least) & (values <= most)).all():
            percent = most == 1 and np.any((values > 1) & (values <= 100))
            fix = "; divide percent by 100" if percent else ""
            raise InputError(f"{name} must be {room}, got {x}{fix}")
        return x

    return read


def one(least: float = -_LARGEST, most: float = _LARGEST) -> Callable[[str, Any], Any]:
    """Reader of exactly one number in ``[least, most]``."""
    read = real(least, most)

    def read_one(name: str, x: Any) -> Any:
        x = read(name, x)
        if np.ndim(x):
            raise InputError(f"{name} must be one number, got shape {list(np.shape(x))}")
        return x

    return read_one


def mask(name: str, x: Any) -> Any:
    """Read a mask ``[n]``: booleans, or 0 and 1; row numbers in place of a mask are refused."""
    x = column(name, x)
    if isinstance(x, jax.core.Tracer) or x.dtype == bool:
        return x
    values = np.asarray(x)
    bad = (values != 0) & (values != 1)
    if bad.any():
        found = np.unique(values[bad])[0]
        raise InputError(
            f"{name} must be a boolean mask [n], True for the rows that count; found {found:g} in "
            f"{first_rows(bad.ravel())}. For row numbers give np.isin(np.arange(n), {name})"
        )
    return x
