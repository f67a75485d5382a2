"""Interleaved timings: A B C A B C ..., so that a busy machine slows all of them alike."""

import gc
import os
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any


def interleaved(
    cases: Mapping[str, Callable[[], Any]], repeats: int = 7, least: float = 0.01
) -> dict[str, float]:
    """Median seconds per call of each case.

    Each sample repeats its call until ``least`` seconds have passed, so that short calls are timed as in
    a loop of many calls.
    """
    calls = {}
    for name, run in cases.items():
        run()
        start = time.perf_counter()
        run()
        calls[name] = max(1, round(least / (time.perf_counter() - start)))
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    gc.disable()
    try:
        for _ in range(repeats):
            for name, run in cases.items():
                start = time.perf_counter()
                for _ in range(calls[name]):
                    run()
                seconds[name].append((time.perf_counter() - start) / calls[name])
    finally:
        gc.enable()
    return {name: statistics.median(times) for name, times in seconds.items()}


def product_rate(side: int, products: int = 8) -> float:
    """FLOP/s of square float32 matrix products in JAX: in sequence on each device, all devices at once."""
    import jax
    import jax.numpy as jnp
    from jax.sharding import AxisType, NamedSharding, PartitionSpec

    mesh = jax.make_mesh((jax.local_device_count(),), ("devices",), axis_types=(AxisType.Auto,))
    shape = (jax.local_device_count(), side, side)
    # multiples of the identity: their powers neither overflow nor vanish
    a = jnp.broadcast_to(jnp.eye(side), shape)
    a = jax.device_put(a, NamedSharding(mesh, PartitionSpec("devices")))
    run = jax.jit(lambda a: jax.lax.fori_loop(0, products, lambda _, c: c @ a, a))
    run(a).block_until_ready()
    start = time.perf_counter()
    run(a).block_until_ready()
    return 2 * side**3 * products * shape[0] / (time.perf_counter() - start)


def human(seconds: float) -> str:
    """Format a duration with three digits and a unit."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale or unit == "µs":
            return f"{seconds / scale:.3g} {unit}"
    raise AssertionError


def machine() -> str:
    """Describe cores and load, for the caption of a table."""
    return f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}"
