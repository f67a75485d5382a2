"""One endpoint of one cohort as a sweep reads it: shared arrays, and what was fitted on each split."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

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
from jaxsurv.recipe.members import PenalisedCox
from jaxsurv.recipe.settings import Recipe
from jaxsurv.survival import RiskSets
from jaxsurv.training import Masks
from jaxsurv.training.programs import kept
from jaxsurv.types import Array, Survival


class Shared(NamedTuple):
    """Arrays that all splits share, on the device once; patients in the cohort's order.

    Attributes:
        features: ``[n, d]``, NaN where missing.
        presence: modality to ``[n]``.
        outcome: event and time ``[n]``, 0 for patients without an outcome; entry, stratum and code where
            there are any.
        risk_sets: risk sets of all patients with an outcome.
        incomplete: ``[r]``, row numbers with a missing value.
        source: ``[n, s]`` one-hot, the stratum of every patient, 0 where unknown; None = no strata.
    """

    features: Features
    presence: dict[str, Array]
    outcome: Survival
    risk_sets: RiskSets
    incomplete: Array
    source: Array | None = None


class Split(NamedTuple):
    """Masks of one split and what was fitted on its development rows; with a leading axis, of all splits.

    Attributes:
        develop: ``[n]`` booleans, the rows that everything below was fitted on.
        validation: ``[k, n]`` booleans, early-stopping parts; seed j is stopped by part ``j % k``.
        risk_sets: risk sets of the rows that train or stop the training. The order of all rows would
            depend on the outcomes of test rows, and sums over it in their last bit.
        scaler: clipping and z-scores of all features.
        selected: ``[d]`` booleans, features that networks read; None = all.
        projection: modality to ``[d, k]``; empty if the modalities enter feature by feature.
        chosen: modality to ``[k]``, its columns that enter where features were selected: those in use,
            then others, which are 0, up to the number asked for, or all where none was; empty if
            nothing was selected.
        offset: ``[n]`` known part of the log hazard, 0 if none.
        imputed: ``[r, d]``, the incomplete rows with imputed values; None = nothing was imputed.
        unlabelled: ``[n]`` booleans, rows that train without an outcome, none of which is in another
            mask; None = there are none.
    """

    develop: Array
    validation: Array
    risk_sets: RiskSets
    scaler: Scaler
    selected: Array | None
    projection: dict[str, Array]
    chosen: dict[str, Array]
    offset: Array
    imputed: Array | None = None
    unlabelled: Array | None = None

    @property
    def gain(self) -> Array:
        """``[d]`` gains of the features that networks read, 0 for all others."""
        gain = self.scaler.gain
        return gain if self.selected is None else gain * self.selected


def _standardise(shared: Shared, split: Split) -> Array:
    """``[n, d]``: all features, what was imputed filled in, clipped and scaled."""
    x, imputed = shared.features.x, split.imputed
    if imputed is not None and isinstance(x, np.ndarray):
        x = x.copy()
        x[shared.incomplete] = imputed
    elif imputed is not None:
        x = x.at[shared.incomplete].set(imputed)
    return transform(split.scaler._replace(gain=split.gain), x)


def outcome_in(outcome: Survival, where: np.ndarray) -> Survival:
    """``outcome`` with one value in all rows outside ``where`` ``[n]``, which may be in no risk set.

    The order of all rows would depend on the outcomes of test rows, and sums over it in their last bit.
    """
    known = Survival(*(None if a is None else np.where(where, a, 0) for a in outcome))
    if known.entry is None:
        return known
    return known._replace(entry=np.where(where, known.entry, -1))  # before their time, which is 0


def known_outcome(cohort: Cohort, endpoint: str) -> Survival:
    """Event, time, entry (in float64), stratum and code of all patients, see `outcome_in`."""
    table = cohort.survival
    names = [f"{endpoint}_{part}" for part in ("event", "time", "entry")]
    event, time, entry = (table[n].to_numpy(float) if n in table else None for n in names)
    strata, causes = None if cohort.strata is None else cohort.codes, cohort.competing
    code = None
    if causes is not None and causes.endpoint == endpoint:
        code = causes.codes.loc[table.index].to_numpy(float)
    known = Survival(event, time, entry, stratum=strata, code=code)  # type: ignore[arg-type]
    return outcome_in(known, ~np.isnan(time))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Prepared:
    """One endpoint of one cohort under some splits, ready to be swept.

    Attributes:
        cohort: the patients labelled for the endpoint, and in semi-supervised fits all others.
        endpoint: name of the endpoint.
        recipe: choices of the preprocessing.
        splits: masks of rows, one row per split.
        shared: arrays of all patients.
        fitted: quantities fitted on each split, with the leading axis ``[splits]``.
        encoded: columns of each modality, and the names of all features.
        offset_model: Cox model whose cross-fitted log hazard is the offset; None if there is none, or if
            it is no single Cox model.
    """

    cohort: Cohort
    endpoint: str
    recipe: Recipe
    splits: Splits
    shared: Shared
    fitted: Split
    encoded: Encoded
    offset_model: PenalisedCox | None = None

    @property
    def plain(self) -> "Prepared":
        """Prepared data before selection, imputation, projection and offset, as Cox members read them."""
        fitted = self.fitted._replace(
            selected=None, projection={}, chosen={}, imputed=None,
            offset=np.zeros(self.splits.test.shape, np.float32),
        )  # fmt: skip
        recipe = replace(self.recipe, select="none", impute="none", components=None, offset="none")
        return replace(self, recipe=recipe, fitted=fitted, offset_model=None)

    def offset_if(self, name: str) -> PenalisedCox | None:
        """The offset's Cox model, if it is what ``Recipe.offset`` calls ``name``."""
        return self.offset_model if self.recipe.offset == name else None

    @property
    def unused(self) -> list[str]:
        """Modalities without a single usable feature in any split."""
        gain = np.asarray(self.fitted.scaler.gain)
        return [m for m, columns in self.encoded.columns.items() if not gain[:, columns].any()]

    @property
    def outcome(self) -> Survival:
        """Event, time, entry (in float64), stratum and code on the host, 0 (entry -1) without an outcome.

        ``shared.outcome`` is float32, which takes times far from zero for equal.
        """
        return known_outcome(self.cohort, self.endpoint)

    @property
    def event(self) -> np.ndarray:
        """``[n]``, 1 = observed, 0 = censored or without an outcome."""
        return np.asarray(self.outcome.event)

    @property
    def time(self) -> np.ndarray:
        """``[n]``, 0 for patients without an outcome."""
        return np.asarray(self.outcome.time)

    @property
    def labelled(self) -> np.ndarray:
        """``[n]`` booleans, the patients with an outcome."""
        return self.cohort.survival[f"{self.endpoint}_time"].notna().to_numpy()

    @property
    def test_fraction(self) -> float:
        """Test rows per development row, which intervals over splits allow for."""
        return float(self.splits.test.sum() / self.splits.develop.sum())

    def split(self, s: int) -> Split:
        """Quantities fitted on split number ``s``, on the host."""
        return jax.tree.map(lambda x: np.asarray(x[s]), self.fitted)

    def standardised(self, shared: Shared, split: Split) -> dict[str, Array]:
        """``{modality: [n, d]}``, clinical included, before any projection."""
        z = _standardise(shared, split)
        return {m: z[:, columns] for m, columns in self.encoded.columns.items()}

    def standardised_splits(self) -> Iterator[tuple[Split, dict[str, np.ndarray]]]:
        """Each split with its `standardised` modalities, for what is fitted on the host."""
        for s in range(len(self.splits.fold)):
            split = jax.tree.map(lambda x, s=s: x[s], self.fitted)
            yield split, jax.tree.map(np.asarray, self.standardised(self.shared, split))

    def preprocessing(self, s: int) -> Preprocessing:
        """Fitted preprocessing of split number ``s``, to be kept with its models."""
        fitted = self.split(s)
        imputation = None if self.recipe.impute == "none" else self.imputation(fitted)
        columns = {m: c for m, c in fitted.chosen.items() if m not in fitted.projection}
        return Preprocessing(
            self.encoded.schema, fitted.scaler, fitted.projection, columns, imputation,
            fitted.selected,
        )  # fmt: skip

    def imputation(self, split: Split) -> Imputation:
        """Fit the imputation of a split at each call: kept for every split it would fill the memory."""
        presence, columns = self.encoded.presence, self.encoded.columns
        scaler = split.scaler._replace(gain=split.gain)
        return fit_imputation(
            self.recipe.impute, self.shared.features, scaler, columns, presence, split.develop
        )

    @property
    def build(self) -> Callable[[Shared, Split, Array], tuple[Batch, Masks]]:
        """``(shared, split, seed) -> (batch, masks)`` of one run; pure, runs inside the compiled sweep."""
        columns = tuple((m, c.start, c.stop) for m, c in self.encoded.columns.items())
        return _build_function(columns, self.recipe.impute == "none")


