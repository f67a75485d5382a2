"""Stacks: one risk from Cox models and, as one more member, an ensemble of networks."""

import warnings
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import jax
import numpy as np
from scipy.optimize import minimize, minimize_scalar

from jaxsurv.models import CLINICAL
from jaxsurv.recipe.cox import (
    CrossFitted,
    PenalisedCox,
    block_ridge_cox,
    elastic_net_cox,
    ridge_cox,
)
from jaxsurv.recipe.prepared import Prepared
from jaxsurv.survival import (
    RiskSets,
    martingale_residuals,
    neg_log_partial_likelihood,
    restrict,
)
from jaxsurv.survival.risk_sets import in_precision
from jaxsurv.types import Array, ConvergenceWarning, InputError, check_choice

SHRINKAGE = 0.03  # of Cox models towards equal weights, per event
NETWORK_SHRINKAGE = 3.0  # of others towards 0: their held-out rows have stopped them
_GRADIENT = 1e-4  # of the loss per event, at weights that have converged
SPREAD = 0.3  # prior standard deviation of the log of how far a stack is stretched


class Stack(NamedTuple):
    """A weighted sum of Cox models on all splits.

    Attributes:
        log_hazard: ``[splits, n]``, weighted sum of the members that were fitted to all development rows.
        held_out: ``[splits, n]``, cross-fitted: development rows by the members that did not see the row.
        weights: ``[splits, members]``, >= 0.
        members: names of the members.
    """

    log_hazard: Array
    held_out: Array
    weights: np.ndarray
    members: tuple[str, ...]


# names of members, or of groups of them
MEMBERS = (
    "network",
    "block ridge",
    "clinical RBF",
    "all modalities",
    "modalities",
    "clinical squares",
    "elastic net",
)
RECOMMENDED = MEMBERS[:4]


def cox_members(data: Prepared, members: Sequence[str] = RECOMMENDED) -> dict[str, PenalisedCox]:
    """Cox models for a stack.

    Few members that each know something are better than many: weights are noisy, and blocks of noise take
    some. Age and the like seldom act linearly, and few clinical columns make curves affordable.

    Args:
        data: the patients under some splits.
        members: members to fit. ``"block ridge"``: `block_ridge_cox`; ``"all modalities"``: a joint ridge Cox
            model, with squares of the clinical features, unless the block ridge reads all; ``"clinical RBF"``
            and ``"clinical squares"``: ridge Cox models of the clinical modality, with an RBF kernel and with
            squares; ``"modalities"``: a ridge Cox model of each modality; ``"elastic net"``: an elastic-net
            Cox model of all features. ``"network"`` is no Cox model and is passed over.

    Raises:
        InputError: an unknown member.
    """
    for name in members:
        check_choice("members", name, MEMBERS)
    clinical, fitted = CLINICAL in data.encoded.columns, {}
    if "block ridge" in members:
        fitted["block ridge"] = block_ridge_cox(data)
    if "modalities" in members:
        known = {} if data.clinical is None else {CLINICAL: data.clinical}
        fitted |= {m: known.get(m) or ridge_cox(data, [m]) for m in data.encoded.columns}
    if "clinical squares" in members and clinical:
        fitted[f"{CLINICAL}, squares"] = ridge_cox(data, [CLINICAL], basis="squares")
    if "clinical RBF" in members and clinical:
        fitted[f"{CLINICAL}, RBF kernel"] = ridge_cox(data, [CLINICAL], basis="rbf")
    joint = not fitted.get("block ridge") or len(data.encoded.columns) > 1 + clinical
    if "all modalities" in members and joint:
        fitted["all modalities"] = ridge_cox(data, basis="clinical squares")
    if "elastic net" in members:
        fitted["elastic net"] = elastic_net_cox(data)
    return fitted


