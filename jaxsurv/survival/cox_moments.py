"""Score, information and score residuals of a linear Cox model, from the risk-set means."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxsurv.survival.life_table import segment_sum
from jaxsurv.survival.partial_likelihood import neg_log_partial_likelihood
from jaxsurv.survival.risk_sets import RiskSets
from jaxsurv.survival.summed_loss import Ties, log_denominators
from jaxsurv.types import Array


class CoxMoments(NamedTuple):
    """Value and derivatives of the log partial likelihood as a function of ``coef [p]``.

    Attributes:
        log_likelihood: scalar.
        score: ``[p]``, gradient.
        information: ``[p, p]``, minus the Hessian.
    """

    log_likelihood: Array
    score: Array
    information: Array


def log_likelihood(coef: Array, x: Array, rs: RiskSets, ties: Ties) -> Array:
    """Log partial likelihood of ``x @ coef``; the rows of ``x [n, p]`` are in the order of ``rs``."""
    if ties == "exact":
        return -neg_log_partial_likelihood(x @ coef, risk_sets=rs, ties=ties, reduction="sum")
    log_hazard = x @ coef
    denominators = log_denominators(log_hazard, rs, ties)
    return jnp.sum(rs.event_weight * log_hazard - rs.mean_weight * denominators)


def moments(coef: Array, x: Array, rs: RiskSets, ties: Ties) -> CoxMoments:
    """Value and derivatives of the log partial likelihood.

    Let p_ji be the probability that event j happens to row i of its risk set, m_j = sum_i p_ji x_i
    the mean of the risk set, and v_j the weight of the event. The information is a difference of
    two products::

        sum_j v_j (sum_i p_ji x_i x_i' - m_j m_j') = x' diag(p' v) x - m' diag(v) m

    Centre the columns of ``x``: otherwise the difference cancels. Exact ties use automatic
    differentiation.
    """
    if ties == "exact":
        value, score = jax.value_and_grad(log_likelihood)(coef, x, rs, ties)
        return CoxMoments(value, score, -jax.hessian(log_likelihood)(coef, x, rs, ties))
    log_hazard = x @ coef
    denominators, to_events = jax.linearize(lambda e: log_denominators(e, rs, ties), log_hazard)
    (expected,) = jax.linear_transpose(to_events, log_hazard)(rs.mean_weight)
    mean = jax.vmap(to_events)(x.T).T
    return CoxMoments(
        jnp.sum(rs.event_weight * log_hazard - rs.mean_weight * denominators),
        x.T @ (rs.event_weight - expected),
        x.T @ (expected[:, None] * x) - mean.T @ (rs.mean_weight[:, None] * mean),
    )


def score_residuals(coef: Array, x: Array, rs: RiskSets, ties: Ties) -> Array:
    """Contributions ``[n, p]`` of the rows to the score, times their weights.

    A contribution is the derivative of the score with respect to the weight of the row (Lin & Wei,
    1989). Tied events share the mean over their Efron steps, as in R's
    ``residuals(type = "score")``.
    """
    log_hazard = x @ coef
    _, to_events = jax.linearize(lambda e: log_denominators(e, rs, ties), log_hazard)
    to_rows = jax.linear_transpose(to_events, log_hazard)
    (expected,) = to_rows(rs.mean_weight)
    mean = jax.vmap(to_events)(x.T).T
    (spread,) = jax.vmap(to_rows, 1, 1)(rs.mean_weight[:, None] * mean)
    happened = (rs.event_weight > 0).astype(x.dtype)
    of_group = jax.vmap(lambda v: segment_sum(jnp, v, rs.start, v.shape[0])[rs.start], 1, 1)
    tied_mean = of_group(mean) / jnp.maximum(of_group(happened[:, None]), 1)
    at_events = rs.event_weight[:, None] * (x - tied_mean)
    return at_events - (expected[:, None] * x - spread)
