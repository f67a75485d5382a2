"""Groups of patients beside each other: medians, restricted means, and which of them differ."""

import math
from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from jaxsurv.arguments.labels import factorised
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival._kaplan_meier import Z95, KaplanMeier, kaplan_meier, restricted_mean
from jaxsurv.survival.logrank import logrank_test
from jaxsurv.survival.validation import check_known, check_survival, check_vectors
from jaxsurv.types import ArrayLike, InputError

if TYPE_CHECKING:
    from pandas import DataFrame


class RestrictedMeanDifference(NamedTuple):
    """Difference of the mean survival times up to tau of two groups, second minus first.

    Attributes:
        difference: in the unit of time; above 0 = the second group lives longer.
        standard_error, lower, upper: its standard error, and 95 % limits.
        p_value: of the normal test that the means are equal.
        means, standard_errors: ``[2]``, of the groups.
        groups: labels of the first and the second group, in ascending order.
    """

    difference: float
    standard_error: float
    lower: float
    upper: float
    p_value: float
    means: Any
    standard_errors: Any
    groups: tuple[Any, Any]


def masks_of_groups(
    event: Any, time: Any, group: Any, least: int, where: Any = None, **columns: Any
) -> Iterator[tuple[Any, np.ndarray]]:
    """Label and mask ``[n]`` of each group, in ascending order of the labels.

    Raises:
        InputError: malformed outcome; fewer than ``least`` groups; traced values.
    """
    check_known(event=event, time=time, group=group, where=where, **columns)
    check_survival(event, time, where=where, **columns)
    check_vectors(time=time, group=group)
    here = np.ones(len(group), bool) if where is None else np.asarray(where, bool)
    code, names = factorised(np.asarray(group))
    found = np.unique(code[here])
    if len(found) < least:
        told = [names[k] for k in found]
        raise InputError(f"a comparison needs {least} groups, found {len(found)}: {told}")
    return ((names[k], here & (code == k)) for k in found)


def group_curves(
    event: Any, time: Any, group: Any, *, least: int = 1, **columns: Any
) -> dict[Any, tuple[np.ndarray, KaplanMeier]]:
    """Mask ``[n]`` and Kaplan-Meier curve of each group, in ascending order of the labels."""
    others = {name: column for name, column in columns.items() if name != "where"}
    return {
        name: (mask, kaplan_meier(event, time, where=mask, **others))
        for name, mask in masks_of_groups(event, time, group, least, **columns)
    }


@read_arguments
def group_summary(
    event: ArrayLike,
    time: ArrayLike,
    group: ArrayLike,
    *,
    tau: ArrayLike | float | None = None,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    where: ArrayLike | None = None,
) -> "DataFrame":
    """One row per group: ``n, events, median, median_lower, median_upper``, and its restricted mean.

    The limits of the median are where those of the curve cross 1/2 (Brookmeyer and Crowley, with the
    log-log limits of `kaplan_meier`); a value that is not reached is NaN. With ``tau`` there are also
    ``restricted_mean, restricted_mean_lower, restricted_mean_upper``.

    Args:
        event: ``[n]``, 1 = observed, 0 = censored.
        time: ``[n]``, any unit.
        group: ``[n]``, labels of any type.
        tau: end of the restricted mean, in the unit of time; None = none.
        entry: ``[n]``, delayed entry.
        weights: ``[n]``, case weights.
        where: ``[n]`` booleans, False for patients that are not there.

    Raises:
        InputError: see `check_survival`; a missing label; tau beyond the follow-up of a group; traced values.

    >>> group_summary(np.ones(4), np.array([1.0, 2, 3, 4]), ["a", "a", "a", "b"])["median"].tolist()
    [2.0, 4.0]
    """
    from pandas import DataFrame

    rows = {}
    for name, (own, curve) in group_curves(
        event, time, group, entry=entry, weights=weights, where=where
    ).items():
        median = curve.quantile(0.5)
        row = {"n": int(own.sum()), "events": int(np.asarray(event)[own].sum())}
        values = (median.time, median.lower, median.upper)
        row |= dict(
            zip(("median", "median_lower", "median_upper"), map(float, values), strict=True)
        )
        if tau is not None:
            mean, error = _restricted_mean(name, curve, tau)
            row["restricted_mean"] = mean
            row["restricted_mean_lower"] = mean - Z95 * error
            row["restricted_mean_upper"] = mean + Z95 * error
        rows[name] = row
    return DataFrame(list(rows.values()), index=list(rows))


