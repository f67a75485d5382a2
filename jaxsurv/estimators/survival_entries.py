"""Types of the entries of a survival model's file."""

from collections.abc import Mapping, Sequence
from typing import Literal, NotRequired, TypedDict

from jaxsurv.estimators.training_cohort import TrainingCohort
from jaxsurv.recipe import Recipe

_Names = Sequence[str]


class _Cox(TypedDict):
    linear: _Names
    squares: _Names
    frequencies: _Names


class _NamedCox(_Cox):
    name: str


class _TermsEntry(TypedDict):
    cox: Sequence[_NamedCox]
    offset: _Cox | None
    members: _Names


class _ColumnsEntry(TypedDict, total=False):
    n_features_in_: int
    feature_names_in_: _Names
    lambda_: float
    choice_: Mapping[str, float]


class _SchemaEntry(TypedDict):
    kinds: Mapping[str, str]
    features: Mapping[str, _Names]
    categories: Mapping[str, Mapping[str, _Names]]
    indicators: NotRequired[Mapping[str, _Names]]
    shifts: NotRequired[Mapping[str, Mapping[str, Sequence[float]]]]
    orders: NotRequired[Mapping[str, Mapping[str, Mapping[str, float]]]]


class _Header(TypedDict):
    format: Literal[1, 2]
    schema: _SchemaEntry
    imputation: NotRequired[Literal["NoneType", "RoundRobin", "ConditionalGaussian"]]
    patterns: NotRequired[Sequence[_Names]]
    regressions: NotRequired[Sequence[tuple[_Names, str]]]


class _Curve(TypedDict):
    times: Sequence[float]
    values: Sequence[float]


class _Baseline(_Curve):
    strata: NotRequired[Mapping[str, _Curve]]


class SurvivalEntries(TypedDict):
    """Entries of a survival model's manifest beside those of every model."""

    recipe: NotRequired[Recipe | None]
    terms: NotRequired[_TermsEntry | None]
    columns: _ColumnsEntry
    preprocessing: _Header
    baseline: _Baseline
    cohort: TrainingCohort
