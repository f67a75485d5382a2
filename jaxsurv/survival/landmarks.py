"""Landmark analysis: who is at risk at a time, with which row, and the outcome from then on."""

from typing import NamedTuple

import numpy as np

from jaxsurv.arguments.labels import dense
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival.causes import check_codes
from jaxsurv.survival.ties import at_known_times, merge_near_ties
from jaxsurv.survival.validation import check_known, check_survival, check_vectors
from jaxsurv.types import ArrayLike, InputError


class Landmark(NamedTuple):
    """Patients at risk at a landmark, one row each.

    Attributes:
        rows: ``[k]``, number of the row that holds at the landmark, ascending.
        event: ``[k]``, 1 = observed (or the code of the cause) after the landmark, up to the horizon.
        time: ``[k]``, follow-up after the landmark, > 0, at most the horizon.
    """

    rows: np.ndarray
    event: np.ndarray
    time: np.ndarray


@read_arguments
def landmark(
    event: ArrayLike,
    time: ArrayLike,
    at: float,
    *,
    entry: ArrayLike | None = None,
    patient: ArrayLike | None = None,
    horizon: float | None = None,
) -> Landmark:
    """Rows of the patients at risk at a landmark, and their outcome from then on.

    Of each patient the row with ``entry <= at < time`` is taken: what is measured at the landmark is known.
    Who has had the event, has been censored or has not entered is left out. Follow-up goes on through the
    patient's later rows up to the first gap between them; there it is censored, and at the horizon. Any
    metric of one row per patient can be computed from ``event`` and ``time``, with the predictions of
    ``rows``; so no prediction knows a covariate that was measured later (van Houwelingen, Scand. J. Stat.
    34 (2007) 70).

    Args:
        event: ``[n]``, 1 = observed, 0 = censored, or codes of causes; only a patient's last row has one.
        time: ``[n]``, end of the row, any unit.
        at: the landmark, in the unit of ``time``.
        entry: ``[n]``, begin of the row, which is at risk in ``(entry, time]``; None = 0.
        patient: ``[n]`` labels of the patients, of whom each may have several rows; None = one row each.
        horizon: follow-up after the landmark that counts; None = all.

    Raises:
        InputError: a landmark after the last follow-up, or with nobody at risk; rows of one patient that
            overlap; see `check_survival`.

    >>> event, time = np.array([0, 1, 1, 0]), np.array([2.0, 9.0, 3.0, 7.0])
    >>> entry, patient = np.array([0.0, 2.0, 0.0, 0.0]), ["a", "a", "b", "c"]
    >>> landmark(event, time, 4, entry=entry, patient=patient, horizon=4)
    Landmark(rows=array([1, 3]), event=array([0, 0]), time=array([4., 3.]))
    """
    check_known(event=event, time=time, entry=entry, patient=patient, at=at)
    n = check_vectors(event=event, time=time, entry=entry, patient=patient)
    if horizon is not None and not horizon > 0:
        raise InputError(f"horizon must be > 0, the follow-up after the landmark; got {horizon:g}")
    codes = check_codes("event", event)
    check_survival(codes > 0, time, entry=entry)
    time, since = np.asarray(time, float), np.zeros(n)
    if entry is not None:
        time, since = merge_near_ties(time, np.asarray(entry, float))
    at = float(at_known_times(at, np.concatenate([time, since])))
    who = np.arange(n) if patient is None else dense(patient)
    order = np.lexsort((since, who))
    codes, time, since, who = codes[order], time[order], since[order], who[order]
    same = who[1:] == who[:-1]
    if (bad := same & (since[1:] < time[:-1])).any():
        k = int(np.flatnonzero(bad)[0])
        raise InputError(
            f"rows {order[k]} and {order[k + 1]} of one patient overlap: ({since[k]:g}, {time[k]:g}] and "
            f"({since[k + 1]:g}, {time[k + 1]:g}]; a row ends where the next begins"
        )
    if (bad := same & (codes[:-1] > 0)).any():
        raise InputError(
            f"row {order[:-1][bad][0]} has an event and is not the last of its patient; after an event a "
            "patient is not at risk"
        )
    if at >= time.max():
        raise InputError(
            f"the landmark {at:g} is not before the last follow-up, which ends at {time.max():g}; take an "
            "earlier one"
        )
    here = (since <= at) & (at < time)
    if not here.any():
        raise InputError(
            f"nobody is at risk at the landmark {at:g}; take another, such as {time.max() / 2:g}"
        )
    ends = np.append(~(same & (since[1:] == time[:-1])), True)
    last = np.flatnonzero(ends)[np.cumsum(ends) - ends][here]  # of the rows without a gap
    until = np.inf if horizon is None else at_known_times(at + float(horizon), time)
    event = np.where(time[last] <= until, codes[last], 0)
    after = np.minimum(time[last], until) - at
    ascending = np.argsort(order[here])
    return Landmark(order[here][ascending], event[ascending], after[ascending])
