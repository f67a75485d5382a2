"""Which choices make a survival VAE worth its training? One change at a time, paired, with baselines.

The published recipe (MyeVAE, MO-RiskVAE) loses to a ridge Cox model and to a Cox model of the clinical
table. Here each candidate changes one thing of jaxsurv's default, on the same folds and seeds;
docs/recipe.md has the output for seven cohorts.

    python -m experiments.recipe                                    # bundled TCGA-ACC, minutes
    python -m experiments.recipe --cohort FOLDER --endpoint os --repeats 5 --out results/luad
"""

import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from jaxsurv.cli.command import command_line
from jaxsurv.cli.options import RecipeOptions


@dataclass(frozen=True, kw_only=True)
class RecipeStudy(RecipeOptions):
    """Change one thing of the default recipe at a time, on the same folds and seeds.

    Attributes:
        preset: changes the defaults shown here. smoke: a minute, most of it compilation.
        beta: KL weight of all candidates.
    """

    beta: float = 0.1
    out: Path = Path("results/recipe")


PRESETS = {
    "default": RecipeStudy(),
    "smoke": RecipeStudy(preset="smoke", seeds=2, folds=3, epochs=10),
}


def run(options: RecipeStudy) -> None:
    """The whole experiment, from the cohort to the report."""
    from jaxsurv.cli.run import run_study
    from jaxsurv.cli.setup import open_study, with_stack
    from jaxsurv.models import find_model
    from jaxsurv.recipe import cox_members, elastic_net_cox, refine, with_offset
    from jaxsurv.report.figures import forest, survival_curves
    from jaxsurv.study.execute import Method
    from jaxsurv.study.findings import Comparison
    from jaxsurv.training import FitConfig
    from jaxsurv.types import InputError

    if options.protocol != "three-way":
        raise InputError("recipe: stacks need rows that are held out; use --protocol three-way")
    study = with_stack(open_study(options))
    with study.workplace.console.status("fitting an elastic net to each fold, selecting features"):
        elastic_net = elastic_net_cox(study.data)
        selected = refine(study.data.plain, replace(study.data.recipe, select="elastic-net"))
    config, hparams = study.config, study.hparams._replace(beta=options.beta)
    default, training = "block ridge offset, zero head", FitConfig(options.epochs)

    def method(name, config=config, data=study.data, training=training, **changes) -> Method:
        setting = {name: hparams._replace(**changes)}
        return Method(name, find_model("SurvivalVAE"), setting, data, training, config)

    clinical, plain = (
        refine(study.data.plain, replace(study.data.recipe, offset=name))
        for name in ("clinical", "none")
    )
    parts = study.data.splits
    one_part = replace(  # the same early-stopping rows for all seeds
        study.data,
        splits=parts._replace(validation=parts.validation[:, :1], train=parts.train[:, :1]),
        fitted=study.data.fitted._replace(validation=parts.validation[:, :1]),
    )
    reads = replace(config, head_reads_clinical=True)
    methods = [
        method(default),
        method("clinical offset, zero head", data=clinical),
        method("no offset, random head", replace(reads, zero_head=False), plain),
        method("no offset, zero head", reads, plain),
        method("one early-stopping part", data=one_part),
        method("head reads the offset", replace(config, head_reads_offset=True)),
        method(
            "modality dropout 0.3", replace(config, modality_dropout=True), modality_dropout=0.3
        ),
        method("linear encoders", replace(config, linear=True)),
        method("balanced Cox and reconstruction", replace(config, balanced=True)),
        method("refit on all development rows", training=replace(training, refit=True)),
        method("elastic-net selection in the fold", data=selected),
        method("hybrid latent", replace(config, categories=4), categorical_weight=options.beta),
        method("stacked Cox as offset", data=with_offset(plain, study.baselines["stacked Cox"])),
    ]
    stacked = f"{default}, stacked"
    stacks = {
        stacked: study.members,
        f"{stacked}, elastic net too": {**study.members, "elastic net": elastic_net},
        f"{stacked}, clinical RBF too": {
            **study.members,
            **cox_members(study.data, ["clinical RBF"]),
        },
    }
    comparison = Comparison(
        default,
        choices={},
        headline=stacked,
        stacked={name: (default, members) for name, members in stacks.items()},
    )
    run_study(
        methods,
        {**study.baselines, "elastic-net Cox": elastic_net},
        comparison,
        lambda findings: [forest(findings, default), survival_curves(findings)],
        title=f"Recipes of a survival VAE on {study.title}",
        seeds=options.seeds,
        workplace=study.workplace,
        facts={"experiment": "recipe", "options": asdict(options)},
    )


main = command_line(run, PRESETS, __doc__)


if __name__ == "__main__":
    sys.exit(main())
