"""Sweep of 80 runs, 10 seeds x 8 beta x 100 epochs, against the same trainings in PyTorch.

    python -m benchmarks.sweep [--epochs 100] [--seeds 10]

Ten minutes on two cores. The problem is :mod:`benchmarks.problem`. Ours is one sweep with the plan that
it chooses. Its chunks alternate with the same number of trainings in PyTorch, in two ways: a plain loop in
one process with the fastest number of threads, and PyTorch at its best, with one process per core, one
thread each, and fused Adam. Times are medians over the chunks. Our first chunk, which compiles, counts
only in the time of the whole sweep. The limit is a square float32 matrix product on all cores,
measured between the chunks. Needs the package `torch`, which our process never loads.
"""

import itertools
import os
import resource
import statistics
import time
from argparse import ArgumentParser
from multiprocessing import get_context

from benchmarks import problem
from benchmarks.timing import human, machine, product_rate


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=10)
    arguments = parser.parse_args()
    epochs, seeds = arguments.epochs, range(arguments.seeds)

    from jaxsurv.training import choose_plan, one_device_per_core, sweep_chunks

    one_device_per_core()
    cores = len(os.sched_getaffinity(0))
    runs = list(itertools.product(seeds, problem.BETAS))
    size = choose_plan(len(runs)).runs
    chunks = sweep_chunks(
        **problem.sweep_arguments(epochs), seeds=seeds, hparams=problem.settings()
    )
    spawn = get_context("spawn")
    with spawn.Pool(1) as alone, spawn.Pool(cores) as together:

        def duration(threads: int) -> float:
            start = time.perf_counter()
            alone.apply(problem.torch_training, (0, 1.0, 10, threads, False))
            return time.perf_counter() - start

        duration(1)
        threads = min(range(1, cores + 1), key=duration)
        together.starmap(problem.torch_training, cores * [(0, 1.0, 1, 1, True)], 1)

        def plain(these: list[tuple[int, float]]) -> list[float]:
            tasks = [(*run, epochs, threads, False) for run in these]
            return alone.starmap(problem.torch_training, tasks)

        def best(these: list[tuple[int, float]]) -> list[float]:
            tasks = [(*run, epochs, 1, True) for run in these]
            return together.starmap(problem.torch_training, tasks, 1)

        cases = {
            "jaxsurv, one sweep": lambda _: next(chunks).history["loss"][:, -1],
            f"PyTorch loop, {threads} threads": plain,
            "PyTorch, fused Adam, one process per core": best,
        }
        seconds: dict[str, list[float]] = {who: [] for who in cases}
        losses: dict[str, list[float]] = {who: [] for who in cases}
        rates = []
        for start in range(0, len(runs), size):
            these = runs[start : start + size]
            for who, train in cases.items():
                begin = time.perf_counter()
                losses[who].extend(train(these))
                seconds[who].append((time.perf_counter() - begin) / len(these))
            rates.append(product_rate(2048))

    peak, work = statistics.median(rates), problem.flops()
    print(f"{machine()}; {len(runs)} runs x {epochs} epochs, {problem.parameters():,} parameters")
    print(f"{work / 1e9:.2f} GFLOP per step; square products {peak / 1e9:.0f} GFLOP/s")
    print("\n| who | per step | all runs | jaxsurv | of the products | mean last loss |")
    print("| --- | --- | --- | --- | --- | --- |")
    medians = {who: statistics.median(s[1:] or s) for who, s in seconds.items()}
    own = medians["jaxsurv, one sweep"]
    for who, s in medians.items():
        share, loss = work * epochs / s / peak, statistics.fmean(losses[who])
        print(
            f"| {who} | {human(s / epochs)} | {human(s * len(runs))} | {s / own:.2f}x | {share:.0%} "
            f"| {loss:.3f} |"
        )
    compiling = (seconds["jaxsurv, one sweep"][0] - own) * size
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"compilation {human(compiling)}; peak resident memory {memory / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
