"""Sweep of :mod:`benchmarks.problem` with more and more runs side by side, on one accelerator.

    python -m benchmarks.gpu [--epochs 100] [--widths 1 4 16 ...] [--out table.md]

Minutes on a GPU, unattended; on a CPU only for a look (``--epochs 3 --widths 1 4``). Each line is the
median of two calls with this number of runs, after one call that compiles. The limit is a large square
matrix product in the precision of the trainings: TF32 on recent GPUs. A width that does not fit
in the device's memory ends the table, which is written anew after every line.
"""

import os
import time
from argparse import ArgumentParser
from pathlib import Path
from statistics import median

from benchmarks import problem
from benchmarks.timing import human, machine, product_rate

CALLS = 3
HEAD = """
| side by side | runs per second | per step and run | of the products | peak memory | first call |
| --- | --- | --- | --- | --- | --- |
"""


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--widths", type=int, nargs="+", default=[4**k for k in range(7)])
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    os.environ.setdefault("XLA_CLIENT_MEM_FRACTION", "0.95")  # JAX's default is 3/4

    import jax

    from jaxsurv.training import Plan, sweep_chunks

    device, epochs = jax.local_devices()[0], arguments.epochs
    rate = product_rate(2048 if device.platform == "cpu" else 8192)
    lines = [
        f"{device.device_kind}, JAX {jax.__version__}; {machine()}. {problem.parameters():,} parameters, "
        f"{problem.flops() / 1e9:.2f} GFLOP per step, {epochs} epochs. Square products reach "
        f"{rate / 1e12:.3g} TFLOP/s.\n{HEAD}"
    ]

    def seconds(width: int) -> list[float]:
        settings = problem.settings()[:width]
        chunks = sweep_chunks(
            **problem.sweep_arguments(epochs),
            seeds=range(-(-CALLS * width // len(settings))),
            hparams=settings,
            plan=Plan(width=width),
        )
        taken = []
        for _ in range(CALLS):
            start = time.perf_counter()
            next(chunks)
            taken.append(time.perf_counter() - start)
        return taken

    for width in arguments.widths:
        try:
            first, *later = seconds(width)
        except jax.errors.JaxRuntimeError as error:
            if "RESOURCE_EXHAUSTED" not in str(error):
                raise
            lines.append(f"| {width} | does not fit | | | | |\n")
        else:
            run = median(later) / width
            share = problem.flops() * epochs / run / rate
            memory = (device.memory_stats() or {}).get("peak_bytes_in_use")
            memory = f"{memory / 1e9:.3g} GB" if memory else "not known"
            lines.append(
                f"| {width} | {1 / run:.3g} | {human(run / epochs)} | {share:.1%} | {memory} "
                f"| {human(first)} |\n"
            )
        if arguments.out:
            arguments.out.write_text("".join(lines))
        if "does not fit" in lines[-1]:
            break
    print("".join(lines))


if __name__ == "__main__":
    main()
