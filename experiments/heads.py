"""Comparison of outcome heads: one network under every head, on the same folds and seeds.

Cox's loss sees the order of events alone, and Breslow's estimate makes its curves; the others see times. A
stack does not care for curves, so the networks stand here alone, beside the ridge Cox models. On an endpoint
with causes there is one more head, of all causes at once; like the others it is scored on the hazard of
--cause, and its curves of that are Breslow's.

    python -m experiments.heads                                     # bundled TCGA-ACC, minutes
    python -m experiments.heads --cohort FOLDER --endpoint os --repeats 5 --out results/luad
    python -m experiments.heads --cohort FOLDER --endpoint efs --cause relapse --out results/relapse
"""

import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from jaxsurv.cli.command import command_line
from jaxsurv.cli.options import RecipeOptions


@dataclass(frozen=True, kw_only=True)
class HeadsOptions(RecipeOptions):
    """Compare outcome heads of a survival VAE: C, integrated Brier score, calibration slope.

    Attributes:
        preset: changes the defaults shown here. smoke: a minute, most of it compilation.
        head: the head that all others are compared with.
        beta: KL weight.
        intervals: number of intervals in discrete time.
    """

    beta: float = 0.1
    intervals: int = 10
    out: Path = Path("results/heads")


PRESETS = {
    "default": HeadsOptions(),
    "smoke": HeadsOptions(preset="smoke", seeds=2, folds=3, epochs=10),
}


def calibration(findings: Any) -> Any:
    """Calibration slopes of each head: a row per head, paired with the reference by split.

    The log hazards of a split are the mean over its seeds; a slope below 1 says that they are too far
    apart. Splits without a slope, as all log hazards are equal, are left out.
    """
    import numpy as np
    import pandas as pd

    from jaxsurv.metrics import calibration_slope
    from jaxsurv.study.findings import SPLIT
    from jaxsurv.study.statistics import corrected_t, paired

    data, rows = findings.data, []
    for trained in findings.trained:
        for s, test in enumerate(data.splits.test):
            risk = trained.arrays.prediction[trained.arrays.split == s].mean(axis=0)
            slope = float(calibration_slope(risk, data.event, data.time, where=test).slope)
            place = (trained.method.name, data.splits.repeat[s], data.splits.fold[s], slope)
            rows.append(dict(zip(("setting", *SPLIT, "slope"), place, strict=True)))
    table, fraction = pd.DataFrame(rows), data.test_fraction
    how = {"score": "slope", "by": "setting", "split": SPLIT, "test_fraction": fraction}
    means = {
        name: corrected_t(group["slope"].to_numpy(), fraction)._asdict()
        for name, group in table.groupby("setting", sort=False)
    }
    minus = paired(table, findings.comparison.reference, **how).set_index("setting")
    found = pd.DataFrame(means).T.join(minus.add_prefix("reference_"))
    undefined = table["slope"].isna().groupby(table["setting"]).sum()
    return found.assign(undefined=undefined.astype(np.int64)).rename_axis("setting").reset_index()


def told(findings: Any, slopes: Any) -> str:
    """C, Brier score and slope of each head minus those of the reference, in words."""
    reference, known = findings.comparison.reference, slopes.set_index("setting")
    parts = []
    for name in known.index.drop(reference):
        c, ibs = (findings.difference(name, reference, s) for s in ("test_c", "test_ibs"))
        parts.append(
            f"{name}: C {c.mean:+.3f} ({c.lower:+.3f} to {c.upper:+.3f}), IBS {ibs.mean:+.4f} "
            f"({ibs.lower:+.4f} to {ibs.upper:+.4f}), calibration slope {known.loc[name, 'mean']:.2f}"
        )
    return (
        f"Minus {reference}, whose calibration slope is {known.loc[reference, 'mean']:.2f} (95 % intervals "
        f"of paired differences, not adjusted for their number): {'; '.join(parts)}."
    )


def run(options: HeadsOptions) -> None:
    """The whole experiment, from the cohort to the report."""
    from jaxsurv.cli.run import run_study
    from jaxsurv.cli.setup import head_settings, open_study
    from jaxsurv.data.competing import ANY
    from jaxsurv.models import find_model
    from jaxsurv.models.heads import HEADS
    from jaxsurv.report.figures import forest, survival_curves
    from jaxsurv.study.execute import Method
    from jaxsurv.study.findings import Comparison
    from jaxsurv.training import FitConfig

    study = open_study(options)
    several = study.cohort.competing is not None and options.cause != ANY
    heads = [head for head in HEADS if several or head != "competing"]
    config = {h: {**head_settings(study.cohort, h), "intervals": options.intervals} for h in heads}
    hparams, training = study.hparams._replace(beta=options.beta), FitConfig(options.epochs)
    methods = [
        Method(
            head, find_model("SurvivalVAE"), {head: hparams}, study.data, training,
            replace(study.config, **choice),
        )
        for head, choice in config.items()
    ]  # fmt: skip

    def draw(findings):
        slopes = calibration(findings)
        study.workplace.folder.table("calibration.csv", slopes)
        figure, picture = forest(findings, options.head)
        return [
            (figure, picture._replace(finding=told(findings, slopes))),
            survival_curves(findings, *heads),
        ]

    run_study(
        methods,
        study.baselines,
        Comparison(options.head, {}, options.head),
        draw,
        title=f"Outcome heads of a survival VAE on {study.title}",
        seeds=options.seeds,
        workplace=study.workplace,
        facts={"experiment": "heads", "options": asdict(options)},
    )


main = command_line(run, PRESETS, __doc__)


if __name__ == "__main__":
    sys.exit(main())
