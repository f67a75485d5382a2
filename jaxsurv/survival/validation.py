"""Checks of survival input, made eagerly and before any tracing.

Shapes are checked always; values only where they are known, i.e. not while ``jit``, ``vmap`` or
``grad`` trace the caller (there, degenerate input has a defined result instead: see each function).
"""

from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.arguments.columns import check_finite, first_cells, first_rows, is_frame
from jaxsurv.types import InputError


def is_concrete(x: Any) -> bool:
    """True if the values of ``x`` can be looked at now."""
    return not isinstance(x, jax.core.Tracer)


def array_module(*arrays: Any) -> ModuleType:
    """NumPy if all values are known now (sorting on the host is far faster), jax.numpy if not."""
    return np if all(is_concrete(a) for a in arrays) else jnp


def check_vectors(**arrays: Any) -> int:
    """Check that all given arrays are ``[n]`` with one common n, and return n; None is skipped."""
    shapes = {name: np.shape(a) for name, a in arrays.items() if a is not None}
    for name, shape in shapes.items():
        if len(shape) != 1:
            fix = f"; use {name}[:, 0]" if len(shape) == 2 and shape[1] == 1 else ""
            raise InputError(f"{name} must have shape [n], got {list(shape)}{fix}")
    if len({s[0] for s in shapes.values()}) > 1:
        sizes = ", ".join(f"{name} [{s[0]}]" for name, s in shapes.items())
        raise InputError(f"arrays must have one common length, got {sizes}")
    return next(iter(shapes.values()))[0]


def check_event(event: Any) -> None:
    """Refuse event codes other than 0/1 or booleans."""
    if not is_concrete(event):
        return
    e = np.asarray(event)
    if e.dtype.kind not in "biuf":
        raise InputError(f"event must be 0/1 or boolean, got dtype {e.dtype}")
    bad = ~((e == 0) | (e == 1))
    if not bad.any():
        return
    if (unknown := np.isnan(e)).any():
        raise InputError(f"event is missing (NaN) in {first_rows(unknown)}; drop such rows")
    others = ", ".join(f"{code:g}" for code in np.unique(e[bad])[:5])
    raise InputError(
        f"event must be 0 (censored) or 1 (observed); found {others} in {first_rows(bad)}. "
        f"{recoding(np.unique(e).tolist())}"
    )


def recoding(codes: list[float]) -> str:
    """Advice for the codes that an event column holds."""
    if len(codes) == 2:
        censored, observed = codes
        return (
            f"If {censored:g} means censored and {observed:g} observed, give event == {observed:g}"
        )
    if codes[0] == 0 and all(code % 1 == 0 for code in codes):
        told = ", ".join(f"{code:g}" for code in codes[:6])
        return (
            f"The codes {told} are competing risks, if 0 is censored and each other code a cause: "
            f"event == {codes[1]:g} censors the other causes, which answers another question (the "
            f"hazard of cause {codes[1]:g}, not its probability); event != 0 is any cause; "
            "aalen_johansen, gray_test, fine_gray, the metrics of competing risks and "
            "jaxsurv.estimators.CauseSpecific take the codes. "
            "If a code means unknown, drop those rows"
        )
    return "Say which codes mean observed, for example event = np.isin(code, [1, 2])"


def check_survival(
    event: Any,
    time: Any,
    *,
    entry: Any = None,
    strata: Any = None,
    weights: Any = None,
    where: Any = None,
    **predictions: Any,
) -> int:
    """Check one survival outcome and the predictions that go with it; returns n.

    Keyword arguments beyond the outcome (``log_hazard=...``, ``risk=...``) are ``[n]`` predictions,
    checked for shape and finiteness under their own name.

    Raises:
        InputError: unequal lengths, ``[n, 1]`` against ``[n]``, no rows, NaN, event codes outside
            {0, 1, True, False}, negative time, negative weights, ``entry >= time``.
    """
    numbers = {"time": time, "entry": entry, "weights": weights}
    n = check_vectors(**predictions, event=event, **numbers, strata=strata, where=where)
    check_some(n, where)
    for name, x in {**predictions, **numbers}.items():
        check_finite(name, x)
    check_event(event)
    check_not_negative("time", time)
    check_weights(weights)
    if entry is not None and is_concrete(entry) and is_concrete(time):
        bad = np.asarray(entry) >= np.asarray(time)
        if bad.any():
            raise InputError(f"entry must be before time; entry >= time in {first_rows(bad)}")
    return n


def check_not_negative(name: str, x: Any) -> None:
    """Refuse negative numbers in a concrete ``[n]`` array."""
    if is_concrete(x) and (bad := np.asarray(x) < 0).any():
        raise InputError(f"{name} must be >= 0; negative in {first_rows(bad)}")


