"""Penalised Cox models on the same splits: the honest baselines, and the clinical offset.

The penalty is chosen by inner cross-validation on the development rows, by the cross-validated partial
likelihood of Verweij & van Houwelingen (1993), so nothing of a baseline sees a test row.
"""

from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxsurv.data import stratified_kfold
from jaxsurv.study.prepare import CLINICAL, StudyData
from jaxsurv.survival import RiskSets, cox_fit, coxnet_cv, neg_log_partial_likelihood, restrict
from jaxsurv.types import Array

INNER_FOLDS = 5
PENALTIES = tuple(10.0 ** np.arange(-1.0, 3.01, 0.5))  # of blocks with one unit of variance each
COMPONENTS = 100  # the penalty silences what comes after them


class PenalisedCox(NamedTuple):
    """A penalised Cox model on one split, or with a leading axis on all.

    Attributes:
        log_hazard: ``[n]``, by the model of all development rows, centred on them.
        held_out: ``[n]``, on development rows by the inner model that did not see the row, else as
            ``log_hazard``.
        penalty: the chosen l2 or lambda.
    """

    log_hazard: Array
    held_out: Array
    penalty: Array


def _ridge_cox(x: Array, risk_sets: RiskSets, develop: Array, inner: Array) -> PenalisedCox:
    """``x [n, p]``, ``develop [n]``, ``inner [k, n]`` booleans: the rows that each inner fold holds out."""
    whole = restrict(risk_sets, develop)

    def fit(kept: Array, penalty: Array) -> tuple[Array, Array]:
        """Centred log hazard, and by how much the likelihood of all rows exceeds that of the kept."""
        part = restrict(risk_sets, kept)
        model = cox_fit(x, risk_sets=part, l2=penalty)
        log_hazard = x @ model.coef
        log_hazard = log_hazard - jnp.sum(log_hazard * kept) / jnp.sum(kept)
        loss = neg_log_partial_likelihood(log_hazard, risk_sets=whole, reduction="sum")
        return log_hazard, loss + model.log_likelihood

    # the last mask holds nothing out: the fit of all development rows
    masks = jnp.concatenate([develop[None] & ~inner, develop[None]])
    penalties = jnp.asarray(PENALTIES, x.dtype)
    log_hazard, excess = lax.map(lambda l2: jax.vmap(fit, in_axes=(0, None))(masks, l2), penalties)
    best = jnp.argmin(jnp.sum(excess[:, :-1], axis=1))
    fitted = log_hazard[best, -1]
    held_out = jnp.sum(jnp.where(inner, log_hazard[best, :-1], 0.0), axis=0)
    return PenalisedCox(fitted, jnp.where(develop, held_out, fitted), penalties[best])


@jax.jit
def _over_splits(x: Array, risk_sets: RiskSets, develop: Array, inner: Array) -> PenalisedCox:
    return lax.map(lambda a: _ridge_cox(a[0], risk_sets, a[1], a[2]), (x, develop, inner))


def _inner_folds(data: StudyData) -> np.ndarray:
    """``[splits, k, n]`` held-out rows, event-stratified within each split's development rows."""
    folds = []
    for develop in np.asarray(data.splits.masks.develop):
        rows = np.flatnonzero(develop)
        inner = stratified_kfold(
            np.asarray(data.shared.event)[rows], folds=INNER_FOLDS, validation_fraction=None
        ).test
        held_out = np.zeros((INNER_FOLDS, develop.size), bool)
        held_out[:, rows] = inner
        folds.append(held_out)
    return np.stack(folds)


def _blocks(data: StudyData, modalities: list[str]) -> np.ndarray:
    """``[splits, n, p]``: the scores of the modalities on their joint principal components, each modality
    divided by the root of its number of usable features, so that all weigh the same."""
    scores = []
    for split, z in data.standardised_splits():
        usable = {m: np.count_nonzero(split.scaler.gain[data.encoded.columns[m]]) for m in z}
        x = np.concatenate([z[m] / np.sqrt(max(1, usable[m])) for m in modalities], 1)
        _, _, directions = np.linalg.svd(x[np.asarray(split.masks.develop)], full_matrices=False)
        scores.append(x @ directions[:COMPONENTS].T)
    width = min(x.shape[1] for x in scores)
    return np.stack([x[:, :width] for x in scores])


def _fit(data: StudyData, modalities: list[str]) -> PenalisedCox:
    x, inner = _blocks(data, modalities), _inner_folds(data)
    fitted = _over_splits(x, data.shared.risk_sets, data.splits.masks.develop, inner)
    return jax.tree.map(np.asarray, fitted)


def ridge_cox(data: StudyData) -> PenalisedCox:
    """Ridge Cox on all modalities, the clinical one included: their 100 leading joint components."""
    return _fit(data, list(data.encoded.columns))


def clinical_cox(data: StudyData) -> PenalisedCox | None:
    """Ridge Cox on the clinical modality alone; None if the cohort has none."""
    return _fit(data, [CLINICAL]) if CLINICAL in data.encoded.columns else None


def elastic_net_cox(data: StudyData, *, n_lambdas: int = 40) -> PenalisedCox:
    """Elastic-net Cox (l1_ratio 0.5) on all features of all modalities, lambda of least deviance."""
    event, time = np.asarray(data.shared.event), np.asarray(data.shared.time)
    fitted = []
    for inner, (split, z) in zip(_inner_folds(data), data.standardised_splits(), strict=True):
        x = np.concatenate(list(z.values()), 1)
        develop = np.asarray(split.masks.develop)
        cv = coxnet_cv(
            x, event, time, inner.argmax(0), where=develop, n_lambdas=n_lambdas,
            lambda_min_ratio=0.05, tolerance=1e-3,
        )  # fmt: skip
        best = int(np.argmin(cv.deviance))
        log_hazard = x @ np.asarray(cv.path.coef[best])
        log_hazard -= log_hazard[develop].mean()
        held_out = np.where(develop, cv.held_out[best], log_hazard)
        fitted.append(PenalisedCox(log_hazard, held_out, cv.lambda_min))
    return jax.tree.map(lambda *a: np.stack(a), *fitted)


def with_offset(data: StudyData, model: PenalisedCox) -> StudyData:
    """The data with the model's held-out log hazard as the offset of every split.

    Held-out: an offset that was fitted on the very rows that then train explains too much there, and
    the network would learn the remainder of an overfit.
    """
    return replace(data, splits=data.splits._replace(offset=model.held_out.astype(np.float32)))
