"""Risk sets: all data of an outcome that the partial likelihood needs, sorted once."""

from dataclasses import dataclass, fields, replace
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.arguments.labels import Labels, encoded
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival.delayed_entry import Intervals, make_intervals
from jaxsurv.survival.life_table import entry_positions, run_bounds, segment_sum
from jaxsurv.survival.ties import in_ranks, merge_near_ties
from jaxsurv.survival.validation import array_module, check_survival, check_vectors, is_concrete
from jaxsurv.types import Array, ArrayLike, InputError


@dataclass(frozen=True)
class RiskSets:
    """Rows in the order (stratum, time, events first); made by `prepare_risk_sets`.

    A *tie group* is the set of rows of one stratum with one time. Indices that are out of range
    (-1 or n) stand for "none".

    Attributes:
        order: ``[n]``, the original row at each position; None if the rows came in this order.
        position: ``[n]``, the position of each original row; None if the rows came in this order.
        time: ``[n]``, times for reporting; NumPy, as precise as they were given, unless ``jit`` traces.
        log_weight: ``[n]``, log case weight; -inf for a row that is not there.
        event_weight: ``[n]``, the weight of an event, otherwise 0.
        mean_weight: ``[n]``, mean weight of the events of the group for an event, otherwise 0.
        fraction: ``[n]``, Efron's k / m for the k-th of m tied events, k = 0 .. m - 1.
        start: ``[n]``, first position of the group: it and all later ones are at risk.
        rest: ``[n]``, first position after the events of the group, or n.
        last: ``[n]``, last event at or before the time of the group, or -1.
        earlier: ``[n]``, last position before the group for an event, otherwise ``last``.
        stratum: ``[n]``, ascending codes of the strata, or None.
        intervals: data for delayed entry, or None.
        total: scalar, the weighted number of events.
        tied: scalar, whether any events are tied.
        final: scalar, first position of the risk set of the last event.
        max_ties: static, the largest number of tied events rounded up to a power of 2 (so that few
            programs are compiled); None unless ``exact=True``.
        labels: static, the strata's labels in the order of their codes 0, 1, ...; None where the codes
            are the labels themselves.
    """

    order: Array | None
    position: Array | None
    time: Array
    log_weight: Array
    event_weight: Array
    mean_weight: Array
    fraction: Array
    start: Array
    rest: Array
    last: Array
    earlier: Array
    stratum: Array | None
    intervals: Intervals | None
    total: Array
    tied: Array
    final: Array
    max_ties: int | None
    labels: Labels | None = None


jax.tree_util.register_dataclass(
    RiskSets, [f.name for f in fields(RiskSets) if f.name != "max_ties"], ["max_ties"]
)


def in_precision(risk_sets: RiskSets, dtype: Any) -> RiskSets:
    """Convert all real numbers, except the times, to the given precision."""
    converted = jax.tree.map(
        lambda a: a.astype(dtype) if jnp.issubdtype(a.dtype, jnp.floating) else a, risk_sets
    )
    return replace(converted, time=risk_sets.time)


def to_positions(risk_sets: RiskSets, x: Array) -> Array:
    """Values in the original order of the rows, put in the order of ``risk_sets``."""
    return x if risk_sets.order is None else _permute(x, risk_sets.order)


def to_rows(risk_sets: RiskSets, x: Array) -> Array:
    """Values in the order of ``risk_sets``, put back in the original order of the rows."""
    return x if risk_sets.position is None else _permute(x, risk_sets.position)


def _permute(x: Array, order: Array) -> Array:
    return x.at[order].get(mode="promise_in_bounds", unique_indices=True)


def _there(xp: ModuleType, start: Any, event: Any, weight: Any) -> dict[str, Any]:
    """Fields that depend on which rows are there; a row of weight 0 is not there."""
    event = xp.where(weight > 0, event, 0)
    before = xp.cumsum(event) - event

    def of_group(values: Any) -> Any:
        return segment_sum(xp, values, start, start.shape[0])[start]

    count = xp.maximum(of_group(event), 1)
    weighted = event * weight
    here = weight > 0
    fraction = event * (before - before[start]) / count
    return {
        "log_weight": xp.where(here, xp.log(xp.where(here, weight, 1)), -xp.inf),
        "event_weight": weighted,
        "mean_weight": event * of_group(weighted) / count,
        "fraction": fraction,
        "total": xp.sum(weighted),
        "tied": xp.any(fraction > 0),
        "final": xp.max(xp.where(event > 0, start, 0)),
    }


