"""Use a saved model: score new patients, explain their risks, or read what it says of itself.

python -m jaxsurv score my_model new_patients --out risks.csv --times 365 1095
python -m jaxsurv explain my_model held_out_patients --endpoint os --out results/why
python -m jaxsurv inspect my_model
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import Positional, arg


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """A saved model.

    Attributes:
        model: folder or .zip that an estimator saved.
        models: Python modules that register models of your own, such as my_package.weibull; imported before
            the file is read, which itself is never executed.
    """

    model: Annotated[Path, Positional, arg(metavar="MODEL")]
    models: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Score(ModelFile):
    """Write a table with one row per patient.

    Columns: risk (log hazard, 0 = the mean of the training patients), percentile in the training cohort,
    incidence of each competing cause (if the network is of several) and survival at each of the times, group
    (high = above the training cohort's median risk).

    Attributes:
        cohort: folder with one table per modality, as for training; survival.csv is not read.
        out: CSV file to write.
        times: evaluation times, in the unit of the training cohort.
        overwrite: replace the file.
        absent_columns: what to do with columns of the model that a table does not have: refuse them all by
            name, or take them as missing for everybody, with a warning.
    """

    cohort: Annotated[Path, Positional, arg(metavar="COHORT")]
    out: Path
    times: tuple[float, ...] = ()
    overwrite: bool = False
    absent_columns: Literal["refuse", "missing"] = "refuse"


@dataclass(frozen=True, kw_only=True)
class Explain(ModelFile):
    """Write what the risks rest on: features.csv, modalities.csv, patients.csv and a figure.

    Integrated gradients on the log hazard; with an endpoint also what Harrell's C loses when a feature or a
    table is permuted and when a modality is withheld. Give patients whom the model was not trained on.

    Attributes:
        cohort: folder with one table per modality, as for training.
        out: folder to write.
        endpoint: endpoint in survival.csv, such as os; if not given that file is not read, and there is no C.
        overwrite: replace an earlier explanation in that folder.
    """

    cohort: Annotated[Path, Positional, arg(metavar="COHORT")]
    out: Path
    endpoint: str | None = None
    overwrite: bool = False


@dataclass(frozen=True, kw_only=True)
class Inspect(ModelFile):
    """Print the model card, in Markdown."""


def run(options: Score | Explain | Inspect) -> None:
    """Score, explain or inspect."""
    from jaxsurv.artifacts import read_model
    from jaxsurv.cli.command import import_models
    from jaxsurv.cli.terminal import Terminal
    from jaxsurv.estimators import SurvivalEstimator, load
    from jaxsurv.estimators.card import card_of
    from jaxsurv.types import InputError

    console = Terminal(100)
    import_models(options.models)
    try:
        model = load(options.model)
    except InputError as error:
        if "there is no model named" not in str(error):
            raise
        raise InputError(f"{error}; from the shell: --models MODULE") from error
    if isinstance(options, Inspect):
        print(card_of(read_model(options.model)), end="")
    elif not isinstance(model, SurvivalEstimator):
        raise InputError(
            f"{options.model} is {type(model).__name__}, which predicts images and has no risks to score or "
            f"explain; in Python: jaxsurv.estimators.load({str(options.model)!r}).predict(images), or "
            "predict_interval(images)"
        )
    elif isinstance(options, Explain):
        _explain(options, model, console)
    else:
        _score(options, model, console)


def _score(options: Score, model: Any, console: Any) -> None:
    from jaxsurv.data import read_features
    from jaxsurv.data.safe_text import write_csv
    from jaxsurv.types import InputError

    if options.out.exists() and not options.overwrite:
        raise InputError(f"{options.out} exists; choose another file or pass --overwrite")
    if options.out.resolve().parent == options.cohort.resolve():
        raise InputError(
            f"{options.out} would be read as a table of the cohort in {options.cohort}; choose another folder"
        )
    with console.status(f"reading {options.cohort}"):
        schema = model.fitted().preprocessing.schema
        tables = read_features(options.cohort, schema.kinds)
        if options.absent_columns == "missing":
            tables = schema.with_absent(tables)
    scores = model.risk_table(tables, options.times)
    try:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        write_csv(scores, options.out, float_format="%.8g")
    except OSError as error:
        raise InputError(f"cannot write {options.out}: {error.strerror or error}") from error
    high = (scores["group"] == "high").sum()
    console.print(f"{len(scores)} patients, {high} of high risk: {options.out}")


def _explain(options: Explain, model: Any, console: Any) -> None:
    from jaxsurv.artifacts import ResultsFolder
    from jaxsurv.data import read_cohort, read_features
    from jaxsurv.plots import explanation_panels

    folder = ResultsFolder(options.out, overwrite=options.overwrite)
    with console.status(f"reading {options.cohort}"):
        if options.endpoint is None:
            patients = read_features(options.cohort, model.fitted().preprocessing.schema.kinds)
        else:
            patients = read_cohort(options.cohort)
    with console.status("explaining"):
        features, modalities, each = model.explain(patients, options.endpoint)
    facts = {"options": vars(options)}
    folder.manifest(**facts, status="running")
    folder.table("features.csv", features.reset_index())
    folder.table("modalities.csv", modalities.reset_index())
    each.columns = [f"{m}: {feature}" for m, feature in each.columns]
    folder.table("patients.csv", each.reset_index())
    title = f"What the risks of {len(each)} patients rest on"
    folder.figure("explanation", explanation_panels(features, modalities, title=title))
    folder.manifest(**facts, status="complete")
    console.print(f"{len(each)} patients, {len(features)} features: {options.out}")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    from jaxsurv.cli.command import subcommands

    commands = {"score": Score, "explain": Explain, "inspect": Inspect}
    return subcommands(run, commands, "python -m jaxsurv", __doc__, arguments)


if __name__ == "__main__":
    sys.exit(main())
