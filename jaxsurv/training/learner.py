"""One step of gradient descent: what it changes and how."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxsurv.types import Array, Key, Objective, Params

Optimizer = Callable[[Any], optax.GradientTransformation]


def adam(hparams: Any) -> optax.GradientTransformation:
    """Adam at ``hparams.learning_rate``, which may be traced."""
    return optax.adam(hparams.learning_rate)


class Learner(NamedTuple):
    """State that a step changes; teacher and the number of steps are None where nothing follows."""

    params: Params
    optimizer: Any
    teacher: Params | None
    steps: Any


def begin(objective: Objective, transform: optax.GradientTransformation, params: Params) -> Learner:
    """The learner before its first step."""
    teacher, steps = (None, None) if objective.follow is None else (params, jnp.int32(0))
    return Learner(params, transform.init(params), teacher, steps)


def learn(
    objective: Objective,
    transform: optax.GradientTransformation,
    now: Learner,
    rows: Any,
    key: Key,
    hparams: Any,
) -> tuple[Learner, dict[str, Array]]:
    """One step on the batch ``rows``: the learner after it, and the terms of the loss before it."""
    follow = objective.follow
    taught = () if follow is None else (now.teacher,)
    gradient, terms = jax.grad(objective.loss, has_aux=True)(
        now.params, rows, key, hparams, *taught
    )
    updates, state = transform.update(gradient, now.optimizer, now.params)
    now = now._replace(params=optax.apply_updates(now.params, updates), optimizer=state)
    if follow is not None:
        steps = now.steps + 1
        now = now._replace(teacher=follow(now.teacher, now.params, steps, hparams), steps=steps)
    return now, terms
