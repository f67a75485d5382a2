"""Recovery of shared latent variables by HCL, and prediction from them, on modalities with known loadings.

Paper: HCL (arXiv 2604.05462) claims that loadings of globally shared, partially shared and
modality-specific latent variables are recovered better than by SVD, JIVE and deep baselines, at the rate
n^-1/2, and that predictions from them are better. Here: recovery against the number of patients and
the noise, for equal and unequal modalities; then prediction of a label on which three of seven structures
have an effect, with loadings learnt from patients without a label. All methods see the same
replicates. Loadings of zero and ridge regression on all features are baselines.

    python -m experiments.hcl                                       # 100 replicates, about an hour
    python -m experiments.hcl --no-labels --unequal                 # recovery, equal sizes alone: minutes

Real cohorts: python -m experiments.hcl_survival.
"""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from jaxsurv.cli.command import command_line
from jaxsurv.cli.options import Execution


@dataclass(frozen=True, kw_only=True)
class HCLOptions(Execution):
    """Recovery of loadings and prediction of labels, on simulated modalities.

    Attributes:
        preset: changes the defaults shown here. smoke: a minute, most of it compilation.
        replicates: simulated data sets per setting.
        n: numbers of patients.
        noise: variances of the noise; singular values of the loadings are 0.5 to 1.5.
        equal: number of features of each of three modalities of one size.
        unequal: numbers of features of three modalities of different sizes; none = only equal sizes.
        rank: latent variables per structure; there are seven structures.
        labels: predict labels too, from three modalities of equal size.
        label_rank: latent variables per structure in the prediction of labels.
        label_noise: variance of the features' noise in the prediction of labels; labels have 0.1.
        few: number of patients without a label in the study that varies few_labels.
        few_labels: numbers of patients with a label beside `few` without.
        many: numbers of patients without a label in the study with fixed many_labels.
        many_labels: number of patients with a label beside each of `many`.
    """

    replicates: int = 100
    n: tuple[int, ...] = (5000, 10000, 20000, 30000)
    noise: tuple[float, ...] = (1.0, 6.0)
    equal: int = 100
    unequal: tuple[int, ...] = (100, 500, 800)
    rank: int = 3
    labels: bool = True
    label_rank: int = 5
    label_noise: float = 0.1
    few: int = 60
    few_labels: tuple[int, ...] = (140, 200, 300, 400)
    many: tuple[int, ...] = (500, 1000, 2000, 4000, 8000)
    many_labels: int = 10000
    out: Path = Path("results/hcl")


PRESETS = {
    "default": HCLOptions(),
    "smoke": HCLOptions(
        preset="smoke", replicates=2, n=(100, 400), noise=(1.0,), equal=8, unequal=(), rank=1,
        label_rank=1, few=30, few_labels=(40, 60), many=(), many_labels=60,
    ),
}  # fmt: skip
MODALITIES = ("A", "B", "C")


def check(options: HCLOptions) -> None:
    """Refuse options that would only fail after the first replicates."""
    from jaxsurv.cli.setup import check_grid
    from jaxsurv.types import InputError

    for name in ("n", "noise"):
        check_grid(name, getattr(options, name))
    if options.replicates < 2:
        raise InputError(f"replicates must be at least 2, got {options.replicates}")
    if options.unequal and len(options.unequal) != len(MODALITIES):
        raise InputError(f"unequal must be {len(MODALITIES)} sizes or none, got {options.unequal}")
    most = max(sum(options.unequal), len(MODALITIES) * options.equal)
    if min(options.n) <= most:
        raise InputError(f"n must exceed the {most} features, got {min(options.n)}")
    if options.labels and not (options.few_labels or options.many):
        raise InputError("give few_labels or many, or pass --no-labels")


