"""Memory check: a compiled program must fit on its devices."""

from pathlib import Path
from typing import Any

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
