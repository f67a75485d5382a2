"""Elastic-net Cox model along a path of penalties: checks of the arguments, and layout of the data."""

import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any, TypeVar, Unpack

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.arguments.columns import as_real
from jaxsurv.arguments.labels import column_names
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival._coxnet_path import CoxnetPath, PathRows, Penalties, fit_path
from jaxsurv.survival.host.cox import HostCox, host_cox
from jaxsurv.survival.host.coxnet_path import host_paths
from jaxsurv.survival.risk_sets import RiskSets, given_risk_sets, to_positions
from jaxsurv.survival.row_columns import Columns, columns_shown
from jaxsurv.survival.validation import (
    array_module,
    check_events,
    check_finite,
    check_vectors,
    is_concrete,
)
from jaxsurv.types import Array, ArrayLike, ConvergenceWarning, InputError

T = TypeVar("T")
_BLOCK = 1024


@read_arguments
@columns_shown
def coxnet_path(
    x: ArrayLike,
    event: ArrayLike | None = None,
    time: ArrayLike | None = None,
    *,
    l1_ratio: ArrayLike | float = 0.5,
    n_lambdas: int = 100,
    lambda_min_ratio: float | None = None,
    lambdas: ArrayLike | None = None,
    penalty_factor: ArrayLike | None = None,
    standardize: bool = True,
    risk_sets: RiskSets | None = None,
    tolerance: float = 1e-4,
    **columns: Unpack[Columns],
) -> CoxnetPath:
    """Minimise the elastic-net Cox objective for a decreasing sequence of penalties::

        -loglik(x b) / sum(w) + lambda sum_j f_j (l1_ratio |b_j| + (1 - l1_ratio) / 2 b_j^2)

    with Breslow's likelihood, as in glmnet and scikit-survival's Coxnet (Simon et al., 2011). Each
    fit continues until it satisfies the optimality conditions to ``tolerance``, and reports the
    violation that is left. The other two stop when their coefficients move little; with p >> n that
    is often far from the optimum.

    Outside ``jit`` the fits are made on the host in float64, whatever JAX's x64 mode, and nothing is
    compiled; x64 mode decides the precision of the result. Under ``jit`` it decides that of the fit.
    Under ``vmap`` the runs follow each other, so that each uses only the columns that it needs.

    Args:
        x: ``[n, p]``, finite.
        event: ``[n]``, 1 = observed, 0 = censored.
        time: ``[n]``, >= 0, any unit.
        l1_ratio: 1 = lasso, 0 = ridge (for which `cox_fit` with ``l2`` is far quicker).
        n_lambdas: length of the default path.
        lambda_min_ratio: ratio of the last to the first lambda; default 0.01 if n < p, else 1e-4.
        lambdas: ``[k]``, decreasing, instead of the default path, which starts where the
            first penalised coefficient becomes nonzero.
        penalty_factor: ``[p]``, >= 0, rescaled to sum to p; 0 = not penalised.
        standardize: penalise coefficients per standard deviation (with divisor n); they are
            reported per unit of x all the same.
        entry: ``[n]``, delayed entry: the row is at risk in ``(entry, time]``.
        strata: ``[n]``, labels of any type (integers under ``jit``).
        weights: ``[n]``, case weights.
        where: ``[n]``, False for rows that are not there.
        risk_sets: result of `prepare_risk_sets` or `restrict`, instead of the outcome.
        tolerance: largest ``kkt`` of a converged fit.

    Raises:
        InputError: x is not ``[n, p]`` or not finite, lambdas that do not decrease, malformed
            penalty factors or outcome, no event; a derivative is asked for.

    Warns:
        ConvergenceWarning: names the first lambda whose ``kkt`` is above ``tolerance``.

    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((50, 200))
    >>> time, event = rng.exponential(np.exp(-x[:, 0])), np.ones(50)
    >>> path = coxnet_path(x, event, time, n_lambdas=5)
    >>> int(path.coef[1].argmax()), bool(path.kkt.max() < 1e-4)
    (0, True)
    """
    rs = given_risk_sets(risk_sets, event, time, **columns)
    rows = standardised_rows(x, rs)
    penalties = checked_penalties(
        rows.x, l1_ratio, n_lambdas, lambda_min_ratio, lambdas, penalty_factor, tolerance
    )
    path, _, _ = fit_paths(rows, [rows.risk_sets], penalties, standardize)
    path = jax.tree.map(lambda a: as_type_of(x, a), path_of(path, 0))
    return path._replace(names=column_names(x))


def fit_paths(
    rows: PathRows, outcomes: Sequence[RiskSets], penalties: Penalties, standardize: bool
) -> tuple[CoxnetPath, Any, HostCox | None]:
    """Paths of b outcomes of the same rows, with the lambdas of the first.

    Warns of fits that did not converge. While ``jit`` traces, only ``kkt`` says how far a fit came.

    Returns:
        Path with ``kkt [b, n_lambdas]`` and so on, on the host with the ``coef`` of the first only; log
        hazards ``[b, n_lambdas, n]``; and the likelihood on the host, or None where `host_cox` is.
    """
    cox = host_cox(rows.risk_sets, "breslow", rows.x, *penalties)
    if cox is not None:
        path, log_hazard = host_paths(rows, cox, outcomes, penalties, standardize)
    else:
        known = all(is_concrete(a) for a in jax.tree.leaves((rows, penalties)))
        with jax.enable_x64(True) if known else nullcontext():
            found = []
            for outcome in outcomes:
                path, log_hazard = fit_path(
                    rows._replace(risk_sets=outcome), penalties, standardize
                )
                penalties = penalties._replace(lambdas=path.lambdas)
                found.append((path, log_hazard))
            path, log_hazard = jax.tree.map(lambda *a: array_module(*a).stack(a), *found)
            path = path._replace(lambdas=path.lambdas[0])
    if is_concrete(path.kkt):
        for kkt in np.asarray(path.kkt):
            _tell(np.asarray(path.lambdas), kkt, float(penalties.tolerance))
    return path, log_hazard, cox


