"""Quality of predicted cumulative incidences, where other causes compete.

A patient with another cause will never have the event: such a patient is later than all in a concordance, a
control of an AUC for good, and has a right answer of 0 in a Brier score. Treated as censored, the patient
would count as someone who may still have it. All functions run on the host, not inside ``jit``.
"""

from typing import Any

import numpy as np

from jaxsurv.arguments.reading import read_arguments
from jaxsurv.metrics.concordance import Concordance, pairwise_concordance, until
from jaxsurv.metrics.dynamic_auc import DynamicAUC, auc_of_weights, checked_risk
from jaxsurv.metrics.prediction_error import (
    case_control_weights,
    check_integral,
    mean_squared_error,
    time_average,
)
from jaxsurv.survival.causes import check_competing
from jaxsurv.survival.competing_risks import aalen_johansen
from jaxsurv.survival.ties import merge_near_ties
from jaxsurv.survival.validation import check_curves, check_known, check_probabilities, check_times
from jaxsurv.types import Array, ArrayLike, taking


@read_arguments
def concordance_index_competing(
    risk: ArrayLike,
    code: ArrayLike,
    time: ArrayLike,
    *,
    cause: int = 1,
    weights: ArrayLike | None = None,
    where: ArrayLike | None = None,
    tau: ArrayLike | float | None = None,
) -> Concordance:
    """Harrell's C for one of several causes: patients with another cause are later than all.

    A pair is comparable if the earlier time is an event of the cause, or if one patient has an event of the
    cause and the other an event of another cause, whenever that was. Censoring is not weighted for; equals
    `concordance_index` if there is one cause.

    Args:
        risk: ``[n]``, such as the predicted incidence at a horizon; higher = the event comes, or is sooner.
        code: ``[n]``, 0 = censored, 1, 2, ..., K = cause of the event.
        time: ``[n]``, any unit.
        cause: cause of interest.
        weights: ``[n]``, case weights; the weight of a pair is the product.
        where: ``[n]`` booleans, False for patients that are not there.
        tau: last event time that counts; None = all events.

    Raises:
        InputError: codes that are not 0, 1, ..., K, each with an event; no comparable pair.

    Reference: Wolbers et al., Epidemiology 20 (2009) 555; Biostatistics 15 (2014) 526.

    The patient who died of another cause at time 1 is a right answer for both events, at the lowest risk:

    >>> code, time = np.array([2, 1, 1]), np.array([1.0, 2.0, 3.0])
    >>> c = concordance_index_competing(np.array([0.1, 0.5, 0.9]), code, time)
    >>> float(c.concordant), float(c.discordant)
    (2.0, 1.0)
    """
    check_known(risk=risk, tau=tau)
    codes, here, _ = check_competing(
        code, time, cause=cause, weights=weights, where=where, risk=risk
    )
    merged = np.asarray(merge_near_ties(time, where=here)[0])
    place = np.unique(merged, return_inverse=True)[1]
    other = (codes > 0) & (codes != cause)
    return pairwise_concordance(
        risk,
        codes == cause,
        np.where(other, place.size, place),
        event_weight=1.0 if tau is None else 1.0 * until(merged, tau),
        weights=weights,
        where=where,
    )


@read_arguments
def brier_score_competing(
    incidence: ArrayLike,
    times: ArrayLike,
    code: ArrayLike,
    time: ArrayLike,
    *,
    cause: int = 1,
    train_code: ArrayLike,
    train_time: ArrayLike,
    where: ArrayLike | None = None,
) -> Array:
    """Mean squared error of F(t | x) as a prediction of an event of the cause by t, for each of ``times``.

    BS(t) = 1/n Σ_i [ (F_i(t) - 1{cause_i})² 1{event of any cause by t} / G(t_i-)
    + F_i(t)² 1{event-free at t} / G(t-) ]

    with G the censoring distribution in the training set. A patient censored at t is event-free at t;
    riskRegression leaves such patients out. With one cause it is ``brier_score(1 - incidence, ...)``.

    Args:
        incidence: ``[n, t]``, predicted cumulative incidence F(times | x) of the cause.
        times: ``[t]``, ascending, without repeats.
        code: ``[n]``, 0 = censored, 1, 2, ..., K = cause of the event.
        time: ``[n]``, follow-up time in the unit of ``times``.
        cause: cause of interest.
        train_code, train_time: ``[m]``, outcome of the training set.
        where: ``[n]`` booleans, False for patients that are not there.

    Returns:
        Scores ``[t]``.

    Raises:
        InputError: codes that, with those of the training set, are not 0, 1, ..., K, each with an event;
            incidence not ``[n, t]`` or outside [0, 1]; a time beyond the follow-up.

    Reference: Gerds and Schumacher, Biom. J. 48 (2006); Schoop et al., Biom. J. 53 (2011) 88.

    >>> code, time = np.array([1, 2, 1, 0]), np.array([1.0, 2.0, 3.0, 4.0])
    >>> f = np.array([[1.0], [0.5], [0.0], [0.0]])
    >>> brier_score_competing(
    ...     f, np.array([2.5]), code, time, train_code=code, train_time=time
    ... ).tolist()
    [0.0625]
    """
    codes, _, weights = _weights(code, time, cause, times, train_code, train_time, where)
    check_known(incidence=incidence)
    incidence = np.asarray(check_curves(incidence, times, codes.size, "incidence"))
    check_probabilities("incidence", incidence)
    return mean_squared_error(1 - incidence, weights, where, 1.0 * (codes != cause))


