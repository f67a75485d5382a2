"""Fits at one point of the elastic-net path, on the host in NumPy; `coxnet_newton` is the traced twin.

Several outcomes of the same rows, such as those of the folds of a cross-validation, are fitted side by side:
the gradient of all of them is one product with x.
"""

from typing import Any, NamedTuple

import numpy as np

from jaxsurv.survival.host.breslow import HostBreslow
from jaxsurv.survival.host.quadratic import HostQuadratic, violation

_ROUNDS = 200
_SLOW = 0.3  # a model whose step leaves so much of the violation is renewed
_SOON = 0.9  # columns with so much of their threshold belong to the next model


class HostDesign(NamedTuple):
    """Covariates and outcomes of b fits.

    Attributes:
        x: ``[p, n]``, rows in the order of the risk sets.
        mean, scale: ``[b, p]``; a fit uses the columns as ``(x - mean) / scale``, never written out.
        outcome: b likelihoods.
    """

    x: Any
    mean: Any
    scale: Any
    outcome: HostBreslow

    def null(self) -> "HostPoint":
        """Point with coefficients 0."""
        fits, rows = self.outcome.log_weight.shape
        log_hazard = np.zeros((fits, rows))
        loss, residual = self.outcome.loss_and_residual(log_hazard)
        slope = self.dot(np.arange(fits), residual)
        return HostPoint(np.zeros(slope.shape), log_hazard, loss, slope, np.full(fits, np.inf))

    def dot(self, which: Any, residual: Any) -> Any:
        """Products ``[k, p]`` of the columns with ``residual [k, n]``, in the fits ``which [k]``."""
        centre = self.mean[which] * residual.sum(1, keepdims=True)
        return ((self.x @ residual.T).T - centre) / self.scale[which]

    def model(self, fit: int, columns: Any, log_hazard: Any, l2: Any) -> HostQuadratic:
        """Second-order model of one fit on some columns."""
        x = (self.x[columns] - self.mean[fit, columns, None]) / self.scale[fit, columns, None]
        hessian = self.outcome.only([fit]).hessian(x, log_hazard)
        return HostQuadratic(columns, x, hessian, l2[columns])


class HostPoint(NamedTuple):
    """Places of b fits on the path, moved by `solve`; see `coxnet_newton.Point`.

    Attributes:
        coef, slope: ``[b, p]``.
        log_hazard: ``[b, n]``.
        loss, kkt: ``[b]``.
    """

    coef: Any
    log_hazard: Any
    loss: Any
    slope: Any
    kkt: Any


class HostPenalty(NamedTuple):
    """Penalty ``sum(l1 |coef| + l2 coef^2 / 2)``; violations are divided by the scalar ``unit``."""

    l1: Any
    l2: Any
    unit: float

    def value(self, coef: Any) -> Any:
        return np.abs(coef) @ self.l1 + coef**2 @ self.l2 / 2


def solve(
    design: HostDesign,
    point: HostPoint,
    models: list[HostQuadratic],
    penalty: HostPenalty,
    tolerance: float,
) -> None:
    """Move ``point`` to the minimum of ``loss + penalty``.

    Each round takes a proximal Newton step in every fit that has not converged, from a second-order model on
    the columns that are not zero or may soon enter. A model serves as long as its steps remove most of the
    violation, often for several penalties.

    Args:
        design: columns and outcomes.
        point: starting point.
        models: last model of each fit, on any columns; replaced as needed.
        penalty: penalty of each column.
        tolerance: largest ``kkt`` of a converged fit; not reached where rounding hides the gain that
            is left, or after 200 rounds.
    """
    fits, most = len(point.loss), largest_model(*design.x.shape)
    l1, l2, unit = penalty.l1, penalty.l2, max(penalty.unit, np.finfo(float).tiny)
    busy, before = np.arange(fits), np.full(fits, np.inf)
    fresh, ended = np.zeros((2, fits), bool)
    for _ in range(_ROUNDS):
        smooth = point.slope[busy] + l2 * point.coef[busy]
        excess = violation(point.coef[busy], smooth, l1)
        kkt = excess.max(1, initial=0) / unit
        point.kkt[busy] = kkt
        late = ~(kkt <= tolerance) & ~(ended[busy] & (kkt > 0.5 * before[busy]))
        if not late.all():
            busy, smooth, excess, kkt = (a[late] for a in (busy, smooth, excess, kkt))
            if not busy.size:
                return
        coef, log_hazard = point.coef[busy], point.log_hazard[busy]
        target, change = coef.copy(), np.empty_like(log_hazard)
        for row, fit in enumerate(busy):
            model, needed = models[fit], (coef[row] != 0) | (excess[row] > 0)
            slow = not fresh[fit] and kkt[row] > _SLOW * before[fit]
            fresh[fit] = slow or not model.has(needed)
            if fresh[fit]:
                columns = np.flatnonzero(needed | (np.abs(smooth[row]) > _SOON * l1))
                if columns.size > most:  # take the worst violations now, the others next time
                    columns = np.sort(np.argsort(-excess[row])[:most])
                model = models[fit] = design.model(fit, columns, log_hazard[row], l2)
            at = model.columns
            enough = unit * max(0.1 * kkt[row], 0.25 * tolerance)
            target[row, at] = model.minimise(coef[row, at], smooth[row, at], l1[at], enough)
            change[row] = (target[row, at] - coef[row, at]) @ model.x
        outcome, here = design.outcome.only(busy), point.loss[busy] + penalty.value(coef)
        size = np.ones((busy.size, 1))
        while True:
            there = np.where(size == 1, target, coef + size * (target - coef))
            loss, residual = outcome.loss_and_residual(log_hazard + size * change)
            fall = here - loss - penalty.value(there)
            long = ~(fall >= -1e-9 * np.abs(here)) & (size[:, 0] > 0)
            if not long.any():
                break
            size[long] = np.where(size[long] > 1e-3, size[long] / 2, 0)
        point.coef[busy], point.log_hazard[busy] = there, log_hazard + size * change
        point.loss[busy], point.slope[busy] = loss, design.dot(busy, residual)
        before[busy] = kkt
        ended[busy] = fresh[busy] & (fall <= 4 * np.finfo(float).eps * np.abs(here))


def largest_model(p: int, n: int) -> int:
    """Largest number of columns of a model: a Hessian is no larger than x, or 1024 by 1024."""
    return min(p, max(1024, int((n * p) ** 0.5)))
