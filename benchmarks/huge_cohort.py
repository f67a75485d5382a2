"""One huge cohort: cost per row of the Cox loss over devices, and of training from disk.

    python -m benchmarks.huge_cohort --largest 10000000

The first table times value and gradient of the loss under Efron ties, in float32, on rows sorted once,
on one device and in blocks over one device per core; times are whole days. ``x 300`` multiplies the
scores by 300, which makes late risk sets underflow. The second table times a pass of Cox-nnet over a
file, in batches of 4,096, in a process of its own; its peak resident memory includes Python and the
compiler. A temporary file needs 4 x features bytes of disk per row, 320 MB for 10^7 rows.
"""

import multiprocessing
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import tyro

from benchmarks.cox_loss import patients, value_and_gradient
from benchmarks.timing import human, interleaved, machine
from jaxsurv.data import open_rows
from jaxsurv.models import CoxNnetHParams, cox_nnet, table_batch
from jaxsurv.survival import (
    prepare_risk_sets,
    shard_risk_sets,
    sharded_neg_log_partial_likelihood,
)
from jaxsurv.training import fit_stream, one_device_per_core

BATCH = 4096
CHUNK = 100_000
sharded_value_and_gradient = jax.jit(jax.value_and_grad(sharded_neg_log_partial_likelihood))


def loss(n: int) -> str:
    """Line of the first table."""
    score, event, times = patients(n, tied=True)
    start = time.perf_counter()
    order = np.lexsort((~event, times))
    score, event, times = score[order], event[order], times[order]
    sorted_after = time.perf_counter() - start
    alone = prepare_risk_sets(event, times, presorted=True)
    start = time.perf_counter()
    cut = shard_risk_sets(alone)
    cut_after = time.perf_counter() - start
    cases = {}
    for scale in (1, 300):
        x, placed = jnp.asarray(scale * score), cut.place(scale * score)
        cases[f"one {scale}"] = lambda x=x: jax.block_until_ready(value_and_gradient(x, alone))
        cases[f"all {scale}"] = lambda x=placed: jax.block_until_ready(
            sharded_value_and_gradient(x, cut)
        )
    seconds = interleaved(cases, 5)
    per_row = " | ".join(f"{human(s)}, {1e9 * s / n:.3g} ns" for s in seconds.values())
    return f"| {n:,} | {per_row} | {human(sorted_after)} | {human(cut_after)} |"


def write(folder: Path, n: int, features: int) -> None:
    """Write x [n, features], event [n] and time [n] as files, a chunk at a time."""
    rng = np.random.default_rng(0)
    table = np.lib.format.open_memmap(folder / "x.npy", "w+", np.float32, (n, features))
    event, times = np.empty(n, bool), np.empty(n, np.float32)
    for i in range(0, n, CHUNK):
        x = rng.standard_normal((len(table[i : i + CHUNK]), features), np.float32)
        life, end = rng.exponential(np.exp(-x[:, 0])), rng.exponential(2, len(x))
        table[i : i + CHUNK] = x
        event[i : i + CHUNK], times[i : i + CHUNK] = life <= end, np.minimum(life, end)
    np.save(folder / "event.npy", event)
    np.save(folder / "time.npy", times)


class Pass(NamedTuple):
    read: float
    trained: float
    peak: int


def peak_memory() -> int:
    """Peak resident bytes of this process; ``getrusage`` would count the parent's as well."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def stream(folder: Path) -> Pass:
    """Seconds of a pass that only reads and of a pass that trains, and the process's peak memory."""
    rows = open_rows(folder / "x.npy", np.load(folder / "event.npy"), np.load(folder / "time.npy"))
    start = time.perf_counter()
    for _ in rows.shuffled(0, batch_size=BATCH):
        pass
    read = time.perf_counter() - start
    starts = []

    def draw(seed: int):
        starts.append(time.perf_counter())
        return (table_batch(*some) for some in rows.shuffled(seed, batch_size=BATCH))

    timed = int(np.clip(1_000_000 // rows.time.size, 1, 20))
    hparams = CoxNnetHParams(l2=0.0, learning_rate=0.01)
    fit_stream(jax.random.key(0), cox_nnet(), hparams, draw, passes=1 + timed)
    # the first draw gives the shapes, the second is for a pass that compiles
    trained = (time.perf_counter() - starts[2]) / timed
    return Pass(read, trained, peak_memory())


def main(largest: int = 10_000_000, features: int = 8) -> None:
    """Print both tables, from 10^4 rows up by factors of ten.

    Args:
        largest: largest number of rows.
        features: number of features of the table on disk.
    """
    one_device_per_core()
    sizes = [n for n in (10**k for k in range(4, 12)) if n <= largest]
    print(f"{machine()}, {jax.device_count()} devices\n")
    print("| n | one device | all devices | one, x 300 | all, x 300 | sorted once | cut once |")
    print("| --- " * 7 + "|")
    for n in sizes:
        print(loss(n), flush=True)
    print("\n| n | on disk | a pass, reading alone | a pass, training | peak memory |")
    print("| --- " * 5 + "|")
    for n in sizes:
        with tempfile.TemporaryDirectory() as name:
            write(Path(name), n, features)
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
                done = process.submit(stream, Path(name)).result()
        cells = " | ".join(f"{human(s)}, {1e9 * s / n:.3g} ns per row" for s in done[:2])
        size = f"{4 * features * n / 1e6:,.3g} MB"
        print(f"| {n:,} | {size} | {cells} | {done.peak / 1e6:.0f} MB |", flush=True)


if __name__ == "__main__":
    tyro.cli(main)
