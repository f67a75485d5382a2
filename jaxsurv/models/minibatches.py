"""Minibatches of labelled and unlabelled patients, drawn on the device."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxsurv.models.batch import Batch
from jaxsurv.types import Array, Key


def labelled_and_unlabelled(
    batch: Batch, key: Key, size: int
) -> tuple[Array, Callable[[Array], Batch]]:
    """An epoch in which each step has its share of the events, their companions, unlabelled rows.

    Each labelled row of ``batch.where`` is drawn once: ``size`` per step, of which events are as equal
    a part in every step as whole numbers allow (drawn blindly, steps without any event learn nothing).
    The risk sets are those of the step's labelled rows. If the batch has unlabelled rows, ``size`` of
    them follow in every step; once all have been drawn they begin anew. All sorting is done here, once
    per epoch: within a step the rows are already in the order of time.

    Returns:
        the number of steps, and ``minibatch(i)``.
    """
    n, labelled = batch.where.size, batch.with_outcome
    key_order, key_shift = jax.random.split(key)
    kind = jnp.where(labelled, jnp.where(batch.outcome.event > 0, 0, 1), 2)
    kind = jnp.where(batch.where, kind, 3)
    shuffled = jnp.lexsort((jax.random.uniform(key_order, (n,)), kind))
    counts = jnp.bincount(kind, length=4)
    n_labelled = counts[0] + counts[1]

    # where along the epoch each row stands: events evenly, and censored rows evenly
    kind = kind[shuffled]
    first = (jnp.cumsum(counts) - counts)[kind]
    along = (jnp.arange(n) - first + jax.random.uniform(key_shift)) / counts[kind]
    spread = shuffled[jnp.argsort(jnp.where(kind < 2, along, 2.0))]
    place = jnp.arange(n)
    position = spread if batch.risk_sets.position is None else batch.risk_sets.position[spread]
    position = jnp.where(place < n_labelled, position, n - 1)  # fills up the last step
    position = position[jnp.lexsort((position, place // size))]
    unlabelled = jnp.roll(shuffled, -n_labelled)
    n_unlabelled = counts[2]

    def minibatch(i: Array) -> Batch:
        lane = jnp.arange(size)
        at = i * size + lane
        positions = position.at[at].get(mode="fill", fill_value=n - 1)
        where = at < n_labelled
        if batch.labelled is None:
            return batch.take_in_order(positions, jnp.zeros(0, positions.dtype), where)
        others = unlabelled[at % jnp.maximum(n_unlabelled, 1)]
        where = jnp.concatenate([where, lane < n_unlabelled])
        return batch.take_in_order(positions, others, where)

    return -(-n_labelled // size), minibatch
