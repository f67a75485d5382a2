"""End of a run and parameters kept from it: a plain run, and wrappers around one."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from jaxsurv.training.learner import Learner
from jaxsurv.types import Array, Params

Epoch = Callable[[Array, Learner], tuple[Learner, dict[str, Array]]]
Score = Callable[[Params], Array]


class FitResult(NamedTuple):
    """A finished run.

    Attributes:
        params: the parameters at ``best_epoch``.
        best_epoch: epochs trained when the validation score was best; 0 = the initial parameters.
        best_score: validation score at ``best_epoch`` (lower is better).
        epochs: epochs run before stopping.
        history: ``{name: [config.epochs]}``: each loss term and, with early stopping, ``validation``,
            the score; NaN after the stop.
        teacher: parameters that ``objective.follow`` had made at ``best_epoch``, or None.
            Scores, and so early stopping, are those of ``params``.
    """

    params: Params
    best_epoch: Array
    best_score: Array
    epochs: Array
    history: dict[str, Array]
    teacher: Params | None = None


class Training(NamedTuple):
    """A run as a state that is advanced.

    Attributes:
        start: the state before the first epoch.
        proceed: ``state -> bool``, True if there is another epoch.
        advance: ``state -> state``, one epoch more.
        finish: ``state -> FitResult``.
    """

    start: Any
    proceed: Callable[[Any], Array]
    advance: Callable[[Any], Any]
    finish: Callable[[Any], FitResult]


class Epochs(NamedTuple):
    """State of a plain run: epochs done, the learner after them, and their terms."""

    done: Array
    learner: Learner
    history: dict[str, Array]


class _Best(NamedTuple):
    params: Params
    teacher: Params | None
    score: Array
    epoch: Array


class _Watched(NamedTuple):
    now: Epochs
    best: _Best
    scores: Array


def all_epochs(
    epoch: Epoch, first: Learner, score: Score, terms: Iterable[str], blank: Array
) -> Training:
    """A run that takes every epoch and keeps the last parameters, whose score is computed at the end.

    Args:
        epoch: ``(i, learner) -> (learner, terms)``, epoch number i.
        first: the learner before any epoch.
        score: ``params -> scalar``.
        terms: names of the loss terms.
        blank: ``[epochs]`` NaN, a history in which nothing is written yet.
    """

    def advance(s: Epochs) -> Epochs:
        learner, terms = epoch(s.done, s.learner)
        history = {name: h.at[s.done].set(terms[name]) for name, h in s.history.items()}
        return Epochs(s.done + 1, learner, history)

    def finish(end: Epochs) -> FitResult:
        params, _, teacher, _ = end.learner
        return FitResult(params, end.done, score(params), end.done, end.history, teacher)

    start = Epochs(jnp.int32(0), first, dict.fromkeys(terms, blank))
    return Training(start, lambda s: s.done < len(blank), advance, finish)


def stop_early(
    run: Training, score: Score, blank: Array, *, burn_in: int, patience: int
) -> Training:
    """``run`` with a score after each epoch: it stops when that gets no better, and keeps the best.

    Args:
        run: made by :func:`all_epochs`.
        score: ``params -> scalar``, lower is better; NaN is never better.
        blank: ``[epochs]`` NaN, as for :func:`all_epochs`.
        burn_in: epochs before patience starts to count.
        patience: epochs without a better score after which the run stops.
    """

    def judge(now: Epochs) -> _Best:
        learner = now.learner
        return _Best(learner.params, learner.teacher, score(learner.params), now.done)

    def proceed(s: _Watched) -> Array:
        waited = s.now.done - jnp.maximum(s.best.epoch, burn_in)
        return run.proceed(s.now) & (waited < patience)

    def advance(s: _Watched) -> _Watched:
        now = run.advance(s.now)
        latest = judge(now)
        better = latest.score < s.best.score
        best = jax.tree.map(lambda new, old: jnp.where(better, new, old), latest, s.best)
        return _Watched(now, best, s.scores.at[s.now.done].set(latest.score))

    def finish(end: _Watched) -> FitResult:
        params, teacher, score, epoch = end.best
        history = {**end.now.history, "validation": end.scores}
        return FitResult(params, epoch, score, end.now.done, history, teacher)

    untrained = judge(run.start)
    score_before = jnp.where(jnp.isnan(untrained.score), jnp.inf, untrained.score)
    start = _Watched(run.start, untrained._replace(score=score_before), blank)
    return Training(start, proceed, advance, finish)


def refit(run: Training, epoch: Epoch, first: Learner) -> Training:
    """``run``, after which ``first`` is trained once more, for as many epochs as were best.

    Args:
        run: plain or stopped early.
        epoch: ``(i, learner) -> (learner, terms)``, epoch number i on the rows of the refit.
        first: the learner before any epoch.
    """

    def finish(end: Any) -> FitResult:
        result = run.finish(end)
        learner = lax.fori_loop(0, result.best_epoch, lambda i, now: epoch(i, now)[0], first)
        return result._replace(params=learner.params, teacher=learner.teacher)

    return run._replace(finish=finish)
