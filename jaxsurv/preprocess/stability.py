"""Stability of a feature selection over folds."""

from typing import NamedTuple

import numpy as np
from scipy.stats import norm

from jaxsurv.types import ArrayLike, InputError


class Stability(NamedTuple):
    """Stability of m selections among d features.

    Attributes:
        index: stability: 1 if all selections are equal, 0 in expectation if features are drawn at random,
            NaN if all or none are always selected, or m = 1.
        lower, upper: limits of the 95 % interval of ``index``.
        frequency: ``[d]``, share of the selections that have the feature.
        size: mean number of selected features.
    """

    index: float
    lower: float
    upper: float
    frequency: np.ndarray
    size: float


def selection_stability(selected: ArrayLike, *, confidence: float = 0.95) -> Stability:
    """Stability index of Nogueira, Sechidis & Brown (JMLR 18, 174, 2018)::

        1 - mean_f s_f² / (k/d (1 - k/d)),    s_f² = m / (m - 1) p_f (1 - p_f)

    with p_f the frequency of feature f and k the mean number selected. The index is corrected for chance,
    so that selections of different size can be compared. Its asymptotic interval assumes independent
    selections. Cross-validation folds share most of their rows, so for them the interval is too narrow.

    Args:
        selected: ``[m, d]`` booleans.
        confidence: confidence level of the interval.

    Raises:
        InputError: an array that is not ``[m, d]``.

    >>> selection_stability(np.array([[1, 1, 0, 0], [1, 0, 1, 0]])).index
    0.0
    """
    z = np.asarray(selected)
    if z.ndim != 2 or not z.size:
        raise InputError(f"selected must be [selections, features], got shape {list(z.shape)}")
    z = z.astype(bool).astype(float)
    m, d = z.shape
    p, k = z.mean(axis=0), z.sum(axis=1)
    share = k.mean() / d
    chance = share * (1 - share)
    if m < 2 or not chance > 0:
        return Stability(np.nan, np.nan, np.nan, p, k.mean())
    index = 1 - np.mean(p * (1 - p)) * m / (m - 1) / chance
    # influence of each selection on the index
    size = k / d
    pull = index / 2 * (2 * share * size - size - share + 1)
    influence = (z @ p / d - size * share + pull) / chance
    error = np.sqrt(4 / m**2 * np.sum((influence - influence.mean()) ** 2))
    reach = norm.ppf(0.5 + confidence / 2) * error
    return Stability(float(index), float(index - reach), float(index + reach), p, float(k.mean()))
