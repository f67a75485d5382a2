"""Normal scores of ranks: the Gaussian copula's view of a table, which no monotone scale changes."""

import numpy as np
from scipy.special import ndtri

from jaxsurv.arguments.columns import numbers
from jaxsurv.types import ArrayLike, InputError


def normal_scores(x: ArrayLike, where: ArrayLike | None = None) -> np.ndarray:
    """Replace each value by the normal quantile of its mid-rank among the rows in ``where``::

        u = (#smaller + #equal / 2) / n,    score = Phi^-1(u),  u kept within [1 / 2n, 1 - 1 / 2n]

    A linear factor model of the scores is a Gaussian copula: each feature may be any increasing function
    of what the model describes, logarithms or not (Liu, Lafferty & Wasserman 2009, the nonparanormal).
    Scores of a feature without ties have mean 0 and a variance just below 1. So features of large loadings
    have little noise, where :mod:`jaxsurv.factors` has one variance of noise for all: a modality may need a
    latent variable of its own more, while what is shared stays what it is. Ties, as of zeros, stay ties.

    Args:
        x: ``[n, d]``, NaN where missing, which stays NaN.
        where: ``[n]`` booleans, training rows, among which all rows are ranked; None = all rows.

    Returns:
        ``[n, d]``; NaN too in a feature without a value in the training rows.

    Raises:
        InputError: x or where of another shape, or infinite values.

    >>> scores = normal_scores(np.array([[1.0], [10.0], [10.0], [1000.0]]))
    >>> scores.ravel().round(2).tolist()
    [-1.15, 0.0, 0.0, 1.15]
    """
    values = np.asarray(numbers("x", x), float)
    if values.ndim != 2:
        raise InputError(f"x must be [n, d], got shape {list(values.shape)}")
    rows = np.ones(len(values), bool) if where is None else np.asarray(where)
    if rows.shape != values.shape[:1] or rows.dtype != bool:
        raise InputError(
            f"where must be {len(values)} booleans, got {rows.dtype} {list(rows.shape)}"
        )
    if np.isinf(values).any():
        row, column = np.argwhere(np.isinf(values))[0]
        raise InputError(
            f"x is infinite in row {row}, column {column}; correct it, or set it to NaN"
        )
    scores = np.full(values.shape, np.nan)
    for j, column in enumerate(values.T):
        known = np.sort(column[rows & ~np.isnan(column)])
        if n := len(known):
            smaller, most = (np.searchsorted(known, column, side) for side in ("left", "right"))
            share = np.clip((smaller + most) / (2 * n), 0.5 / n, 1 - 0.5 / n)
            scores[:, j] = np.where(np.isnan(column), np.nan, ndtri(share))
    return scores