@read_arguments
def restricted_mean_difference(
    event: ArrayLike,
    time: ArrayLike,
    group: ArrayLike,
    tau: ArrayLike | float,
    *,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    where: ArrayLike | None = None,
) -> RestrictedMeanDifference:
    """Compare the mean survival times up to tau of two groups, which needs no proportional hazards.

    As R's survRM2 (``RMST (arm=1)-(arm=0)``). tau must be fixed beforehand. Arguments as in `group_summary`.

    Raises:
        InputError: more or fewer than two groups; tau beyond the follow-up of one of them; see
            `check_survival`.

    Reference: Uno et al., J. Clin. Oncol. 32 (2014) 2380.

    >>> time, arm = np.array([1.0, 2, 3, 4]), np.array([0, 0, 1, 1])
    >>> restricted_mean_difference(np.ones(4), time, arm, 4.0).difference
    2.0
    """
    columns = {"entry": entry, "weights": weights, "where": where}
    curves = group_curves(event, time, group, least=2, **columns)
    if len(curves) != 2:
        raise InputError(f"two groups are compared, found {len(curves)}: {list(curves)}")
    found = [_restricted_mean(name, curve, tau) for name, (_, curve) in curves.items()]
    means, errors = np.array(found).T
    difference, error = means[1] - means[0], float(np.hypot(*errors))
    if not error > 0:
        raise InputError(f"no event by tau = {float(tau):g} leaves patients behind: no test exists")
    return RestrictedMeanDifference(
        float(difference),
        error,
        float(difference - Z95 * error),
        float(difference + Z95 * error),
        math.erfc(abs(difference) / error / math.sqrt(2)),
        means,
        errors,
        tuple(curves),  # type: ignore[arg-type]
    )


def _restricted_mean(name: Any, curve: KaplanMeier, tau: Any) -> tuple[float, float]:
    try:
        found = restricted_mean(curve, tau)
    except InputError as error:
        raise InputError(f"group {name!r}: {error}") from error
    return float(found.mean), float(found.standard_error)


@read_arguments
def pairwise_logrank(
    event: ArrayLike,
    time: ArrayLike,
    group: ArrayLike,
    *,
    strata: ArrayLike | None = None,
    where: ArrayLike | None = None,
    rho: float = 0.0,
) -> "DataFrame":
    """Log-rank tests of all pairs of groups, one row per pair: ``first, second, chi_square, p, p_holm``.

    ``p_holm`` is adjusted for the number of pairs by Holm's method: with it, the probability of any
    false claim is at most the level. A pair without an event at a time when both are at risk has NaN.
    Arguments as in `logrank_test`.

    Raises:
        InputError: any error of `logrank_test` for all groups together; traced values.

    Reference: Holm, Scand. J. Statist. 6 (1979) 65.

    >>> time, group = np.arange(1.0, 10), np.array(list("aaabbbccc"))
    >>> pairwise_logrank(np.ones(9), time, group)["p_holm"].round(3).tolist()
    [0.074, 0.074, 0.074]
    """
    from pandas import DataFrame

    masks = list(masks_of_groups(event, time, group, 2, where))
    logrank_test(event, time, group, strata=strata, where=where, rho=rho)
    rows = []
    for (first, mine), (second, other) in combinations(masks, 2):
        try:
            test = logrank_test(event, time, group, strata=strata, where=mine | other, rho=rho)
        except InputError:  # the only one left: they are never at risk together
            rows.append((first, second, np.nan, np.nan))
            continue
        rows.append((first, second, float(test.statistic), float(test.p_value)))
    table = DataFrame(rows, columns=["first", "second", "chi_square", "p"])
    return table.assign(p_holm=_holm(table["p"].to_numpy()))


def _holm(p: np.ndarray) -> np.ndarray:
    """Adjusted p-values; NaN is no test."""
    order = np.argsort(p)  # NaN last
    tests = int((~np.isnan(p)).sum())
    times = np.maximum(tests - np.arange(p.size), 1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * times), 1)
    return adjusted
