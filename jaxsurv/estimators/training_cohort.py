"""Results of training beside the parameters: centres, held-out log hazards, baselines, a summary."""

from typing import NamedTuple

import numpy as np

from jaxsurv.arguments.labels import dense
from jaxsurv.metrics import concordance_index
from jaxsurv.recipe.curves import Baselines, baseline_sets, fit_baselines
from jaxsurv.recipe.members import Terms
from jaxsurv.types import ArrayLike, InputError


class TrainingCohort(NamedTuple):
    """Summary of the training cohort in a model file; no patient can be identified from it.

    Attributes:
        patients, events, unlabelled: numbers of patients.
        median_time, longest_time: follow-up, whether it ended in an event or not.
        time_unit: empty if unknown.
        percentiles: ``[101]``, percentiles 0 to 100 of the held-out log hazards.
        threshold: median held-out log hazard, above which a patient is of high risk.
        c: Harrell's C of the held-out log hazards within strata, with its 95 % interval, which is that of the
            patients alone and too narrow for a guess at new ones. With five seeds a row's log hazard is that
            of one network, which the row has stopped: C is too high for that (0.57 where nothing can be
            learned), and too low because new patients get the mean of all networks (0.62 for 0.67 with 300
            simulated patients). That of `Coxnet` is from the folds that chose its penalty. With entry, an
            event is compared with those at risk.
        causes: names of the causes 1, 2, ... of a model of all of them, whose events are of one; else empty.
    """

    patients: int
    events: int
    unlabelled: int
    median_time: float
    longest_time: float
    time_unit: str
    percentiles: tuple[float, ...]
    threshold: float
    c: tuple[float, float, float] | None
    causes: tuple[str, ...] = ()


class FittedTerms(NamedTuple):
    """A model as training left it, an ensemble of members.

    Attributes:
        terms: parameters; the leaves have a leading axis of members.
        center: ``[members]``, mean log hazard on the rows that each trained on.
        held_out: ``[n]``, log hazards by models that did not train on the row; NaN where all did.
    """

    terms: Terms
    center: np.ndarray
    held_out: np.ndarray


def describe_training(
    trained: FittedTerms,
    event: np.ndarray,
    time: np.ndarray,
    entry: np.ndarray | None,
    strata: np.ndarray | None,
    *,
    time_unit: str,
    patients: ArrayLike | None = None,
) -> tuple[Baselines, TrainingCohort]:
    """Baseline hazards and summary, from rows that are held out from some member.

    Fitted log hazards of the rows themselves are too far apart; with them survival curves of new
    patients would be too sure.

    Args:
        trained: model of n rows.
        event, time: ``[n]``, NaN where there is no outcome.
        entry: ``[n]`` delayed entry, or None.
        strata: ``[n]`` labels, or None.
        time_unit: unit of the times.
        patients: ``[n]`` patient of each row, or None: each row is one.
    """
    labelled, risk = ~np.isnan(time), trained.held_out
    who = np.arange(len(time)) if patients is None else dense(np.asarray(patients))
    last = np.full(len(time), -1.0)
    np.maximum.at(last, who[labelled], time[labelled])
    rows = labelled & ~np.isnan(risk)
    if not np.isfinite(risk[rows]).all() or not np.isfinite(trained.center).all():
        raise InputError(
            "the training diverged: a log hazard is not finite; lower the learning rate"
        )
    risk, e, t = risk[rows].astype(np.float32), event[rows], time[rows]
    entered, strata = (None if a is None else a[rows] for a in (entry, strata))
    # log hazards are centred, so that a file need not hold log values as well
    pooled, own = fit_baselines(risk, baseline_sets(e, t, entry=entered, strata=strata))
    own = None if own is None else own._replace(log_values=None)
    return Baselines(pooled._replace(log_values=None), own), TrainingCohort(
        patients=len(np.unique(who[labelled])),
        events=int(event[labelled].sum()),
        unlabelled=int((~labelled).sum()),
        median_time=float(np.median(last[last >= 0])),
        longest_time=float(time[labelled].max()),
        time_unit=time_unit,
        percentiles=tuple(float(q) for q in np.percentile(risk, np.arange(101))),
        threshold=float(np.median(risk)),
        c=_concordance(risk, e, t, strata, entered, None if patients is None else who[rows]),
    )


def _concordance(
    risk: np.ndarray,
    event: np.ndarray,
    time: np.ndarray,
    strata: np.ndarray | None,
    entry: np.ndarray | None,
    who: np.ndarray | None,
) -> tuple[float, float, float] | None:
    """C with its interval, over patients ``who [n]`` or rows; None where they are too few for them."""
    try:
        c = concordance_index(risk, event, time, strata=strata, entry=entry)
    except InputError:
        return None
    if who is not None:  # the rows of a patient are not independent
        error = np.sqrt(np.sum(np.bincount(who, np.asarray(c.influence)) ** 2))
        c = c._replace(standard_error=error)
    lower, upper = c.interval()
    return None if np.isnan(lower) else (float(c.index), lower, upper)
