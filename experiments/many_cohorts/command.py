"""Value of other cohorts to one: pooled training, transfer, and no patients of one's own.

Each cohort is the target in turn. On the same folds of the target: its own data alone; all cohorts as one
study, stratified; the others alone; a stack of the first and the third, which estimates how much to
believe the others; and a network that learns from the others first. C is within the target. With few patients
of the target's own (--sizes) the question is how many the pool is worth. What cohorts share: the model of
each one, judged on every other.

    python -m experiments.many_cohorts                              # thirds of the simulated cohort
    python -m experiments.many_cohorts --cohorts A B C D --modality rna --out results/many
"""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from jaxsurv.cli.command import command_line
from jaxsurv.cli.options import Execution


@dataclass(frozen=True, kw_only=True)
class ManyCohorts(Execution):
    """Compare a cohort's own data with those of others.

    Attributes:
        preset: changes the defaults shown here. smoke: half a minute.
        cohorts: folders of the cohorts, each of which is the target in turn; without them, the simulated
            cohort is cut in three.
        modality: modality that is read beside the clinical one.
        endpoint: outcome, such as os; the first cohort's first one if not given.
        sizes: numbers of the target's own training patients; 0 = all.
        folds: folds of each target.
        repeats: number of deals into folds.
        seeds: networks per fold and size, pretrained on the others and fine-tuned; 0 = no networks.
    """

    cohorts: tuple[Path, ...] = ()
    modality: str = "rna"
    endpoint: str | None = None
    sizes: tuple[int, ...] = (50, 100, 200, 0)
    folds: int = 5
    repeats: int = 1
    seeds: int = 5
    out: Path = Path("results/many_cohorts")


PRESETS = {
    "default": ManyCohorts(),
    "smoke": ManyCohorts(preset="smoke", sizes=(60, 0), folds=2, seeds=1),
}


def run(options: ManyCohorts) -> None:
    """The whole experiment, from the cohorts to the report."""
    import pandas as pd

    from jaxsurv.artifacts.results import sha256
    from jaxsurv.cli.terminal import progress
    from jaxsurv.cli.workplace import open_workplace
    from jaxsurv.types import InputError

    from .pool import open_pool
    from .report import publish
    from .shared import one_by_one
    from .transfer import RECIPE, transferred

    if not options.sizes or min(options.sizes) < 0 or len(set(options.sizes)) < len(options.sizes):
        raise InputError(f"sizes must be given, >= 0 and different, got {options.sizes}")
    for name, least in (("folds", 2), ("repeats", 1), ("seeds", 0)):
        if (value := getattr(options, name)) < least:
            raise InputError(f"{name} must be at least {least}, got {value}")
    if options.plan is not None or options.coordinator is not None:
        raise InputError(
            "many_cohorts takes cohort after cohort, in one process; leave out --plan and --coordinator"
        )
    workplace = open_workplace(options)
    folder, console = workplace.folder, workplace.console
    with console.status("reading and pooling the cohorts"):
        pool = open_pool(options.cohorts, options.modality, options.endpoint)
    facts = {
        "experiment": "many_cohorts",
        "options": asdict(options),
        "cohort_fingerprint": pool.pooled.fingerprint(),
        "shared_columns": {m: table.shape[1] for m, table in pool.pooled.modalities.items()},
    }
    folder.manifest(**facts, status="running")
    tables = []
    with progress(console) as bars:
        task = bars.add_task("fitting", total=len(pool.targets))
        for number, (name, target) in enumerate(pool.targets.items()):
            bars.update(task, description=f"target {name}")
            file = f"targets/{number}.csv"
            path = folder.path / file
            if not (path.exists() and folder.files.get(file) == sha256(path)):
                how = {k: getattr(options, k) for k in ("folds", "sizes", "repeats", "seeds")}
                folder.table(file, transferred(target, pool.pooled, pool.endpoint, **how))
                folder.list_files()
            tables.append(pd.read_csv(path))
            bars.advance(task)
    with console.status("judging the model of each cohort on every other"):
        shared = one_by_one(pool.pooled, pool.endpoint, RECIPE)
    publish(pd.concat(tables, ignore_index=True), shared, pool, folder, facts, console)


main = command_line(run, PRESETS, __doc__)


if __name__ == "__main__":
    sys.exit(main())
