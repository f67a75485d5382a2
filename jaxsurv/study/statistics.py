"""Means, intervals and paired comparisons of scores over repeated cross-validation."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from jaxsurv.types import ArrayLike, InputError


class Estimate(NamedTuple):
    """A mean over splits with its 95 % interval and the two-sided p-value against zero."""

    mean: float
    lower: float
    upper: float
    p_value: float


def corrected_t(
    scores: ArrayLike,
    test_fraction: float,
    *,
    repeat: ArrayLike | None = None,
    level: float = 0.95,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Estimate:
    """Interval and test for the mean of scores over the splits of a cross-validation.

    Training sets of different splits overlap, so their scores are not independent and the plain t
    interval is far too narrow. With one deal of the patients into K folds, Nadeau & Bengio (2003)
    inflate the variance of the mean::

        var(mean) = (1/K + n_test/n_train) s²,   K - 1 degrees of freedom

    With R deals the spread of their means says how much there is to allow for, as for multiple
    imputation (Rubin 1987; his degrees of freedom)::

        var(mean) = W + (1 + 1/R) B,   W = s²/K within deals, B = variance of the deals' means

    What the interval is to cover is the expected score of models that are trained on as many patients as
    in these splits. With five deals 93 to 98 % of simulated intervals of C do, with one 95 to 99 %; with
    Nadeau and Bengio's variance over all R K scores, which is often used, 91 % where features say nothing
    (`experiments.coverage`, docs/statistics.md).

    Args:
        scores: ``[J]``, one score per split (averaged over seeds), or one difference per split for a
            paired comparison. NaN scores are left out.
        test_fraction: ratio ``n_test / n_train``, e.g. 1/4 for 5 folds.
        repeat: ``[J]``, labels of the deals; None = all splits are of one.
        level: confidence level of the interval.
        bounds: bounds of the score, to which the limits are clipped: with few splits a t interval can reach
            beyond. (0, 1) for C.

    Returns:
        mean, interval and p-value (of a mean of 0, so for differences); interval and p are NaN
        with fewer than two scores.

    The plain t interval of these five differences would end at 0.005:

    >>> found = corrected_t(np.array([0.01, 0.03, 0.02, 0.05, 0.01]), 0.25)
    >>> print(f"{found.mean:.3f} ({found.lower:.3f} to {found.upper:.3f}), p = {found.p_value:.2f}")
    0.024 (-0.007 to 0.055), p = 0.10
    """
    scores = np.asarray(scores, float)
    known = np.isfinite(scores)
    deal = np.zeros(scores.size) if repeat is None else np.asarray(repeat)
    scores, (_, deal, size) = (
        scores[known],
        np.unique(deal[known], return_inverse=True, return_counts=True),
    )
    mean, J, R = float(scores.mean()) if scores.size else np.nan, scores.size, size.size
    if J < 2:
        return Estimate(mean, np.nan, np.nan, np.nan)
    if 1 < R < J:
        means = np.bincount(deal, scores) / size
        within = np.mean(1 / size) * np.sum((scores - means[deal]) ** 2) / (J - R)
        between = (1 + 1 / R) * means.var(ddof=1)
        parts = within**2 / (J - R) + between**2 / (R - 1)
        variance, freedom = within + between, (within + between) ** 2 / parts if parts > 0 else 1.0
    else:
        variance, freedom = (1.0 / J + test_fraction) * scores.var(ddof=1), J - 1
    se = np.sqrt(variance)
    half = stats.t.ppf(0.5 + level / 2, freedom) * se
    p = 2.0 * stats.t.sf(abs(mean) / se, freedom) if se > 0 else float(mean == 0)
    lower, upper = (float(np.clip(limit, *bounds)) for limit in (mean - half, mean + half))
    return Estimate(mean, lower, upper, float(p))


def summarise(
    runs: pd.DataFrame,
    *,
    score: str,
    by: str,
    split: list[str],
    test_fraction: float,
    bounds: tuple[float, float] = (0.0, 1.0),
) -> pd.DataFrame:
    """Summarise runs, one row per setting: mean score over splits, interval, best run, number of runs.

    Args:
        runs: table with one row per run.
        score: name of the column to summarise.
        by: name of the column with the setting.
        split: names of the columns that identify a split, the first of them the deal that it is of; runs of
            one split (seeds) are averaged.
        test_fraction: see :func:`corrected_t`.
        bounds: see :func:`corrected_t`.
    """
    rows = []
    for setting, group in runs.groupby(by, sort=False):
        scores = group.groupby(split)[score].mean()
        mean, lower, upper, _ = over_splits(scores, test_fraction, bounds)
        row = {by: setting, "runs": len(group), "mean": mean, "lower": lower, "upper": upper}
        rows.append(row | {"best_run": group[score].max(), "worst_run": group[score].min()})
    return pd.DataFrame(rows)


def over_splits(
    scores: pd.Series, test_fraction: float, bounds: tuple[float, float] = (-np.inf, np.inf)
) -> Estimate:
    """The estimate of `corrected_t` from scores by split.

    Args:
        scores: one score or paired difference per split; the first level of the index is the deal.
        test_fraction, bounds: see :func:`corrected_t`.
    """
    deal = scores.index.get_level_values(0)
    return corrected_t(scores, test_fraction, repeat=deal, bounds=bounds)


def paired(
    runs: pd.DataFrame,
    reference: object,
    *,
    score: str,
    by: str,
    split: list[str],
    test_fraction: float,
) -> pd.DataFrame:
    """Paired difference of the score from ``reference`` on the same splits, one row per setting.

    Seeds are averaged within a split first, so that methods without a seed can be compared too.
    """
    means = runs.groupby([by, *split], sort=False)[score].mean().unstack(by)
    if reference not in means:
        raise InputError(f"no runs of the reference {reference!r}; there are {list(means.columns)}")
    rows = []
    for setting in runs[by].unique():
        estimate = over_splits(means[setting] - means[reference], test_fraction)
        rows.append({by: setting, **estimate._asdict()})
    return pd.DataFrame(rows)


def over_replicates(
    runs: pd.DataFrame, reference: str, *, score: str, within: list[str]
) -> pd.DataFrame:
    """Mean score over independent replicates, its interval, and the paired difference from ``reference``.

    Args:
        runs: table with one row per condition, ``method`` and replicate (``seed``).
        reference: method that all others are compared with, on the same replicates.
        score: name of the column to summarise.
        within: names of the columns that identify a condition.

    Returns:
        Table with one row per condition and method. Columns: ``within``, ``method``; ``mean``,
        ``lower``, ``upper``, ``p_value``; the same with the prefix ``difference_``, NaN for the reference.
    """
    tables = {}
    for condition, group in runs.groupby(within, sort=False):
        scores = group.pivot(index="seed", columns="method", values=score)[group["method"].unique()]
        less = scores.drop(columns=reference).sub(scores[reference], axis=0)
        own, difference = (t.apply(_replicated).T for t in (scores, less))
        tables[condition] = own.join(difference.add_prefix("difference_"))
    return pd.concat(tables, names=[*within, "method"]).reset_index()


def _replicated(scores: pd.Series) -> pd.Series:
    return pd.Series(corrected_t(scores.to_numpy(), 0.0)._asdict())
