"""One target cohort under the same folds: its own data, those of others, and both."""

import numpy as np
import pandas as pd

from jaxsurv.data import Cohort, stratified_kfold, without_test
from jaxsurv.metrics import concordance_index
from jaxsurv.recipe import Recipe, block_ridge_cox, prepare, stack
from jaxsurv.recipe.members import PenalisedCox

from .pretrain import fine_tuned

RECIPE = Recipe(components=None, offset="none")
OWN, OTHERS, POOLED, BELIEVED = "own data", "others alone", "pooled", "own and others' score"
TUNED = "fine-tuned network"
METHODS = (OWN, OTHERS, POOLED, BELIEVED, TUNED)


def transferred(
    target: Cohort,
    pooled: Cohort,
    endpoint: str,
    *,
    folds: int,
    sizes: tuple[int, ...],
    repeats: int = 1,
    seeds: int = 0,
) -> pd.DataFrame:
    """Harrell's C on the test rows of each fold, for each number of the target's own training patients.

    Most are block ridge Cox models (clinical features, their squares, the leading modality), stratified by
    cohort where there are several. ``own data``: of the target's training rows. ``others alone``: of the
    other cohorts, which have seen none of the target's patients. ``pooled``: of both. ``own and others'
    score``: a stack of the first two, whose weights are fitted to held-out log hazards of the target, so that
    it is estimated how much to believe the others. ``fine-tuned network``: see `fine_tuned`.

    Args:
        target: patients labelled for the endpoint, with every column of their own.
        pooled: all cohorts, the target among them, with the columns that all have.
        endpoint: name of the outcome.
        folds: folds of the target, stratified by event.
        sizes: numbers of training patients; 0 = all of a fold. More than a fold has are left out.
        repeats: number of deals into folds.
        seeds: number of networks per fold and size; 0 = none.

    Returns:
        columns ``cohort``, ``size`` (0 = all), ``repeat``, ``fold``, ``patients`` (of the target in
        training), ``method``, ``c``.
    """
    outcome = target.outcome(endpoint)
    event, time = np.asarray(outcome.event), np.asarray(outcome.time, float)
    deals = stratified_kfold(event, folds=folds, repeats=repeats, validation_fraction=None)
    cases, develop = [], []
    for deal, rows in enumerate(deals.test):
        order = _balanced(event, ~rows, deal)
        for size in sizes:
            if size < len(order):
                cases.append((size, deal))
                develop.append(np.isin(np.arange(len(event)), order[: size or None]))
    develop = np.stack(develop)
    data = prepare(target, endpoint, without_test(event, develop), RECIPE)
    own = block_ridge_cox(data)
    rows = pooled.survival.index.get_indexer(target.survival.index)
    others = np.ones(len(pooled.survival), bool)
    others[rows] = False
    masks = np.tile(others, (1 + len(cases), 1))
    masks[1:, rows] = develop
    splits = without_test(np.asarray(pooled.outcome(endpoint).event), masks, strata=pooled.strata)
    both = np.asarray(block_ridge_cox(prepare(pooled, endpoint, splits, RECIPE)).log_hazard)[
        :, rows
    ]
    score = np.repeat(both[:1], len(cases), axis=0)
    # no row of the target is in the fit, so that all of them are held out
    member = PenalisedCox(score, score, np.zeros(len(cases)), ())
    believed = stack(data, {OWN: own, OTHERS: member})
    risks = {OWN: own.log_hazard, OTHERS: score, POOLED: both[1:], BELIEVED: believed.log_hazard}
    if seeds:
        risks[TUNED] = fine_tuned(pooled, endpoint, others, develop, RECIPE, seeds)
    return pd.DataFrame([
        (
            target.name, size, deals.repeat[deal], deals.fold[deal], develop[k].sum(), method,
            _c(np.asarray(risk)[k], event, time, deals.test[deal]),
        )
        for k, (size, deal) in enumerate(cases)
        for method, risk in risks.items()
    ], columns=["cohort", "size", "repeat", "fold", "patients", "method", "c"])  # fmt: skip


def _balanced(event: np.ndarray, rows: np.ndarray, seed: int) -> np.ndarray:
    """Row numbers in a random order, of which every beginning has its share of the events."""
    random, key = np.random.default_rng(seed), np.zeros(len(event))
    for kind in (True, False):
        own = random.permutation(np.flatnonzero(rows & ((event > 0) == kind)))
        key[own] = (np.arange(len(own)) + random.random()) / max(1, len(own))
    found = np.flatnonzero(rows)
    return found[np.argsort(key[found], kind="stable")]


def _c(risk: np.ndarray, event: np.ndarray, time: np.ndarray, rows: np.ndarray) -> float:
    return float(concordance_index(risk, event, time, where=rows).index)
