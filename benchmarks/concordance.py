"""Concordance and prediction error against lifelines, scikit-survival and torchsurv.

    python -m benchmarks.concordance

About two minutes on two cores. Each line is the median of interleaved calls on the same simulated
patients (exponential survival times, half censored, in days, so that many are tied). ``call`` includes
all checks and the sort on the host. ``in jit`` is the same function inside a compiled program, as
in a training loop, for one risk or for many at once.
"""

import warnings
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.timing import human, interleaved, machine
from jaxsurv.metrics import concordance_index, concordance_index_ipcw, integrated_brier_score

PER_RUN = "jaxsurv, in jit, per run of 64 under vmap"


def patients(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Simulate risk [n], event [n], time [n]."""
    rng = np.random.default_rng(1)
    risk = rng.standard_normal(n).astype(np.float32)
    life, censoring = rng.exponential(np.exp(-0.5 * risk)), rng.exponential(1.5, n)
    time = np.ceil(3650 * np.minimum(life, censoring)).astype(np.float32)
    return risk, life <= censoring, time


def harrell(n: int) -> dict[str, Callable[[], Any]]:
    risk, event, time = patients(n)
    on_device = tuple(jnp.asarray(x) for x in (risk, event, time))
    compiled = jax.jit(lambda *x: concordance_index(*x).index)
    cases: dict[str, Callable[[], Any]] = {
        "jaxsurv, call, with standard error": lambda: concordance_index(risk, event, time),
    }
    if n <= 10_000:
        cases["jaxsurv, in jit"] = lambda: compiled(*on_device).block_until_ready()
    if n <= 1000:
        many = jnp.asarray(np.random.default_rng(2).standard_normal((64, n)), jnp.float32)
        vmapped = jax.jit(jax.vmap(lambda r: concordance_index(r, *on_device[1:]).index))
        cases[PER_RUN] = lambda: vmapped(many).block_until_ready()
    wide = risk.astype(float)
    if n <= 100_000:
        from lifelines.utils import concordance_index as lifelines_index

        cases["lifelines"] = lambda: lifelines_index(time, -wide, event)
    if n <= 10_000:
        from sksurv.metrics import concordance_index_censored

        cases["scikit-survival"] = lambda: concordance_index_censored(event, time, wide)
    if n <= 1000:
        import torch
        from torchsurv.metrics.cindex import ConcordanceIndex

        tensors = [torch.from_numpy(x) for x in (risk, event, time)]
        cases["torchsurv"] = lambda: ConcordanceIndex()(*tensors)
    return cases


def uno(n: int) -> dict[str, Callable[[], Any]]:
    from sksurv.metrics import concordance_index_ipcw as sksurv_index
    from sksurv.util import Surv

    risk, event, time = patients(n)
    tau, wide, outcome = (
        float(np.quantile(time, 0.9)),
        risk.astype(float),
        Surv.from_arrays(event, time),
    )
    return {
        "jaxsurv, call, with standard error": lambda: concordance_index_ipcw(
            risk, event, time, train_event=event, train_time=time, tau=tau
        ),
        "scikit-survival": lambda: sksurv_index(outcome, outcome, wide, tau=tau),
    }


def brier(n: int, t: int) -> dict[str, Callable[[], Any]]:
    from sksurv.metrics import integrated_brier_score as sksurv_score
    from sksurv.util import Surv

    risk, event, time = patients(n)
    times = np.linspace(np.quantile(time, 0.05), np.quantile(time, 0.9), t)
    curves = np.exp(-np.outer(np.exp(risk), times / 3650))
    on_device, outcome = jnp.asarray(curves, jnp.float32), Surv.from_arrays(event, time)

    def ours(s: Any) -> Any:
        return integrated_brier_score(
            s, times, event, time, train_event=event, train_time=time
        ).block_until_ready()

    return {
        "jaxsurv, call, curves on the device": lambda: ours(on_device),
        "jaxsurv, call, curves in NumPy float64": lambda: ours(curves),
        "scikit-survival": lambda: sksurv_score(outcome, outcome, curves, times),
    }


def main() -> None:
    warnings.simplefilter("ignore")
    sizes = (127, 1000, 10_000, 100_000, 1_000_000)
    tables = [
        *((f"Harrell's C, n = {n:,}", harrell(n), 15 if n <= 1000 else 5) for n in sizes),
        ("Uno's C, n = 10,000", uno(10_000), 7),
        ("Integrated Brier score, n = 100,000, 100 times", brier(100_000, 100), 7),
    ]
    print(
        f"{machine()}\n\n| what | who | time | peer / ours, line by line |\n| --- | --- | --- | --- |"
    )
    for title, cases, repeats in tables:
        seconds = interleaved(cases, repeats)
        if PER_RUN in seconds:
            seconds[PER_RUN] /= 64
        own = [s for name, s in seconds.items() if name.startswith("jaxsurv")]
        for name, s in seconds.items():
            ratios = "" if name.startswith("jaxsurv") else ", ".join(f"{s / x:.3g}×" for x in own)
            print(f"| {title} | {name} | {human(s)} | {ratios} |", flush=True)


if __name__ == "__main__":
    main()
