"""Kinds of outcome heads: what the outputs of a network mean, their loss, a log hazard, and curves."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxsurv.models.batch import Batch
from jaxsurv.survival import (
    log_normal_loss,
    log_normal_survival,
    logistic_hazard_loss,
    logistic_hazard_survival,
    neg_log_partial_likelihood,
    pmf_loss,
    pmf_survival,
    weibull_loss,
    weibull_survival,
)
from jaxsurv.survival.discrete_time import DiscreteOutcome, locate, traced_quantile_grid
from jaxsurv.types import Array, InputError, Survival

RANKING = 1.0  # weight of DeepHit's ranking term beside the negative log likelihood per event
EMPTY = -1e4  # log odds of an event in an interval without width, whose probability is 0


class Head(NamedTuple):
    """Functions of the outputs ``[n, k]`` of a network; ``marginal`` is what `marginal_of` gives.

    Attributes:
        outputs: number k of outputs.
        criterion: quantity that ``score`` measures, see :class:`jaxsurv.types.Objective`.
        parameters: ``(outputs, marginal, *offsets [n]) -> parameters``, of each patient's distribution;
            ``[n]`` or ``[n, k]``. All offsets are parts of the log hazard.
        loss: ``(parameters, marginal, batch, ties=..., reduction=...) -> scalar`` for training, over the
            labelled rows that losses see; ``"mean"``, per event, or ``"sum"``. Ties are Cox's.
        score: ``(parameters, marginal, batch) -> scalar``, negative log likelihood per event.
        log_hazard: ``(parameters, marginal) -> [n]``.
        survival: ``(parameters, marginal, times) -> [n, t]``; None = Breslow's curves.
        marginal: ``batch -> {name: array}`` of the labelled rows that losses see; None = there is none.
        incidence: ``(parameters, marginal, times) -> [n, causes, t]``; None = one kind of event.
        check: ``(outcome, where [n])``, see :class:`jaxsurv.types.Objective`; None = nothing is refused.
    """

    outputs: int
    criterion: str
    parameters: Callable[..., Array]
    loss: Callable[..., Array]
    score: Callable[..., Array]
    log_hazard: Callable[[Array, Any], Array]
    survival: Callable[[Array, Any, Array], Array] | None = None
    marginal: Callable[[Batch], dict[str, Array]] | None = None
    incidence: Callable[[Array, Any, Array], Array] | None = None
    check: Callable[[Survival, np.ndarray], None] | None = None

    @property
    def constant(self) -> bool:
        """Whether the network needs a constant, which Cox's loss does not see."""
        return self.marginal is not None


def total_offset(offsets: tuple[Array, ...]) -> Array:
    """The sum of all offsets ``[n]``."""
    return sum(offsets[1:], offsets[0])


def reduced(total: Array, batch: Batch, reduction: str, event: Any = None) -> Array:
    """A sum over rows, or that sum per weighted event, as Cox losses have it; None = those of the batch."""
    if reduction == "sum":
        return total
    events = jnp.sum(counts(batch) * (batch.outcome.event if event is None else event))
    return total / jnp.where(events > 0, events, 1)


def counts(batch: Batch) -> Array:
    """``[n]`` case weights of the labelled rows that losses see, 0 for all others."""
    weight = batch.outcome.weight
    return jnp.where(batch.with_outcome, 1.0 if weight is None else weight, 0.0)


def likelihood_columns(batch: Batch) -> dict[str, Any]:
    """Weights and mask of the rows, of which a likelihood is the sum."""
    return {"weights": batch.outcome.weight, "where": batch.with_outcome, "reduction": "sum"}


def cox() -> Head:
    """The Cox partial likelihood: one output, the log hazard."""

    def parameters(outputs: Array, marginal: Any, *offsets: Array) -> Array:
        log_hazard = outputs[:, 0]
        for offset in offsets:
            log_hazard = log_hazard + offset
        return log_hazard

    def loss(log_hazard: Array, marginal: Any, batch: Batch, **options: Any) -> Array:
        return neg_log_partial_likelihood(log_hazard, risk_sets=batch.risk_sets, **options)

    return Head(1, "cox", parameters, loss, loss, lambda log_hazard, marginal: log_hazard)


