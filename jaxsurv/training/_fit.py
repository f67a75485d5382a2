"""One training run as one pure function, from the initial parameters to those that are kept."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import lax

from jaxsurv.arguments.settings import check_whole
from jaxsurv.training.learner import Learner, Optimizer, adam, begin, learn
from jaxsurv.training.stopping import FitResult, Training, all_epochs, refit, stop_early
from jaxsurv.types import Array, Key, Objective, Params, taking


@dataclass(frozen=True)
class FitConfig:
    """Static choices of a training run.

    Attributes:
        epochs: most epochs that a run may take.
        burn_in: epochs before patience starts to count.
        patience: epochs without a better validation score after which a run stops.
        batch_size: rows per step; an epoch draws each of its rows once. None = full batch.
        refit: train once more after the stop, from the same initial parameters for ``best_epoch``
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
        least = {"epochs": 1, "patience": 1, "burn_in": 0, "batch_size": 2}
        for name, smallest in least.items():
            if name != "batch_size" or self.batch_size is not None:
                check_whole(name, getattr(self, name), smallest)


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


def each_row_once(batch: Any, key: Key, size: int) -> tuple[Array, Callable[[Array], Any]]:
    """An epoch of minibatches that draws each row of ``batch.where`` once, in random order.

    Args:
        batch: all rows.
        key: random key of the order.
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
    """The run that :func:`fit` repeats to its end, for those who repeat it otherwise."""
    # what is called twice is traced once
    objective = objective._replace(loss=jax.jit(objective.loss), score=jax.jit(objective.score))
    key_init, key_run = jax.random.split(key)
    train, validation = batch.restrict(masks.train), batch.restrict(masks.validation)
    transform = optimizer(hparams)
    params = objective.init(key_init, train)
    first = begin(objective, transform, params)
    value, terms = jax.eval_shape(objective.loss, params, train, key, hparams)
    blank = jnp.full(config.epochs, jnp.nan, value.dtype)
    epoch = partial(_epoch, objective, transform, hparams, key_run, config, terms)

    def score(params: Params) -> Array:
        return objective.score(params, validation)

    run = all_epochs(partial(epoch, train), first, score, terms, blank)
    if config.early_stopping:
        run = stop_early(run, score, blank, burn_in=config.burn_in, patience=config.patience)
    if config.refit:
        run = refit(run, partial(epoch, batch.restrict(masks.develop)), first)
    return run


@taking(training)
def fit(*arguments: Any, **options: Any) -> FitResult:
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
    run = training(*arguments, **options)
    return run.finish(lax.while_loop(run.proceed, run.advance, run.start))


def _epoch(
    objective: Objective,
    transform: optax.GradientTransformation,
    hparams: Any,
    key: Key,
    config: FitConfig,
    term_shapes: dict[str, Any],
    rows: Any,
    i: Array,
    learner: Learner,
) -> tuple[Learner, dict[str, Array]]:
    """One pass, number i, over the rows that the batch ``rows`` is restricted to; ``key`` is the run's."""
    # a table: its end is exactly 1, which a compiled quotient need not be
    progress = jnp.linspace(0.0, 1.0, config.epochs)
    key, annealed = jax.random.fold_in(key, i), objective.anneal(hparams, progress[i])
    if config.batch_size is None:
        return learn(objective, transform, learner, rows, key, annealed)
    key_order, key_noise = jax.random.split(key)
    draw = objective.draw or each_row_once
    steps, minibatch = draw(rows, key_order, config.batch_size)

    def step(i, carry):
        learner, total = carry
        drawn, key = minibatch(i), jax.random.fold_in(key_noise, i)
        learner, terms = learn(objective, transform, learner, drawn, key, annealed)
        return learner, jax.tree.map(jnp.add, total, terms)

    zeros = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), term_shapes)
    learner, total = lax.fori_loop(0, steps, step, (learner, zeros))
    return learner, jax.tree.map(lambda t: t / steps, total)
