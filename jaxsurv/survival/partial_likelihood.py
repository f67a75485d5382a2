"""The Cox partial likelihood: Breslow, Efron and exact ties, weights, strata, delayed entry."""

from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxsurv.survival.cumulative import LINEAR, LOG, Arithmetic, cumulative_logsumexp
from jaxsurv.survival.delayed_entry import log_at_risk, log_before
from jaxsurv.survival.life_table import segment_sum
from jaxsurv.survival.risk_sets import (
    RiskSets,
    given_risk_sets,
    in_precision,
    to_positions,
    to_rows,
)
from jaxsurv.survival.validation import as_real, check_finite, check_vectors, is_concrete
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
            the same at every size; torchsurv divides by the number of distinct event times (see
            docs/differences.md).
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
    risk_sets = given_risk_sets(
        risk_sets, event, time, entry=entry, strata=strata, weights=weights, where=where,
        exact=ties == "exact",
    )  # fmt: skip
    return _reduced(checked_scores(log_hazard, risk_sets), risk_sets, ties, reduction)


def checked_scores(log_hazard: ArrayLike, risk_sets: RiskSets) -> Array:
    """Refuse log hazards of a wrong shape, and NaN in rows that are there."""
    check_vectors(log_hazard=log_hazard, risk_sets=risk_sets.start)
    if is_concrete(log_hazard) and is_concrete(risk_sets.log_weight):
        here = np.asarray(to_rows(risk_sets, risk_sets.log_weight)) > -np.inf
        check_finite("log_hazard", np.where(here, np.asarray(log_hazard), 0))
    return as_real(log_hazard)


@partial(jax.jit, static_argnames=("ties", "reduction"))
def _reduced(log_hazard: Array, rs: RiskSets, ties: Ties, reduction: str) -> Array:
    rs = in_precision(rs, log_hazard.dtype)
    loss = _exact(log_hazard, rs) if ties == "exact" else _loss(log_hazard, rs, ties)
    return loss / jnp.where(rs.total > 0, rs.total, 1) if reduction == "mean" else loss


@partial(jax.custom_jvp, nondiff_argnums=(2,))
def _loss(log_hazard: Array, rs: RiskSets, ties: Ties) -> Array:
    return _evaluate(log_hazard, rs, ties, gradient=False)[0]


@_loss.defjvp
def _loss_jvp(ties: Ties, primals: Any, tangents: Any) -> tuple[Array, Array]:
    # Value and gradient in one pass; the code of the gradient is differentiable in its turn.
    log_hazard, rs = primals
    loss, gradient = _evaluate(log_hazard, rs, ties, gradient=True)
    return loss, jnp.vdot(gradient, tangents[0])


def _evaluate(log_hazard: Array, rs: RiskSets, ties: Ties, gradient: bool) -> list[Array]:
    """The summed loss and, if asked for, its gradient ``[n]``."""

    def nothing(x: Array, rs: RiskSets) -> list[Array]:
        return [jnp.zeros((), x.dtype), jnp.zeros_like(x)][: 1 + gradient]

    # As the argument of a conditional the permuted vector is made once, not in each use of it.
    some = partial(_choose_arithmetic, ties == "efron", gradient)
    out = lax.cond(rs.total > 0, some, nothing, to_positions(rs, log_hazard), rs)
    return [out[0], *(to_rows(rs, g) for g in out[1:])]


def _choose_arithmetic(tied: bool, gradient: bool, x: Array, rs: RiskSets) -> list[Array]:
    """Plain numbers where they will do, logs where they would underflow."""
    top = _top(x, rs)

    def in_logs(x: Array, top: Array, rs: RiskSets, *_: Any) -> list[Array]:
        return _in_arithmetic(LOG, tied, gradient, x, top, rs, *_hazards(LOG, x, top, rs))

    if rs.stratum is not None or rs.intervals is not None:
        return in_logs(x, top, rs)
    # Plain numbers will do if the smallest of the nested risk sets, that of the last event, is
    # within e^-60 of the largest hazard; a NaN goes the other way, and through.
    hazard, sums = _hazards(LINEAR, x, top, rs)
    will_do = sums[rs.final] > np.exp(-60.0)
    branches = [partial(_in_arithmetic, LINEAR, False, gradient), in_logs]
    branch = jnp.where(will_do, 0, 1)
    if tied:
        branches.insert(1, partial(_in_arithmetic, LINEAR, True, gradient))
        branch = jnp.where(will_do, rs.tied.astype(int), 2)
    return lax.switch(branch, branches, x, top, rs, hazard, sums)


