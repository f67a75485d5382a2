"""The recipe: every choice between the tables of a cohort and what a model reads."""

from dataclasses import dataclass, fields
from typing import Literal, get_args

from jaxsurv.arguments.settings import check_whole
from jaxsurv.preprocess.select import TOP
from jaxsurv.types import InputError, check_choice

Scaling = Literal["clipped", "plain"]
UnknownCategories = Literal["mean", "level"]
Select = Literal["none", "variance", "elastic-net"]
Impute = Literal["none", "mean", "gaussian", "round-robin"]
Offset = Literal["block-ridge", "clinical", "none"]


@dataclass(frozen=True)
class Recipe:
    """Choices of the preprocessing, all of which is fitted on the training rows of each split.

    The order is: encode, scale, select, impute, project, add the offset. Networks read the result. Cox
    members of a stack read the scaled features, before selection, imputation and projection.

    Attributes:
        blocks: names of the modalities that are read; None = all.
        scaling: z-scores. ``"clipped"``: of values clipped at Tukey's far-out fences; ``"plain"``: of the
            values as they are.
        unknown: missing values. ``"level"``: of a text column a category of its own, if at least five
            patients lack it; of a numeric column, in tables of fewer than 50, the training mean beside an
            indicator, if at least ten patients and 5 % lack it and ten have it. An indicator that is constant
            or rare in training is not read. ``"mean"``: the training mean alone.
        select: features of each modality other than the clinical one. ``"variance"``: the ``top`` of
            largest variance; ``"elastic-net"``: those with a large coefficient in an elastic-net Cox model.
        top: number of features that ``select="variance"`` keeps per modality.
        impute: missing values. ``"none"``: the network is told what is missing; ``"mean"``, ``"gaussian"``
            (:func:`jaxsurv.preprocess.fit_gaussian`), ``"round-robin"``
            (:func:`jaxsurv.preprocess.fit_round_robin`): all modalities then count as present.
        components: number of principal components by which each wider modality, except the clinical one,
            enters a network; None = feature by feature.
        offset: known part of a network's log hazard, so that it starts where the ridge ends.
            ``"block-ridge"``: that of `block_ridge_cox`, cross-fitted; ``"clinical"``: that of a ridge Cox
            model of the clinical modality, where the cohort has one; ``"none"``: 0.

    >>> Recipe(select="elastic-net", components=None).impute
    'none'
    """

    blocks: tuple[str, ...] | None = None
    scaling: Scaling = "clipped"
    unknown: UnknownCategories = "level"
    select: Select = "none"
    top: int = TOP
    impute: Impute = "none"
    components: int | None = 8
    offset: Offset = "block-ridge"

    def __post_init__(self) -> None:
        known = {
            "scaling": Scaling, "unknown": UnknownCategories, "select": Select, "impute": Impute,
            "offset": Offset,
        }  # fmt: skip
        for name, choices in known.items():
            check_choice(name, getattr(self, name), get_args(choices))
        if self.components is not None:
            check_whole("components", self.components)
        check_whole("top", self.top)
        if self.blocks is not None:
            if isinstance(self.blocks, str) or not self.blocks:
                raise InputError(f"blocks must be names of modalities or None, got {self.blocks!r}")
            object.__setattr__(self, "blocks", tuple(self.blocks))


# every feature as it was measured, as the published models read them
AS_MEASURED = Recipe(components=None, offset="none")


def recipe_of(entries: dict) -> Recipe:
    """The recipe of a model file's entries.

    Raises:
        InputError: entries that this version does not know.
    """
    if unknown := sorted(set(entries) - {f.name for f in fields(Recipe)}):
        raise InputError(f"the recipe has {unknown}, which this jaxsurv does not know")
    return Recipe(**entries)


def path_end(rows: int, columns: int) -> float:
    """Ratio of the last lambda of an elastic-net path to the first.

    Where rows are many the best lambda is small: 0.009 of the first one with 8,880 patients and 80 columns.
    Where columns are many, the end of a long path costs time and is hardly ever chosen.
    """
    return 0.005 if rows >= 10 * columns else 0.05
