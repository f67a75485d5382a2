"""Means, intervals and paired comparisons of scores over repeated cross-validation."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from jaxsurv.types import InputError


class Estimate(NamedTuple):
    """A mean over splits with its 95 % interval and the two-sided p-value against zero."""

    mean: float
    lower: float
    upper: float
    p_value: float


def corrected_t(scores: np.ndarray, test_fraction: float, *, level: float = 0.95) -> Estimate:
    """Corrected resampled t interval and test for the mean of scores over cross-validation splits.

    Training sets of different splits overlap, so their scores are not independent and the plain t
    interval is far too narrow. Nadeau & Bengio (2003) inflate the variance of the mean::

        var(mean) = (1/J + n_test/n_train) s²,   J - 1 degrees of freedom

    Args:
        scores: ``[J]``, one score per split (averaged over seeds), or one difference per split for a
            paired comparison. NaN scores are left out.
        test_fraction: ratio ``n_test / n_train``, e.g. 1/4 for 5 folds.
        level: confidence level of the interval.

    Returns:
        mean, interval and p-value; interval and p are NaN with fewer than two scores.

    The plain t interval of these five differences would end at 0.005:

    >>> found = corrected_t(np.array([0.01, 0.03, 0.02, 0.05, 0.01]), 0.25)
    >>> print(f"{found.mean:.3f} ({found.lower:.3f} to {found.upper:.3f}), p = {found.p_value:.2f}")
    0.024 (-0.007 to 0.055), p = 0.10
    """
    scores = np.asarray(scores, float)
    scores = scores[np.isfinite(scores)]
    if not scores.size:
        return Estimate(np.nan, np.nan, np.nan, np.nan)
    mean, J = float(scores.mean()), scores.size
    if J < 2:
        return Estimate(mean, np.nan, np.nan, np.nan)
    se = np.sqrt((1.0 / J + test_fraction) * scores.var(ddof=1))
    half = stats.t.ppf(0.5 + level / 2, J - 1) * se
    p = 2.0 * stats.t.sf(abs(mean) / se, J - 1) if se > 0 else float(mean == 0)
    return Estimate(mean, mean - half, mean + half, float(p))


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
        split: names of the columns that identify a split; runs of one split (seeds) are averaged.
        test_fraction: see :func:`corrected_t`.
        bounds: bounds of the score, to which limits are clipped: with few splits a t interval can
            reach beyond.
    """
    rows = []
    for setting, group in runs.groupby(by, sort=False):
        mean, *limits, _ = corrected_t(group.groupby(split)[score].mean().to_numpy(), test_fraction)
        row = {by: setting, "runs": len(group), "mean": mean}
        row |= dict(zip(("lower", "upper"), np.clip(limits, *bounds), strict=True))
        rows.append(row | {"best_run": group[score].max(), "worst_run": group[score].min()})
    return pd.DataFrame(rows)


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
        estimate = corrected_t((means[setting] - means[reference]).to_numpy(), test_fraction)
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
