"""Log-rank test for k groups, with strata and Fleming-Harrington weights."""

from types import ModuleType
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxsurv.arguments.labels import encoded, factorised
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival.chi_square import chi_square_tail
from jaxsurv.survival.life_table import entry_positions, run_bounds, segment_sum
from jaxsurv.survival.ties import in_ranks, merge_near_ties
from jaxsurv.survival.validation import (
    array_module,
    check_survival,
    check_vectors,
    is_concrete,
)
from jaxsurv.types import Array, ArrayLike, InputError


class LogRank(NamedTuple):
    """Attributes:
    statistic: chi-square.
    p_value: upper tail of the chi-square distribution with the degrees of freedom below.
    degrees_of_freedom: number of groups in which events are expected, minus one.
    observed: ``[k]``, weighted events per group, in the ascending order of the labels
        (several types: by type).
    expected: ``[k]``, expected events per group under one common hazard.
    """

    statistic: Array
    p_value: Array
    degrees_of_freedom: Array
    observed: Array
    expected: Array


@read_arguments
def logrank_test(
    event: ArrayLike,
    time: ArrayLike,
    group: ArrayLike,
    *,
    strata: ArrayLike | None = None,
    where: ArrayLike | None = None,
    rho: float = 0.0,
) -> LogRank:
    """Test whether k groups have one common hazard.

    The statistic compares Σ S(t-)^rho (observed - expected), the sum over event times per group,
    with its hypergeometric variance. S is the pooled Kaplan-Meier curve of the stratum. ``rho=0`` is
    the log-rank (Mantel-Haenszel) test, ``rho=1`` Peto and Peto's Wilcoxon test. Equals R's
    ``survdiff``.

    Args:
        event: ``[n]``, 1 = observed, 0 = censored.
        time: ``[n]``, any unit.
        group: ``[n]``, labels of any type; they must be known while ``jit`` traces.
        strata: ``[n]``, labels of any type (integers under ``jit``); patients are compared inside their
            stratum.
        where: ``[n]`` booleans, False for patients that are not there.
        rho: power of the pooled survival.

    Raises:
        InputError: see `check_survival`; a missing label; fewer than two groups with patients; no event
            at a time when two groups are at risk. While ``jit`` traces, p is NaN in the last two cases.

    Reference: Fleming and Harrington, Comm. Statist. A 10 (1981) 763.

    >>> test = logrank_test(np.ones(4), np.array([1.0, 2, 3, 4]), np.array(["a", "a", "b", "b"]))
    >>> round(float(test.statistic), 4), round(float(test.p_value), 4)
    (2.8824, 0.0896)
    """
    check_survival(event, time, strata=strata, where=where)
    if not is_concrete(group):
        raise InputError("group must be known while jit traces: it sets the number of groups")
    check_vectors(time=time, group=group)
    code, names = factorised(np.asarray(group))
    here = code[np.asarray(where, bool)] if where is not None and is_concrete(where) else code
    found = [names[k] for k in np.unique(here)]
    if len(found) < 2:
        raise InputError(f"a log-rank test needs two groups, found {len(found)}: {found}")
    member = code[:, None] == np.arange(len(names))
    strata = None if strata is None else encoded(strata)[0]
    result = logrank_of_counts(group_counts(event, time, member, strata, where), rho)
    if is_concrete(result.degrees_of_freedom) and result.degrees_of_freedom < 1:
        raise InputError("no event at a time when two groups are at risk: nothing can be compared")
    return result


class GroupCounts(NamedTuple):
    """Counts per group at the time of each row; rows are in the order (stratum, time).

    Attributes:
        at_risk: ``[n, k]``, patients at risk.
        died: ``[n, k]``, the row's own event.
        tied: ``[n, k]``, events at the row's time.
        earlier: ``[n]``, events at the row's time in rows before it.
        start: ``[n]``, first row with the row's time.
        first: ``[n]``, first row of the row's stratum.
    """

    at_risk: Any
    died: Any
    tied: Any
    earlier: Any
    start: Any
    first: Any


def _sums(xp: ModuleType, x: Any) -> Any:
    """Sums over all rows before each row, and the total at the end."""
    return xp.concatenate([xp.zeros_like(x[:1]), xp.cumsum(x, 0)])


def group_counts(
    event: Any, time: Any, member: Any, strata: Any, where: Any, entry: Any = None
) -> GroupCounts:
    """Count those at risk and the events of groups given as indicators ``member [n, k]``."""
    xp = array_module(event, time, member, strata, where, entry)
    number = float if xp is np else jnp.result_type(float)
    time, entry = merge_near_ties(time, entry, where)
    if xp is jnp:
        time, entry = in_ranks(time, entry)
    time = xp.asarray(time)
    strata = xp.zeros(time.shape, np.int32) if strata is None else xp.asarray(strata)
    member = xp.asarray(member).astype(number)
    if where is not None:
        member = member * xp.asarray(where).astype(number)[:, None]
    order = xp.lexsort((time, strata))
    member = member[order]
    died = xp.asarray(event).astype(number)[order, None] * member
    start, end = run_bounds(xp, strata[order], time[order])
    first, last = run_bounds(xp, strata[order])
    total, dead = _sums(xp, member), _sums(xp, died)
    entered = total[last]
    if entry is not None:
        enter = entry_positions(xp, (strata[order], time[order]), xp.asarray(entry)[order])
        by_position = [segment_sum(xp, m, enter, enter.shape[0]) for m in member.T]
        entered = _sums(xp, xp.stack(by_position, 1))[start + 1]
    tied, earlier = dead[end] - dead[start], (dead[:-1] - dead[start]).sum(1)
    return GroupCounts(entered - total[start], died, tied, earlier, start, first)


def logrank_of_counts(counts: GroupCounts, rho: float = 0.0) -> LogRank:
    """Compute `logrank_test` from the counts, which may be traced."""
    xp = array_module(*counts)
    n, d, events = (x.sum(1) for x in (counts.at_risk, counts.tied, counts.died))
    # One row per event: each of d tied events carries 1/d of what their time adds.
    hazard = d / xp.maximum(n, 1)
    log_step = xp.log1p(-xp.where(hazard < 1, hazard, 0)) / xp.maximum(d, 1)
    log_s = _sums(xp, events * log_step)
    pooled = xp.exp(rho * (log_s[counts.start] - log_s[counts.first]))
    share = counts.at_risk / xp.maximum(n, 1)[:, None]
    observed = pooled @ counts.died
    expected = (pooled * events) @ share
    spread = events * pooled**2 * (n - d) / xp.maximum(n - 1, 1)
    variance = xp.diag(spread @ share) - (spread[:, None] * share).T @ share
    difference = observed - expected
    # The differences sum to 0, so the variance is singular, and once more per empty group.
    rtol = 64 * difference.size * np.finfo(variance.dtype).eps
    statistic = difference @ xp.linalg.pinv(variance, rtol=rtol, hermitian=True) @ difference
    freedom = xp.sum(expected > 0) - 1
    return LogRank(statistic, chi_square_tail(statistic, freedom), freedom, observed, expected)
