"""HCL with a Cox head on a cohort, beside MO-RiskVAE and Cox models on the same splits.

Paper: HCL (arXiv 2604.05462) names survival outcomes and missing modalities as open; here are both. The
deep model with its contrastive loss, joint and pretrained, each with the weight of the loss chosen per
fold; without any contrast; its rivals in the paper (pairwise contrast, an autoencoder with a shared and
private parts); the linear model with a block-penalised Cox regression; MO-RiskVAE; ridge and clinical
Cox. Which structures matter for survival, by the linear model, with intervals.

    python -m experiments.hcl_survival                              # TCGA-ACC
    python -m experiments.hcl_survival --cohort FOLDER --endpoint pfi --repeats 5

Recovery and prediction where the truth is known: python -m experiments.hcl.
"""

import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from jaxsurv.cli.command import command_line
from jaxsurv.cli.options import RecipeOptions


@dataclass(frozen=True, kw_only=True)
class HCLSurvival(RecipeOptions):
    """Compare HCL with other survival models.

    Attributes:
        preset: changes the defaults shown here. smoke: under a minute.
        weights: weights of the contrastive loss, the best of which is chosen in each fold.
        widths: layer widths of each encoder, of which five modalities have 80. As published: 256 128, which
            takes ten times as long.
        fusion: width of the network that reads all representations. As published: 256.
        pretrain: share of the epochs without the outcome, of the pretrained model.
        betas: KL weights of MO-RiskVAE, chosen likewise.
        rank: latent variables per structure of the linear model.
        top: features of largest variance per modality that the linear model reads.
    """

    weights: tuple[float, ...] = (0.01, 0.1, 1.0)
    widths: tuple[int, ...] = (64, 32)
    fusion: int = 64
    pretrain: float = 0.2
    betas: tuple[float, ...] = (0.01, 0.1, 1.0)
    rank: int = 1
    top: int = 100
    out: Path = Path("results/hcl_survival")


PRESETS = {
    "default": HCLSurvival(),
    "smoke": HCLSurvival(
        preset="smoke", cohort="simulated", seeds=1, folds=2, epochs=3, weights=(0.1,), widths=(8, 4),
        fusion=8, betas=(0.1,), components=4, top=8,
    ),
}  # fmt: skip


def told(findings, chosen: str, ablated: str) -> str:
    """Gain from contrast, and standing of HCL against the baselines."""

    def minus(one: str, other: str) -> str:
        d = findings.difference(one, other)
        return f"{d.mean:+.3f} ({d.lower:+.2f} to {d.upper:+.2f})"

    others = ("MO-RiskVAE: chosen per fold", "linear HCL, Cox", "ridge Cox", "clinical Cox")
    known = [m for m in others if m in set(findings.splits["setting"])]
    listed = ", ".join(f"minus {m} {minus(chosen, m)}" for m in known)
    return (
        f"HCL, its contrastive weight chosen per fold, minus the same network without contrast: "
        f"{minus(chosen, ablated)}; {listed} (95 % intervals of paired differences, not adjusted for "
        "their number)."
    )


def run(options: HCLSurvival) -> None:
    """The whole experiment, from the cohort to the report."""
    from jaxsurv.cli.run import run_study
    from jaxsurv.cli.setup import check_grid, open_study
    from jaxsurv.models import HCLConfig, HCLHParams, find_model
    from jaxsurv.plots import importance_bars
    from jaxsurv.recipe import AS_MEASURED, refine
    from jaxsurv.report.figures import forest, survival_curves
    from jaxsurv.report.page import Picture
    from jaxsurv.study.execute import Method
    from jaxsurv.study.findings import Comparison
    from jaxsurv.training import FitConfig
    from jaxsurv.types import InputError

    from .linear import linear_hcl_cox, structure_importance

    check_grid("weights", options.weights)
    check_grid("betas", options.betas)
    if not 0 < options.pretrain < 1:
        raise InputError(f"pretrain must be above 0 and below 1, got {options.pretrain}")
    study = open_study(options)
    with study.workplace.console.status("fitting the linear model to each fold"):
        top = replace(AS_MEASURED, select="variance", top=options.top)
        table = refine(study.data.plain, top)
        baselines = {**study.baselines, "linear HCL, Cox": linear_hcl_cox(table, rank=options.rank)}
        matters = structure_importance(table, rank=options.rank)
    burn_in = round(options.pretrain * options.epochs)
    joint, pretrained = FitConfig(options.epochs), FitConfig(options.epochs, burn_in=burn_in)
    size = {"widths": options.widths, "fusion": (options.fusion,)}
    base = HCLHParams(learning_rate=options.learning_rate, dropout=options.dropout)

    def family(name: str, hparams=base, training=joint, grid=options.weights, **static):
        config = HCLConfig(**study.head, **size, **static)
        settings = {
            f"{name}, λ = {w:g}": hparams._replace(contrast_weight=w, reconstruction_weight=w)
            for w in grid
        }
        return Method(name, find_model("HCL"), settings, study.data, training, config)

    alone = HCLConfig(contrast="none", **study.head, **size)
    vae = {f"MO-RiskVAE, β = {b:g}": study.hparams._replace(beta=b) for b in options.betas}
    methods = [
        family("HCL"),
        family("HCL, InfoNCE", contrast="infonce"),
        # the phases exclude each other, and Adam hardly minds the scale of a loss on its own
        family("HCL, pretrained", base._replace(pretrain=options.pretrain), pretrained, (1.0,)),
        family(
            "pairwise contrast", base._replace(orthogonality=0.0), subsets="pairs", contrast="infonce"
        ),
        family(
            "shared / private autoencoder", subsets="shared_private", contrast="none",
            reconstruction=True,
        ),
        Method(
            "no contrast", find_model("HCL"), {"HCL without contrast": base}, study.data, joint, alone
        ),
        Method("MO-RiskVAE", find_model("SurvivalVAE"), vae, study.data, joint, study.config),
    ]  # fmt: skip
    choices = {
        f"{m.name}: chosen per fold": list(m.settings)
        for m in methods
        if m.name not in ("no contrast", "HCL, pretrained")
    }
    chosen, ablated = "HCL: chosen per fold", "HCL without contrast"

    def draw(findings):
        study.workplace.folder.table("importance.csv", matters)
        figure, picture = forest(findings, "ridge Cox")
        bars = importance_bars(
            matters["structure"].tolist(),
            {"linear HCL": matters},
            xlabel="norm of the coefficients",
        )
        caption = (
            "Importance of each structure for survival by the linear model on all patients, the norm of its "
            "block-penalised Cox coefficients; 95 % intervals over patients drawn anew, loadings and "
            "penalty held."
        )
        alternative = (
            f"Norms with intervals, one row per structure: {', '.join(matters['structure'])}."
        )
        return [
            (figure, picture._replace(finding=told(findings, chosen, ablated))),
            (bars, Picture("importance", caption, alternative)),
            survival_curves(findings, ablated, chosen),
        ]

    run_study(
        methods,
        baselines,
        Comparison(ablated, choices, chosen if options.nested else None),
        draw,
        title=f"HCL and its baselines on {study.title}",
        seeds=options.seeds,
        workplace=study.workplace,
        facts={"experiment": "hcl_survival", "options": asdict(options)},
        keep=True,
    )


main = command_line(run, PRESETS, __doc__)


if __name__ == "__main__":
    sys.exit(main())
