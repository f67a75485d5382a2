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

    def likelihood(coef: Array) -> Array:
        log_hazard = jnp.dot(x, coef, precision=lax.Precision.HIGHEST)
        return neg_log_partial_likelihood(
            log_hazard, risk_sets=risk_sets, ties=ties, reduction="sum"
        )

    def loss(coef: Array) -> Array:
        return likelihood(coef) + 0.5 * l2 * jnp.sum(coef**2)

    def state(coef: Array, step: Array, moving: Array) -> _State:
        value, gradient = jax.value_and_grad(loss)(coef)
        information = jax.jacfwd(jax.grad(loss))(coef)
        # a direction without information must not stop the others: a jitter far below any curvature
        jitter = jnp.finfo(x.dtype).eps * jnp.maximum(jnp.max(jnp.diagonal(information)), 1e-30)
        factor, _ = cho_factor(information + jitter * jnp.eye(p, dtype=x.dtype), lower=True)
        return _State(coef, value, gradient, factor, step, moving)

    def advance(s: _State) -> _State:
        direction = cho_solve((s.factor, True), s.gradient)
        tolerance = 10 * jnp.finfo(x.dtype).eps * jnp.abs(s.loss)

        def worse(c):
            scale, value = c
            return ~(value <= s.loss + tolerance) & (scale > 0.5**_HALVINGS)

        def halve(c):
            return c[0] / 2, loss(s.coef - c[0] / 2 * direction)

        one = jnp.ones((), x.dtype)
        scale, value = lax.while_loop(worse, halve, (one, loss(s.coef - direction)))
        better = value < s.loss - tolerance
        accepted = value <= s.loss + tolerance
        coef = jnp.where(accepted, s.coef - scale * direction, s.coef)
        return state(coef, s.step + 1, better)

    start = state(jnp.zeros(p, x.dtype), jnp.int32(0), jnp.array(True))
    end = lax.while_loop(lambda s: s.moving & (s.step < _STEPS), advance, start)
    return CoxFit(
        coef=end.coef,
        covariance=cho_solve((end.factor, True), jnp.eye(p, dtype=x.dtype)),
        log_likelihood=-likelihood(end.coef),
        log_likelihood_null=-likelihood(jnp.zeros_like(end.coef)),
        gradient=jnp.max(jnp.abs(end.gradient), initial=0.0),
        steps=end.step,
    )
