"""Gray's test: one cumulative incidence of a cause in k groups."""

from typing import Any

import numpy as np

from jaxsurv.arguments.labels import factorised
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival.causes import check_competing
from jaxsurv.survival.chi_square import chi_square_tail
from jaxsurv.survival.logrank import LogRank
from jaxsurv.survival.ties import merge_near_ties
from jaxsurv.survival.validation import check_known, check_vectors
from jaxsurv.types import ArrayLike, InputError


@read_arguments
def gray_test(
    code: ArrayLike,
    time: ArrayLike,
    group: ArrayLike,
    *,
    cause: int = 1,
    strata: ArrayLike | None = None,
    where: ArrayLike | None = None,
    rho: float = 0.0,
) -> LogRank:
    """Test whether k groups have one cumulative incidence of a cause, as the log-rank test has one hazard.

    The statistic compares Σ (1 - F(t-))^rho (observed - expected) events of the cause with its variance. A
    patient with another cause stays in the risk set of the subdistribution: group r counts
    n_r(t) (1 - F_r(t-)) / S_r(t-) at risk. F is the pooled incidence. Equals R's ``cmprsk::cuminc``,
    with its correction of the variance for tied events. Runs on the host: not inside ``jit``.

    Args:
        code: ``[n]``, 0 = censored, 1, 2, ..., K = cause of the event.
        time: ``[n]``, any unit.
        group: ``[n]``, labels of any type.
        cause: cause whose incidence is compared.
        strata: ``[n]``, labels of any type; patients are compared inside their stratum.
        where: ``[n]`` booleans, False for patients that are not there.
        rho: power of the pooled 1 - F.

    Returns:
        Test, with observed events of the cause and those expected under one incidence, per group in the
        ascending order of the labels, both weighted by (1 - F)^rho.

    Raises:
        InputError: codes that are not 0, 1, ..., K, each with an event; a missing label; fewer than two
            groups with patients; no event of the cause at a time when two groups are at risk.

    Reference: Gray, Ann. Stat. 16 (1988) 1141.

    >>> code, time = np.array([1, 2, 1, 1, 0, 1]), np.array([1.0, 2, 3, 4, 5, 6])
    >>> test = gray_test(code, time, np.array(["a", "a", "a", "b", "b", "b"]))
    >>> test.observed.tolist(), test.expected.round(3).tolist(), int(test.degrees_of_freedom)
    ([2.0, 2.0], [0.9, 3.1], 1)
    """
    check_known(group=group, strata=strata)
    check_vectors(code=code, group=group, strata=strata)
    codes, here, _ = check_competing(code, time, cause=cause, where=where)
    time = np.asarray(merge_near_ties(time, where=here)[0])[here]
    own, names = factorised(np.asarray(group)[here])
    if len(names) < 2:
        raise InputError(f"Gray's test needs two groups, found {len(names)}: {names}")
    of_cause = np.where(codes[here] == cause, 1, np.where(codes[here] > 0, 2, 0))
    stratum = np.zeros(time.size) if strata is None else factorised(np.asarray(strata)[here])[0]
    observed, expected, variance = 0, 0, 0
    for s in np.unique(stratum):
        rows = stratum == s
        member = own[rows][:, None] == np.arange(len(names))
        o, e, v = _stratum(of_cause[rows], time[rows], member.astype(float), rho)
        observed, expected, variance = observed + o, expected + e, variance + v
    difference = observed - expected
    # The differences sum to 0, so the variance is singular, and once more per group that is not at risk.
    rtol = 64 * difference.size * np.finfo(float).eps
    statistic = difference @ np.linalg.pinv(variance, rtol, hermitian=True) @ difference
    freedom = np.sum(expected > 0) - 1
    if freedom < 1 or not np.any(variance > 0):
        raise InputError(
            f"no event of cause {cause} at a time when two groups are at risk: nothing can be compared"
        )
    return LogRank(statistic, chi_square_tail(statistic, freedom), freedom, observed, expected)


def _stratum(code: Any, time: Any, member: Any, rho: float) -> tuple[Any, Any, Any]:
    """Observed and expected events ``[k]`` of cause 1, and the variance ``[k, k]`` of their difference.

    The variance is of the martingale integral ∫ (d + (1 - (1 - F) / S) c) dM_1 - ∫ (1 - F) / S c dM_2, whose
    second terms say that F_r itself is estimated: d_ir(t) is the weight of group r in difference i, and
    c_ir(t) = ∫_t d_ir dF / (1 - F).
    """
    k, every = member.shape[1], np.unique(time[code > 0])
    row = np.searchsorted(every, time, side="right")  # times at which the patient is at risk

    def sums(x: Any, at: Any, size: int) -> Any:
        return np.stack([np.bincount(at, x * m, size) for m in member.T], 1)

    at_risk = np.cumsum(sums(np.ones(row.size), row, every.size + 1)[::-1], 0)[-2::-1]
    place = np.maximum(row - 1, 0)
    died, other = (sums(1.0 * (code == c), place, every.size) for c in (1, 2))

    def before(x: Any, first: float) -> Any:
        return np.concatenate([np.full_like(x[:1], first), x[:-1]])

    def over(a: Any, b: Any) -> Any:  # a / b, and 0 where b is 0
        return np.divide(a, b, out=np.zeros(np.broadcast_shapes(a.shape, b.shape)), where=b > 0)

    s = np.cumprod(1 - over(died + other, at_risk), 0)
    s = np.where(s > 1e-14, s, 0)
    s0 = before(s, 1)
    own0 = before(np.cumsum(s0 * over(died, at_risk), 0), 0)
    present = over(at_risk, s0)  # those at risk, had nobody died
    all_present, all_died = present.sum(1, keepdims=True), died.sum(1, keepdims=True)
    step = over(all_died, all_present)
    f = np.minimum(np.cumsum(step, 0), 1)
    f0 = before(f, 0)
    weight = (1 - f0) ** rho
    risk_set = present * (1 - own0)
    expected = weight * risk_set * over(all_died, risk_set.sum(1, keepdims=True))

    d = -(over(present, all_present) * weight)[:, :, None] * present[:, None, :]  # [t, i, r]
    d[:, np.arange(k), np.arange(k)] += weight * present
    passed = np.cumsum(d * over(step, 1 - f0)[:, :, None], 0)
    c = passed[-1] - passed
    ratio = over(1 - f, s)
    by_own = d + np.where(s > 0, 1 - ratio, 1)[:, None, :] * c
    by_other = ratio[:, None, :] * c
    # hypergeometric variances where events are tied
    tied = np.where(all_died > 1, 1 - over(all_died - 1, all_present * s0 - 1), 1)
    tied_other = np.where(other > 1, 1 - over(other - 1, at_risk - 1), 1)
    own_spread = tied * over(step, present) * (at_risk > 0)
    other_spread = tied_other * over(s0**2 * other, at_risk**2)
    variance = np.einsum("tir,tjr,tr->ij", by_own, by_own, own_spread)
    variance += np.einsum("tir,tjr,tr->ij", by_other, by_other, other_spread)
    return (weight * died).sum(0), expected.sum(0), variance
