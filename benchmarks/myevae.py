"""Trainings per minute: jaxsurv's MyeVAE in one sweep against the `myevae` package's estimator.

    python -m benchmarks.myevae [--cohort FOLDER] [--endpoint os]

A few minutes. The same standardised arrays of one training fold, the package's default layer widths, z = 32,
100 epochs without early stopping on both sides, and its estimator in one process on one core, which is
how its grid search runs in parallel. Both times are per training; a study of N trainings is N of them,
divided by the cores. Needs the packages `myevae` and `torch`.
"""

import os
import time
from argparse import ArgumentParser

import numpy as np
import pandas as pd

from benchmarks.timing import machine
from jaxsurv.training import FitConfig, one_device_per_core, sweep

PREFIXES = {
    "exp": "Feature_exp",
    "cna": "Feature_CNA_ENSG",
    "gistic": "Feature_CNA_Amp",
    "fish": "Feature_fish",
    "sbs": "Feature_SBS",
}
WIDTHS = {"exp": [32, 4], "cna": [16, 4], "gistic": [4, 1], "fish": [4, 1], "sbs": [4, 1]}
RUNS, SAMPLES = 32, 3


def frame(data) -> tuple[pd.DataFrame, dict[str, str]]:
    """One training fold as the package reads it, and which of its inputs each modality became."""
    split, z = next(data.standardised_splits())
    rows = np.asarray(split.develop)
    omics = sorted((m for m in z if m != "clinical"), key=lambda m: -z[m].shape[1])
    role = dict(zip(omics, PREFIXES, strict=False))
    columns = {
        "time": np.asarray(data.shared.time)[rows],
        "event": np.asarray(data.shared.event)[rows],
    }
    for m, x in z.items():
        prefix = PREFIXES[role[m]] if m in role else "Feature_clin"
        columns |= {f"{prefix}_{j}": x[rows, j].astype(float) for j in range(x.shape[1])}
    return pd.DataFrame(columns), role


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--cohort", default="tcga_acc")
    parser.add_argument("--endpoint", default="os")
    arguments = parser.parse_args()
    one_device_per_core()

    import torch
    from myevae.estimator import VAE

    from jaxsurv.models import MYEVAE, MYEVAE_HPARAMS, survival_vae
    from jaxsurv.study.design import load_cohort, make_splits
    from jaxsurv.study.options import StudyOptions
    from jaxsurv.study.prepare import prepare_study

    torch.set_num_threads(1)
    cohort = load_cohort(arguments.cohort)
    splits = make_splits(cohort, arguments.endpoint, StudyOptions())
    data = prepare_study(cohort, arguments.endpoint, splits)
    table, role = frame(data)
    names = list(role.values())
    estimator = VAE(
        input_types=names, layer_dims=[WIDTHS[n] for n in names], input_types_subtask=["clin"],
        layer_dims_subtask=[4, 1], z_dim=32, lr=5e-4, batch_size=1024, epochs=100, burn_in=100,
        patience=100, eventcol="event", durationcol="time", kl_weight=1,
        activation=torch.nn.LeakyReLU(), subtask_activation=torch.nn.Tanh(), dropout=0.3,
        dropout_subtask=0.3,
    )  # fmt: skip
    objective, config = survival_vae(MYEVAE), FitConfig(100, burn_in=100, patience=100)

    def ours(seeds: range) -> float:
        start = time.perf_counter()
        sweep(
            objective, data.build, data.shared, data.splits, seeds=seeds, hparams=[MYEVAE_HPARAMS],
            config=config,
        )  # fmt: skip
        return (time.perf_counter() - start) / (len(seeds) * len(splits.fold))

    def theirs() -> float:
        start = time.perf_counter()
        estimator.fit(table)
        return time.perf_counter() - start

    first = ours(range(RUNS // len(splits.fold))) * RUNS
    times = [(ours(range(RUNS // len(splits.fold))), theirs()) for _ in range(SAMPLES)]
    mine, other = np.median(times, axis=0)
    cores = len(os.sched_getaffinity(0))
    n, d = table.shape
    print(f"{cohort.name}, {arguments.endpoint}: {n} patients, {d - 2} features; {machine()}")
    print(
        "| who | one training | trainings per minute | 2,500 trainings |\n| --- | --- | --- | --- |"
    )
    for who, per_training in (
        ("jaxsurv, one sweep", mine),
        ("myevae, one process per core", other / cores),
    ):
        print(
            f"| {who} | {per_training:.3g} s | {60 / per_training:.0f} | {2500 * per_training / 60:.1f} min |"
        )
    print(
        f"ratio {other / cores / mine:.1f}; the first sweep, compilation included, took {first:.1f} s"
    )


if __name__ == "__main__":
    main()
