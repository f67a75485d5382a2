"""Training on more rows than memory holds: minibatches come from an iterator, one after the other."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.arguments.settings import check_whole
from jaxsurv.training.learner import Optimizer, adam, begin, learn
from jaxsurv.types import InputError, Key, Objective, Params

T = TypeVar("T")


class StreamResult(NamedTuple):
    """A finished run.

    Attributes:
        params: the parameters after the last step.
        history: ``{name: [passes]}``: each loss term, its mean over the steps of a pass, and, with
            held-out rows, ``validation``, their score after the pass.
        teacher: parameters that ``objective.follow`` had made, or None.
    """

    params: Params
    history: dict[str, np.ndarray]
    teacher: Params | None


def prefetched(items: Iterable[T]) -> Iterator[T]:
    """Yield ``items``; while one is in use the next one, and no other, is made on a thread."""
    iterator, end = iter(items), object()
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, iterator, end)
        while (item := coming.result()) is not end:
            coming = thread.submit(next, iterator, end)
            yield item  # type: ignore[misc]


def fit_stream(
    key: Key,
    objective: Objective,
    hparams: Any,
    draw: Callable[[int], Iterable[Any]],
    *,
    passes: int = 1,
    held_out: Any = None,
    optimizer: Optimizer = adam,
) -> StreamResult:
    """Train by passes over minibatches that are read from disk while the device computes::

        rows = open_rows("x.npy", event, time)

        def draw(seed):
            return (table_batch(*some) for some in rows.shuffled(seed, batch_size=4096))

        result = fit_stream(key, cox_nnet(), hparams, draw, passes=3)

    The step is compiled once; at most four batches exist at a time. A Cox loss sees only the risk
    sets within its minibatch, samples of the cohort's as in case-cohort and nested case-control
    studies (Kvamme, Borgan & Scheel, "Time-to-event prediction with neural networks and Cox
    regression", JMLR 20(129), 2019). It is the partial likelihood of that sample: its size depends
    on that of the batch and is not the cohort's, while its expected gradient is zero at the true
    log hazards in either. Small batches lose efficiency; one without any event has no gradient.

    Args:
        key: typed key; the whole run is a function of it.
        objective: see :class:`jaxsurv.types.Objective`; annealed from pass to pass.
        hparams: NamedTuple of scalars.
        draw: ``draw(seed)`` yields the batches of a pass, all of one shape; another seed, another
            order. It runs on a thread, where context managers such as ``jax.enable_x64`` of the
            caller do not hold.
        passes: number of passes over the data.
        held_out: a batch of rows that are never drawn, scored by ``objective.score`` after every
            pass; None = no score.
        optimizer: ``hparams -> optax.GradientTransformation``.

    Raises:
        InputError: no pass, or no batch in it.
    """
    check_whole("passes", passes)
    key_init, key_run = jax.random.split(key)
    keys = [jax.random.split(jax.random.fold_in(key_run, i)) for i in range(passes)]
    seeds = [int(jax.random.bits(key_order)) for key_order, _ in keys]
    progress = jnp.linspace(0.0, 1.0, passes)

    @jax.jit
    def first(batch, hparams):
        params = objective.init(key_init, batch)
        _, shapes = jax.eval_shape(objective.loss, params, batch, key_init, hparams)
        zeros = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)
        return begin(objective, optimizer(hparams), params), zeros

    @jax.jit
    def step(learner, total, batch, key, number, hparams, annealed):
        key = jax.random.fold_in(key, number)
        learner, terms = learn(objective, optimizer(hparams), learner, batch, key, annealed)
        return learner, jax.tree.map(jnp.add, total, terms)

    example = next(iter(draw(seeds[0])), None)
    if example is None:
        raise InputError("draw(seed) yields no batch; lower the batch size or add rows")
    learner, nothing = first(example, hparams)
    del example
    score = jax.jit(objective.score)
    rows = []
    # One thread for all passes: the allocator keeps memory for every thread that there has been.
    of_passes = prefetched((i, batch) for i, seed in enumerate(seeds) for batch in draw(seed))
    for i, of_pass in groupby(of_passes, itemgetter(0)):
        annealed = objective.anneal(hparams, progress[i])
        before = total = nothing
        steps = 0
        for steps, (_, batch) in enumerate(of_pass, 1):
            jax.block_until_ready(before)  # or batches would pile up in front of a slow device
            before = total
            learner, total = step(learner, total, batch, keys[i][1], steps, hparams, annealed)
        row = jax.tree.map(lambda t, steps=steps: t / steps, total)
        if held_out is not None:
            row["validation"] = score(learner.params, held_out)
        rows.append(jax.device_get(row))
    history = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return StreamResult(learner.params, history, learner.teacher)
