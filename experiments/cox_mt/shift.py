"""Does a teacher help on patients of other studies? Cox-MT and its own network, trained on one cohort.

Paper: Cox-MT (arXiv 2601.20729) says that consistency makes a network robust against a shift of the
distribution. Both networks are trained on one cohort with the same seeds, and judged on others, whose
measurements are z-scores within each cohort: a distribution over seeds for each cohort.

    python -m experiments.cox_mt.shift                              # thirds of the simulated cohort
    python -m experiments.cox_mt.shift --train A --external B C --modality expression --out results/shift
"""

import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from jaxsurv.cli.command import command_line
from jaxsurv.cli.options import Execution


@dataclass(frozen=True, kw_only=True)
class Shift(Execution):
    """Compare Cox-MT with its supervised network on cohorts that they were not trained on.

    Attributes:
        preset: changes the defaults shown here. smoke: a minute, most of it compilation.
        train: folder of the training cohort; without it, the simulated cohort is cut in three.
        external: folders of the cohorts to judge on.
        modality: modality that is read.
        endpoint: outcome, such as os; the training cohort's first one if not given.
        hidden: layers of both networks.
        epochs: most epochs of a run.
        seeds: networks of each kind.
    """

    train: Path | None = None
    external: tuple[Path, ...] = ()
    modality: str = "rna"
    endpoint: str | None = None
    hidden: tuple[int, ...] = (1000, 200)
    epochs: int = 100
    seeds: int = 20
    out: Path = Path("results/cox_mt_shift")


PRESETS = {
    "default": Shift(),
    "smoke": Shift(preset="smoke", hidden=(16, 8), epochs=4, seeds=2),
}


def run(options: Shift) -> None:
    """The whole experiment, from the cohorts to the report."""
    import numpy as np
    import pandas as pd

    from jaxsurv.cli.cohorts import simulated_thirds
    from jaxsurv.cli.setup import pool_modality
    from jaxsurv.cli.workplace import open_workplace
    from jaxsurv.data import read_cohort, without_test
    from jaxsurv.metrics import concordance_index
    from jaxsurv.models import CoxMTConfig, CoxMTHParams, cox_mt, find_model
    from jaxsurv.plots import Forest, score_forest
    from jaxsurv.preprocess.harmonise import harmonise_strata
    from jaxsurv.recipe import AS_MEASURED, prepare
    from jaxsurv.recipe.networks import train_networks
    from jaxsurv.report.page import Picture, Section, write_report
    from jaxsurv.report.tables import interval, print_table
    from jaxsurv.study.statistics import over_replicates
    from jaxsurv.training import FitConfig
    from jaxsurv.types import InputError

    if (options.train is None) != (not options.external):
        raise InputError("--train and --external go together: folders to train and to judge on")
    if options.seeds < 2:
        raise InputError("seeds must be at least 2: what is asked for is a distribution")
    workplace = open_workplace(options)
    folder, console = workplace.folder, workplace.console
    if options.train is None:
        cohorts = simulated_thirds()
    else:
        cohorts = [read_cohort(path) for path in (options.train, *options.external)]
    pooled, endpoint = pool_modality(cohorts, options.modality, options.endpoint)
    pooled = harmonise_strata(pooled)
    facts = {
        "experiment": "cox_mt.shift",
        "options": asdict(options),
        "cohort_fingerprint": pooled.fingerprint(),
    }
    folder.manifest(**facts, status="running")
    first, *others = (cohort.name for cohort in cohorts)
    outcome = pooled.outcome(endpoint)
    event, time = np.asarray(outcome.event), np.asarray(outcome.time, float)
    splits = without_test(event, (pooled.strata == first).to_numpy())
    data = prepare(pooled, endpoint, splits, AS_MEASURED)
    # with the published learning rate, or little patience, many runs keep their initial network
    published = CoxMTHParams()
    stopped = FitConfig(options.epochs, burn_in=20, patience=20, batch_size=32)
    kinds = {
        "early stopping": (published._replace(learning_rate=2e-4), stopped),
        f"{options.epochs} epochs": (published, replace(stopped, early_stopping=False)),
    }
    rows = []
    for how, (hparams, training) in kinds.items():
        for name, consistency in (("network", "none"), ("Cox-MT", "both")):
            with console.status(f"training {name}, {how}"):
                objective = cox_mt(CoxMTConfig(options.hidden, consistency))
                runs = train_networks(
                    data, find_model("CoxMT"), objective, [hparams], seeds=options.seeds,
                    training=training,
                )  # fmt: skip
            for seed, risk, epoch in zip(runs.seed, runs.prediction, runs.best_epoch, strict=True):
                for cohort in others:
                    where = (pooled.strata == cohort).to_numpy()
                    c = concordance_index(risk, event, time, where=where)
                    found = float(c.index), float(c.standard_error), float(epoch == 0)
                    rows.append((cohort, how, name, seed, *found))
    columns = ["cohort", "training", "method", "seed", "c", "standard_error", "untrained"]
    table = pd.DataFrame(rows, columns=columns)
    within = ["cohort", "training"]
    summary = over_replicates(table, "network", score="c", within=within)
    more = table.groupby([*within, "method"])[["standard_error", "untrained"]].mean()
    summary = summary.join(more, on=[*within, "method"])
    folder.table("runs.csv", table)
    folder.table("summary.csv", summary)
    dots, means = (t.assign(setting=t["method"] + ", " + t["training"]) for t in (table, summary))
    panels = [
        Forest(
            dots[dots["cohort"] == cohort], means[means["cohort"] == cohort], "c",
            f"Harrell's C in {cohort}",
        )
        for cohort in others
    ]  # fmt: skip
    shown = summary[[*within, "method"]].assign(
        C=summary.apply(interval, axis=1, digits=3),
        error=summary["standard_error"].map("{:.3f}".format),
        untrained=summary["untrained"].map("{:.0%}".format),
        difference=summary.apply(interval, axis=1, prefix="difference_", sign=True, digits=3),
    )
    note = (
        "Harrell's C, mean over seeds with the interval of that mean: how patients vary is in error, the "
        "standard error of one network's C. untrained: networks that kept their initial parameters. "
        "difference: Cox-MT minus network, paired by seed."
    )
    picture = Picture(
        "shift",
        "C of every seed in each cohort that was not trained on, and the mean with its interval over seeds.",
        f"{len(panels)} panels of the C of two networks under two kinds of training.",
    )
    title = f"Cox-MT trained on {first} and judged elsewhere"
    minus = summary[summary["method"] == "Cox-MT"]
    told = [
        f"{r['cohort']}, {r['training']}: Cox-MT minus its network "
        f"{interval(r, 'difference_', sign=True, digits=3)}."
        for _, r in minus.iterrows()
    ]
    drawn = [(score_forest(panels, dots="seeds"), picture)]
    write_report(folder, title, told, [Section("Results", shown, note)], drawn, facts)
    folder.manifest(**facts, status="complete")
    print_table(console, title, shown, note)


main = command_line(run, PRESETS, __doc__)


if __name__ == "__main__":
    sys.exit(main())
