"""One endpoint of one cohort as a sweep reads it: shared arrays, and what was fitted per split."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.data import Cohort, Splits
from jaxsurv.models import Batch
from jaxsurv.preprocess import Encoded, Features, Preprocessing, Scaler, transform
from jaxsurv.survival import RiskSets
from jaxsurv.training import Masks
from jaxsurv.types import Array, InputError, Survival

CLINICAL = "clinical"


class Shared(NamedTuple):
    """Arrays that all splits share, on the device once; patients in the cohort's order.

    Attributes:
        features: ``[n, d]``, NaN where missing.
        presence: modality to ``[n]``.
        event, time: ``[n]``.
        risk_sets: of all patients.
        incomplete: ``[r]``, the rows with a missing value.
    """

    features: Features
    presence: dict[str, Array]
    event: Array
    time: Array
    risk_sets: RiskSets
    incomplete: Array


class Split(NamedTuple):
    """One split, or with a leading axis all of them: its masks and what was fitted on them.

    Attributes:
        develop: ``[n]`` booleans; all that follows the next two was fitted on these rows.
        validation: ``[k, n]`` booleans; seed j is stopped by part ``j % k``.
        risk_sets: of the rows that train or stop the training. The order of all rows would depend on
            the outcomes of test rows, and sums over it in their last bit.
        scaler: clipping and z-scores of all features; gain 0 for those that are not selected.
        projection: modality to ``[d, k]``; empty if the modalities enter feature by feature.
        offset: ``[n]`` known part of the log hazard, 0 if none.
        imputed: ``[r, d]``, the incomplete rows with what was imputed filled in; None = nothing was.
    """

    develop: Array
    validation: Array
    risk_sets: RiskSets
    scaler: Scaler
    projection: dict[str, Array]
    offset: Array
    imputed: Array | None = None


@jax.jit
def _standardise(shared: Shared, split: Split) -> Array:
    """``[n, d]``: all features, what was imputed filled in, clipped and scaled."""
    x = shared.features.x
    if split.imputed is not None:
        x = jnp.asarray(x).at[shared.incomplete].set(split.imputed)
    return transform(split.scaler, x)


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
        selects: features that are not selected have no reconstruction loss.
        imputes: all modalities count as present.
    """

    cohort: Cohort
    endpoint: str
    shared: Shared
    splits: Split
    encoded: Encoded
    design: Splits
    selects: bool = False
    imputes: bool = False

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
        z = _standardise(shared, split)
        return {m: z[:, columns] for m, columns in self.encoded.columns.items()}

    def standardised_splits(self) -> Iterator[tuple[Split, dict[str, np.ndarray]]]:
        """Each split with its `standardised` modalities, for what is fitted on the host."""
        for s in range(len(self.design.fold)):
            split = jax.tree.map(lambda x, s=s: x[s], self.splits)
            yield split, jax.tree.map(np.asarray, self.standardised(self.shared, split))

    def preprocessing(self, split: int) -> Preprocessing:
        """What was fitted on one split, to be kept with its models.

        Raises:
            InputError: features are imputed, which it does not hold.
        """
        if self.imputes:
            raise InputError("preprocessing that imputes cannot be kept yet; use impute='none'")
        fitted = jax.tree.map(lambda x: np.asarray(x[split]), self.splits)
        return Preprocessing(self.encoded.schema, fitted.scaler, fitted.projection)

    def build(self, shared: Shared, split: Split, seed: Array) -> tuple[Batch, Masks]:
        """One run's batch and masks; pure, runs inside the compiled sweep."""
        inputs = self.standardised(shared, split)
        clinical = inputs.pop(CLINICAL, jnp.zeros((shared.event.shape[0], 0)))
        used = {m: split.scaler.gain[self.encoded.columns[m]] > 0 for m in inputs}
        for m, projection in split.projection.items():
            inputs[m] = inputs[m] @ projection
            used[m] = jnp.any(projection != 0, axis=0)
        presence = {m: shared.presence[m] for m in inputs}
        batch = Batch(
            inputs=inputs,
            presence=jax.tree.map(jnp.ones_like, presence) if self.imputes else presence,
            clinical=clinical,
            offset=split.offset,
            outcome=Survival(shared.event, shared.time),
            where=split.develop | jnp.any(split.validation, axis=0),
            risk_sets=split.risk_sets,
            feature_mask={m: u.astype(jnp.float32) for m, u in used.items()}
            if self.selects
            else None,
        )
        validation = split.validation[seed % split.validation.shape[0]]
        return batch, Masks(split.develop & ~validation, validation, split.develop)
