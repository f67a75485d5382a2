"""Kaplan-Meier and Nelson-Aalen curves, their quantiles and the restricted mean."""

from typing import Any, Literal, NamedTuple

import numpy as np

from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival.life_table import LifeTable, life_table, reversed_cumsum, step_at
from jaxsurv.survival.ties import at_known_times
from jaxsurv.survival.validation import array_module, check_no_nan, check_survival
from jaxsurv.types import Array, ArrayLike, InputError

Z95 = 1.959963984540054  # normal quantile of a two-sided 95 % interval


class Quantile(NamedTuple):
    """Times at which a survival curve and its 95 % bounds reach a level; NaN where they do not."""

    time: Array
    lower: Array
    upper: Array


class RestrictedMean(NamedTuple):
    """Mean survival time up to tau, in the unit of time, and its standard error."""

    mean: Array
    standard_error: Array


class KaplanMeier(NamedTuple):
    """Survival curve: right-continuous, 1 before the first time.

    For known values there is one row per distinct time, in NumPy's float64. While ``jit`` traces
    there are n rows; those beyond the last distinct time have ``times = inf``.

    Attributes:
        times: ``[m]``, ascending; event and censoring times.
        survival: ``[m]``, S(t) at and after each time.
        standard_error: ``[m]``, Greenwood's standard error of S(t); NaN where S is 0.
        lower, upper: ``[m]``, 95 % confidence limits; NaN where S is 0.
    """

    times: Array
    survival: Array
    standard_error: Array
    lower: Array
    upper: Array

    @read_arguments
    def __call__(self, times: ArrayLike) -> Array:
        """S(t) at each of ``times``, of any shape."""
        check_no_nan(times)
        return step_at(times, self.times, self.survival, initial=1.0)

    @read_arguments
    def quantile(self, p: ArrayLike | float) -> Quantile:
        """First time with S(t) <= 1 - p, e.g. the median for p = 0.5.

        If S is 1 - p on a whole interval, its midpoint, as in R. The bounds are where the
        confidence limits of the curve first cross 1 - p (Brookmeyer and Crowley, Biometrics 1982);
        R sorts the limits first, which moves its upper bound where they are not monotone.

        Raises:
            InputError: p outside [0, 1].
        """
        xp = array_module(p, *self)
        level = 1 - xp.asarray(p, self.survival.dtype)[..., None]
        slack = 64 * xp.finfo(self.survival.dtype).eps
        last = xp.max(xp.where(xp.isfinite(self.times), self.times, 0))

        def cross(curve: Array) -> Array:
            curve = xp.broadcast_to(curve, xp.broadcast_shapes(level.shape, curve.shape))
            reached, passed = curve <= level + slack, curve < level - slack
            until = xp.where(passed.any(-1), self.times[xp.argmax(passed, -1)], last)
            middle = (self.times[xp.argmax(reached, -1)] + until) / 2
            return xp.where(reached.any(-1), middle, xp.nan)

        return Quantile(cross(self.survival), cross(self.lower), cross(self.upper))


class NelsonAalen(NamedTuple):
    """Cumulative hazard: right-continuous, 0 before the first time.

    Attributes:
        times: ``[m]``, ascending; event and censoring times.
        cumulative_hazard: ``[m]``, Σ events / at risk.
        standard_error: ``[m]``, root of Σ events / at risk².
    """

    times: Array
    cumulative_hazard: Array
    standard_error: Array

    @read_arguments
    def __call__(self, times: ArrayLike) -> Array:
        """H(t) at each of ``times``, of any shape."""
        check_no_nan(times)
        return step_at(times, self.times, self.cumulative_hazard, initial=0.0)


def log_product_limit(at_risk: Any, failed: Any) -> Any:
    """Log of the product Π (1 - failed / at risk) up to each time; a sum of logs keeps small hazards."""
    xp = array_module(at_risk, failed)
    hazard = xp.where(failed > 0, failed / xp.where(failed > 0, at_risk, 1), 0)
    with np.errstate(divide="ignore"):
        return xp.cumsum(xp.log1p(-xp.minimum(hazard, 1)))


def _checked_table(event: Any, time: Any, entry: Any, weights: Any, where: Any) -> LifeTable:
    check_survival(event, time, entry=entry, weights=weights, where=where)
    return life_table(event, time, entry=entry, weights=weights, where=where)