def _tell(lambdas: Any, kkt: Any, tolerance: float) -> None:
    if (late := ~(kkt <= tolerance)).any():
        warnings.warn(
            f"{late.sum()} of {late.size} fits did not converge, the first at lambda = "
            f"{lambdas[late][0]:.4g}: kkt is up to {np.max(kkt[late]):.2g}, tolerance {tolerance:.2g}; end "
            "the path earlier (lambda_min_ratio), or give l1_ratio < 1",
            ConvergenceWarning,
            stacklevel=5,
        )


def path_of(paths: CoxnetPath, k: int) -> CoxnetPath:
    """Path of the k-th outcome of `fit_paths`."""
    return CoxnetPath(paths.lambdas, paths.coef[k], paths.deviance_ratio[k], paths.kkt[k])


def as_type_of(x: Any, result: Any) -> Array:
    """Result as a JAX array of the precision that JAX gives x."""
    given = getattr(x, "dtype", np.dtype(float))  # tables have none
    real = np.promote_types(given, np.float32) if given.kind == "f" else float
    dtype = jax.dtypes.canonicalize_dtype(real)
    return (
        jax.device_put(np.asarray(result, dtype)) if is_concrete(result) else result.astype(dtype)
    )


def standardised_rows(x: Any, rs: RiskSets) -> PathRows:
    """Make the only copy of x: standardised, transposed, in the order of the risk sets."""
    if np.ndim(x) != 2:
        raise InputError(f"x must have shape [n, p], got {list(np.shape(x))}")
    check_vectors(x=np.empty(np.shape(x)[0]), risk_sets=rs.start)
    check_finite("x", x)
    x = np.asarray(x) if is_concrete(x) else x
    check_events(rs.total)
    ordered = replace(rs, order=None, position=None, labels=None)
    # Centre and scale on the rows that are there: the others may hold any values.
    if not all(is_concrete(a) for a in (x, rs.start, rs.log_weight)):
        x, here = to_positions(rs, as_real(x)).T, rs.log_weight[None, :] > -jnp.inf
        centre = jnp.mean(x, 1, keepdims=True, where=here)
        spread = jnp.std(x, 1, where=here)
        spread = jnp.where(spread > 0, spread, 1)
        return _constant(PathRows((x - centre) / spread[:, None], spread, ordered))
    order = slice(None) if rs.order is None else np.asarray(rs.order)
    here = np.asarray(rs.log_weight) > -np.inf
    out = np.empty(x.shape[::-1])
    spread = np.empty(len(out))
    for k in range(0, len(out), _BLOCK):  # no second copy is ever whole
        block = x[order, k : k + _BLOCK].T.astype(float)
        scale = block[:, here].std(1)
        spread[k : k + _BLOCK] = scale = np.where(scale > 0, scale, 1)
        out[k : k + _BLOCK] = (block - block[:, here].mean(1, keepdims=True)) / scale[:, None]
    return PathRows(out, spread, ordered)


def checked_penalties(
    x: Array, l1_ratio: Any, n_lambdas: int, least: Any, lambdas: Any, factor: Any, tolerance: Any
) -> Penalties:
    """Checked and completed arguments of `coxnet_path`."""
    p, n = x.shape
    for name, number in (("lambda_min_ratio", least), ("tolerance", tolerance)):
        if number is not None and is_concrete(number) and number == 0:
            raise InputError(f"{name} must be > 0, got {number}")
    check_finite("lambdas", lambdas)
    lambdas = np.full(n_lambdas, np.nan) if lambdas is None else lambdas
    if check_vectors(lambdas=lambdas) == 0:
        raise InputError("lambdas is empty: give at least one, or leave it out")
    if is_concrete(lambdas) and (np.any(np.diff(lambdas) >= 0) or np.any(np.asarray(lambdas) <= 0)):
        raise InputError("lambdas must be > 0 and decrease: sort them, largest first")
    factor = np.ones(p) if factor is None else factor
    if check_vectors(penalty_factor=factor) != p:
        raise InputError(f"penalty_factor has {np.size(factor)} values for the {p} columns of x")
    if is_concrete(factor):
        factor = np.asarray(factor, float)
        if not ((factor >= 0) & (factor < np.inf)).all() or not factor.any():
            raise InputError(
                "penalty_factor must be finite and >= 0, with at least one value above 0"
            )
    least = (0.01 if n < p else 1e-4) if least is None else least
    given = lambdas, l1_ratio, least, tolerance, factor * p / factor.sum()
    xp = array_module(x, *given)
    if xp is np:
        return Penalties(*(np.asarray(a, float) for a in given))
    dtype = jax.dtypes.canonicalize_dtype(x.dtype)
    return _constant(Penalties(*(jnp.asarray(a, dtype) for a in given)))


@jax.custom_jvp
def _constant(arguments: T) -> T:
    """The arguments, with respect to which a path has no derivatives."""
    return arguments


@_constant.defjvp
def _(primals: Any, tangents: Any) -> Any:
    raise InputError(
        "an elastic-net path cannot be differentiated; for l1_ratio = 0 differentiate cox_fit with "
        "l2 = lambda * sum(w), otherwise the loss neg_log_partial_likelihood at the coefficients of the "
        "path, held by jax.lax.stop_gradient"
    )
