"""Accelerated failure time: Weibull and log-normal distributions of time, with two parameters per row."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import log_ndtr

from jaxsurv.arguments.columns import as_real, check_finite, first_rows, is_frame
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival.row_losses import Reduction, reduce_rows
from jaxsurv.survival.validation import (
    check_no_nan,
    check_survival,
    check_vectors,
    is_concrete,
)
from jaxsurv.types import Array, ArrayLike, InputError

_LARGE = (
    60.0  # beyond e^60 a cumulative hazard goes on in a straight line, so that its slope is finite
)


def _columns(parameters: Any, where: Any = None) -> tuple[Array, Array]:
    """The two parameters ``[n]`` each, 0 in rows that are not there."""
    if np.ndim(parameters) != 2 or np.shape(parameters)[1] != 2:
        raise InputError(f"parameters must have shape [n, 2], got {list(np.shape(parameters))}")
    x = as_real(np.asarray(parameters) if is_frame(parameters) else parameters)
    if where is not None:
        x = jnp.where(jnp.asarray(where).astype(bool)[:, None], x, 0)
    if is_concrete(x):
        check_finite("parameters", x)
    return x[:, 0], x[:, 1]


def _log_times(
    parameters: Any, event: Any, time: Any, entry: Any, weights: Any, where: Any
) -> tuple[Array, Array, Array | None]:
    """Events ``[n]``, log times ``[n]`` and log entry times ``[n]``, of checked columns.

    Raises:
        InputError: a malformed outcome; an event at time 0, whose density is 0 or infinite.
    """
    rows = np.empty(np.shape(parameters)[0]) if np.ndim(parameters) else parameters
    check_vectors(parameters=rows, event=event, time=time)
    check_survival(event, time, entry=entry, weights=weights, where=where)
    if is_concrete(event) and is_concrete(time):
        bad = (np.asarray(event) > 0) & (np.asarray(time) == 0)
        if where is not None and is_concrete(where):
            bad = bad & np.asarray(where).astype(bool)
        if bad.any():
            raise InputError(
                f"time is 0 at an event in {first_rows(bad)}, where a density is 0 or infinite; "
                "drop such rows, or give them half the smallest unit of time"
            )

    def log(x: Any) -> Array:
        real = as_real(x)
        return jnp.where(real > 0, jnp.log(jnp.where(real > 0, real, 1)), -jnp.inf)

    died = jnp.asarray(event) > 0
    if where is not None:
        died = died & jnp.asarray(where).astype(bool)
    return died, log(time), None if entry is None else log(entry)


def _cumulative_hazard(log_hazard: Array) -> Array:
    """Exponential that goes on in a straight line beyond e^60; 0 at -inf, with zero derivative."""
    small = jnp.minimum(log_hazard, _LARGE)
    there = log_hazard > -jnp.inf
    return jnp.where(there, jnp.exp(small) * (1 + jnp.where(there, log_hazard, 0) - small), 0)


def _power(log_scale: Array, log_shape: Array, log_time: Array) -> Array:
    """Logarithm of (t / scale)^shape; -inf at t = 0."""
    there = log_time > -jnp.inf
    return jnp.where(
        there, jnp.exp(log_shape) * (jnp.where(there, log_time, 0) - log_scale), -jnp.inf
    )


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
    died, log_t, log_entry = _log_times(parameters, event, time, entry, weights, where)
    log_scale, log_shape = _columns(parameters, where)
    power = _power(log_scale, log_shape, log_t)
    # log of t h(t), so that no power of a small time is taken
    log_hazard = jnp.where(died, log_shape + power - log_t, 0)
    each = _cumulative_hazard(power) - log_hazard
    if log_entry is not None:
        each = each - _cumulative_hazard(_power(log_scale, log_shape, log_entry))
    return reduce_rows(each, weights, where, reduction)


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
    log_scale, log_shape = _columns(parameters)
    power = _power(log_scale[:, None], log_shape[:, None], _log_of(times)[None])
    return jnp.exp(-_cumulative_hazard(power))


def _log_of(times: Any) -> Array:
    """Logarithms ``[t]`` of evaluation times; -inf at 0 and before."""
    check_vectors(times=times)
    check_no_nan(times)
    t = as_real(times)
    return jnp.where(t > 0, jnp.log(jnp.where(t > 0, t, 1)), -jnp.inf)


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
    died, log_t, log_entry = _log_times(parameters, event, time, entry, weights, where)
    mean, log_sd = _columns(parameters, where)
    z = (jnp.where(died, log_t, 0) - mean) * jnp.exp(-log_sd)
    density = log_t + log_sd + np.log(2 * np.pi) / 2 + z**2 / 2
    each = jnp.where(died, density, -_log_survival(mean, log_sd, log_t))
    if log_entry is not None:
        each = each + _log_survival(mean, log_sd, log_entry)
    return reduce_rows(each, weights, where, reduction)


def _log_survival(mean: Array, log_sd: Array, log_time: Array) -> Array:
    there = log_time > -jnp.inf
    z = (jnp.where(there, log_time, 0) - mean) * jnp.exp(-log_sd)
    return jnp.where(there, log_ndtr(-z), 0)


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
    mean, log_sd = _columns(parameters)
    return jnp.exp(_log_survival(mean[:, None], log_sd[:, None], _log_of(times)[None]))
