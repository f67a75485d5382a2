"""Preprocessing of a cohort into model inputs, once, for studies and estimators alike."""

from jaxsurv.recipe._prepare import prepare, refine, risk_sets_of
from jaxsurv.recipe.cox import (
    block_ridge_cox,
    clinical_cox,
    elastic_net_cox,
    leading_block,
    ridge_cox,
    with_offset,
)
from jaxsurv.recipe.members import CrossFitted, LinearCox, PenalisedCox, Rows, Terms
from jaxsurv.recipe.networks import Ensemble, ensemble, lowest_loss
from jaxsurv.recipe.prepared import Prepared, Shared, Split
from jaxsurv.recipe.settings import AS_MEASURED, Recipe
from jaxsurv.recipe.stacking import Stack, cox_members, stack
from jaxsurv.recipe.steps import selection_table

__all__ = [
    "AS_MEASURED",
    "CrossFitted",
    "Ensemble",
    "LinearCox",
    "PenalisedCox",
    "Prepared",
    "Recipe",
    "Rows",
    "Shared",
    "Split",
    "Stack",
    "Terms",
    "block_ridge_cox",
    "clinical_cox",
    "cox_members",
    "elastic_net_cox",
    "ensemble",
    "leading_block",
    "lowest_loss",
    "prepare",
    "refine",
    "ridge_cox",
    "risk_sets_of",
    "selection_table",
    "stack",
    "with_offset",
]
