"""Baseline hazards, survival curves and residuals of a Cox model with any log hazards."""

from functools import partial
from typing import Any, NamedTuple, Unpack

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.survival.cumulative import cumulative_logsumexp, safe_log
from jaxsurv.survival.life_table import step_at
from jaxsurv.survival.partial_likelihood import checked_scores, neg_log_partial_likelihood
from jaxsurv.survival.risk_sets import (
    Columns,
    RiskSets,
    columns_shown,
    given_risk_sets,
    in_precision,
    to_positions,
    to_rows,
)
from jaxsurv.survival.summed_loss import Ties, log_denominators
from jaxsurv.survival.ties import at_known_times
from jaxsurv.survival.validation import array_module, as_real, check_vectors, is_concrete
from jaxsurv.types import Array, ArrayLike, InputError


class StepFunction(NamedTuple):
    """Right-continuous step function, 0 before its first time; one per stratum if there are strata.

    Attributes:
        times: ``[m]``, ascending (within strata). NumPy arrays if the values are known.
        values: ``[m]``, value from each time on.
        stratum: ``[m]``, 0, 1, ... in the order of the sorted labels, or None.
        log_values: ``[m]``, logarithm of ``values``, which is finite where ``values`` is too small or too
            large for a number; or None.
    """

    times: ArrayLike
    values: ArrayLike
    stratum: ArrayLike | None = None
    log_values: ArrayLike | None = None

    def __call__(self, times: ArrayLike, stratum: ArrayLike | int = 0) -> Any:
        """Values at ``times``, of any shape, in ``stratum`` (a number, or an array of the same shape)."""
        return self._at(self.values, 0.0, times, stratum)

    def log(self, times: ArrayLike, stratum: ArrayLike | int = 0) -> Any:
        """Logarithms of the values at ``times``, -inf where the value is 0; arguments as in the call."""
        if self.log_values is not None:
            return self._at(self.log_values, -np.inf, times, stratum)
        xp, values = array_module(*(a for a in self if a is not None)), self(times, stratum)
        with np.errstate(divide="ignore"):
            return np.log(values) if xp is np else safe_log(values)

    def _at(self, values: ArrayLike, initial: float, times: Any, stratum: Any) -> Any:
        """Evaluate a step function whose values are those given, and ``initial`` before the first."""
        xp = array_module(times, stratum, *(a for a in self if a is not None))
        if self.stratum is None:
            return step_at(times, self.times, values, initial=initial)
        query = xp.asarray(times) if xp is np else xp.asarray(times, xp.asarray(self.times).dtype)
        # The steps are sorted by stratum and, within it, by the rank of their time among all.
        curves = xp.asarray(self.stratum)
        all_times, m = xp.sort(xp.asarray(self.times)), curves.shape[0]
        query = at_known_times(query, all_times)

        def key(times: Any, stratum: Any) -> Any:
            return stratum * (m + 1) + xp.searchsorted(all_times, times, side="right")

        asked = key(query, xp.asarray(stratum))
        step = xp.searchsorted(key(self.times, curves), asked, side="right") - 1
        is_own = (step >= 0) & (curves[step] == xp.asarray(stratum))
        return xp.where(is_own, xp.asarray(values)[step], initial)


@columns_shown
def breslow_baseline(
    log_hazard: ArrayLike,
    event: ArrayLike | None = None,
    time: ArrayLike | None = None,
    *,
    ties: Ties = "efron",
    risk_sets: RiskSets | None = None,
    **columns: Unpack[Columns],
) -> StepFunction:
    """Cumulative baseline hazard, at log hazard 0::

        H(t) = sum_{events j, t_j <= t} v_j / d_j

    with d_j the denominator of the event in the partial likelihood, and v_j the mean weight of its
    tied events. So ``ties="efron"`` gives Efron's estimate, as R's ``basehaz``; lifelines and
    scikit-survival always give Breslow's. The cumulative hazard of a subject is
    ``H(t) exp(log_hazard)``.

    Args:
        log_hazard: ``[n]``, higher = worse; *not* centred by this function.
        event: ``[n]``, 1 = observed, 0 = censored.
        time: ``[n]``, >= 0, any unit.
        ties: treatment of tied events, ``"efron"`` or ``"breslow"``.
        entry: ``[n]``, delayed entry: the row is at risk in ``(entry, time]``.
        strata: ``[n]``, integers.
        weights: ``[n]``, case weights.
        where: ``[n]``, False for rows that are not there.
        risk_sets: result of `prepare_risk_sets` or `restrict`, instead of the outcome.

    Returns:
        Callable curve, at the distinct event times, or under ``jit`` at all n sorted times. Survival
        probabilities do not depend on where log hazards have their zero, since ``log_values`` are kept.

    Raises:
        InputError: bad shapes or values; ``ties="exact"``, which defines no baseline.

    >>> curve = breslow_baseline(np.zeros(3), np.array([1, 0, 1]), np.array([1.0, 2.0, 3.0]))
    >>> curve(np.array([0.5, 1.0, 3.0])).round(4).tolist()
    [0.0, 0.3333, 1.3333]
    """
    if ties == "exact":
        raise InputError("ties='exact' defines no baseline hazard; use 'efron' or 'breslow'")
    rs = given_risk_sets(risk_sets, event, time, **columns)
    scores, reference = checked_scores(log_hazard, rs)
    rs = in_precision(rs, scores.dtype)
    log_values = _log_cumulative_hazard(scores, rs, ties)
    if not is_concrete(log_values):
        return StepFunction(rs.time, jnp.exp(log_values), rs.stratum, log_values)
    at_jump = np.zeros(log_values.shape, bool)
    at_jump[np.asarray(rs.last)[np.asarray(rs.event_weight) > 0]] = True
    at_jump[0] |= not at_jump.any()
    log_values = np.asarray(log_values, float) - reference
    with np.errstate(over="ignore"):
        curve = StepFunction(rs.time, np.exp(log_values), rs.stratum, log_values)
    return jax.tree.map(lambda a: np.asarray(a)[at_jump], curve)


