"""From a cohort and its splits to what a sweep reads: shared arrays, and what was fitted per split."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxsurv.data import Cohort, Splits
from jaxsurv.models import Batch
from jaxsurv.preprocess import (
    Encoded,
    Features,
    Scaler,
    encode,
    fit_projection,
    fit_scaler,
    prepare,
    transform,
)
from jaxsurv.survival import RiskSets, prepare_risk_sets
from jaxsurv.training import Masks
from jaxsurv.types import Array, InputError, Survival

CLINICAL = "clinical"


class Shared(NamedTuple):
    """Arrays that all splits share, on the device once; patients in the cohort's order."""

    features: Features
    presence: dict[str, Array]
    event: Array
    time: Array
    risk_sets: RiskSets


class Split(NamedTuple):
    """One split, or with a leading axis all of them: its masks and what was fitted on them.

    Attributes:
        develop: ``[n]`` booleans; all that follows the next was fitted on these rows.
        validation: ``[k, n]`` booleans; seed j is stopped by part ``j % k``.
        scaler: clipping and z-scores of all features.
        projection: modality to ``[d, k]``; empty if the modalities enter feature by feature.
        offset: ``[n]`` known part of the log hazard, 0 if none.
    """

    develop: Array
    validation: Array
    scaler: Scaler
    projection: dict[str, Array]
    offset: Array


@dataclass(frozen=True)
class StudyData:
    """One endpoint of one cohort, ready to be swept.

    Attributes:
        cohort: the patients labelled for the endpoint.
        endpoint: its name.
        shared: arrays of all patients.
        splits: one row per split.
        encoded: where each modality's columns are, and the names of all features.
        design: the masks that the splits were made from, with repeat, fold and protocol.
    """

    cohort: Cohort
    endpoint: str
    shared: Shared
    splits: Split
    encoded: Encoded
    design: Splits

    @property
    def unused(self) -> list[str]:
        """Modalities without a single usable feature in any split."""
        gain = np.asarray(self.splits.scaler.gain)
        return [m for m, columns in self.encoded.columns.items() if not gain[:, columns].any()]

    @property
    def test_fraction(self) -> float:
        """Test rows per development row, which intervals over splits allow for."""
        return float(self.design.test.sum() / self.design.develop.sum())

    def standardised(self, shared: Shared, split: Split) -> dict[str, Array]:
        """``{modality: [n, d]}``, clinical included, before any projection."""
        z = transform(split.scaler, shared.features.x)
        return {m: z[:, columns] for m, columns in self.encoded.columns.items()}

    def standardised_splits(self) -> Iterator[tuple[Split, dict[str, np.ndarray]]]:
        """Each split with its `standardised` modalities, for what is fitted on the host."""
        standardise = jax.jit(self.standardised)
        for s in range(len(self.design.fold)):
            split = jax.tree.map(lambda x, s=s: x[s], self.splits)
            yield split, jax.tree.map(np.asarray, standardise(self.shared, split))

    def build(self, shared: Shared, split: Split, seed: Array) -> tuple[Batch, Masks]:
        """One run's batch and masks; pure, runs inside the compiled sweep."""
        inputs = self.standardised(shared, split)
        clinical = inputs.pop(CLINICAL, jnp.zeros((shared.event.shape[0], 0)))
        inputs = {
            m: z @ split.projection[m] if m in split.projection else z for m, z in inputs.items()
        }
        batch = Batch(
            inputs=inputs,
            presence={m: shared.presence[m] for m in inputs},
            clinical=clinical,
            offset=split.offset,
            outcome=Survival(shared.event, shared.time),
            where=jnp.ones_like(split.develop),
            risk_sets=shared.risk_sets,
        )
        validation = split.validation[seed % split.validation.shape[0]]
        return batch, Masks(split.develop & ~validation, validation, split.develop)


def prepare_study(
    cohort: Cohort, endpoint: str, splits: Splits, *, components: int | None = None
) -> StudyData:
    """Encode the patients labelled for ``endpoint`` and fit every split's preprocessing.

    Args:
        cohort: its modality named ``clinical``, if there is one, is the clinical block; all others are
            encoded by the models.
        endpoint: one of ``cohort.endpoints``.
        splits: masks over the rows of ``cohort.for_endpoint(endpoint)``.
        components: let each modality with more features enter as so many principal components; None =
            feature by feature.

    Returns:
        the data with a zero offset; see :func:`jaxsurv.study.baselines.with_offset`.

    Raises:
        InputError: also for delayed entry, which the losses know but the study's scores and curves
            do not yet.
    """
    cohort = cohort.for_endpoint(endpoint)
    outcome = cohort.outcome(endpoint)
    n = len(outcome.event)
    if splits.test.shape[1] != n:
        raise InputError(
            f"splits are for {splits.test.shape[1]} patients, {n} are labelled for {endpoint!r}"
        )
    if outcome.entry is not None:
        raise InputError(
            f"endpoint {endpoint!r} has delayed entry ({endpoint}_entry), which studies cannot score "
            "yet; use jaxsurv.survival and jaxsurv.metrics, or drop the column if all enter at 0"
        )
    if not set(cohort.modalities) - {CLINICAL}:
        raise InputError(f"cohort {cohort.name!r} has no modality to encode beside {CLINICAL!r}")
    if components is not None and components < 1:
        raise InputError(f"components must be at least 1 or None, got {components}")
    encoded = encode(cohort)
    shared = Shared(
        features=prepare(encoded),
        presence=encoded.presence,  # type: ignore[arg-type]
        event=np.asarray(outcome.event, np.float32),  # type: ignore[arg-type]
        time=np.asarray(outcome.time, np.float32),  # type: ignore[arg-type]
        risk_sets=prepare_risk_sets(outcome.event, outcome.time),
    )
    develop = splits.develop
    fitted = Split(
        develop=develop,  # type: ignore[arg-type]
        validation=splits.validation,  # type: ignore[arg-type]
        scaler=jax.tree.map(np.asarray, _fit_scalers(shared.features, develop)),  # type: ignore[arg-type]
        projection={},
        offset=np.zeros(develop.shape, np.float32),  # type: ignore[arg-type]
    )
    data = StudyData(cohort, endpoint, shared, fitted, encoded, splits)
    return data if components is None else _with_projection(data, components)


@jax.jit
def _fit_scalers(features: Features, masks: Array) -> Scaler:
    return lax.map(lambda where: fit_scaler(features, where), masks)


def _with_projection(data: StudyData, components: int) -> StudyData:
    wide = [
        m
        for m, c in data.encoded.columns.items()
        if m != CLINICAL and c.stop - c.start > components
    ]
    projection = {m: [] for m in wide}
    for split, z in data.standardised_splits():
        for m in wide:
            rows = np.asarray(split.develop) & (data.encoded.presence[m] > 0)
            projection[m].append(fit_projection(z[m][rows], components))
    stacked = {m: np.stack(p) for m, p in projection.items()}
    return replace(data, splits=data.splits._replace(projection=stacked))


def without_offset(data: StudyData) -> StudyData:
    """The data with an offset of 0."""
    return replace(data, splits=data.splits._replace(offset=np.zeros_like(data.splits.offset)))


def one_part(data: StudyData) -> StudyData:
    """The data with the same early-stopping rows for all seeds."""
    first = data.design.validation[:, :1]
    design = data.design._replace(validation=first, train=data.design.train[:, :1])
    return replace(data, design=design, splits=data.splits._replace(validation=first))
