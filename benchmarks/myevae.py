"""MyeVAE's own grid search, the default of the `myevae` package, against the same search as sweeps.

    python -m benchmarks.myevae

About ten minutes. The package's default grid as released: z in 8, 16, 32, five folds and a last fit to all
patients, its widths, at most 100 epochs, stopped after 20 when the training loss has not improved for 5.
Simulated arrays of CoMMpass' size: 1,016 patients, six omics with 1,078 features, 5 clinical columns.
The package runs with its defaults, in one process, and with one process per core. Ours is one sweep per z
over the five folds and all patients at once; it is stopped when the Cox loss of the training rows has
not improved for 5 epochs, and timed twice: when everything is compiled for the first time, and again
from the persistent compilation cache. Needs the packages `myevae` and `torch`.
"""

import contextlib
import io
import os
import tempfile
import time
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.model_selection import GridSearchCV, KFold

from benchmarks.timing import human, machine

N = 1016
# name of each block in the package, prefix of its columns, and their number
BLOCKS = {
    "exp": ("Feature_exp", 500),
    "cna": ("Feature_CNA_ENSG", 500),
    "gistic": ("Feature_CNA_Amp", 40),
    "fish": ("Feature_fish", 20),
    "sbs": ("Feature_SBS", 10),
    "ig": ("Feature_RNASeq_", 8),
    "clin": ("Feature_clin", 5),
}


class Patients(NamedTuple):
    blocks: dict[str, np.ndarray]
    event: np.ndarray
    time: np.ndarray


class Found(NamedTuple):
    """Result of a search: chosen z, its mean C-index over the folds, and mean epochs per training."""

    z: int
    score: float
    epochs: float


def simulate() -> Patients:
    rng = np.random.default_rng(0)
    blocks = {m: rng.standard_normal((N, size)) for m, (_, size) in BLOCKS.items()}
    effect = blocks["exp"][:, :5].sum(1) + blocks["clin"].sum(1)
    life, censoring = rng.exponential(np.exp(-0.4 * effect)), rng.exponential(1.5, N)
    return Patients(blocks, life <= censoring, np.minimum(life, censoring))


def theirs(patients: Patients, grid: dict[str, list[Any]], processes: int | None) -> Found:
    from myevae.estimator import VAE

    class Quiet(VAE):
        def fit(self, X: pd.DataFrame, y: Any = None) -> Any:
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                super().fit(X, y)
            # on early stopping the package prints the epoch, less the patience and 1
            last = printed.getvalue().split()[-1:]
            self.epochs_ = int(last[0]) + self.patience + 1 if last else self.epochs
            return self

    def judge(fitted: Quiet, X: pd.DataFrame, y: Any = None) -> dict[str, float]:
        return {"c": fitted.score(X), "epochs": fitted.epochs_}

    columns = {"event": patients.event.astype(float), "time": patients.time}
    for m, x in patients.blocks.items():
        columns |= {f"{BLOCKS[m][0]}_{j}": x[:, j] for j in range(x.shape[1])}
    model = Quiet(eventcol="event", durationcol="time")
    search = GridSearchCV(model, grid, scoring=judge, refit="c", n_jobs=processes)
    search.fit(pd.DataFrame(columns))
    epochs = float(search.cv_results_["mean_test_epochs"].mean())
    return Found(search.best_params_["z_dim"], search.best_score_, epochs)


def ours(patients: Patients, grid: dict[str, list[Any]]) -> Found:
    import jax.numpy as jnp

    from jaxsurv.metrics import concordance_index
    from jaxsurv.models import MYEVAE, MYEVAE_HPARAMS, Batch, survival_vae
    from jaxsurv.survival import prepare_risk_sets
    from jaxsurv.training import FitConfig, Masks, sweep
    from jaxsurv.types import Survival

    x = {m: jnp.asarray(block, jnp.float32) for m, block in patients.blocks.items()}
    event, months, clinical = patients.event, patients.time, x.pop("clin")
    batch = Batch(
        inputs=x,
        presence={m: jnp.ones(N) for m in x},
        clinical=clinical,
        offset=jnp.zeros(N),
        outcome=Survival(jnp.asarray(event, jnp.float32), jnp.asarray(months, jnp.float32)),
        where=jnp.ones(N, bool),
        risk_sets=prepare_risk_sets(event, months),
    )
    train = np.ones((6, N), bool)  # five folds, then all patients
    for fold, (_, test) in enumerate(KFold().split(months)):
        train[fold, test] = False
    given = {name: values[0] for name, values in grid.items()}
    widths = dict(zip(given["input_types"], map(tuple, given["layer_dims"]), strict=True))
    scores, models, epochs = {}, {}, []
    for z in grid["z_dim"]:
        runs = sweep(
            survival_vae(replace(MYEVAE, widths=widths, latent=z)),
            lambda shared, split, seed: (shared, Masks(split, split, split)),
            batch,
            train,
            seeds=[0],
            hparams=[MYEVAE_HPARAMS],
            config=FitConfig(given["epochs"], given["burn_in"], given["patience"]),
            collect=lambda params, batch, masks: params,
        )
        folds = zip(runs.prediction, train[:-1], strict=False)
        c = [concordance_index(risk, event, months, where=~rows).index for risk, rows in folds]
        scores[z], models[z] = float(np.mean(c)), runs.collected
        epochs.extend(runs.epochs)
    best = max(scores, key=scores.__getitem__)
    assert models[best]
    return Found(best, scores[best], float(np.mean(epochs)))


def main() -> None:
    import jax
    from myevae.param_grid import param_grid

    from jaxsurv.training import one_device_per_core

    one_device_per_core()
    patients, cores = simulate(), len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as cache:
        jax.config.update("jax_compilation_cache_dir", cache)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        cases = {
            "jaxsurv, compiled for the first time": lambda: ours(patients, param_grid),
            "jaxsurv, compiled before": lambda: ours(patients, param_grid),
            "myevae, by default": lambda: theirs(patients, param_grid, None),
            "myevae, one process per core": lambda: theirs(patients, param_grid, cores),
        }
        seconds = {}
        print("| who | search | z | C | mean epochs |\n| --- | --- | --- | --- | --- |")
        for who, search in cases.items():
            start = time.perf_counter()
            z, c, epochs = search()
            seconds[who] = time.perf_counter() - start
            print(f"| {who} | {human(seconds[who])} | {z} | {c:.3f} | {epochs:.0f} |", flush=True)
    first, own, *rivals = seconds.values()
    ratios = ", ".join(f"{s / own:.1f}x ({s / first:.1f}x the first)" for s in rivals)
    print(f"{machine()}; myevae takes {ratios}")


if __name__ == "__main__":
    main()
