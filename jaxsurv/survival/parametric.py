"""Accelerated failure time: Weibull and log-normal distributions of time, with two parameters per row."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import log_ndtr

from jaxsurv.arguments.columns import as_real, check_finite, first_rows, is_frame
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival.row_losses import Reduction, check_reduction, reduce_rows
from jaxsurv.survival.validation import (
    check_no_nan,
    check_survival,
    check_vectors,
    is_concrete,
)
from jaxsurv.types import Array, ArrayLike, InputError

# Beyond e^60 a cumulative hazard goes on in a straight line, so that its slope is finite.
_LARGE = 60.0


class _Distribution(NamedTuple):
    """Logarithms of density and survival: functions of the two parameters and the log time."""

    log_density: Callable[[Array, Array, Array], Array]
    log_survival: Callable[[Array, Array, Array], Array]


def _weibull_survival(log_scale: Array, log_shape: Array, log_time: Array) -> Array:
    power = jnp.exp(log_shape) * (log_time - log_scale)
    return -jnp.exp(jnp.minimum(power, _LARGE)) * (1 + jnp.maximum(power - _LARGE, 0))


def _weibull_density(log_scale: Array, log_shape: Array, log_time: Array) -> Array:
    # of the logarithm of t h(t), so that no power of a small time is taken
    log_hazard = log_shape + jnp.exp(log_shape) * (log_time - log_scale) - log_time
    return log_hazard + _weibull_survival(log_scale, log_shape, log_time)


def _log_normal_survival(mean: Array, log_sd: Array, log_time: Array) -> Array:
    return log_ndtr((mean - log_time) * jnp.exp(-log_sd))


def _log_normal_density(mean: Array, log_sd: Array, log_time: Array) -> Array:
    z = (log_time - mean) * jnp.exp(-log_sd)
    return -log_time - log_sd - np.log(2 * np.pi) / 2 - z**2 / 2


_WEIBULL = _Distribution(_weibull_density, _weibull_survival)
_LOG_NORMAL = _Distribution(_log_normal_density, _log_normal_survival)


def _log_survival(distribution: _Distribution, first: Array, second: Array, time: Array) -> Array:
    """Log survival; 0 up to time 0, with zero derivatives."""
    later = time > 0
    log_time = jnp.log(jnp.where(later, time, 1))
    return jnp.where(later, distribution.log_survival(first, second, log_time), 0)


def _checked(parameters: Any, where: Any = None) -> Array:
    """Parameters ``[n, 2]`` as real numbers, finite in the rows that are there."""
    if np.ndim(parameters) != 2 or np.shape(parameters)[1] != 2:
        raise InputError(f"parameters must have shape [n, 2], got {list(np.shape(parameters))}")
    values = np.asarray(parameters) if is_frame(parameters) else parameters
    if is_concrete(values) and is_concrete(where):
        here = True if where is None else np.asarray(where).astype(bool)[:, None]
        check_finite("parameters", np.where(here, np.asarray(values), 0))
    return as_real(values)


def _loss(
    distribution: _Distribution,
    parameters: Any,
    event: Any,
    time: Any,
    entry: Any,
    weights: Any,
    where: Any,
    reduction: str,
) -> Array:
    """Check the outcome and the parameters, and evaluate.

    Raises:
        InputError: bad shapes or values; an event at time 0, whose density is 0 or infinite.
    """
    check_reduction(reduction)
    n = check_survival(event, time, entry=entry, weights=weights, where=where)
    if np.ndim(parameters) and np.shape(parameters)[0] != n:
        raise InputError(f"parameters must have {n} rows as time, got {np.shape(parameters)[0]}")
    parameters = _checked(parameters, where)
    if all(map(is_concrete, (event, time, where))):
        bad = (np.asarray(event) > 0) & (np.asarray(time) == 0)
        bad = bad if where is None else bad & np.asarray(where).astype(bool)
        if bad.any():
            raise InputError(
                f"time is 0 at an event in {first_rows(bad)}, where a density is 0 or infinite; "
                "drop such rows, or give them half the smallest unit of time"
            )
    event, where = (None if x is None else jnp.asarray(x, bool) for x in (event, where))
    time, entry, weights = (None if x is None else as_real(x) for x in (time, entry, weights))
    columns = parameters, event, time, entry, weights, where
    return _negative_log_likelihood(*columns, distribution=distribution, reduction=reduction)


@partial(jax.jit, static_argnames=("distribution", "reduction"))
def _negative_log_likelihood(
    parameters: Array,
    died: Array,
    time: Array,
    entry: Array | None,
    weights: Array | None,
    where: Array | None,
    distribution: _Distribution,
    reduction: str,
) -> Array:
    if where is not None:
        parameters = jnp.where(where[:, None], parameters, 0)
    p = parameters[:, 0], parameters[:, 1]
    density = distribution.log_density(*p, jnp.log(jnp.where(died, time, 1)))
    each = jnp.where(died, density, _log_survival(distribution, *p, time))
    if entry is not None:
        each = each - _log_survival(distribution, *p, entry)
    return reduce_rows(-each, weights, where, reduction)


def _curves(distribution: _Distribution, parameters: Any, times: Any) -> Array:
    """Survival ``[n, t]`` at checked times."""
    check_vectors(times=times)
    check_no_nan(times)
    return _survival(_checked(parameters), as_real(times), distribution=distribution)


@partial(jax.jit, static_argnames="distribution")
def _survival(p: Array, times: Array, distribution: _Distribution) -> Array:
    return jnp.exp(_log_survival(distribution, p[:, :1], p[:, 1:], times[None]))


@read_arguments
def weibull_loss(
    parameters: ArrayLike,
    event: ArrayLike,
    time: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Array:
    """Negative log likelihood of Weibull times, S(t) = exp(-(t / λ)^k), under censoring.

    A row contributes ``H(t) - H(entry) - event log h(t)`` with H(t) = (t / λ)^k and
    log h(t) = log k - log λ + (k - 1) log(t / λ). Its value depends on the unit of time by a constant
    per event. These are torchsurv's parameters; R's ``survreg`` and lifelines have log λ as the linear
    predictor, and ``survreg`` has 1 / k as its scale.

    Args:
        parameters: ``[n, 2]``, log λ (scale; higher = *longer* life) and log k (shape). Only they are
            differentiated.
        event: ``[n]``, 1 = observed, 0 = censored.
        time: ``[n]``, >= 0, and > 0 at an event.
        entry: ``[n]``, delayed entry: the row is at risk in ``(entry, time]``.
        weights: ``[n]``, case weights.
        where: ``[n]``, False for rows that are not there.
        reduction: ``"mean"`` divides by the weighted number of rows.

    Returns:
        A scalar. While ``jit`` traces, an event at time 0 gives infinity or NaN.

    Raises:
        InputError: bad shapes or values, an event at time 0.

    Reference: Kalbfleisch and Prentice (2002), section 2.2.

    >>> loss = weibull_loss(np.zeros((2, 2)), np.array([1, 0]), np.array([1.0, 2.0]))
    >>> print(f"{loss:.4f}")  # (1 + 2) / 2: constant hazard 1
    1.5000
    """
    return _loss(_WEIBULL, parameters, event, time, entry, weights, where, reduction)


@read_arguments
def weibull_survival(parameters: ArrayLike, times: ArrayLike) -> Array:
    """Survival curves ``[n, t]`` of `weibull_loss`, S(t) = exp(-(t / λ)^k).

    Args:
        parameters: ``[n, 2]``, log λ and log k.
        times: ``[t]``, >= 0, in any order.

    Raises:
        InputError: bad shapes; NaN.

    >>> s = weibull_survival(np.zeros((1, 2)), np.array([0.0, 1.0]))
    >>> [f"{p:.4f}" for p in s[0]]
    ['1.0000', '0.3679']
    """
    return _curves(_WEIBULL, parameters, times)


@read_arguments
def log_normal_loss(
    parameters: ArrayLike,
    event: ArrayLike,
    time: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Array:
    """Negative log likelihood of log-normal times, S(t) = Φ(-(log t - μ) / σ), under censoring.

    With z = (log t - μ) / σ a row contributes log t + log σ + log(2π) / 2 + z² / 2 if its event was observed,
    otherwise -log Φ(-z); with delayed entry both are given survival up to it. Arguments as for
    `weibull_loss`, but for the parameters.

    Args:
        parameters: ``[n, 2]``, μ (mean of log time; higher = *longer* life) and log σ.
        event: ``[n]``, 1 = observed, 0 = censored.
        time: ``[n]``, >= 0, and > 0 at an event.
        entry: ``[n]``, delayed entry: the row is at risk in ``(entry, time]``.
        weights: ``[n]``, case weights.
        where: ``[n]``, False for rows that are not there.
        reduction: ``"mean"`` divides by the weighted number of rows.

    Returns:
        A scalar. While ``jit`` traces, an event at time 0 gives infinity or NaN.

    Raises:
        InputError: bad shapes or values, an event at time 0.

    Reference: Kalbfleisch and Prentice (2002), section 2.2.

    >>> loss = log_normal_loss(np.zeros((1, 2)), np.array([0]), np.array([1.0]))
    >>> print(f"{loss:.4f}")  # the median is 1: log 2
    0.6931
    """
    return _loss(_LOG_NORMAL, parameters, event, time, entry, weights, where, reduction)


@read_arguments
def log_normal_survival(parameters: ArrayLike, times: ArrayLike) -> Array:
    """Survival curves ``[n, t]`` of `log_normal_loss`, S(t) = Φ(-(log t - μ) / σ).

    Args:
        parameters: ``[n, 2]``, μ and log σ.
        times: ``[t]``, >= 0, in any order.

    Raises:
        InputError: bad shapes; NaN.

    >>> s = log_normal_survival(np.zeros((1, 2)), np.array([0.0, 1.0]))
    >>> [f"{p:.4f}" for p in s[0]]
    ['1.0000', '0.5000']
    """
    return _curves(_LOG_NORMAL, parameters, times)