def _weights(
    held_out: np.ndarray, risk_sets: RiskSets, rows: np.ndarray, cox_models: np.ndarray
) -> np.ndarray:
    """``[members]``, weights of one split, by the held-out log hazards ``[n, members]`` of some rows.

    ``cox_models [members]`` tells Cox models from others.

    In float64: in float32 the rounding of the loss is as large as what a thousandth of a weight changes.
    """
    live = np.ptp(held_out[rows], axis=0) > 0
    h, expected = held_out.astype(float), live & cox_models
    prior = expected / max(1, expected.sum())
    strength = np.where(cox_models, SHRINKAGE, NETWORK_SHRINKAGE)
    with jax.enable_x64(True):  # for cohorts too large for the host
        sets = in_precision(restrict(jax.tree.map(np.asarray, risk_sets), rows), np.float64)
        events = max(float(sets.total), 1.0)

        def cox(log_hazard: np.ndarray) -> float:
            loss = neg_log_partial_likelihood(log_hazard, risk_sets=sets, reduction="sum")
            return float(loss)

        def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
            """``Cox(h w) per event + strength |w - prior|²`` and its gradient."""
            slope = -h.T @ np.asarray(martingale_residuals(h @ w, risk_sets=sets)) / events
            value = cox(h @ w) / events + np.sum(strength * (w - prior) ** 2)
            return value, slope + 2 * strength * (w - prior)

        found = minimize(
            loss, prior, jac=True, bounds=[(0, None)] * len(live), method="L-BFGS-B",
            options={"ftol": 1e-13, "gtol": 1e-7},
        )  # fmt: skip
        w = found.x
        left = np.max(np.where(w > 0, np.abs(found.jac), -found.jac), initial=0)
        stretch = minimize_scalar(
            lambda u: cox(np.exp(u) * (h @ w)) + (u / SPREAD) ** 2 / 2,
            bounds=(-2, 2), options={"xatol": 1e-9},
        )  # fmt: skip
    if not left <= _GRADIENT or not stretch.success:
        warnings.warn(
            f"the weights of the stack did not converge: a gradient of {left:.2g} is left, {found.message}; "
            "leave out a member whose risks are extreme",
            ConvergenceWarning,
            stacklevel=3,
        )
    return np.exp(stretch.x) * w


def stack(data: Prepared, members: Mapping[str, CrossFitted]) -> Stack:
    """Weights ``w >= 0`` that minimise, over the development rows that every member has held out,
    ``Cox(H w) per event + sum_j s_j (w_j - p_j)²``, with H ``[n, members]`` the held-out log hazards. Of the
    k Cox models p is 1/k and s is SHRINKAGE; of an ensemble of networks p is 0 and s is NETWORK_SHRINKAGE: it
    has to earn its weight, as the rows that it held out have stopped its training. Members that predict one
    risk for everybody, such as that of a modality without a usable feature, have weight 0 and do not count
    in k.

    Weights near 1/k average members that each know another part and should be added. So all are then
    multiplied by one factor f, of least ``Cox(f H w) + (log f / SPREAD)² / 2`` on the same rows, which
    changes calibration and Brier scores but no ranking.

    Stacked regression (Breiman 1996; van der Laan, Polley & Hubbard 2007), shrunk to the plain mean of
    log hazards. Nothing of it sees a test row.

    Args:
        data: the patients under some splits.
        members: name to cross-fitted model on the same splits.

    Raises:
        InputError: no member.

    Warns:
        ConvergenceWarning: weights that are not the minimum.
    """
    if not members:
        raise InputError("a stack needs at least one member")
    log_hazard, held_out = (
        np.stack([getattr(m, part) for m in members.values()], axis=-1).astype(np.float32)
        for part in ("log_hazard", "held_out")
    )
    weights, cox_models = [], np.array([isinstance(m, PenalisedCox) for m in members.values()])
    cox_models |= not cox_models.any()
    for s, (h, develop) in enumerate(zip(held_out, data.splits.develop, strict=True)):
        known = np.isfinite(h).all(axis=1)
        of_split = jax.tree.map(lambda a, s=s: a[s], data.fitted.risk_sets)
        h = np.where(known[:, None], h, 0)
        weights.append(_weights(h, of_split, develop & known, cox_models))
    w = np.stack(weights)
    total = (np.einsum("snk,sk->sn", h, w) for h in (log_hazard, held_out))
    return Stack(*total, w, tuple(members))  # type: ignore[arg-type]
