"""One pooled cohort: cost per epoch of the default network, with strata and with other outcome heads.

    python -m benchmarks.pooled

A run of 100 epochs on all patients at once, with early stopping off, feature by feature, in a process of its
own for each size; seconds after compilation. The peak resident memory includes Python and the compiler.
"""

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import tyro

from benchmarks.huge_cohort import peak_memory
from benchmarks.timing import machine
from jaxsurv.models import find_model, table_batch
from jaxsurv.models.registry import objective_of
from jaxsurv.survival import prepare_risk_sets
from jaxsurv.training import FitConfig, Masks, fit


class Run(NamedTuple):
    compiled: float
    trained: float
    peak: int


def one_run(n: int, features: int, strata: int, head: str, intervals: int, epochs: int) -> Run:
    """Seconds of compilation and of a run of so many epochs, and the process's peak memory."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, features), np.float32)
    life, end = rng.exponential(np.exp(-x[:, 0])), rng.exponential(2, n)
    event, times = life <= end, np.minimum(life, end)
    batch = table_batch(x, event, times)
    if strata:
        label = jnp.asarray(rng.integers(strata, size=n))
        sets = prepare_risk_sets(event, times, strata=label)
        batch = batch._replace(outcome=batch.outcome._replace(stratum=label), risk_sets=sets)
    fifth = jnp.arange(n) % 5 == 0
    masks = Masks(~fifth, fifth, fifth)
    model = find_model("SurvivalVAE")
    objective = objective_of(model, replace(model.config, head=head, intervals=intervals))

    def run(key, batch, masks, hparams):
        config = FitConfig(epochs, patience=epochs)
        done = fit(key, objective, hparams, batch, masks, config, optimizer=model.optimizer)
        return done.best_score

    arguments = jax.random.key(0), batch, masks, model.hparams
    start = time.perf_counter()
    program = jax.jit(run).lower(*arguments).compile()
    compiled = time.perf_counter() - start
    start = time.perf_counter()
    program(*arguments).block_until_ready()
    return Run(compiled, time.perf_counter() - start, peak_memory())


def main(
    sizes: tuple[int, ...] = (1_250, 2_500, 5_000, 10_000),
    features: int = 1_500,
    strata: int = 11,
    intervals: int = 40,
    epochs: int = 100,
) -> None:
    """Print the table.

    Args:
        sizes: numbers of patients.
        features: number of features, standardised.
        strata: number of strata.
        intervals: number of intervals in discrete time.
        epochs: epochs of each run.
    """
    cases = {
        "Cox": (0, "cox"),
        f"Cox, {strata} strata": (strata, "cox"),
        f"logistic hazard, {intervals} intervals": (0, "logistic_hazard"),
    }
    print(f"{machine()}; seconds of {epochs} epochs (milliseconds per epoch and 1,000 patients)\n")
    print(f"| patients | {' | '.join(cases)} | compilation | peak memory |")
    print("| --- " * (len(cases) + 3) + "|")
    for n in sizes:
        done = []
        for groups, head in cases.values():
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
                job = process.submit(one_run, n, features, groups, head, intervals, epochs)
                done.append(job.result())
        cells = [f"{d.trained:.1f} ({1e6 * d.trained / epochs / n:.1f})" for d in done]
        longest, peak = max(d.compiled for d in done), max(d.peak for d in done)
        print(
            f"| {n:,} | {' | '.join(cells)} | {longest:.1f} s | {peak / 1e6:.0f} MB |", flush=True
        )


if __name__ == "__main__":
    tyro.cli(main)
