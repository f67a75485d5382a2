"""Outcome head of all competing causes at once: hazards of each cause in intervals.

Of the two published networks for competing causes in discrete time this is the one with hazards (a
multinomial logit in each interval: Tutz and Schmid 2016, chapter 8; Gensheimer and Narasimhan, PeerJ 7 (2019)
e6257, with one cause), not DeepHit's distribution over causes and intervals (Lee et al., AAAI 2018). Its loss
is a sum over patients and intervals, without a ranking term that has two constants of its own and forms
[n, n] pairs; nothing cancels in float32, and delayed entry is a mask. Without outputs it is the life table of
the training rows. DeepHit's likelihood with its ranking term is :func:`jaxsurv.survival.pmf_loss`.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.models.batch import Batch
from jaxsurv.models.head_kinds import (
    EMPTY,
    Head,
    check_grid,
    counts,
    followed,
    likelihood_columns,
    reduced,
    total_offset,
)
from jaxsurv.survival import logistic_hazard_incidence, logistic_hazard_loss
from jaxsurv.survival.discrete_time import locate, traced_quantile_grid
from jaxsurv.types import Array, InputError, Survival


def competing(intervals: int, causes: int, cause: int) -> Head:
    """Hazards h_kj = exp(f_kj) / (1 + Σ_c exp(f_cj)) of cause k in interval j, see `logistic_hazard_loss`.

    Intervals have equally many events of any cause in the training rows, as far as ties allow. Outputs are
    log odds ratios, of each cause against none, to the marginal of each cause and interval. An offset is a
    part of the log hazard of the cause of interest, and is added to its log odds in every interval. The log
    hazard of a patient is the mean log odds ratio of this cause over the intervals, weighted by
    the probability of the event in each under the marginal. Curves of it are Breslow's, with the other
    causes censored; incidences are the head's own.

    Args:
        intervals: number of intervals m.
        causes: number of causes K.
        cause: cause of interest, 1, ..., K.
    """

    def cells(x: Array) -> Array:
        return x.reshape(-1, causes, intervals)

    def located(batch: Batch, ends: Array) -> Any:
        return locate(batch.outcome.code, batch.outcome.time, ends, batch.outcome.entry)

    def marginal(batch: Batch) -> dict[str, Array]:
        count, code = counts(batch), batch.outcome.code
        if code is None:
            raise InputError(
                "head='competing' reads codes of causes, and the outcome has none: give a cohort of_cause, "
                "or Survival(..., code=...)"
            )
        ends = traced_quantile_grid(count * (code > 0), batch.outcome.time, intervals)
        outcome, place = located(batch, ends), jnp.arange(intervals)[None]
        there = place <= outcome.interval[:, None]
        if outcome.entry is not None:
            there = there & (place >= outcome.entry[:, None])
        there = there + followed(outcome, place)
        at = (place == outcome.interval[:, None]).astype(count.dtype)
        own = count[:, None] * (outcome.event[:, None] == jnp.arange(1, causes + 1)[None])
        died, there = jnp.sum(own[:, :, None] * at[:, None], 0), jnp.sum(count[:, None] * there, 0)
        left = jnp.maximum(there - jnp.sum(died, 0), 0)
        width = jnp.diff(ends, prepend=0)
        log_odds = jnp.log((died + 0.5) / (left + 0.5)[None])
        log_odds = jnp.where(width[None] > 0, log_odds, EMPTY)
        return {"ends": ends, "log_odds": log_odds.ravel()}  # [K m]: penalties are of matrices

    def parameters(outputs: Array, marginal: Any, *offsets: Array) -> Array:
        own = cells(marginal["log_odds"][None] + outputs)
        own = own.at[:, cause - 1].add(total_offset(offsets)[:, None])
        return own.reshape(-1, causes * intervals)

    def score(logits: Array, marginal: Any, batch: Batch, *, reduction: str = "mean") -> Array:
        outcome = located(batch, marginal["ends"])
        columns = {"entry": outcome.entry, "share": outcome.share, **likelihood_columns(batch)}
        total = logistic_hazard_loss(cells(logits), outcome.event, outcome.interval, **columns)
        return reduced(total, batch, reduction, batch.outcome.code > 0)  # type: ignore[operator]

    def loss(
        logits: Array, marginal: Any, batch: Batch, *, ties: str = "", reduction: str = "mean"
    ) -> Array:
        return score(logits, marginal, batch, reduction=reduction)

    def log_hazard(logits: Array, marginal: Any) -> Array:
        base, ends = cells(marginal["log_odds"]), marginal["ends"]
        known = logistic_hazard_incidence(base, ends, ends)[0, cause - 1]
        weight, total = jnp.diff(known, prepend=0), known[-1]
        ratio = jnp.where(base > EMPTY / 2, cells(logits) - base, 0)[:, cause - 1]
        return jnp.sum(ratio * weight[None], 1) / jnp.where(total > 0, total, 1)

    @jax.jit
    def incidence(logits: Array, marginal: Any, times: Array) -> Array:
        return logistic_hazard_incidence(cells(logits), marginal["ends"], times)

    def check(outcome: Survival, where: np.ndarray) -> None:
        if outcome.code is None:
            raise InputError(
                "the endpoint has no causes, and head='competing' is of several: name the causes of the "
                "codes 1, 2, ... (causes in cohort.json), or take another head"
            )
        happened = np.asarray(outcome.code) > 0
        check_grid(intervals, happened, np.asarray(outcome.time), where)
        event, code = np.asarray(outcome.event)[where], np.asarray(outcome.code)[where]
        if code.max(initial=0) > causes:
            raise InputError(
                f"the outcome has the causes 1 to {code.max():g}, and the head has causes={causes}: set "
                f"causes={code.max():g} in the config"
            )
        if absent := sorted(set(range(1, causes + 1)) - set(code.tolist())):
            raise InputError(
                f"a run has no event of cause {absent[0]} among its {where.sum()} training rows, so that "
                "nothing can be learned of it: take fewer folds, leave it out, or count it with another"
            )
        if not np.array_equal(event > 0, code == cause):
            raise InputError(
                f"the events are not those of cause {cause}, of which the head gives log hazards: set cause "
                "in the config to the number of the cause that the study or the cohort is of"
            )

    criterion = f"likelihood of hazards of {causes} causes in {intervals} intervals"
    return Head(
        causes * intervals, criterion, parameters, loss, score, log_hazard,
        marginal=marginal, incidence=incidence, check=check,
    )  # fmt: skip
