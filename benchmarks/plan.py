"""Time of a sweep against the number of runs side by side, and the time of the plan that is chosen.

    python -m benchmarks.plan [--epochs 10]
    python -m benchmarks.plan --stop [--wait] --networks tiny

Ten minutes on two cores. Survival VAEs of three sizes: one on a few components of a small cohort with
MyeVAE's released widths, one on a hundred components, one on whole modalities. Every width does
the same 32 runs per device; time is per run, the median of interleaved calls, as a ratio to the best
width. With `--stop`, runs stop early, each at its own epoch, and free their slot; with `--wait`, they
keep it until the last run of their group has stopped.
"""

from argparse import ArgumentParser
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from benchmarks.problem import as_batch
from benchmarks.timing import human, interleaved, machine

WIDTHS = (1, 2, 4, 8, 16, 32)


class Network(NamedTuple):
    """Size of a network: patients, features per modality (two), widths of encoders, latent dimensions."""

    patients: int
    features: int
    widths: tuple[int, ...]
    latent: int


NETWORKS = {
    "tiny": Network(80, 24, (16, 4), 8),
    "middle": Network(500, 100, (32, 16), 16),
    "wide": Network(1000, 500, (128, 128), 32),
}


def problem(network: Network) -> tuple[Any, ...]:
    """Objective, build, shared data and splits: one split, whose rows are drawn by the seed."""
    import jax
    import jax.numpy as jnp

    from jaxsurv.models import SurvivalVAEConfig, survival_vae
    from jaxsurv.training import Masks

    rng, n = np.random.default_rng(0), network.patients
    x = {m: rng.standard_normal((n, network.features), np.float32) for m in ("rna", "cnv")}
    time = rng.exponential(np.exp(-0.4 * x["rna"][:, :5].sum(1)))
    cohort = as_batch(x, rng.random(n) < 0.6, time)

    def build(shared: Any, split: Any, seed: Any) -> tuple[Any, Masks]:
        develop = jax.random.bernoulli(jax.random.key(seed), 0.8, (n,))
        return shared, Masks(develop & split, ~develop, split)

    objective = survival_vae(
        SurvivalVAEConfig(widths=lambda _: network.widths, latent=network.latent)
    )
    return objective, build, cohort, jnp.ones((1, n), bool)


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--stop", action="store_true")
    parser.add_argument("--wait", action="store_true")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    arguments = parser.parse_args()

    from jaxsurv.models import HParams
    from jaxsurv.training import FitConfig, Plan, choose_plan, one_device_per_core, step_flops

    one_device_per_core()
    import jax

    module: Any = import_module(
        "jaxsurv.training._sweep"
    )  # as an attribute of the package, the name is the function
    if arguments.wait:
        module.in_slots = lambda *_: None
    devices, most = jax.local_device_count(), WIDTHS[-1]
    count = devices * most
    hparams = HParams(dropout=0.1)
    many = jax.tree.map(lambda v: np.full(count, v, np.float32), hparams)
    runs = module.Run(np.zeros(count, np.int32), np.arange(count, dtype=np.uint32), many)
    config = FitConfig(300) if arguments.stop else FitConfig(arguments.epochs, early_stopping=False)
    print(f"{machine()}; {config}\n\n| network | FLOPs of a step | chosen width | ", end="")
    print(" | ".join(map(str, WIDTHS)), "|\n|", " --- |" * (3 + len(WIDTHS)), sep="")
    for name in arguments.networks:
        network = NETWORKS[name]
        objective, build, cohort, splits = problem(network)
        cases = {}
        for width in WIDTHS:
            plan = Plan(devices, most // width, width)
            program = module.compile_runs(objective, build, config, plan)
            cases[width] = partial(program.call, program.place((cohort, splits)), runs)
        seconds = interleaved(cases, repeats=5)
        each = {w: s / count for w, s in seconds.items()}
        best = min(each.values())
        flops = partial(step_flops, objective, cohort, hparams)
        chosen = choose_plan(10**6, None if arguments.stop else flops).width
        line = " | ".join(f"{human(s)} ({s / best:.2f}x)" for s in each.values())
        print(f"| {name} | {flops():.2g} | {chosen} | {line} |", flush=True)


if __name__ == "__main__":
    main()
