"""Stacks: one risk from Cox models of the single modalities and, as one more member, a network."""

from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import minimize, minimize_scalar

from jaxsurv.recipe.cox import CrossFitted, PenalisedCox, ridge_cox
from jaxsurv.recipe.prepare import CLINICAL, StudyData
from jaxsurv.survival import RiskSets, neg_log_partial_likelihood, restrict
from jaxsurv.types import Array

SHRINKAGE = 1.0  # towards equal weights, per event: a few dozen events cannot tell members apart
SPREAD = 0.3  # prior standard deviation of the log of how far a stack is stretched


class Stack(NamedTuple):
    """A weighted sum of Cox models on all splits.

    Attributes:
        log_hazard: ``[splits, n]``, of the members that were fitted to all development rows.
        held_out: ``[splits, n]``, on development rows of the members that did not see the row.
        weights: ``[splits, members]``, >= 0.
        members: their names.
    """

    log_hazard: Array
    held_out: Array
    weights: np.ndarray
    members: tuple[str, ...]


def stack_members(data: StudyData) -> dict[str, PenalisedCox]:
    """A ridge Cox model per modality; of the clinical one two more, with squares and with an RBF kernel.

    Modalities differ in how much they know and so in their penalty, which a joint ridge model cannot
    give them. Age and the like seldom act linearly, and few clinical columns make curves affordable.
    """
    members = {m: ridge_cox(data, [m]) for m in data.encoded.columns}
    if CLINICAL in members:
        members[f"{CLINICAL}, squares"] = ridge_cox(data, [CLINICAL], basis="squares")
        members[f"{CLINICAL}, RBF kernel"] = ridge_cox(data, [CLINICAL], basis="rbf")
    return members


@jax.jit
@jax.value_and_grad
def _loss(weights: Array, equal: Array, log_hazard: Array, risk_sets: RiskSets) -> Array:
    """``log_hazard [n, members]``."""
    cox = neg_log_partial_likelihood(log_hazard @ weights, risk_sets=risk_sets)
    return cox + SHRINKAGE * jnp.sum((weights - equal) ** 2)


@jax.jit
def _stretch_loss(log_factor: Array, log_hazard: Array, risk_sets: RiskSets) -> Array:
    """``log_hazard [n]``."""
    stretched = jnp.exp(log_factor) * log_hazard
    cox = neg_log_partial_likelihood(stretched, risk_sets=risk_sets, reduction="sum")
    return cox + (log_factor / SPREAD) ** 2 / 2


def stack(data: StudyData, members: Mapping[str, CrossFitted]) -> Stack:
    """Weights ``w >= 0`` that minimise, over the development rows that every member has held out,
    ``Cox(H w) per event + |w - 1/k|²``, with H ``[n, k]`` the members' held-out log hazards.
    Members that predict one risk for everybody, such as that of a modality without a usable feature,
    have weight 0 and do not count in k.

    Weights near 1/k average members that each know another part and should be added. So all are then
    multiplied by one factor f, of least ``Cox(f H w) + (log f / SPREAD)² / 2`` on the same rows, which
    changes calibration and Brier scores but no ranking.

    Stacked regression (Breiman 1996; van der Laan, Polley & Hubbard 2007), shrunk to the plain mean of
    log hazards. Nothing of it sees a test row.
    """
    log_hazard, held_out = (
        np.stack([getattr(m, part) for m in members.values()], axis=-1).astype(np.float32)
        for part in ("log_hazard", "held_out")
    )
    weights = []
    for h, develop in zip(held_out, data.design.develop, strict=True):
        known = np.isfinite(h).all(axis=1)
        sets = restrict(data.shared.risk_sets, develop & known)
        h = np.where(known[:, None], h, 0)
        live = np.ptp(h[develop & known], axis=0) > 0
        equal = (live / max(1, live.sum())).astype(np.float32)

        def loss(
            w: np.ndarray, h: np.ndarray = h, sets: RiskSets = sets, equal: np.ndarray = equal
        ) -> tuple[float, np.ndarray]:
            value, slope = _loss(jnp.asarray(w, jnp.float32), equal, h, sets)
            return float(value), np.asarray(slope, float)

        bounds = [(0, None)] * len(live)
        w = minimize(loss, equal, jac=True, bounds=bounds, method="L-BFGS-B").x
        fitted = (h @ w).astype(np.float32)
        log_factor = minimize_scalar(
            lambda u, fitted=fitted, sets=sets: float(_stretch_loss(u, fitted, sets)),
            bounds=(-2, 2),
        ).x
        weights.append(np.exp(log_factor) * w)
    w = np.stack(weights)
    total = (np.einsum("snk,sk->sn", h, w) for h in (log_hazard, held_out))
    return Stack(*total, w, tuple(members))  # type: ignore[arg-type]


class Ensemble(NamedTuple):
    """The mean over a split's runs, see :class:`jaxsurv.recipe.cox.CrossFitted`."""

    log_hazard: np.ndarray
    held_out: np.ndarray


def ensemble(
    data: StudyData, split: np.ndarray, log_hazard: np.ndarray, seed: np.ndarray
) -> Ensemble:
    """Mean log hazard over the runs of each split, each centred on the rows that it trained on.

    A row is held out from the runs that it stopped: they were not fitted to it, but chose their last
    epoch by it and its like, for which the shrinkage of the weights makes up.

    Args:
        data: the study.
        split: ``[runs]``; every split has at least one.
        log_hazard: ``[runs, n]``.
        seed: ``[runs]``.
    """
    part = seed % data.design.validation.shape[1]
    train, stopped = data.design.train[split, part], data.design.validation[split, part]
    center = (log_hazard * train).sum(axis=1, keepdims=True) / train.sum(axis=1, keepdims=True)
    risk = log_hazard - center
    of_split = split == np.arange(len(data.design.fold))[:, None]

    def mean(rows: np.ndarray) -> np.ndarray:
        count = of_split.astype(float) @ rows
        total = of_split.astype(float) @ np.where(rows, risk, 0)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    whole = mean(np.ones_like(train))
    held_out = np.where(data.design.develop, mean(stopped), whole)
    return Ensemble(whole.astype(np.float32), held_out.astype(np.float32))
