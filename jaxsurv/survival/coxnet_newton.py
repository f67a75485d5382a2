"""Fit at one point of the elastic-net path: proximal Newton steps on a working set of columns."""

from functools import partial
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import lax

from jaxsurv.survival.breslow import Breslow
from jaxsurv.survival.coordinate_descent import Quadratic, minimise, violation
from jaxsurv.types import Array

_STEPS = 8
_ROUNDS = 200


class Design(NamedTuple):
    """Covariates and outcome of one fit.

    Attributes:
        x: ``[p, n]``, rows in the order of the risk sets.
        mean, scale: ``[p]``; the columns are used as ``(x - mean) / scale``, never written out.
        outcome: likelihood of the outcome.
    """

    x: Array
    mean: Array
    scale: Array
    outcome: Breslow

    def times(self, coef: Array) -> Array:
        """Linear predictor ``[n]``, up to a constant."""
        return ((coef / self.scale) @ self.x).astype(jnp.result_type(float))

    def dot(self, residual: Array) -> Array:
        """Products ``[p]`` of the columns with ``residual [n]``."""
        residual = residual.astype(self.x.dtype)
        return (self.x @ residual - self.mean * jnp.sum(residual)) / self.scale


class Point(NamedTuple):
    """A place on the path.

    Attributes:
        coef: ``[p]``, coefficients of the standardised columns.
        log_hazard: ``[n]``, linear predictor up to a constant.
        loss: negative Breslow log partial likelihood over the sum of the weights.
        slope: ``[p]``, gradient of ``loss`` with respect to ``coef``.
        kkt: largest violation of the optimality conditions, relative to the penalty.
    """

    coef: Array
    log_hazard: Array
    loss: Array
    slope: Array
    kkt: Array


def point_at(coef: Array, design: Design) -> Point:
    """Point with the given coefficients; ``kkt`` is not computed and infinite."""
    log_hazard = design.times(coef)
    loss, residual = design.outcome.loss_and_residual(log_hazard)
    return Point(coef, log_hazard, loss, design.dot(residual), jnp.full((), jnp.inf, coef.dtype))


class Penalty(NamedTuple):
    """Penalty ``sum(l1 |coef| + l2 coef^2 / 2)``; violations are divided by the scalar ``unit``."""

    l1: Array
    l2: Array
    unit: Array

    def value(self, coef: Array) -> Array:
        return jnp.sum(self.l1 * jnp.abs(coef) + self.l2 * coef**2 / 2)

    def violation(self, coef: Array, slope: Array) -> Array:
        return violation(coef, slope, self.l1, self.l2) / self.unit


def working_set_sizes(p: int, n: int) -> list[int]:
    """Sizes of the working set for which a program is compiled, in ascending order.

    The largest Hessian is no larger than x, or 1024 by 1024.
    """
    sizes = [min(p, max(1024, int((n * p) ** 0.5)))]
    while sizes[0] > 128:
        sizes.insert(0, int(sizes[0] / 1.6))
    return sizes


