"""Linear Cox model by Newton's method, with an optional ridge penalty."""

import warnings
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, Unpack

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy.linalg import cho_factor, cho_solve, solve_triangular
from jax.scipy.special import gammaincc

from jaxsurv.arguments.columns import check_finite
from jaxsurv.arguments.labels import dense
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival.baseline import StepFunction, breslow_baseline
from jaxsurv.survival.cox_moments import CoxMoments, log_likelihood, moments, score_residuals
from jaxsurv.survival.life_table import segment_sum
from jaxsurv.survival.risk_sets import RiskSets, given_risk_sets, in_precision, to_positions
from jaxsurv.survival.row_columns import Columns, columns_shown
from jaxsurv.survival.summed_loss import Ties
from jaxsurv.survival.validation import as_real, check_events, check_vectors, is_concrete
from jaxsurv.types import Array, ArrayLike, InputError

_MAX_STEPS = 50
_LEAST_STEP = 0.5**20
_COLLINEAR = (
    "columns of x determine each other, or do not vary among those at risk: {}. "
    "Their coefficients are the smallest of many equivalent ones; drop some, or give l2 > 0"
)
_MONOTONE = (
    "the likelihood still rises as these coefficients grow: {}. A covariate separates "
    "the events from the others at risk; the coefficients may be infinite, give l2 > 0"
)


class MonotoneLikelihoodWarning(UserWarning):
    """The likelihood has no maximum: a coefficient goes to infinity."""


class CollinearityWarning(UserWarning):
    """Columns of x determine each other: their coefficients are not identified."""


class ChiSquareTest(NamedTuple):
    """Chi-square statistic, its degrees of freedom, and its p-value."""

    statistic: Array
    degrees_of_freedom: Array
    p_value: Array


class CoxFit(NamedTuple):
    """A fitted linear Cox model.

    Attributes:
        coef: ``[p]``, log hazard ratio per unit of each column.
        covariance: ``[p, p]``, inverse of the (penalised) information.
        robust_covariance: ``[p, p]``, the sandwich of Lin & Wei (1989), by cluster; NaN for exact
            ties.
        log_likelihood: log likelihood at ``coef``, without the penalty.
        log_likelihood_null: log likelihood at zero.
        likelihood_ratio: test of all coefficients being zero; like the next two, it ignores the
            penalty.
        wald: test from ``coef`` and ``covariance``.
        score: test from the derivatives at zero.
        baseline: cumulative hazard at ``x = 0``; Breslow's under exact ties.
        steps: Newton steps taken.
        converged: True if the last step was negligible.
    """

    coef: Array
    covariance: Array
    robust_covariance: Array
    log_likelihood: Array
    log_likelihood_null: Array
    likelihood_ratio: ChiSquareTest
    wald: ChiSquareTest
    score: ChiSquareTest
    baseline: StepFunction
    steps: Array
    converged: Array


