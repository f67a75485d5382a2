"""Does a Cox network learn from censored and unlabelled patients? Cox-MT and what it must beat.

Paper: Cox-MT (arXiv 2601.20729): C of BRCA 0.81 from RNA against 0.72 of Cox-nnet, gains of 0.09 to 0.18
over four cancers, integrated Brier score 0.079 against 0.091. Here Cox-nnet with its penalty profiled, a
supervised network of Cox-MT's own size with the same settings to choose from, and a ridge Cox model
are on the same folds and seeds. Then: each parameter of Cox-MT around its published value; a quarter of
the outcomes known and those of ever more other patients hidden, with and without the censored part
of the consistency; pseudo-risks (as FixMatch) in the teacher's place.

    python -m experiments.cox_mt                                    # bundled TCGA-ACC, minutes
    python -m experiments.cox_mt --cohort FOLDER --endpoint pfi --repeats 5 --seeds 1 --out results/brca
    python -m experiments.cox_mt --second cnv                       # two sources, cross-attention
"""

import math
import sys
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import NamedTuple

from jaxsurv.study.command import command_line
from jaxsurv.study.options import Preset, StudyOptions


@dataclass(frozen=True, kw_only=True)
class CoxMT(StudyOptions, Preset):
    """Compare Cox-MT with Cox-nnet, with its own supervised part and with a ridge Cox model.

    Attributes:
        preset: changes the defaults shown here. smoke: minutes, most of them compilation.
        modality: what the networks read.
        second: a second source: both attend to each other; patients may lack either.
        genes: most features of a modality, those of largest variance in each fold.
        hidden: layers of Cox-MT.
        epochs: most epochs of a run.
        patience: epochs without a better early-stopping score after which a run stops; rows that say so
            take all epochs, as published.
        batch_size: labelled patients per step, and as many unlabelled ones.
        l2: log of Cox-nnet's penalty.
        learning_rates, weight_decays: choices of Cox-MT and of its supervised network.
        weights, alphas, noises: values of w, alpha and sigma around the published 1, 0.99 and 0.1.
        labelled: share of the outcomes that stays known where others are hidden.
        unlabelled: shares of the patients that train without their outcome then.
    """

    modality: str = "rna"
    second: str | None = None
    genes: int = 4000
    hidden: tuple[int, ...] = (1000, 200)
    epochs: int = 100
    patience: int = 6
    batch_size: int = 32
    l2: tuple[float, ...] = (-3.0, -2.0, -1.0, 0.0, 1.0, 1.6)
    learning_rates: tuple[float, ...] = (2e-3, 2e-4)
    weight_decays: tuple[float, ...] = (1e-4, 1e-2)
    weights: tuple[float, ...] = (0.1, 3.0)
    alphas: tuple[float, ...] = (0.9, 0.999)
    noises: tuple[float, ...] = (0.0, 0.3)
    labelled: float = 0.25
    unlabelled: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75)
    out: Path = Path("results/cox_mt")


PRESETS = {
    "default": CoxMT(),
    "smoke": CoxMT(
        preset="smoke", hidden=(16, 8), epochs=4, seeds=1, folds=2, l2=(-2.0, 0.0), unlabelled=(0.0, 0.5),
        learning_rates=(2e-3,), weight_decays=(1e-4,), weights=(3.0,), alphas=(0.9,), noises=(0.0,),
        labelled=0.5,
    ),
}  # fmt: skip


PUBLISHED = "Cox-MT, published"


class Rows(NamedTuple):
    """Names of the rows that the sentences compare."""

    nnet: str
    network: str
    mt: str
    network_all: str
    mt_all: str
    alone: str
    growing: tuple[str, ...]
    ablated: str


def told(findings, rows: Rows) -> str:
    """The paper's claims, each beside what the same folds and seeds say of it."""

    def minus(one: str, other: str) -> str:
        d = findings.difference(one, other)
        return f"{d.mean:+.3f} ({d.lower:+.2f} to {d.upper:+.2f})"

    gain = findings.difference(rows.mt, rows.nnet)
    verdict = "is within reach of" if gain.upper >= 0.09 else "does not reach"
    runs = findings.runs.dropna(subset="teacher_test_c")
    teacher = (runs["teacher_test_c"] - runs["test_c"]).mean()
    brier = findings.difference(rows.mt, rows.network, "test_ibs")
    most = rows.growing[-1]
    return (
        f"Cox-MT minus Cox-nnet, both chosen per fold: {minus(rows.mt, rows.nnet)}, which {verdict} the "
        f"published gain of 0.09 to 0.18. Minus a supervised network of its own size that had the same "
        f"settings to choose from: {minus(rows.mt, rows.network)} in C, {brier.mean:+.4f} "
        f"({brier.lower:+.3f} to {brier.upper:+.3f}) in integrated Brier score. Without early stopping, as "
        f"published: '{rows.mt_all}' minus '{rows.network_all}' {minus(rows.mt_all, rows.network_all)}, "
        f"minus Cox-nnet {minus(rows.mt_all, rows.nnet)}. Pseudo-risks minus the "
        f"published Mean Teacher: {minus('pseudo-risk', PUBLISHED)}. The teacher predicts {teacher:+.4f} "
        f"better than the student on average. With few labels, '{most}' minus the supervised network: "
        f"{minus(most, rows.alone)}, minus itself with fewest unlabelled patients: "
        f"{minus(most, rows.growing[0])}, minus itself without the censored part: "
        f"{minus(most, rows.ablated)}."
    )


