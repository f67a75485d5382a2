"""Cross-validated scores of equal and of unequal models on simulated cohorts."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.data import Splits, stratified_kfold
from jaxsurv.metrics import concordance_index
from jaxsurv.models import Batch, CoxNnetHParams, cox_nnet, nesterov
from jaxsurv.recipe import risk_sets_of
from jaxsurv.survival import RiskSets, restrict
from jaxsurv.survival.ridge_path import ridge_path
from jaxsurv.training import FitConfig, Masks, Plan, Store, sweep
from jaxsurv.types import Array, Survival

FEATURES = 5  # of each block
BLOCKS = {"a": (1, 0), "b": (0, 1), "both": (1, 1)}  # which block a model reads
FOLDS, REPEATS = 5, 5
_L2, _CENSORED = 10.0, 0.5
_NETWORK = CoxNnetHParams(l2=0.01, learning_rate=0.05)
_SEEDS = range(5)  # networks per split, each stopped by another fifth of the development rows


class Condition(NamedTuple):
    """One kind of simulated cohort, and what is trained on it.

    Attributes:
        learner: "ridge" or "network".
        n: number of patients, of whom half are censored.
        signal: standard deviation of the log hazard; 0 = features carry no information.
    """

    learner: str
    n: int
    signal: float


class _SimulatedPatients(NamedTuple):
    """One cohort; with a leading axis, several: ``x [n, 2 FEATURES]``, event and time ``[n]``, risk sets."""

    x: Array
    event: Array
    time: Array
    risk_sets: RiskSets


class _ScoredSplit(NamedTuple):
    """One model on one split: the cohort's number, test rows, validation rows, features that are read."""

    cohort: Array
    test: Array
    validation: Array
    reads: Array


def outcome(
    rng: np.random.Generator, log_hazard: np.ndarray, censored: float
) -> tuple[np.ndarray, np.ndarray]:
    """Event and time ``[n]`` of exponential hazards under a uniform follow-up."""
    death = rng.exponential(size=log_hazard.size) * np.exp(-log_hazard)
    follow_up = rng.uniform(0.3, 1.0, log_hazard.size)
    follow_up *= np.quantile(death / follow_up, 1 - censored)
    return death <= follow_up, np.minimum(death, follow_up)


def _cohort(condition: Condition, seed: int) -> tuple[_SimulatedPatients, Splits]:
    rng, width = np.random.default_rng(seed), 2 * FEATURES
    x = rng.normal(size=(condition.n, width)).astype(np.float32)
    event, time = outcome(rng, condition.signal * x.sum(1) / np.sqrt(width), _CENSORED)
    splits = stratified_kfold(event, folds=FOLDS, repeats=REPEATS, seed=seed)
    known = Survival(event.astype(np.float32), time.astype(np.float32))
    sets = risk_sets_of(known, np.ones((1, condition.n), bool))
    sets = jax.tree.map(lambda a: np.asarray(a[0]), sets)
    return _SimulatedPatients(x, known.event, known.time, sets), splits


def scores(
    condition: Condition, seeds: range, *, plan: Plan | None = None, store: Store | None = None
) -> np.ndarray:
    """Harrell's C on test rows, ``[cohorts, models, splits]``: models as in ``BLOCKS``, splits deal by deal.

    Both blocks have the same effect, so that the models of "a" and "b" are equally good.

    Args:
        condition: condition of all cohorts.
        seeds: seeds, one per cohort.
        plan, store: see :func:`jaxsurv.training.sweep`.
    """
    cohorts = [_cohort(condition, seed) for seed in seeds]
    if condition.learner == "ridge":
        fitted = np.stack([_ridge(*cohort) for cohort in cohorts])
    else:
        fitted = _networks(cohorts, plan, store)
    found = np.zeros(fitted.shape[:3])
    for c, m, s in np.ndindex(*found.shape):
        patients, splits = cohorts[c]
        rows = splits.test[s]
        risk = fitted[c, m, s][rows]
        found[c, m, s] = concordance_index(risk, patients.event[rows], patients.time[rows]).index
    return found


def _ridge(patients: _SimulatedPatients, splits: Splits) -> np.ndarray:
    """Log hazards ``[models, splits, n]`` of ridge Cox models with a fixed penalty."""
    found = np.zeros((len(BLOCKS), *splits.test.shape))
    for s, test in enumerate(splits.test):
        sets = restrict(patients.risk_sets, ~test)
        for m, reads in enumerate(BLOCKS.values()):
            x = patients.x[:, np.repeat(reads, FEATURES) > 0].astype(float)
            found[m, s] = x @ ridge_path(x, sets, [_L2]).coef[0]
    return found


def _networks(
    cohorts: list[tuple[_SimulatedPatients, Splits]], plan: Plan | None, store: Store | None
) -> np.ndarray:
    """Log hazards ``[cohorts, models, splits, n]``: means of small networks, stopped early as in a study."""
    patients: _SimulatedPatients = jax.tree.map(lambda *a: np.stack(a), *(p for p, _ in cohorts))
    test, validation = (
        np.stack([getattr(splits, part) for _, splits in cohorts])
        for part in ("test", "validation")
    )
    shape = len(cohorts), len(BLOCKS), test.shape[1]
    c, m, s = np.indices(shape).reshape(3, -1)
    reads = np.repeat(np.array(list(BLOCKS.values()), np.float32), FEATURES, axis=1)

    def build(shared: _SimulatedPatients, run: _ScoredSplit, seed: Array) -> tuple[Batch, Masks]:
        own = jax.tree.map(lambda a: a[run.cohort], shared)
        n, develop = own.event.shape[0], ~run.test
        batch = Batch(
            inputs={"x": own.x * run.reads[None]},
            presence={"x": jnp.ones(n)},
            clinical=jnp.zeros((n, 0)),
            offset=jnp.zeros(n),
            outcome=Survival(own.event, own.time),
            where=develop,
            risk_sets=own.risk_sets,
        )
        stops = run.validation[seed % run.validation.shape[0]]
        return batch, Masks(develop & ~stops, stops, develop)

    trained = sweep(
        cox_nnet(), build, patients, _ScoredSplit(c, test[c, s], validation[c, s], reads[m]),
        seeds=_SEEDS, hparams=[_NETWORK], config=FitConfig(60, 0, 60), plan=plan, store=store,
        optimizer=nesterov,
    )  # fmt: skip
    total = np.zeros((len(c), test.shape[2]))
    np.add.at(total, np.asarray(trained.split), np.asarray(trained.prediction))
    return (total / len(_SEEDS)).reshape(*shape, -1)