@partial(jax.jit, static_argnames="ties")
def _log_cumulative_hazard(log_hazard: Array, rs: RiskSets, ties: Ties) -> Array:
    happened = rs.event_weight > 0
    x = jnp.where(rs.log_weight > -jnp.inf, to_positions(rs, log_hazard), 0)
    jumps = jnp.log(jnp.where(happened, rs.mean_weight, 1)) - log_denominators(x, rs, ties)
    return cumulative_logsumexp(jnp.where(happened, jumps, -jnp.inf), segment=rs.stratum)


def survival_function(
    baseline: StepFunction,
    log_hazard: ArrayLike,
    times: ArrayLike,
    *,
    stratum: ArrayLike | int = 0,
) -> Array:
    """Survival probabilities ``S(t | i) = exp(-H(t) exp(log_hazard_i))``.

    Args:
        baseline: result of `breslow_baseline`, with log hazards on the same scale.
        log_hazard: ``[n]``, higher = worse.
        times: ``[t]``, evaluation times in the unit of the baseline.
        stratum: number of the stratum, or ``[n]``, if the baseline has strata.

    Returns:
        Survival probabilities ``[n, t]``.

    >>> baseline = breslow_baseline(np.zeros(3), np.array([1, 0, 1]), np.array([1.0, 2.0, 3.0]))
    >>> survival_function(baseline, np.array([0.0, 1.0]), np.array([0.5, 1.0])).round(3).tolist()
    [[1.0, 0.717], [1.0, 0.404]]
    """
    check_vectors(log_hazard=log_hazard)
    check_vectors(times=times)
    xp = array_module(log_hazard, times, stratum, *(a for a in baseline if a is not None))
    x, times = xp.asarray(log_hazard)[:, None], xp.asarray(times)[None, :]
    at_zero = baseline.log(times, xp.atleast_1d(xp.asarray(stratum))[:, None])
    # Their sum is of moderate size even where both are far from zero.
    log_hazards = as_real(at_zero + x)
    # Beyond e^80 S is 0; a derivative would be 0 times infinity.
    return jnp.exp(-jnp.exp(jnp.minimum(log_hazards, 80)))


@columns_shown
def martingale_residuals(
    log_hazard: ArrayLike,
    event: ArrayLike | None = None,
    time: ArrayLike | None = None,
    *,
    ties: Ties = "efron",
    risk_sets: RiskSets | None = None,
    **columns: Unpack[Columns],
) -> Array:
    """Event minus expected number of events, ``[n]`` in the order of the rows, as R's ``residuals``.

    The residuals are the derivatives of the log partial likelihood with respect to the log hazards,
    per unit of weight. They are not multiplied by the weights, and 0 for rows that are not there.
    Arguments as for `breslow_baseline`.

    >>> martingale_residuals(np.zeros(2), np.array([1, 1]), np.array([1.0, 2.0])).tolist()
    [0.5, -0.5]
    """
    rs = given_risk_sets(risk_sets, event, time, **columns)

    def loss(x: Array) -> Array:
        return neg_log_partial_likelihood(x, risk_sets=rs, ties=ties, reduction="sum")

    weight = jnp.exp(to_rows(rs, rs.log_weight))
    gradient = jax.grad(loss)(checked_scores(log_hazard, rs)[0])
    return -gradient / jnp.where(weight > 0, weight, 1)


def deviance_residuals(martingale: ArrayLike, event: ArrayLike) -> Array:
    """Martingale residuals m made symmetric: ``sign(m) sqrt(-2 (m + event log(event - m)))``.

    At m = 0 of a censored patient the slope is infinite, and the derivative 0 by definition.

    Args:
        martingale: ``[n]``, result of `martingale_residuals`.
        event: ``[n]``, 1 = observed, 0 = censored.

    Therneau, Grambsch & Fleming (1990), Biometrika 77, 147-160.
    """
    check_vectors(martingale=martingale, event=event)
    m, event = as_real(martingale), jnp.asarray(event)
    small = (event > 0) & (jnp.abs(m) < 0.02)
    # Near 0 the logarithm cancels: -2 (m + log(1 - m)) = m² (1 + 2 m / 3 + 2 m² / 4 + ...).
    series = jnp.polyval(2 / jnp.arange(9.0, 1, -1, dtype=m.dtype), jnp.where(small, m, 0))
    left = jnp.where((event > 0) & ~small, event - m, 1)
    square = -2 * (m + event * jnp.log(left))
    root = jnp.sqrt(jnp.where(square > 0, square, 1))
    root = jnp.where(square > 0, jnp.sign(m) * root, 0)
    return jnp.where(small, m * jnp.sqrt(series), root)
