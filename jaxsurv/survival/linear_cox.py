"""Linear Cox model by Newton's method, with an optional ridge penalty."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Unpack

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular

from jaxsurv.arguments.columns import as_real, check_finite
from jaxsurv.arguments.labels import column_names, dense
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival._cox_fit import ChiSquareTest, CoxFit, FittedRows
from jaxsurv.survival.baseline import breslow_baseline
from jaxsurv.survival.chi_square import chi_square_tail
from jaxsurv.survival.cox_columns import standardised_columns
from jaxsurv.survival.cox_moments import moments, score_residuals
from jaxsurv.survival.cox_newton import maximise, solve_information
from jaxsurv.survival.host.cox import host_cox
from jaxsurv.survival.host.newton import host_fit
from jaxsurv.survival.life_table import segment_sum
from jaxsurv.survival.padding import pad_rows, padded_length
from jaxsurv.survival.risk_sets import RiskSets, given_risk_sets, in_precision, to_positions
from jaxsurv.survival.row_columns import Columns, columns_shown
from jaxsurv.survival.summed_loss import Ties
from jaxsurv.survival.validation import (
    array_module,
    check_events,
    check_vectors,
    is_concrete,
)
from jaxsurv.types import Array, ArrayLike, ConvergenceWarning, InputError

_COLLINEAR = (
    "columns of x determine each other, or do not vary among those at risk: {}. "
    "Their coefficients are the smallest of many equivalent ones; drop some, or give l2 > 0"
)
_MONOTONE = (
    "the likelihood still rises as these coefficients grow: {}. A covariate separates "
    "the events from the others at risk; the coefficients may be infinite, give l2 > 0"
)
_NOT_CONVERGED = (
    "Newton's method did not converge in 50 steps; the coefficients of these columns are those of the "
    "last one: {}. Give l2 > 0, or drop columns that nearly determine each other"
)


_HOST_SIZE = 2**24  # numbers in x


class MonotoneLikelihoodWarning(UserWarning):
    """The likelihood has no maximum: a coefficient goes to infinity."""


class CollinearityWarning(UserWarning):
    """Columns of x determine each other: their coefficients are not identified."""


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
    ``coef``, ``covariance`` and ``baseline`` of known values are NumPy's float64. All results can be
    differentiated with respect to x and ``l2``, once, by implicit differentiation.

    The penalty is on the scale of the *summed* log-likelihood and of the columns as given, as in R's
    ``ridge(theta=l2, scale=FALSE)`` and scikit-survival's ``alpha=l2``. lifelines divides the
    likelihood by n and standardises the columns, glmnet too by default: their ``penalizer`` or
    ``lambda`` is ``l2 / n`` for standardised columns (see docs/differences.md).

    Args:
        x: ``[n, p]``, finite in all rows, also in those that are not there. Known columns are centred and
            scaled in float64, so that offset and unit do not matter.
        event: ``[n]``, 1 = observed, 0 = censored.
        time: ``[n]``, >= 0, any unit.
        ties: treatment of tied events, ``"efron"``, ``"breslow"`` or ``"exact"``.
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
        ConvergenceWarning: the last step was not negligible.
        MonotoneLikelihoodWarning, CollinearityWarning: messages name the columns. The fit is finite:
        coefficients at the end of the iterations, or the shortest of equivalent coefficients.

    >>> time, event = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1, 1, 1, 0])
    >>> fit = cox_fit(np.array([[1.0], [2.0], [0.0], [1.0]]), event, time)
    >>> print(f"{fit.coef[0]:.3f}")
    0.358
    """
    if np.ndim(x) != 2:
        raise InputError(f"x must have shape [n, p], got {list(np.shape(x))}")
    names = column_names(x)
    check_finite("x", x)
    x = np.asarray(x) if is_concrete(x) else x
    rs = given_risk_sets(risk_sets, event, time, exact=ties == "exact", **columns)
    check_vectors(x=np.empty(x.shape[0]), risk_sets=rs.start, cluster=cluster)
    if x.shape[1] > x.shape[0] and is_concrete(l2) and not np.all(np.asarray(l2) > 0):
        raise InputError(f"x has more columns than rows ({x.shape[1]} > {x.shape[0]}): give l2 > 0")
    check_events(rs.total)
    cluster = None if cluster is None else dense(cluster)
    z = standardised_columns(x, rs, l2)
    penalty = l2 / z.scale**2
    if x.shape[1] > x.shape[0] and is_concrete(penalty) and not np.all(penalty > 0):
        raise InputError(
            f"l2 = {l2} is nothing beside x, whose columns vary by {z.scale[0]:g}; scale x"
        )
    cox = host_cox(rs, ties, z.x, cluster, penalty) if z.x.size <= _HOST_SIZE else None
    found = None if cox is None else host_fit(z.x, cox, cluster, penalty)
    fit, problems = found or _under_jit(z.x, rs, cluster, penalty, ties)
    judge_fit(fit, problems, names or range(x.shape[1]))
    log_hazard = z.x @ fit["coef"]
    curve = breslow_baseline(log_hazard, risk_sets=rs, ties="breslow" if ties == "exact" else ties)
    known = all(map(is_concrete, (log_hazard, rs.log_weight, l2)))
    rows = FittedRows(names, log_hazard, rs, cluster is not None, l2) if known else FittedRows()
    return CoxFit(**z.in_given_units(fit, curve), rows=rows)


