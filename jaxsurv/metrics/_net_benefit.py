"""Decision curves: what it is worth to act on a predicted risk, under censoring."""

from typing import Any, NamedTuple

import numpy as np

from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival.ties import at_known_times, merge_near_ties
from jaxsurv.survival.validation import (
    check_known,
    check_probabilities,
    check_survival,
    check_times,
)
from jaxsurv.types import ArrayLike, InputError

_CELLS = 2**22  # numbers held at once


class NetBenefitDifference(NamedTuple):
    """Attributes:
    difference: ``[k]``, first net benefit minus the second.
    lower, upper: ``[k]``, percentile limits over the same bootstrap samples.
    """

    difference: Any
    lower: Any
    upper: Any


class NetBenefit(NamedTuple):
    """Net benefit at each threshold; that of treating nobody is 0.

    Attributes:
        thresholds: ``[k]``, ascending.
        net_benefit: ``[k]``, treat those with a risk at or above the threshold; NaN where none of them is
            followed up to the horizon.
        lower, upper: ``[k]``, bootstrap percentile limits.
        treat_all: ``[k]``, treat everybody.
        treated: ``[k]``, share of the patients at or above the threshold.
        samples: ``[n_samples, k]``, net benefit in each bootstrap sample.
        level: coverage of the limits.
    """

    thresholds: Any
    net_benefit: Any
    lower: Any
    upper: Any
    treat_all: Any
    treated: Any
    samples: Any
    level: float

    def minus(self, other: "NetBenefit") -> NetBenefitDifference:
        """Difference from another risk of the same patients, at the same thresholds and seed.

        Raises:
            InputError: other thresholds, or another number of samples.
        """
        same = np.array_equal(self.thresholds, other.thresholds)
        if not same or self.samples.shape != other.samples.shape:
            raise InputError("compare net benefits at the same thresholds, n_samples and seed")
        lower, upper = _limits(self.samples - other.samples, self.level)
        return NetBenefitDifference(self.net_benefit - other.net_benefit, lower, upper)


