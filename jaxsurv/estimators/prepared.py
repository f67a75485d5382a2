"""A labelled cohort as a sweep reads it: preprocessing fitted per mask of rows, arrays on the split axis."""

import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from jaxsurv.data import Cohort, DataWarning, stratified_kfold
from jaxsurv.data.tables import few
from jaxsurv.models import CLINICAL, Batch
from jaxsurv.preprocess import (
    Encoded,
    Preprocessing,
    Standardised,
    encode,
    fit_projection,
    fit_scaler,
    prepare,
    transform,
)
from jaxsurv.survival import RiskSets, prepare_risk_sets
from jaxsurv.training import Masks
from jaxsurv.types import Array, InputError, Survival

PARTS = 5  # into which the rows are dealt that stop a training early


class Shared(NamedTuple):
    """``presence {m: [n]}``, ``event [n]``, ``time [n]`` (0 where unknown), ``labelled [n]`` or None."""

    presence: dict[str, Array]
    event: Array
    time: Array
    labelled: Array | None


class Split(NamedTuple):
    """Masks of one split, or with a leading axis of all, and what was fitted on them.

    Attributes:
        develop: ``[n]`` booleans, the labelled rows that everything was fitted on.
        validation: ``[k, n]`` booleans; seed j is stopped by part ``j % k``.
        inputs: modality to ``[n, d]``, the clinical one included.
        risk_sets: of the rows in ``develop``.
    """

    develop: Array
    validation: Array
    inputs: dict[str, Array]
    risk_sets: RiskSets


class Prepared(NamedTuple):
    """A cohort under some splits.

    Attributes:
        shared, splits: what :func:`jaxsurv.training._sweep` places on the devices.
        preprocessing: one per split.
    """

    shared: Shared
    splits: Split
    preprocessing: tuple[Preprocessing, ...]


def prepare_fits(
    cohort: Cohort, endpoint: str, develop: np.ndarray, *, components: int | None, seed: int
) -> Prepared:
    """Fit the preprocessing to the rows of each mask, apply it to all rows.

    Args:
        cohort: with patients without an outcome, if these are to train as well.
        endpoint: of the cohort.
        develop: ``[s, n]`` booleans, labelled rows.
        components: let each modality with more features, except the clinical one, enter as so many
            principal components; None = feature by feature.
        seed: of the early-stopping parts.

    Raises:
        InputError: fewer than two events in a mask.

    Warns:
        DataWarning: patients without any modality: they count, and all have one risk.
    """
    if components is not None and components < 1:
        raise InputError(f"components must be at least 1 or None, got {components}")
    event, time = (cohort.survival[f"{endpoint}_{c}"].to_numpy(float) for c in ("event", "time"))
    labelled = ~np.isnan(time)
    event, time = np.where(labelled, event, 0), np.where(labelled, time, 0)
    encoded = encode(cohort)
    features, splits, fitted = prepare(encoded), [], []
    for where in develop:
        if (events := int(event[where].sum())) < 2:
            raise InputError(f"{events} events in {where.sum()} patients; needs at least 2")
        scaler = jax.tree.map(np.asarray, jax.jit(fit_scaler)(features, where))
        one = Preprocessing(encoded.schema, scaler, {}, {})
        if components is not None:
            projection = _projections(encoded, one, where, components)
            one = Preprocessing(encoded.schema, scaler, projection, {})
        made = standardised(one, cohort.modalities, cohort.survival.index)
        deal = min(PARTS, events)
        parts = stratified_kfold(
            event, folds=deal, seed=seed, eligible=where, validation_fraction=None
        )
        sets = prepare_risk_sets(np.where(where, event, 0), np.where(where, time, 0), where=where)
        # as many parts in every split, so that they stack
        validation = parts.test[np.arange(PARTS) % deal]
        splits.append(Split(where, validation, made.inputs, sets))  # type: ignore[arg-type]
        fitted.append(one)
    shared = Shared(
        encoded.presence,  # type: ignore[arg-type]
        event.astype(np.float32),  # type: ignore[arg-type]
        time.astype(np.float32),  # type: ignore[arg-type]
        None if labelled.all() else labelled,  # type: ignore[arg-type]
    )
    return Prepared(shared, jax.tree.map(lambda *a: np.stack(a), *splits), tuple(fitted))


def _projections(
    encoded: Encoded, fitted: Preprocessing, where: np.ndarray, components: int
) -> dict[str, np.ndarray]:
    z = np.asarray(transform(fitted.scaler, encoded.x))  # type: ignore[arg-type]
    return {
        m: fit_projection(z[where & (encoded.presence[m] > 0)][:, columns], components)
        for m, columns in encoded.columns.items()
        if m != CLINICAL and columns.stop - columns.start > components
    }


def standardised(fitted: Preprocessing, tables: Any, patients: pd.Index) -> Standardised:
    """What a network reads of ``patients``, in their order; training and prediction both use this.

    Warns:
        DataWarning: patients without any modality.
    """
    made = fitted.apply(tables)
    rows = pd.Index(made.patients).get_indexer(patients)
    if len(absent := patients[rows < 0]):
        warnings.warn(
            f"{len(absent)} of {len(patients)} patients have no modality at all: {few(absent)}; all of "
            "them get one risk",
            DataWarning,
            stacklevel=2,
        )
    there = (rows >= 0).astype(np.float32)
    inputs = {m: x[rows] * there[:, None] for m, x in made.inputs.items()}
    presence = {m: p[rows] * there for m, p in made.presence.items()}
    return Standardised(tuple(patients), inputs, presence)


def as_batch(inputs: Mapping[str, Any], presence: Mapping[str, Any]) -> Batch:
    """Patients whose outcome need not be known, for predictions.

    Args:
        inputs, presence: see :class:`jaxsurv.preprocess.Standardised`.
    """
    n = len(next(iter(inputs.values())))
    inputs, zero = dict(inputs), np.zeros(n, np.float32)
    clinical = inputs.pop(CLINICAL, np.zeros((n, 0), np.float32))
    return Batch(
        inputs=inputs,
        presence={m: presence[m] for m in inputs},
        clinical=clinical,  # type: ignore[arg-type]
        offset=zero,  # type: ignore[arg-type]
        outcome=Survival(zero, zero),
        where=np.ones(n, bool),  # type: ignore[arg-type]
        risk_sets=None,  # type: ignore[arg-type]
    )


def build(shared: Shared, split: Split, seed: Array) -> tuple[Batch, Masks]:
    """One run's batch and masks; pure, runs inside the compiled sweep."""
    inputs = dict(split.inputs)
    clinical = inputs.pop(CLINICAL, jnp.zeros((shared.event.shape[0], 0)))
    batch = Batch(
        inputs=inputs,
        presence={m: shared.presence[m] for m in inputs},
        clinical=clinical,
        offset=jnp.zeros_like(shared.event),
        outcome=Survival(shared.event, shared.time),
        where=split.develop,
        risk_sets=split.risk_sets,
    )
    validation = split.validation[seed % split.validation.shape[0]]
    masks = Masks(split.develop & ~validation, validation, split.develop)
    if shared.labelled is None:
        return batch, masks
    more = ~shared.labelled
    batch = batch._replace(where=batch.where | more, labelled=shared.labelled)
    return batch, masks._replace(train=masks.train | more, develop=masks.develop | more)
