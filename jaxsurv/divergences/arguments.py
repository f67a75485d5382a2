"""Checks of the arguments of kernel statistics: samples, masks, bandwidths, estimators."""

from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxsurv.arguments.columns import check_finite
from jaxsurv.types import Array, InputError, check_choice


def samples(
    *,
    origin: Literal["given", "shared", "own"] = "given",
    where: Any = None,
    scales: tuple[float, ...] = (),
    **arrays: Any,
) -> list[Array]:
    """Convert arrays ``[n, d]`` to one common real type of at least 32 bits; refuse other shapes.

    Known arrays are moved in float64, so that data far from zero keep their digits.

    Args:
        origin: ``"shared"``: move all to the mean of the first; ``"own"``: move each to its own mean.
        where: ``[n]`` booleans or None, the rows of which the means are.
        scales: one divisor per array, see `extreme_scale`; () = 1. Known arrays alone have another.
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
    if any(scale != 1 for scale in scales):
        given = [np.asarray(x, float) / scale for x, scale in zip(given, scales, strict=True)]
    return [jnp.asarray(x, dtype) for x in given]


def extreme_scale(scale: Any, *arrays: Any) -> float:
    """Divisor of arrays whose squares would leave float32: their scale, or 1 if it is moderate.

    Args:
        scale: a bandwidth, whose largest value counts, or values of the arrays.
        *arrays: whatever else is to be divided; the divisor is 1 while one of all these is traced.
    """
    if any(isinstance(a, jax.core.Tracer) for a in (scale, *arrays)):
        return 1.0
    sizes = np.abs(np.asarray(scale, float))
    largest = float(np.max(sizes, initial=0, where=np.isfinite(sizes)))
    return 1.0 if largest == 0 or 1e-12 <= largest <= 1e12 else largest


def divided(bandwidth: Any, scale: float) -> Any:
    """Bandwidth in units of a scale, see `extreme_scale`."""
    return bandwidth if scale == 1 else np.asarray(bandwidth, float) / scale


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
    if not isinstance(bandwidth, jax.core.Tracer) and not (np.asarray(bandwidth) > 0).all():
        raise InputError(f"bandwidth must be > 0, got {bandwidth}")
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
