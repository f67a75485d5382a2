"""A study of one or two modalities, with the patients who have no outcome."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from jaxsurv.cli.cohorts import load_cohort, make_splits, only, outcome_cohort
from jaxsurv.cli.options import StudyOptions
from jaxsurv.cli.setup import refuse_entry
from jaxsurv.cli.workplace import Workplace, open_workplace
from jaxsurv.data import read_cohort
from jaxsurv.models import CLINICAL
from jaxsurv.recipe import AS_MEASURED, CrossFitted, Prepared, Recipe, prepare, ridge_cox
from jaxsurv.types import InputError

from .other_platform import add_unlabelled


class Sources(NamedTuple):
    """A study of some modalities of a cohort, without its clinical table.

    Attributes:
        data: the patients under the splits; patients without an outcome take part.
        first: the same with the first modality alone.
        baselines: name to model.
        title: title of the cohort.
        workplace: destination of results and progress.
    """

    data: Prepared
    first: Prepared
    baselines: dict[str, CrossFitted]
    title: str
    workplace: Workplace


def open_sources(
    options: StudyOptions, modalities: Sequence[str], *, top: int, platform: Path | None = None
) -> Sources:
    """Read the patients who have one of the modalities, and prepare every fold.

    The patients of ``platform``, the folder of another cohort, join them without their outcomes; see
    `add_unlabelled`.

    A ridge Cox model reads the same modalities; a clinical one, on the same splits, what the cohort
    has beside them. ``top`` features of largest variance stay in each modality.
    """
    workplace = open_workplace(options)
    with workplace.console.status(
        "reading the cohort, preprocessing every fold, fitting the baselines"
    ):
        cohort = only(load_cohort(options.cohort, semi_supervised=True), modalities)
        cohort, endpoint = outcome_cohort(cohort, options)
        splits = make_splits(cohort, endpoint, options, modalities)
        refuse_entry(cohort, endpoint)
        if platform is not None:
            other = read_cohort(platform)
            if other.kinds.get(modalities[0]) != cohort.kinds[modalities[0]]:
                raise InputError(
                    f"cohort {other.name!r} has no modality {modalities[0]!r} of kind "
                    f"{cohort.kinds[modalities[0]]!r}, as {cohort.name!r} has, but {other.kinds}"
                )
            cohort = add_unlabelled(cohort, modalities[0], other.modalities[modalities[0]])
        wide = any(cohort.modalities[m].shape[1] > top for m in modalities)
        blocks = tuple(modalities)
        recipe = Recipe(
            blocks=blocks,
            select="variance" if wide else "none",
            top=top,
            components=None,
            offset="none",
        )
        data = prepare(cohort, endpoint, splits, recipe, unlabelled=True)
        first = data
        if len(modalities) > 1:
            alone = replace(recipe, blocks=blocks[:1])
            first = prepare(cohort, endpoint, splits, alone, unlabelled=True)
        baselines: dict[str, CrossFitted] = {"ridge Cox": ridge_cox(data)}
        if CLINICAL in cohort.modalities and CLINICAL not in modalities:
            whole = prepare(cohort, endpoint, splits, AS_MEASURED, unlabelled=True)
            baselines["clinical Cox"] = ridge_cox(whole, [CLINICAL])
    return Sources(data, first, baselines, cohort.title or cohort.name, workplace)
