"""One pure function over many items, laid out on the hardware by a plan and compiled once."""

from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any, NamedTuple

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


def map_chunks(program: Program, plan: Plan, shared: Any, items: Any) -> Iterator[tuple[Any, Any]]:
    """Items and their outputs, on the host, as soon as each compiled call is done.

    Args:
        program: of ``plan``.
        plan: how many items a call does.
        shared: what every item reads, placed.
        items: pytree of ``[items]`` arrays on the host.
    """
    count = len(jax.tree.leaves(items)[0])
    for start in range(0, count, plan.runs):
        # every call has the same shape: the last one repeats its last item
        rows = np.minimum(np.arange(start, start + plan.runs), count - 1)
        kept = slice(0, count - start)
        these = jax.tree.map(itemgetter(rows), items)
        outputs = jax.device_get(program.call(shared, these))
        yield jax.tree.map(itemgetter(kept), (these, outputs))