def _under_jit(x: Any, rs: RiskSets, cluster: Any, penalty: Any, ties: Ties) -> tuple[Any, Any]:
    values = x, cluster, penalty, rs.log_weight
    known = rs.intervals is None and all(map(is_concrete, values))
    xp, rs = np if known else jnp, replace(in_precision(rs, as_real(x[:0]).dtype), labels=None)
    x, units = xp.asarray(x, rs.log_weight.dtype), xp.arange(x.shape[0])
    units = units if cluster is None else xp.asarray(cluster)
    if known:  # with rows that are not there: few lengths, and so few programs
        n = padded_length(x.shape[0])
        x, units = (np.pad(a, [(0, n - len(a)), *[(0, 0)] * (a.ndim - 1)]) for a in (x, units))
        rs = pad_rows(rs, n)
    fit, problems = _fit(x, rs, units, xp.asarray(penalty, x.dtype), ties)
    if known:
        fit, problems = jax.device_get((fit, problems))
    if not is_concrete(units):
        inside = jnp.all((units >= 0) & (units < x.shape[0]))
        fit["robust_covariance"] = jnp.where(inside, fit["robust_covariance"], jnp.nan)
    return fit, problems


@partial(jax.jit, static_argnames="ties")
def _fit(x: Array, rs: RiskSets, cluster: Array, penalty: Array, ties: Ties) -> tuple[Any, Any]:
    """Fit to centred columns of moderate size, each with its own penalty; with p > n all have one."""
    with jax.default_matmul_precision("highest"):
        n, p = x.shape
        x, cluster = to_positions(rs, x), to_positions(rs, cluster)
        rs = replace(rs, order=None, position=None)
        # Newton's method sees z with few columns, and coefficients b.
        if p > n:
            gram, l2 = x @ x.T, penalty[0]
            info = jnp.finfo(x.dtype)
            jitter = jnp.trace(gram) / n * 8 * info.eps + info.tiny**0.5  # columns may all be zero
            gram = gram + jnp.eye(n) * jitter
            z, penalty = jnp.linalg.cholesky(gram), jnp.full(n, l2)
        else:
            z = x

        def expand(b: Array) -> Array:
            """Coefficients ``[p, k]`` of x from coefficients ``[q, k]`` of z."""
            return x.T @ solve_triangular(z.T, b) if p > n else b

        null = moments(jnp.zeros(z.shape[1], z.dtype), z, rs, ties)
        b, steps, settled = maximise(z, rs, penalty, null, ties)
        end = moments(b, z, rs, ties)
        unit = jnp.eye(b.size, dtype=x.dtype)
        inverse = solve_information(end.information, penalty, unit, null.information)
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
            "likelihood_ratio": 2 * (end.log_likelihood - null.log_likelihood),
            "wald": b @ (end.information + jnp.diag(penalty)) @ b,
            "score": null.score
            @ solve_information(null.information, 0 * penalty, null.score, null.information),
            "steps": steps,
            "converged": settled,
        }
        next_step = solve_information(
            end.information, penalty, end.score - penalty * b, null.information
        )
        return fit, (null.information + jnp.diag(penalty), next_step)


def _test(statistic: Any, p: int) -> ChiSquareTest:
    xp = array_module(statistic)
    chance = chi_square_tail(xp.maximum(statistic, 0), p) if p else xp.ones_like(statistic)
    return ChiSquareTest(statistic, xp.asarray(p), chance)


def judge_fit(fit: dict[str, Any], problems: tuple[Array, Array], names: Sequence[Any]) -> None:
    """Turn the statistics of a fit into tests, and warn.

    Args:
        fit: fields of a `CoxFit`; changed.
        problems: information at zero, and the step that Newton's method would take next.
        names: names of the columns.
    """
    lost = _warn(problems, names, fit)
    for name in ("likelihood_ratio", "wald", "score"):
        fit[name] = _test(fit[name], len(names) - lost)


def _warn(problems: tuple[Array, Array], names: Sequence[Any], fit: dict[str, Any]) -> int:
    """Warn, from the information at zero and the step that Newton's method would take next.

    Returns the number of combinations of columns of which the data say nothing.
    """
    if not all(is_concrete(a) for a in problems):
        return 0
    information, step = (np.asarray(a, float) for a in problems)
    none = involved = running = np.zeros(len(names), bool)
    if len(names) == len(step) and len(names):  # with more columns than rows the penalty decides
        eigenvalues, vectors = np.linalg.eigh(information)
        none = eigenvalues <= 1e3 * np.finfo(problems[0].dtype).eps * max(eigenvalues[-1], 1e-30)
        involved = (vectors[:, none] ** 2).sum(1) > 1e-3
        running = (np.abs(step) > 0.01) & ~involved
    stopped = not fit["converged"] and not involved.any() and not running.any()
    for found, kind, told in (
        (involved, CollinearityWarning, _COLLINEAR),
        (running, MonotoneLikelihoodWarning, _MONOTONE),
        (np.full(len(names), stopped), ConvergenceWarning, _NOT_CONVERGED),
    ):
        if found.any():
            which = ", ".join(str(names[k]) for k in np.flatnonzero(found).tolist())
            warnings.warn(told.format(which), kind, stacklevel=5)
    return int(none.sum())
