"""Minimiser of an l1-penalised quadratic: coordinate descent finds the signs, a linear solve the values."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import lax
from jax.scipy.linalg import cho_factor, cho_solve

from jaxsurv.types import Array

_SWEEPS = 3
_HALVINGS = 7
_CYCLES = 50


def violation(coef: Array, slope: Array, l1: Array, l2: Array) -> Array:
    """Violation ``[m]`` of ``0 in slope + l2 coef + l1 sign(coef)`` by each coefficient."""
    smooth = slope + l2 * coef
    at_zero = jnp.maximum(jnp.abs(smooth) - l1, 0)
    return jnp.where(coef != 0, jnp.abs(smooth + l1 * jnp.sign(coef)), at_zero)


class Quadratic(NamedTuple):
    """Function ``slope'd + d'Hd / 2 + sum(l1 |u| + l2 u^2 / 2)`` of u, with ``d = u - centre``.

    It is written in terms of d, which is small near a solution, so that float32 keeps its digits.

    Attributes:
        hessian: ``[m, m]``, H, with a positive diagonal.
        slope: ``[m]``, the derivative of the smooth part at ``centre``.
        centre: ``[m]``, the point at which ``slope`` is taken.
        l1, l2: ``[m]``, penalties >= 0.
        count: number of coordinates that `sweep` moves, the first ones.
    """

    hessian: Array
    slope: Array
    centre: Array
    l1: Array
    l2: Array
    count: Array

    def values(self, u: Array) -> Array:
        """Values ``[k]`` at the points ``u [k, m]``."""
        d = u - self.centre[None, :]
        smooth = d * (self.slope[None, :] + d @ self.hessian / 2) + self.l2[None, :] * u**2 / 2
        return jnp.sum(smooth + self.l1[None, :] * jnp.abs(u), 1)

    def slope_at(self, u: Array) -> Array:
        return self.slope + self.hessian @ (u - self.centre)

    def sweep(self, u: Array) -> Array:
        """Minimise over one coordinate after the other."""

        def update(j: Array, carry: tuple[Array, Array]) -> tuple[Array, Array]:
            u, slope = carry
            row = self.hessian[j]
            free = row[j] * u[j] - slope[j]
            moved = jnp.sign(free) * jnp.maximum(jnp.abs(free) - self.l1[j], 0)
            moved = moved / (row[j] + self.l2[j])
            return u.at[j].set(moved), slope + row * (moved - u[j])

        return lax.fori_loop(0, self.count, update, (u, self.slope_at(u)))[0]

    def given_signs(self, u: Array) -> Array:
        """Minimiser under the assumption that the signs and zeros of ``u`` are right."""
        on = (u != 0).astype(u.dtype)
        slope = self.slope_at(u) + self.l1 * jnp.sign(u) + self.l2 * u
        h = self.hessian * on[:, None] * on[None, :] + jnp.diag(jnp.where(u != 0, self.l2, 1))
        return u - cho_solve(cho_factor(h, lower=True), on * slope)


def minimise(quadratic: Quadratic, tolerance: Array) -> Array:
    """Minimiser ``[m]``: no `violation` is above ``tolerance``, or 50 cycles have passed.

    On correlated columns coordinate descent soon finds which coefficients are zero, but is slow to
    find the values of the others. So every few sweeps the linear system for the others is solved.
    The best of several step lengths towards its solution is taken; coefficients that would change
    their sign are set to zero.
    """

    def left(u: Array) -> Array:
        return jnp.max(violation(u, quadratic.slope_at(u), quadratic.l1, quadratic.l2))

    def jump(u: Array) -> Array:
        sizes = jnp.append(0.5 ** jnp.arange(_HALVINGS, dtype=u.dtype), 0)
        trials = u[None, :] + sizes[:, None] * (quadratic.given_signs(u) - u)[None, :]
        trials = jnp.where(trials * jnp.sign(u)[None, :] > 0, trials, 0)
        return trials[jnp.argmin(quadratic.values(trials))]

    def cycle(carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        u, _, count = carry
        u = lax.fori_loop(0, _SWEEPS, lambda _, u: quadratic.sweep(u), u)
        u = lax.cond(left(u) > tolerance, jump, lambda u: u, u)
        return u, left(u), count + 1

    def goes_on(carry: tuple[Array, Array, Array]) -> Array:
        return (carry[1] > tolerance) & (carry[2] < _CYCLES)

    start = quadratic.centre
    return lax.while_loop(goes_on, cycle, (start, left(start), jnp.zeros((), int)))[0]
