"""The Cox loss and the linear Cox model against torchsurv, np.argsort and lifelines.

    python -m benchmarks.cox_loss

About a minute on two cores. Each line is the median of interleaved calls: value and gradient
under Efron ties with prepared risk sets, in float32. Tied times are whole days, the others
continuous. ``x 300`` multiplies the scores by 300, which makes late risk sets underflow.
"""

import warnings
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.timing import human, interleaved, machine
from jaxsurv.survival import RiskSets, cox_fit, neg_log_partial_likelihood, prepare_risk_sets

STEPS = 100


def patients(n: int, tied: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Simulate log_hazard [n], event [n], time [n]."""
    rng = np.random.default_rng(0)
    score = rng.standard_normal(n).astype(np.float32)
    time = 200 * rng.exponential(1, n)
    return score, rng.random(n) < 0.6, (np.ceil(time) if tied else time).astype(np.float32)


@jax.jit
def value_and_gradient(score: jax.Array, risk_sets: RiskSets) -> tuple[jax.Array, jax.Array]:
    return jax.value_and_grad(lambda x: neg_log_partial_likelihood(x, risk_sets=risk_sets))(score)


@jax.jit
def descend(score: jax.Array, risk_sets: RiskSets) -> jax.Array:
    """Many evaluations inside one program, as in a training loop."""

    def step(x: jax.Array, _: None) -> tuple[jax.Array, None]:
        return x - value_and_gradient(x, risk_sets)[1], None

    return lax.scan(step, score, length=STEPS)[0]


def torchsurv(score: np.ndarray, event: np.ndarray, time: np.ndarray) -> Callable[[], Any]:
    import torch
    from torchsurv.loss.cox import neg_partial_log_likelihood

    torch.set_num_threads(1)  # faster than two here, and does not slow the other cases
    x = torch.from_numpy(score).requires_grad_()
    outcome = torch.from_numpy(event), torch.from_numpy(time)

    def run() -> Any:
        x.grad = None
        neg_partial_log_likelihood(x, *outcome, ties_method="efron").backward()
        return x.grad

    return run


def loss(n: int, tied: bool) -> dict[str, Callable[[], Any]]:
    score, event, time = patients(n, tied)
    shuffled = prepare_risk_sets(event, time)
    order = np.asarray(shuffled.order)
    presorted = prepare_risk_sets(event[order], time[order], presorted=True)
    x = jnp.asarray(score)
    cases: dict[str, Callable[[], Any]] = {
        "jaxsurv": lambda: jax.block_until_ready(value_and_gradient(x, shuffled)),
        "jaxsurv, rows presorted": lambda: jax.block_until_ready(value_and_gradient(x, presorted)),
        "jaxsurv, scores x 300": lambda: jax.block_until_ready(
            value_and_gradient(300 * x, shuffled)
        ),
        "np.argsort(time)": lambda: np.argsort(time),
    }
    if n <= 10_000:
        cases["jaxsurv, inside a compiled loop"] = lambda: descend(x, shuffled).block_until_ready()
    if n <= 1_000_000 and (tied or n <= 10_000):  # without ties 1.3 s per call at 10^5
        cases["torchsurv"] = torchsurv(score, event, time)
    return cases


def fit(n: int, p: int) -> dict[str, Callable[[], Any]]:
    import pandas as pd
    from lifelines import CoxPHFitter

    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, p)).astype(np.float32)
    life, censoring = rng.exponential(np.exp(-x @ np.full(p, 0.2))), rng.exponential(1.5, n)
    event, time = life <= censoring, np.minimum(life, censoring)
    table = pd.DataFrame(x.astype(float)).assign(time=time, event=event)
    risk_sets, on_device = prepare_risk_sets(event, time), jnp.asarray(x)
    compiled = jax.jit(lambda x, r: cox_fit(x, risk_sets=r))
    return {
        "jaxsurv, call": lambda: cox_fit(x, event, time),
        "jaxsurv, in jit": lambda: jax.block_until_ready(compiled(on_device, risk_sets)),
        "lifelines": lambda: CoxPHFitter().fit(table, "time", "event"),
    }


def main() -> None:
    warnings.simplefilter("ignore")
    # Wait for each call in this thread: asynchronous dispatch would add the time of the hand-over.
    jax.config.update("jax_cpu_enable_async_dispatch", False)
    tables = [
        *((f"loss, n = {n:,}, tied", loss(n, True), 9) for n in (1000, 10_000, 100_000)),
        *((f"loss, n = {n:,}, tied", loss(n, True), 5) for n in (1_000_000, 10_000_000)),
        *((f"loss, n = {n:,}, untied", loss(n, False), 9) for n in (1000, 10_000)),
        ("linear Cox, n = 10,000, p = 10", fit(10_000, 10), 5),
    ]
    print(f"{machine()}\n\n| what | who | time | per row | over jaxsurv |\n" + "| --- " * 5 + "|")
    for title, cases, repeats in tables:
        seconds = interleaved(cases, repeats)
        if "jaxsurv, inside a compiled loop" in seconds:
            seconds["jaxsurv, inside a compiled loop"] /= STEPS
        own = next(iter(seconds.values()))
        n = int(title.split(" n = ")[1].split(", ")[0].replace(",", ""))
        for name, s in seconds.items():
            row = f"{human(s)} | {1e9 * s / n:.3g} ns | {s / own:.3g}"
            print(f"| {title} | {name} | {row} |", flush=True)


if __name__ == "__main__":
    main()