def _weighted(x: Array, rs: RiskSets) -> Array:
    """Log of weight times hazard; -inf for absent rows, whatever their x."""
    return jnp.where(rs.log_weight > -jnp.inf, x + rs.log_weight, -jnp.inf)


def _top(x: Array, rs: RiskSets) -> Array:
    top = lax.stop_gradient(jnp.max(_weighted(x, rs)))
    return jnp.where(top == -jnp.inf, 0, top)


def log_denominators(log_hazard: Array, rs: RiskSets, ties: Ties) -> Array:
    """For each event the log of its denominator, else 0; both are ``[n]`` in the order of ``rs``.

    Its derivatives are the risk-set means: ``d log_denominators_j / d log_hazard_i`` is the chance
    p_ji that, of those at risk, it is row i that has event j.
    """
    return _denominators(LOG, ties == "efron", *_hazards(LOG, log_hazard, 0, rs), rs)


def _hazards(a: Arithmetic, x: Array, top: Array | int, rs: RiskSets) -> tuple[Array, Array]:
    """Weighted hazards, and their sums from each row to the last of its stratum."""
    hazard = a.exp(_weighted(x, rs) - top)
    return hazard, a.cumulative(hazard, reverse=True, segment=rs.stratum)


def _denominators(a: Arithmetic, tied: bool, hazard: Array, sums: Array, rs: RiskSets) -> Array:
    if rs.intervals is None:
        everyone, others = _at(sums, rs.start, a), _at(sums, rs.rest, a)
    else:
        everyone, others = log_at_risk(rs.intervals, hazard)
    if tied:
        # All at risk minus k / m of the events = (1 - k / m) all + k / m others: nothing cancels.
        fraction, share = a.of(rs.fraction), a.of(1 - rs.fraction)
        everyone = a.add(a.multiply(share, everyone), a.multiply(fraction, others))
    return jnp.where(rs.event_weight > 0, everyone, a.one)


def _in_arithmetic(
    a: Arithmetic,
    tied: bool,
    gradient: bool,
    x: Array,
    top: Array,
    rs: RiskSets,
    hazard: Array,
    sums: Array,
) -> list[Array]:
    """The loss, and its gradient, from the log hazards x; all in the order of ``rs``."""
    denominator = _denominators(a, tied, hazard, sums, rs)
    own = jnp.where(rs.event_weight > 0, rs.event_weight * (x - top), 0)
    loss = jnp.sum(rs.mean_weight * a.log(denominator) - own)
    if not gradient:
        return [loss]

    pull = a.divide(a.of(rs.mean_weight), denominator)
    on_everyone, on_others = pull, jnp.full_like(pull, a.zero)
    if tied:
        fraction, share = a.of(rs.fraction), a.of(1 - rs.fraction)
        on_everyone, on_others = a.multiply(share, pull), a.multiply(fraction, pull)
    if rs.intervals is None:
        reached = _at(a.cumulative(on_everyone, segment=rs.stratum), rs.last, a)
        if tied:
            sums = a.cumulative(on_others, segment=rs.stratum)
            reached = a.add(reached, _at(sums, rs.earlier, a))
    else:
        reached = log_before(rs.intervals, on_everyone, on_others)
    return [loss, a.plain(a.multiply(hazard, reached)) - rs.event_weight]


def _at(x: Array, index: Array, a: Arithmetic) -> Array:
    return x.at[index].get(mode="fill", fill_value=a.zero, wrap_negative_indices=False)


def _exact(log_hazard: Array, rs: RiskSets) -> Array:
    """E_k(i), the sum over the ways to choose k rows from i on, is sum_{j>=i} w_j E_{k-1}(j+1)."""
    x = to_positions(rs, log_hazard)
    x = x - _top(x, rs)
    weighted, n = _weighted(x, rs), x.shape[0]
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
