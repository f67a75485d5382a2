"""Leaderboard: models trained on a split that others have published, beside what they published.

Models are fitted to the training part. On the validation part each log hazard is calibrated (one slope), one
penalty is chosen, and the headline. The test part is judged once, with all models at once.

    python -m experiments.leaderboard                      # bundled TCGA-ACC, a split of its own
    python -m experiments.leaderboard --cohort FOLDER --split FILE --published FILE --by cancer

Risks of every model are in OUT/risks as soon as it is fitted, so that --resume fits the others only.
"""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from jaxsurv.cli.command import command_line
from jaxsurv.cli.options import Execution


@dataclass(frozen=True, kw_only=True)
class Leaderboard(Execution):
    """Judge models on a published test part.

    Attributes:
        preset: changes the defaults shown here. smoke: half a minute.
        cohort: tcga_acc (bundled), simulated, or a folder with survival.csv and one table per modality.
        split: file with the columns patient and part (train, validation, test); without it, a fifth of the
            patients is tested and a sixth validates.
        published: CSV file of others' scores: Algorithm, Metric, and values such as 0.796 (0.779-0.813).
        endpoint: outcome, such as os; the cohort's first one if not given.
        by: clinical column whose categories, such as cancers, are groups: features act in their own way in
            each, and C is computed within them as well.
        models: names of the models; all if not given.
        seeds: networks per ensemble.
        epochs: most epochs of a run.
        samples: bootstrap samples of the intervals.
    """

    cohort: str = "tcga_acc"
    split: Path | None = None
    published: Path | None = None
    endpoint: str | None = None
    by: str | None = None
    models: tuple[str, ...] = ()
    seeds: int = 10
    epochs: int = 300
    samples: int = 1000
    out: Path = Path("results/leaderboard")


PRESETS = {
    "default": Leaderboard(),
    "smoke": Leaderboard(
        preset="smoke", models=("ridge Cox", "CoxNnet"), seeds=2, epochs=15, samples=100
    ),
}


def run(options: Leaderboard) -> None:
    """The whole experiment, from the cohort to the report."""
    import numpy as np

    from jaxsurv.cli.workplace import open_workplace
    from jaxsurv.types import InputError

    from . import models
    from .board import board, fit_all, open_data
    from .published import read_published
    from .report import publish

    for name, least in {"seeds": 1, "epochs": 1, "samples": 2}.items():
        if (value := getattr(options, name)) < least:
            raise InputError(f"{name} must be at least {least}, got {value}")
    if options.plan is not None or options.coordinator is not None:
        raise InputError(
            "leaderboard fits one model after the other, each of which chooses its layout, in one process; "
            "leave out --plan and --coordinator"
        )
    rows = models.rows(options.models, options.by, seeds=options.seeds, epochs=options.epochs)
    workplace = open_workplace(options)
    folder, console = workplace.folder, workplace.console
    with console.status("reading the cohort and the split"):
        published = None if options.published is None else read_published(options.published)
        data, test = open_data(options.cohort, options.split, options.endpoint, options.by)
    event = np.asarray(data.cohort.outcome(data.endpoint).event)
    facts = {
        "experiment": "leaderboard",
        "options": asdict(options),
        "cohort_fingerprint": data.cohort.fingerprint(),
        **{
            f"{part}_patients": f"{int(mask.sum())}, {int(event[mask].sum())} events"
            for part, mask in (
                ("train", data.train),
                ("validation", data.validation),
                ("test", test),
            )
        },
    }
    folder.manifest(**facts, status="running")
    risks = fit_all(rows, data, folder, console)
    with console.status("judging"):
        found = board(risks, data, test, samples=options.samples)
    publish(found, published, data, folder, facts, console)


main = command_line(run, PRESETS, __doc__)


if __name__ == "__main__":
    sys.exit(main())
