"""Checks of the arguments of kernel statistics: samples, masks, bandwidths, estimators."""

import functools
import inspect
from collections.abc import Callable
from math import isfinite
from typing import Any, Literal, ParamSpec

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxsurv.arguments.columns import check_finite
from jaxsurv.types import Array, InputError, check_choice

P = ParamSpec("P")
_ERROR = 1e-3  # largest rounding error of a squared distance, in squared bandwidths
_FLOAT32, _FLOAT64 = 1e12, 1e120  # largest lengths, and reciprocals of the least, that are squared


def enough_digits(
    *groups: tuple[str, ...], least: float = 0.0
) -> Callable[[Callable[P, Array]], Callable[P, Array]]:
    """Decorator: known samples that are many bandwidths wide are computed in float64, or refused.

    A squared distance is a difference of squares, whose rounding is that of the squares, and which must not
    overflow. While ``jit`` traces nothing changes.

    Args:
        *groups: names of arguments: a bandwidth, and the samples whose distances it divides.
        least: spread that samples have at least.

    Raises:
        InputError: not even float64 has the digits.
    """

    def decorate(function: Callable[P, Array]) -> Callable[P, Array]:
        names = list(inspect.signature(function).parameters)

        @functools.wraps(function)
        def resolved(*args: P.args, **kwargs: P.kwargs) -> Array:
            given: dict[str, Any] = dict(zip(names, args, strict=False)) | kwargs
            if any(isinstance(a, jax.core.Tracer) for a in given.values()):
                return function(*args, **kwargs)
            single = True
            for name, *of in groups:
                where, rows = given.get("where"), [given[x] for x in of]
                # quicker, and nearly always enough
                bound = max(least, width(where, *rows, axis=None))
                if enough(bound, given[name], np.float32):
                    continue
                spread = max(least, width(where, *rows))
                if not enough(spread, given[name], float):
                    raise InputError(
                        f"{' and '.join(of)} vary by {spread:.2g}, beside {name} = {given[name]}: rounding "
                        "hides which rows are near each other; give a bandwidth of the size of their "
                        "distances (see median_bandwidth), or other units"
                    )
                single &= enough(spread, given[name], np.float32)
            if single:
                return function(*args, **kwargs)
            dtype = jnp.result_type(float)
            with jax.enable_x64(True):
                exact = {n: np.asarray(given[n], float) for _, *of in groups for n in of}
                return function(**{**given, **exact}).astype(dtype)  # type: ignore[call-arg]

        return resolved

    return decorate


def width(where: Any, *samples: Any, axis: int | None = 0) -> float:
    """Bound of the distances between the rows of all samples; 0 for samples that are refused.

    Args:
        where: mask or None, the rows of the first sample that count.
        *samples: arrays ``[n, d]``.
        axis: 0; None = a wider bound that sees offsets between columns, too.
    """
    rows = [np.asarray(x) for x in samples]
    if len({x.shape[1:] for x in rows}) > 1 or any(x.ndim != 2 for x in rows):
        return 0.0
    if np.ndim(where) == 1:
        here = np.asarray(where, bool)
        rows = [rows[0][here] if len(rows[0]) == len(here) else rows[0], *rows[1:]]
    if 0 in [x.size for x in rows]:
        return 0.0
    high = np.max([x.max(axis) for x in rows], 0).astype(float)
    low = np.min([x.min(axis) for x in rows], 0).astype(float)
    bound = float(np.max(high - low)) * rows[0].shape[1] ** 0.5
    return bound if isfinite(bound) else 0.0


def enough(spread: float, bandwidth: Any, dtype: Any) -> bool:
    """True if ``dtype`` has the digits for rows as far apart as ``spread``, in units of the bandwidth."""
    scales = np.asarray(bandwidth, float)
    if not ((scales > 0) & (scales < np.inf)).all() or scales.size == 0:
        return True  # refused elsewhere
    most, least = (_FLOAT32 if dtype == np.float32 else _FLOAT64), scales.min()
    moderate = 1 / most <= least and max(spread, scales.max()) <= most
    return moderate and bool(float(np.finfo(dtype).eps) * (spread / least) ** 2 <= _ERROR)


