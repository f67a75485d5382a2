"""The few types that every part shares: array aliases, the outcome, a model, and the input error."""

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple, ParamSpec, TypeVar

import jax
import numpy as np

Array = jax.Array
ArrayLike = jax.Array | np.ndarray
Key = jax.Array  # a typed key from jax.random.key
Params = Any  # a pytree of arrays
P = ParamSpec("P")
T = TypeVar("T")


class InputError(ValueError):
    """Input that cannot be analysed. The message names the column, the rows, the value and the fix."""


class ConvergenceWarning(UserWarning):
    """An iteration ended before its result was as exact as it should be."""


def check_choice(name: str, value: object, known: tuple) -> None:
    """Refuse a value that is none of those known.

    Raises:
        InputError: names what was asked for, what is known, and the value.
    """
    if value not in known:
        raise InputError(f"{name} must be one of {known}, got {value!r}")


def taking(arguments_of: Callable[P, Any]) -> Callable[[Callable[..., T]], Callable[P, T]]:
    """Decorator for a function that hands all its arguments on: help and type checkers see which."""

    def decorate(function: Callable[..., T]) -> Callable[P, T]:
        own = inspect.signature(function).return_annotation
        wanted = inspect.signature(arguments_of).replace(return_annotation=own)
        function.__signature__ = wanted
        return function

    return decorate


class Survival(NamedTuple):
    """A right-censored outcome, one row per patient (or per ``(entry, time]`` interval).

    Attributes:
        event: ``[n]``, 1 = observed, 0 = censored.
        time: ``[n]``, follow-up time in any unit, >= 0.
        entry: ``[n]`` or None, delayed entry: the row is at risk in ``(entry, time]``.
        weight: ``[n]`` or None, case weights >= 0.
        stratum: ``[n]`` integers or None; risk sets never cross strata.
        code: ``[n]`` or None, codes 0, 1, ..., K of competing causes, of which ``event`` is one; read by
            models of all causes alone.
    """

    event: ArrayLike
    time: ArrayLike
    entry: ArrayLike | None = None
    weight: ArrayLike | None = None
    stratum: ArrayLike | None = None
    code: ArrayLike | None = None


def _constant(hparams: Any, progress: Array) -> Any:
    return hparams


class Objective(NamedTuple):
    """Interface of a model to training. All functions are pure.

    ``batch`` is any pytree with ``where`` ``[n]``, the rows that losses see, and two methods:
    ``restrict(where)``, the batch whose losses see only those of them, and ``take(rows)``, a minibatch.
    ``hparams`` is a NamedTuple of traced scalars with at least ``learning_rate``.

    Attributes:
        init: ``init(key, batch) -> params``.
        loss: ``loss(params, batch, key, hparams) -> (scalar, {name: scalar})``, loss in training mode.
        predict: ``predict(params, batch) -> [n]``, prediction in evaluation mode; log hazard for survival;
            images ``[n, *shape]``.
        score: ``score(params, batch) -> scalar``, score for early stopping; lower is better.
        anneal: ``anneal(hparams, progress) -> hparams``, values for the loss in an epoch; progress runs
            from 0 in the first epoch to 1 in the last that a run may take. Default: unchanged.
        unread: names of hyper-parameters that none of the functions reads.
        follow: ``follow(teacher, params, t, hparams) -> teacher``, update of a second tree of parameters
            that no optimiser trains. It starts equal to the parameters, is renewed after step t = 1, 2, ...,
            and is the loss's fifth argument (without which the loss takes it to equal ``params``).
        draw: ``draw(batch, key, size) -> (steps, minibatch)``, one epoch of minibatches, of which
            ``minibatch(i)`` is number i; None = :func:`jaxsurv.training.each_row_once`.
        criterion: quantity that ``score`` measures, such as ``"cox"``, the negative log partial likelihood
            per event; scores are compared among equal criteria only. Empty = not said.
        survival: ``survival(params, batch, times) -> [n, t]``, the curves of a model that has its own, at
            ``times`` ``[t]`` >= 0; None = Breslow's, of the log hazards.
        incidence: ``incidence(params, batch, times) -> [n, K, t]``, cumulative incidences of competing
            causes 1, ..., K, of a model of all of them; None = the model knows one kind of event.
        check: ``check(outcome, where)``, refuses an outcome of which a run cannot learn from the rows
            ``where`` ``[n]``; called on the host before training, with NumPy's arrays. None = nothing is
            refused.
    """

    init: Callable[..., Params]
    loss: Callable[..., tuple[Array, dict[str, Array]]]
    predict: Callable[..., Array]
    score: Callable[..., Array]
    anneal: Callable[[Any, Array], Any] = _constant
    unread: tuple[str, ...] = ()
    follow: Callable[[Params, Params, Array, Any], Params] | None = None
    draw: Callable[[Any, Key, int], tuple[Array, Callable[[Array], Any]]] | None = None
    criterion: str = ""
    survival: Callable[[Params, Any, Array], Array] | None = None
    incidence: Callable[[Params, Any, Array], Array] | None = None
    check: Callable[[Survival, np.ndarray], None] | None = None
