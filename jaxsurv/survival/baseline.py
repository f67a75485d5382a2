"""Baseline hazards, survival curves and residuals of a Cox model with any log hazards."""

from dataclasses import replace
from functools import partial
from typing import Any, Unpack

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.arguments.columns import as_real, first_rows
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival.cumulative import cumulative_logsumexp
from jaxsurv.survival.host.cox import host_cox
from jaxsurv.survival.partial_likelihood import (
    check_scores,
    moderate,
    neg_log_partial_likelihood,
)
from jaxsurv.survival.risk_sets import (
    RiskSets,
    given_risk_sets,
    in_precision,
    to_positions,
    to_rows,
)
from jaxsurv.survival.row_columns import Columns, columns_shown
from jaxsurv.survival.step_function import StepFunction
from jaxsurv.survival.summed_loss import Ties, log_denominators
from jaxsurv.survival.validation import (
    array_module,
    check_event,
    check_finite,
    check_no_nan,
    check_some,
    check_vectors,
    is_concrete,
)
from jaxsurv.types import Array, ArrayLike, InputError


@read_arguments
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
        strata: ``[n]``, labels of any type (integers under ``jit``).
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
    check_scores(log_hazard, rs)
    if (cox := host_cox(rs, ties, log_hazard)) is not None:
        reference, log_values = 0.0, cox.log_cumulative_hazard(cox.to_positions(log_hazard))
    else:
        scores, reference = moderate(log_hazard, rs)
        unlabelled = replace(in_precision(rs, scores.dtype), labels=None)
        log_values = _log_cumulative_hazard(scores, unlabelled, ties)
    if not is_concrete(log_values):
        return StepFunction(rs.time, jnp.exp(log_values), rs.stratum, rs.labels, log_values)
    return curve_of_jumps(rs, np.asarray(log_values, float) - reference)


def curve_of_jumps(rs: RiskSets, log_values: np.ndarray) -> StepFunction:
    """Step function at the event times, from the logarithm of its value ``[n]`` at each row of ``rs``."""
    at_jump = np.zeros(log_values.shape, bool)
    at_jump[np.asarray(rs.last)[np.asarray(rs.event_weight) > 0]] = True
    # A stratum without events keeps one row of its patients: its hazard is known to be 0.
    here = np.flatnonzero(np.asarray(rs.log_weight) > -np.inf)
    strata = np.zeros(at_jump.size) if rs.stratum is None else np.asarray(rs.stratum)
    for first in here[np.unique(strata[here], return_index=True)[1]]:
        at_jump[first] |= not at_jump[strata == strata[first]].any()
    with np.errstate(over="ignore"):
        curve = StepFunction(rs.time, np.exp(log_values), rs.stratum, rs.labels, log_values)
    return jax.tree.map(lambda a: np.asarray(a)[at_jump], curve)


@partial(jax.jit, static_argnames="ties")
def _log_cumulative_hazard(log_hazard: Array, rs: RiskSets, ties: Ties) -> Array:
    happened = rs.event_weight > 0
    x = jnp.where(rs.log_weight > -jnp.inf, to_positions(rs, log_hazard), 0)
    jumps = jnp.log(jnp.where(happened, rs.mean_weight, 1)) - log_denominators(x, rs, ties)
    return cumulative_logsumexp(jnp.where(happened, jumps, -jnp.inf), segment=rs.stratum)


