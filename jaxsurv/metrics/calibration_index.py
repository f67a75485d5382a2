"""Integrated calibration index: distance of predictions from smoothed observations."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival.baseline import breslow_baseline
from jaxsurv.survival.linear_cox import cox_fit
from jaxsurv.survival.risk_sets import prepare_risk_sets
from jaxsurv.survival.splines import natural_spline
from jaxsurv.survival.validation import array_module, check_survival, is_concrete
from jaxsurv.types import Array, ArrayLike, InputError


class CalibrationIndex(NamedTuple):
    """Attributes:
    ici: mean absolute difference of predicted and smoothed observed event probability.
    e50, e90: median and 90 % quantile of the absolute difference.
    observed: ``[n]``, smoothed observed event probability at each prediction.
    """

    ici: Array
    e50: Array
    e90: Array
    observed: Array


@read_arguments
def integrated_calibration_index(
    survival: ArrayLike,
    event: ArrayLike,
    time: ArrayLike,
    *,
    tau: ArrayLike | float,
    where: ArrayLike | None = None,
) -> CalibrationIndex:
    """Compare predicted event probabilities at tau with a smooth curve through the observations.

    The curve is a Cox model on a natural cubic spline (knots at the 10, 50 and 90 % quantiles) of
    log(-log S(tau | x)), so that patients censored before tau are used.

    Args:
        survival: ``[n]``, predicted S(tau | x), in (0, 1).
        event: ``[n]``, 1 = observed, 0 = censored.
        time: ``[n]``, follow-up time in the unit of ``tau``.
        tau: time of the prediction.
        where: ``[n]`` booleans, False for patients that are not there.

    Raises:
        InputError: see `check_survival`; survival outside (0, 1); tau beyond the follow-up; fewer
            than three distinct predictions.

    Reference: Austin, Harrell and van Klaveren, Stat. Med. 39 (2020) 2714.
    """
    check_survival(event, time, where=where, survival=survival)
    inside = not is_concrete(survival) or (np.asarray(survival) > 0) & (np.asarray(survival) < 1)
    if not np.all(inside):
        raise InputError("survival must be inside (0, 1)")
    if is_concrete(time) and is_concrete(tau) and is_concrete(where):
        last = np.max(np.asarray(time)[slice(None) if where is None else np.asarray(where, bool)])
        if tau > last:
            raise InputError(f"tau = {float(tau):g} is beyond the follow-up of {last:g}")
    xp = array_module(survival, event, time, tau, where)
    predicted = xp.asarray(survival, float if xp is np else jnp.result_type(float))
    here = xp.ones(predicted.shape, bool) if where is None else xp.asarray(where).astype(bool)
    x = xp.log(-xp.log(predicted))
    knots = xp.nanquantile(xp.where(here, x, xp.nan), xp.array([0.1, 0.5, 0.9]))
    if is_concrete(knots) and (np.diff(knots) <= 0).any():
        raise InputError("a calibration curve needs at least three distinct predictions")
    basis = natural_spline(xp, x, knots)
    risk_sets = prepare_risk_sets(event, time, where=where)
    score = basis @ cox_fit(basis, risk_sets=risk_sets).coef
    hazard = breslow_baseline(score, risk_sets=risk_sets)(tau)
    observed = -xp.expm1(-hazard * xp.exp(score))
    off = xp.where(here, xp.abs(observed - (1 - predicted)), xp.nan)
    e50, e90 = xp.nanquantile(off, xp.array([0.5, 0.9]))
    return CalibrationIndex(xp.nanmean(off), e50, e90, observed)
