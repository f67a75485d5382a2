"""A network that learns from the other cohorts first, and from the target then."""

from dataclasses import replace

import jax
import numpy as np

from jaxsurv.data import Cohort, without_test
from jaxsurv.models import find_model
from jaxsurv.models.registry import objective_of
from jaxsurv.recipe import Recipe, ensemble, prepare
from jaxsurv.recipe.networks import train_networks
from jaxsurv.training import FitConfig


def fine_tuned(
    pooled: Cohort,
    endpoint: str,
    others: np.ndarray,
    develop: np.ndarray,
    recipe: Recipe,
    seeds: int,
) -> np.ndarray:
    """Log hazards of survival VAEs that were trained on the others before they were trained on the target.

    The first network learns from all other cohorts: to reconstruct, and the stratified Cox loss. Each of
    the second ones starts from its parameters, on top of the target's own block ridge Cox model (the
    offset), and is stopped by a fifth of the target's training rows.

    Args:
        pooled: all cohorts, with the columns that all have, scaled within each cohort, so that the inputs of
            both networks mean the same.
        endpoint: name of the outcome.
        others: booleans, patients in the pool who are not the target's.
        develop: ``[s, n]`` booleans, training rows of the target under each split.
        recipe: choices of the preprocessing.
        seeds: networks per split, whose mean is taken.

    Returns:
        ``[s, n]``.
    """
    model = find_model("SurvivalVAE")
    objective = objective_of(model, model.config)
    training = FitConfig()

    def train(cohort, rows, recipe, objective, seeds):
        event = np.asarray(cohort.outcome(endpoint).event)
        data = prepare(cohort, endpoint, without_test(event, rows, strata=cohort.strata), recipe)
        return data, train_networks(
            data, model, objective, [model.hparams], seeds=seeds, training=training
        )

    _, first = train(pooled, others, recipe, objective, 1)
    start = jax.tree.map(lambda leaf: leaf[0], first.collected)
    objective = objective._replace(init=lambda key, batch: start)
    target = replace(pooled.take(~others), strata=None)
    data, runs = train(target, develop, replace(recipe, offset="block-ridge"), objective, seeds)
    return ensemble(data, runs.split, runs.prediction, runs.seed).log_hazard
