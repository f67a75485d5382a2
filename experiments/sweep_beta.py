"""How strongly should the KL term of a survival VAE weigh? C against beta, with honest baselines.

Paper: MO-RiskVAE (arXiv 2604.06267), axis I: best single-run validation C 0.7138 at beta = 1 and 0.7419
at its best beta < 1, on 127 patients, where one C has a standard error near 0.04. Here the answer is
the distribution over seeds x folds, and the baselines stand beside it.

    python -m experiments.sweep_beta                                # bundled TCGA-ACC, about a minute
    python -m experiments.sweep_beta --cohort FOLDER --endpoint pfi --out results/brca
    python -m experiments.sweep_beta --preset paper                 # MyeVAE's network and protocol
"""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from jaxsurv.study.options import StudyOptions


@dataclass(frozen=True, kw_only=True)
class Preset:
    """The preset alone, which decides the defaults of all other options."""

    preset: Literal["default", "paper", "smoke"] = "default"


@dataclass(frozen=True, kw_only=True)
class SweepBeta(StudyOptions, Preset):
    """Sweep the KL weight beta of MO-RiskVAE over seeds x folds x beta in one compiled program.

    Attributes:
        preset: changes the defaults shown here. paper: MyeVAE's network on all features, no offset, 100
            epochs at learning rate 5e-4, two-way folds over complete patients. smoke: half a minute.
        betas: KL weights. KL is in nats per patient and Cox per event, so that a value means the same
            at every cohort size (preset paper: sums over the batch, as MyeVAE was released).
        offset: log hazard known beforehand: a clinical Cox model fitted in each fold, or none.
        components: principal components per modality, fitted in each fold; 0 = all features.
        epochs: most epochs of a run; early stopping usually ends it sooner.
        learning_rate: Adam's.
        survival_weight: weight of the Cox term.
        dropout: rate, at least 0 and below 1.
    """

    betas: tuple[float, ...] = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
    offset: Literal["clinical", "none"] = "clinical"
    components: int = 8
    epochs: int = 300
    learning_rate: float = 1e-3
    survival_weight: float = 1.0
    dropout: float = 0.1
    out: Path = Path("results/sweep_beta")


PRESETS = {
    "default": SweepBeta(),
    "smoke": SweepBeta(preset="smoke", betas=(0.1, 1.0), seeds=2, folds=3, epochs=20),
    "paper": SweepBeta(
        preset="paper",
        protocol="two-way",
        complete_only=True,
        offset="none",
        components=0,
        epochs=100,
        learning_rate=5e-4,
        dropout=0.3,
    ),
}


def check(options: SweepBeta) -> None:
    """Refuse impossible settings before anything is read or fitted."""
    from jaxsurv.types import InputError

    if not options.betas or min(options.betas) < 0 or len(set(options.betas)) < len(options.betas):
        raise InputError(f"betas must be given, >= 0 and different, got {options.betas}")
    if not 0 <= options.dropout < 1:
        raise InputError(f"dropout must be at least 0 and below 1, got {options.dropout}")
    if options.learning_rate <= 0 or options.survival_weight < 0:
        raise InputError("learning_rate must be positive and survival_weight at least 0")


def run(options: SweepBeta) -> None:
    """The whole experiment, from the cohort to the report."""
    from rich.console import Console

    from jaxsurv.artifacts import ResultsFolder
    from jaxsurv.models import MYEVAE, HParams, SurvivalVAEConfig, survival_vae
    from jaxsurv.study.baselines import clinical_cox, ridge_cox, with_offset
    from jaxsurv.study.design import load_cohort, make_splits
    from jaxsurv.study.execute import Method
    from jaxsurv.study.figures import scores_along, survival_curves, training_along
    from jaxsurv.study.findings import Comparison
    from jaxsurv.study.prepare import prepare_study
    from jaxsurv.study.run import run_study
    from jaxsurv.training import FitConfig

    check(options)
    paper = options.preset == "paper"
    config = FitConfig(options.epochs, burn_in=20, patience=5 if paper else 40)
    folder = ResultsFolder(options.out, overwrite=options.overwrite)
    console = Console(width=None if sys.stdout.isatty() else 170)  # tables in files do not wrap
    with console.status("reading the cohort, preprocessing every fold, fitting the baselines"):
        cohort = load_cohort(options.cohort)
        endpoint = options.endpoint or cohort.endpoints[0]
        splits = make_splits(cohort, endpoint, options)
        data = prepare_study(cohort, endpoint, splits, components=options.components or None)
        baselines = {"ridge Cox": ridge_cox(data)}
        if clinical := clinical_cox(data):
            baselines["clinical Cox"] = clinical
    offset = clinical if options.offset == "clinical" else None
    settings = {
        f"β = {b:g}": HParams(b, options.survival_weight, options.learning_rate, options.dropout)
        for b in options.betas
    }
    network = MYEVAE if paper else SurvivalVAEConfig(head_reads_clinical=offset is None)
    method = Method(
        "MyeVAE" if paper else "MO-RiskVAE",
        survival_vae(network),
        settings,
        with_offset(data, offset) if offset else data,
        config,
    )
    chosen = "β chosen per fold"
    run_study(
        [method],
        baselines,
        Comparison("β = 1", {chosen: list(settings)}, headline=chosen, symbol="β"),
        lambda findings: [
            scores_along(findings, "beta", "KL weight β"),
            survival_curves(findings),
            training_along(findings, "beta", "β"),
        ],
        title=f"KL weight of {method.name} on {cohort.title or cohort.name}",
        seeds=options.seeds,
        folder=folder,
        facts={"experiment": "sweep_beta", "options": asdict(options)},
        console=console,
    )


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    import tyro

    chosen, _ = tyro.cli(Preset, args=arguments, return_unknown_args=True, add_help=False)
    defaults = PRESETS[chosen.preset]
    options = tyro.cli(SweepBeta, args=arguments, default=defaults, description=__doc__)
    from jaxsurv.study.launch import launch

    return launch(lambda: run(options))


if __name__ == "__main__":
    sys.exit(main())
