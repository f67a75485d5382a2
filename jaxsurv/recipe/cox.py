"""Penalised Cox models of each split: the honest baselines, the offset, and members of stacks.

The penalty is chosen by inner cross-validation on the development rows, by the cross-validated partial
likelihood of Verweij & van Houwelingen (1993), so nothing of a model sees a test row.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import jax
import numpy as np

from jaxsurv.data import stratified_kfold
from jaxsurv.models import CLINICAL
from jaxsurv.preprocess import two_valued
from jaxsurv.recipe.devices import each_split
from jaxsurv.recipe.members import CrossFitted, LinearCox, PenalisedCox
from jaxsurv.recipe.prepared import Prepared, outcome_in
from jaxsurv.recipe.settings import path_end
from jaxsurv.survival import RiskSets, coxnet_cv, neg_log_partial_likelihood, restrict
from jaxsurv.survival.ridge_path import ridge_path

INNER_FOLDS = 5
PENALTIES = tuple(10.0 ** np.arange(-1.0, 3.01, 0.5))  # of blocks with one unit of variance each
COMPONENTS = 100  # of linear models the penalty silences what comes after them
SMALL = 500  # patients up to which fits in two threads only wait for each other
FREQUENCIES = 256
_EXPRESSION = re.compile(r"^(m?rna|transcript|expression|gene.?expr)", re.IGNORECASE)

Basis = Literal["linear", "squares", "clinical squares", "rbf"]


class _Ridge(NamedTuple):
    log_hazard: np.ndarray
    held_out: np.ndarray
    penalty: float
    coef: np.ndarray
    center: float


def _ridge_cox(
    x: np.ndarray, risk_sets: RiskSets, develop: np.ndarray, inner: np.ndarray
) -> _Ridge:
    """``x [n, p]``, ``develop [n]``, ``inner [k, n]`` booleans: the rows that each inner fold holds out."""
    whole = restrict(risk_sets, develop)
    excess, held_out = np.zeros(len(PENALTIES)), np.zeros((len(PENALTIES), len(x)))
    for held in inner[inner.any(axis=1)]:
        kept = develop & ~held
        model = ridge_path(x, restrict(risk_sets, kept), PENALTIES)
        log_hazard = x @ model.coef.T
        log_hazard -= log_hazard[kept].mean(axis=0)
        # by how much the likelihood of all rows exceeds that of the kept
        loss = [
            neg_log_partial_likelihood(r, risk_sets=whole, reduction="sum") for r in log_hazard.T
        ]
        excess += np.asarray(loss) + model.log_likelihood
        held_out[:, held] = log_hazard.T[:, held]
    best = int(np.argmin(excess))
    coef = ridge_path(x, whole, PENALTIES[best:]).coef[0]
    log_hazard = x @ coef
    center = log_hazard[develop].mean()
    log_hazard -= center
    held_out = np.where(develop, held_out[best], log_hazard)
    return _Ridge(_single(log_hazard), _single(held_out), PENALTIES[best], coef, center)


def inner_folds(data: Prepared) -> np.ndarray:
    """``[splits, k, n]`` held-out rows, event-stratified within each split's development rows and strata."""
    strata, patient = data.outcome.stratum, data.cohort.patients

    def deal(develop: np.ndarray) -> np.ndarray:
        folds = min(INNER_FOLDS, int(data.event[develop].sum()))
        dealt = stratified_kfold(
            data.event, folds=folds, eligible=develop, validation_fraction=None, strata=strata,
            patient=patient,
        ).test  # fmt: skip
        empty = np.zeros((INNER_FOLDS - folds, len(develop)), bool)  # all splits stack
        return np.concatenate([dealt, empty])

    return np.stack([deal(develop) for develop in data.splits.develop])


class _Block(NamedTuple):
    """One split's covariates and where they come from.

    Attributes:
        x: ``[n, p]``.
        columns: parts of p in order: ``(kind, modality, rows of the modality's d columns, factor)``.
        shift: ``[p]``, subtracted from Fourier features.
    """

    x: np.ndarray
    columns: list[tuple[str, str, np.ndarray, float]]
    shift: np.ndarray


def _frequencies(columns: int) -> np.ndarray:
    """``[columns, FREQUENCIES]`` normal draws of variance 4: the spectrum of ``exp(-2 |x - y|²)``."""
    draws = np.random.default_rng(0).standard_normal((columns, FREQUENCIES))
    return (2 * draws).astype(np.float32)


