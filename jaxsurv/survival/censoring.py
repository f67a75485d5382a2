"""The censoring distribution and inverse-probability-of-censoring weights."""

from typing import Any, NamedTuple

import numpy as np

from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival._kaplan_meier import log_product_limit
from jaxsurv.survival.life_table import life_table, step_at
from jaxsurv.survival.ties import at_known_times
from jaxsurv.survival.validation import array_module, check_no_nan, check_survival, is_concrete
from jaxsurv.types import Array, ArrayLike, InputError


class CensoringCurve(NamedTuple):
    """Censoring curve G(t), the probability of not being censored up to and including t.

    Attributes:
        times: ``[m]``, ascending, as in `KaplanMeier`.
        survival: ``[m]``, G at and after each time.
    """

    times: Array
    survival: Array

    @read_arguments
    def before(self, times: ArrayLike) -> Array:
        """G(t-) = P(C >= t), the probability of being under observation at t; all weights use it."""
        check_no_nan(times)
        return step_at(times, self.times, self.survival, initial=1.0, left=True)


@read_arguments
def censoring_curve(
    event: ArrayLike,
    time: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    where: ArrayLike | None = None,
) -> CensoringCurve:
    """The product-limit estimate of the censoring distribution, Π (1 - c_k / (n_k - d_k)).

    At equal times events come before censorings: the d_k patients with an event are no longer at
    risk of being censored. R and scikit-survival do the same; scikit-survival evaluates G at t, not
    at t-.

    Args:
        event: ``[n]``, 1 = observed, 0 = censored.
        time: ``[n]``, any unit.
        weights: ``[n]``, case weights.
        where: ``[n]`` booleans, False for patients that are not there.

    >>> curve = censoring_curve(np.array([0, 1, 0, 1]), np.array([1.0, 2.0, 2.0, 3.0]))
    >>> curve.survival.tolist(), curve.before(np.array([2.0])).tolist()
    ([0.75, 0.375, 0.375], [0.75])
    """
    check_survival(event, time, weights=weights, where=where)
    table = life_table(event, time, weights=weights, where=where)
    log_g = log_product_limit(table.at_risk - table.events, table.censored)
    return CensoringCurve(table.times, array_module(log_g).exp(log_g))


def check_follow_up(curve: CensoringCurve, latest: Any, name: str) -> None:
    """Refuse a time beyond the last time of the training set, where G is 0 or not known."""
    if not (is_concrete(latest) and is_concrete(curve.times)):
        return
    end, zero = curve.times[-1], curve.survival[-1] == 0
    if at_known_times(latest, curve.times) <= end:
        return
    raise InputError(
        f"{name} {float(latest):g} is beyond the follow-up of the training data, which ends at "
        f"{end:g}: {'the censoring estimate is 0' if zero else 'censoring is not known'} there; "
        f"choose tau or times <= {end:g}"
    )


def inverse_censoring_weights(curve: CensoringCurve, times: Any, needed: Any) -> Any:
    """Weights 1 / G(t-) at ``times [k]`` where ``needed [k]``, otherwise 0.

    Raises:
        InputError: a needed time is beyond the follow-up of the curve. While ``jit`` traces, the
            weight is NaN where G is 0.
    """
    xp = array_module(times, needed, *curve)
    times = xp.asarray(times)
    if xp is np:
        weights, times = np.zeros(times.shape), times[needed]
        check_follow_up(curve, times.max() if times.size else 0.0, "time")
        weights[needed] = 1 / curve.before(times)
        return weights
    g = curve.before(times)
    return xp.where(needed, 1 / xp.where(g > 0, g, xp.nan), 0)