@read_arguments
@columns_shown
def cox_fit(
    x: ArrayLike,
    event: ArrayLike | None = None,
    time: ArrayLike | None = None,
    *,
    ties: Ties = "efron",
    cluster: ArrayLike | None = None,
    l2: ArrayLike | float = 0.0,
    risk_sets: RiskSets | None = None,
    **columns: Unpack[Columns],
) -> CoxFit:
    """Minimise ``-loglik(x b) + l2 / 2 |b|^2`` by Newton's method with step-halving.

    Works under ``jit`` and ``vmap``, over masks (``risk_sets`` from `restrict`) and over ``l2``. With
    more columns than rows it works in the space of the rows, so that thousands of columns cost
    little more than their Gram matrix. Internal scaling of columns does not change the penalty.

    The penalty is on the scale of the *summed* log-likelihood and of the columns as given, as in R's
    ``ridge(theta=l2, scale=FALSE)`` and scikit-survival's ``alpha=l2``. lifelines divides the
    likelihood by n and standardises the columns, glmnet too by default: their ``penalizer`` or
    ``lambda`` is ``l2 / n`` for standardised columns (see docs/differences.md).

    Args:
        x: ``[n, p]``, finite in all rows, also in those that are not there.
        event: ``[n]``, 1 = observed, 0 = censored.
        time: ``[n]``, >= 0, any unit.
        ties: treatment of tied events.
        entry: ``[n]``, delayed entry: the row is at risk in ``(entry, time]``.
        strata: ``[n]``, labels of any type (integers under ``jit``).
        weights: ``[n]``, case weights.
        where: ``[n]``, False for rows that are not there.
        cluster: ``[n]``, labels of any type; rows of one label are one unit of ``robust_covariance``.
            While ``jit`` traces: integers >= 0 and < n, otherwise ``robust_covariance`` is NaN.
        l2: ridge penalty, >= 0; must be > 0 if p > n.
        risk_sets: result of `prepare_risk_sets` or `restrict`, instead of the outcome.

    Raises:
        InputError: x is not ``[n, p]`` or not finite, p > n without a penalty, no event (``coef`` is 0
            under ``jit``), a malformed outcome.

    Warns:
        MonotoneLikelihoodWarning, CollinearityWarning: messages name the columns. The fit is finite:
        coefficients at the end of the iterations, or the shortest of equivalent coefficients.

    >>> time, event = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1, 1, 1, 0])
    >>> fit = cox_fit(np.array([[1.0], [2.0], [0.0], [1.0]]), event, time)
    >>> print(f"{fit.coef[0]:.3f}")
    0.358
    """
    if np.ndim(x) != 2:
        raise InputError(f"x must have shape [n, p], got {list(np.shape(x))}")
    names = list(getattr(x, "columns", range(np.shape(x)[1])))
    check_finite("x", x)
    x = np.asarray(x) if is_concrete(x) else x
    rs = given_risk_sets(risk_sets, event, time, exact=ties == "exact", **columns)
    check_vectors(x=np.empty(x.shape[0]), risk_sets=rs.start, cluster=cluster)
    if x.shape[1] > x.shape[0] and is_concrete(l2) and not np.all(np.asarray(l2) > 0):
        raise InputError(f"x has more columns than rows ({x.shape[1]} > {x.shape[0]}): give l2 > 0")
    check_events(rs.total)
    x = as_real(x)
    cluster = jnp.arange(x.shape[0]) if cluster is None else jnp.asarray(dense(cluster))
    rs = in_precision(rs, x.dtype)
    fit, problems = _fit(x, replace(rs, labels=None), cluster, jnp.asarray(l2, x.dtype), ties)
    if not is_concrete(cluster):
        inside = jnp.all((cluster >= 0) & (cluster < x.shape[0]))
        fit["robust_covariance"] = jnp.where(inside, fit["robust_covariance"], jnp.nan)
    _warn(problems, names)
    curve = breslow_baseline(
        x @ fit["coef"], risk_sets=rs, ties="breslow" if ties == "exact" else ties
    )
    return CoxFit(baseline=curve, **fit)


@partial(jax.jit, static_argnames="ties")
def _fit(x: Array, rs: RiskSets, cluster: Array, l2: Array, ties: Ties) -> tuple[Any, Any]:
    with jax.default_matmul_precision("highest"):
        n, p = x.shape
        x = to_positions(rs, x - jnp.mean(x, axis=0, keepdims=True))
        cluster = to_positions(rs, cluster)
        rs = replace(rs, order=None, position=None)
        # Newton's method sees z with few and comparable columns, and coefficients b.
        if p > n:
            gram = x @ x.T
            info = jnp.finfo(x.dtype)
            jitter = jnp.trace(gram) / n * 8 * info.eps + info.tiny**0.5  # columns may all be zero
            gram = gram + jnp.eye(n) * jitter
            z, penalty = jnp.linalg.cholesky(gram), jnp.full(n, l2)
        else:
            scale = jnp.sqrt(jnp.mean(x**2, axis=0, keepdims=True))
            scale = jnp.where(scale > 0, scale, 1)
            z, penalty = x / scale, l2 / scale[0] ** 2

        def expand(b: Array) -> Array:
            """Coefficients ``[p, k]`` of x from coefficients ``[q, k]`` of z."""
            return x.T @ solve_triangular(z.T, b) if p > n else b / scale.T

        newton = _newton(z, rs, penalty, ties)
        b, null, end = newton.coef, newton.null, moments(newton.coef, z, rs, ties)
        unit = jnp.eye(b.size, dtype=x.dtype)
        inverse = _solve(end.information, penalty, unit, null.information)
        covariance = expand(expand(inverse).T)
        if p > n:  # directions outside the span of the rows are only penalised
            covariance = covariance + (jnp.eye(p) - expand(expand(unit).T)) / l2
        if ties == "exact":
            robust = jnp.full_like(covariance, jnp.nan)
        else:
            residuals = score_residuals(b, z, rs, ties)
            of_cluster = jax.vmap(lambda r: segment_sum(jnp, r, cluster, n), 1, 1)(residuals)
            change = expand(inverse @ of_cluster.T)
            robust = change @ change.T
        fit = {
            "coef": expand(b[:, None])[:, 0],
            "covariance": covariance,
            "robust_covariance": robust,
            "log_likelihood": end.log_likelihood,
            "log_likelihood_null": null.log_likelihood,
            "likelihood_ratio": _test(2 * (end.log_likelihood - null.log_likelihood), p),
            "wald": _test(b @ (end.information + jnp.diag(penalty)) @ b, p),
            "score": _test(
                null.score @ _solve(null.information, 0 * penalty, null.score, null.information), p
            ),
            "steps": newton.steps,
            "converged": newton.settled,
        }
        next_step = _solve(end.information, penalty, end.score - penalty * b, null.information)
        return fit, (null.information + jnp.diag(penalty), next_step)


