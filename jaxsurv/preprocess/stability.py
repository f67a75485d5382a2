"""How stable a selection of features is from one fold to the next."""

from typing import NamedTuple

import numpy as np
from scipy.stats import norm

from jaxsurv.types import ArrayLike, InputError


class Stability(NamedTuple):
    """Of m selections among d features.

    Attributes:
        index: 1 if all selections are equal, 0 in expectation if features are drawn at random, NaN if
            all or none are always selected, or m = 1.
        lower, upper: of its 95 % interval.
        frequency: ``[d]``, share of the selections that have the feature.
        size: mean number of features.
    """

    index: float
    lower: float
    upper: float
    frequency: np.ndarray
    size: float


def selection_stability(selected: ArrayLike, *, confidence: float = 0.95) -> Stability:
    """The index of Nogueira, Sechidis & Brown (JMLR 18, 174, 2018)::

        1 - mean_f s_f² / (k/d (1 - k/d)),    s_f² = m / (m - 1) p_f (1 - p_f)

    with p_f the frequency of feature f and k the mean number selected. Corrected for chance, so that
    selections of different size compare. Its asymptotic interval takes the selections for independent; those
    of cross-validation folds share most of their rows, which makes it too narrow.

    Args:
        selected: ``[m, d]`` booleans.
        confidence: of the interval.

    Raises:
        InputError: not ``[m, d]``.

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
    # the influence of each selection on the index
    size = k / d
    pull = index / 2 * (2 * share * size - size - share + 1)
    influence = (z @ p / d - size * share + pull) / chance
    error = np.sqrt(4 / m**2 * np.sum((influence - influence.mean()) ** 2))
    reach = norm.ppf(0.5 + confidence / 2) * error
    return Stability(float(index), float(index - reach), float(index + reach), p, float(k.mean()))
