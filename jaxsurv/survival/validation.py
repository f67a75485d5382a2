"""Checks of survival input, made eagerly and before any tracing.

Shapes are checked always; values only where they are known, i.e. not while ``jit``, ``vmap`` or
``grad`` trace the caller (there, degenerate input has a defined result instead: see each function).
"""

from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.types import InputError


def is_concrete(x: Any) -> bool:
    """True if the values of ``x`` can be looked at now."""
    return not isinstance(x, jax.core.Tracer)


def array_module(*arrays: Any) -> ModuleType:
    """NumPy if all values are known now (sorting on the host is far faster), jax.numpy if not."""
    return np if all(is_concrete(a) for a in arrays) else jnp


def as_real(x: Any) -> jax.Array:
    """A JAX array of at least 32-bit real numbers: integers become the default real type."""
    x = jnp.asarray(x)
    real = jnp.issubdtype(x.dtype, jnp.floating)
    return x.astype(jnp.promote_types(x.dtype, jnp.float32) if real else jnp.result_type(float))


def _first(bad: np.ndarray, limit: int = 5) -> str:
    rows = np.flatnonzero(bad)
    more = f" and {rows.size - limit} more" if rows.size > limit else ""
    return f"{'row' if rows.size == 1 else 'rows'} {', '.join(map(str, rows[:limit]))}{more}"


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


def check_finite(name: str, x: Any) -> None:
    """Refuse NaN and infinity in a concrete array."""
    if x is None or not is_concrete(x):
        return
    bad = ~np.isfinite(np.asarray(x))
    if bad.any():
        raise InputError(f"{name} has NaN or infinite values in {_first(bad)}; drop or impute them")


def check_event(event: Any) -> None:
    """Refuse event codes other than 0/1 or booleans."""
    if not is_concrete(event):
        return
    e = np.asarray(event)
    if e.dtype.kind not in "biuf":
        raise InputError(f"event must be 0/1 or boolean, got dtype {e.dtype}")
    bad = ~((e == 0) | (e == 1))
    if bad.any():
        codes = ", ".join(str(v) for v in np.unique(e[bad])[:5])
        raise InputError(
            f"event must be 0 (censored) or 1 (observed); found {codes} in {_first(bad)}. "
            "Recode, for example event == 2"
        )


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
        InputError: unequal lengths, ``[n, 1]`` against ``[n]``, NaN, event codes outside
            {0, 1, True, False}, negative time, negative weights, ``entry >= time``.
    """
    numbers = {"time": time, "entry": entry, "weights": weights}
    n = check_vectors(**predictions, event=event, **numbers, strata=strata, where=where)
    for name, x in {**predictions, **numbers}.items():
        check_finite(name, x)
    check_event(event)
    for name, x in (("time", time), ("weights", weights)):
        if x is not None and is_concrete(x) and (bad := np.asarray(x) < 0).any():
            raise InputError(f"{name} must be >= 0; negative in {_first(bad)}")
    if entry is not None and is_concrete(entry) and is_concrete(time):
        bad = np.asarray(entry) >= np.asarray(time)
        if bad.any():
            raise InputError(f"entry must be before time; entry >= time in {_first(bad)}")
    return n


def check_curves(survival: Any, times: Any, n: int) -> None:
    """Check survival curves ``[n, t]`` at ``times [t]``: shapes and ascending times.

    Raises:
        InputError: a wrong shape, or times that are not finite and ascending.
    """
    t = check_vectors(times=times)
    if np.shape(survival) != (n, t):
        raise InputError(
            f"survival must have shape [n, t] = [{n}, {t}], one row per patient and one column per "
            f"time, got {list(np.shape(survival))}"
        )
    check_finite("times", times)
    if is_concrete(times) and not np.all(np.asarray(times)[1:] > np.asarray(times)[:-1]):
        raise InputError("times must be ascending, without repeats")


def check_probabilities(name: str, x: Any) -> None:
    """Refuse values outside [0, 1], up to rounding, and NaN in a concrete ``[n, ...]`` array."""
    if not is_concrete(x) or np.size(x) == 0:
        return
    values = np.asarray(x)
    if not (values.min() >= -1e-6 and values.max() <= 1 + 1e-6):
        good = (values >= -1e-6) & (values <= 1 + 1e-6)
        bad = ~good.reshape(len(values), -1).all(1)
        raise InputError(f"{name} must be in [0, 1]; NaN or outside in {_first(bad)}")


def check_rows(*arrays: Any) -> int:
    """Check that arrays ``[n, ...]`` of any rank have one common number of rows, and return it."""
    sizes = [np.shape(a)[0] for a in arrays if np.ndim(a)]
    if len(sizes) != len(arrays) or len(set(sizes)) != 1:
        raise InputError(
            f"arrays must have one common number of rows, got {[list(np.shape(a)) for a in arrays]}"
        )
    return sizes[0]