def _grouped(
    xp: ModuleType, died: Any, weight: Any, columns: Any, enter: Any, **given: Any
) -> RiskSets:
    """Risk sets of sorted rows; ``columns`` are the strata (if any) and a value shared by ties."""
    n = died.shape[0]
    start, end = run_bounds(xp, *columns)
    first, stop = run_bounds(xp, *columns[:-1]) if len(columns) > 1 else (0, n)
    events = died.astype(weight.dtype)
    rest = start + segment_sum(xp, events, start, n)[start].astype(np.int32)
    last = xp.where(rest > first, rest - 1, -1)
    earlier = xp.where(died, xp.where(start > first, start - 1, -1), last)
    return RiskSets(
        start=start,
        rest=xp.where(rest < stop, rest, n),
        last=last,
        earlier=earlier,
        stratum=columns[0] if len(columns) > 1 else None,
        intervals=None if enter is None else make_intervals(xp, died, enter, start, end),
        **given,
        **_there(xp, start, events, weight),
    )


@read_arguments
def prepare_risk_sets(
    event: ArrayLike,
    time: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    where: ArrayLike | None = None,
    exact: bool = False,
    presorted: bool = False,
) -> RiskSets:
    """Check, sort and group an outcome once, on the host, in the precision it comes in.

    Times are compared as given (float64 stays float64); those equal but for rounding are tied, see
    `merge_near_ties`. Values traced by ``jit`` are sorted inside ``jit``, which is slow on a CPU.

    Args:
        event: ``[n]``, 1 = observed, 0 = censored.
        time: ``[n]``, >= 0, any unit.
        entry: ``[n]``, delayed entry: the row is at risk in ``(entry, time]``.
        strata: ``[n]``, labels of any type, integers while ``jit`` traces; risk sets never cross strata.
        weights: ``[n]``, case weights >= 0; a row of weight 0 is not there.
        where: ``[n]``, False for rows that are not there.
        exact: keep the largest number of tied events, which ``ties="exact"`` needs.
        presorted: the rows come in the order (stratum, time, events first), for example taken by
            ``rows[risk_sets.order]``. This saves two permutations per evaluation, a third of the
            time at n = 10^6.

    Raises:
        InputError: see `jaxsurv.survival.validation.check_survival`; a missing label; ``presorted``
            rows in another order; ``exact`` with weights or with a traced outcome.

    >>> rs = prepare_risk_sets(np.array([1, 0, 1]), np.array([3.0, 2.0, 1.0]))
    >>> rs.order.tolist(), float(rs.total)
    ([2, 1, 0], 2.0)
    """
    n = check_survival(event, time, entry=entry, strata=strata, weights=weights, where=where)
    xp = array_module(event, time, entry, strata, weights, where)
    if exact and xp is jnp:
        raise InputError("ties='exact' needs risk sets that are prepared outside jit")
    if exact and weights is not None:
        raise InputError("ties='exact' is not defined with weights; use 'efron' or 'breslow'")
    number = jnp.result_type(float)
    time, entry = merge_near_ties(time, entry, where)
    key, entry = in_ranks(time, entry) if xp is jnp else (time, entry)
    died, t = xp.asarray(event).astype(bool), xp.asarray(key)
    weight = xp.ones(n, number) if weights is None else xp.asarray(weights).astype(number)
    if where is not None:
        weight = xp.where(xp.asarray(where).astype(bool), weight, 0)
    codes, labels = (None, None) if strata is None else encoded(strata)
    columns = (t,) if strata is None else (xp.asarray(codes), t)

    order = xp.lexsort((~died, *columns[::-1]))
    if presorted and is_concrete(order) and (order != np.arange(n)).any():
        raise InputError("presorted rows must be in the order (stratum, time, events first)")
    died, weight, *columns = (a[order] for a in (died, weight, *columns))
    risk_sets = _grouped(
        xp,
        died,
        weight,
        columns,
        None if entry is None else entry_positions(xp, columns, xp.asarray(entry)[order]),
        order=None if presorted else xp.asarray(order, np.int32),
        position=None if presorted else xp.argsort(order).astype(np.int32),
        time=xp.asarray(time)[order].astype(number),
        max_ties=None,
        labels=labels,
    )
    if exact:
        counts = np.bincount(risk_sets.start, died)
        most = max(int(counts.max(initial=1)), 1)
        risk_sets = replace(risk_sets, max_ties=1 << (most - 1).bit_length())
    kinds = {"f": number, "i": np.int32, "b": np.bool}
    risk_sets = jax.tree.map(lambda a: xp.asarray(a, kinds[a.dtype.kind]), risk_sets)
    # all at once: twice as fast; not the times, as float32 might not tell them apart
    return replace(jax.device_put(risk_sets), time=time[order]) if xp is np else risk_sets


