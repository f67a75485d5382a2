"""The Cox partial likelihood: Breslow, Efron and exact ties, weights, strata, delayed entry."""

from dataclasses import replace
from functools import partial
from typing import Literal, Unpack

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxsurv.arguments.columns import as_real
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival.cumulative import cumulative_logsumexp
from jaxsurv.survival.host.cox import host_cox
from jaxsurv.survival.life_table import segment_sum
from jaxsurv.survival.risk_sets import (
    RiskSets,
    given_risk_sets,
    in_precision,
    to_positions,
)
from jaxsurv.survival.row_columns import Columns, columns_shown
from jaxsurv.survival.summed_loss import Ties, largest, log_weighted, summed_loss
from jaxsurv.survival.validation import check_finite, check_vectors, is_concrete
from jaxsurv.types import Array, ArrayLike, check_choice


@read_arguments
@columns_shown
def neg_log_partial_likelihood(
    log_hazard: ArrayLike,
    event: ArrayLike | None = None,
    time: ArrayLike | None = None,
    *,
    ties: Ties = "efron",
    reduction: Literal["mean", "sum"] = "mean",
    risk_sets: RiskSets | None = None,
    **columns: Unpack[Columns],
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
        ties: treatment of tied events, ``"efron"``, ``"breslow"`` or ``"exact"``.
        entry: ``[n]``, delayed entry: the row is at risk in ``(entry, time]``.
        strata: ``[n]``, labels of any type (integers under ``jit``); risk sets never cross
            strata.
        weights: ``[n]``, case weights, in R's convention under Efron ties; not with ``"exact"``.
        where: ``[n]``, False for rows that are not there.
        reduction: ``"mean"`` divides by the *weighted number of events*, so that a penalty means
            the same at every size; torchsurv divides by the number of distinct event times (see
            docs/differences.md).
        risk_sets: result of `prepare_risk_sets` or `restrict`, instead of the outcome.

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
    check_choice("ties", ties, ("breslow", "efron", "exact"))
    check_choice("reduction", reduction, ("mean", "sum"))
    risk_sets = given_risk_sets(risk_sets, event, time, exact=ties == "exact", **columns)
    check_scores(log_hazard, risk_sets)
    if (cox := host_cox(risk_sets, ties, log_hazard)) is not None:
        loss = -cox.log_likelihood(cox.to_positions(log_hazard))
        return loss / (cox.risk_sets.total or 1.0) if reduction == "mean" else loss
    unlabelled = replace(risk_sets, labels=None)  # one program, whatever the labels
    return _reduced(moderate(log_hazard, risk_sets)[0], unlabelled, ties, reduction)


def rows_there(risk_sets: RiskSets) -> np.ndarray | None:
    """Mask ``[n]`` of the rows that are there, in their original order; None if it is not known now."""
    if not is_concrete(risk_sets.log_weight):
        return None
    here = np.asarray(risk_sets.log_weight) > -np.inf
    return here if risk_sets.position is None else here[np.asarray(risk_sets.position)]


def check_scores(log_hazard: ArrayLike, risk_sets: RiskSets) -> None:
    """Refuse a wrong shape, and NaN in rows that are there."""
    check_vectors(log_hazard=log_hazard, risk_sets=risk_sets.start)
    if is_concrete(log_hazard) and (here := rows_there(risk_sets)) is not None:
        check_finite("log_hazard", np.where(here, np.asarray(log_hazard), 0))


def moderate(log_hazard: ArrayLike, risk_sets: RiskSets) -> tuple[Array, float]:
    """Log hazards minus a reference, as real numbers, and the reference.

    The reference is the largest log hazard if the values are known in a higher precision than JAX
    will keep, so that they may be far from zero; otherwise 0.
    """
    here = rows_there(risk_sets)
    if here is None or not is_concrete(log_hazard):
        return as_real(log_hazard), 0.0
    known = np.asarray(log_hazard)
    if known.dtype.itemsize <= jnp.result_type(float).itemsize or not here.any():
        return as_real(log_hazard), 0.0
    reference = float(known[here].max())
    return as_real(np.where(here, known, reference) - reference), reference


@partial(jax.jit, static_argnames=("ties", "reduction"))
def _reduced(log_hazard: Array, rs: RiskSets, ties: Ties, reduction: str) -> Array:
    rs = in_precision(rs, log_hazard.dtype)
    loss = _exact(log_hazard, rs) if ties == "exact" else summed_loss(log_hazard, rs, ties, None)
    return per_event(loss, rs) if reduction == "mean" else loss


def per_event(loss: Array, rs: RiskSets) -> Array:
    """Summed loss divided by the total event weight; without events 0 stays 0."""
    return loss / jnp.where(rs.total > 0, rs.total, 1)


def _exact(log_hazard: Array, rs: RiskSets) -> Array:
    """Summed loss under exact ties, by the recursion E_k(i) = sum_{j>=i} w_j E_{k-1}(j+1).

    E_k(i) is the sum over all ways to choose k of the rows from i on.
    """
    x = to_positions(rs, log_hazard)
    x = x - largest(x, rs)
    weighted, n = log_weighted(x, rs), x.shape[0]
    row = jnp.arange(n)
    event = rs.event_weight > 0
    chosen = segment_sum(jnp, event.astype(int), rs.start, n)[rs.start]
    stratum = jnp.zeros_like(row) if rs.stratum is None else rs.stratum
    is_last = jnp.append(stratum[1:] != stratum[:-1], True)

    def log_choices(at_risk: Array) -> Array:
        def one_more(fewer: Array, of_none: Array) -> tuple[Array, Array]:
            rest = jnp.where(is_last, of_none, jnp.roll(fewer, -1))
            more = cumulative_logsumexp(at_risk + rest, reverse=True, segment=stratum)
            return more, more

        of_none = jnp.full(rs.max_ties, -jnp.inf, x.dtype).at[0].set(0)
        return lax.scan(one_more, jnp.zeros_like(x), of_none)[1]

    if rs.intervals is None:
        log_sums = log_choices(weighted)[chosen - 1, rs.start]
    else:
        enter = rs.intervals.enter

        def at_row(i: Array) -> Array:
            at_risk = (enter <= rs.start[i]) & (row >= rs.start[i])
            return log_choices(jnp.where(at_risk, weighted, -jnp.inf))[chosen[i] - 1, rs.start[i]]

        log_sums = lax.map(
            lambda i: lax.cond(event[i], at_row, lambda i: jnp.zeros((), x.dtype), i), row
        )
    first = event & (rs.fraction == 0)
    return jnp.sum(jnp.where(first, log_sums, 0)) - jnp.sum(jnp.where(event, x, 0))
