"""Stacks: one risk from Cox models and, as one more member, an ensemble of networks."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import jax
import numpy as np
from scipy.optimize import minimize, minimize_scalar

from jaxsurv.data.tables import warn
from jaxsurv.models import CLINICAL
from jaxsurv.recipe.cox import (
    CrossFitted,
    PenalisedCox,
    block_ridge_cox,
    clinical_cox,
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

SHRINKAGE = 0.1  # of Cox models towards equal weights, of networks towards 0, per event
EARNED = 3.84  # likelihood ratio of held-out rows that a network has to reach, or its weight is 0
SPREAD = 0.3  # prior standard deviation of the log of how far a stack is stretched
LEAST = 0.01  # of a stack that finds nothing: next to nothing, and patients still have an order
_GRADIENT = 1e-4  # of the loss per event, at weights that have converged


class Stack(NamedTuple):
    """A weighted sum of Cox models on all splits.

    Attributes:
        log_hazard: ``[splits, n]``, weighted sum of the members that were fitted to all development rows.
        held_out: ``[splits, n]``, cross-fitted: development rows by the members that did not see the row.
        weights: ``[splits, members]``, >= 0.
        members: names of the members.
        found: ``[splits]``, likelihood ratio of the held-out rows, with the stack against without: twice the
            difference of their log partial likelihoods, at the best multiple of the stack. Where nothing can
            be found it is mostly below 1.
    """

    log_hazard: Array
    held_out: Array
    weights: np.ndarray
    members: tuple[str, ...]
    found: np.ndarray


# names of members, or of groups of them
NETWORK = "network"  # the ensemble's name as a member
MEMBERS = (
    NETWORK,
    "block ridge",
    "all modalities",
    "modalities",
    "clinical squares",
    "clinical RBF",
    "elastic net",
)
RECOMMENDED = MEMBERS[:3]


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
        fitted |= {
            m: clinical_cox(data) if m == CLINICAL else ridge_cox(data, [m])
            for m in data.encoded.columns
        }
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


class _HeldOut:
    """Log hazards ``[n, members]`` of one split's rows that members ``among`` all held out, and their partial
    likelihood.

    In float64: in float32 the rounding of the loss is as large as what a thousandth of a weight changes.
    """

    def __init__(
        self, held_out: np.ndarray, risk_sets: RiskSets, develop: np.ndarray, among: np.ndarray
    ) -> None:
        known = np.asarray(np.isfinite(held_out[:, among]).all(axis=1))
        rows = develop & known
        self.h = np.where(known[:, None] & among, held_out, 0).astype(float)
        self.live = among & (np.ptp(self.h[rows], axis=0) > 0)
        self.sets = in_precision(restrict(jax.tree.map(np.asarray, risk_sets), rows), np.float64)
        self.events = max(float(self.sets.total), 1.0)

    def cox(self, log_hazard: np.ndarray) -> float:
        loss = neg_log_partial_likelihood(log_hazard, risk_sets=self.sets, reduction="sum")
        return float(loss)

    def weights(self, cox_models: np.ndarray, *, network: bool) -> tuple[np.ndarray, str]:
        """``[members]``, of others than Cox models 0 without ``network``; and what is wrong, if anything."""
        expected = self.live & cox_models
        among = self.live if network else expected
        prior = expected / max(1, expected.sum())

        def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
            """``Cox(h w) per event + SHRINKAGE |w - prior|²`` and its gradient."""
            slope = -self.h.T @ np.asarray(martingale_residuals(self.h @ w, risk_sets=self.sets))
            value = self.cox(self.h @ w) / self.events + SHRINKAGE * np.sum((w - prior) ** 2)
            return value, slope / self.events + 2 * SHRINKAGE * (w - prior)

        bounds = [(0, None if inside else 0) for inside in among]
        options = {"ftol": 1e-13, "gtol": 1e-7}
        found = minimize(loss, prior, jac=True, bounds=bounds, method="L-BFGS-B", options=options)
        w = found.x
        steep = np.where(w > 0, np.abs(found.jac), -found.jac)
        left = np.max(steep[among], initial=0)
        wrong = f"a gradient of {left:.2g} is left, {found.message}" * (not left <= _GRADIENT)
        return w, wrong

    def stretch(self, log_hazard: np.ndarray) -> tuple[float, float]:
        """How far to multiply a stack, and the likelihood ratio of what it finds."""
        base = self.cox(np.zeros(len(log_hazard)))

        def calibration(u: float) -> float:
            return self.cox(np.exp(u) * log_hazard) + (u / SPREAD) ** 2 / 2

        exact = {"xatol": 1e-9}
        calibrated = minimize_scalar(calibration, bounds=(-2, 2), options=exact)
        free = minimize_scalar(lambda f: self.cox(f * log_hazard), bounds=(0, 10), options=exact)
        ratio = max(0.0, 2 * (base - free.fun))  # type: ignore[union-attr]
        shrunk = max(LEAST, 1 - 1 / ratio) if ratio > 0 else LEAST
        return float(np.exp(calibrated.x) * shrunk), ratio  # type: ignore[union-attr]


def _weights(
    held_out: np.ndarray, risk_sets: RiskSets, develop: np.ndarray, cox_models: np.ndarray
) -> tuple[np.ndarray, float]:
    """Weights ``[members]`` of one split, and the likelihood ratio of the stack.

    Args:
        held_out: ``[n, members]``, NaN where a member has seen the row.
        risk_sets: of the split.
        develop: ``[n]`` booleans.
        cox_models: ``[members]`` booleans, Cox models among the members.
    """
    with jax.enable_x64(True):  # for cohorts too large for the host
        known = _HeldOut(held_out, risk_sets, develop, np.ones_like(cox_models))
        w, wrong = known.weights(cox_models, network=True)
        if not cox_models.all():
            without, _ = known.weights(cox_models, network=False)
            gain = 2 * (known.cox(known.h @ without) - known.cox(known.h @ w))
            if gain <= EARNED:  # Cox models hold out more rows, where seeds are few
                known = _HeldOut(held_out, risk_sets, develop, cox_models)
                w, wrong = known.weights(cox_models, network=False)
        factor, found = known.stretch(known.h @ w)
    if wrong:
        warn(
            f"the weights of the stack did not converge: {wrong}; leave out a member whose risks are extreme",
            ConvergenceWarning,
        )
    return factor * w, found


def stack(data: Prepared, members: Mapping[str, CrossFitted]) -> Stack:
    """Weights ``w >= 0`` that minimise, over the development rows that every member has held out,
    ``Cox(H w) per event + SHRINKAGE |w - p|²``, with H ``[n, members]`` the held-out log hazards, and p 1/k
    of each of k Cox models. Members that predict one risk for everybody, such as that of a
    modality without a usable feature, have weight 0 and do not count in k.

    An ensemble of networks has to earn its weight, as the rows that it held out have stopped its training:
    its p is 0, and unless it raises the log partial likelihood of these rows by EARNED / 2, its weight is 0.

    All weights are then multiplied by one factor: f, of least ``Cox(f H w) + (log f / SPREAD)² / 2`` on the
    same rows, times ``1 - 1 / L``, the shrinkage of van Houwelingen & le Cessie (1990), with L the likelihood
    ratio ``found``; at least LEAST. It changes calibration and Brier scores and no ranking; where nothing can
    be found the weights are next to 0.

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
    fitted, cox_models = [], np.array([isinstance(m, PenalisedCox) for m in members.values()])
    cox_models |= not cox_models.any()
    for s, (h, develop) in enumerate(zip(held_out, data.splits.develop, strict=True)):
        of_split = jax.tree.map(lambda a, s=s: a[s], data.fitted.risk_sets)
        fitted.append(_weights(h, of_split, develop, cox_models))
    w, found = map(np.stack, zip(*fitted, strict=True))
    total = (np.einsum("snk,sk->sn", h, w) for h in (log_hazard, held_out))
    return Stack(*total, w, tuple(members), found)  # type: ignore[arg-type]
