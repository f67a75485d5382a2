"""One training run as one pure function: early stopping, best parameters and history are carried state."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from jaxsurv.training.learner import Learner, Optimizer, adam, begin, learn
from jaxsurv.types import Array, InputError, Key, Objective, Params


@dataclass(frozen=True)
class FitConfig:
    """Static choices of a training run.

    Attributes:
        epochs: most epochs that a run may take.
        burn_in: epochs before patience starts to count.
        patience: epochs without a better validation score after which a run stops.
        batch_size: rows per step; an epoch draws each of its rows once. None = full batch.
        refit: after the stop, train once more from the same initial parameters for ``best_epoch``
            epochs on ``masks.develop``, so that the early-stopping rows are not lost to training.
        early_stopping: False: all ``epochs`` are taken and the last parameters kept, whatever their
            score, which is not computed between the epochs.
    """

    epochs: int = 300
    burn_in: int = 20
    patience: int = 40
    batch_size: int | None = None
    refit: bool = False
    early_stopping: bool = True

    def __post_init__(self) -> None:
        for name in ("epochs", "patience"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.burn_in < 0:
            raise InputError(f"burn_in must be at least 0, got {self.burn_in}")
        if self.batch_size is not None and self.batch_size < 2:
            raise InputError(f"batch_size must be at least 2, got {self.batch_size}")


class Masks(NamedTuple):
    """Roles of the rows in a run, each ``[n]`` booleans.

    Attributes:
        train: rows that the loss sees.
        validation: rows that early stopping watches.
        develop: rows that a refit may use: training and early-stopping rows, never test rows.
    """

    train: Array
    validation: Array
    develop: Array


class FitResult(NamedTuple):
    """A finished run.

    Attributes:
        params: the parameters at ``best_epoch``.
        best_epoch: epochs trained when the validation score was best; 0 = the initial parameters.
        best_score: that score (lower is better).
        epochs: epochs run before stopping.
        history: ``{name: [config.epochs]}``: each loss term and, with early stopping, ``validation``,
            the score; NaN after the stop.
        teacher: what ``objective.follow`` had made of the parameters at ``best_epoch``, or None.
            Scores, and so early stopping, are those of ``params``.
    """

    params: Params
    best_epoch: Array
    best_score: Array
    epochs: Array
    history: dict[str, Array]
    teacher: Params | None = None


class _Best(NamedTuple):
    params: Params
    teacher: Params | None
    score: Array
    epoch: Array


class _Epochs(NamedTuple):
    epoch: Array
    learner: Learner
    best: _Best
    history: dict[str, Array]


class Training(NamedTuple):
    """A run as a state that is advanced.

    Attributes:
        start: the state before the first epoch.
        proceed: ``state -> bool``, whether there is another epoch.
        advance: ``state -> state`` after it.
        finish: ``state -> FitResult``.
    """

    start: Any
    proceed: Callable[[Any], Array]
    advance: Callable[[Any], Any]
    finish: Callable[[Any], FitResult]


def each_row_once(batch: Any, key: Key, size: int) -> tuple[Array, Callable[[Array], Any]]:
    """An epoch of minibatches that draws each row of ``batch.where`` once, in random order.

    Args:
        batch: all rows.
        key: of the order.
        size: rows of a minibatch.

    Returns:
        the number of steps, and ``minibatch(i)``.
    """
    shuffled = jax.random.uniform(key, batch.where.shape)
    order = jnp.argsort(jnp.where(batch.where, shuffled, 2.0))  # the batch's rows come first
    n_rows = jnp.sum(batch.where)

    def minibatch(i: Array) -> Any:
        position = i * size + jnp.arange(size)
        return batch.take(order[position % batch.where.size]).restrict(position < n_rows)

    return -(-n_rows // size), minibatch


def fit(
    key: Key,
    objective: Objective,
    hparams: Any,
    batch: Any,
    masks: Masks,
    config: FitConfig = FitConfig(),
    *,
    optimizer: Optimizer = adam,
) -> FitResult:
    """Train once; pure, so it can be jitted, vmapped and mapped.

    The score is computed before the first epoch as well: a run that never improves on its initial
    parameters returns them, with ``best_epoch`` 0. A NaN score never counts as better.

    Args:
        key: typed key; the whole run is a function of it.
        objective: the model's functions, see :class:`jaxsurv.types.Objective`.
        hparams: NamedTuple of scalars, traced; ``objective.anneal`` makes each epoch's from them.
        batch: the data, all rows.
        masks: training and early-stopping rows.
        config: static choices.
        optimizer: ``hparams -> optax.GradientTransformation``.

    >>> import numpy as np
    >>> from jaxsurv.models import CoxNnetHParams, cox_nnet, nesterov, table_batch
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(60, 3))
    >>> batch = table_batch(x, np.ones(60), rng.exponential(np.exp(-x[:, 0])))
    >>> train = jnp.arange(60) < 40
    >>> masks, config = Masks(train, ~train, train | ~train), FitConfig(epochs=20)
    >>> hparams = CoxNnetHParams(l2=0.01)
    >>> run = fit(jax.random.key(0), cox_nnet(), hparams, batch, masks, config, optimizer=nesterov)
    >>> run.history["cox"].shape, bool(run.history["cox"][-1] < run.history["cox"][0])
    ((20,), True)
    """
    run = training(key, objective, hparams, batch, masks, config, optimizer=optimizer)
    return run.finish(lax.while_loop(run.proceed, run.advance, run.start))


def training(
    key: Key,
    objective: Objective,
    hparams: Any,
    batch: Any,
    masks: Masks,
    config: FitConfig = FitConfig(),
    *,
    optimizer: Optimizer = adam,
) -> Training:
    """What :func:`fit` repeats, for those who repeat it otherwise."""
    # what is called twice is traced once
    objective = objective._replace(loss=jax.jit(objective.loss), score=jax.jit(objective.score))
    key_init, key_run = jax.random.split(key)
    train, validation = batch.restrict(masks.train), batch.restrict(masks.validation)
    transform = optimizer(hparams)
    params = objective.init(key_init, train)

    # a table: its end is exactly 1, which a compiled quotient need not be
    progress = jnp.linspace(0.0, 1.0, config.epochs)

    draw = objective.draw or each_row_once
    step = partial(learn, objective, transform)

    def train_epoch(i, learner, rows):
        """One pass, number i, over the rows that the batch ``rows`` is restricted to."""
        key, annealed = jax.random.fold_in(key_run, i), objective.anneal(hparams, progress[i])
        if config.batch_size is None:
            return step(learner, rows, key, annealed)
        key_order, key_noise = jax.random.split(key)
        steps, minibatch = draw(rows, key_order, config.batch_size)

        def body(i, carry):
            learner, total = carry
            drawn = minibatch(i)
            key = jax.random.fold_in(key_noise, i)
            learner, terms = step(learner, drawn, key, annealed)
            return learner, jax.tree.map(jnp.add, total, terms)

        zeros = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), term_shapes)
        learner, total = lax.fori_loop(0, steps, body, (learner, zeros))
        return learner, jax.tree.map(lambda t: t / steps, total)

    _, term_shapes = jax.eval_shape(objective.loss, params, train, key, hparams)

    def judge(learner, epoch) -> _Best:
        score = objective.score(learner.params, validation)
        return _Best(learner.params, learner.teacher, score, epoch)

    first = begin(objective, transform, params)
    untrained = judge(first, jnp.int32(0))
    score = jnp.where(jnp.isnan(untrained.score), jnp.inf, untrained.score)
    names = [*term_shapes, "validation"] if config.early_stopping else term_shapes
    empty = jnp.full(config.epochs, jnp.nan, score.dtype)
    start = _Epochs(
        epoch=jnp.int32(0),
        learner=first,
        best=untrained._replace(score=score),
        history=dict.fromkeys(names, empty),
    )

    def proceed(s: _Epochs):
        waited = s.epoch - jnp.maximum(s.best.epoch, config.burn_in)
        patient = (waited < config.patience) | (not config.early_stopping)
        return (s.epoch < config.epochs) & patient

    def advance(s: _Epochs):
        learner, row = train_epoch(s.epoch, s.learner, train)
        epoch, best = s.epoch + 1, s.best
        if config.early_stopping:
            now = judge(learner, epoch)
            better = now.score < best.score
            best = jax.tree.map(lambda new, old: jnp.where(better, new, old), now, best)
            row = {**row, "validation": now.score}
        history = {name: h.at[s.epoch].set(row[name]) for name, h in s.history.items()}
        return _Epochs(epoch, learner, best, history)

    def finish(end: _Epochs) -> FitResult:
        best = end.best if config.early_stopping else judge(end.learner, end.epoch)
        kept, teacher = best.params, best.teacher
        if config.refit:
            develop = batch.restrict(masks.develop)

            def again(i, learner):
                return train_epoch(i, learner, develop)[0]

            learner = lax.fori_loop(0, best.epoch, again, first)
            kept, teacher = learner.params, learner.teacher
        return FitResult(kept, best.epoch, best.score, end.epoch, end.history, teacher)

    return Training(start, proceed, advance, finish)