class _Newton(NamedTuple):
    coef: Array
    null: CoxMoments
    steps: Array
    settled: Array


def _newton(z: Array, rs: RiskSets, penalty: Array, ties: Ties) -> _Newton:
    """Newton steps until the expected gain is within rounding; the last step is still taken."""
    tolerance = 1e-12 if z.dtype == jnp.float64 else 1e-7

    def value(coef: Array) -> Array:
        return log_likelihood(coef, z, rs, ties) - jnp.sum(penalty * coef**2) / 2

    def advance(s: _Newton) -> _Newton:
        now = moments(s.coef, z, rs, ties)
        here = now.log_likelihood - jnp.sum(penalty * s.coef**2) / 2
        score = now.score - penalty * s.coef
        null = jax.tree.map(lambda a, b: jnp.where(s.steps == 0, a, b), now, s.null)
        step = _solve(now.information, penalty, score, null.information)
        slack = tolerance * (1 + jnp.abs(here))

        def along(size: Array) -> Array:
            reached = value(s.coef + size * step)
            return jnp.where(reached >= here - slack, reached, -jnp.inf)

        # Halve the step while that is better: far from the maximum a full step falls or overshoots.
        def is_long(trial: tuple[Array, Array, Array]) -> Array:
            size, reached, by_half = trial
            worse = ~(reached + slack >= by_half) | (reached == -jnp.inf)
            return worse & (size > _LEAST_STEP)  # an end also for NaN

        def halve(trial: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
            size, _, by_half = trial
            return size / 2, by_half, along(size / 4)

        # Start at a step of 4 with an unknown value, so that only the loop evaluates the likelihood.
        unknown = jnp.full_like(here, -jnp.inf)
        size = lax.while_loop(is_long, halve, (4 * jnp.ones_like(here), unknown, unknown))[0]
        settled = score @ step <= 2 * slack
        size = jnp.where(settled, 1, size)  # there rounding hides which size is better
        return _Newton(s.coef + size * step, null, s.steps + 1, settled)

    zero = jnp.zeros(z.shape[1], z.dtype)
    none = CoxMoments(zero.sum(), zero, jnp.zeros((zero.size, zero.size), z.dtype))
    start = _Newton(zero, none, jnp.zeros((), jnp.int32), jnp.zeros((), bool))
    return lax.while_loop(lambda s: ~s.settled & (s.steps < _MAX_STEPS), advance, start)


def _solve(information: Array, penalty: Array, score: Array, at_zero: Array) -> Array:
    """Multiply by the inverse of the penalised information; finite in directions without information.

    Information is absent if it is negligible beside that at zero: where a covariate separates the
    events, it vanishes as the coefficient grows, and the inverse would be a step to infinity.
    """
    epsilon, least = jnp.finfo(score.dtype).eps, jnp.finfo(score.dtype).tiny
    tiny = 64 * epsilon * jnp.max(jnp.diagonal(at_zero), initial=0) + least
    factor = cho_factor(information + jnp.diag(penalty + tiny), lower=True)
    return cho_solve(factor, score)


def _test(statistic: Array, p: int) -> ChiSquareTest:
    chance = gammaincc(p / 2, jnp.maximum(statistic, 0) / 2) if p else jnp.ones_like(statistic)
    return ChiSquareTest(statistic, jnp.asarray(p), chance)


def _warn(problems: tuple[Array, Array], names: list[Any]) -> None:
    """Warn, from the information at zero and the step that Newton's method would take next."""
    if not all(is_concrete(a) for a in problems):
        return
    information, step = (np.asarray(a, float) for a in problems)
    if len(names) != len(step) or not len(names):
        return  # more columns than rows: the penalty decides
    eigenvalues, vectors = np.linalg.eigh(information)
    none = eigenvalues <= 1e3 * np.finfo(problems[0].dtype).eps * max(eigenvalues[-1], 1e-30)
    involved = (vectors[:, none] ** 2).sum(1) > 1e-3
    running = (np.abs(step) > 0.01) & ~involved
    for found, kind, told in (
        (involved, CollinearityWarning, _COLLINEAR),
        (running, MonotoneLikelihoodWarning, _MONOTONE),
    ):
        if found.any():
            which = ", ".join(str(names[k]) for k in np.flatnonzero(found))
            warnings.warn(told.format(which), kind, stacklevel=4)