def check_grid(intervals: int, event: np.ndarray, time: np.ndarray, where: np.ndarray) -> None:
    """Refuse more intervals than distinct event times > 0 in the rows ``where`` ``[n]``."""
    distinct = np.unique(time[where & event & (time > 0)].astype(np.float32)).size
    if distinct < intervals:
        raise InputError(
            f"intervals={intervals} is finer than the events: a run has {distinct} distinct event times > 0 "
            f"in its {where.sum()} training rows; set intervals in the config to at most so many, or take "
            "fewer folds"
        )


def _later(x: Array) -> Array:
    """Sums ``[n, m]`` over the intervals after each."""
    return jnp.cumsum(x[:, ::-1], 1)[:, ::-1] - x


def _cells(log_odds: Array) -> Array:
    """Logits of `pmf_loss` from the log odds ``[n, m]`` of an event in each interval of those alive in it."""
    return log_odds + _later(jax.nn.softplus(log_odds))


def _log_odds(cells: Array) -> Array:
    """The inverse of `_cells`."""
    upto = lax.associative_scan(jnp.logaddexp, cells, reverse=True, axis=1)
    after = jnp.pad(upto[:, 1:], ((0, 0), (0, 1)), constant_values=EMPTY)
    return cells - jax.nn.softplus(after)


def followed(outcome: DiscreteOutcome, place: Array) -> Array:
    """``[n, m]`` shares of the interval in which a row is censored that it was followed, 0 elsewhere."""
    here = place == (outcome.interval + (outcome.event == 0))[:, None]
    return jnp.where(here, outcome.share[:, None], 0)  # type: ignore[index]


def discrete(intervals: int, probabilities: bool) -> Head:
    """Discrete time, with intervals of equally many events of the training rows, as far as ties allow.

    Outputs are log odds ratios to the marginal hazard of each interval, or, where ``probabilities``, log
    ratios of the probability of each interval. An offset is added to the log odds of the event in every
    interval; these are log hazards where the hazards of intervals are small. The log hazard of a patient
    is the mean log odds ratio over the intervals, in which events count the same.
    """

    def marginal(batch: Batch) -> dict[str, Array]:
        event, time, entry, *_ = batch.outcome
        count = counts(batch)
        ends = traced_quantile_grid(count * event, time, intervals)
        outcome, place = locate(event, time, ends, entry), jnp.arange(intervals)[None]
        died = (place == outcome.interval[:, None]) & (outcome.event > 0)[:, None]
        there = place <= outcome.interval[:, None]
        if entry is not None:
            there = there & (place >= outcome.entry[:, None])  # type: ignore[index]
        if not probabilities:
            there = there + followed(outcome, place)
        died, there = (jnp.sum(count[:, None] * x, 0) for x in (died, there))
        log_odds = jnp.log((died + 0.5) / (jnp.maximum(there - died, 0) + 0.5))
        width = jnp.diff(ends, prepend=0)
        return {"ends": ends, "log_odds": jnp.where(width > 0, log_odds, EMPTY)}

    def parameters(outputs: Array, marginal: Any, *offsets: Array) -> Array:
        offset, base = total_offset(offsets)[:, None], marginal["log_odds"][None]
        if probabilities:
            return _cells(_log_odds(_cells(base) + outputs) + offset)
        return base + outputs + offset

    def likelihood(logits: Array, marginal: Any, batch: Batch, ranking: float = 0.0) -> Array:
        event, time, entry, *_ = batch.outcome
        outcome = locate(event, time, marginal["ends"], entry)
        columns = {"entry": outcome.entry, **likelihood_columns(batch)}
        if not probabilities:
            columns["share"] = outcome.share
            return logistic_hazard_loss(logits, outcome.event, outcome.interval, **columns)
        return pmf_loss(logits, outcome.event, outcome.interval, ranking=ranking, **columns)

    def loss(
        logits: Array, marginal: Any, batch: Batch, *, ties: str = "", reduction: str = "mean"
    ) -> Array:
        return reduced(likelihood(logits, marginal, batch, RANKING), batch, reduction)

    def score(logits: Array, marginal: Any, batch: Batch) -> Array:
        return reduced(likelihood(logits, marginal, batch), batch, "mean")

    def log_hazard(logits: Array, marginal: Any) -> Array:
        log_odds, base = _log_odds(logits) if probabilities else logits, marginal["log_odds"][None]
        there = base > EMPTY / 2
        ratio = jnp.where(there, log_odds - base, 0)
        return jnp.sum(ratio, 1) / jnp.maximum(jnp.sum(there), 1)

    @jax.jit
    def survival(logits: Array, marginal: Any, times: Array) -> Array:
        curves = pmf_survival if probabilities else logistic_hazard_survival
        return curves(logits, marginal["ends"], times)

    def check(outcome: Survival, where: np.ndarray) -> None:
        check_grid(intervals, np.asarray(outcome.event) > 0, np.asarray(outcome.time), where)

    name = "probabilities" if probabilities else "hazards"
    criterion = f"likelihood of {name} in {intervals} intervals"
    return Head(
        intervals, criterion, parameters, loss, score, log_hazard, survival, marginal, check=check
    )


