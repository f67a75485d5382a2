"""Uno's concordance: pairs weighted by the inverse probability of censoring."""

from typing import Any

from jaxsurv.arguments.reading import read_arguments
from jaxsurv.metrics.concordance import until
from jaxsurv.survival.censoring import censoring_curve, check_follow_up, inverse_censoring_weights
from jaxsurv.survival.concordance import Concordance, pairwise_concordance
from jaxsurv.survival.validation import array_module, check_survival
from jaxsurv.types import ArrayLike


@read_arguments
def concordance_index_ipcw(
    risk: ArrayLike,
    event: ArrayLike,
    time: ArrayLike,
    *,
    train_event: ArrayLike,
    train_time: ArrayLike,
    tau: ArrayLike | float | None = None,
    weights: ArrayLike | None = None,
    where: ArrayLike | None = None,
) -> Concordance:
    """Uno's C: Harrell's C with each pair weighted by 1 / G(t-)², t the time of its event.

    G is the censoring distribution, estimated in the training set. Unlike Harrell's C, the estimated
    quantity does not depend on the censoring of the study, if tau is within the follow-up. The
    standard error is the infinitesimal jackknife with G taken as known, as in R's
    ``concordance(timewt = "n/G2")``; with training set = test set, R's index is this one.

    scikit-survival weights by G(t) instead of G(t-), which matters where an event and a censoring
    have the same time. It counts events before tau, but not at tau. The index differs by up to 0.01
    (docs/differences.md).

    Args:
        risk: ``[n]``, higher = worse.
        event: ``[n]``, 1 = observed, 0 = censored.
        time: ``[n]``, any unit.
        train_event, train_time: ``[m]``, outcome of the training set.
        tau: last event time that counts; None = all events.
        weights: ``[n]``, case weights.
        where: ``[n]`` booleans, False for patients that are not there.

    Raises:
        InputError: malformed input (see `check_survival`); tau or an event beyond the training
            follow-up, where the censoring estimate is 0 or not known; no comparable pair.

    Reference: Uno et al., Stat. Med. 30 (2011) 1105.

    The event at time 3 counts 2.25 times, since a third of those at risk at time 2 were censored then:

    >>> import numpy as np
    >>> event, time = np.array([1, 0, 1, 0]), np.array([1.0, 2.0, 3.0, 4.0])
    >>> risk = np.array([4.0, 3.0, 1.0, 2.0])
    >>> c = concordance_index_ipcw(risk, event, time, train_event=event, train_time=time)
    >>> float(c.concordant), float(c.discordant)
    (3.0, 2.25)
    """
    check_survival(event, time, weights=weights, where=where, risk=risk)
    curve = censoring_curve(train_event, train_time)
    xp = array_module(event, time, tau, where, *curve)
    time = xp.asarray(time)
    counts: Any = xp.asarray(event).astype(bool)
    if where is not None:
        counts = counts & xp.asarray(where).astype(bool)
    if tau is not None:
        counts = counts & until(time, tau)
        check_follow_up(curve, tau, "tau")
    inverse = inverse_censoring_weights(curve, time, counts)
    return pairwise_concordance(
        risk, event, time, event_weight=inverse**2, weights=weights, where=where
    )
