"""Does HSIC remove the cohort from the latent of pooled cohorts, and what does that cost in C?

Paper: MO-RiskVAE (arXiv 2604.06267), axis II, penalises the dependence of residuals on the input; a
cohort or platform may stand in for the input. Two penalties are compared, over the same weights: HSIC of
the martingale residuals and the cohort (``hsic="source"``), and HSIC of the latent means and the cohort.
Both for measurements as they are and for z-scores within each cohort, on the same folds and seeds. A
classifier tries to tell the cohort of test patients from their latent means. C is within cohorts, and so
is the Cox loss.

    python -m experiments.hsic_source                               # thirds of the simulated cohort, shifted
    python -m experiments.hsic_source --cohorts A B C --endpoint os --out results/hsic_source
"""

import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from jaxsurv.cli.command import command_line
from jaxsurv.cli.options import Execution


@dataclass(frozen=True, kw_only=True)
class HSICSource(Execution):
    """Train a survival VAE on pooled cohorts with HSIC against the cohort over a grid of weights.

    Attributes:
        preset: changes the defaults shown here. smoke: a minute, most of it compilation.
        cohorts: folders of two or more cohorts; without them, the simulated cohort is cut in three, each
            measured with gains of its own.
        modality: modality that is read.
        endpoint: outcome, such as os; the first one that is there if not given.
        weights: weights of HSIC; 0 is the reference and is always there.
        components: principal components that the networks read; 0 = all features.
        folds: folds, stratified by event and cohort.
        repeats: number of deals into folds.
        seeds: networks per split and setting.
        epochs: most epochs of a run.
    """

    cohorts: tuple[Path, ...] = ()
    modality: str = "rna"
    endpoint: str | None = None
    weights: tuple[float, ...] = (1.0, 10.0, 100.0, 1000.0)
    components: int = 32
    folds: int = 5
    repeats: int = 1
    seeds: int = 3
    epochs: int = 300
    out: Path = Path("results/hsic_source")


PRESETS = {
    "default": HSICSource(),
    "smoke": HSICSource(
        preset="smoke", weights=(1000.0,), components=8, folds=2, seeds=1, epochs=30
    ),
}


def check(options: HSICSource) -> None:
    """Refuse options that would fail late."""
    from jaxsurv.cli.setup import check_grid
    from jaxsurv.types import InputError

    check_grid("weights", options.weights)
    if len(options.cohorts) == 1:
        raise InputError("--cohorts needs two or more folders")
    for name, least in {"folds": 2, "repeats": 1, "seeds": 1, "epochs": 1, "components": 0}.items():
        if (value := getattr(options, name)) < least:
            raise InputError(f"{name} must be at least {least}, got {value}")


def run(options: HSICSource) -> None:
    """The whole experiment, from the cohorts to the report."""
    import numpy as np

    from jaxsurv.cli.run import run_study
    from jaxsurv.cli.setup import pool_modality
    from jaxsurv.cli.workplace import open_workplace
    from jaxsurv.data import read_cohort, stratified_kfold
    from jaxsurv.models import HParams, find_model, latents
    from jaxsurv.preprocess.harmonise import harmonise_strata, logged
    from jaxsurv.recipe import Recipe, prepare, ridge_cox
    from jaxsurv.report.figures import forest
    from jaxsurv.report.sentences import tested
    from jaxsurv.study.execute import Method
    from jaxsurv.study.findings import Comparison
    from jaxsurv.training import FitConfig

    from .latent import INDEPENDENT_LATENT
    from .removal import LATENT, NONE, RESIDUALS, Setting, name_of, picture, removal
    from .simulate import simulated

    check(options)
    workplace = open_workplace(options)
    weights = [w for w in options.weights if w > 0]
    vae, plain = find_model("SurvivalVAE"), INDEPENDENT_LATENT.config
    penalised = replace(plain, regulariser="mmd_hsic", hsic="source")
    penalties = {
        NONE: (vae, plain, [0.0]),
        RESIDUALS: (vae, penalised, weights),
        LATENT: (INDEPENDENT_LATENT, plain, weights),
    }
    methods, settings = [], {}
    with workplace.console.status("reading and pooling the cohorts, preprocessing every fold"):
        cohorts = [read_cohort(folder) for folder in options.cohorts] or simulated()
        pooled, endpoint = pool_modality(cohorts, options.modality, options.endpoint)
        event = np.asarray(pooled.outcome(endpoint).event)
        splits = stratified_kfold(
            event, strata=pooled.strata, folds=options.folds, repeats=options.repeats
        )
        recipe = Recipe(components=options.components or None, offset="none")
        for measured, cohort in (
            ("as measured", logged(pooled)),
            ("z-scores", harmonise_strata(pooled)),
        ):
            data = prepare(cohort, endpoint, splits, recipe)
            for penalty, (model, config, grid) in penalties.items():
                own = {name_of(s): s for s in (Setting(measured, penalty, w) for w in grid)}
                hparams = {name: HParams(hsic_weight=s.weight) for name, s in own.items()}
                training, collect = FitConfig(options.epochs), latents(config)
                name = f"{measured}, HSIC of {penalty}"
                methods.append(Method(name, model, hparams, data, training, config, collect))
                settings |= own
        baselines = {"ridge Cox": ridge_cox(methods[0].data)}
    reference = next(iter(settings))

    def draw(findings):
        table = removal(findings, settings, pooled.codes)
        workplace.folder.table("removal.csv", table)
        return [picture(table, tested(findings)), forest(findings, reference)]

    run_study(
        methods,
        baselines,
        Comparison(reference, {}, headline=reference),
        draw,
        title=f"HSIC against the cohort: {', '.join(pooled.labels)}, {endpoint}",
        seeds=options.seeds,
        workplace=workplace,
        facts={"experiment": "hsic_source", "options": asdict(options)},
    )


main = command_line(run, PRESETS, __doc__)


if __name__ == "__main__":
    sys.exit(main())