@read_arguments
def survival_function(
    baseline: StepFunction,
    log_hazard: ArrayLike,
    times: ArrayLike,
    *,
    stratum: Any = None,
) -> Array:
    """Survival probabilities ``S(t | i) = exp(-H(t) exp(log_hazard_i))``.

    Args:
        baseline: result of `breslow_baseline`, with log hazards on the same scale.
        log_hazard: ``[n]``, higher = worse.
        times: ``[t]``, evaluation times in the unit of the baseline.
        stratum: label of the stratum, or ``[n]`` labels, if the baseline has strata, see
            `StepFunction`.

    Returns:
        Survival probabilities ``[n, t]``.

    Raises:
        InputError: NaN, an unknown stratum, or none, for a baseline with strata.

    >>> baseline = breslow_baseline(np.zeros(3), np.array([1, 0, 1]), np.array([1.0, 2.0, 3.0]))
    >>> survival_function(baseline, np.array([0.0, 1.0]), np.array([0.5, 1.0])).round(3).tolist()
    [[1.0, 0.717], [1.0, 0.404]]
    """
    check_vectors(log_hazard=log_hazard)
    check_vectors(times=times)
    check_finite("log_hazard", log_hazard)
    check_no_nan(times)
    code = baseline.codes(stratum)
    if np.ndim(code):
        check_vectors(log_hazard=log_hazard, stratum=code)
        code = code[:, None]
    curve = baseline.times, baseline.values, baseline.stratum, baseline.log_values
    xp = array_module(log_hazard, times, code, *curve)
    x, times = xp.asarray(log_hazard)[:, None], xp.asarray(times)[None, :]
    # Their sum is of moderate size even where both are far from zero.
    log_hazards = baseline.log(times, code) + x
    log_hazards = log_hazards if xp is np else as_real(log_hazards)
    # Beyond e^80 S is 0; a derivative would be 0 times infinity.
    return xp.exp(-xp.exp(xp.minimum(log_hazards, 80)))


@read_arguments
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
    check_scores(log_hazard, rs)
    if (cox := host_cox(rs, ties, log_hazard)) is not None:
        weight = cox.to_rows(np.exp(cox.risk_sets.log_weight))
        gradient = cox.to_rows(cox.gradient(cox.to_positions(log_hazard)))
        return gradient / np.where(weight > 0, weight, 1)

    def loss(x: Array) -> Array:
        return neg_log_partial_likelihood(x, risk_sets=rs, ties=ties, reduction="sum")

    weight = jnp.exp(to_rows(rs, rs.log_weight))
    gradient = jax.grad(loss)(moderate(log_hazard, rs)[0])
    return -gradient / jnp.where(weight > 0, weight, 1)


@read_arguments
def deviance_residuals(martingale: ArrayLike, event: ArrayLike) -> Array:
    """Martingale residuals m made symmetric: ``sign(m) sqrt(-2 (m + event log(event - m)))``.

    At m = 0 of a censored patient the slope is infinite, and the derivative 0 by definition. The
    logarithm is of the expected number of events, ``event - m``, and at least of the machine epsilon of
    m: below it m cannot hold that number, and m = 1 would give infinity.

    Args:
        martingale: ``[n]``, result of `martingale_residuals`.
        event: ``[n]``, 1 = observed, 0 = censored.

    Raises:
        InputError: unequal lengths, NaN, event codes, a residual above its event.

    Therneau, Grambsch & Fleming (1990), Biometrika 77, 147-160.
    """
    check_some(check_vectors(martingale=martingale, event=event), None)
    check_finite("martingale", martingale)
    check_event(event)
    if is_concrete(martingale) and is_concrete(event):
        above = np.asarray(martingale, float) > np.asarray(event, float)
        if above.any():
            raise InputError(
                f"martingale must be at most event; it is above in {first_rows(above)}"
            )
    xp = array_module(martingale, event)
    m = np.asarray(martingale, float) if xp is np else as_real(martingale)
    event = xp.asarray(event)
    small = (event > 0) & (xp.abs(m) < 0.02)
    # Near 0 the logarithm cancels: -2 (m + log(1 - m)) = m² (1 + 2 m / 3 + 2 m² / 4 + ...).
    series = xp.polyval(2 / xp.arange(9.0, 1, -1, dtype=m.dtype), xp.where(small, m, 0))
    least = xp.finfo(xp.promote_types(xp.asarray(martingale).dtype, np.float32)).eps
    left = xp.where((event > 0) & ~small, xp.maximum(event - m, least), 1)
    square = -2 * (m + event * xp.log(left))
    root = xp.sqrt(xp.where(square > 0, square, 1))
    root = xp.where(square > 0, xp.sign(m) * root, 0)
    return xp.where(small, m * xp.sqrt(series), root)
