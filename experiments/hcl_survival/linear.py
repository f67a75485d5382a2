"""Linear HCL with a Cox model on a cohort: a baseline of studies, and which structures matter there."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from jaxsurv.factors import (
    Structure,
    cox,
    group_path,
    group_penalised,
    posterior_mean,
)
from jaxsurv.factors.covariance import check_pairs
from jaxsurv.models import CLINICAL, Batch, hcl_linear
from jaxsurv.recipe import PenalisedCox, Prepared
from jaxsurv.recipe.cox import INNER_FOLDS, inner_folds
from jaxsurv.survival import prepare_risk_sets, restrict
from jaxsurv.types import Array

from .bootstrap import importance

DRAWS = 200
RATIO = 0.01  # of the last to the first penalty; far below the best one, Newton steps are many


class _Fit(NamedTuple):
    """Fit on one split: design ``[n, R + c]``, coefficients, and the penalty of the blocks."""

    design: Array
    coef: Array
    penalty: Array


def _structure(batch: Batch, rank: int) -> Structure:
    sizes = {m: int(batch.inputs[m].shape[1]) for m in sorted(batch.inputs)}
    return Structure.of(sizes, rank)


def _check_presence(data: Prepared, rows: np.ndarray) -> None:
    """Refuse pairs of modalities that nobody has both, before compiled code would return NaN."""
    if data.recipe.impute == "none":
        names = sorted(set(data.shared.presence) - {CLINICAL})
        has = np.stack([np.asarray(data.shared.presence[m])[rows] for m in names], axis=1)
        check_pairs(names, has.T @ has)


def _groups(structure: Structure, batch: Batch) -> np.ndarray:
    """The clinical columns are one more block."""
    clinical = np.full(batch.clinical.shape[1], len(structure.ranks))
    return np.concatenate([structure.block, clinical])


def _fit(structure: Structure, batch: Batch, develop: Array, fold: Array) -> _Fit:
    """Loadings and coefficients of the development rows."""
    # a modality without a feature in use is absent for everybody: zeros that all have, here
    presence = {m: jnp.where(jnp.any(p > 0), p, 1) for m, p in batch.presence.items()}
    learnt = hcl_linear(structure, batch.inputs, presence=presence, where=develop)
    scores = posterior_mean(
        learnt.loadings, learnt.noise, learnt.mean, batch.inputs, structure, presence=presence
    )
    design = jnp.concatenate([scores, batch.clinical], axis=1)
    on, groups = cox(design, batch.risk_sets), _groups(structure, batch)
    found = group_penalised(on, develop, fold, groups, folds=INNER_FOLDS, ratio=RATIO)
    return _Fit(design, found.coef, found.penalties[jnp.argmin(found.held_out)])


def linear_hcl_cox(data: Prepared, *, rank: int = 1) -> PenalisedCox:
    """Cox regression on linear HCL's latent variables and the clinical block, penalised by block.

    Every non-empty subset of the modalities is a structure. Everything is fitted to development rows; the
    penalty is chosen by inner cross-validation, whose held-out log hazards are not kept (NaN).

    Args:
        data: the study; each modality needs more features than there are structures it has a part in.
        rank: latent variables per structure.

    Raises:
        InputError: fewer than two development patients of a split have both of two modalities.
    """

    @jax.jit
    def one(shared, split, inner):
        batch, masks = data.build(shared, split, jnp.uint32(0))
        fit = _fit(_structure(batch, rank), batch, masks.develop, jnp.argmax(inner, axis=0))
        log_hazard = fit.design @ fit.coef
        centre = jnp.sum(masks.develop * log_hazard) / jnp.sum(masks.develop)
        return log_hazard - centre, masks.develop, fit.penalty

    for develop in data.splits.develop:
        _check_presence(data, develop)
    fitted = []
    for s, inner in enumerate(inner_folds(data)):
        split = jax.tree.map(lambda x, s=s: x[s], data.fitted)
        log_hazard, develop, penalty = map(np.asarray, one(data.shared, split, inner))
        held_out = np.where(develop, np.nan, log_hazard)
        fitted.append(PenalisedCox(log_hazard, held_out, penalty, ()))
    return jax.tree.map(lambda *a: np.stack(a), *fitted)


def structure_importance(data: Prepared, *, rank: int = 1) -> pd.DataFrame:
    """Importance of each structure for survival: ``structure``, ``mean``, ``lower``, ``upper``, ``chosen``.

    Fitted to all patients of the first split, its test rows too: nothing is predicted here. Features are
    chosen and scaled as on its development rows. Intervals are over patients drawn anew, with loadings
    and penalty held; see :func:`jaxsurv.factors.importance`.
    """
    _check_presence(data, data.labelled)
    split, labelled = jax.tree.map(lambda x: x[0], data.fitted), jnp.asarray(data.labelled)
    everyone = split._replace(develop=labelled, risk_sets=restrict(data.shared.risk_sets, labelled))
    batch, _ = data.build(data.shared, everyone, jnp.uint32(0))
    structure = _structure(batch, rank)
    n = len(batch.where)
    fold = jnp.asarray(np.arange(n) % INNER_FOLDS)

    @jax.jit
    def run(batch, develop):
        fit = _fit(structure, batch, develop, fold)
        groups = _groups(structure, batch)

        def again(rows: Array) -> Array:
            event, time = batch.outcome.event[rows], batch.outcome.time[rows]
            strata = None if (s := batch.outcome.stratum) is None else s[rows]
            sets = prepare_risk_sets(event, time, strata=strata, where=develop[rows])
            loss = cox(fit.design[rows], sets)(develop[rows])
            return group_path(loss, groups, fit.penalty[None])[0]

        return importance(again, jax.random.key(0), n, groups, draws=DRAWS)

    found = run(batch, labelled)
    names = ["+".join(s) for s in structure.blocks]
    names += [CLINICAL] * (batch.clinical.shape[1] > 0)
    parts = {
        "mean": found.value,
        "lower": found.lower,
        "upper": found.upper,
        "chosen": found.chosen,
    }
    return pd.DataFrame({"structure": names} | {k: np.asarray(v) for k, v in parts.items()})
