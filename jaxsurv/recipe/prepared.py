"""One endpoint of one cohort as a sweep reads it: shared arrays, and what was fitted per split."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.data import Cohort, Splits
from jaxsurv.models import CLINICAL, Batch
from jaxsurv.preprocess import (
    Encoded,
    Features,
    Imputation,
    Preprocessing,
    Scaler,
    fit_imputation,
    transform,
)
from jaxsurv.survival import RiskSets
from jaxsurv.training import Masks
from jaxsurv.types import Array, Survival

Impute = Literal["none", "mean", "gaussian", "round-robin"]


class Shared(NamedTuple):
    """Arrays that all splits share, on the device once; patients in the cohort's order.

    Attributes:
        features: ``[n, d]``, NaN where missing.
        presence: modality to ``[n]``.
        event, time: ``[n]``, 0 for patients without an outcome.
        risk_sets: of all patients with an outcome.
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
        chosen: modality to ``[k]``, its columns that enter where features were selected: those in use,
            then others, which are 0, up to the number asked for, or all where none was; empty if
            nothing was selected.
        offset: ``[n]`` known part of the log hazard, 0 if none.
        imputed: ``[r, d]``, the incomplete rows with what was imputed filled in; None = nothing was.
        unlabelled: ``[n]`` booleans, rows that train without an outcome, none of which is in another
            mask; None = there are none.
    """

    develop: Array
    validation: Array
    risk_sets: RiskSets
    scaler: Scaler
    projection: dict[str, Array]
    chosen: dict[str, Array]
    offset: Array
    imputed: Array | None = None
    unlabelled: Array | None = None


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
        cohort: the patients labelled for the endpoint, and in semi-supervised studies all others.
        endpoint: its name.
        shared: arrays of all patients.
        splits: one row per split.
        encoded: where each modality's columns are, and the names of all features.
        design: the masks that the splits were made from, with repeat, fold and protocol.
        impute: how; unless by ``"none"``, all modalities count as present.
    """

    cohort: Cohort
    endpoint: str
    shared: Shared
    splits: Split
    encoded: Encoded
    design: Splits
    impute: Impute = "none"

    @property
    def unused(self) -> list[str]:
        """Modalities without a single usable feature in any split."""
        gain = np.asarray(self.splits.scaler.gain)
        return [m for m, columns in self.encoded.columns.items() if not gain[:, columns].any()]

    @property
    def labelled(self) -> np.ndarray:
        """``[n]`` booleans, the patients with an outcome."""
        return self.cohort.survival[f"{self.endpoint}_time"].notna().to_numpy()

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
        """What was fitted on one split, to be kept with its models."""
        fitted = jax.tree.map(lambda x: np.asarray(x[split]), self.splits)
        imputation = None if self.impute == "none" else self.imputation(fitted)
        columns = {m: c for m, c in fitted.chosen.items() if m not in fitted.projection}
        return Preprocessing(
            self.encoded.schema, fitted.scaler, fitted.projection, columns, imputation
        )

    def imputation(self, split: Split) -> Imputation:
        """Fitted again whenever it is asked for: kept for every split it would fill the memory."""
        presence, columns = self.encoded.presence, self.encoded.columns
        return fit_imputation(
            self.impute, self.shared.features, split.scaler, columns, presence, split.develop
        )

    def build(self, shared: Shared, split: Split, seed: Array) -> tuple[Batch, Masks]:
        """One run's batch and masks; pure, runs inside the compiled sweep."""
        inputs = self.standardised(shared, split)
        clinical = inputs.pop(CLINICAL, jnp.zeros((shared.event.shape[0], 0)))
        used = {m: split.scaler.gain[self.encoded.columns[m]] > 0 for m in inputs}
        for m in inputs:
            if m in split.projection:
                inputs[m] = inputs[m] @ split.projection[m]
                used[m] = jnp.any(split.projection[m] != 0, axis=0)
            elif m in split.chosen:
                inputs[m], used[m] = inputs[m][:, split.chosen[m]], used[m][split.chosen[m]]
        presence = {m: shared.presence[m] for m in inputs}
        batch = Batch(
            inputs=inputs,
            presence=presence if self.impute == "none" else jax.tree.map(jnp.ones_like, presence),
            clinical=clinical,
            offset=split.offset,
            outcome=Survival(shared.event, shared.time),
            where=split.develop | jnp.any(split.validation, axis=0),
            risk_sets=split.risk_sets,
            feature_mask={m: u.astype(jnp.float32) for m, u in used.items()}
            if split.chosen
            else None,
        )
        validation = split.validation[seed % split.validation.shape[0]]
        masks = Masks(split.develop & ~validation, validation, split.develop)
        if split.unlabelled is None:
            return batch, masks
        more = split.unlabelled
        batch = batch._replace(where=batch.where | more, labelled=~more)
        return batch, masks._replace(train=masks.train | more, develop=masks.develop | more)
