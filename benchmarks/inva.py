"""Trainings per minute of InVA: one sweep over replicates against the same model in a PyTorch loop.

    python -m benchmarks.inva [--epochs 60]

Two minutes. 160 patients are the training set, 40 the validation set (early stopping is off), 100 the test
set; two images of 32 x 32, the default widths, batches of 32, Adam. Both sides draw the features, compute
the same loss, and after each epoch keep the best parameters by the validation error. Ours is one
sweep over all cores. PyTorch trains one model after the other with all cores, and in one process per core
with one thread each, as a study of many trainings would. Data are made before the clock
starts. Needs the package `torch`.
"""

import itertools
import math
import os
import time
from argparse import ArgumentParser
from multiprocessing import get_context
from typing import Any

import numpy as np

from benchmarks.timing import machine
from jaxsurv.training import FitConfig, Masks, choose_plan, one_device_per_core
from jaxsurv.training._sweep import compile_runs
from jaxsurv.training.runs import Run

RUNS, SAMPLES, SIZE = 8, 3, 32
N, HELD_OUT, SIDE = 300, 40, 32
WIDTHS, SHALLOW, DEEP, SHARED = (128, 64), 16, 8, 32


def images(run: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw two input images ``[2, n, pixels]`` and the outcome ``[n, pixels]``, all smooth noise."""
    rng = np.random.default_rng(run)
    factors = rng.standard_normal((2, N, 12)).astype(np.float32)
    maps = rng.standard_normal((12, SIDE * SIDE)).astype(np.float32) / 4
    x = factors @ maps + 0.3 * rng.standard_normal((2, N, SIDE * SIDE), np.float32)
    return x, np.tanh(x[0]) + x[1] * x[0]


def torch_training(run: int, epochs: int, threads: int) -> float:
    """Train once in PyTorch; returns the best error."""
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    torch.manual_seed(run)
    x, y = (torch.from_numpy(a) for a in images(run))
    x, y = x[:, :200], y[:200]

    def dense(*widths: int) -> Any:
        layers: list[Any] = []
        for a, b in itertools.pairwise(widths[:-1]):
            layers += [nn.Linear(a, b), nn.LeakyReLU(0.01)]
        return nn.Sequential(*layers, nn.Linear(*widths[-2:]))

    pixels, back = SIDE * SIDE, WIDTHS[::-1]
    nets = nn.ModuleDict(
        {
            "encode": nn.ModuleList(dense(pixels, *WIDTHS, 2 * SHALLOW) for _ in x),
            "decode": nn.ModuleList(dense(SHALLOW, *back, pixels) for _ in x),
            "shared_encode": dense(SHALLOW, SHARED, 2 * DEEP),
            "shared_decode": dense(DEEP, SHARED, SHALLOW),
            "predict": dense(4 * (SHALLOW + DEEP), *back, pixels),
        }
    )
    log_noise = nn.Parameter(torch.full((len(x),), math.log(0.1)))
    parameters = [*nets.parameters(), log_noise]
    adam = torch.optim.Adam(parameters, 1e-3, fused=True)

    def features(rows: Any, draw: bool) -> Any:
        encoded = [net(x[k, rows]).chunk(2, -1) for k, net in enumerate(nets["encode"])]
        mu, logvar = (torch.stack(part) for part in zip(*encoded, strict=True))
        h = mu + torch.exp(logvar / 2) * torch.randn_like(mu) if draw else mu
        deep = nets["shared_encode"](h).chunk(2, -1)
        parts = [mu, deep[0], torch.exp(logvar / 2), torch.exp(deep[1] / 2)]
        read = torch.cat(parts, -1).movedim(0, 1).flatten(1)
        return h, logvar, deep, nets["predict"](read)

    lowest, best = math.inf, []
    for _ in range(epochs):
        for rows in torch.randperm(160).split(SIZE):
            adam.zero_grad()
            h, logvar, (m, s), predicted = features(rows, draw=True)
            z = m + torch.exp(s / 2) * torch.randn_like(m)
            gap = 0.5 * ((h - nets["shared_decode"](z)) ** 2 - 1 - logvar).sum(-1)
            gap = gap + 0.5 * (m**2 + s.exp() - 1 - s).sum(-1)
            loss = ((predicted - y[rows]) ** 2).mean()
            for k, net in enumerate(nets["decode"]):
                squares = ((net(h[k]) - x[k, rows]) ** 2).mean(-1)
                fit = 0.5 * (squares * torch.exp(-log_noise[k]) + log_noise[k])
                loss = loss + (fit + gap[k] / pixels).mean()
            loss.backward()
            adam.step()
        with torch.no_grad():
            error = float(((features(slice(160, 200), draw=False)[3] - y[160:]) ** 2).mean())
        if error < lowest:
            lowest, best = error, [p.detach().clone() for p in parameters]
    assert best
    return lowest


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=60)
    epochs = parser.parse_args().epochs
    one_device_per_core()
    cores = len(os.sched_getaffinity(0))

    import jax
    import jax.numpy as jnp

    from jaxsurv.models import ArrayBatch, InVAConfig, InVAHParams, inva

    def build(shared: Any, split: Any, seed: Any) -> tuple[ArrayBatch, Masks]:
        x, y = split
        row = jnp.arange(N)
        shaped = {f"image{k + 1}": x[k].reshape(N, SIDE, SIDE) for k in range(2)}
        presence = {m: jnp.ones(N) for m in shaped}
        batch = ArrayBatch(shaped, presence, y.reshape(N, SIDE, SIDE), row < 200)
        return batch, Masks(row < 160, (row >= 160) & (row < 200), row < 200)

    x, y = (np.stack(a) for a in zip(*map(images, range(RUNS)), strict=True))
    config = InVAConfig(WIDTHS, SHALLOW, DEEP, (SHARED,))

    training = FitConfig(epochs, 0, epochs, SIZE)
    program = compile_runs(inva(config), build, training, choose_plan(RUNS))
    data = program.place((np.zeros(0), (x, y)))
    hparams = jax.tree.map(lambda v: np.full(RUNS, v, np.float32), InVAHParams())
    runs = Run(np.arange(RUNS, dtype=np.int32), np.zeros(RUNS, np.uint32), hparams)

    def ours() -> np.ndarray:
        return jax.device_get(program.call(data, runs))["best_score"]

    def one_after_the_other() -> None:
        for run in range(RUNS):
            torch_training(run, epochs, cores)

    with get_context("spawn").Pool(cores) as pool:
        cases = {
            "jaxsurv, one sweep": ours,
            "PyTorch, one after the other": one_after_the_other,
            "PyTorch, one process per core": lambda: pool.starmap(
                torch_training, [(run, epochs, 1) for run in range(RUNS)]
            ),
        }
        seconds: dict[str, list[float]] = {name: [] for name in cases}
        for sample in range(SAMPLES + 1):
            for name, case in cases.items():
                start = time.perf_counter()
                case()
                seconds[name].append(time.perf_counter() - start)
            if not sample:
                first = seconds["jaxsurv, one sweep"][0]
    medians = {name: float(np.median(s[1:])) / RUNS for name, s in seconds.items()}
    scores = np.mean(ours()), np.mean([torch_training(r, epochs, cores) for r in range(RUNS)])
    print(
        f"{machine()}, {epochs} epochs of 5 steps; mean best error {scores[0]:.3f} and {scores[1]:.3f}"
    )
    print("| who | one training | trainings per minute | jaxsurv |\n| --- | --- | --- | --- |")
    own = medians["jaxsurv, one sweep"]
    for name, s in medians.items():
        print(f"| {name} | {s:.3g} s | {60 / s:.0f} | {s / own:.2f}x |")
    print(f"the first sweep, compilation included, took {first:.1f} s")


if __name__ == "__main__":
    main()