@read_arguments
def kaplan_meier(
    event: ArrayLike,
    time: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    where: ArrayLike | None = None,
    conf_type: Literal["log-log", "log", "plain"] = "log-log",
) -> KaplanMeier:
    """Product-limit estimate S(t) = Π_{t_k <= t} (1 - d_k / n_k), with 95 % confidence limits.

    The limits are symmetric for log(-log S) (default), log S (R's default) or S, in [0, 1]. They
    take ``weights`` as numbers of patients, as R's ``survfit`` does.

    Args:
        event: ``[n]``, 1 = observed, 0 = censored. A patient censored at t is at risk at t.
        time: ``[n]``, any unit.
        entry: ``[n]``, delayed entry: the patient is at risk in ``(entry, time]``.
        weights: ``[n]``, case weights.
        where: ``[n]`` booleans, False for patients that are not there.
        conf_type: scale of the confidence limits.

    Raises:
        InputError: see `check_survival`.

    Reference: Kaplan and Meier, JASA 53 (1958) 457; Kalbfleisch and Prentice (2002), section 1.4.

    >>> curve = kaplan_meier(np.array([1, 0, 1]), np.array([2.0, 3.0, 5.0]))
    >>> curve(np.array([1.9, 2.0, 4.0, 5.0])).round(3).tolist()
    [1.0, 0.667, 0.667, 0.0]
    """
    table = _checked_table(event, time, entry, weights, where)
    xp = array_module(*table)
    left = table.at_risk - table.events
    log_s = log_product_limit(table.at_risk, table.events)
    s = xp.exp(log_s)
    with np.errstate(divide="ignore", invalid="ignore"):
        gone = xp.where(table.events > 0, table.events / (table.at_risk * left), 0)
        error = xp.sqrt(xp.cumsum(gone))  # standard error of log S
        if conf_type == "log-log":
            spread = xp.exp(Z95 * error / log_s)
            lower, upper = xp.exp(log_s / spread), xp.exp(log_s * spread)
        elif conf_type == "log":
            lower, upper = s * xp.exp(-Z95 * error), s * xp.exp(Z95 * error)
        elif conf_type == "plain":
            lower, upper = s - Z95 * error * s, s + Z95 * error * s
        else:
            raise InputError(f"conf_type must be log-log, log or plain, got {conf_type!r}")
        before = log_s == 0  # no event yet: the interval is [1, 1], where R has NA for log-log
        lower, upper = (xp.where(before, 1, xp.clip(x, 0, 1)) for x in (lower, upper))
        lower, upper = (xp.where(s > 0, x, xp.nan) for x in (lower, upper))
        return KaplanMeier(table.times, s, s * error, lower, upper)


@read_arguments
def nelson_aalen(
    event: ArrayLike,
    time: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    where: ArrayLike | None = None,
) -> NelsonAalen:
    """Cumulative hazard H(t) = Σ_{t_k <= t} d_k / n_k. Arguments as in `kaplan_meier`.

    >>> nelson_aalen(np.array([1, 0, 1]), np.array([2.0, 3.0, 5.0])).cumulative_hazard.tolist()
    [0.333, 0.333, 1.333]
    """
    table = _checked_table(event, time, entry, weights, where)
    xp = array_module(*table)
    n = xp.where(table.events > 0, table.at_risk, 1)
    hazard, variance = xp.cumsum(table.events / n), xp.cumsum(table.events / n**2)
    return NelsonAalen(table.times, hazard, xp.sqrt(variance))


@read_arguments
def restricted_mean(curve: KaplanMeier, tau: ArrayLike | float) -> RestrictedMean:
    """Mean survival time up to tau, the area under the curve: ∫_0^tau S(t) dt.

    The variance is Σ_{t_k <= tau} (∫_{t_k}^tau S dt)² d_k / (n_k (n_k - d_k)).

    Args:
        curve: result of `kaplan_meier`.
        tau: end of the interval, in the unit of time.

    Raises:
        InputError: tau that is no number >= 0, or beyond the last time of a curve that has not come down
            to 0.

    >>> curve = kaplan_meier(np.array([1, 0, 1]), np.array([2.0, 3.0, 5.0]))
    >>> float(restricted_mean(curve, 5.0).mean)  # 2 · 1 + 3 · 2/3
    4.0
    """
    times, survival = curve.times, curve.survival
    xp = array_module(tau, *curve)
    if xp is np:
        last = times[np.isfinite(times)].max()  # infinity pads a curve that was made by ``jit``
        tau = at_known_times(tau, times)[()]
        if tau > last and survival[-1] > 0:
            raise InputError(f"tau = {float(tau):g} is beyond the data, which end at {last:g}")
        tau = min(tau, last)  # where the curve has come down to 0
    knots = xp.minimum(xp.concatenate([xp.zeros_like(times[:1]), times]), tau)
    pieces = xp.diff(knots, append=tau) * xp.concatenate([xp.ones_like(times[:1]), survival])
    after = reversed_cumsum(xp, pieces)  # area from each knot to tau
    relative = (curve.standard_error / xp.where(survival > 0, survival, 1)) ** 2
    steps = xp.diff(relative, prepend=0)
    variance = xp.sum(xp.where(after[1:] > 0, after[1:] ** 2 * steps, 0))
    return RestrictedMean(after[0], xp.sqrt(variance))
