"""Slots: every item once, with its own result, however long it takes and wherever it stands."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsurv.training.slots import in_slots


def start(shared, item):
    return {"left": item["steps"], "value": item["at"] * shared}


def advance(shared, item, state):
    """At most two steps at a time."""
    steps = jnp.minimum(state["left"], 2)
    state = {"left": state["left"] - steps, "value": state["value"] + 3.0 * steps}
    return state, state["left"] == 0


def finish(shared, item, state):
    return state["value"], item["at"]


@pytest.mark.parametrize("width", [1, 3, 7])
def test_every_item_leaves_with_its_own_result(width):
    rng = np.random.default_rng(0)
    items = {"steps": rng.integers(0, 9, 7).astype(np.int32), "at": np.arange(7, dtype=np.float32)}
    value, at = jax.jit(in_slots(start, advance, finish, width))(jnp.float32(10), items)
    np.testing.assert_array_equal(at, items["at"])
    np.testing.assert_array_equal(value, 10 * items["at"] + 3 * items["steps"])


def test_waiting_items_enter_as_others_leave():
    """One long item and eight short ones in two slots: nobody waits for the long one."""
    turns = []

    def counted(shared, item, state):
        jax.debug.callback(lambda at: turns.append(int(at)), item["at"])
        return advance(shared, item, state)

    steps = np.array([16, *[2] * 8], np.int32)
    items = {"steps": steps, "at": np.arange(9, dtype=np.float32)}
    jax.block_until_ready(jax.jit(in_slots(start, counted, finish, 2))(jnp.float32(1), items))
    jax.effects_barrier()
    assert (
        len(turns) == 2 * 8
    )  # in groups of two it would be 8 turns for the first, 4 for the others