def solve(
    design: Design, start: Point, working: Array, penalty: Penalty, tolerance: Array
) -> Point:
    """Minimise ``loss + penalty``.

    Each round computes one Hessian, on the columns of the working set, and uses it for several
    proximal Newton steps. Then the gradient of all columns, the *only* pass over x, shows which
    columns were missing.

    Args:
        design: columns and outcome.
        start: starting point.
        working: ``[p]`` booleans, initial working set.
        penalty: penalty of each column.
        tolerance: largest ``kkt`` of a converged fit; not reached where rounding hides the gain that
            is left, or after 200 rounds.
    """
    sizes = working_set_sizes(*design.x.shape)

    def next_round(carry: tuple[Point, Array, Array, Array]) -> tuple[Point, Array, Array, Array]:
        point, working, _, count = carry
        excess = penalty.violation(point.coef, point.slope)
        # If the largest program is too small, take the worst violations now, the others next time.
        ranked = jnp.where(working, excess, -1)
        chosen = lax.cond(
            jnp.sum(working) <= sizes[-1],
            lambda _: working,
            lambda e: jnp.zeros_like(working).at[lax.top_k(e, sizes[-1])[1]].set(True),
            ranked,
        )
        which = jnp.searchsorted(jnp.asarray(sizes), jnp.sum(chosen))
        branches = [partial(_newton, m, design, penalty, tolerance) for m in sizes]
        coef, log_hazard = lax.switch(which, branches, point, chosen)
        loss, residual = design.outcome.loss_and_residual(log_hazard)
        slope = design.dot(residual)
        excess = penalty.violation(coef, slope)
        missed = excess > tolerance / 2
        # Continue while the loss falls by more than rounding, or columns are missing.
        fall = point.loss + penalty.value(point.coef) - loss - penalty.value(coef)
        moves = (fall > 4 * jnp.finfo(loss.dtype).eps * loss) | jnp.any(missed & ~working)
        point = Point(coef, log_hazard, loss, slope, jnp.max(excess, initial=0))
        return point, working | missed, moves, count + 1

    def goes_on(carry: tuple[Point, Array, Array, Array]) -> Array:
        point, _, moves, count = carry
        return ~(point.kkt <= tolerance) & moves & (count < _ROUNDS)

    start = start._replace(kkt=jnp.full_like(start.kkt, jnp.inf))
    carry = start, working, jnp.asarray(True), jnp.zeros((), int)
    return lax.while_loop(goes_on, next_round, carry)[0]


def _newton(
    m: int, design: Design, penalty: Penalty, tolerance: Array, point: Point, chosen: Array
) -> tuple[Array, Array]:
    """Coefficients and log hazards after Newton steps on at most m columns with one Hessian."""
    (index,) = jnp.nonzero(chosen, size=m, fill_value=chosen.size)

    def get(v: Array, fill: float) -> Array:
        return v.at[index].get(mode="fill", fill_value=fill)

    x = get(design.x, 0) - get(design.mean, 0)[:, None]
    x = x / get(design.scale, 1)[:, None]
    penalty = Penalty(get(penalty.l1, 0), get(penalty.l2, 1), penalty.unit)
    hessian = x @ design.outcome.times_curvature(x, point.log_hazard).T.astype(x.dtype)
    hessian = hessian + jnp.eye(m, dtype=x.dtype) * (1e-6 * jnp.max(jnp.diagonal(hessian)) + 1e-30)
    count = jnp.sum(index < chosen.size)

    def step(carry: Any) -> Any:
        coef, log_hazard, loss, slope, kkt, _, steps = carry
        enough = penalty.unit * jnp.maximum(0.1 * kkt, 0.25 * tolerance)
        model = Quadratic(hessian, slope, coef, penalty.l1, penalty.l2, count)
        target = minimise(model, enough.astype(x.dtype))
        change = (target - coef) @ x
        here = loss + penalty.value(coef)

        def is_long(trial: Any) -> Array:
            size, there = trial[:2]
            there = there + penalty.value(coef + size * (target - coef))
            return ~(there <= here + 1e-6 * jnp.abs(here)) & (size > 0)

        def halve(trial: Any) -> Any:
            size = jnp.where(trial[0] > 1e-3, trial[0] / 2, 0).astype(x.dtype)
            return size, *design.outcome.loss_and_residual(log_hazard + size * change)

        whole = jnp.full((), 2, x.dtype), jnp.full_like(loss, jnp.inf), log_hazard
        size, loss, residual = lax.while_loop(is_long, halve, whole)
        coef = jnp.where(size == 1, target, coef + size * (target - coef))
        slope = x @ residual.astype(x.dtype)
        now = jnp.max(penalty.violation(coef, slope))
        return coef, log_hazard + size * change, loss, slope, now, kkt, steps + 1

    def goes_on(carry: Any) -> Array:
        kkt, before, steps = carry[-3:]
        return (kkt > tolerance / 2) & (kkt < 0.5 * before) & (steps < _STEPS)

    coef, slope = get(point.coef, 0), get(point.slope, 0)
    kkt = jnp.max(penalty.violation(coef, slope))
    carry = coef, point.log_hazard, point.loss, slope, kkt, jnp.inf + kkt, jnp.zeros((), int)
    coef, log_hazard = lax.while_loop(goes_on, step, carry)[:2]
    return point.coef.at[index].set(coef, mode="drop"), log_hazard
