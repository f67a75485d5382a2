"""Calibration of predicted survival probabilities: on average, in spread and over their range."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import scipy.special

from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival._kaplan_meier import Z95
from jaxsurv.survival.linear_cox import cox_fit
from jaxsurv.survival.validation import (
    array_module,
    check_event,
    check_finite,
    check_probabilities,
    check_some,
    check_survival,
    check_vectors,
    is_concrete,
)
from jaxsurv.types import Array, ArrayLike, InputError

_NO_INFORMATION = 1e6  # standard error of a slope, times the spread of the predictions


class DCalibration(NamedTuple):
    """Attributes:
    statistic, p_value: chi-square test that all bins are equally full; small p = miscalibrated, see
        :func:`d_calibration` for the meaning of a large p under censoring.
    proportions: ``[bins]``, share of patients per bin of predicted survival, lowest first.
    """

    statistic: Array
    p_value: Array
    proportions: Array


class CalibrationSlope(NamedTuple):
    """Attributes:
    slope: 1 = right spread; below 1 = predictions too extreme, as after overfitting; NaN for
        predictions that are all the same.
    standard_error: standard error of the slope; NaN as well.
    """

    slope: Array
    standard_error: Array


class ObservedExpected(NamedTuple):
    """Attributes:
    ratio: observed / expected events; above 1 = risk underestimated.
    lower, upper: 95 % limits, exp(log ratio -+ 1.96 / sqrt(observed)); without any observed event 0 and
        the exact Poisson limit, -log(0.025) / expected.
    observed, expected: number of events.
    """

    ratio: Array
    lower: Array
    upper: Array
    observed: Array
    expected: Array


@read_arguments
def d_calibration(
    survival: ArrayLike,
    event: ArrayLike,
    *,
    bins: int = 10,
    where: ArrayLike | None = None,
) -> DCalibration:
    """Haider's distributional calibration: S_i(t_i) of a calibrated model is uniform on [0, 1].

    A patient with an event counts in the bin of S_i(t_i). A patient censored with S_i(t_i) = s would
    have had the event at a value uniform on [0, s], and is spread over this interval.

    The test treats spread patients as observed ones, so that p is too large under censoring. With 200
    patients a correct model has p < 0.05 in 5 % of samples without censoring, in 0.7 % at 30 % censored
    and never at 65 % censored, where only a grossly wrong model is found.

    Args:
        survival: ``[n]``, S(t_i | x_i), predicted survival of each patient at the patient's own time.
        event: ``[n]``, 1 = observed, 0 = censored.
        bins: number of equal bins.
        where: ``[n]`` booleans, False for patients that are not there.

    Raises:
        InputError: unequal lengths, no rows, event codes, survival outside [0, 1], fewer than two bins.

    Reference: Haider et al., JMLR 21 (2020) 85.

    >>> d_calibration(np.array([0.1, 0.6, 1.0]), np.array([1, 1, 0]), bins=2).proportions.tolist()
    [0.5, 0.5]
    """
    check_vectors(survival=survival, event=event, where=where)
    check_some(len(event), where)
    check_event(event)
    check_probabilities("survival", survival)
    xp = array_module(survival, event, where)
    s, died = xp.asarray(survival)[:, None], xp.asarray(event).astype(bool)[:, None]
    low = xp.arange(bins)[None] / bins
    inside = xp.clip(xp.ceil(s * bins) - 1, 0, bins - 1) == xp.arange(bins)[None]
    spread = xp.clip(s - low, 0, 1 / bins) / xp.where(s > 0, s, 1)
    spread = xp.where(s > 0, spread, inside)
    share = xp.where(died, inside, spread)
    if where is not None:
        share = xp.where(xp.asarray(where).astype(bool)[:, None], share, 0)
    counts = share.sum(0)
    n = counts.sum()
    statistic = xp.sum((counts - n / bins) ** 2) / (n / bins)
    special = scipy.special if xp is np else jax.scipy.special
    return DCalibration(statistic, special.gammaincc((bins - 1) / 2, statistic / 2), counts / n)


@read_arguments
def calibration_slope(
    log_hazard: ArrayLike,
    event: ArrayLike,
    time: ArrayLike,
    *,
    where: ArrayLike | None = None,
) -> CalibrationSlope:
    """Coefficient of the predicted log hazard as the only covariate of a Cox model (van Houwelingen 2000).

    It can be differentiated with respect to the log hazards, by implicit differentiation.

    Args:
        log_hazard: ``[n]``, predicted log hazard; higher = worse.
        event: ``[n]``, 1 = observed, 0 = censored. Ties after Efron.
        time: ``[n]``, any unit.
        where: ``[n]`` booleans, False for patients that are not there.

    A prediction that is constant, up to rounding, has no slope: both numbers are NaN.

    Raises:
        InputError: see `check_survival`; no event.

    Predictions that are twice as far apart have half the slope:

    >>> x = np.array([1.0, 2.0, 0.0, 1.0])
    >>> event, time = np.array([1, 1, 1, 0]), np.array([1.0, 2.0, 3.0, 4.0])
    >>> [round(float(calibration_slope(scale * x, event, time).slope), 3) for scale in (1, 2)]
    [0.358, 0.179]
    """
    check_survival(event, time, where=where, log_hazard=log_hazard)
    xp = array_module(log_hazard, event, time, where)
    x = xp.asarray(log_hazard, float if xp is np else jnp.result_type(float))[:, None]
    here = xp.ones(x.shape, bool) if where is None else xp.asarray(where).astype(bool)[:, None]
    low, high = xp.min(x, where=here, initial=xp.inf), xp.max(x, where=here, initial=-xp.inf)
    given = getattr(log_hazard, "dtype", x.dtype)
    eps = jnp.finfo(given if jnp.issubdtype(given, jnp.floating) else x.dtype).eps
    constant = high - low <= 4 * eps * xp.maximum(xp.abs(low), xp.abs(high))
    if is_concrete(constant) and constant:
        return CalibrationSlope(*np.full(2, np.nan))
    fit = cox_fit(x, event, time, where=where)
    values = fit.coef[0], fit.covariance[0, 0] ** 0.5
    # its standard error in units of the spread: infinite where it varies in no risk set of an event
    constant = constant | (values[1] * (high - low) > _NO_INFORMATION)
    return CalibrationSlope(*(xp.where(constant, xp.nan, v) for v in values))


@read_arguments
def observed_expected(
    cumulative_hazard: ArrayLike, event: ArrayLike, *, where: ArrayLike | None = None
) -> ObservedExpected:
    """Ratio of observed to expected events; expected = sum of predicted cumulative hazards H_i(t_i).

    Args:
        cumulative_hazard: ``[n]``, H(t_i | x_i) = -log S(t_i | x_i) at each patient's own time.
        event: ``[n]``, 1 = observed, 0 = censored.
        where: ``[n]`` booleans, False for patients that are not there.

    Raises:
        InputError: unequal lengths, no rows, event codes, a hazard that is negative or not finite, or 0
            in all rows.

    Reference: Crowson, Atkinson and Therneau, Stat. Methods Med. Res. 25 (2016) 1692.

    >>> found = observed_expected(np.array([0.2, 0.5, 0.9, 0.4]), np.array([0, 1, 1, 1]))
    >>> float(found.ratio)
    1.5
    """
    check_vectors(cumulative_hazard=cumulative_hazard, event=event, where=where)
    check_some(len(event), where)
    check_event(event)
    check_finite("cumulative_hazard", cumulative_hazard)
    if is_concrete(cumulative_hazard) and np.min(np.asarray(cumulative_hazard)) < 0:
        raise InputError("cumulative_hazard must be >= 0")
    xp = array_module(cumulative_hazard, event, where)
    here = True if where is None else xp.asarray(where).astype(bool)
    observed = xp.sum(xp.where(here, xp.asarray(event), 0))
    number = float if xp is np else jnp.result_type(float)
    expected = xp.sum(xp.where(here, xp.asarray(cumulative_hazard, number), 0))
    if is_concrete(expected) and not np.asarray(expected) > 0:
        raise InputError("the expected number of events is 0: cumulative_hazard is 0 in all rows")
    ratio = observed / expected
    factor = xp.exp(Z95 / xp.sqrt(xp.maximum(observed, 1)))
    upper = xp.where(observed > 0, ratio * factor, -np.log(0.025) / expected)
    return ObservedExpected(ratio, ratio / factor, upper, observed, expected)
