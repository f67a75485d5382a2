"""Gain from unlabelled patients: Cox-MT minus its own supervised part on simulated cohorts.

The cohorts have subtypes of equal risk (jaxsurv.data._simulate_subtypes), 200 patients with an outcome,
about 20 events, and 1,000 patients without an outcome: favourable conditions for a Mean Teacher. One
condition is changed at a time. The base was found by search: a gain needs w = 10, no early stopping and
well separated subtypes; on cohorts whose risk is linear in many genes the gain is 0 or negative. The
cohorts of this study are other draws than those of the search.

    python -m experiments.unlabelled                                # four minutes on two cores
"""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from jaxsurv.cli.command import command_line
from jaxsurv.cli.options import Execution


@dataclass(frozen=True, kw_only=True)
class Unlabelled(Execution):
    """Measure the gain of Cox-MT over its supervised part, one change of the cohorts at a time.

    Attributes:
        preset: changes the defaults shown here. smoke: a minute, most of it compilation.
        replicates: simulated cohorts per condition.
        hidden: widths of the hidden layers of both networks.
        weight: weight of the consistency loss.
        epochs: number of epochs of each run.
        separation, signal, event_rate, unlabelled: values to try, one change of the base at a time.
    """

    replicates: int = 40
    hidden: tuple[int, ...] = (32, 16)
    weight: float = 10.0
    epochs: int = 60
    separation: tuple[float, ...] = (0.0, 4.0, 8.0)
    signal: tuple[float, ...] = (0.3, 1.0, 2.0)
    event_rate: tuple[float, ...] = (0.05, 0.1, 0.3)
    unlabelled: tuple[int, ...] = (0, 200, 1000, 3000)
    out: Path = Path("results/unlabelled")


PRESETS = {
    "default": Unlabelled(),
    "smoke": Unlabelled(
        preset="smoke", replicates=3, epochs=4, separation=(), signal=(), event_rate=(), unlabelled=(0,)
    ),
}  # fmt: skip


def run(options: Unlabelled) -> None:
    """Run the whole experiment, from the simulator to the report."""
    import pandas as pd
    from rich.progress import track

    from jaxsurv.artifacts import Chunks
    from jaxsurv.cli.workplace import open_workplace
    from jaxsurv.plots import Profile, score_profiles
    from jaxsurv.report.page import Picture, Section, write_report
    from jaxsurv.report.tables import interval, print_table
    from jaxsurv.study.statistics import corrected_t
    from jaxsurv.types import InputError

    from .gain import NETWORKS, POOL, CohortCondition, gains

    if options.replicates < 2 or not all(0 <= u <= POOL for u in options.unlabelled):
        raise InputError(f"needs replicates >= 2 and unlabelled from 0 to {POOL}")
    workplace = open_workplace(options)
    folder, console = workplace.folder, workplace.console
    base = CohortCondition()
    names = ("separation", "signal", "event_rate", "unlabelled")
    axes = {
        n: sorted({getattr(base, n), *getattr(options, n)}) for n in names if getattr(options, n)
    }
    axes["early_stopping"] = [False, True]
    changed = (base._replace(**{n: v}) for n, values in axes.items() for v in values)
    conditions = dict.fromkeys([base, *changed])  # the base is on every axis
    facts = {"experiment": "unlabelled", "options": asdict(options)}
    folder.manifest(**facts, status="running")
    settings = {"hidden": options.hidden, "weight": options.weight, "epochs": options.epochs}
    seeds = range(1000, 1000 + options.replicates)  # the search for the base used smaller seeds
    tables, rows = {}, {}
    for condition in track(conditions, "training", console=console, transient=True):
        at = " ".join(map(str, condition))
        stores = {n: Chunks(folder, f"{n} {at}") for n in NETWORKS}
        found = gains(condition, seeds, **settings, plan=workplace.plan, stores=stores)
        found = found.assign(**condition._asdict())
        tables[condition] = found
        folder.table("runs.csv", pd.concat(tables.values(), ignore_index=True))
        estimate = corrected_t((found["Cox-MT"] - found["network"]).to_numpy(), 0.0)
        means = found[["events", "truth", "network", "Cox-MT"]].mean()
        rows[condition] = {**condition._asdict(), **means, **estimate._asdict()}
    summary = pd.DataFrame(rows.values())
    folder.table("summary.csv", summary)

    panels = [
        Profile(
            name.replace("_", " "),
            [str(v) for v in values],
            {"": pd.DataFrame([rows[base._replace(**{name: v})] for v in values])},
            0.0,
            "no gain",
        )
        for name, values in axes.items()
    ]
    title = f"{base.labelled} labelled patients, {options.replicates} simulated cohorts each"
    figure = score_profiles(panels, ylabel="C of Cox-MT minus network", title=title)
    shown = summary[list(CohortCondition._fields)].astype(str)
    shown["events"] = summary["events"].map("{:.0f}".format)
    for name in ("truth", "network", "Cox-MT"):
        shown[f"C, {name}"] = summary[name].map("{:.3f}".format)
    shown["gain (95 %)"] = summary.apply(interval, axis=1, sign=True, digits=3)
    note = (
        "Harrell's C on 1,000 other patients of each cohort; gain: Cox-MT minus the same network without the "
        "consistency loss, same seed and minibatches, mean over independent cohorts with its t interval. "
        "The first row is the base, of which every other row changes one thing."
    )
    stopped = tables[base._replace(early_stopping=True)]["network"]
    against = corrected_t((tables[base]["Cox-MT"] - stopped).to_numpy(), 0.0)
    told = [
        f"In the base condition the gain is {interval(summary.iloc[0], sign=True, digits=3)}.",
        "The interval excludes 0 from above in "
        f"{(summary['lower'] > 0).sum()} of {len(summary)} conditions, from below in "
        f"{(summary['upper'] < 0).sum()}.",
        "Minus a supervised network that is stopped early, with fewer patients to train on, Cox-MT in the "
        f"base condition has {interval(pd.Series(against._asdict()), sign=True, digits=3)}.",
    ]
    picture = Picture(
        "gain",
        "Gain of Cox-MT over its supervised part with its 95 % interval, along each axis from the base.",
        f"{len(panels)} panels of the gain with intervals, along {', '.join(axes)}.",
    )
    title = "When unlabelled patients help"
    sections = [Section("Results", shown, note)]
    write_report(folder, title, told, sections, [(figure, picture)], facts)
    folder.manifest(**facts, status="complete")
    print_table(console, title, shown, note)


main = command_line(run, PRESETS, __doc__)


if __name__ == "__main__":
    sys.exit(main())