@kept(32)
def _build_function(columns: tuple[tuple[str, int, int], ...], told: bool) -> Callable[..., Any]:
    """See :attr:`Prepared.build`; equal columns give the same function, and so the same program.

    Args:
        columns: name of each modality with its first column and the one after its last.
        told: whether networks are told what is missing.
    """
    parts = {m: slice(start, stop) for m, start, stop in columns}

    def build(shared: Shared, split: Split, seed: Array) -> tuple[Batch, Masks]:
        z = _standardise(shared, split)
        inputs = {m: z[:, c] for m, c in parts.items()}
        clinical = inputs.pop(CLINICAL, jnp.zeros((split.develop.shape[0], 0)))
        used = {m: split.gain[parts[m]] > 0 for m in inputs}
        for m in inputs:
            if m in split.projection:
                inputs[m] = inputs[m] @ split.projection[m]
                used[m] = jnp.any(split.projection[m] != 0, axis=0)
            elif m in split.chosen:
                inputs[m], used[m] = inputs[m][:, split.chosen[m]], used[m][split.chosen[m]]
        presence = {m: shared.presence[m] for m in inputs}
        if not told:
            presence = jax.tree.map(jnp.ones_like, presence)
        # as `Preprocessing.inputs` has it: a modality without a feature in use is absent
        read = {m: jnp.any(split.gain[parts[m]] != 0) for m in inputs}
        batch = Batch(
            inputs=inputs,
            presence={m: there * read[m] for m, there in presence.items()},
            clinical=clinical,
            offset=split.offset,
            outcome=shared.outcome,
            source=shared.source,
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

    return build
