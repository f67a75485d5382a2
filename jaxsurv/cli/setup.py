"""From the options of an experiment to its data and baselines, with everything checked on the way."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from jaxsurv.cli.cohorts import load_cohort, make_splits, only
from jaxsurv.cli.options import RecipeOptions, StudyOptions
from jaxsurv.cli.workplace import Workplace, open_workplace
from jaxsurv.data import Cohort, DataWarning
from jaxsurv.data.consistency import MIN_CARRIERS
from jaxsurv.data.tables import few
from jaxsurv.models import HParams, SurvivalVAEConfig
from jaxsurv.recipe.cox import CrossFitted, PenalisedCox, clinical_cox, ridge_cox, with_offset
from jaxsurv.recipe.prepare import StudyData, prepare_study, refine
from jaxsurv.recipe.prepared import CLINICAL
from jaxsurv.recipe.stack import stack, stack_members
from jaxsurv.types import InputError


class Opened(NamedTuple):
    """A study that is ready to train.

    Attributes:
        cohort: as it was read.
        plain: all features as measured, which the Cox models read.
        data: of the networks, selected, imputed and with the offset as was asked for.
        config: of the survival VAE: its head reads the clinical block unless that is the offset.
        hparams: those that the options give.
        baselines: name to model.
        members: Cox models to stack networks with, see `with_stack`.
        workplace: where results and progress go.
    """

    cohort: Cohort
    plain: StudyData
    data: StudyData
    config: SurvivalVAEConfig
    hparams: HParams
    baselines: dict[str, CrossFitted]
    workplace: Workplace
    members: dict[str, PenalisedCox] = {}  # noqa: RUF012

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
    workplace = open_workplace(options)
    with workplace.console.status(
        "reading the cohort, preprocessing every fold, fitting the baselines"
    ):
        cohort = load_cohort(options.cohort)
        endpoint = options.endpoint or cohort.endpoints[0]
        splits = make_splits(cohort, endpoint, options)
        plain = prepare_study(cohort, endpoint, splits)
        if plain.unused:
            warnings.warn(
                f"no feature of {few(plain.unused)} is used in any split: constant, or two-valued with fewer "
                f"than {MIN_CARRIERS} patients on one side",
                DataWarning,
                stacklevel=2,
            )
        baselines: dict[str, CrossFitted] = {"ridge Cox": ridge_cox(plain)}
        if clinical := clinical_cox(plain):
            baselines["clinical Cox"] = clinical
        data = refine(
            plain,
            select=options.select,
            impute=options.impute,
            components=options.components or None,
        )
    offset = clinical if options.offset == "clinical" else None
    data = with_offset(data, offset) if offset else data
    config = SurvivalVAEConfig(head_reads_clinical=offset is None)
    hparams = HParams(
        survival_weight=options.survival_weight,
        learning_rate=options.learning_rate,
        dropout=options.dropout,
    )
    return Opened(cohort, plain, data, config, hparams, baselines, workplace)


class Sources(NamedTuple):
    """A study of some modalities of a cohort, without its clinical table.

    Attributes:
        data: of the networks; patients without an outcome take part.
        baselines: name to model.
        title: of the cohort.
        workplace: where results and progress go.
    """

    data: StudyData
    baselines: dict[str, CrossFitted]
    title: str
    workplace: Workplace


def open_sources(options: StudyOptions, modalities: Sequence[str], *, top: int) -> Sources:
    """Read the patients who have one of the modalities, and prepare every fold.

    A ridge Cox model reads the same modalities; a clinical one, on the same splits, what the cohort
    has beside them. ``top`` features of largest variance stay in each modality.
    """
    workplace = open_workplace(options)
    with workplace.console.status(
        "reading the cohort, preprocessing every fold, fitting the baselines"
    ):
        whole = load_cohort(options.cohort, semi_supervised=True)
        cohort = only(whole, modalities)
        endpoint = options.endpoint or cohort.endpoints[0]
        splits = make_splits(cohort, endpoint, options)
        data = prepare_study(cohort, endpoint, splits, semi_supervised=True)
        wide = any(t.shape[1] > top for t in cohort.modalities.values())
        data = refine(data, select="variance", top=top) if wide else data
        baselines: dict[str, CrossFitted] = {"ridge Cox": ridge_cox(data)}
        if CLINICAL in whole.modalities and CLINICAL not in modalities:
            both = {m: whole.modalities[m] for m in (*modalities, CLINICAL)}
            kinds = {m: whole.kinds[m] for m in both}
            beside = replace(cohort, modalities=both, kinds=kinds)
            clinical = prepare_study(beside, endpoint, splits, semi_supervised=True)
            baselines["clinical Cox"] = ridge_cox(clinical, [CLINICAL])
    title = cohort.title or cohort.name
    return Sources(data, baselines, title, workplace)


def with_stack(study: Opened) -> Opened:
    """With the Cox models of the single modalities, and their stack as one more baseline.

    Unchanged if early stopping watches test rows: that holds out no rows to fit a stack's weights to.
    """
    if study.plain.design.protocol == "two-way":
        return study
    with study.workplace.console.status("fitting a Cox model to each modality"):
        members = stack_members(study.plain)
        stacked = {"stacked Cox": stack(study.plain, members)}
    return study._replace(members=members, baselines=study.baselines | stacked)
