"""The elastic-net Cox path against scikit-survival's Coxnet, at a stated optimality residual.

    python -m benchmarks.elastic_net [--quick]

Five minutes on two cores (``--quick`` leaves out scikit-survival's strict run; without scikit-survival only
jaxsurv is timed). n = 800 patients, correlated columns, 100 lambdas down to 1 % of the first, l1_ratio 0.5.
The coefficients of both solvers are judged by one independent function in float64: the largest violation of
the optimality conditions along the path, relative to lambda * l1_ratio. Then small problems, each of a size
that was not seen before, and the estimator under ``cross_val_score``, cold, beside Coxnet, which leaves the
choice of the penalty to its user: with five inner folds for it, as the estimator has, and without.
"""

import importlib.util
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
        slope = (hazard * np.cumsum(event / at_risk)[end] - event) @ x / len(x) + at * b
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


def inner_coxnet(x: Any, event: Any, time: Any, train: Any, test: Any, tol: float) -> float:
    """Score on the test rows of a Coxnet whose penalty five inner folds chose."""
    from sklearn.model_selection import KFold
    from sksurv.linear_model import CoxnetSurvivalAnalysis
    from sksurv.metrics import concordance_index_censored as harrell
    from sksurv.util import Surv

    def fit(rows: Any, alphas: Any = None) -> Any:
        model = CoxnetSurvivalAnalysis(
            l1_ratio=0.5, n_alphas=40, alpha_min_ratio=0.05, alphas=alphas, tol=tol, max_iter=10**6
        )
        return model.fit(x[rows], Surv.from_arrays(event[rows], time[rows]))

    whole = fit(train)
    scores = np.zeros(len(whole.alphas_))
    for kept, out in KFold(5).split(train):
        risk = x[train[out]] @ fit(train[kept], whole.alphas_).coef_
        for k, r in enumerate(risk.T):
            scores[k] += harrell(event[train[out]], time[train[out]], r)[0]
    risk = x[test] @ whole.coef_[:, scores.argmax()]
    return harrell(event[test], time[test], risk)[0]


def cross_validated(has_peer: bool) -> None:
    """Rows of the table: the estimator in five outer folds, cold."""
    from sklearn.model_selection import KFold, cross_val_score

    from jaxsurv.estimators import Coxnet

    rng = np.random.default_rng(0)
    x = rng.standard_normal((300, 50))
    life = rng.exponential(np.exp(-x[:, :3].sum(1) / 2))
    censoring = rng.exponential(np.median(life) * 2, 300)
    event, time_ = life <= censoring, np.minimum(life, censoring)
    y = np.rec.fromarrays([event, time_], names="event,time")
    what = "| cross_val_score, X [300, 50], cv=5"
    for which in ("first", "again"):
        s, _ = once(lambda: cross_val_score(Coxnet(), x, y, cv=5))
        print(f"{what} | jaxsurv, to 1e-3, penalty by 5 inner folds, {which} | {human(s)} | |")
    if has_peer:
        for tol in (1e-7, 1e-10):
            worst = residual(x, event, time_, *coxnet(x, event, time_, tol))
            s, _ = once(
                lambda tol=tol: [
                    inner_coxnet(x, event, time_, train, test, tol)
                    for train, test in KFold(5).split(x)
                ]
            )
            plain, _ = once(
                lambda tol=tol: [
                    coxnet(x[r], event[r], time_[r], tol) for r, _ in KFold(5).split(x)
                ]
            )
            print(
                f"{what} | Coxnet, tol {tol:g}, penalty by 5 inner folds | {human(s)} | {worst:.2g} |"
            )
            print(f"{what} | Coxnet, tol {tol:g}, no penalty chosen | {human(plain)} | |")


def main() -> None:
    warnings.simplefilter("ignore")
    has_peer = importlib.util.find_spec("sksurv") is not None
    print(
        f"{machine()}\n\n| what | who | time | worst relative KKT residual |\n" + "| --- " * 4 + "|"
    )
    cross_validated(has_peer)  # cold: before all other work
    x, event, t = patients(20_000)  # the peak is that of the process: before the next
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    s, path = once(lambda: coxnet_path(x, event, t))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    what = f"jaxsurv to 1e-4; peak memory {before:.0f} -> {after:.0f} MB"
    worst = residual(x, event, t, path.lambdas, path.coef)
    print(
        f"| path, p = 20,000 (x is {x.nbytes / 2**20:.0f} MB) | {what} | {human(s)} | {worst:.2g} |"
    )
    for n, p in ((300, 20), (700, 50), (2000, 50)):
        rng = np.random.default_rng(n)
        x, t = rng.standard_normal((n, p)), rng.exponential(size=n)
        event, fold = rng.random(n) < 0.6, np.arange(n) % 5
        s, _ = once(lambda x=x, event=event, t=t: coxnet_path(x, event, t))
        print(f"| path, X [{n}, {p}], a new size | jaxsurv to 1e-4 | {human(s)} | |")
        s, _ = once(lambda x=x, event=event, t=t, fold=fold: coxnet_cv(x, event, t, fold))
        print(
            f"| five folds, X [{n}, {p}], a new size | jaxsurv to 1e-4 | {human(s)} | |", flush=True
        )

    x, event, t = patients(5000)
    wide = x.astype(float)

    def ours(tolerance: float) -> Any:
        return jax.block_until_ready(coxnet_path(x, event, t, tolerance=tolerance))

    cases: dict[str, Callable[[], Any]] = {
        f"jaxsurv to {tolerance:g}": lambda tolerance=tolerance: ours(tolerance)
        for tolerance in (2e-3, 1e-3, 1e-4)
    }
    found = {k: residual(x, event, t, (v := run()).lambdas, v.coef) for k, run in cases.items()}
    if has_peer:
        peer = "Coxnet, default tol 1e-7"
        cases[peer] = lambda: coxnet(wide, event, t, 1e-7)
        found[peer] = residual(x, event, t, *cases[peer]())
    for name, s in interleaved(cases, repeats=3).items():
        print(f"| path, p = 5,000 | {name} | {human(s)} | {found[name]:.2g} |", flush=True)
    if has_peer and "--quick" not in sys.argv:
        s, out = once(lambda: coxnet(wide, event, t, 1e-9))
        worst = residual(x, event, t, *out)
        print(f"| path, p = 5,000 | Coxnet, tol 1e-9 | {human(s)} | {worst:.2g} |", flush=True)
    fold = np.random.default_rng(0).integers(0, FOLDS, N)
    for tolerance in (2e-3, 1e-4):
        s, cv = once(lambda tol=tolerance: coxnet_cv(x, event, t, fold, tolerance=tol))
        worst = max(float(cv.kkt.max()), float(cv.path.kkt.max()))
        what = f"| ten folds and all rows, p = 5,000 | jaxsurv to {tolerance:g}"
        print(f"{what} | {human(s)} | {worst:.2g} |", flush=True)


if __name__ == "__main__":
    main()
