"""From the options of an experiment to its data and baselines, with everything checked on the way."""

import sys
from typing import NamedTuple

from rich.console import Console

from jaxsurv.artifacts import ResultsFolder
from jaxsurv.data import Cohort
from jaxsurv.study.baselines import PenalisedCox, clinical_cox, ridge_cox, with_offset
from jaxsurv.study.design import load_cohort, make_splits
from jaxsurv.study.options import RecipeOptions
from jaxsurv.study.prepare import StudyData, prepare_study, refine, selection_table
from jaxsurv.types import InputError


class Opened(NamedTuple):
    """A study that is ready to train.

    Attributes:
        cohort: as it was read.
        data: of the networks, with the offset that was asked for.
        has_offset: whether the clinical block enters through it.
        baselines: name to model.
        folder, console: where results and progress go.
    """

    cohort: Cohort
    data: StudyData
    has_offset: bool
    baselines: dict[str, PenalisedCox]
    folder: ResultsFolder
    console: Console

    @property
    def title(self) -> str:
        """Of the cohort."""
        return self.cohort.title or self.cohort.name


def check_grid(name: str, values: tuple[float, ...]) -> None:
    """Refuse an empty grid, negative values and repeats."""
    if not values or min(values) < 0 or len(set(values)) < len(values):
        raise InputError(f"{name} must be given, >= 0 and different, got {values}")


def open_study(options: RecipeOptions) -> Opened:
    """Check the options, take the folder, read the cohort, preprocess every fold, fit the baselines."""
    if not 0 <= options.dropout < 1:
        raise InputError(f"dropout must be at least 0 and below 1, got {options.dropout}")
    if options.learning_rate <= 0 or options.survival_weight < 0:
        raise InputError("learning_rate must be positive and survival_weight at least 0")
    folder = ResultsFolder(options.out, overwrite=options.overwrite)
    console = Console(width=None if sys.stdout.isatty() else 170)  # tables in files do not wrap
    with console.status("reading the cohort, preprocessing every fold, fitting the baselines"):
        cohort = load_cohort(options.cohort)
        endpoint = options.endpoint or cohort.endpoints[0]
        splits = make_splits(cohort, endpoint, options)
        plain = prepare_study(cohort, endpoint, splits)
        baselines = {"ridge Cox": ridge_cox(plain)}  # of all features, whatever the networks read
        if clinical := clinical_cox(plain):
            baselines["clinical Cox"] = clinical
        data = refine(
            plain,
            select=options.select,
            impute=options.impute,
            components=options.components or None,
        )
    if data.selects:
        folder.table("selection.csv", selection_table(data))
    offset = clinical if options.offset == "clinical" else None
    data = with_offset(data, offset) if offset else data
    return Opened(cohort, data, offset is not None, baselines, folder, console)