class _Time(NamedTuple):
    """A distribution of time: loss, curves, and mean and log deviation of log time at hazard 1."""

    loss: Callable[..., Array]
    survival: Callable[..., Array]
    location: float
    log_scale: float


_TIMES = {
    "weibull": _Time(weibull_loss, weibull_survival, 0.0, 0.0),
    # an exponential variable's log has the mean -gamma and the deviation pi / root of 6
    "log_normal": _Time(
        log_normal_loss, log_normal_survival, -0.5772156649, math.log(math.pi / math.sqrt(6))
    ),
}


def accelerated(name: str) -> Head:
    """A distribution of time, with the location m of log time and its scale s, which is 1 / shape of Weibull.

    The marginal is that of a constant hazard, events by time at risk. Of the two outputs u and v,
    m = m_0 - s (u + offset), and s = s_0 exp(-v) of Weibull, s_0 exp(v) of the log-normal. So u + offset
    is the log hazard, of Weibull exactly where v is the same for all. An event at time 0, where a density
    is 0 or infinite, counts as at half of the first event time of the training rows.
    """
    family, sign = _TIMES[name], -1 if name == "weibull" else 1

    def marginal(batch: Batch) -> dict[str, Array]:
        event, time, entry, *_ = batch.outcome
        count, passed = counts(batch), time if entry is None else time - jnp.maximum(entry, 0)
        events, exposure = jnp.sum(count * event), jnp.sum(count * passed)
        known = (events > 0) & (exposure > 0)
        mean = jnp.where(known, exposure / jnp.where(events > 0, events, 1), 1)
        first = jnp.min(jnp.where((count * event > 0) & (time > 0), time, jnp.inf))
        least = jnp.where(jnp.isfinite(first), first / 2, mean)
        return {"location": jnp.log(jnp.where(known, mean, 1)) + family.location, "least": least}

    def parameters(outputs: Array, marginal: Any, *offsets: Array) -> Array:
        second = outputs[:, 1] + family.log_scale
        scale = jnp.exp(sign * second)
        location = marginal["location"] - scale * (outputs[:, 0] + total_offset(offsets))
        return jnp.stack([location, second], 1)

    def loss(
        each: Array, marginal: Any, batch: Batch, *, ties: str = "", reduction: str = "mean"
    ) -> Array:
        event, time, entry, *_ = batch.outcome
        time = jnp.where(event > 0, jnp.maximum(time, marginal["least"]), time)
        total = family.loss(each, event, time, entry=entry, **likelihood_columns(batch))
        return reduced(total, batch, reduction)

    def log_hazard(each: Array, marginal: Any) -> Array:
        return (marginal["location"] - each[:, 0]) * jnp.exp(-sign * each[:, 1])

    def survival(each: Array, marginal: Any, times: Array) -> Array:
        return family.survival(each, times)

    criterion = f"{name.replace('_', '-')} likelihood"
    return Head(2, criterion, parameters, loss, loss, log_hazard, survival, marginal)
