"""Elastic-net paths on the host, in float64: eager calls compile nothing; `_coxnet_path` is for ``jit``."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxsurv.survival._coxnet_path import LEAST_L1_RATIO, NEVER, CoxnetPath, PathRows, Penalties
from jaxsurv.survival.breslow import saturated_loss
from jaxsurv.survival.host.blas import one_blas_thread
from jaxsurv.survival.host.breslow import HostBreslow
from jaxsurv.survival.host.cox import HostCox
from jaxsurv.survival.host.coxnet import HostDesign, HostPenalty, HostPoint, solve
from jaxsurv.survival.host.quadratic import HostQuadratic
from jaxsurv.survival.risk_sets import RiskSets


def host_paths(
    rows: PathRows,
    cox: HostCox,
    outcomes: Sequence[RiskSets],
    penalties: Penalties,
    standardize: bool,
) -> tuple[CoxnetPath, Any]:
    """Paths of b outcomes with common lambdas, and log hazards ``[b, n_lambdas, n]`` of all rows.

    All BLAS work is done in one thread: beside other work on the cores the threads wait for each other most
    of the time.

    Args:
        rows: covariates, and the outcome whose gradient says where the path starts.
        cox: likelihood of that outcome.
        outcomes: that outcome first, then others of the same rows.
        penalties: arguments of `coxnet_path`.
        standardize: see `coxnet_path`.
    """
    outcome = HostBreslow.of(cox, outcomes)
    with one_blas_thread():
        design = _design(rows, outcome, standardize)
        lambdas, null, points = _walk(design, penalties)
    coef, log_hazard, loss, kkt = (np.stack(a, 1) for a in zip(*points, strict=True))
    saturated = np.array([saturated_loss(o) for o in outcomes]) / outcome.total[:, 0]
    explained = (null.loss[:, None] - loss) / (null.loss - saturated)[:, None]
    coef /= design.scale[:1, None] * rows.spread
    return CoxnetPath(lambdas, coef, explained, kkt), log_hazard


def _design(rows: PathRows, outcome: HostBreslow, standardize: bool) -> HostDesign:
    weight = (np.exp(outcome.log_weight) / outcome.total).T
    mean = rows.x @ weight
    scale = np.broadcast_to(1 / rows.spread[:, None], mean.shape)
    if standardize:
        blocks = np.array_split(rows.x, 1 + len(rows.x) // 1024)  # no second copy is ever whole
        scale = np.sqrt(np.maximum(np.concatenate([x**2 @ weight for x in blocks]) - mean**2, 0))
        scale = np.where(scale > 1e-6, scale, 1)  # a constant column stays at zero
    return HostDesign(rows.x, mean.T, scale.T, outcome)


def _walk(design: HostDesign, penalties: Penalties) -> tuple[Any, HostPoint, list[Any]]:
    """Lambdas, the null point, and coefficients, log hazards, losses and violations at each lambda."""
    given, l1_ratio, least, tolerance, factor = (np.asarray(a, float) for a in penalties)
    unit_ratio = max(l1_ratio, LEAST_L1_RATIO)
    null, point = design.null(), design.null()
    nothing = np.zeros(0, int), design.x[:0], np.zeros((0, 0)), factor[:0]
    models = [HostQuadratic(*nothing) for _ in null.loss]

    def steepest() -> float:
        penalised = factor > 0
        return np.max(np.abs(point.slope[0, penalised]) / factor[penalised])

    if not factor.all():  # the path starts at the fit of the columns without a penalty
        never = HostPenalty(np.where(factor > 0, NEVER, 0), np.zeros(factor.size), steepest())
        solve(design, point, models, never, tolerance)
    place = np.arange(given.size) / max(given.size - 1, 1)
    lambdas = np.where(np.isnan(given), steepest() / unit_ratio * least**place, given)
    points = []
    for now in lambdas:
        penalty = HostPenalty(
            now * l1_ratio * factor, now * (1 - l1_ratio) * factor, now * unit_ratio
        )
        solve(design, point, models, penalty, tolerance)
        points.append([a.copy() for a in (point.coef[:1], point.log_hazard, point.loss, point.kkt)])
    return lambdas, null, points