def check_weights(weights: Any) -> None:
    """Refuse negative case weights, and those that are all 0; None is fine."""
    if weights is None:
        return
    check_not_negative("weights", weights)
    if is_concrete(weights) and not np.any(np.asarray(weights)):
        raise InputError("weights are all 0: no row counts")


def check_some(n: int, where: Any) -> None:
    """Refuse an outcome without rows, or whose rows are all masked out."""
    if n == 0:
        raise InputError("there are no rows; check the selection of patients")
    if where is not None and is_concrete(where) and not np.any(np.asarray(where)):
        raise InputError(f"where is False in all {n} rows: no row counts")


def check_events(total: Any) -> None:
    """Refuse an outcome without events, from their known (weighted) number."""
    if is_concrete(total) and not np.asarray(total) > 0:
        raise InputError("no events: the partial likelihood says nothing; check event and where")


def check_known(**arrays: Any) -> None:
    """Refuse values that ``jit`` traces, in functions that work on the host."""
    for name, x in arrays.items():
        if not is_concrete(x):
            raise InputError(
                f"{name} must be known: this function runs on the host; call it outside jit, vmap and grad"
            )


def check_times(times: Any, name: str = "times") -> int:
    """Check evaluation times ``[t]``: at least one, finite, ascending, without repeats; returns t.

    Raises:
        InputError: names the first time that is out of order.
    """
    t = check_vectors(**{name: times})
    if t == 0:
        raise InputError(f"{name} is empty: give at least one")
    check_finite(name, times)
    if is_concrete(times) and (bad := np.asarray(times)[1:] <= np.asarray(times)[:-1]).any():
        k = int(np.flatnonzero(bad)[0])
        raise InputError(
            f"{name} must be ascending, without repeats; {times[k]:g} is followed by {times[k + 1]:g}. "
            f"Give np.unique({name})"
        )
    return t


def check_no_nan(times: Any) -> None:
    """Refuse NaN among the times at which a curve is evaluated; infinity is after its last time."""
    if is_concrete(times) and (bad := np.isnan(np.asarray(times, float))).any():
        raise InputError(f"times has NaN in {first_cells(bad, times)}; drop it")


def check_curves(survival: Any, times: Any, n: int, name: str = "survival") -> Any:
    """Check curves ``[n, t]`` at ``times [t]``, and return them without row and column names.

    Raises:
        InputError: a wrong shape; times that are not finite and ascending; a table with one column
            per patient, or whose columns are other times.
    """
    t, shape = check_times(times), np.shape(survival)
    at_rows, at_columns = (
        is_frame(survival) and is_concrete(times) and _are_times(names, times)
        for names in (getattr(survival, "index", ()), getattr(survival, "columns", ()))
    )
    turned = shape == (t, n) and not at_columns and (at_rows or n != t)
    if turned or shape != (n, t):
        raise InputError(
            f"{name} must have shape [n, t] = [{n}, {t}], one row per patient and one column per "
            f"time, got {list(shape)}{f'; give {name}.T' if turned else ''}"
        )
    if not is_frame(survival):
        return survival
    if not at_columns and is_concrete(times) and _name_times(survival.columns):
        raise InputError(
            f"the columns of {name} are the times {list(survival.columns)[:5]}, but times begins "
            f"{np.asarray(times)[:5].tolist()}; give times={name}.columns, in ascending order"
        )
    return np.asarray(survival)


def _name_times(names: Any) -> bool:
    """True for names of columns that are numbers, and not pandas' own 0, 1, 2, ..."""
    own = all(name == k for k, name in enumerate(names))
    return not own and all(isinstance(name, int | float | np.number) for name in names)


def _are_times(names: Any, times: Any) -> bool:
    if len(names) != len(times) or not _name_times(names):
        return False
    return bool(np.allclose(np.asarray(names, float), np.asarray(times, float), rtol=1e-5))


def check_probabilities(name: str, x: Any) -> None:
    """Refuse values outside [0, 1], up to rounding, and NaN in a concrete ``[n, ...]`` array."""
    if not is_concrete(x) or np.size(x) == 0:
        return
    values = np.asarray(x)
    if not (values.min() >= -1e-6 and values.max() <= 1 + 1e-6):
        good = (values >= -1e-6) & (values <= 1 + 1e-6)
        bad = ~good.reshape(len(values), -1).all(1)
        raise InputError(f"{name} must be in [0, 1]; NaN or outside in {first_rows(bad)}")


def check_rows(*arrays: Any) -> int:
    """Check that arrays ``[n, ...]`` of any rank have one common number of rows, and return it."""
    sizes = [np.shape(a)[0] for a in arrays if np.ndim(a)]
    if len(sizes) != len(arrays) or len(set(sizes)) != 1:
        raise InputError(
            f"arrays must have one common number of rows, got {[list(np.shape(a)) for a in arrays]}"
        )
    return sizes[0]
