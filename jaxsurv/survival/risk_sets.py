"""Risk sets: everything about an outcome that the partial likelihood needs, sorted once."""

from dataclasses import dataclass, replace
from functools import partial
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.survival.validation import check_survival, check_vectors, is_concrete
from jaxsurv.types import Array, ArrayLike, InputError


@partial(
    jax.tree_util.register_dataclass,
    data_fields=[
        "order", "weight", "event", "fraction", "event_weight",
        "start", "last_event", "enter", "total",
    ],
    meta_fields=["max_ties"],
)  # fmt: skip
@dataclass(frozen=True)
class RiskSets:
    """Rows in the order (stratum, time, events first); made by `prepare_risk_sets`.

    A *tie group* is the set of rows of one stratum with one time. A row that is at position i is at
    risk at the positions ``enter_i, ..., i``: strata and delayed entry are both said by ``enter``.

    Attributes:
        order: ``[n]``, the original row at each position.
        weight: ``[n]``, case weights; 0 for a row that is not there.
        event: ``[n]``, 1 = observed (and there).
        fraction: ``[n]``, Efron's k / m for the k-th of m tied events, k = 0 .. m - 1.
        event_weight: ``[n]``, for events the mean weight of the tied events, otherwise 0.
        start: ``[n]``, first position of the row's tie group.
        last_event: ``[n]``, position of the last event of the tie group; ``start - 1`` if none.
        enter: ``[n]``, first position at which the row is at risk, or None: always 0.
        total: scalar, the weighted number of events.
        max_ties: static, the largest number of tied events; None unless ``exact=True``.
    """

    order: Array
    weight: Array
    event: Array
    fraction: Array
    event_weight: Array
    start: Array
    last_event: Array
    enter: Array | None
    total: Array
    max_ties: int | None


def _group_sum(values: Any, start: Any) -> Any:
    """For every row the sum of ``values`` over the run of rows that share its ``start``."""
    n = start.shape[0]
    if isinstance(values, np.ndarray):
        return np.bincount(start, weights=values, minlength=n)[start]
    return jax.ops.segment_sum(values, start, n, indices_are_sorted=True)[start]


def _run_start(xp: ModuleType, *columns: Any) -> Any:
    """For every row the first position of its run of equal values in all columns."""
    new = sum(c[1:] != c[:-1] for c in columns) > 0
    run = xp.concatenate([xp.zeros(1, np.int32), xp.cumsum(new, dtype=np.int32)])
    return xp.searchsorted(run, run).astype(np.int32)


def _present(xp: ModuleType, start: Any, event: Any, weight: Any) -> dict[str, Any]:
    """What depends on which rows are there: a row of weight 0 is not."""
    event = xp.where(weight > 0, event, 0)
    before = xp.cumsum(event) - event
    count = xp.maximum(_group_sum(event, start), 1)
    mean = _group_sum(event * weight, start) / count
    return {
        "weight": weight,
        "event": event,
        "fraction": event * (before - before[start]) / count,
        "event_weight": event * mean,
        "total": xp.sum(event * weight),
    }


def prepare_risk_sets(
    event: ArrayLike,
    time: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    where: ArrayLike | None = None,
    exact: bool = False,
) -> RiskSets:
    """Check, sort and group an outcome once, on the host, in the precision it comes in.

    Times are compared as given (float64 stays float64), so that ties are those of the data. Values
    traced by ``jit`` are sorted there instead, which is slow on a CPU: prepare outside.

    Args:
        event: ``[n]``, 1 = observed, 0 = censored.
        time: ``[n]``, >= 0, any unit.
        entry: ``[n]``, the row is at risk in ``(entry, time]``.
        strata: ``[n]``, integers; risk sets never cross strata.
        weights: ``[n]``, case weights >= 0; a row of weight 0 is not there.
        where: ``[n]``, False for rows that are not there.
        exact: keep the largest number of tied events, which ``ties="exact"`` needs.

    Raises:
        InputError: see `jaxsurv.survival.validation.check_survival`.

    >>> rs = prepare_risk_sets(np.array([1, 0, 1]), np.array([3.0, 2.0, 1.0]))
    >>> rs.order.tolist(), float(rs.total)
    ([2, 1, 0], 2.0)
    """
    n = check_survival(event, time, entry=entry, strata=strata, weights=weights, where=where)
    given = (event, time, entry, strata, weights, where)
    xp = np if all(is_concrete(a) for a in given) else jnp
    if exact and xp is jnp:
        raise InputError("ties='exact' needs risk sets that are prepared outside jit")
    if exact and weights is not None:
        raise InputError("ties='exact' is not defined with weights; use 'efron' or 'breslow'")
    event, time = xp.asarray(event), xp.asarray(time)
    weight = xp.ones(n) if weights is None else xp.asarray(weights)
    if where is not None:
        weight = xp.where(xp.asarray(where).astype(bool), weight, 0)

    keys = (event == 0, time) if strata is None else (event == 0, time, xp.asarray(strata))
    order = xp.lexsort(keys)
    event, time, weight = event[order], time[order], weight[order]
    stratum = () if strata is None else (xp.asarray(strata)[order],)
    start = _run_start(xp, *stratum, time)
    enter = _run_start(xp, *stratum) if stratum else None
    if entry is not None:
        # Sort entries among the times: the times before an entry are those it comes too late for.
        both = xp.concatenate([time, xp.asarray(entry)[order]])
        is_entry = xp.arange(2 * n) >= n
        merged = xp.lexsort((is_entry, both, *(xp.concatenate([s, s]) for s in stratum)))
        times_before = xp.cumsum(~is_entry[merged], dtype=np.int32)
        enter = times_before[xp.argsort(merged)][n:]
    number = jnp.result_type(float)
    weight, event = weight.astype(number), event.astype(number)
    last_event = start + _group_sum(event, start).astype(np.int32) - 1
    present = _present(xp, start, event, weight)
    return RiskSets(
        order=jnp.asarray(order, jnp.int32),
        start=jnp.asarray(start),
        last_event=jnp.asarray(last_event),
        enter=None if enter is None else jnp.asarray(enter),
        max_ties=int((last_event - start).max(initial=0)) + 1 if exact else None,
        **{k: jnp.asarray(v, number) for k, v in present.items()},
    )


def restrict(risk_sets: RiskSets, where: ArrayLike) -> RiskSets:
    """The risk sets of the rows where ``where`` is True, with no new sort.

    The other rows leave every risk set; tied events are counted anew. Use one shared order for all
    cross-validation folds::

        rs = prepare_risk_sets(event, time)
        folds = jax.vmap(restrict, in_axes=(None, 0))(rs, train_masks)  # [runs, n]
        jax.vmap(lambda eta, rs: neg_log_partial_likelihood(eta, risk_sets=rs))(etas, folds)

    Args:
        where: ``[n]`` booleans in the original order of the rows.
    """
    check_vectors(where=where, risk_sets=risk_sets.start)
    weight = jnp.where(jnp.asarray(where)[risk_sets.order], risk_sets.weight, 0)
    present = _present(jnp, risk_sets.start, risk_sets.event, weight)
    return replace(risk_sets, **present)
