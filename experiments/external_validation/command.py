"""External validation: frozen models evaluated on cohorts that they were not trained on.

With a training cohort, estimators are fitted to it: beta is chosen there by early-stopping losses over its
inner parts; preprocessing, networks, stack weights, baseline hazard and risk threshold are fitted there and
then left alone. The external cohorts are harmonised within themselves without their outcomes. Models that
were saved before are judged beside them, or alone on the external cohorts as they are.

    python -m experiments.external_validation --train FOLDER --external FOLDER FOLDER --out results/ext
    python -m experiments.external_validation --model results/ext/model.zip --external FOLDER
    python -m experiments.external_validation --train FOLDER --external FOLDER --estimators CoxNnet HCL
    python -m experiments.external_validation --train FOLDER --external FOLDER --without clinical

Every model that was fitted is in OUT/models as soon as it is, so that --resume fits the others only, and
the last one in OUT/model.zip, for python -m jaxsurv score.
"""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from jaxsurv.cli.command import command_line
from jaxsurv.cli.options import Execution

ROWS = (
    "ridge Cox",
    "clinical Cox",
    "elastic-net Cox",
    "stacked Cox",
    "MO-RiskVAE",
    "MO-RiskVAE, stacked",
)


@dataclass(frozen=True, kw_only=True)
class ExternalValidation(Execution):
    """Judge frozen models on cohorts that they were not trained on.

    Attributes:
        preset: changes the defaults shown here. smoke: a minute.
        train: folder of the training cohort; without it and without saved models, the simulated cohort is
            cut in three.
        external: folders of the cohorts to judge on.
        model: saved models, folder or .zip, to judge as they are.
        models: Python modules that register models of your own, imported first.
        estimators: models to fit to the training cohort, the last one as headline: the names of the default;
            a class of jaxsurv.estimators, such as CoxNnet; a model that is registered.
        endpoint: outcome, such as os; the training cohort's first one if not given.
        harmonise: measured values of each external cohort to the training cohort's mean and standard
            deviation, to its quantiles, or not at all. z-score if not given, but none without a training
            cohort.
        without: modalities that are left out of every cohort, such as one that acts otherwise elsewhere.
        recalibrate: share of each external cohort, below 1, on which intercept and slope are fitted; the
            others judge them. 0 = none.
        betas: KL weights to choose from, of the networks in stacks.
        seeds: networks per estimator, and of stacks per beta, each stopped by another part of the training
            cohort.
        components: principal components per modality that these networks read; 0 = all features.
        epochs: most epochs of a run.
    """

    train: Path | None = None
    external: tuple[Path, ...] = ()
    model: tuple[Path, ...] = ()
    models: tuple[str, ...] = ()
    estimators: tuple[str, ...] = ROWS
    endpoint: str | None = None
    harmonise: Literal["z-score", "quantile", "none"] | None = None
    without: tuple[str, ...] = ()
    recalibrate: float = 0.0
    betas: tuple[float, ...] = (0.01, 0.1, 1.0)
    seeds: int = 10
    components: int = 8
    epochs: int = 300
    out: Path = Path("results/external_validation")


PRESETS = {
    "default": ExternalValidation(),
    "smoke": ExternalValidation(preset="smoke", betas=(0.1, 1.0), seeds=5, epochs=15),
}


def check(options: ExternalValidation) -> None:
    """Refuse options that would fail late, or do nothing."""
    from jaxsurv.cli.command import import_models
    from jaxsurv.cli.setup import check_grid
    from jaxsurv.types import InputError

    import_models(options.models)

    check_grid("betas", options.betas)
    for name, least in {"seeds": 1, "epochs": 1, "components": 0}.items():
        if (value := getattr(options, name)) < least:
            raise InputError(f"{name} must be at least {least}, got {value}")
    if not 0 <= options.recalibrate < 1:
        raise InputError(f"recalibrate must be at least 0 and below 1, got {options.recalibrate}")
    if options.plan is not None or options.coordinator is not None:
        raise InputError(
            "external_validation fits one estimator after the other, each of which chooses its layout, in "
            "one process; leave out --plan and --coordinator"
        )
    if not options.estimators:
        raise InputError("--estimators needs a name")
    if options.model and options.train is None and options.estimators != ROWS:
        raise InputError(
            "--estimators needs --train, the cohort to fit them to; leave it out to judge saved models alone"
        )


def run(options: ExternalValidation) -> None:
    """The whole experiment, from the cohorts to the report."""
    from jaxsurv.cli.workplace import open_workplace

    from . import models
    from .cohorts import open_cohorts
    from .columns import turned
    from .judge import judge
    from .members import beside_stacks
    from .recalibrate import recalibration_table
    from .report import Warned, publish, table_of

    check(options)
    estimators = models.named_estimators(
        options.estimators,
        betas=options.betas,
        seeds=options.seeds,
        components=options.components or None,
        epochs=options.epochs,
    )
    workplace = open_workplace(options)
    folder, console = workplace.folder, workplace.console
    with console.status("reading and harmonising the cohorts"):
        frozen = models.open_models(options.model)
        cohorts = open_cohorts(
            options.train, options.external, options.endpoint, options.harmonise, options.without,
            saved=bool(frozen),
        )  # fmt: skip
        found = models.check_models(frozen, cohorts)
        estimators = models.fitting(estimators, cohorts)
    facts = {
        "experiment": "external_validation",
        "options": asdict(options),
        "models": {label: one.file for label, one in frozen.items()},
        "cohort_fingerprint": cohorts.fingerprint,
        "harmonised": cohorts.harmonised,
    }
    folder.manifest(**facts, status="running")

    def judged(one: models.Frozen):
        return [
            judge(one.estimator, cohort, cohorts.endpoint, cohorts.null, logged=cohorts.logged)
            for cohort in cohorts.external.values()
        ]

    with console.status("judging the saved models"):  # whose faults show before hours of training
        judgements = {label: judged(one) for label, one in frozen.items()}
    fitted = models.fit_all(estimators, cohorts, folder, console)
    with console.status("judging the frozen models on the external cohorts"):
        judgements |= {name: judged(one) for name, one in fitted.items()}
        shown, slopes = beside_stacks({**frozen, **fitted}, cohorts)
        judgements = {n: judgements.get(n) or judged(one) for n, one in shown.items()}
        again = recalibration_table(shown, cohorts, options.recalibrate)
        warned = Warned(slopes, turned(cohorts), again)
    table, headline = table_of(judgements), list(judgements)[-1]
    models.keep_headline(headline, shown[headline], table, cohorts, folder)
    publish(shown, judgements, cohorts, found, warned, folder, facts, console)


main = command_line(run, PRESETS, __doc__)


if __name__ == "__main__":
    sys.exit(main())
