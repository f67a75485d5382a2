"""Work on one split after the other, on all devices."""

import queue
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import numpy as np

from jaxsurv.survival.host.blas import one_blas_thread


def each_split(fit: Callable[[int], Any], splits: int, *, devices: int | None = None) -> list[Any]:
    """``fit(0), ..., fit(splits - 1)`` as NumPy arrays, one at a time on each device.

    Cox models and paths of penalties keep no more than one core busy.

    Args:
        fit: made for the number of a split.
        splits: number of splits.
        devices: most devices to use; None = all.
    """
    waiting = queue.SimpleQueue()
    for device in jax.local_devices()[:devices]:
        waiting.put(device)

    def on_device(s: int) -> Any:
        device = waiting.get()
        try:
            with jax.default_device(device):
                return jax.tree.map(np.asarray, fit(s))
        finally:
            waiting.put(device)

    with one_blas_thread(), ThreadPoolExecutor(waiting.qsize()) as pool:
        return list(pool.map(on_device, range(splits)))