def run(options: CoxMT) -> None:
    """The whole experiment, from the cohort to the report."""
    from jaxsurv.models import (
        CoxMTConfig,
        CoxMTHParams,
        CoxNnetHParams,
        adam_l2,
        cox_mt,
        cox_nnet,
        nesterov,
    )
    from jaxsurv.study.execute import Method
    from jaxsurv.study.figures import forest, profiles, survival_curves
    from jaxsurv.study.findings import Comparison
    from jaxsurv.study.run import run_study
    from jaxsurv.study.semi_supervised import hide_labels
    from jaxsurv.study.setup import check_grid, open_sources
    from jaxsurv.training import FitConfig

    for name in ("learning_rates", "weight_decays", "weights", "alphas", "noises", "unlabelled"):
        check_grid(name, getattr(options, name))
    sources = (options.modality, options.second) if options.second else (options.modality,)
    study = open_sources(options, sources, top=options.genes)
    training = FitConfig(options.epochs, 0, options.patience, options.batch_size)
    to_the_end = replace(training, early_stopping=False)
    attention = sources if len(sources) == 2 else None

    def family(name: str, settings, data=study.data, training=training, **static) -> Method:
        config = CoxMTConfig(options.hidden, sources=attention, **static)
        return Method(name, cox_mt(config), settings, data, training, adam_l2)

    def few(name: str, unlabelled: float, **static) -> Method:
        """The published setting, with the outcomes of a part of the patients alone."""
        known = hide_labels(study.data, labelled=options.labelled, unlabelled=unlabelled)
        return family("few labels", {name: published}, known, **static)

    published = CoxMTHParams()
    tuning = {
        f"learning rate {r:g}, decay {d:g}": published._replace(learning_rate=r, weight_decay=d)
        for r, d in product(options.learning_rates, options.weight_decays)
    }
    profiled = {f"Cox-nnet, log λ = {x:g}": CoxNnetHParams(math.exp(x)) for x in options.l2}
    supervised = {f"network, {k}": h for k, h in tuning.items()}
    semi = {PUBLISHED if h == published else f"Cox-MT, {k}": h for k, h in tuning.items()}
    around = {
        f"{symbol} of Cox-MT": {getattr(published, name): PUBLISHED}
        | {v: f"Cox-MT, {symbol} = {v:g}" for v in values}
        for symbol, name, values in (
            ("w", "weight", options.weights),
            ("α", "alpha", options.alphas),
            ("σ", "noise", options.noises),
        )
    }
    robust = {PUBLISHED: published}
    for (_, axis), name in zip(around.items(), ("weight", "alpha", "noise"), strict=True):
        robust |= {s: published._replace(**{name: v}) for v, s in axis.items()}
    share, most = f"{options.labelled:.0%} labelled", max(options.unlabelled)
    growing = {u: f"{share}, {u:.0%} unlabelled: Cox-MT" for u in options.unlabelled}
    rows = Rows(
        nnet="Cox-nnet: chosen per fold",
        network="network: chosen per fold",
        mt="Cox-MT: chosen per fold",
        network_all=f"network, {options.epochs} epochs",
        mt_all=f"Cox-MT, {options.epochs} epochs",
        alone=f"{share}: network",
        growing=tuple(growing.values()),
        ablated=f"{share}, {most:.0%} unlabelled: no censored part",
    )
    methods = [
        Method("Cox-nnet", cox_nnet(), profiled, study.data, FitConfig(300, 20, 20), nesterov),
        family("network", supervised, consistency="none"),
        family("Cox-MT", semi | robust),
        family("pseudo-risk", {"pseudo-risk": published}, rule="pseudo-risk"),
        family("network", {rows.network_all: published}, training=to_the_end, consistency="none"),
        family("Cox-MT", {rows.mt_all: published}, training=to_the_end),
        few(rows.alone, 0.0, consistency="none"),
        *(few(name, u) for u, name in growing.items()),
        few(rows.ablated, most, consistency="unlabelled"),
    ]
    choices = {rows.nnet: list(profiled), rows.network: list(supervised), rows.mt: list(semi)}
    axes = {
        "log λ of Cox-nnet": (dict(zip(options.l2, profiled, strict=True)), rows.network),
        **{label: (axis, rows.network) for label, axis in around.items()},
        f"share unlabelled, {share}": (growing, rows.alone),
    }

    def draw(findings):
        figure, picture = profiles(findings, axes)
        return [
            forest(findings, "ridge Cox"),
            (figure, picture._replace(finding=told(findings, rows))),
            survival_curves(findings, rows.network, rows.mt),
        ]

    run_study(
        methods,
        study.baselines,
        Comparison(rows.network, choices, rows.mt),
        draw,
        title=f"Cox-MT and its baselines on {study.title}",
        seeds=options.seeds,
        folder=study.folder,
        facts={"experiment": "cox_mt", "options": asdict(options)},
        console=study.console,
    )


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    return command_line(run, Preset, PRESETS, __doc__, arguments)


if __name__ == "__main__":
    sys.exit(main())
