"""Choice of the penalty of an elastic-net Cox model by cross-validation."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, Unpack

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.arguments.labels import factorised
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival._coxnet_path import CoxnetPath, PathRows, Penalties
from jaxsurv.survival.breslow import saturated_loss
from jaxsurv.survival.coxnet import checked_penalties, converged_path, precise, standardised_rows
from jaxsurv.survival.partial_likelihood import neg_log_partial_likelihood
from jaxsurv.survival.risk_sets import RiskSets, prepare_risk_sets, restrict, to_rows
from jaxsurv.survival.row_columns import Columns, columns_shown
from jaxsurv.survival.validation import check_vectors
from jaxsurv.types import Array, ArrayLike, InputError


class CoxnetCV(NamedTuple):
    """A path and its cross-validated deviance.

    Attributes:
        path: path fitted to all rows.
        deviance: ``[n_lambdas]``, held-out deviance per unit of event weight; smaller is better.
        standard_error: ``[n_lambdas]``, standard error of ``deviance`` over the folds.
        lambda_min: penalty with the smallest ``deviance``.
        lambda_1se: strongest penalty within one standard error of the smallest ``deviance``.
        kkt: ``[folds, n_lambdas]``, violations of the optimality conditions, see `CoxnetPath`.
        held_out: ``[n_lambdas, n]``, held-out log hazard of each row, minus the mean log hazard of the
            training rows of its fold; 0 outside ``where``.
    """

    path: CoxnetPath
    deviance: Array
    standard_error: Array
    lambda_min: Array
    lambda_1se: Array
    kkt: Array
    held_out: Array


@read_arguments
@columns_shown
def coxnet_cv(
    x: ArrayLike,
    event: ArrayLike,
    time: ArrayLike,
    fold: ArrayLike,
    *,
    l1_ratio: float = 0.5,
    n_lambdas: int = 100,
    lambda_min_ratio: float | None = None,
    lambdas: ArrayLike | None = None,
    penalty_factor: ArrayLike | None = None,
    standardize: bool = True,
    tolerance: float = 1e-4,
    **columns: Unpack[Columns],
) -> CoxnetCV:
    """Cross-validate `coxnet_path`; all folds use the lambdas of the fit to all rows.

    The deviance is -2 times the log partial likelihood, relative to the saturated model. The
    deviance of a fold is that of all rows minus that of the training rows, under coefficients fitted
    to the training rows (Verweij & van Houwelingen, 1993). Folds are averaged by the weight of their
    events. The result equals ``cv.glmnet(family = "cox")``. One compilation serves all folds; they
    run one after the other and share x.

    Args:
        x, event, time, l1_ratio, n_lambdas, lambda_min_ratio, lambdas: see `coxnet_path`.
        penalty_factor, standardize, entry, strata, weights, where, tolerance: see `coxnet_path`.
        fold: ``[n]``, labels of any type: the fold in which each row is held out.

    Raises:
        InputError: fewer than two folds, a fold without events of weight > 0, or any error of `coxnet_path`.

    Warns:
        ConvergenceWarning: see `coxnet_path`, of the fit to all rows and of each fold.
    """
    check_vectors(event=event, time=time, fold=fold)
    fold, labels = factorised(np.asarray(fold))
    where = columns.get("where")
    here = np.ones(len(fold), bool) if where is None else np.asarray(where, bool)
    rs = replace(prepare_risk_sets(event, time, **columns), labels=None)
    names = np.unique(fold[here])
    weights = columns.get("weights")
    counts = here & np.asarray(event, bool) & (True if weights is None else np.asarray(weights) > 0)
    empty = [k for k in names if not counts[fold == k].any()]
    if len(names) < 2 or empty:
        what = (
            f"no event counts in fold {labels[empty[0]]!r}" if empty else f"only {len(names)} fold"
        )
        raise InputError(f"{what}: use at least two folds, stratified by event")
    rows = standardised_rows(x, rs)
    penalties = checked_penalties(
        rows.x, l1_ratio, n_lambdas, lambda_min_ratio, lambdas, penalty_factor, tolerance
    )
    with precise(rows, penalties):
        fit = partial(converged_path, standardize=standardize)
        path, _ = fit(rows, penalties)
        penalties = penalties._replace(lambdas=path.lambdas)
        out = []
        for k in names:
            train = replace(restrict(rs, fold != k), order=None, position=None)
            out.append(_held_out(rows, train, penalties, fit))
        deviance, weight, kkt, log_hazard = (jnp.stack(a) for a in zip(*out, strict=True))
        share = (weight / jnp.sum(weight))[:, None]
        mean = jnp.sum(share * deviance, 0)
        spread = jnp.sum(share * (deviance - mean[None, :]) ** 2, 0)
        error = jnp.sqrt(spread / (len(names) - 1))
        best = jnp.argmin(mean)
        first = jnp.argmax(mean <= mean[best] + error[best])
        at = path.lambdas[best], path.lambdas[first]
        dtype = rows.x.dtype
        risk = to_rows(rs, jnp.sum(log_hazard, axis=0).T).T.astype(dtype)
        return CoxnetCV(path, mean.astype(dtype), error.astype(dtype), *at, kkt, risk)


def _held_out(
    rows: PathRows, train: RiskSets, penalties: Penalties, fit: Callable[..., Any]
) -> tuple[Array, Array, Array, Array]:
    """Deviance of the held-out rows, weight of their events, convergence, and log hazards."""
    path, log_hazard = fit(rows._replace(risk_sets=train), penalties)
    weight = rows.risk_sets.total - train.total
    deviance = _deviance(log_hazard, rows.risk_sets) - _deviance(log_hazard, train)
    seen = jnp.exp(train.log_weight)
    center = (log_hazard @ seen / jnp.sum(seen))[:, None]
    held_out = (rows.risk_sets.log_weight > train.log_weight)[None, :]
    return deviance / weight, weight, path.kkt, jnp.where(held_out, log_hazard - center, 0)


@jax.jit
def _deviance(log_hazard: Array, rs: RiskSets) -> Array:
    loss = partial(neg_log_partial_likelihood, risk_sets=rs, ties="breslow", reduction="sum")
    return 2 * (jax.vmap(loss)(log_hazard) - saturated_loss(rs))