def _blocks(data: Prepared, modalities: Sequence[str], basis: Basis) -> list[_Block]:
    """Concatenated modalities of each split, each divided by the root of its number of usable features,
    so that all weigh the same."""
    columns, made = data.encoded.columns, []
    observed = {m: ~np.isnan(data.encoded.x[:, c]) for m, c in columns.items()}
    for split, z in data.standardised_splits():
        gain = np.asarray(split.scaler.gain)
        factor = {m: 1 / np.sqrt(max(1, np.count_nonzero(gain[columns[m]]))) for m in modalities}
        parts = [("linear", m, np.arange(z[m].shape[1]), factor[m]) for m in modalities]
        x = [z[m] * factor[m] for m in modalities]
        clinical = [m for m in modalities if m == CLINICAL]
        squared = {"squares": modalities, "clinical squares": clinical}.get(basis, [])
        if squared:  # centred for normal values; what is missing stays 0
            codes = np.asarray(two_valued(data.encoded.x, split.develop))
            more = (gain > 0) & ~codes
            for m in squared:
                kept = np.flatnonzero(more[columns[m]])
                square = np.where(observed[m], (z[m] ** 2 - 1) / 2, 0)[:, kept]
                parts.append(("squares", m, kept, factor[m]))
                x.append(square * factor[m])
        joint = np.concatenate(x, axis=1).astype(np.float32)
        shift = np.zeros(joint.shape[1], np.float32)
        if basis == "rbf":
            phase = joint @ _frequencies(joint.shape[1])
            joint = np.concatenate([np.cos(phase), np.sin(phase)], axis=1) / np.sqrt(FREQUENCIES)
            joint = joint.astype(np.float32)
            shift = joint[np.asarray(split.develop)].mean(axis=0)
        made.append(_Block(joint - shift, parts, shift))
    return made


