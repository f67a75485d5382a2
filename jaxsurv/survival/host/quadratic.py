"""Minimiser of an l1-penalised quadratic on the host; `coordinate_descent` is the traced twin."""

from collections.abc import Callable
from typing import Any

import numpy as np

_CYCLES = 200
_SIZES = 0.5 ** np.arange(7)


def violation(coef: Any, slope: Any, l1: Any) -> Any:
    """Violation of ``0 in slope + l1 sign(coef)`` by each coefficient; ``slope`` holds the l2 penalty."""
    at_zero = np.maximum(np.abs(slope) - l1, 0)
    return np.where(coef != 0, np.abs(slope + l1 * np.sign(coef)), at_zero)


class HostQuadratic:
    """Function ``slope'd + d'Hd / 2 + sum(l1 |u|)`` of u on some columns, with ``d = u - centre``.

    Attributes:
        columns: ``[m]``, ascending.
        x: ``[m, n]``, the columns.
        hessian: ``[m, m]``, H, with the l2 penalty.
    """

    def __init__(self, columns: Any, x: Any, hessian: Any, l2: Any) -> None:
        least = 1e-10 * np.diagonal(hessian).max(initial=0) + 1e-30
        hessian[np.diag_indices(len(hessian))] += l2 + least
        self.columns, self.x, self.hessian = columns, x, hessian
        self._free, self._at = np.zeros(len(hessian), bool), np.zeros(0, int)
        self._solve: Callable[[Any], Any] | None = None

    def has(self, needed: Any) -> bool:
        """Whether all ``needed [p]`` columns belong to the model."""
        return np.count_nonzero(needed) == np.count_nonzero(needed[self.columns])

    def solve(self, free: Any, y: Any) -> Any:
        """Solution ``[m]`` of ``H z = y`` on the ``free`` coordinates; z is 0 on the others."""
        z, h = np.zeros_like(y), self.hessian
        more = np.count_nonzero(free != self._free)
        if more > self._at.size // 16 or self._solve is None:
            self._free, self._at, more = free, np.flatnonzero(free), 0
            self._solve = _solver(h[np.ix_(self._at, self._at)])
        old = self._at
        if not more:
            z[old] = self._solve(y[old])
            return z
        # The system that was factored, bordered by those that enter, and by z = 0 for those that leave.
        enter, leave = np.flatnonzero(free & ~self._free), np.flatnonzero(self._free & ~free)
        border = np.zeros((old.size, more))
        border[:, : enter.size] = h[np.ix_(old, enter)]
        border[np.searchsorted(old, leave), np.arange(enter.size, more)] = 1
        right = np.where(free[old], y[old], 0)
        solved = self._solve(np.concatenate([border, right[:, None]], 1))
        corner = -border.T @ solved
        corner[: enter.size, : enter.size] += h[np.ix_(enter, enter)]
        corner[: enter.size, -1] += y[enter]
        beside = np.linalg.solve(corner[:, :-1], corner[:, -1])
        z[old] = solved[:, -1] - solved[:, :-1] @ beside
        z[leave], z[enter] = 0, beside[: enter.size]
        return z

    def minimise(self, centre: Any, slope: Any, l1: Any, enough: float) -> Any:
        """Minimiser ``[m]``: no violation is above ``enough``, rounding hides what is left, or 200 cycles.

        Each cycle solves for the coordinates that are not zero or are to move, and goes to the best of
        several points on the way, at which those that would change their sign are zero. Where none of the
        points is better, coordinates join one at a time, which always is, but for rounding.
        """
        u, careful = centre, False
        for _ in range(_CYCLES):
            excess = violation(u, slope, l1)
            if (left := excess.max(initial=0)) <= enough:
                break
            sign = np.sign(u)
            if excess.max(initial=0, where=u != 0) < (enough if careful else left):
                joins = (u == 0) & (excess >= (left if careful else 1e-300))
                sign = np.where(joins, -np.sign(slope), sign)
            uphill = np.where(sign != 0, slope + l1 * sign, 0)
            step = -self.solve(sign != 0, uphill)
            turned = (l1 > 0) & ((u + step) * sign < 0)
            zero_at = np.divide(-u, step, out=np.full(len(u), np.inf), where=turned)
            sizes = _SIZES[:1]
            if turned.any():
                sizes = np.append(_SIZES, zero_at[zero_at > 0].min(initial=1))
            steps = np.where(sizes[:, None] >= zero_at, -u, sizes[:, None] * step)
            pulls = steps @ self.hessian
            change = np.sum(steps * (uphill + pulls / 2), 1)  # no sign turns
            best = np.argmin(change)
            descends = change[best] < 0
            if descends:
                u, slope = u + steps[best], slope + pulls[best]
            elif careful:
                break
            careful = not descends
        return u


def _solver(h: Any) -> Callable[[Any], Any]:
    """Function that solves ``h z = y``; h is made positive definite where rounding spoils that."""
    from scipy.linalg.lapack import dpotrf, dpotrs

    extra = 0.0
    while len(h):
        factor, failed = dpotrf(h.T, lower=True, clean=False)
        if not failed:
            return lambda y: dpotrs(factor, y, lower=True)[0]
        extra = 10 * extra + 1e-10 * np.max(np.diagonal(h))
        h = h + np.eye(len(h)) * extra
    return lambda y: y
