"""Survival curves and cumulative incidences of networks in discrete time, at any times."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.arguments.columns import as_real, check_finite, is_frame
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival.cumulative import log_sum
from jaxsurv.survival.discrete_losses import cell_probabilities
from jaxsurv.survival.discrete_time import check_ends
from jaxsurv.survival.validation import array_module, check_no_nan, check_vectors, is_concrete
from jaxsurv.types import Array, ArrayLike, InputError


def _checked(logits: Any, ends: Any, times: Any) -> tuple[Array, Array, Array]:
    """Logits ``[n, causes, m]``; the interval of each time ``[t]``, and the share of it that has passed."""
    check_vectors(times=times)
    check_no_nan(times)
    ends, shape = check_ends(ends) if is_concrete(ends) else ends, np.shape(logits)
    if len(shape) not in (2, 3) or shape[-1] != ends.size:
        raise InputError(
            f"logits must have shape [n, {ends.size}] or [n, causes, {ends.size}], one per interval, "
            f"got {list(shape)}"
        )
    check_finite("logits", logits)
    logits = as_real(np.asarray(logits) if is_frame(logits) else logits)
    xp = array_module(times, ends)
    times, bounds = xp.asarray(times), xp.append(0, ends)
    interval = xp.minimum(xp.searchsorted(bounds[1:], times), ends.size - 1)
    start, end = bounds[interval], bounds[interval + 1]
    share = xp.clip((times - start) / xp.where(end > start, end - start, 1), 0, 1)
    return (
        logits if logits.ndim == 3 else logits[:, None],
        jnp.asarray(interval),
        jnp.asarray(share, logits.dtype),
    )


def _from_zero(x: Array) -> Array:
    """Values at the ends with those at time 0 before them."""
    return jnp.concatenate([jnp.zeros_like(x[..., :1]), x], -1)


def _hazards(logits: Array) -> tuple[Array, Array]:
    """Cumulative hazard -log S ``[n, m + 1]`` from time 0 on; shares of the causes ``[n, causes, m]``."""
    everything = jnp.concatenate([logits, jnp.zeros_like(logits[:, :1])], 1)
    hazard = log_sum(everything, 1) if logits.shape[1] > 1 else jax.nn.softplus(logits[:, 0])
    return _from_zero(jnp.cumsum(hazard, 1)), jax.nn.softmax(logits, 1)


@read_arguments
def logistic_hazard_survival(logits: ArrayLike, ends: ArrayLike, times: ArrayLike) -> Array:
    """Survival curves of `logistic_hazard_loss`: S(t) = Π (1 - h_j), with a constant hazard in each interval.

    After the last end S stays constant: the model says nothing there.

    Args:
        logits: ``[n, m]`` or ``[n, causes, m]``; with causes S is the probability of no event.
        ends: ``[m]``, ends of the intervals, see `event_quantile_grid`.
        times: ``[t]``, in the unit of the ends, in any order.

    Returns:
        Survival probabilities ``[n, t]``.

    Raises:
        InputError: bad shapes; ends that are not ascending and > 0; NaN.

    >>> import numpy as np
    >>> s = logistic_hazard_survival(np.zeros((1, 2)), np.array([1.0, 3.0]), np.array([1.0, 2.0, 9.0]))
    >>> [f"{p:.4f}" for p in s[0]]  # 1/2, 1/2 · root of 1/2, 1/4
    ['0.5000', '0.3536', '0.2500']
    """
    return _hazard_survival(*_checked(logits, ends, times))


@jax.jit
def _hazard_survival(logits: Array, interval: Array, share: Array) -> Array:
    total, _ = _hazards(logits)
    at = total[:, interval]
    return jnp.exp(-(at + (total[:, interval + 1] - at) * share[None]))


@read_arguments
def logistic_hazard_incidence(logits: ArrayLike, ends: ArrayLike, times: ArrayLike) -> Array:
    """Cumulative incidences of `logistic_hazard_loss`, ``[n, causes, t]``; they add up to 1 - S(t).

    In each interval the shares of the causes are constant. Arguments as for `logistic_hazard_survival`.

    >>> import numpy as np
    >>> f = logistic_hazard_incidence(np.zeros((1, 2, 1)), np.array([1.0]), np.array([1.0]))
    >>> [f"{p:.4f}" for p in f[0, :, 0]]
    ['0.3333', '0.3333']
    """
    return _hazard_incidence(*_checked(logits, ends, times))


@jax.jit
def _hazard_incidence(logits: Array, interval: Array, share: Array) -> Array:
    total, shares = _hazards(logits)
    alive, step = jnp.exp(-total[:, :-1]), jnp.diff(total, axis=1)
    whole = _from_zero(jnp.cumsum(shares * (alive * -jnp.expm1(-step))[:, None], 2))
    part = -jnp.expm1(-step[:, interval] * share[None]) * alive[:, interval]
    return whole[:, :, interval] + shares[:, :, interval] * part[:, None]


@read_arguments
def pmf_survival(logits: ArrayLike, ends: ArrayLike, times: ArrayLike) -> Array:
    """Survival curves of `pmf_loss`: S(t) = 1 - Σ_{k, j} p_kj, linear in each interval.

    After the last end S stays constant: the model says nothing there.
    Arguments as for `logistic_hazard_survival`.

    >>> import numpy as np
    >>> s = pmf_survival(np.zeros((1, 2)), np.array([1.0, 3.0]), np.array([1.0, 2.0, 9.0]))
    >>> [f"{p:.4f}" for p in s[0]]
    ['0.6667', '0.5000', '0.3333']
    """
    return 1 - jnp.sum(_pmf_incidence(*_checked(logits, ends, times)), 1)


@read_arguments
def pmf_incidence(logits: ArrayLike, ends: ArrayLike, times: ArrayLike) -> Array:
    """Cumulative incidences of `pmf_loss`, ``[n, causes, t]``, linear in each interval.

    Arguments as for `logistic_hazard_survival`.

    >>> import numpy as np
    >>> f = pmf_incidence(np.zeros((1, 2, 1)), np.array([1.0]), np.array([0.5, 1.0]))
    >>> [f"{p:.4f}" for p in f[0, 0]]
    ['0.1667', '0.3333']
    """
    return _pmf_incidence(*_checked(logits, ends, times))


@jax.jit
def _pmf_incidence(logits: Array, interval: Array, share: Array) -> Array:
    probability = cell_probabilities(logits)
    before = _from_zero(jnp.cumsum(probability, 2))[:, :, interval]
    return before + probability[:, :, interval] * share[None, None]
