"""Does the risk score hold elsewhere? Trained on one cohort, frozen, judged on others.

beta is chosen on the training cohort by early-stopping losses over its inner parts; preprocessing,
networks, stack weights, baseline hazard and risk threshold are fitted there and then left alone. The
external cohorts are harmonised within themselves without their outcomes.

    python -m experiments.external_validation --train FOLDER --external FOLDER FOLDER --out results/ext
"""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from jaxsurv.cli.command import command_line
from jaxsurv.cli.options import Execution


@dataclass(frozen=True, kw_only=True)
class ExternalValidation(Execution):
    """Train on one cohort and judge the frozen models on others.

    Attributes:
        preset: changes the defaults shown here. smoke: half a minute.
        train: folder of the training cohort; without it, the simulated cohort is cut in three.
        external: folders of the cohorts to judge on.
        endpoint: outcome, such as os; the training cohort's first one if not given.
        harmonise: measured values of each external cohort to the training cohort's mean and standard
            deviation, to its quantiles, or not at all.
        betas: KL weights to choose from.
        seeds: networks per beta, each stopped by another part of the training cohort.
        parts: that the training cohort is dealt into for this.
        components: principal components per modality; 0 = all features.
        epochs: most epochs of a run.
    """

    train: Path | None = None
    external: tuple[Path, ...] = ()
    endpoint: str | None = None
    harmonise: Literal["z-score", "quantile", "none"] = "z-score"
    betas: tuple[float, ...] = (0.01, 0.1, 1.0)
    seeds: int = 10
    parts: int = 5
    components: int = 8
    epochs: int = 300
    out: Path = Path("results/external_validation")


PRESETS = {
    "default": ExternalValidation(),
    "smoke": ExternalValidation(preset="smoke", betas=(0.1, 1.0), seeds=5, epochs=15),
}


def run(options: ExternalValidation) -> None:
    """The whole experiment, from the cohorts to the report."""
    import pandas as pd

    from experiments.external_validation.judge import frozen_models, judge
    from experiments.external_validation.report import publish
    from jaxsurv.cli.cohorts import load_external
    from jaxsurv.cli.setup import check_grid
    from jaxsurv.cli.workplace import open_workplace
    from jaxsurv.data import join_cohorts

    check_grid("betas", options.betas)
    workplace = open_workplace(options)
    folder, console = workplace.folder, workplace.console
    with console.status("reading and harmonising the cohorts"):
        train, external = load_external(options.train, options.external)
        endpoint = options.endpoint or train.endpoints[0]
        joined = join_cohorts(train, external, endpoint, harmonise=options.harmonise)
    facts = {
        "experiment": "external_validation",
        "options": asdict(options),
        "cohort_fingerprint": joined.cohort.fingerprint(),
    }
    folder.manifest(**facts, status="running")
    data, models = frozen_models(
        joined,
        endpoint,
        betas=options.betas,
        seeds=options.seeds,
        parts=options.parts,
        components=options.components or None,
        epochs=options.epochs,
        workplace=workplace,
    )
    with console.status("judging the frozen models on the external cohorts"):
        tables = {name: judge(data, model, joined.origin) for name, model in models.items()}
        table = pd.concat(tables, names=["model"]).reset_index("model").reset_index(drop=True)
        table = table.sort_values("cohort", kind="stable")
    publish(data, models, joined, table, folder, facts, console)


main = command_line(run, PRESETS, __doc__)


if __name__ == "__main__":
    sys.exit(main())
