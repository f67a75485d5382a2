"""Do 95 % intervals cover in 95 % of cohorts, and is p below 0.05 in 5 % where nothing differs?

Simulated cohorts whose features carry information or none, in five folds that are dealt once or five
times: coverage of the interval of cross-validated C and of a paired difference, and how often two equally
good models differ "significantly". Then the same on single test sets of 20 to 100 patients. What an
interval has to cover is the expected C of models that are trained on as many patients, which is the mean
over all cohorts. docs/statistics.md has the tables.

    python -m experiments.coverage                                  # half an hour on two cores
"""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from jaxsurv.cli.command import command_line
from jaxsurv.cli.options import Execution


@dataclass(frozen=True, kw_only=True)
class Coverage(Execution):
    """Count how often intervals cover and tests reject.

    Attributes:
        preset: changes the defaults shown here. smoke: half a minute.
        cohorts, networks: simulated cohorts per condition with ridge Cox models, and with networks.
        learners: models to cross-validate, ridge or network.
        n: numbers of patients of the cohorts.
        signal: standard deviations of the log hazard; 0 = features carry no information.
        test_sets: numbers of patients of single test sets.
        replicates: simulated test sets per condition.
    """

    cohorts: int = 300
    networks: int = 100
    learners: tuple[Literal["ridge", "network"], ...] = ("ridge", "network")
    n: tuple[int, ...] = (100, 400)
    signal: tuple[float, ...] = (0.0, 0.8)
    test_sets: tuple[int, ...] = (20, 50, 100)
    replicates: int = 500
    out: Path = Path("results/coverage")


PRESETS = {
    "default": Coverage(),
    "smoke": Coverage(
        preset="smoke", cohorts=6, networks=3, n=(100,), test_sets=(20,), replicates=10
    ),
}
_BLOCK = 50  # cohorts per chunk that an interruption leaves


def run(options: Coverage) -> None:
    """Run the whole experiment, from the simulator to the report."""
    import numpy as np
    import pandas as pd

    from jaxsurv.artifacts import Chunks
    from jaxsurv.cli.terminal import progress
    from jaxsurv.cli.workplace import open_workplace
    from jaxsurv.report.page import Section, write_report
    from jaxsurv.report.tables import print_table
    from jaxsurv.types import InputError

    from .rates import SMALL, SPLITS, rates, shown, told
    from .simulate import Condition, scores
    from .small_sets import small_sets

    numbers = {"ridge": options.cohorts, "network": options.networks}
    if min(*numbers.values(), options.replicates) < 2:
        raise InputError("cohorts, networks and replicates must be at least 2")
    workplace = open_workplace(options)
    folder, console = workplace.folder, workplace.console
    facts = {"experiment": "coverage", "options": asdict(options)}
    folder.manifest(**facts, status="running")
    conditions = [
        Condition(learner, n, signal)
        for learner in options.learners
        for n in options.n
        for signal in options.signal
    ]
    store, rows, small = Chunks(folder, "scores"), [], []
    with progress(console) as bars:
        total = sum(numbers[c.learner] for c in conditions)
        task = bars.add_task("cross-validating", total=total)
        for condition in conditions:
            parts = []
            for first in range(0, numbers[condition.learner], _BLOCK):
                seeds = range(first, min(first + _BLOCK, numbers[condition.learner]))
                name = "-".join(map(str, (*condition, first)))
                found = store.load(name, lambda: np.zeros(0))
                if found is None:
                    found = scores(condition, seeds, plan=workplace.plan)
                    store.save(name, found)
                parts.append(found)
                bars.advance(task, len(seeds))
            rows += rates(condition, np.concatenate(parts))
            folder.table("summary.csv", pd.DataFrame(rows))
        sets = [(n, s, c) for n in options.test_sets for s in (0.5, 1.5) for c in (0.3, 0.6)]
        task = bars.add_task("single test sets", total=len(sets))
        for n, signal, censored in sets:
            small.append(small_sets(n, signal, censored, options.replicates, samples=200))
            bars.advance(task)
    table, single = pd.DataFrame(rows), pd.DataFrame(small)
    folder.table("small_sets.csv", single)
    sections = [
        Section("Cross-validated scores", shown(table), SPLITS),
        Section("Single test sets", shown(single), SMALL),
    ]
    title = "Coverage of intervals and size of tests"
    write_report(folder, title, told(table, single), sections, [], facts)
    folder.manifest(**facts, status="complete")
    for section in sections:
        print_table(console, section.heading, section.table, section.note)


main = command_line(run, PRESETS, __doc__)


if __name__ == "__main__":
    sys.exit(main())
