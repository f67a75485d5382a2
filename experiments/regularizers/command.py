"""Does the geometry of the regulariser matter? KL, MMD and HSIC at matched effective scale.

Paper: MO-RiskVAE (arXiv 2604.06267), axis II: best single-run validation C 0.7121 with MMD and 0.7140
with MMD + HSIC, beside 0.7138 (KL) and 0.7419 (beta-KL), on 127 patients: no gain without the right
scale. Weights of different divergences mean different things, so each regulariser has its own grid, the
report shows how much each term weighs beside the Cox loss, and C is drawn against that.

    python -m experiments.regularizers                              # bundled TCGA-ACC, minutes
    python -m experiments.regularizers --cohort FOLDER --endpoint os --repeats 5 --out results/luad
"""

import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from jaxsurv.cli.command import command_line
from jaxsurv.cli.options import RecipeOptions


@dataclass(frozen=True, kw_only=True)
class Regularizers(RecipeOptions):
    """Train a survival VAE with each regulariser over its grid of weights, on the same folds and seeds.

    Attributes:
        preset: changes the defaults shown here. smoke: half a minute.
        betas: weights of KL, in nats per patient; 1 is the reference.
        mmd: weights of MMD² to N(0, I), which replaces KL.
        hsic: weights of HSIC between martingale residuals and the input, beside MMD at its middle weight.
    """

    betas: tuple[float, ...] = (0.01, 0.1, 0.5, 1.0, 4.0)
    mmd: tuple[float, ...] = (0.1, 1.0, 10.0, 100.0)
    hsic: tuple[float, ...] = (0.1, 1.0, 10.0, 100.0)
    out: Path = Path("results/regularizers")


PRESETS = {
    "default": Regularizers(),
    "smoke": Regularizers(
        preset="smoke", betas=(0.1, 1.0), mmd=(1.0,), hsic=(1.0,), seeds=2, folds=3, epochs=20
    ),
}


def magnitudes(runs, head="cox"):
    """Mean weighted loss terms by setting, and the regulariser over the head's loss (``scale``)."""
    import pandas as pd

    from jaxsurv.models import HParams, SurvivalVAEConfig
    from jaxsurv.models.terms import weights

    trained = runs[runs["best_epoch"] > 0]
    hparams = HParams(*(trained.get(name) for name in HParams._fields))
    weight = weights(SurvivalVAEConfig(head=head), hparams)
    weighted = {name: trained[name] * w for name, w in weight.items() if name in trained}
    table = pd.DataFrame(weighted).groupby(trained["setting"], sort=False).mean()
    penalty = table.drop(columns=["reconstruction", head]).sum(axis=1)
    return table.assign(scale=penalty / table[head])


def run(options: Regularizers) -> None:
    """The whole experiment, from the cohort to the report."""
    from jaxsurv.cli.run import run_study
    from jaxsurv.cli.setup import check_grid, open_study
    from jaxsurv.models import find_model
    from jaxsurv.report.figures import forest, survival_curves
    from jaxsurv.study.execute import Method
    from jaxsurv.study.findings import Comparison
    from jaxsurv.training import FitConfig

    from .figures import scores_by_scale

    for name in ("betas", "mmd", "hsic"):
        check_grid(name, getattr(options, name))
    study = open_study(options)
    base = study.hparams
    middle = options.mmd[len(options.mmd) // 2]

    def method(
        name: str, regulariser: Literal["kl", "mmd", "mmd_hsic", "none"], settings
    ) -> Method:
        config = replace(study.config, regulariser=regulariser)
        training = FitConfig(options.epochs)
        return Method(name, find_model("SurvivalVAE"), settings, study.data, training, config)

    methods = [
        method("KL", "kl", {f"KL, β = {b:g}": base._replace(beta=b) for b in options.betas}),
        method("MMD", "mmd", {f"MMD, λ = {w:g}": base._replace(mmd_weight=w) for w in options.mmd}),
        method(
            "MMD + HSIC",
            "mmd_hsic",
            {
                f"MMD, λ = {middle:g} + HSIC, λ = {w:g}": base._replace(
                    mmd_weight=middle, hsic_weight=w
                )
                for w in options.hsic
            },
        ),
        method("none", "none", {"no regulariser": base}),
    ]
    choices = {f"{m.name}: weight chosen per fold": list(m.settings) for m in methods[:3]}
    reference, headline = "KL, β = 1", "regulariser and weight chosen per fold"
    choices[headline] = [name for m in methods for name in m.settings]

    def draw(findings):
        sizes = magnitudes(findings.runs, options.head)
        study.workplace.folder.table("magnitudes.csv", sizes.reset_index())
        return [
            forest(findings, reference),
            scores_by_scale(findings, sizes["scale"]),
            survival_curves(findings),
        ]

    run_study(
        methods,
        study.baselines,
        Comparison(reference, choices, headline if options.nested else None),
        draw,
        title=f"Regularisers of a survival VAE on {study.title}",
        seeds=options.seeds,
        workplace=study.workplace,
        facts={"experiment": "regularizers", "options": asdict(options)},
    )


main = command_line(run, PRESETS, __doc__)


if __name__ == "__main__":
    sys.exit(main())
