"""Layout of a sweep's runs on the hardware."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import jax

from jaxsurv.arguments.settings import check_whole
from jaxsurv.training._fit import each_row_once
from jaxsurv.training.learner import Learner, Optimizer, adam, begin, learn
from jaxsurv.types import InputError, Objective

# on a CPU: of a step of all runs side by side, beyond which a core gains nothing; runs side by side; and
# runs of a call on each device
STEP_FLOPS, MOST_WIDTH, MOST_RUNS = 3e8, 16, 8


@dataclass(frozen=True)
class Plan:
    """Layout of one compiled call: ``devices x length x width`` runs.

    Attributes:
        devices: devices that the run axis is sharded over.
        length: groups of runs in sequence on each device.
        width: runs side by side (vmapped) in a group. A run's bits depend on this number, so every
            group has exactly this width, the last one filled up. Runs that stop early leave their place to
            the next ones.
    """

    devices: int = 1
    length: int = 1
    width: int = 1

    def __post_init__(self) -> None:
        for name in ("devices", "length", "width"):
            check_whole(f"plan: {name}", getattr(self, name))
        if self.devices > jax.local_device_count():
            raise InputError(
                f"plan: {self.devices} devices asked for, {jax.local_device_count()} present"
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a plan from ``DEVICESxLENGTHxWIDTH``, such as ``2x8x1``."""
        parts = text.split("x")
        if len(parts) != 3 or not all(p.isdecimal() for p in parts):
            raise InputError(f"plan must be DEVICESxLENGTHxWIDTH, such as 2x8x1, got {text!r}")
        return cls(*map(int, parts))

    def __str__(self) -> str:
        return f"{self.devices}x{self.length}x{self.width}"

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


def step_flops(
    objective: Objective,
    rows: Any,
    hparams: Any,
    *,
    optimizer: Optimizer = adam,
    batch_size: int | None = None,
) -> float:
    """FLOPs of a training step, by XLA before it compiles, which XLA does on a CPU only.

    Args:
        objective: the model.
        rows: the batch, all rows; shapes suffice.
        hparams: NamedTuple of scalars.
        optimizer: ``hparams -> optax.GradientTransformation``.
        batch_size: rows of a minibatch; None = the step sees all.
    """
    key, transform = jax.random.key(0), optimizer(hparams)

    def beginning(rows: Any) -> tuple[Learner, Any]:
        if batch_size is not None:
            rows = (objective.draw or each_row_once)(rows, key, batch_size)[1](jax.numpy.int32(0))
        return begin(objective, transform, objective.init(key, rows)), rows

    def step(now: Learner, rows: Any) -> Any:
        return learn(objective, transform, now, rows, key, hparams)

    lowered: Any = jax.jit(step).lower(*jax.eval_shape(beginning, rows))
    return lowered.cost_analysis()["flops"]


def choose_plan(n_runs: int, flops: Callable[[], float] | None = None) -> Plan:
    """A plan for ``n_runs`` on the present backend.

    CPU: one run at a time on each device, which then pays for no slot that waits and frees its core when
    it stops; but small networks that all take as many steps as each other, side by side until a step of
    them together is work enough for a core (both measured: ``python -m benchmarks.plan``). The width
    depends on the network alone, and all devices take part, so that more seeds change no bit of what was
    there. Accelerator: up to 64 runs side by side on each device; how many there are changes last bits.
    Calls are kept short enough for progress to be seen and finished runs to be saved.

    Args:
        n_runs: number of runs of the sweep.
        flops: function giving the FLOPs of a step of one run, see :func:`jaxsurv.training.step_flops`;
            called only if they matter; None = runs differ in their number of steps.

    >>> plan = Plan.parse("1x4x2")
    >>> plan, str(plan), plan.runs
    (Plan(devices=1, length=4, width=2), '1x4x2', 8)
    """
    if jax.default_backend() == "cpu":
        room = 1 if flops is None else min(MOST_WIDTH, max(1, int(STEP_FLOPS / flops())))
        width = 1 << (room.bit_length() - 1)
        return Plan(jax.local_device_count(), max(1, MOST_RUNS // width), width)
    devices = min(jax.local_device_count(), n_runs)
    return Plan(devices, length=1, width=min(64, -(-n_runs // devices)))
