"""Choice of the penalty of an elastic-net Cox model by cross-validation."""

from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, Unpack

import jax
import numpy as np

from jaxsurv.arguments.labels import column_names, factorised
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival._coxnet_path import CoxnetPath
from jaxsurv.survival.breslow import saturated_loss
from jaxsurv.survival.coxnet import (
    as_type_of,
    checked_penalties,
    fit_paths,
    path_of,
    standardised_rows,
)
from jaxsurv.survival.host.breslow import HostBreslow
from jaxsurv.survival.host.cox import HostCox
from jaxsurv.survival.partial_likelihood import neg_log_partial_likelihood
from jaxsurv.survival.risk_sets import RiskSets, prepare_risk_sets, restrict
from jaxsurv.survival.row_columns import Columns, columns_shown
from jaxsurv.survival.validation import array_module, check_vectors
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
    events. The result equals ``cv.glmnet(family = "cox")``. All folds go down the path side by side, on
    one x.

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
    trains = [replace(restrict(rs, fold != k), order=None, position=None) for k in names]
    everyone = rows.risk_sets
    path, log_hazard, cox = fit_paths(rows, [everyone, *trains], penalties, standardize)
    xp = array_module(log_hazard)
    with jax.enable_x64(True) if xp is np else nullcontext():
        weight = xp.stack([xp.asarray(everyone.total) - xp.asarray(t.total) for t in trains])
        held_out = xp.zeros(log_hazard.shape[1:])
        deviance = []
        for eta, train, own in zip(log_hazard[1:], trains, weight, strict=True):
            deviance.append((_deviance(eta, everyone, cox) - _deviance(eta, train, cox)) / own)
            seen = xp.exp(xp.asarray(train.log_weight, float))
            center = (eta @ seen / seen.sum())[:, None]
            left_out = xp.asarray(everyone.log_weight) > xp.asarray(train.log_weight)
            held_out = xp.where(left_out[None, :], eta - center, held_out)
        deviance = xp.stack(deviance)
        share = (weight / weight.sum())[:, None]
        mean = (share * deviance).sum(0)
        spread = (share * (deviance - mean[None, :]) ** 2).sum(0)
        error = xp.sqrt(spread / (len(names) - 1))
        best = mean.argmin()
        first = (mean <= mean[best] + error[best]).argmax()
        at = path.lambdas[best], path.lambdas[first]
        held_out = held_out if rs.position is None else held_out[:, xp.asarray(rs.position)]
        cv = CoxnetCV(
            path_of(path, 0)._replace(names=column_names(x)),
            mean,
            error,
            *at,
            path.kkt[1:],
            held_out,
        )
    return jax.tree.map(lambda a: as_type_of(x, a), cv)


def _deviance(log_hazard: Any, rs: RiskSets, cox: HostCox | None) -> Any:
    """Deviances ``[k]`` of ``log_hazard [k, n]``, relative to the saturated model."""
    if cox is None:
        return _traced_deviance(log_hazard, rs)
    outcome = HostBreslow.of(cox, [rs] * len(log_hazard))
    loss = outcome.loss_and_residual(log_hazard)[0] * outcome.total[:, 0]
    for k in np.flatnonzero(~np.isfinite(loss)):  # log hazards beyond the range of exp
        loss[k] = neg_log_partial_likelihood(
            log_hazard[k], risk_sets=rs, ties="breslow", reduction="sum"
        )
    return 2 * (loss - saturated_loss(rs))


@jax.jit
def _traced_deviance(log_hazard: Array, rs: RiskSets) -> Array:
    loss = partial(neg_log_partial_likelihood, risk_sets=rs, ties="breslow", reduction="sum")
    return 2 * (jax.vmap(loss)(log_hazard) - saturated_loss(rs))
