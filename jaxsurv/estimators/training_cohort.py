"""Results of training beside the parameters: centres, held-out log hazards, baselines, a summary."""

from typing import NamedTuple

import numpy as np

from jaxsurv.metrics import concordance_index
from jaxsurv.recipe.curves import Baselines, baseline_sets, fit_baselines
from jaxsurv.recipe.members import Terms
from jaxsurv.types import InputError


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
            simulated patients). That of `Coxnet` is from the folds that chose its penalty. Delayed entry
            does not count.
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
    """
    labelled, risk = ~np.isnan(time), trained.held_out
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
        patients=int(labelled.sum()),
        events=int(event[labelled].sum()),
        unlabelled=int((~labelled).sum()),
        median_time=float(np.median(time[labelled])),
        longest_time=float(time[labelled].max()),
        time_unit=time_unit,
        percentiles=tuple(float(q) for q in np.percentile(risk, np.arange(101))),
        threshold=float(np.median(risk)),
        c=_concordance(risk, e, t, strata),
    )


def _concordance(
    risk: np.ndarray, event: np.ndarray, time: np.ndarray, strata: np.ndarray | None
) -> tuple[float, float, float] | None:
    """C with its interval; None where patients are too few for them."""
    try:
        c = concordance_index(risk, event, time, strata=strata)
    except InputError:
        return None
    lower, upper = c.interval()
    return None if np.isnan(lower) else (float(c.index), lower, upper)
