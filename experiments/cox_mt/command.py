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
    python -m experiments.cox_mt --cohort A --modality expression --platform B   # B's patients, unlabelled
"""

import math
import sys
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path

from jaxsurv.cli.command import command_line
from jaxsurv.cli.options import StudyOptions


@dataclass(frozen=True, kw_only=True)
class CoxMTOptions(StudyOptions):
    """Compare Cox-MT with Cox-nnet, with its own supervised part and with a ridge Cox model.

    Attributes:
        preset: changes the defaults shown here. smoke: minutes, most of them compilation.
        modality: modality that the networks read.
        second: a second source: both attend to each other; patients may lack either.
        platform: folder of another cohort, whose patients train without their outcomes: values of
            `modality` get the cohort's means and standard deviations.
        genes: most features of a modality, those of largest variance in each fold.
        hidden: layers of Cox-MT.
        epochs: most epochs of a run.
        patience: epochs without a better early-stopping score after which a run stops; rows that say so
            take all epochs, as published.
        batch_size: labelled patients per step, and as many unlabelled ones.
        l2: log of Cox-nnet's penalty.
        learning_rates, weight_decays: choices of Cox-MT and of its supervised network.
        weights, alphas, noises: values of w, alpha and sigma around the published 1, 0.99 and 0.1, at the
            smallest learning rate and the published decay, as are all rows that name neither.
        labelled: share of the outcomes that stays known where others are hidden.
        unlabelled: shares of the patients that train without their outcome then.
    """

    modality: str = "rna"
    second: str | None = None
    platform: Path | None = None
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
    "default": CoxMTOptions(),
    "smoke": CoxMTOptions(
        preset="smoke", hidden=(16, 8), epochs=4, seeds=1, folds=2, l2=(-2.0, 0.0), unlabelled=(0.0, 0.5),
        learning_rates=(2e-3,), weight_decays=(1e-4,), weights=(3.0,), alphas=(0.9,), noises=(0.0,),
        labelled=0.5,
    ),
}  # fmt: skip


def check(options: CoxMTOptions) -> None:
    """Refuse what would only fail after the first trainings."""
    from jaxsurv.types import InputError

    if options.protocol != "three-way":
        raise InputError(
            "cox_mt: hidden outcomes need rows that are held out; use --protocol three-way"
        )
    if not 0 < options.labelled <= 1 - max(options.unlabelled):
        raise InputError("labelled must be above 0 and, with the largest unlabelled, at most 1")
    if not options.l2 or len(set(options.l2)) < len(options.l2):
        raise InputError(f"l2 must be given and different, got {options.l2}")
    if "clinical" in (options.modality, options.second):
        raise InputError("the clinical table is a baseline here; give another modality")


def run(options: CoxMTOptions) -> None:
    """The whole experiment, from the cohort to the report."""
    from jaxsurv.cli.run import run_study
    from jaxsurv.cli.setup import check_grid
    from jaxsurv.models import CoxMTConfig, CoxMTHParams, CoxNnetHParams, find_model
    from jaxsurv.report.figures import forest, survival_curves
    from jaxsurv.study.execute import Method
    from jaxsurv.study.findings import Comparison
    from jaxsurv.training import FitConfig

    from .claims import RowNames, differences, told
    from .figures import profiles
    from .hidden_labels import hide_labels
    from .sources import open_sources

    for name in ("learning_rates", "weight_decays", "weights", "alphas", "noises", "unlabelled"):
        check_grid(name, getattr(options, name))
    check(options)
    sources = (options.modality, options.second) if options.second else (options.modality,)
    study = open_sources(options, sources, top=options.genes, platform=options.platform)
    training = FitConfig(options.epochs, 0, options.patience, options.batch_size)
    to_the_end = replace(training, early_stopping=False)
    attention = sources if len(sources) == 2 else None

    def family(
        name: str, settings, data=study.data, training=training, sources=attention, **static
    ) -> Method:
        config = CoxMTConfig(options.hidden, sources=sources, **static)
        return Method(name, find_model("CoxMT"), settings, data, training, config)

    def few(name: str, unlabelled: float, **static) -> Method:
        """Method of this setting that knows the outcomes of a part of the patients only."""
        known = hide_labels(study.data, labelled=options.labelled, unlabelled=unlabelled)
        return family("few labels", {name: slow}, known, **static)

    def named(h: CoxMTHParams) -> str:
        return f"learning rate {h.learning_rate:g}, decay {h.weight_decay:g}"

    # at the published learning rate early stopping keeps the initial network in a third of the runs
    published = CoxMTHParams()
    slow = published._replace(learning_rate=min(options.learning_rates))
    tuning = [
        published._replace(learning_rate=r, weight_decay=d)
        for r, d in product(options.learning_rates, options.weight_decays)
    ]
    profiled = {f"Cox-nnet, log λ = {x:g}": CoxNnetHParams(math.exp(x)) for x in options.l2}
    supervised = {f"network, {named(h)}": h for h in tuning}
    semi = {f"Cox-MT, {named(h)}": h for h in tuning}
    plain, centre = (f"{name}, {named(slow)}" for name in ("network", "Cox-MT"))
    around = {
        f"{symbol} of Cox-MT": {v: f"Cox-MT, {symbol} = {v:g}" for v in values}
        | {getattr(slow, name): centre}
        for symbol, name, values in (
            ("w", "weight", options.weights),
            ("α", "alpha", options.alphas),
            ("σ", "noise", options.noises),
        )
    }
    robust = {}
    for axis, name in zip(around.values(), ("weight", "alpha", "noise"), strict=True):
        robust |= {s: slow._replace(**{name: v}) for v, s in axis.items()}
    shares = sorted(options.unlabelled)
    share = f"{100 * options.labelled:g}% labelled"
    growing = {u: f"{share}, {100 * u:g}% unlabelled: Cox-MT" for u in shares}
    rows = RowNames(
        nnet="Cox-nnet: chosen per fold",
        network="network: chosen per fold",
        mt="Cox-MT: chosen per fold",
        network_all=f"network, {options.epochs} epochs",
        mt_all=f"Cox-MT, {options.epochs} epochs",
        plain=plain,
        centre=centre,
        alone=f"{share}: network",
        growing=tuple(growing.values()),
        ablated=f"{share}, {100 * shares[-1]:g}% unlabelled: no censored part",
        labelled="Cox-MT, labelled patients alone",
        labelled_all=f"Cox-MT, labelled patients alone, {options.epochs} epochs",
        first=f"Cox-MT, {options.modality} alone",
        first_network=f"network, {options.modality} alone",
    )
    methods = [
        Method("Cox-nnet", find_model("CoxNnet"), profiled, study.data, FitConfig(300, 20, 20)),
        family("network", supervised | {plain: slow}, consistency="none"),
        family("Cox-MT", semi | robust),
        family("pseudo-risk", {"pseudo-risk": slow}, rule="pseudo-risk"),
        family("network", {rows.network_all: published}, training=to_the_end, consistency="none"),
        family("Cox-MT", {rows.mt_all: published}, training=to_the_end),
        few(rows.alone, 0.0, consistency="none"),
        *(few(name, u) for u, name in growing.items()),
        few(rows.ablated, shares[-1], consistency="unlabelled"),
    ]
    if study.data.fitted.unlabelled is not None:
        fitted = study.data.fitted._replace(unlabelled=None)
        known = replace(study.data, fitted=fitted)
        methods += [
            family("Cox-MT", {rows.labelled: slow}, known),
            family("Cox-MT", {rows.labelled_all: published}, known, to_the_end),
        ]
    if options.second:
        methods += [
            family("Cox-MT", {rows.first: slow}, study.first, sources=None),
            family(
                "network", {rows.first_network: slow}, study.first, sources=None, consistency="none"
            ),
        ]
    choices = {rows.nnet: list(profiled), rows.network: list(supervised), rows.mt: list(semi)}
    axes = {
        "log λ of Cox-nnet": (dict(zip(options.l2, profiled, strict=True)), rows.network),
        **{label: (axis, rows.network) for label, axis in around.items()},
        f"share unlabelled, {share}": (growing, rows.alone),
    }

    def draw(findings):
        figure, picture = profiles(findings, axes)
        judged = differences(findings, rows)
        study.workplace.folder.table("differences.csv", judged)
        return [
            forest(findings, "ridge Cox"),
            (figure, picture._replace(finding=told(findings, rows, judged))),
            survival_curves(findings, rows.network, rows.mt),
        ]

    run_study(
        methods,
        study.baselines,
        Comparison(rows.network, choices, rows.mt),
        draw,
        title=f"Cox-MT and its baselines on {study.title}",
        seeds=options.seeds,
        workplace=study.workplace,
        facts={"experiment": "cox_mt", "options": asdict(options)},
        keep=True,
    )


main = command_line(run, PRESETS, __doc__)


if __name__ == "__main__":
    sys.exit(main())
