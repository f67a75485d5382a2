"""Round-robin and Gaussian imputation against scikit-learn's IterativeImputer.

    python -m benchmarks.imputation

Half a minute on two cores. 1,016 patients, three modalities of 100 features (half measured, a third in
five states, the rest binary) on 12 common factors, three in ten patients lack each modality, and 2 %
of the other values are missing. IterativeImputer gets the same number of rounds and of nearest
features, and no other option. Errors are over all masked cells, in missing modalities and single ones.
"""

import time
import warnings
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.timing import human, interleaved, machine
from jaxsurv.preprocess import (
    Features,
    fit_gaussian,
    fit_round_robin,
    fit_scaler,
    impute_gaussian,
    impute_round_robin,
)
from jaxsurv.preprocess.round_robin import NEIGHBOURS, ROUNDS

N, D, BLOCK = 1016, 300, 100
NAMES = ("a", "b", "c")
COLUMNS = {m: slice(BLOCK * i, BLOCK * (i + 1)) for i, m in enumerate(NAMES)}
PLACE = np.arange(D) % 6
FIVE, TWO = PLACE // 2 == 1, PLACE == 5


def patients() -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Simulate the truth ``[n, d]``, the masked cells and the presence of each modality."""
    rng = np.random.default_rng(0)
    loadings = rng.standard_normal((12, D)) * (rng.random((12, D)) < 0.4)
    x = rng.standard_normal((N, 12)) @ loadings + rng.standard_normal((N, D))
    x /= x.std(axis=0)
    x = np.where(FIVE, np.digitize(x, [-2, -0.9, 0.9, 2]) - 2, x)
    x = np.where(TWO, x > 0.6, x).astype(np.float32)
    absent = rng.random((N, 3)) < 0.3
    absent[absent.all(axis=1)] = False
    missing = np.repeat(absent, BLOCK, axis=1) | (rng.random((N, D)) < 0.02)
    return x, missing, {m: 1.0 - absent[:, i] for i, m in enumerate(NAMES)}


def errors(truth: np.ndarray, missing: np.ndarray, filled: np.ndarray) -> list[str]:
    """Errors: root mean square of measured values in standard deviations, shares of right states, classes."""
    measured = ~FIVE & ~TWO
    scaled = ((filled - truth) / truth.std(axis=0))[:, measured][missing[:, measured]]
    out = [f"{np.sqrt(np.mean(scaled**2)):.3f}"]
    for columns, least, most in ((FIVE, -2, 2), (TWO, 0, 1)):
        state = np.clip(np.round(filled[:, columns]), least, most)
        out.append(f"{np.mean((state == truth[:, columns])[missing[:, columns]]):.3f}")
    return out


def iterative(x: np.ndarray) -> np.ndarray:
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    model = IterativeImputer(
        max_iter=ROUNDS, n_nearest_features=NEIGHBOURS, random_state=0, tol=0.0
    )
    return model.fit_transform(x)


def main() -> None:
    warnings.simplefilter("ignore")  # IterativeImputer warns that it did not converge
    truth, missing, presence = patients()
    x, where = np.where(missing, np.nan, truth).astype(np.float32), np.ones(N, bool)
    order = np.argsort(x, axis=0).astype(np.int32)
    features: Any = Features(x, order, ~(FIVE | TWO))
    scaler = jax.tree.map(np.asarray, jax.jit(fit_scaler)(features, where))
    chain = jax.jit(
        lambda where: impute_round_robin(fit_round_robin(features, scaler, where), features.x)
    )

    def gaussian() -> np.ndarray:
        return impute_gaussian(fit_gaussian(x, scaler, COLUMNS, presence, where), x, presence)

    peer, start = "IterativeImputer", time.perf_counter()
    jax.block_until_ready(chain(where))
    first = time.perf_counter() - start
    cases: dict[str, Callable[[], Any]] = {
        "round robin": lambda: jax.block_until_ready(chain(where)),
        "Gaussian": gaussian,
        peer: lambda: iterative(x),
    }
    filled = {
        "means": np.where(missing, np.asarray(scaler.center), truth),
        "round robin": np.asarray(chain(where)),
        "Gaussian": np.where(np.isnan(g := gaussian()), np.asarray(scaler.center), g),
        peer: iterative(x),
    }
    with threadpool_limits(1):  # more BLAS threads make IterativeImputer slower
        seconds = interleaved(cases, repeats=3)
    print(f"{machine()}; {missing.mean():.0%} missing, {ROUNDS} rounds, {NEIGHBOURS} features\n")
    print("| who | time | IterativeImputer | measured, RMSE | states right | classes right |")
    print("| --- " * 6 + "|")
    for name, out in filled.items():
        took = human(seconds[name]) if name in seconds else ""
        ratio = f"{seconds[peer] / seconds[name]:.0f}x slower" if took and name != peer else ""
        print(f"| {name} | {took} | {ratio} | {' | '.join(errors(truth, missing, out))} |")
    print(f"\nRound robin, first call with compilation: {human(first)}")


if __name__ == "__main__":
    main()
