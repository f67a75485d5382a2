"""Ridge Cox model in which every clinical feature acts in its own way in every group, such as a cancer."""

import numpy as np

from jaxsurv.data import Cohort
from jaxsurv.models import CLINICAL
from jaxsurv.preprocess import encode
from jaxsurv.preprocess._encode import encoded_columns
from jaxsurv.survival import neg_log_partial_likelihood, prepare_risk_sets
from jaxsurv.survival.ridge_path import ridge_path

PENALTIES = (300.0, 100.0, 30.0, 10.0, 3.0, 1.0)
LEAST = 10.0  # sum of squares in training of a column that is read; of a rare code, the patients who have it


def ridge_with_products(
    cohort: Cohort, endpoint: str, by: str, train: np.ndarray, validation: np.ndarray
) -> np.ndarray:
    """``[n]`` log hazards of a ridge Cox model on clinical features and their products with groups.

    A product is a feature of the patients of one group, less its mean there, and 0 for all others. One
    penalty for all columns, of the largest partial likelihood on the validation rows.

    Args:
        cohort: patients, all with an outcome.
        endpoint: name of the outcome.
        by: clinical column whose categories are the groups.
        train, validation: ``[n]`` booleans.
    """
    encoded = encode(cohort, [CLINICAL])
    grouping = np.array([f == by for f in encoded_columns(encoded.schema, CLINICAL)])
    x = encoded.x.astype(float)
    spread = np.nanstd(x[train], axis=0)
    codes = np.all(np.isnan(x) | (x == 0) | (x == 1), axis=0)
    x = (x - np.nanmean(x[train], axis=0)) / np.where(codes | (spread == 0), 1, spread)
    x = np.where(np.isnan(x), 0, x)
    group, plain = x[:, grouping] > 0, x[:, ~grouping]
    squares = (plain[:, ~codes[~grouping]] ** 2 - 1) / 2
    plain = np.concatenate([plain, squares], axis=1)
    parts = [plain, x[:, grouping]]
    for rows in group.T:
        known = rows & train
        if known.any():
            parts.append(rows[:, None] * (plain - plain[known].mean(axis=0)))
    z = np.concatenate(parts, axis=1)
    z = z[:, np.square(z[train] - z[train].mean(axis=0)).sum(axis=0) >= LEAST]
    outcome = cohort.outcome(endpoint)
    event, time = np.asarray(outcome.event), np.asarray(outcome.time)
    fitted, judged = (prepare_risk_sets(event[r], time[r]) for r in (train, validation))
    risk = z @ ridge_path(z[train], fitted, PENALTIES).coef.T
    losses = [float(neg_log_partial_likelihood(r[validation], risk_sets=judged)) for r in risk.T]
    best = risk[:, int(np.argmin(losses))]
    return best - best[train].mean()
