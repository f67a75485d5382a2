"""One pure function over many items, laid out on the hardware by a plan and compiled once."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple, Protocol

import jax
import numpy as np
from jax import lax
from jax.experimental.multihost_utils import process_allgather
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from jaxsurv.training.memory import OutOfMemory, check_memory
from jaxsurv.training.plan import Plan
from jaxsurv.training.programs import compiled


class Program(NamedTuple):
    """A map that is compiled once.

    Attributes:
        place: copies what all items read to every device.
        call: ``(shared, items) -> outputs``, applied to ``plan.runs`` items; raises :class:`OutOfMemory`
            before it starts if XLA's count of bytes tells so.
        shapes: shapes of these outputs.
    """

    place: Callable[[Any], Any]
    call: Callable[[Any, Any], Any]
    shapes: Callable[[Any, Any], Any]


def compile_map(
    one: Callable[[Any, Any], Any],
    plan: Plan,
    *,
    several: Callable[[Any, Any], Any] | None = None,
) -> Program:
    """The jitted program of ``one(shared, item)`` for ``plan.runs`` items at a time.

    Args:
        one: pure; items and outputs are pytrees of arrays. If it decomposes matrices and items are side by
            side on a CPU, use :mod:`jaxsurv.factors.decompositions`.
        plan: devices, items in sequence on each, items side by side.
        several: function of all items ``[length x width]`` of a device, if groups of them are not to be
            done one after the other, see :func:`jaxsurv.training.slots.in_slots`.
    """

    def in_groups(shared, items):
        def group(item):
            return one(shared, item)

        if (
            plan.width > 1
        ):  # a vmapped loop of one run would still pay for selects on its whole state
            group = jax.vmap(group)
            items = jax.tree.map(lambda x: x.reshape(-1, plan.width, *x.shape[1:]), items)
        out = lax.map(group, items)
        if plan.width > 1:
            out = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), out)
        return out

    # Auto axes: with explicit ones a vmapped while loop is refused
    devices = jax.local_devices()[: plan.devices]
    mesh = jax.make_mesh((plan.devices,), ("runs",), axis_types=(AxisType.Auto,), devices=devices)
    whole, by_item = PartitionSpec(), PartitionSpec("runs")
    specs = {"in_specs": (whole, by_item), "out_specs": by_item, "check_vma": False}
    jitted = jax.jit(jax.shard_map(several or in_groups, mesh=mesh, **specs))

    checked = False  # whether its memory is there, since the last arguments were placed

    def call(shared, items):
        nonlocal checked
        arguments = shared, jax.device_put(items, NamedSharding(mesh, by_item))
        leaves, structure = jax.tree.flatten(arguments)
        shapes = structure, tuple((a.shape, a.dtype) for a in leaves)
        try:
            program = compiled((jitted, shapes), lambda: jitted.lower(*arguments).compile())
            if not checked:
                check_memory(program, devices)
                checked = True
            return jax.block_until_ready(program(*arguments))
        except jax.errors.JaxRuntimeError as error:
            if "RESOURCE_EXHAUSTED" in str(error):
                raise OutOfMemory(
                    f"a call of {plan.runs} met the end of memory: {error}"
                ) from error
            raise

    def place(tree):
        nonlocal checked
        checked = False
        return jax.device_put(tree, NamedSharding(mesh, whole))

    return Program(place, call, partial(jax.eval_shape, jitted))


class Store(Protocol):
    """Results finished before an interruption, such as :class:`jaxsurv.artifacts.Chunks`."""

    def load(self, part: str, like: Callable[[], Any]) -> Any | None:
        """Outputs of the part of that name in the structure of ``like()``, or None."""
        ...

    def save(self, part: str, tree: Any) -> None:
        """Keep them."""
        ...


def once(
    store: Store | None, part: str, like: Callable[[], Any], compute: Callable[[], Any]
) -> Any:
    """Load ``part`` from ``store`` in the structure of ``like()``, else keep and return ``compute()``."""
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
        program: program compiled for ``plan``.
        plan: number of items in a call.
        shared: data that every item reads, placed.
        items: pytree of arrays on the host with a leading axis of items.
        store: store of the calls that were done before by the same plan, which are not done again; None =
            keep nothing.
    """
    count, hosts = len(jax.tree.leaves(items)[0]), jax.process_count()

    # neighbours go to different devices: few items keep all of them busy
    each = np.arange(plan.runs).reshape(plan.length, plan.devices, plan.width)
    place = each.transpose(1, 0, 2).ravel()
    back = np.argsort(place)

    def taken(part: int) -> Any:
        # every call has the same shape: the last one repeats its last item
        rows = np.arange(part * plan.runs, (part + 1) * plan.runs)
        return jax.tree.map(itemgetter(np.minimum(rows, count - 1)), items)

    def call(part: int) -> Any:
        outputs = program.call(shared, jax.tree.map(itemgetter(place), taken(part)))
        return jax.tree.map(itemgetter(back), jax.device_get(outputs))

    def shapes() -> Any:
        return program.shapes(shared, taken(0))

    parts = range(-(-count // plan.runs))
    for first in range(0, len(parts), hosts):
        now = parts[first : first + hosts]
        if hosts == 1:
            outputs = [once(store, _named(plan, first), shapes, partial(call, first))]
        else:
            outputs = _share(call, now, plan, shapes(), store)
        for part, output in zip(now, outputs, strict=True):
            kept = slice(0, count - part * plan.runs)
            yield jax.tree.map(itemgetter(kept), (taken(part), output))


def _named(plan: Plan, part: int) -> str:
    # the plan says which items a part has, and by its width the bits that they come to
    return f"{plan}-{part:06d}"


def _share(
    call: Callable[[int], Any], parts: Sequence[int], plan: Plan, shapes: Any, store: Store | None
) -> list[Any]:
    """Outputs of one part per host, on every host; the store is that of the first one."""
    found = [store and store.load(_named(plan, part), lambda: shapes) for part in parts]
    if process_allgather(all(f is not None for f in found))[0]:
        zeros = jax.tree.map(lambda s: np.zeros(s.shape, s.dtype), shapes)
        return [jax.tree.map(itemgetter(0), process_allgather(f or zeros)) for f in found]
    # at the end hosts without a part do the last one again
    mine = parts[min(jax.process_index(), len(parts) - 1)]
    every = process_allgather(call(mine))
    outputs = [jax.tree.map(itemgetter(host), every) for host in range(len(parts))]
    if store is not None:
        for part, output in zip(parts, outputs, strict=True):
            store.save(_named(plan, part), output)
    return outputs
