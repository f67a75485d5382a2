"""Imputation of whole modalities by the conditional mean of a Gaussian, in closed form."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import eigh

from jaxsurv.preprocess.scale import Scaler, transform
from jaxsurv.types import ArrayLike, InputError

_SHRINKAGE = np.logspace(-2, 3, 26)  # penalties, added to the variance 1 of a z-score


class Regression(NamedTuple):
    """Regression of the z-scores of one missing modality on the z-scores of all present modalities.

    Attributes:
        present: names of the present modalities, whose columns are read side by side in this order.
        missing: name of the missing modality.
        coef: ``[d_present, d_missing]``.
        intercept: ``[d_missing]``.
    """

    present: tuple[str, ...]
    missing: str
    coef: np.ndarray
    intercept: np.ndarray


class ConditionalGaussian(NamedTuple):
    """Fitted regressions, one for each pattern of present modalities and each modality that it lacks.

    Attributes:
        scaler: scaler of all features.
        columns: modality to its slice of the features.
        patterns: sets of present modalities that were fitted.
        regressions: regressions that training rows could teach; without one the mean is imputed.
    """

    scaler: Scaler
    columns: Mapping[str, slice]
    patterns: tuple[tuple[str, ...], ...]
    regressions: tuple[Regression, ...]


def ridge_by_gcv(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ridge coefficients ``[p, q]`` and intercept ``[q]`` of y ``[n, q]`` on x ``[n, p]``.

    The one penalty for all q has the least generalised cross-validation error (Golub, Heath & Wahba
    1979)::

        sum (y - fit)² / (n - 1 - trace H)²
    """
    center, level = x.mean(axis=0), y.mean(axis=0)
    x, y, n = x - center, y - level, len(x)
    wide = x.shape[0] <= x.shape[1]
    size, basis = eigh(x @ x.T if wide else x.T @ x)
    there = size > 1e-9 * max(size[-1], 1e-30)
    size, basis = size[there], basis[:, there]
    if not wide:
        basis = x @ basis / np.sqrt(size)
    score = basis.T @ y
    power = np.sum(score**2, axis=1)
    penalty = n * _SHRINKAGE[:, None]
    kept = size / (size + penalty)
    left = np.sum(y**2) - power.sum() + np.sum((1 - kept) ** 2 * power, axis=1)
    best = np.argmin(left / (n - 1 - kept.sum(axis=1)) ** 2)
    coef = x.T @ (basis @ (score / (size + penalty[best])[:, None]))
    return coef, level - center @ coef


def _patterns(columns: Mapping[str, Any], presence: Mapping[str, ArrayLike]) -> list[tuple]:
    """Modalities that each row has."""
    table = np.stack([np.asarray(presence[m]) > 0 for m in columns], axis=1)
    return [tuple(m for m, has in zip(columns, row, strict=True) if has) for row in table]


def fit_gaussian(
    x: ArrayLike,
    scaler: Scaler,
    columns: Mapping[str, slice],
    presence: Mapping[str, ArrayLike],
    where: ArrayLike,
) -> ConditionalGaussian:
    """Fit on the rows in ``where`` ``[n]``, for the patterns of all rows.

    With S the covariance of the z-scores, the conditional mean of missing features m given present
    features p is ``S_mp S_pp^-1 z_p``. For each pattern and each modality to fill, S is estimated on the
    training rows that have all these modalities. The variances in S_pp are enlarged, which shrinks all
    correlations, by the amount with the best generalised cross-validation error: a ridge regression.

    A single missing value in a modality that the patient has counts as the feature's mean.

    Args:
        x: ``[n, d]``, NaN where missing.
        scaler: scaler fitted on the same rows.
        columns: modality to its slice of the features.
        presence: modality to ``[n]``, 1 where the patient has it.
        where: ``[n]`` booleans, training rows.
    """
    z, where = np.asarray(transform(scaler, x), float), np.asarray(where)
    have = {m: np.asarray(presence[m]) > 0 for m in columns}
    patterns = tuple(sorted(set(_patterns(columns, presence))))
    regressions = []
    for present in patterns:
        if not present:
            continue
        able = where & np.all([have[m] for m in present], axis=0)
        predictors = np.concatenate([z[:, columns[m]] for m in present], axis=1)
        for m in [m for m in columns if m not in present]:
            rows = able & have[m]
            if rows.sum() > 2:
                fitted = ridge_by_gcv(predictors[rows], z[rows, columns[m]])
                regressions.append(Regression(present, m, *fitted))
    return ConditionalGaussian(scaler, dict(columns), patterns, tuple(regressions))


def impute_gaussian(
    model: ConditionalGaussian, x: ArrayLike, presence: Mapping[str, ArrayLike]
) -> np.ndarray:
    """Fill the modalities that rows of ``x [n, d]`` lack, in the units of x.

    Filled values are expected values, for copy numbers and mutations too. NaN remains where a single
    value is missing, where there were too few training rows for the pattern, and in features with gain 0.

    Args:
        model: result of `fit_gaussian`.
        x: ``[n, d]``, NaN where missing.
        presence: modality to ``[n]``, 1 where the patient has it.

    Raises:
        InputError: a pattern of modalities that no row had in `fit_gaussian`.
    """
    x = np.asarray(x)
    rows_of = _patterns(model.columns, presence)
    if unknown := sorted(set(rows_of) - {()} - set(model.patterns)):
        raise InputError(
            f"patients with {' + '.join(unknown[0])} only, a pattern that was not there "
            "when the imputation was fitted; impute by another rule, or let such patients be in the "
            "training cohort, on whatever side of the split"
        )
    z, filled = np.asarray(transform(model.scaler, x), float), np.array(x)
    gain, center = (np.asarray(a, float) for a in (model.scaler.gain, model.scaler.center))
    for regression in model.regressions:
        rows = np.array([pattern == regression.present for pattern in rows_of], bool)
        to = model.columns[regression.missing]
        predictors = np.concatenate([z[rows, model.columns[m]] for m in regression.present], axis=1)
        score = predictors @ regression.coef + regression.intercept
        unit = np.where(gain[to] > 0, gain[to], np.nan)
        filled[rows, to] = score / unit + center[to]
    return filled
