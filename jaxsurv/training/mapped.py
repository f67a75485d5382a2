"""One pure function over many items, laid out on the hardware by a plan and compiled once."""

from collections.abc import Callable, Iterator
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple, Protocol

import jax
import numpy as np
from jax import lax
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from jaxsurv.training.plan import Plan


class Program(NamedTuple):
    """A compiled map: ``place`` copies data to every device, ``call`` does ``plan.runs`` items."""

    place: Callable[[Any], Any]
    call: Callable[[Any, Any], Any]


def compile_map(one: Callable[[Any, Any], Any], plan: Plan) -> Program:
    """The jitted program of ``one(shared, item)`` for ``plan.runs`` items at a time.

    Args:
        one: pure; items and outputs are pytrees of arrays. If it decomposes matrices and items are side by
            side on a CPU, use :mod:`jaxsurv.factors.decompositions`.
        plan: devices, items in sequence on each, items side by side.
    """

    def on_device(shared, items):
        def group(item):
            return one(shared, item)

        if (
            plan.width > 1
        ):  # a vmapped loop of one run would still pay for selects on its whole state
            group = jax.vmap(group)
            items = jax.tree.map(lambda x: x.reshape(-1, plan.width), items)
        out = lax.map(group, items)
        if plan.width > 1:
            out = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), out)
        return out

    # Auto axes: with explicit ones a vmapped while loop is refused
    devices = jax.local_devices()[: plan.devices]
    mesh = jax.make_mesh((plan.devices,), ("runs",), axis_types=(AxisType.Auto,), devices=devices)
    whole, by_item = PartitionSpec(), PartitionSpec("runs")
    specs = {"in_specs": (whole, by_item), "out_specs": by_item, "check_vma": False}
    program = jax.jit(jax.shard_map(on_device, mesh=mesh, **specs))

    def call(shared, items):
        return program(shared, jax.device_put(items, NamedSharding(mesh, by_item)))

    return Program(lambda tree: jax.device_put(tree, NamedSharding(mesh, whole)), call)


class Store(Protocol):
    """What was finished before an interruption, such as :class:`jaxsurv.artifacts.Chunks`."""

    def load(self, part: int, like: Callable[[], Any]) -> Any | None:
        """Outputs of that part in the structure of ``like()``, or None."""
        ...

    def save(self, part: int, tree: Any) -> None:
        """Keep them."""
        ...


def once(
    store: Store | None, part: int, like: Callable[[], Any], compute: Callable[[], Any]
) -> Any:
    """What the store has of that part, else ``compute()``, on the host and kept."""
    found = None if store is None else store.load(part, like)
    if found is None:
        found = jax.device_get(compute())
        if store is not None:
            store.save(part, found)
    return found


def map_chunks(
    program: Program, plan: Plan, shared: Any, items: Any, store: Store | None = None
) -> Iterator[tuple[Any, Any]]:
    """Items and their outputs, on the host, as soon as each compiled call is done.

    Args:
        program: of ``plan``.
        plan: how many items a call does.
        shared: what every item reads, placed.
        items: pytree of ``[items]`` arrays on the host.
        store: of the calls that were done before, which are not done again; None = keep nothing.
    """
    count = len(jax.tree.leaves(items)[0])
    for part, start in enumerate(range(0, count, plan.runs)):
        # every call has the same shape: the last one repeats its last item
        rows = np.minimum(np.arange(start, start + plan.runs), count - 1)
        kept = slice(0, count - start)
        these = jax.tree.map(itemgetter(rows), items)
        shapes = partial(jax.eval_shape, program.call, shared, these)
        outputs = once(store, part, shapes, lambda: program.call(shared, these))  # noqa: B023
        yield jax.tree.map(itemgetter(kept), (these, outputs))
