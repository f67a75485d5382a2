"""The Cox partial likelihood: Breslow, Efron and exact ties, weights, strata, delayed entry."""

from functools import partial
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.survival.cumulative import cumulative_logsumexp
from jaxsurv.survival.risk_sets import RiskSets, prepare_risk_sets
from jaxsurv.survival.validation import check_finite, check_vectors, is_concrete
from jaxsurv.types import Array, ArrayLike, InputError

Ties = Literal["breslow", "efron", "exact"]


def neg_log_partial_likelihood(
    log_hazard: ArrayLike,
    event: ArrayLike | None = None,
    time: ArrayLike | None = None,
    *,
    ties: Ties = "efron",
    entry: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Literal["mean", "sum"] = "mean",
    risk_sets: RiskSets | None = None,
) -> Array:
    """Negative log partial likelihood of Cox's model, stable in float32 for any scores.

    With log hazards e_i, weights w_i and, for tie group g, the risk set R_g, its m events D_g and
    their mean weight v_g::

        -loglik = - sum_{events i} w_i e_i
                  + sum_g sum_{k<m} v_g log(sum_{R_g} w_j exp(e_j) - f_k sum_{D_g} w_j exp(e_j))

    with f_k = 0 (Breslow) or k / m (Efron). ``"exact"`` is the discrete likelihood of Cox (1972):
    its denominator sums over all ways to choose m rows of the risk set. In training, sort once::

        risk_sets = prepare_risk_sets(event, time)
        loss = neg_log_partial_likelihood(log_hazard, risk_sets=risk_sets)

    Args:
        log_hazard: ``[n]``, higher = worse. The only argument that is differentiated.
        event: ``[n]``, 1 = observed, 0 = censored (still at risk at its own time).
        time: ``[n]``, >= 0, any unit.
        ties: how tied events are treated.
        entry: ``[n]``, the row is at risk in ``(entry, time]``.
        strata: ``[n]``, integers; risk sets never cross strata.
        weights: ``[n]``, case weights, in R's convention under Efron ties; not with ``"exact"``.
        where: ``[n]``, False for rows that are not there.
        reduction: ``"mean"`` divides by the *weighted number of events*, so that a penalty means
            the same at every size; torchsurv divides by the number of distinct event times.
        risk_sets: from `prepare_risk_sets` or `restrict`, instead of the outcome.

    Returns:
        A scalar; 0 with zero gradient if there is no event.

    Raises:
        InputError: bad shapes or values; weights or a traced outcome with ``ties="exact"``.

    >>> import numpy as np
    >>> time = np.array([1.0, 2.0, 3.0])
    >>> loss = neg_log_partial_likelihood(np.zeros(3), np.array([1, 0, 1]), time)
    >>> print(f"{loss:.4f}")  # (log 3 + log 1) / 2
    0.5493
    """
    if ties not in ("breslow", "efron", "exact"):
        raise InputError(f"ties must be 'breslow', 'efron' or 'exact', got {ties!r}")
    if reduction not in ("mean", "sum"):
        raise InputError(f"reduction must be 'mean' or 'sum', got {reduction!r}")
    outcome = (event, time, entry, strata, weights, where)
    if risk_sets is not None:
        if any(a is not None for a in outcome):
            raise InputError("give risk_sets or the outcome, not both; use restrict for a mask")
    elif event is None or time is None:
        raise InputError("give event and time, or risk_sets")
    else:
        risk_sets = prepare_risk_sets(
            event, time, entry=entry, strata=strata, weights=weights, where=where,
            exact=ties == "exact",
        )  # fmt: skip
    if ties == "exact" and risk_sets.max_ties is None:
        raise InputError("ties='exact' needs prepare_risk_sets(..., exact=True)")
    check_vectors(log_hazard=log_hazard, risk_sets=risk_sets.start)
    if is_concrete(log_hazard) and is_concrete(risk_sets.weight):
        present = np.zeros(np.shape(log_hazard), bool)
        present[risk_sets.order] = np.asarray(risk_sets.weight) > 0
        check_finite("log_hazard", np.where(present, np.asarray(log_hazard), 0))
    return _reduced(jnp.asarray(log_hazard), risk_sets, ties, reduction)