def run(options: HCLOptions) -> None:
    """Run the whole experiment, from the simulator to the report."""
    from collections.abc import Callable
    from functools import partial
    from typing import Any

    import jax
    import jax.numpy as jnp
    import numpy as np
    import pandas as pd

    from jaxsurv.artifacts import Chunks
    from jaxsurv.cli.terminal import progress
    from jaxsurv.cli.workplace import open_workplace
    from jaxsurv.factors import Structure
    from jaxsurv.report.page import write_report
    from jaxsurv.report.tables import print_table
    from jaxsurv.study.statistics import over_replicates
    from jaxsurv.training import choose_plan, compile_map, map_chunks

    from . import report
    from .outcomes import LabelledDraws, predict_labels, tabulate_labels
    from .recovery import (
        OURS,
        SETTING,
        Draws,
        estimates,
        recover,
        simulated,
        slopes,
        tabulate,
    )

    check(options)
    workplace = open_workplace(options)
    folder, console = workplace.folder, workplace.console
    facts = {"experiment": "hcl", "options": asdict(options)}
    folder.manifest(**facts, status="running")

    def structure(sizes: tuple[int, ...], rank: int) -> Structure:
        return Structure.of(dict(zip(MODALITIES, sizes, strict=True)), rank)

    equal = (options.equal,) * len(MODALITIES)
    cases = [structure(sizes, options.rank) for sizes in (equal, options.unequal) if sizes]
    seeds = np.arange(options.replicates, dtype=np.uint32)

    def crossed(make: Any, first: tuple, second: tuple) -> Any:
        """Replicates of all combinations; all seeds of one combination before the next."""
        a, b, seed = (v.ravel() for v in np.meshgrid(first, second, seeds, indexing="ij"))
        return make(a, b, seed)

    tables: dict[str, list[pd.DataFrame]] = {"runs": [], "labels": []}

    def table(part: str) -> pd.DataFrame:
        return pd.concat(tables[part], ignore_index=True)

    with progress(console) as bars:

        def run_all(part: str, name: str, one: Callable, items: Any, rows: Callable) -> None:
            """Run all items; rows are kept after every compiled call."""
            plan = workplace.plan or choose_plan(len(items.seed))
            program = compile_map(lambda _, item: one(item), plan)
            task = bars.add_task(name, total=len(items.seed))
            store = Chunks(folder, name)
            for done, found in map_chunks(program, plan, program.place(np.zeros(0)), items, store):
                tables[part].append(rows(done, found))
                folder.table(f"{part}.csv", table(part))
                bars.update(task, advance=len(done.seed))

        for s in cases:
            sizes = " / ".join(str(d) for _, d in s.sizes)
            run_all(
                "runs",
                f"recovery, {sizes} features",
                partial(recover, s),
                crossed(Draws, options.n, tuple(np.float32(v) for v in options.noise)),
                partial(tabulate, sizes),
            )
        own = structure(equal, options.label_rank) if options.labels else cases[0]
        few = crossed(LabelledDraws, (options.few,), options.few_labels)
        many = crossed(LabelledDraws, options.many, (options.many_labels,))
        for name, items in (("few without a label", few), ("many without a label", many)):
            if options.labels and len(items.seed):
                most = int(items.n.max()), int(items.m.max())
                one = partial(predict_labels, own, *most, options.label_noise)
                run_all("labels", f"prediction, {name}", one, items, tabulate_labels)

    runs = table("runs")
    at = [*SETTING, "n"]
    summary, rates = over_replicates(runs, OURS, score="block", within=at), slopes(runs)
    folder.table("summary.csv", summary)
    folder.table("slopes.csv", rates)
    truth, key = simulated(cases[0], jnp.uint32(0))
    first = options.n[0], options.noise[0]
    n, noise = map(jnp.float32, first)
    maps = jax.jit(lambda key: estimates(cases[0], truth, n, noise, key))(key)
    shown = {"truth": truth} | {m: maps[m] for m in (OURS, "HCL-SVD", "JIVE", "SVD")}
    shown = {name: np.asarray(w) for name, w in shown.items()}
    drawn = [
        report.recovery_figure(summary),
        report.map_figure(shown, cases[0], f"n = {first[0]:,}, noise {first[1]:g}"),
    ]
    sentences = report.recovery_told(summary, rates)
    sections = report.recovery_sections(summary, rates)
    if tables["labels"]:
        outcomes = table("labels")
        judged = report.summarise_labels(outcomes)
        folder.table("labels_summary.csv", judged)
        sentences += report.label_told(judged)
        sections += report.label_sections(judged)
        drawn += [*report.label_figures(judged), report.importance_figure(outcomes, own)]
    title = f"Hierarchical factors, {options.replicates} simulated replicates per setting"
    write_report(folder, title, sentences, sections, drawn, facts)
    folder.manifest(**facts, status="complete")
    for section in sections:
        print_table(console, section.heading, section.table, section.note)


main = command_line(run, PRESETS, __doc__)


if __name__ == "__main__":
    sys.exit(main())
