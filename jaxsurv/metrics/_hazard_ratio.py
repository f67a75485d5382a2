"""Hazard ratio of patients with a high predicted risk against patients with a low one."""

from typing import Any, Literal, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxsurv.arguments.labels import encoded
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.arguments.settings import one
from jaxsurv.survival._kaplan_meier import Z95
from jaxsurv.survival.logrank import GroupCounts, group_counts, logrank_of_counts
from jaxsurv.survival.validation import array_module, check_survival, is_concrete
from jaxsurv.types import Array, ArrayLike, InputError

_STEPS = 25
_FARTHEST = 15.0  # a log hazard ratio this far out means that one group has all the events


class HazardRatio(NamedTuple):
    """Attributes:
    hazard_ratio: hazard of the high-risk over the low-risk group; > 1 if the split is right.
    lower, upper: 95 % Wald limits.
    p_value: p-value of the log-rank test of the two groups.
    log_hazard_ratio, standard_error: estimates of the Cox model with the group as only covariate.
    threshold: patients with ``risk > threshold`` are the high-risk group.
    """

    hazard_ratio: Array
    lower: Array
    upper: Array
    p_value: Array
    log_hazard_ratio: Array
    standard_error: Array
    threshold: Array


def _log_hazard_ratio(counts: GroupCounts) -> tuple[Any, Any]:
    """Newton's method for the Cox model with one binary covariate, ties after Efron."""
    xp = array_module(*counts)
    tied = counts.tied.sum(1)
    fraction = counts.earlier / xp.maximum(tied, 1)
    high, low = (counts.at_risk - fraction[:, None] * counts.tied).T
    events = counts.died.sum(1)

    def share(b: Any) -> Any:
        weighted = high * xp.exp(b)
        return weighted / xp.where(events > 0, low + weighted, 1)

    def curvature(b: Any) -> Any:
        return xp.sum(events * share(b) * (1 - share(b)))

    def newton(_: int, b: Any) -> Any:
        score = xp.sum(counts.died[:, 0] - events * share(b))
        step = xp.clip(score / xp.maximum(curvature(b), 1e-9), -2, 2)
        return xp.clip(b + step, -_FARTHEST, _FARTHEST)

    b = xp.zeros((), tied.dtype)
    if xp is np:
        for step in range(_STEPS):
            b = newton(step, b)
    else:
        b = lax.fori_loop(0, _STEPS, newton, b)
    return b, curvature(b) ** -0.5


@read_arguments
def hazard_ratio(
    risk: ArrayLike,
    event: ArrayLike,
    time: ArrayLike,
    *,
    split: Literal["median"] | float = "median",
    entry: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    where: ArrayLike | None = None,
) -> HazardRatio:
    """Split the patients by risk and compare the two groups: Cox hazard ratio and log-rank p.

    A median split of the patients on whom the model was chosen is optimistic. To judge other
    patients, pass the threshold of the training set as ``split``.

    Args:
        risk: ``[n]``, higher = worse.
        event: ``[n]``, 1 = observed, 0 = censored. Ties after Efron.
        time: ``[n]``, any unit.
        split: threshold, or ``"median"``, the median of the given risks.
        entry: ``[n]``, delayed entry: the patient is at risk in ``(entry, time]``.
        strata: ``[n]`` labels of any type (integers under ``jit``); the groups are compared within strata, at
            one threshold.
        where: ``[n]`` booleans, False for patients that are not there.

    Raises:
        InputError: malformed input (see `check_survival`); all risks on one side of the split; no event
            while both groups are at risk.

    >>> time = np.arange(1.0, 9)
    >>> hr = hazard_ratio(np.array([8.0, 7, 3, 6, 5, 4, 2, 1]), np.ones(8), time)
    >>> f"{hr.hazard_ratio:.2f} ({hr.lower:.2f} to {hr.upper:.2f}), p = {hr.p_value:.3f}"
    '6.85 (0.75 to 62.94), p = 0.051'
    """
    n = check_survival(event, time, risk=risk, entry=entry, strata=strata, where=where)
    strata = None if strata is None else encoded(strata)[0]
    xp = array_module(risk, event, time, split, entry, strata, where)
    number = float if xp is np else jnp.result_type(float)
    here = xp.ones(n, bool) if where is None else xp.asarray(where).astype(bool)
    scores = xp.asarray(risk, number)
    if split == "median":
        threshold = xp.nanmedian(xp.where(here, scores, xp.nan))
    else:
        given = xp.asarray(risk).dtype  # 0.1 is no float32
        threshold = xp.asarray(one()("split", split), given if given.kind == "f" else number)
        threshold = threshold.astype(number)
    high = scores > threshold
    if is_concrete(high) and len(np.unique(np.asarray(high)[np.asarray(here)])) < 2:
        raise InputError(f"all risks are on one side of the split at {float(threshold):g}")
    member = xp.stack([high, ~high], 1)
    counts = group_counts(event, time, member, strata, where, entry)
    test = logrank_of_counts(counts)
    if is_concrete(test.degrees_of_freedom) and test.degrees_of_freedom < 1:
        raise InputError("no event while both groups are at risk: no hazards to compare")
    b, error = _log_hazard_ratio(counts)
    ends = xp.abs(b) >= _FARTHEST
    ratio = xp.where(ends, xp.where(b > 0, xp.inf, 0), xp.exp(b))
    with np.errstate(over="ignore"):
        lower, upper = xp.exp(b - Z95 * error), xp.exp(b + Z95 * error)
    lower, upper = xp.where(ends, 0, lower), xp.where(ends, xp.inf, upper)
    return HazardRatio(ratio, lower, upper, test.p_value, b, error, threshold)
