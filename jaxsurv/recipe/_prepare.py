"""Prepare a cohort and its splits for a sweep: everything is fitted per split, on training rows."""

from dataclasses import replace

import jax
import numpy as np
import pandas as pd

from jaxsurv.data import Cohort, Splits
from jaxsurv.data.row_checks import refuse_straddling
from jaxsurv.data.tables import few, warn
from jaxsurv.preprocess import encode, fit_scaler, sort_columns
from jaxsurv.recipe.cox import block_ridge_cox, clinical_cox, with_offset
from jaxsurv.recipe.prepared import Prepared, Shared, Split, known_outcome, outcome_in
from jaxsurv.recipe.settings import Recipe
from jaxsurv.recipe.steps import impute, project, select
from jaxsurv.survival import RiskSets, prepare_risk_sets
from jaxsurv.types import InputError, Survival


def prepare(
    cohort: Cohort,
    endpoint: str,
    splits: Splits,
    recipe: Recipe = Recipe(),
    *,
    unlabelled: bool = False,
) -> Prepared:
    """Encode the patients labelled for ``endpoint`` once, and fit the recipe to every split.

    Args:
        cohort: patients; the modality named ``clinical``, if there is one, is the clinical block.
        endpoint: one of ``cohort.endpoints``.
        splits: masks over the rows of ``cohort.for_endpoint(endpoint)``.
        recipe: choices of the preprocessing.
        unlabelled: patients without an outcome train as well, in every split. Scaling and selection are
            fitted to labelled patients all the same. Where patients have several rows, none is without.

    Raises:
        InputError: splits of another number of patients, or with some rows of a patient on either side; a
            block that the cohort lacks.

    Warns:
        DataWarning: labelled patients who have other modalities than the blocks alone: they stay, and all get
            one prediction (as patients without any modality do, of whom the cohort has warned).

    >>> from jaxsurv.data import load_tcga_acc, stratified_kfold
    >>> cohort = load_tcga_acc()
    >>> splits = stratified_kfold(cohort.outcome("os").event, folds=3)
    >>> data = prepare(cohort, "os", splits, Recipe(offset="none"))
    >>> {m: p.shape for m, p in data.fitted.projection.items()}["rna"]  # [splits, features, components]
    (3, 198, 8)
    """
    if splits.test.shape[1] != (n := len(cohort.outcome(endpoint).event)):
        raise InputError(
            f"splits are for {splits.test.shape[1]} patients, {n} are labelled for {endpoint!r}"
        )
    if not unlabelled or cohort.patients is not None:
        cohort = cohort.for_endpoint(endpoint)
    if cohort.patients is not None:
        number, names = pd.factorize(cohort.patients)
        for masks in (splits.train, splits.validation, splits.test):
            refuse_straddling(masks, number, names)
    labelled = cohort.survival[f"{endpoint}_time"].notna().to_numpy()
    if recipe.blocks is not None and (absent := set(recipe.blocks) - set(cohort.modalities)):
        raise InputError(
            f"blocks names {few(sorted(absent))}, which the cohort lacks; there are "
            f"{few(list(cohort.modalities), 20)}"
        )
    encoded = encode(cohort, recipe.blocks, unknown=recipe.unknown)
    present = np.any([there > 0 for there in encoded.presence.values()], axis=0)
    if (without := labelled & ~present & cohort.presence.to_numpy().any(axis=1)).any():
        warn(
            f"{without.sum()} of {labelled.sum()} patients have none of {few(list(encoded.columns))}: "
            f"{few(cohort.survival.index[without])}; they count, and models give all of them the same risk",
        )
    splits = splits.spread(labelled)
    known = known_outcome(cohort, endpoint)
    shared = Shared(
        features=sort_columns(encoded),
        presence=encoded.presence,  # type: ignore[arg-type]
        outcome=jax.tree.map(
            lambda a: a.astype(np.int32 if a.dtype.kind == "i" else np.float32), known
        ),
        risk_sets=_risk_sets(known, None if labelled.all() else labelled),
        incomplete=np.flatnonzero(np.isnan(encoded.x).any(axis=1)),  # type: ignore[arg-type]
        source=_one_hot(cohort),  # type: ignore[arg-type]
    )
    develop, others = splits.develop, ~labelled & present
    clip = recipe.scaling == "clipped"
    each = [fit_scaler(shared.features, rows, clip=clip) for rows in develop]
    scaler = jax.tree.map(lambda *a: np.stack(a), *each)
    fitted = Split(
        develop=develop,  # type: ignore[arg-type]
        validation=splits.validation,  # type: ignore[arg-type]
        risk_sets=risk_sets_of(known, develop | splits.validation.any(axis=1)),
        scaler=scaler,  # type: ignore[arg-type]
        selected=None,
        projection={},
        chosen={},
        offset=np.zeros(develop.shape, np.float32),  # type: ignore[arg-type]
        unlabelled=np.tile(others, (len(develop), 1)) if others.any() else None,  # type: ignore[arg-type]
    )
    plain = replace(recipe, select="none", impute="none", components=None, offset="none")
    return refine(Prepared(cohort, endpoint, plain, splits, shared, fitted, encoded), recipe)


def refine(data: Prepared, recipe: Recipe) -> Prepared:
    """Select, impute, project, add the offset, in this order, each fitted to every split.

    Args:
        data: encoded and scaled, as `prepare` and ``Prepared.plain`` give it.
        recipe: choices; its blocks, scaling and unknown categories are those of ``data``.
    """
    scaled = {name: getattr(data.recipe, name) for name in ("blocks", "scaling", "unknown")}
    data = replace(data, recipe=replace(recipe, **scaled))
    known = {"clinical": clinical_cox, "block-ridge": block_ridge_cox}.get(recipe.offset)
    model = known and known(data)
    if recipe.select != "none":
        data = select(data)
    if recipe.impute in ("gaussian", "round-robin") and data.shared.incomplete.size:
        data = impute(data)
    if recipe.components is not None:
        data = project(data, recipe.components)
    return data if model is None else replace(with_offset(data, model), recipe=data.recipe)


def risk_sets_of(outcome: Survival, masks: np.ndarray) -> RiskSets:
    """Risk sets of the rows in each of ``masks``, stacked; other rows change no bit of them.

    Args:
        outcome: event and time ``[n]``, entry and stratum where there are any.
        masks: ``[s, n]`` booleans.
    """
    each = [_risk_sets(outcome_in(outcome, w), w) for w in masks]
    return jax.tree.map(lambda *a: np.stack(a), *each)


def _risk_sets(outcome: Survival, where: np.ndarray | None) -> RiskSets:
    return prepare_risk_sets(
        outcome.event, outcome.time, entry=outcome.entry, strata=outcome.stratum, where=where
    )


def _one_hot(cohort: Cohort) -> np.ndarray | None:
    if cohort.strata is None:
        return None
    return (cohort.codes[:, None] == np.arange(len(cohort.labels))).astype(np.float32)