def _leading(x: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """``[p, k]`` directions of the leading principal components of ``rows``, at most COMPONENTS of them."""
    few = min(COMPONENTS, int(rows.sum()), x.shape[1])
    known = x[rows].astype(float)
    if x.shape[1] <= few:
        return np.eye(x.shape[1], dtype=x.dtype)
    size, vectors = np.linalg.eigh(known @ known.T)
    size, vectors = size[-few:], vectors[:, -few:]
    weak = size <= 1e-6 * max(size[-1], 1e-30)
    return (known.T @ (vectors / np.where(weak, np.inf, np.sqrt(np.abs(size))))).astype(x.dtype)


def _model(block: _Block, coef: np.ndarray, center: float, basis: Basis) -> LinearCox:
    """The fitted model on scaled features, from its coefficients on the block's columns."""
    linear, squares, frequencies = {}, {}, {}
    cosine = sine = np.zeros(0, np.float32)
    if basis == "rbf":
        modalities = [(m, len(own), factor) for _, m, own, factor in block.columns]
        draws = _frequencies(sum(width for _, width, _ in modalities))
        ends = np.cumsum([width for _, width, _ in modalities])[:-1]
        for (m, _, factor), w in zip(modalities, np.split(draws, ends), strict=True):
            frequencies[m] = (w * factor).astype(np.float32)
        cosine, sine = np.split(_single(coef / np.sqrt(FREQUENCIES)), 2)
        center = center + float(block.shift @ coef)
        return LinearCox({}, {}, frequencies, cosine, sine, _single(center))
    ends = np.cumsum([len(own) for _, _, own, _ in block.columns])[:-1]
    for (kind, m, own, factor), b in zip(block.columns, np.split(coef, ends), strict=True):
        if kind == "linear":
            linear[m] = _single(b * factor)
        else:
            squares[m] = np.zeros_like(linear[m])
            squares[m][own] = b * factor
    return LinearCox(linear, squares, {}, cosine, sine, _single(center))


def _single(x: object) -> np.ndarray:
    return np.asarray(x, np.float32)


def ridge_cox(
    data: Prepared, modalities: Sequence[str] | None = None, *, basis: Basis = "linear"
) -> PenalisedCox:
    """Ridge Cox on the leading joint components of some modalities.

    Args:
        data: the patients under some splits.
        modalities: names of the modalities that it reads; None = all, the clinical one too.
        basis: ``"squares"``: reads also the square of every feature with more than two values, ``"clinical
            squares"`` of every clinical one. ``"rbf"``: a smooth function of all features at once, by random
            Fourier features of the RBF kernel ``exp(-2 |x - y|²)`` (Rahimi & Recht 2007), so that no training
            patient is kept with the model.
    """
    data = data.plain
    modalities = list(data.encoded.columns) if modalities is None else modalities
    blocks = _blocks(data, modalities, basis)
    develop, inner = data.splits.develop, inner_folds(data)

    def fit(s: int) -> tuple[_Ridge, LinearCox]:
        sets = jax.tree.map(lambda a: np.asarray(a[s]), data.fitted.risk_sets)
        directions = _leading(blocks[s].x, develop[s])
        found = _ridge_cox(blocks[s].x @ directions, sets, develop[s], inner[s])
        coef = directions.astype(float) @ found.coef
        return found, _model(blocks[s], coef, found.center, basis)

    few = len(develop[0]) <= SMALL
    fitted, models = zip(*each_split(fit, len(blocks), devices=1 if few else None), strict=True)
    log_hazard, held_out, penalty = (np.stack(part) for part in list(zip(*fitted, strict=True))[:3])
    return PenalisedCox(log_hazard, held_out, penalty, models)


def clinical_cox(data: Prepared) -> PenalisedCox | None:
    """Ridge Cox on the clinical modality alone; None if the cohort has none.

    Args:
        data: the patients under some splits; if it is their offset, it is not fitted again.
    """
    if CLINICAL not in data.encoded.columns:
        return None
    return data.offset_if("clinical") or ridge_cox(data, [CLINICAL])


def leading_block(data: Prepared) -> str | None:
    """The modality that enters first beside the clinical one; None if there is no other.

    It is the first that ``recipe.blocks`` names; else gene expression, by its name; else the widest of the
    modalities that are measured, else the widest. A choice by held-out likelihood is too noisy at a hundred
    events (docs/recipe.md).

    Args:
        data: the patients under some splits.
    """
    columns = {m: c for m, c in data.encoded.columns.items() if m != CLINICAL}
    named = [m for m in data.recipe.blocks or () if m in columns]
    expression = [m for m in columns if _EXPRESSION.search(m)]
    if named or expression:
        return (named or expression)[0]
    measured = data.encoded.measured
    widths = {m: (bool(measured[c].any()), c.stop - c.start) for m, c in columns.items()}
    return max(widths, key=lambda m: widths[m], default=None)


def block_ridge_cox(data: Prepared) -> PenalisedCox:
    """Ridge Cox on the clinical features, their squares, and the leading block alone.

    Blocks of noise cost more than they add where events are few: in the mean over seven cohorts of TCGA its C
    is 0.007 above that of a ridge Cox model of all modalities (docs/recipe.md).

    Args:
        data: the patients under some splits; if it is their offset, it is not fitted again.
    """
    if (known := data.offset_if("block-ridge")) is not None:
        return known
    first = leading_block(data)
    read = [m for m in (CLINICAL, first) if m in data.encoded.columns]
    return ridge_cox(data, read, basis="clinical squares")


def elastic_net_cox(data: Prepared) -> PenalisedCox:
    """Elastic-net Cox (l1_ratio 0.5) on all features of all modalities, lambda of least deviance.

    Args:
        data: the patients under some splits.
    """
    data, fitted = data.plain, []
    for inner, (split, z) in zip(inner_folds(data), data.standardised_splits(), strict=True):
        x = np.concatenate(list(z.values()), 1)
        develop = np.asarray(split.develop)
        outcome = outcome_in(data.outcome, develop)
        cv = coxnet_cv(
            x, outcome.event, outcome.time, inner.argmax(0), entry=outcome.entry,
            strata=outcome.stratum, where=develop, n_lambdas=40, tolerance=1e-3,
            lambda_min_ratio=path_end(develop.sum(), x.shape[1]),
        )  # fmt: skip
        best = int(np.argmin(cv.deviance))
        coef = np.asarray(cv.path.coef[best])
        log_hazard = x @ coef
        center = log_hazard[develop].mean()
        held_out = np.where(develop, cv.held_out[best], log_hazard - center)
        ends = np.cumsum([z[m].shape[1] for m in z])[:-1]
        linear = dict(zip(z, map(_single, np.split(coef, ends)), strict=True))
        none = np.zeros(0, np.float32)
        model = LinearCox(linear, {}, {}, none, none, _single(center))
        fitted.append((log_hazard - center, held_out, cv.lambda_min, model))
    log_hazard, held_out, penalty, models = zip(*fitted, strict=True)
    return PenalisedCox(np.stack(log_hazard), np.stack(held_out), np.stack(penalty), models)  # type: ignore[arg-type]


def with_offset(data: Prepared, model: CrossFitted) -> Prepared:
    """The data with the model's held-out log hazard as the offset of every split.

    Held-out: an offset that was fitted on the very rows that then train explains too much there, and
    the network would learn the remainder of an overfit. ``recipe.offset`` of the result is ``"none"``: it is
    not one that a recipe makes.

    Args:
        data: the patients under some splits.
        model: any cross-fitted model on the same splits, a stack too.
    """
    offset = np.asarray(model.held_out, np.float32)
    kept = model if isinstance(model, PenalisedCox) else None
    return replace(
        data, recipe=replace(data.recipe, offset="none"), offset_model=kept,
        fitted=data.fitted._replace(offset=offset),
    )  # fmt: skip
