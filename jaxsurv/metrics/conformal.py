"""Conformal lower bounds of survival times from any survival curves, under right censoring."""

import numpy as np

from jaxsurv.arguments.columns import first_rows
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival.censoring import censoring_curve
from jaxsurv.survival.validation import check_known, check_survival, check_times, check_vectors
from jaxsurv.types import ArrayLike, InputError

LEAST = 0.5  # chance of being followed up to the cutoff that is chosen


@read_arguments
def follow_up_cutoff(event: ArrayLike, time: ArrayLike) -> float:
    """The last time up to which at least half of the patients would be followed, were there no events.

    Args:
        event: ``[m]``, 1 = observed, 0 = censored.
        time: ``[m]``.
    """
    curve = censoring_curve(event, time)
    followed = np.asarray(curve.before(np.asarray(curve.times))) >= LEAST
    return float(np.asarray(curve.times)[followed].max())


@read_arguments
def conformal_lower_bound(
    survival: ArrayLike,
    times: ArrayLike,
    *,
    survival_at_t: ArrayLike,
    event: ArrayLike,
    time: ArrayLike,
    cutoff: float,
    level: float = 0.95,
    censoring_at_t: ArrayLike | None = None,
    censoring: ArrayLike | None = None,
) -> np.ndarray:
    """Lower bounds of survival times that ``level`` of new patients outlive, whatever the curves are worth.

    With U the smaller of survival time and cutoff c, a calibration patient's score is S(U | x), which is
    known if the event was observed up to c, or the patient was followed to c; it then weighs
    1 / P(C >= U | x). Eta(t) is the ``level`` quantile of the scores, with a score of infinity and weight
    1 / P(C >= t | x) for the new patient. The bound is the last of ``times`` before the first with
    S(t | x) <= eta(t), at most c.

    Coverage is over calibration and new patients together, not for each x, and holds if P(C >= u | x) is
    right; the curves decide how high the bounds are. Candès, Lei and Ren know all times of censoring, keep
    the patients with C >= c and weigh them by 1 / P(C >= c | x); here C is known of the censored alone, so
    that every observed event weighs by its own time.

    Args:
        survival: ``[n, t]``, curves of new patients.
        times: ``[t]``, ascending, their times; no bound lies between two of them.
        survival_at_t: ``[m]``, S(min(time, cutoff) | x) of calibration patients, who trained no model.
        event: ``[m]``, 1 = observed, 0 = censored.
        time: ``[m]``, > 0.
        cutoff: c, > 0, within the follow-up; see `follow_up_cutoff`.
        level: probability that a bound holds, in (0, 1).
        censoring_at_t: ``[m]``, P(C >= min(time, cutoff) | x); None = Kaplan-Meier's of all.
        censoring: ``[n, t]``, P(C >= t | x) of new patients at ``times``; None = Kaplan-Meier's of all.

    Returns:
        Bounds ``[n]``, in the unit of the times; 0 where too few calibration patients are known.

    Raises:
        InputError: bad shapes or values; a cutoff beyond the follow-up; only one of the two probabilities.

    Reference: Candès, Lei and Ren, J. R. Stat. Soc. B 85 (2023) 24; weights by the time of the event as in
    inverse probability of censoring weighting.
    """
    check_known(survival=survival, event=event, time=time)
    check_survival(event, time, survival_at_t=survival_at_t)
    check_times(times, "times")
    curves, times, time = (np.asarray(x, float) for x in (survival, times, time))
    if curves.ndim != 2 or curves.shape[1] != times.size:
        raise InputError(f"survival must have shape [n, {times.size}], got {list(curves.shape)}")
    if not 0 < level < 1:
        raise InputError(f"level must be above 0 and below 1, got {level}")
    if not 0 < cutoff <= time.max():
        raise InputError(
            f"cutoff {cutoff:g} is beyond the follow-up, which ends at {time.max():g}, or not > 0; choose "
            "one that patients reach, such as follow_up_cutoff(event, time)"
        )
    if (censoring_at_t is None) != (censoring is None):
        raise InputError("give both or none of censoring_at_t and censoring")
    curves, times = (x[..., times <= cutoff] for x in (curves, times))
    known = (time >= cutoff) | (np.asarray(event) > 0)
    if censoring_at_t is None:
        curve = censoring_curve(event, time)
        followed = np.asarray(curve.before(np.minimum(time, cutoff)))
        to_times = np.broadcast_to(np.asarray(curve.before(times)), curves.shape)
    else:
        followed, to_times = np.asarray(censoring_at_t), np.asarray(censoring)
        check_vectors(time=time, censoring_at_t=followed)
        if to_times.shape != np.shape(survival):
            raise InputError(
                f"censoring must be as survival, {np.shape(survival)}, got {to_times.shape}"
            )
        to_times = to_times[:, : times.size]
    for name, p in (("censoring_at_t", followed[known]), ("censoring", to_times)):
        if (bad := ~((p > 0) & (p <= 1))).any():
            rows = first_rows(bad if bad.ndim == 1 else bad.any(axis=1))
            raise InputError(f"{name} must be above 0 and at most 1, is not in {rows}")
    score = np.asarray(survival_at_t, float)[known]
    order = np.argsort(score)
    weight = np.cumsum(1 / followed[known][order])
    total = weight[-1] if weight.size else 0.0
    place = np.searchsorted(weight, level * (total + 1 / to_times) * (1 - 1e-12))
    above = curves > np.append(score[order], np.inf)[place]
    return np.append(0, times)[np.sum(np.logical_and.accumulate(above, axis=1), axis=1)]