@partial(jax.jit, static_argnames=("ties", "reduction"))
def _reduced(log_hazard: Array, rs: RiskSets, ties: Ties, reduction: str) -> Array:
    x = log_hazard.astype(jnp.promote_types(log_hazard.dtype, jnp.float32))
    x = jnp.where(rs.weight > 0, x[rs.order], 0)
    loss = _exact(x, rs) if ties == "exact" else _loss(x, rs, ties)
    if reduction == "mean":
        loss = loss / jnp.where(rs.total > 0, rs.total, 1)
    return loss


def _log_sums(x: Array, rs: RiskSets, at: Array, own: bool) -> Array:
    """Log of the summed hazards at risk at the positions ``at``, the row there included or not."""
    present = rs.weight > 0
    x = jnp.where(present, x + jnp.log(jnp.where(present, rs.weight, 1)), -jnp.inf)
    if rs.enter is None:
        sums = cumulative_logsumexp(x, reverse=True)
        return sums[at] if own else jnp.append(sums, -jnp.inf)[at + 1]
    row = jnp.arange(x.shape[0])[None, :]
    q = at[:, None]
    risk = (rs.enter[None, :] <= q) & ((row >= q) if own else (row > q))
    x = jnp.where(risk, x[None, :], -jnp.inf)
    top = jax.lax.stop_gradient(jnp.max(x, axis=1, keepdims=True))
    top = jnp.where(top == -jnp.inf, 0, top)
    s = jnp.sum(jnp.exp(x - top), axis=1)
    return jnp.where(s > 0, top[:, 0] + jnp.log(jnp.where(s > 0, s, 1)), -jnp.inf)


def _loss(x: Array, rs: RiskSets, ties: Ties) -> Array:
    event = rs.event > 0
    all_at_risk = jnp.where(event, _log_sums(x, rs, rs.start, own=True), 0)
    terms = rs.weight * (all_at_risk - x)
    if ties == "efron":
        # 1 - f + f (hazard of those without an event now) / (all at risk): no difference of sums.
        others = _log_sums(x, rs, rs.last_event, own=False)
        f = jnp.where(event, rs.fraction, 0)
        share = jnp.exp(jnp.where(event, others, -jnp.inf) - all_at_risk)
        terms = terms + rs.event_weight * jnp.log1p(-f * (1 - share))
    return jnp.sum(jnp.where(event, terms, 0))


def _exact(x: Array, rs: RiskSets) -> Array:
    """E_k(i), the sum over the ways to choose k rows from i on, is sum_{j>=i} w_j E_{k-1}(j+1)."""
    max_ties = rs.max_ties or 0

    def log_choices(x: Array) -> Array:
        rows = [jnp.zeros_like(x)]
        for k in range(max_ties):
            empty = 0 if k == 0 else -jnp.inf
            rest = jnp.append(rows[-1][1:], empty)
            rows.append(cumulative_logsumexp(x + rest, reverse=True))
        return jnp.stack(rows)

    n = x.shape[0]
    event = rs.event > 0
    chosen = jax.ops.segment_sum(rs.event, rs.start, n)[rs.start].astype(int)
    at_risk = jnp.where(rs.weight > 0, x, -jnp.inf)
    if rs.enter is None:
        log_sums = log_choices(at_risk)[chosen, rs.start]
    else:
        at = jnp.arange(n)

        def at_start(start: Array, chosen: Array) -> Array:
            risk = (rs.enter <= start) & (at >= start)
            return log_choices(jnp.where(risk, at_risk, -jnp.inf))[chosen, 0]

        log_sums = jax.lax.map(lambda a: at_start(*a), (rs.start, chosen))
    first = event & (rs.fraction == 0)
    return jnp.sum(jnp.where(first, log_sums, 0)) - jnp.sum(jnp.where(event, x, 0))
