"""Gain from unlabelled patients on simulated cohorts: Cox-MT minus its own supervised part."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from jaxsurv.metrics import concordance_index
from jaxsurv.models import Batch, CoxMTConfig, CoxMTHParams, adam_l2, cox_mt
from jaxsurv.recipe import risk_sets_of
from jaxsurv.survival import RiskSets
from jaxsurv.training import FitConfig, Masks, Plan, Store, sweep
from jaxsurv.types import Array, Survival

from .simulate import simulate_subtypes

_TESTED = 1000  # patients in the test set
NETWORKS = {"network": "none", "Cox-MT": "both"}  # network to consistency
POOL = 3000  # simulated unlabelled patients; the number in training changes no other patient


class CohortCondition(NamedTuple):
    """One kind of simulated cohort, and how networks are trained on it.

    Attributes:
        separation, signal, event_rate: see :func:`experiments.unlabelled.simulate.simulate_subtypes`.
        labelled: number of patients with an outcome.
        unlabelled: number of training patients without an outcome, at most ``POOL``.
        early_stopping: True = a fifth of the labelled patients is the validation set for early stopping.
    """

    separation: float = 16.0
    signal: float = 1.0
    event_rate: float = 0.1
    labelled: int = 200
    unlabelled: int = 1000
    early_stopping: bool = False


class _SimulatedCohorts(NamedTuple):
    x: Array
    event: Array
    time: Array
    log_hazard: Array
    validation: Array
    risk_sets: RiskSets


def _replicates(condition: CohortCondition, seeds: Sequence[int]) -> _SimulatedCohorts:
    """Cohorts of one condition; rows: labelled patients, then unlabelled ones, then the test set."""
    known = condition.labelled
    each = []
    for seed in seeds:
        simulated = simulate_subtypes(
            seed, known + POOL + _TESTED, separation=condition.separation,
            signal=condition.signal, event_rate=condition.event_rate,
        )  # fmt: skip
        chosen = np.r_[: known + condition.unlabelled, -_TESTED:0]
        x = simulated.cohort.modalities["rna"].to_numpy()[chosen]
        x = (x - x[:known].mean(axis=0)) / x[:known].std(axis=0)
        event, time = (np.asarray(a, float)[chosen] for a in simulated.cohort.outcome("os")[:2])
        validation = np.zeros(len(x), bool)
        for rows in (np.flatnonzero(event[:known] == e) for e in (0, 1)):
            validation[rows[: -(-len(rows) // 5)]] = True
        labelled = np.arange(len(x)) < known
        sets = jax.tree.map(lambda a: a[0], risk_sets_of(Survival(event, time), labelled[None]))
        log_hazard = simulated.log_hazard.to_numpy()[chosen]
        each.append(_SimulatedCohorts(x, event, time, log_hazard, validation, sets))  # type: ignore[arg-type]
    arrays = jax.tree.map(lambda *a: np.stack(a), *each)
    return jax.tree.map(lambda a: a.astype(np.float32) if a.dtype == np.float64 else a, arrays)


def gains(
    condition: CohortCondition,
    seeds: Sequence[int],
    *,
    hidden: tuple[int, ...],
    weight: float,
    epochs: int,
    plan: Plan | None = None,
    stores: Mapping[str, Store | None] = MappingProxyType({}),
) -> pd.DataFrame:
    """One row per simulated cohort: events, C of the truth, of the supervised network, of Cox-MT.

    Both networks have the same seed, hyper-parameters and minibatches of labelled patients.

    Args:
        condition: condition of all cohorts.
        seeds: seeds, one per cohort.
        hidden: widths of the networks' hidden layers.
        weight: weight w of the consistency loss in Cox-MT.
        epochs: largest number of epochs of a run.
        plan: plan of the sweeps; None = chosen automatically.
        stores: network to store of its finished runs.
    """
    cohorts = _replicates(condition, seeds)
    n, known = cohorts.x.shape[1], condition.labelled
    place = np.arange(n)
    labelled, tested = place < known, place >= n - _TESTED
    unlabelled = ~labelled & ~tested

    def build(shared: Array, cohort: _SimulatedCohorts, seed: Array) -> tuple[Batch, Masks]:
        batch = Batch(
            inputs={"rna": cohort.x},
            presence={"rna": jnp.ones(n)},
            clinical=jnp.zeros((n, 0)),
            offset=jnp.zeros(n),
            outcome=Survival(cohort.event, cohort.time),
            where=jnp.asarray(~tested),
            risk_sets=cohort.risk_sets,
            labelled=jnp.asarray(labelled) if condition.unlabelled else None,
        )
        train = labelled & ~cohort.validation if condition.early_stopping else labelled
        return batch, Masks(train | unlabelled, cohort.validation, jnp.asarray(~tested))

    config = FitConfig(epochs, 0, 10, 32, early_stopping=condition.early_stopping)
    rows = {
        "replicate": list(seeds),
        "events": cohorts.event[:, :known].sum(axis=1),
        "truth": _tested_c(cohorts, cohorts.log_hazard),
    }
    for name, consistency in NETWORKS.items():
        trained = sweep(
            cox_mt(CoxMTConfig(hidden, consistency)),
            build,
            np.zeros(0),
            cohorts,
            seeds=[0],
            hparams=[CoxMTHParams(weight=weight)],
            config=config,
            plan=plan,
            store=stores.get(name),
            optimizer=adam_l2,
        )
        rows[name] = _tested_c(cohorts, trained.prediction)
    return pd.DataFrame(rows)


def _tested_c(cohorts: _SimulatedCohorts, risk: Array) -> np.ndarray:
    @jax.jit
    @jax.vmap
    def index(risk: Array, event: Array, time: Array) -> Array:
        return concordance_index(risk, event, time).index

    return np.asarray(index(*(a[:, -_TESTED:] for a in (risk, cohorts.event, cohorts.time))))