def samples(
    *,
    origin: Literal["given", "shared", "own"] = "given",
    where: Any = None,
    **arrays: Any,
) -> list[Array]:
    """Convert arrays ``[n, d]`` to one common real type of at least 32 bits; refuse other shapes.

    Known arrays are moved in float64, so that data far from zero keep their digits.

    Args:
        origin: ``"shared"``: move all to the mean of the first; ``"own"``: move each to its own mean.
        where: ``[n]`` booleans or None, the rows of which the means are.
        **arrays: name and array.
    """
    for name, x in arrays.items():
        shape = np.shape(x)
        if len(shape) != 2 or 0 in shape:
            fix = f"; use {name}[:, None]" if len(shape) == 1 else ""
            raise InputError(f"{name} must have shape [n, d], got {list(shape)}{fix}")
    plain = {k: x if isinstance(x, jax.Array) else np.asarray(x) for k, x in arrays.items()}
    dtype = jnp.promote_types(jnp.result_type(*plain.values(), float), jnp.float32)
    given = list(plain.values())
    if origin != "given" and not any(isinstance(a, jax.core.Tracer) for a in (where, *given)):
        exact = [np.asarray(x, float) for x in given]
        masked = where is not None and np.shape(where) == (len(exact[0]),)
        rows = np.asarray(where, bool) if masked else slice(None)
        means = [_mean(x[rows]) if len(x) == len(exact[0]) else 0.0 for x in exact]
        shared = origin == "shared" and len({x.shape[1] for x in exact}) == 1
        given = [x - (means[0] if shared else m) for x, m in zip(exact, means, strict=True)]
    return [jnp.asarray(x, dtype) for x in given]


def _mean(x: np.ndarray) -> np.ndarray:
    """Means of the columns over their finite values: others are refused later, by row."""
    finite = np.isfinite(x)
    total = np.where(finite, x, 0).sum(0, keepdims=True)
    return total / np.maximum(finite.sum(0, keepdims=True), 1)


def mask(where: Any, n: int) -> Array:
    """Mask ``where`` as booleans ``[n]``; None = all True."""
    if where is None:
        return jnp.ones(n, bool)
    if np.shape(where) != (n,):
        raise InputError(f"where must have shape [n] = [{n}], got {list(np.shape(where))}")
    return jnp.asarray(where, bool)


def precisions(bandwidth: Any, dtype: Any) -> Array:
    """Precisions ``1 / (2 bandwidth²)`` as ``[b]``, a constant for derivatives."""
    if np.ndim(bandwidth) > 1 or np.size(bandwidth) == 0:
        raise InputError(
            f"bandwidth must be a number or an array [b], got shape {list(np.shape(bandwidth))}"
        )
    if not isinstance(bandwidth, jax.core.Tracer):
        values = np.asarray(bandwidth)
        if not ((values > 0) & (values < np.inf)).all():
            raise InputError(f"bandwidth must be finite and > 0, got {bandwidth}")
    return 0.5 / lax.stop_gradient(jnp.atleast_1d(jnp.asarray(bandwidth, dtype))) ** 2


def is_unbiased(estimator: str) -> bool:
    """Return True for the unbiased estimator, False for the biased one; refuse other names."""
    check_choice("estimator", estimator, ("biased", "unbiased"))
    return estimator == "unbiased"


def check_rows(keep: Array, least: int, name: str) -> None:
    """Refuse fewer rows than an estimator needs, where the mask is known."""
    if not isinstance(keep, jax.core.Tracer) and np.sum(np.asarray(keep)) < least:
        raise InputError(f"{name} needs at least {least} rows, got {np.sum(np.asarray(keep))}")


def zero_outside(name: str, x: Array, keep: Array) -> Array:
    """Set masked rows to zero, so that nothing in them, NaN included, reaches a value or a gradient.

    Raises:
        InputError: NaN or infinite values in the other rows.
    """
    x = jnp.where(keep[:, None], x, 0)
    check_finite(name, x)
    return x
