"""Losses of an outcome as functions of the coefficients of latent variables."""

from collections.abc import Callable

import jax.numpy as jnp

from jaxsurv.arguments.reading import read_arguments
from jaxsurv.factors.decompositions import eigh
from jaxsurv.factors.group_lasso import Loss, LossOn
from jaxsurv.survival import RiskSets, restrict
from jaxsurv.survival.cox_moments import moments
from jaxsurv.survival.risk_sets import to_positions
from jaxsurv.types import Array


@read_arguments
def squared_error(scores: Array, outcome: Array, error: Array | None = None) -> LossOn:
    """Half the squared error, for scores with an error of known covariance::

        1/2 sum_i (y_i - mean y - coef'(s_i - mean s))² - n/2 coef' E coef

    Least-squares scores are z plus an error, which draws the coefficients towards zero. The last term
    corrects this (bias-corrected least squares, with its matrix made positive). Posterior means need no
    such term, since ``E[y | x] = coef' E[z | x]``, and predict better where loadings are estimated from
    few patients.

    Args:
        scores: ``[n, R]``, result of :func:`posterior_mean`, or of :func:`least_squares_scores` with
            ``error``.
        outcome: ``[n]``.
        error: ``[R, R]``, E = noise (W'W)^-1, or None = no error.
    """

    def on(where: Array) -> Callable[[Array], Loss]:
        rows = where.astype(scores.dtype)[:, None]
        n = jnp.maximum(jnp.sum(rows), 1)
        s = rows * (scores - (jnp.sum(rows * scores, 0) / n)[None])
        y = rows[:, 0] * (outcome - jnp.sum(rows[:, 0] * outcome) / n)
        a, b, c = s.T @ s, s.T @ y, jnp.sum(y**2)
        if error is not None:
            values, vectors = eigh(a - n * error)
            a = (vectors * jnp.maximum(values, 1e-3 * n)[None]) @ vectors.T

        def loss(coef: Array) -> Loss:
            return Loss(0.5 * (c + coef @ a @ coef) - b @ coef, a @ coef - b, a, n)

        return loss

    return on


@read_arguments
def cox(scores: Array, risk_sets: RiskSets) -> LossOn:
    """Negative log partial likelihood (Efron's ties) of ``scores @ coef``.

    Errors of the scores are not corrected. The error of least-squares scores draws the coefficients
    towards zero; the error of posterior means hardly does.

    Args:
        scores: ``[n, R]``.
        risk_sets: risk sets of the same patients, see :func:`jaxsurv.survival.prepare_risk_sets`.
    """
    x = to_positions(risk_sets, jnp.asarray(scores))
    x = x - jnp.mean(x, axis=0, keepdims=True)

    def on(where: Array) -> Callable[[Array], Loss]:
        sets = restrict(risk_sets, where)

        def loss(coef: Array) -> Loss:
            found = moments(coef, x, sets, "efron")
            return Loss(-found.log_likelihood, -found.score, found.information, sets.total)

        return loss

    return on
