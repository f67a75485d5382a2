"""The linear Cox model, with an optional ridge penalty."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.scipy.linalg import cho_factor, cho_solve

from jaxsurv.survival.partial_likelihood import Ties, neg_log_partial_likelihood
from jaxsurv.survival.risk_sets import RiskSets, prepare_risk_sets
from jaxsurv.survival.validation import check_finite
from jaxsurv.types import Array, ArrayLike, InputError

_STEPS = 30
_HALVINGS = 10


class CoxFit(NamedTuple):
    """A fitted linear Cox model.

    Attributes:
        coef: ``[p]``, log hazard ratio per unit of each column.
        covariance: ``[p, p]``, the inverse of the (penalised) information.
        log_likelihood: partial log-likelihood at ``coef``, without the penalty.
        log_likelihood_null: at zero.
        gradient: largest absolute component of the penalised gradient at ``coef``.
        steps: Newton steps taken.
    """

    coef: Array
    covariance: Array
    log_likelihood: Array
    log_likelihood_null: Array
    gradient: Array
    steps: Array


class _State(NamedTuple):
    coef: Array
    loss: Array
    loss_null: Array
    gradient: Array
    factor: Array
    step: Array
    moving: Array


def cox_fit(
    x: ArrayLike,
    event: ArrayLike | None = None,
    time: ArrayLike | None = None,
    *,
    ties: Ties = "efron",
    entry: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    where: ArrayLike | None = None,
    l2: Array | float = 0.0,
    risk_sets: RiskSets | None = None,
) -> CoxFit:
    """Minimise ``-loglik(x b) + l2/2 |b|²`` by Newton's method with step-halving.

    Works under ``jit`` and ``vmap``, over masks (``risk_sets`` from `restrict`) and over ``l2``.

    Args:
        x: ``[n, p]``, finite in all rows.
        event: ``[n]``, 1 = observed, 0 = censored.
        time: ``[n]``.
        ties, entry, strata, weights, where: see `neg_log_partial_likelihood`.
        l2: ridge penalty on the scale of the *summed* log-likelihood, as R's ``ridge()``;
            lifelines and glmnet divide the likelihood by n first.
        risk_sets: instead of the outcome.

    Raises:
        InputError: x is not ``[n, p]`` or not finite, or a malformed outcome.
    """
    if jnp.ndim(x) != 2:
        raise InputError(f"x must have shape [n, p], got {list(jnp.shape(x))}")
    check_finite("x", x)
    if risk_sets is None:
        if event is None or time is None:
            raise InputError("give event and time, or risk_sets")
        risk_sets = prepare_risk_sets(
            event, time, entry=entry, strata=strata, weights=weights, where=where
        )
    x = jnp.asarray(x)
    x = x.astype(jnp.promote_types(x.dtype, jnp.float32))
    return _newton(x, risk_sets, jnp.asarray(l2, x.dtype), ties)


@partial(jax.jit, static_argnames="ties")
def _newton(x: Array, risk_sets: RiskSets, l2: Array, ties: Ties) -> CoxFit:
    p = x.shape[1]

    def loss(coef: Array) -> Array:
        log_hazard = jnp.dot(x, coef, precision=lax.Precision.HIGHEST)
        minus_log_likelihood = neg_log_partial_likelihood(
            log_hazard, risk_sets=risk_sets, ties=ties, reduction="sum"
        )
        return minus_log_likelihood + 0.5 * l2 * jnp.sum(coef**2)

    def information(coef: Array) -> tuple[Array, tuple[Array, Array]]:
        # forward over reverse: the Hessian with value and gradient from the same pass
        value, gradient = jax.value_and_grad(loss)(coef)
        return gradient, (value, gradient)

    def advance(s: _State) -> _State:
        hessian, (value, gradient) = jax.jacfwd(information, has_aux=True)(s.coef)
        # a direction without information must not stop the others: a jitter far below any curvature
        jitter = epsilon * jnp.maximum(jnp.max(jnp.diagonal(hessian)), 1e-30)
        factor, _ = cho_factor(hessian + jitter * jnp.eye(p, dtype=x.dtype), lower=True)
        direction = cho_solve((factor, True), gradient)
        gain = jnp.vdot(gradient, direction)  # twice what the quadratic model promises
        rounding = 10 * epsilon * jnp.abs(value)

        def halve(c):
            scale, _ = c
            return scale / 2, loss(s.coef - scale / 2 * direction)

        def too_far(c):
            scale, reached = c
            return ~(reached <= value + rounding) & (scale > 0.5**_HALVINGS)

        start = (jnp.full_like(value, 2.0), jnp.full_like(value, jnp.inf))
        scale, reached = lax.while_loop(too_far, halve, start)
        accepted = reached <= value + rounding
        return _State(
            coef=jnp.where(accepted, s.coef - scale * direction, s.coef),
            loss=value,
            loss_null=jnp.where(s.step == 0, value, s.loss_null),
            gradient=gradient,
            factor=factor,
            step=s.step + 1,
            moving=accepted & (gain > epsilon**1.25 * jnp.abs(value)),
        )

    epsilon = jnp.finfo(x.dtype).eps
    zero, none = jnp.zeros((), x.dtype), jnp.zeros(p, x.dtype)
    start = _State(none, zero, zero, none, jnp.eye(p, dtype=x.dtype), jnp.int32(0), jnp.array(True))
    end = lax.while_loop(lambda s: s.moving & (s.step < _STEPS), advance, start)
    return CoxFit(
        coef=end.coef,
        covariance=cho_solve((end.factor, True), jnp.eye(p, dtype=x.dtype)),
        log_likelihood=0.5 * l2 * jnp.sum(end.coef**2) - end.loss,
        log_likelihood_null=-end.loss_null,
        gradient=jnp.max(jnp.abs(end.gradient), initial=0.0),
        steps=end.step,
    )
