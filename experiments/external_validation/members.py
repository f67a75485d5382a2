"""Members of a stack on an external cohort: what each is worth there, and the stack without some."""

from collections.abc import Collection, Mapping
from copy import copy
from dataclasses import replace

import numpy as np
import pandas as pd

from jaxsurv.data import Cohort
from jaxsurv.data.tables import few
from jaxsurv.estimators import SurvivalEstimator
from jaxsurv.estimators.fitted import FittedModel
from jaxsurv.recipe.stacking import NETWORK

from .cohorts import Cohorts
from .judge import left_out, patients_of, slope_of, strata_of
from .models import Frozen


def without_members(fitted: FittedModel, names: Collection[str]) -> FittedModel:
    """The model whose other members share the weight of those ``names``, in proportion to their own."""
    weights = {n: np.asarray(w) for n, w in fitted.params.weights.items()}
    kept = {n: w for n, w in weights.items() if n not in names}
    factor = (sum(weights.values()) / sum(kept.values())).astype(np.float32)
    params = fitted.params._replace(
        cox={n: model for n, model in fitted.params.cox.items() if n in kept},
        weights={n: w * factor for n, w in kept.items()},
    )
    if NETWORK in kept:
        return replace(fitted, params=params, center=fitted.center * factor)
    params = params._replace(network=None, offset=None)  # only networks have centres
    return replace(fitted, network=None, params=params, center=0 * fitted.center)


def member_slopes(
    estimator: SurvivalEstimator, cohort: Cohort, endpoint: str, logged: Collection[str] = ()
) -> dict[str, float]:
    """Calibration slope of each member alone that has a weight and can score the cohort.

    NaN for a member that predicts one risk for everybody there. Empty for a model of one member.

    Args:
        estimator: fitted.
        cohort: patients of the external cohort, with outcomes.
        endpoint: name of the outcome.
        logged: see `patients_of`.
    """
    fitted = estimator.fitted()
    members, patients = fitted.reads.members, patients_of(fitted, cohort, logged)
    out = left_out(fitted, patients.tables)
    if len(members) < 2 or len(out) == len(members):
        return {}
    outcome, rows, found = cohort.outcome(endpoint), fitted.rows(patients), {}
    event, time = np.asarray(outcome.event), np.asarray(outcome.time, float)
    for name in (n for n in members if n not in out):
        alone = without_members(fitted, set(fitted.params.weights) - {name})
        risk = alone.log_hazard_of(rows).astype(float)
        found[name] = slope_of(risk, event, time, strata_of(cohort))[0]
    return found


def stack_without(estimator: SurvivalEstimator, names: Collection[str]) -> SurvivalEstimator:
    """A copy of a fitted stack without some members; its baseline hazard stays."""
    other = copy(estimator)
    other.model_ = without_members(estimator.fitted(), names)
    return other


def beside_stacks(
    models: Mapping[str, Frozen], cohorts: Cohorts
) -> tuple[dict[str, Frozen], pd.DataFrame]:
    """The models, each stack after a copy without the members that harm it, and the slopes of all members.

    A member harms if its slope is negative or undefined on some cohort; if all do, there is no copy.

    Returns:
        models by name; columns ``model``, ``cohort``, ``member``, ``slope``.
    """
    shown: dict[str, Frozen] = {}
    rows, columns = [], ["model", "cohort", "member", "slope"]
    for name, model in models.items():
        own = [
            (name, cohort.name, member, slope)
            for cohort in cohorts.external.values()
            for member, slope in member_slopes(
                model.estimator, cohort, cohorts.endpoint, cohorts.logged
            ).items()
        ]
        harmful = list(dict.fromkeys(member for _, _, member, slope in own if not slope >= 0))
        if harmful and set(harmful) < {member for _, _, member, _ in own}:
            label = f"{name}, without {few(harmful, 10)}"
            shown[label] = Frozen(stack_without(model.estimator, harmful))
        shown[name] = model
        rows += own
    return shown, pd.DataFrame(rows, columns=columns)