@read_arguments
@taking(brier_score_competing)
def integrated_brier_score_competing(
    incidence: ArrayLike, times: ArrayLike, *outcome: ArrayLike, **options: Any
) -> Array:
    """Score of `brier_score_competing` averaged over ``[times[0], times[-1]]`` by the trapezoid rule.

    Arguments as in `brier_score_competing`.

    Raises:
        InputError: any error of `brier_score_competing`; fewer than two times.
    """
    check_integral(times)
    return time_average(brier_score_competing(incidence, times, *outcome, **options), times)  # type: ignore[misc]


@read_arguments
def cumulative_dynamic_auc_competing(
    risk: ArrayLike,
    times: ArrayLike,
    code: ArrayLike,
    time: ArrayLike,
    *,
    cause: int = 1,
    train_code: ArrayLike,
    train_time: ArrayLike,
    where: ArrayLike | None = None,
) -> DynamicAUC:
    """Area under the ROC curve at each t: patients with an event of the cause up to t against all others.

    Controls are patients who are event-free at t, of weight 1 / G(t-), and those with another cause up to t,
    of weight 1 / G(t_j-), as in riskRegression and timeROC's second definition. The standard error takes G as
    known, and the mean is weighted by the rise of the cause's cumulative incidence.

    Args:
        risk: ``[n]``, or ``[n, t]`` if it changes with time, such as F(t | x). Higher = worse.
        times: ``[t]``, ascending.
        code: ``[n]``, 0 = censored, 1, 2, ..., K = cause of the event.
        time: ``[n]``, follow-up time in the unit of ``times``.
        cause: cause of interest.
        train_code, train_time: ``[m]``, outcome of the training set.
        where: ``[n]`` booleans, False for patients that are not there.

    Raises:
        InputError: codes that, with those of the training set, are not 0, 1, ..., K, each with an event; a
            time beyond the follow-up, with no event of the cause up to it, or with no controls.

    Reference: Blanche, Dartigues and Jacqmin-Gadda, Stat. Med. 32 (2013) 5381.

    >>> code, time = np.array([1, 2, 1, 0]), np.array([1.0, 2.0, 3.0, 4.0])
    >>> risk, times = np.array([3.0, 4.0, 2.0, 1.0]), np.array([2.5])
    >>> found = cumulative_dynamic_auc_competing(
    ...     risk, times, code, time, train_code=code, train_time=time
    ... )
    >>> round(float(found.auc[0]), 3)  # above two of three controls, below the competing death
    0.667
    """
    check_known(risk=risk)
    codes, here, weights = _weights(code, time, cause, times, train_code, train_time, where)
    after, until_own, control = weights
    passed = np.arange(control.size)[None] >= until_own[:, None]
    weight = np.where(passed, after[:, None], control[None]) * here[:, None]
    is_case = passed & (codes == cause)[:, None]
    risk = np.asarray(checked_risk(risk, times, codes))
    auc, error = auc_of_weights(risk, times, weight * is_case, weight * ~is_case)
    of_cause = np.where(codes == cause, 1, 2 * (codes > 0))
    rise = np.diff(aalen_johansen(of_cause[here], np.asarray(time)[here])(times)[:, 0], prepend=0)
    return DynamicAUC(auc, error, np.sum(auc * rise) / np.sum(rise))


def _weights(
    code: Any, time: Any, cause: int, times: Any, train_code: Any, train_time: Any, where: Any
) -> tuple[np.ndarray, np.ndarray, tuple[Any, Any, Any]]:
    """Checked codes ``[n]``, rows that are there ``[n]``, and `case_control_weights` of any event."""
    check_known(times=times, train_time=train_time)
    codes, here, _ = check_competing(code, time, cause=cause, where=where, train_code=train_code)
    check_times(times)
    return (
        codes,
        here,
        case_control_weights(times, codes > 0, time, np.asarray(train_code) > 0, train_time, where),
    )
