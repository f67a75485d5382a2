"""Runs side by side of which each leaves when it is done, and a waiting one enters."""

from collections.abc import Callable
from operator import itemgetter
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from jaxsurv.types import Array


class _Slots(NamedTuple):
    """State of each slot ``[width]``: its item, whether it is new, whether it is at work, and its state."""

    item: Array
    fresh: Array
    busy: Array
    state: Any
    entered: Array
    outputs: Any


def in_slots(
    start: Callable[[Any, Any], Any],
    advance: Callable[[Any, Any, Any], tuple[Any, Array]],
    finish: Callable[[Any, Any, Any], Any],
    width: int,
) -> Callable[[Any, Any], Any]:
    """``(shared, items) -> outputs``, ``width`` items at a time, as long as each of them takes.

    Runs of one vmapped group end together; here none waits for another until the last ones. An item's
    bits do not depend on its slot.

    Args:
        start: ``(shared, item) -> state``.
        advance: ``(shared, item, state) -> (state, done)``, work for as long as a slot may idle: between two
            calls slots are emptied and filled, and every slot's start and finish are computed.
        finish: ``(shared, item, state) -> output``.
        width: slots.
    """

    def run(shared: Any, items: Any) -> Any:
        count = len(jax.tree.leaves(items)[0])

        def at(ids: Array) -> Any:
            return jax.tree.map(itemgetter(ids), items)

        def zeros(shapes: Any, size: int) -> Any:
            return jax.tree.map(lambda s: jnp.zeros((size, *s.shape), s.dtype), shapes)

        def step(item: Any, fresh: Array, state: Any) -> tuple[Any, Array]:
            new = start(shared, item)
            state = jax.tree.map(lambda a, b: jnp.where(fresh, a, b), new, state)
            return advance(shared, item, state)

        def turn(s: _Slots) -> _Slots:
            these = at(s.item)
            state, done = jax.vmap(step)(these, s.fresh, s.state)
            leaves = s.busy & done
            found = jax.vmap(lambda i, s: finish(shared, i, s))(these, state)
            place = jnp.where(leaves, s.item, count)
            outputs = jax.tree.map(lambda o, f: o.at[place].set(f, mode="drop"), s.outputs, found)
            following = s.entered + jnp.cumsum(leaves, dtype=jnp.int32) - 1
            enters = leaves & (following < count)
            return _Slots(
                item=jnp.where(enters, following, s.item),
                fresh=enters,
                busy=s.busy & (enters | ~leaves),
                state=state,
                entered=s.entered + jnp.sum(enters, dtype=jnp.int32),
                outputs=outputs,
            )

        first = at(0)
        state = jax.eval_shape(start, shared, first)
        outputs = jax.eval_shape(finish, shared, first, state)
        everyone = jnp.ones(width, bool)
        begin = _Slots(
            item=jnp.arange(width, dtype=jnp.int32),
            fresh=everyone,
            busy=everyone,
            state=zeros(state, width),
            entered=jnp.int32(width),
            outputs=zeros(outputs, count),
        )
        return lax.while_loop(lambda s: jnp.any(s.busy), turn, begin).outputs

    return run
