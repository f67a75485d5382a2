"""The elastic-net Cox path against scikit-survival's Coxnet, at a stated optimality residual.

    python -m benchmarks.elastic_net [--quick]

Five minutes on two cores (``--quick`` leaves out scikit-survival's strict run). n = 800
patients, correlated columns, 100 lambdas down to 1 % of the first, l1_ratio 0.5. The coefficients of both
solvers are judged by one independent function in float64: the largest violation of the optimality
conditions along the path, relative to lambda * l1_ratio.
"""

import resource
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from benchmarks.timing import human, interleaved, machine
from jaxsurv.survival import coxnet_cv, coxnet_path

N, FOLDS = 800, 10


def patients(p: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Simulate x [n, p] with 50 latent factors, event [n], time [n] in days with ties."""
    rng = np.random.default_rng(p)
    loadings = rng.standard_normal((50, p)) * (rng.random((50, p)) < 0.1)
    x = rng.standard_normal((N, 50)) @ loadings * 0.5 + rng.standard_normal((N, p))
    x = (x - x.mean(0)) / x.std(0)
    coef = np.zeros(p)
    coef[rng.choice(p, 30, replace=False)] = rng.standard_normal(30) * 0.3
    life = rng.exponential(np.exp(-x @ coef))
    censoring = rng.exponential(np.quantile(life, 0.7), N)
    t = np.minimum(life, censoring)
    return x.astype(np.float32), life <= censoring, np.ceil(t / np.quantile(t, 0.99) * 2000)


def residual(x: Any, event: Any, time: Any, lambdas: Any, coef: Any) -> float:
    """Largest violation of the optimality conditions by ``coef [n_lambdas, p]`` along the path."""
    order = np.argsort(time, kind="stable")
    x, event, time = x[order].astype(float), event[order], time[order]
    start, end = np.searchsorted(time, time), np.searchsorted(time, time, "right") - 1
    worst = 0.0
    for b, at in zip(np.asarray(coef, float), 0.5 * np.asarray(lambdas, float), strict=True):
        hazard = np.exp(x @ b - (x @ b).max())
        at_risk = np.cumsum(hazard[::-1])[::-1][start]
        slope = (hazard * np.cumsum(event / at_risk)[end] - event) @ x / N + at * b
        inactive = np.maximum(np.abs(slope) - at, 0)
        worst = max(worst, np.where(b != 0, np.abs(slope + at * np.sign(b)), inactive).max() / at)
    return worst


def coxnet(x: np.ndarray, event: np.ndarray, time: np.ndarray, tol: float) -> tuple[Any, Any]:
    from sksurv.linear_model import CoxnetSurvivalAnalysis
    from sksurv.util import Surv

    model = CoxnetSurvivalAnalysis(l1_ratio=0.5, alpha_min_ratio=0.01, tol=tol, max_iter=1_000_000)
    model.fit(x, Surv.from_arrays(event, time))
    return model.alphas_, model.coef_.T


def once(run: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    out = jax.block_until_ready(run())
    return time.perf_counter() - start, out


def main() -> None:
    warnings.simplefilter("ignore")
    quick = "--quick" in sys.argv
    print(
        f"{machine()}\n\n| what | who | time | worst relative KKT residual |\n" + "| --- " * 4 + "|"
    )
    x, event, t = patients(20_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    s, path = once(lambda: coxnet_path(x, event, t))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    what = f"jaxsurv to 1e-4, first call; peak memory {before:.0f} -> {after:.0f} MB"
    worst = residual(x, event, t, path.lambdas, path.coef)
    print(
        f"| path, p = 20,000 (x is {x.nbytes / 2**20:.0f} MB) | {what} | {human(s)} | {worst:.2g} |"
    )

    x, event, t = patients(5000)
    wide = x.astype(float)

    def ours(tolerance: float) -> Any:
        return coxnet_path(x, event, t, tolerance=tolerance)

    first, _ = once(lambda: ours(1e-3))
    cases: dict[str, Callable[[], Any]] = {
        "jaxsurv to 1e-3": lambda: jax.block_until_ready(ours(1e-3)),
        "jaxsurv to 1e-4": lambda: jax.block_until_ready(ours(1e-4)),
        "Coxnet, default tol 1e-7": lambda: coxnet(wide, event, t, 1e-7),
    }
    seconds = interleaved(cases, repeats=3)
    paths = {"jaxsurv to 1e-3": ours(1e-3), "jaxsurv to 1e-4": ours(1e-4)}
    found = {k: residual(x, event, t, v.lambdas, v.coef) for k, v in paths.items()}
    found["Coxnet, default tol 1e-7"] = residual(x, event, t, *coxnet(wide, event, t, 1e-7))
    for name, s in seconds.items():
        print(f"| path, p = 5,000 | {name} | {human(s)} | {found[name]:.2g} |", flush=True)
    print(f"| path, p = 5,000 | jaxsurv, first call (with compilation) | {human(first)} | |")
    if not quick:
        s, out = once(lambda: coxnet(wide, event, t, 1e-9))
        worst = residual(x, event, t, *out)
        print(f"| path, p = 5,000 | Coxnet, tol 1e-9 | {human(s)} | {worst:.2g} |", flush=True)
    fold = np.random.default_rng(0).integers(0, FOLDS, N)
    s, cv = once(lambda: coxnet_cv(x, event, t, fold))
    worst = max(float(cv.kkt.max()), float(cv.path.kkt.max()))
    print(f"| ten-fold cross-validation | jaxsurv to 1e-4 | {human(s)} | {worst:.2g} |", flush=True)


if __name__ == "__main__":
    main()