@read_arguments
def net_benefit(
    risk_at_t: ArrayLike,
    event: ArrayLike,
    time: ArrayLike,
    horizon: ArrayLike | float,
    thresholds: ArrayLike,
    *,
    where: ArrayLike | None = None,
    n_samples: int = 500,
    level: float = 0.95,
    seed: int = 0,
) -> NetBenefit:
    """Net benefit of treating those whose predicted risk is at or above a threshold q::

        NB(q) = P(risk >= q) [F - (1 - F) q / (1 - q)]

    with F the probability of the event by the horizon among them, 1 - Kaplan-Meier. It is in true
    positives per patient: a false positive costs q / (1 - q), what somebody who treats at a risk of q
    is ready to pay. A model is of use at the thresholds where it is above both treating everybody
    and treating nobody. Choose the range of thresholds before looking.

    The limits resample patients, with the model as it is: they do not cover the luck of its training.
    Give held-out predictions. Two risks with one ``seed`` have the same samples, so that `NetBenefit.minus`
    is a paired comparison; that with treating everybody is against ``np.ones(n)`` as risk.

    Args:
        risk_at_t: ``[n]``, predicted probability of the event by the horizon, in [0, 1].
        event: ``[n]``, 1 = observed, 0 = censored.
        time: ``[n]``, any unit.
        horizon: time of the prediction, in the unit of ``time``.
        thresholds: ``[k]``, ascending, in (0, 1).
        where: ``[n]`` booleans, False for patients that are not there.
        n_samples: number of bootstrap samples.
        level: coverage of the limits.
        seed: seed of the samples.

    Raises:
        InputError: see `check_survival`; risks outside [0, 1]; thresholds outside (0, 1) or not ascending;
            a horizon beyond the follow-up; traced values.

    Reference: Vickers and Elkin, Med. Decis. Making 26 (2006) 565; Vickers et al., BMC Med. Inform. Decis.
    Mak. 8 (2008) 53.

    >>> event, time = np.array([1, 1, 0, 1]), np.array([1.0, 2.0, 9.0, 9.0])
    >>> found = net_benefit(np.array([0.9, 0.4, 0.6, 0.1]), event, time, 5.0, np.array([0.2, 0.5]))
    >>> found.net_benefit.round(4).tolist(), found.treat_all.round(4).tolist()
    ([0.4375, 0.0], [0.375, 0.0])
    """
    n = check_survival(event, time, where=where, risk_at_t=risk_at_t)
    check_known(
        risk_at_t=risk_at_t,
        event=event,
        time=time,
        horizon=horizon,
        thresholds=thresholds,
        where=where,
    )
    check_probabilities("risk_at_t", risk_at_t)
    check_times(thresholds, "thresholds")
    q = np.asarray(thresholds, float)
    if not (q[0] > 0 and q[-1] < 1):
        raise InputError(f"thresholds must be inside (0, 1), got {q[0]:g} to {q[-1]:g}")
    here = np.ones(n, bool) if where is None else np.asarray(where, bool)
    merged = np.asarray(merge_near_ties(time, where=where)[0])[here]
    order = np.argsort(merged, kind="stable")
    risk = np.asarray(risk_at_t, float)[here][order]
    died, t = np.asarray(event)[here][order].astype(bool), merged[order]
    outcome = _Followed(died, t, at_known_times(horizon, t))
    if not outcome.known(np.ones(t.size, bool)):
        raise InputError(
            f"horizon = {float(horizon):g} is beyond the follow-up, which ends at {t[-1]:g}"
        )
    whole = np.ones((1, t.size))
    estimate, everybody = (outcome.net_benefit(whole, r, q)[0] for r in (risk, np.ones(t.size)))
    rng, samples = np.random.default_rng(seed), []
    most = max(1, _CELLS // t.size)
    for start in range(0, n_samples, most):
        size = min(most, n_samples - start)
        counts = rng.multinomial(t.size, np.full(t.size, 1 / t.size), size).astype(float)
        samples.append(outcome.net_benefit(counts, risk, q))
    every, treated = np.concatenate(samples), (risk[:, None] >= q).mean(0)
    lower, upper = _limits(every, level)
    return NetBenefit(q, estimate, lower, upper, everybody, treated, every, level)


def _limits(samples: Any, level: float) -> Any:
    """Percentiles ``[2, k]``, of the samples that have a value; NaN where none has one."""
    limits = np.full((2, samples.shape[1]), np.nan)
    known = ~np.isnan(samples).all(0)
    tails = [(1 - level) / 2, (1 + level) / 2]
    limits[:, known] = np.nanquantile(samples[:, known], tails, axis=0)
    return limits


class _Followed(NamedTuple):
    """Patients in order of time.

    Attributes:
        died: ``[n]``.
        time: ``[n]``.
        horizon: time of the prediction.
    """

    died: Any
    time: Any
    horizon: Any

    def known(self, group: Any) -> bool:
        """True if somebody of a group reaches the horizon, or all of its last patients have the event."""
        last = self.time[group][-1]
        return bool(last >= self.horizon or self.died[group & (self.time == last)].all())

    def net_benefit(self, counts: Any, risk: Any, q: Any) -> Any:
        """Net benefits ``[b, k]`` of patients who count ``counts [b, n]`` times."""
        found, total = np.zeros((len(counts), q.size)), counts.sum(1)
        before, values = None, None
        for k, threshold in enumerate(q):
            group = risk >= threshold
            if not group.any():
                break
            if before is None or (group != before).any():
                before, values = group, self._event_probability(counts, group)
            share, probability = values
            odds = threshold / (1 - threshold)
            found[:, k] = share / total * (probability - (1 - probability) * odds)
        return found

    def _event_probability(self, counts: Any, group: Any) -> tuple[Any, Any]:
        """Weights ``[b]`` of a group, and its probabilities ``[b]`` of the event by the horizon."""
        w = counts[:, group]
        share = w.sum(1)
        if not self.known(group):
            return share, np.full(len(w), np.nan)
        time, died = self.time[group], self.died[group]
        m = int(np.searchsorted(time, self.horizon, side="right"))
        first = np.flatnonzero(np.diff(time[:m], prepend=-1.0) > 0)
        if first.size == 0:
            return share, np.zeros(len(w))
        leaving = np.add.reduceat(w[:, :m], first, axis=1)
        d = np.add.reduceat(w[:, :m] * died[:m], first, axis=1)
        at_risk = share[:, None] - np.cumsum(leaving, 1) + leaving
        survival = np.prod(1 - d / np.maximum(at_risk, 1), 1)
        return share, 1 - survival
