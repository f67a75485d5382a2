"""How a sweep's runs are laid out on the hardware."""

import os
from dataclasses import dataclass
from typing import Self

import jax

from jaxsurv.types import InputError

# on a CPU: of a step of all runs side by side, beyond which a core gains nothing; runs side by side; and
# runs of a call on each device
STEP_FLOPS, MOST_WIDTH, MOST_RUNS = 3e8, 16, 8


@dataclass(frozen=True)
class Plan:
    """Layout of one compiled call: ``devices x length x width`` runs.

    Attributes:
        devices: devices that the run axis is sharded over.
        length: groups of runs in sequence on each device; each group stops at its own epoch.
        width: runs side by side (vmapped) in a group. A run's bits depend on this number, so every
            group has exactly this width, the last one padded.
    """

    devices: int = 1
    length: int = 1
    width: int = 1

    def __post_init__(self) -> None:
        for name in ("devices", "length", "width"):
            if getattr(self, name) < 1:
                raise InputError(f"plan: {name} must be at least 1, got {getattr(self, name)}")
        if self.devices > jax.local_device_count():
            raise InputError(
                f"plan: {self.devices} devices asked for, {jax.local_device_count()} present"
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """From ``DEVICESxLENGTHxWIDTH``, such as ``2x8x1``."""
        parts = text.split("x")
        if len(parts) != 3 or not all(p.isdecimal() for p in parts):
            raise InputError(f"plan must be DEVICESxLENGTHxWIDTH, such as 2x8x1, got {text!r}")
        return cls(*map(int, parts))

    @property
    def runs(self) -> int:
        """Runs in one call."""
        return self.devices * self.length * self.width


def one_device_per_core() -> None:
    """Let XLA see each CPU core as a device; call before anything else uses JAX.

    A sweep on a CPU is fastest as one sequence of runs per core. Does nothing when a number of devices
    has been set already.
    """
    if jax.config.jax_num_cpu_devices < 1:
        linux = hasattr(os, "sched_getaffinity")
        cores = len(os.sched_getaffinity(0)) if linux else os.cpu_count()
        jax.config.update("jax_num_cpu_devices", cores or 1)


def choose_plan(n_runs: int, flops: float | None = None) -> Plan:
    """A plan for ``n_runs`` on the present backend.

    CPU: one run at a time on each device, which then pays for no slot that waits and frees its core when
    it stops; but small networks that all take as many steps as each other, side by side until a step of
    them together is work enough for a core (both measured: ``python -m benchmarks.plan``). The width
    depends on the network alone, so that more seeds change no bit of what was there. Accelerator: 64
    runs side by side on each device. Calls are kept short enough for progress to be seen and finished
    runs to be saved.

    Args:
        n_runs: of the sweep.
        flops: of a step of one run, see :func:`jaxsurv.training.step_flops`; None = they differ in their
            number of steps.

    >>> plan = Plan.parse("1x4x2")
    >>> plan, plan.runs
    (Plan(devices=1, length=4, width=2), 8)
    """
    if jax.default_backend() == "cpu":
        room = 1 if flops is None else min(MOST_WIDTH, max(1, int(STEP_FLOPS / flops)))
        width = 1 << (room.bit_length() - 1)
        devices = min(jax.local_device_count(), -(-n_runs // width))
        groups = -(-n_runs // (devices * width))
        return Plan(devices, min(max(1, MOST_RUNS // width), groups), width)
    devices = min(jax.local_device_count(), n_runs)
    return Plan(devices, length=1, width=min(64, -(-n_runs // devices)))