@read_arguments
def subset(risk_sets: RiskSets, positions: Array, where: ArrayLike) -> RiskSets:
    """Risk sets of some rows among themselves, with no new sort: minibatches inside ``jit``.

    Rows come in the order of ``positions``; ``order`` of the result is None. Ties are those of the
    data, and a row that has left all risk sets stays outside.

    Args:
        risk_sets: result of `prepare_risk_sets` or `restrict`; delayed entry still needs a sort.
        positions: ``[m]``, nondecreasing positions in the order of ``risk_sets``.
        where: ``[m]`` booleans, False for rows that are not there, such as repeated positions.
    """
    check_vectors(positions=positions, where=where)
    rs, intervals = risk_sets, risk_sets.intervals
    weight = jnp.where(jnp.asarray(where), jnp.exp(rs.log_weight[positions]), 0)
    columns = [rs.start[positions]]
    if rs.stratum is not None:
        columns.insert(0, rs.stratum[positions])
    return _grouped(
        jnp,
        positions < rs.rest[positions],  # an event, even where its weight is 0
        weight,
        columns,
        None if intervals is None else jnp.searchsorted(positions, intervals.enter[positions]),
        order=None,
        position=None,
        time=jnp.asarray(rs.time)[positions],
        max_ties=rs.max_ties,
        labels=rs.labels,
    )


def given_risk_sets(
    risk_sets: RiskSets | None, event: Any, time: Any, *, exact: bool = False, **columns: Any
) -> RiskSets:
    """Return ``risk_sets``, or prepare them from the outcome: functions here accept either."""
    if risk_sets is None:
        if event is None or time is None:
            raise InputError("give event and time, or risk_sets")
        return prepare_risk_sets(event, time, exact=exact, **columns)
    if any(a is not None for a in (event, time, *columns.values())):
        raise InputError("give risk_sets or the outcome, not both; use restrict for a mask")
    if exact and risk_sets.max_ties is None:
        raise InputError("ties='exact' needs prepare_risk_sets(..., exact=True)")
    return risk_sets


@read_arguments
def restrict(risk_sets: RiskSets, where: ArrayLike) -> RiskSets:
    """Risk sets of the rows where ``where`` is True, with no new sort.

    The other rows leave every risk set; tied events are counted again. Use one shared order for all
    cross-validation folds::

        rs = prepare_risk_sets(event, time)
        folds = jax.vmap(restrict, in_axes=(None, 0))(rs, train_masks)  # [runs, n]
        jax.vmap(lambda eta, rs: neg_log_partial_likelihood(eta, risk_sets=rs))(etas, folds)

    Args:
        risk_sets: result of `prepare_risk_sets` or `restrict`.
        where: ``[n]`` booleans in the original order of the rows.
    """
    check_vectors(where=where, risk_sets=risk_sets.start)
    xp, order = array_module(risk_sets.log_weight, where), risk_sets.order
    log_weight, event, start = (
        xp.asarray(a) for a in (risk_sets.log_weight, risk_sets.event_weight, risk_sets.start)
    )
    here = xp.asarray(where).astype(bool)
    here = here if order is None else here[xp.asarray(order)]
    weight = xp.where(here, xp.exp(log_weight), 0)
    fields = _there(xp, start, (event > 0).astype(weight.dtype), weight)
    if xp is np:
        kinds = {"f": weight.dtype, "i": np.int32, "b": np.bool}
        fields = {k: np.asarray(a, kinds[a.dtype.kind]) for k, a in fields.items()}
        fields = jax.device_put(fields)
    return replace(risk_sets, **fields)
