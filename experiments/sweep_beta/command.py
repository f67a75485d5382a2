"""How strongly should the KL term of a survival VAE weigh? C against beta, with honest baselines.

Paper: MO-RiskVAE (arXiv 2604.06267), axis I: best single-run validation C 0.7138 at beta = 1 and 0.7419
at its best beta < 1, on 127 patients, where one C has a standard error near 0.04. Here the answer is
the distribution over seeds x folds, and the baselines stand beside it.

    python -m experiments.sweep_beta                                # bundled TCGA-ACC, about a minute
    python -m experiments.sweep_beta --cohort FOLDER --endpoint pfi --out results/brca
    python -m experiments.sweep_beta --preset paper                 # MyeVAE's network and protocol
"""

import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from jaxsurv.cli.command import command_line
from jaxsurv.cli.options import RecipeOptions


@dataclass(frozen=True, kw_only=True)
class SweepBeta(RecipeOptions):
    """Sweep the KL weight beta of MO-RiskVAE over seeds x folds x beta in one compiled program.

    Attributes:
        preset: changes the defaults shown here. paper: MyeVAE's network, elastic-net selection and
            round-robin imputation (in each fold), no offset, 100 epochs at learning rate 5e-4, two-way
            folds over complete patients. smoke: half a minute.
        betas: KL weights. KL is in nats per patient and Cox per event, so that a value means the same
            at every cohort size (preset paper: sums over the batch, as MyeVAE was released).
    """

    preset: Literal["default", "paper", "smoke"] = "default"
    betas: tuple[float, ...] = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
    out: Path = Path("results/sweep_beta")


PRESETS = {
    "default": SweepBeta(),
    "smoke": SweepBeta(preset="smoke", betas=(0.1, 1.0), seeds=2, folds=3, epochs=20),
    "paper": SweepBeta(
        preset="paper",
        protocol="two-way",
        complete_only=True,
        select="elastic-net",
        impute="round-robin",
        offset="none",
        components=0,
        epochs=100,
        learning_rate=5e-4,
        dropout=0.3,
    ),
}


def run(options: SweepBeta) -> None:
    """The whole experiment, from the cohort to the report."""
    from jaxsurv.cli.run import run_study
    from jaxsurv.cli.setup import check_grid, open_study, with_stack
    from jaxsurv.models import MYEVAE, find_model
    from jaxsurv.study.execute import Method
    from jaxsurv.study.findings import Comparison
    from jaxsurv.training import FitConfig

    check_grid("betas", options.betas)
    paper = options.preset == "paper"
    study = with_stack(open_study(options))
    method = Method(
        name="MyeVAE" if paper else "MO-RiskVAE",
        model=find_model("MyeVAE" if paper else "SurvivalVAE"),
        settings={f"β = {b:g}": study.hparams._replace(beta=b) for b in options.betas},
        data=study.data,
        training=FitConfig(options.epochs, burn_in=20, patience=5 if paper else 40),
        config=replace(MYEVAE, **study.head) if paper else study.config,
    )
    chosen, stacked = "β chosen per fold", "β chosen per fold, stacked"
    headline = (stacked if study.members else chosen) if options.nested else None
    comparison = Comparison(
        "β = 1",
        {chosen: list(method.settings)},
        headline,
        {stacked: (chosen, study.members)} if study.members else {},
    )

    def draw(findings):
        from jaxsurv.report.figures import survival_curves

        from .figures import scores_along, training_along

        return [
            scores_along(findings, "beta", "KL weight β"),
            survival_curves(findings),
            training_along(findings, "beta", "β", options.head),
        ]

    run_study(
        [method],
        study.baselines,
        comparison,
        draw,
        title=f"KL weight of {method.name} on {study.title}",
        seeds=options.seeds,
        workplace=study.workplace,
        facts={"experiment": "sweep_beta", "options": asdict(options)},
        keep=True,
    )


main = command_line(run, PRESETS, __doc__)


if __name__ == "__main__":
    sys.exit(main())
