"""Newton's method for the (penalised) Cox partial likelihood, and its implicit derivative."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.scipy.linalg import cho_factor, cho_solve

from jaxsurv.survival.cox_moments import CoxMoments, log_likelihood, moments
from jaxsurv.survival.risk_sets import RiskSets
from jaxsurv.survival.summed_loss import Ties
from jaxsurv.types import Array

MAX_STEPS = 50
LEAST_STEP = 0.5**20


class _Newton(NamedTuple):
    """State of the search."""

    coef: Array
    now: CoxMoments
    steps: Array
    settled: Array


def maximise(
    z: Array, rs: RiskSets, penalty: Array, null: CoxMoments, ties: Ties
) -> tuple[Array, Array, Array]:
    """Maximise ``loglik(z b) - sum(penalty b^2) / 2`` by Newton steps, halved where that is better.

    The steps end when the expected gain is within rounding; the last one is still taken. Derivatives of
    the coefficients are those of the root of the score (implicit differentiation).

    Args:
        z: ``[n, q]``, centred columns of moderate size, in the order of ``rs``.
        rs: risk sets.
        penalty: ``[q]``.
        null: moments at b = 0.
        ties: treatment of tied events, ``"efron"``, ``"breslow"`` or ``"exact"``.

    Returns:
        Coefficients ``[q]``, the number of steps, and whether the last one was negligible.
    """
    tolerance = 1e-12 if z.dtype == jnp.float64 else 1e-7

    one = rs.total / jnp.maximum(
        jnp.sum(rs.event_weight > 0), 1
    )  # an event, in the unit of the weights

    def value(coef: Array) -> Array:
        return log_likelihood(coef, z, rs, ties) - jnp.sum(penalty * coef**2) / 2

    def advance(s: _Newton) -> _Newton:
        now = s.now
        here = now.log_likelihood - jnp.sum(penalty * s.coef**2) / 2
        score = now.score - penalty * s.coef
        step = solve_information(now.information, penalty, score, null.information)
        slack = tolerance * (one + jnp.abs(here))

        def along(size: Array) -> Array:
            reached = value(s.coef + size * step)
            return jnp.where(reached >= here - slack, reached, -jnp.inf)

        # Halve the step while that is better: far from the maximum a full step falls or overshoots.
        def is_long(trial: tuple[Array, Array, Array]) -> Array:
            size, reached, by_half = trial
            worse = ~(reached + slack >= by_half) | (reached == -jnp.inf)
            return worse & (size > LEAST_STEP)  # an end also for NaN

        def halve(trial: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
            size, _, by_half = trial
            return size / 2, by_half, along(size / 4)

        # Start at a step of 4 with an unknown value, so that only the loop evaluates the likelihood.
        unknown = jnp.full_like(here, -jnp.inf)
        size = lax.while_loop(is_long, halve, (4 * jnp.ones_like(here), unknown, unknown))[0]
        settled = score @ step <= 2 * slack
        size = jnp.where(settled, 1, size)  # there rounding hides which size is better
        coef = s.coef + size * step
        there = lax.cond(settled, lambda _: now, lambda b: moments(b, z, rs, ties), coef)
        return _Newton(coef, there, s.steps + 1, settled)

    def climb(_: Any, start: Array) -> tuple[Array, Any]:
        first = _Newton(start, null, jnp.zeros((), jnp.int32), jnp.zeros((), bool))
        end = lax.while_loop(lambda s: ~s.settled & (s.steps < MAX_STEPS), advance, first)
        return end.coef, (
            end.steps.astype(z.dtype),
            end.settled.astype(z.dtype),
        )  # aux must be real

    def solve_linear(product: Any, y: Array) -> Array:
        """Solve ``product(v) = y``, where the product is that with minus the penalised information."""
        information = -jax.jacfwd(product)(jnp.zeros_like(y))
        return -solve_information(information, 0 * penalty, y, null.information)

    start = jnp.zeros(z.shape[1], z.dtype)
    coef, (steps, settled) = lax.custom_root(
        jax.grad(value), start, climb, solve_linear, has_aux=True
    )
    return coef, steps.astype(int), settled > 0


def solve_information(information: Array, penalty: Array, score: Array, at_zero: Array) -> Array:
    """Multiply by the inverse of the penalised information; finite in directions without information.

    Information is absent if it is negligible beside that at zero: where a covariate separates the
    events, it vanishes as the coefficient grows, and the inverse would be a step to infinity.
    """
    epsilon, least = jnp.finfo(score.dtype).eps, jnp.finfo(score.dtype).tiny
    tiny = 64 * epsilon * jnp.max(jnp.diagonal(at_zero), initial=0) + least
    factor = cho_factor(information + jnp.diag(penalty + tiny), lower=True)
    return cho_solve(factor, score)
