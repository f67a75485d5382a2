"""Calls with sizes that were never seen before, as in subgroups, folds and leave-one-out.

    python -m benchmarks.shapes            # about two minutes
    python -m benchmarks.shapes --sizes 10000

Each function is called with one size, then with others, every one of them new to the process: what is
printed is the median of these calls, the worst of them, and how many programs XLA compiled for them. Then
estimators: a second fit, and fits to fewer patients. At last `cox_fit` in a loop over many sizes, with the
memory and the memory maps that it takes, beside lifelines on the same data. scikit-survival takes part if
it is installed.
"""

import argparse
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from jax import monitoring

from benchmarks.timing import human, machine
from jaxsurv import metrics, survival

TIMES = np.array([0.2, 0.5, 0.8])
_compiled = [0]


def count(name: str, *_: Any, **__: Any) -> None:
    """Count the programs that XLA compiles."""
    _compiled[0] += "backend_compile" in name


def patients(n: int, p: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Simulate x [n, p], event [n], time [n]."""
    rng = np.random.default_rng(n)
    x = rng.standard_normal((n, p))
    return x, rng.random(n) < 0.6, rng.exponential(np.exp(-0.5 * x[:, 0]))


def curves(x: np.ndarray) -> np.ndarray:
    """Survival curves [n, 3] at TIMES."""
    return np.exp(-TIMES * np.exp(0.5 * x[:, :1]))


def calls() -> dict[str, Callable[..., Any]]:
    """Functions of ``(x, event, time)``."""
    s, m = survival, metrics
    return {
        "neg_log_partial_likelihood": lambda x, e, t: s.neg_log_partial_likelihood(x[:, 0], e, t),
        "cox_fit": lambda x, e, t: s.cox_fit(x, e, t),
        "cox_fit, strata and entry": lambda x, e, t: s.cox_fit(
            x, e, t, entry=t / 2, strata=np.arange(len(e)) % 3
        ),
        "coxnet_path, 20 penalties": lambda x, e, t: s.coxnet_path(x, e, t, n_lambdas=20),
        "breslow_baseline": lambda x, e, t: s.breslow_baseline(x[:, 0], e, t),
        "martingale_residuals": lambda x, e, t: s.martingale_residuals(x[:, 0], e, t),
        "kaplan_meier": lambda x, e, t: s.kaplan_meier(e, t),
        "logrank_test": lambda x, e, t: s.logrank_test(e, t, x[:, 0] > 0),
        "concordance_index": lambda x, e, t: m.concordance_index(x[:, 0], e, t),
        "concordance_index_ipcw": lambda x, e, t: m.concordance_index_ipcw(
            x[:, 0], e, t, train_event=e, train_time=t, tau=0.8
        ),
        "integrated_brier_score": lambda x, e, t: m.integrated_brier_score(
            curves(x), TIMES, e, t, train_event=e, train_time=t
        ),
        "cumulative_dynamic_auc": lambda x, e, t: m.cumulative_dynamic_auc(
            x[:, 0], TIMES, e, t, train_event=e, train_time=t
        ),
        "calibration_slope": lambda x, e, t: m.calibration_slope(x[:, 0], e, t),
        "hazard_ratio": lambda x, e, t: m.hazard_ratio(x[:, 0], e, t),
    }


def lifelines_fit(x: np.ndarray, event: np.ndarray, time: np.ndarray) -> None:
    """Fit of the same Cox model by lifelines."""
    import pandas as pd
    from lifelines import CoxPHFitter

    table = pd.DataFrame(x).assign(event=event, time=time)
    CoxPHFitter().fit(table, "time", "event")


def sksurv_fit(x: np.ndarray, event: np.ndarray, time: np.ndarray) -> None:
    """Fit of the same Cox model by scikit-survival."""
    from sksurv.linear_model import CoxPHSurvivalAnalysis
    from sksurv.util import Surv

    CoxPHSurvivalAnalysis(ties="efron").fit(x, Surv.from_arrays(event, time))


def new_sizes(call: Callable[..., Any], sizes: list[int], first: int = 50) -> list[float]:
    """Seconds of the call at each size, after one of another size."""
    call(*patients(first))
    seconds = []
    for n in sizes:
        data = patients(n)
        start = time.perf_counter()
        call(*data)
        seconds.append(time.perf_counter() - start)
    return seconds


def statistics_table(sizes: list[int]) -> None:
    """Print one line per function."""
    peers = {"lifelines, Cox": lifelines_fit}
    try:
        import sksurv  # noqa: F401

        peers["scikit-survival, Cox"] = sksurv_fit
    except ImportError:
        pass
    for name, call in {**calls(), **peers}.items():
        before = _compiled[0]
        seconds = new_sizes(call, sizes)
        print(
            f"{name:32} {human(statistics.median(seconds)):>9} worst {human(max(seconds)):>9} "
            f"programs {_compiled[0] - before}"
        )


def fits_table() -> None:
    """Print the times of first, second and other fits of two estimators."""
    from jaxsurv.data import load_tcga_acc
    from jaxsurv.estimators import MORiskVAE, SurvivalStack

    cohort = load_tcga_acc()
    rows = np.arange(len(cohort.survival))
    kinds = {"MORiskVAE": MORiskVAE, "SurvivalStack": lambda: SurvivalStack(grid={})}
    for name, kind in kinds.items():
        for label, those in {
            "first fit": cohort, "again": cohort, "7 patients fewer": cohort.take(rows >= 7),
            "8 patients fewer": cohort.take(rows >= 8),
        }.items():  # fmt: skip
            before, start = _compiled[0], time.perf_counter()
            kind().fit(those, "os")
            seconds = human(time.perf_counter() - start)
            print(f"{name}, {label:18} {seconds:>9} programs {_compiled[0] - before}")


def resources() -> tuple[int, int]:
    """Memory of this process in MB, and its number of memory maps; 0 where the system does not tell."""
    status, maps = Path("/proc/self/status"), Path("/proc/self/maps")
    if not status.exists():
        return 0, 0
    (line,) = (x for x in status.read_text().splitlines() if x.startswith("VmRSS"))
    return int(line.split()[1]) // 1024, len(maps.read_text().splitlines())


def many_sizes(most: int) -> None:
    """Print time, memory and memory maps of `cox_fit` in a loop over new sizes."""
    survival.cox_fit(*patients(99))
    groups = [patients(100 + k) for k in range(40)]
    for name, call in {"jaxsurv": survival.cox_fit, "lifelines": lifelines_fit}.items():
        start = time.perf_counter()
        for data in groups:
            call(*data)
        print(f"40 groups of 100 to 139, {name}: {human(time.perf_counter() - start)}")
    before, start = resources(), time.perf_counter()
    for k in range(most):
        x, event, when = patients(100 + k % 2000, 1 + k // 2000)
        survival.cox_fit(x, event, when)
    after = resources()
    print(
        f"cox_fit at {most} sizes: {human(time.perf_counter() - start)}, "
        f"{after[0] - before[0]:+d} MB, {after[1] - before[1]:+d} memory maps"
    )


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--sizes", type=int, default=1000, help="sizes of the last loop")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    monitoring.register_event_duration_secs_listener(count)
    print(machine())
    statistics_table([103, 207, 311, 523, 1031, 1999])
    many_sizes(options.sizes)
    fits_table()


if __name__ == "__main__":
    main()
