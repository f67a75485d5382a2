"""Memory checks: a compiled program must fit on its devices, and what a sweep keeps on the host."""

import math
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxsurv.types import InputError


class OutOfMemory(InputError):
    """A call needs more memory than its devices have."""


def free_bytes(devices: list[Any]) -> int | None:
    """Memory for each of these devices; those of a CPU share the machine's. None where nothing tells."""
    device = devices[0]
    if stats := device.memory_stats():
        return stats["bytes_limit"] - stats["bytes_in_use"]
    meminfo = Path("/proc/meminfo")
    if device.platform != "cpu" or not meminfo.exists():
        return None
    (line,) = (x for x in meminfo.read_text().splitlines() if x.startswith("MemAvailable"))
    return int(line.split()[1]) * 1024 // len(devices)


def tree_bytes(tree: Any) -> int:
    """Bytes of all arrays, or shapes of arrays, of a pytree."""
    return sum(math.prod(a.shape) * np.dtype(a.dtype).itemsize for a in jax.tree.leaves(tree))


def check_memory(compiled: Any, devices: list[Any]) -> None:
    """Refuse a program that would run out of memory.

    Args:
        compiled: result of ``jit(...).lower(...).compile()``.
        devices: devices that it runs on.

    Raises:
        OutOfMemory: XLA's own count of temporary and output bytes is more than is free.
    """
    analysis, free = compiled.memory_analysis(), free_bytes(devices)
    if analysis is None or free is None:
        return
    need = analysis.temp_size_in_bytes + analysis.output_size_in_bytes
    if need > free:
        raise OutOfMemory(
            f"a call needs {need / 1e9:.3g} GB on each device, where {free / 1e9:.3g} GB are free; "
            "pass --plan with a smaller width, or fewer devices if they share memory"
        )


def check_results(first: Any, done: int, runs: int) -> None:
    """Refuse a sweep whose results would fill the memory of the host, once the first of them are known.

    Args:
        first: pytree of arrays, the results of the first call.
        done: number of runs in it.
        runs: number of runs of the sweep.

    Raises:
        InputError: the results, of which joining them makes a copy, are more than is free.
    """
    held = tree_bytes(first)
    need, free = 2 * held * runs // done - held, free_bytes(jax.local_devices(backend="cpu")[:1])
    if free is not None and need > free:
        raise InputError(
            f"the results of {runs} runs need {need / 1e9:.3g} GB, where {free / 1e9:.3g} GB are free; take "
            "fewer seeds, splits or settings at a time, or fewer features (a selection, or components)"
        )
