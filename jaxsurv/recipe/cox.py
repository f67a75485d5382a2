"""Penalised Cox models on the same splits: the honest baselines, and the clinical offset.

The penalty is chosen by inner cross-validation on the development rows, by the cross-validated partial
likelihood of Verweij & van Houwelingen (1993), so nothing of a baseline sees a test row.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from sklearn.metrics.pairwise import rbf_kernel

from jaxsurv.data import stratified_kfold
from jaxsurv.preprocess import two_valued
from jaxsurv.recipe.prepare import CLINICAL, StudyData
from jaxsurv.survival import RiskSets, cox_fit, coxnet_cv, neg_log_partial_likelihood, restrict
from jaxsurv.types import Array

INNER_FOLDS = 5
PENALTIES = tuple(10.0 ** np.arange(-1.0, 3.01, 0.5))  # of blocks with one unit of variance each
COMPONENTS = 100  # of linear models the penalty silences what comes after them
PADDING = 32

Basis = Literal["linear", "squares", "rbf"]


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


class CrossFitted(Protocol):
    """Log hazards ``[splits, n]``: of whole models, and of inner ones that did not see the row.

    ``held_out`` may be NaN on development rows that no inner model held out.
    """

    @property
    def log_hazard(self) -> Array: ...

    @property
    def held_out(self) -> Array: ...


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
    # one after the other: batched risk sets cost more than they save
    log_hazard, excess = lax.map(lambda l2: lax.map(lambda kept: fit(kept, l2), masks), penalties)
    best = jnp.argmin(jnp.sum(excess[:, :-1], axis=1))
    fitted = log_hazard[best, -1]
    held_out = jnp.sum(jnp.where(inner, log_hazard[best, :-1], 0.0), axis=0)
    return PenalisedCox(fitted, jnp.where(develop, held_out, fitted), penalties[best])


@jax.jit
def _over_splits(x: Array, risk_sets: RiskSets, develop: Array, inner: Array) -> PenalisedCox:
    return lax.map(lambda a: _ridge_cox(a[0], risk_sets, a[1], a[2]), (x, develop, inner))


def inner_folds(data: StudyData) -> np.ndarray:
    """``[splits, k, n]`` held-out rows, event-stratified within each split's development rows."""
    event = np.asarray(data.shared.event)
    deal = partial(stratified_kfold, event, folds=INNER_FOLDS, validation_fraction=None)
    return np.stack([deal(eligible=develop).test for develop in data.design.develop])


def _standardised_blocks(
    data: StudyData, modalities: Sequence[str], basis: Basis
) -> Iterator[np.ndarray]:
    """``[n, p]`` per split: the modalities beside each other, each divided by the root of its number of
    usable features, so that all weigh the same."""
    columns = data.encoded.columns
    missing = {m: np.isnan(data.encoded.x[:, columns[m]]) for m in modalities}
    for split, z in data.standardised_splits():
        usable = {m: np.count_nonzero(split.scaler.gain[columns[m]]) for m in z}
        blocks = [(m, z[m]) for m in modalities]
        if basis == "squares":  # centred for normal values; what is missing stays 0
            codes = np.asarray(two_valued(data.encoded.x, split.develop))
            more = (split.scaler.gain > 0) & ~codes
            square = {m: np.where(missing[m], 0, (x**2 - 1) / 2) for m, x in blocks}
            blocks += [(m, square[m][:, more[columns[m]]]) for m in square]
        yield np.concatenate([x / np.sqrt(max(1, usable[m])) for m, x in blocks], 1)


def _leading(gram: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Scores on the leading principal components of ``rows``, at most COMPONENTS of them.

    ``gram``: ``[n, rows]`` inner products or kernel values. With more rows than that, a kernel of many
    columns is an approximation of this rank.
    """
    size, vectors = np.linalg.eigh(gram[rows].astype(float))
    few = min(COMPONENTS, len(size))
    size, vectors = size[-few:], vectors[:, -few:]
    weak = size <= 1e-6 * max(size[-1], 1e-30)
    directions = vectors / np.where(weak, np.inf, np.sqrt(np.abs(size)))
    return gram @ directions.astype(gram.dtype)


def _rbf(x: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """``[n, rows]`` values of ``exp(-2 |x - y|²)``, centred on ``rows``.

    Two patients of a block with one unit of variance are 2 apart in mean square: exp(-4).
    """
    kernel = rbf_kernel(x, x[rows], gamma=2.0)
    kernel = kernel - kernel.mean(axis=1, keepdims=True)
    return kernel - kernel[rows].mean(axis=0)


def _inputs(x: np.ndarray, rows: np.ndarray, basis: Basis) -> np.ndarray:
    """What the linear predictor reads of one split's block."""
    if basis == "rbf":
        return _leading(_rbf(x, rows), rows)
    return x if x.shape[1] <= min(COMPONENTS, rows.sum()) else _leading(x @ x[rows].T, rows)


def ridge_cox(
    data: StudyData, modalities: Sequence[str] | None = None, *, basis: Basis = "linear"
) -> PenalisedCox:
    """Ridge Cox on the leading joint components of some modalities.

    Args:
        data: the study.
        modalities: that it reads; None = all, the clinical one too.
        basis: squares: reads also the square of every feature with more than two values. rbf: a smooth
            function of all features at once, by the components of an RBF kernel.
    """
    modalities = list(data.encoded.columns) if modalities is None else modalities
    develop = data.design.develop
    blocks = _standardised_blocks(data, modalities, basis)
    x = [_inputs(block, rows, basis) for block, rows in zip(blocks, develop, strict=True)]
    # columns of zeros change nothing, and models of similar widths share a compilation
    width = max(block.shape[1] for block in x)
    width = max(width, min(len(x[0]), -(-width // PADDING) * PADDING))
    x = np.stack([np.pad(block, [(0, 0), (0, width - block.shape[1])]) for block in x])
    fitted = _over_splits(x, data.shared.risk_sets, develop, inner_folds(data))
    return jax.tree.map(np.asarray, fitted)


def clinical_cox(data: StudyData) -> PenalisedCox | None:
    """Ridge Cox on the clinical modality alone; None if the cohort has none."""
    return ridge_cox(data, [CLINICAL]) if CLINICAL in data.encoded.columns else None


def elastic_net_cox(data: StudyData) -> PenalisedCox:
    """Elastic-net Cox (l1_ratio 0.5) on all features of all modalities, lambda of least deviance."""
    event, time = np.asarray(data.shared.event), np.asarray(data.shared.time)
    fitted = []
    for inner, (split, z) in zip(inner_folds(data), data.standardised_splits(), strict=True):
        x = np.concatenate(list(z.values()), 1)
        develop = np.asarray(split.develop)
        cv = coxnet_cv(
            x, event, time, inner.argmax(0), where=develop, n_lambdas=40,
            lambda_min_ratio=0.05, tolerance=1e-3,
        )  # fmt: skip
        best = int(np.argmin(cv.deviance))
        log_hazard = x @ np.asarray(cv.path.coef[best])
        log_hazard -= log_hazard[develop].mean()
        held_out = np.where(develop, cv.held_out[best], log_hazard)
        fitted.append(PenalisedCox(log_hazard, held_out, cv.lambda_min))
    return jax.tree.map(lambda *a: np.stack(a), *fitted)


def with_offset(data: StudyData, model: CrossFitted) -> StudyData:
    """The data with the model's held-out log hazard as the offset of every split.

    Held-out: an offset that was fitted on the very rows that then train explains too much there, and
    the network would learn the remainder of an overfit.
    """
    return replace(data, splits=data.splits._replace(offset=model.held_out.astype(np.float32)))
