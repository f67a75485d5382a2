"""From a cohort and its splits to what a sweep reads: everything is fitted per split, on training rows."""

import queue
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Literal

import jax
import numpy as np
import pandas as pd
from jax import lax
from threadpoolctl import threadpool_limits

from jaxsurv.data import Cohort, DataWarning, Splits
from jaxsurv.preprocess import (
    Features,
    Scaler,
    encode,
    fit_projection,
    fit_scaler,
    impute_missing,
    prepare,
    select_by_elastic_net,
    select_by_variance,
    selection_stability,
)
from jaxsurv.preprocess.select import TOP
from jaxsurv.recipe.prepared import CLINICAL, Impute, Shared, Split, StudyData
from jaxsurv.survival import RiskSets, prepare_risk_sets
from jaxsurv.types import Array, InputError, check_choice

Select = Literal["none", "variance", "elastic-net"]


def prepare_study(
    cohort: Cohort,
    endpoint: str,
    splits: Splits,
    *,
    select: Select = "none",
    impute: Impute = "none",
    components: int | None = None,
    semi_supervised: bool = False,
) -> StudyData:
    """Encode the patients labelled for ``endpoint`` and fit every split's preprocessing.

    Args:
        cohort: its modality named ``clinical``, if there is one, is the clinical block; all others are
            encoded by the models.
        endpoint: one of ``cohort.endpoints``.
        splits: masks over the rows of ``cohort.for_endpoint(endpoint)``.
        select, impute, components: see `refine`.
        semi_supervised: all other patients take part as well, unlabelled, in every split's training.
            Scaling and selection are fitted to labelled patients all the same.

    Returns:
        the data with a zero offset; see :func:`jaxsurv.recipe.cox.with_offset`.

    Raises:
        InputError: also for delayed entry, which the losses know but the study's scores and curves
            do not yet.

    Warns:
        DataWarning: labelled patients without any modality: they stay, and all get one prediction.
    """
    outcome = cohort.outcome(endpoint)
    if splits.test.shape[1] != len(outcome.event):
        raise InputError(
            f"splits are for {splits.test.shape[1]} patients, {len(outcome.event)} are labelled for "
            f"{endpoint!r}"
        )
    cohort = cohort if semi_supervised else cohort.for_endpoint(endpoint)
    labelled = cohort.survival[f"{endpoint}_time"].notna().to_numpy()
    splits = splits.spread(labelled)
    event, time = np.zeros((2, len(labelled)))
    event[labelled], time[labelled] = outcome.event, outcome.time
    if outcome.entry is not None:
        raise InputError(
            f"endpoint {endpoint!r} has delayed entry ({endpoint}_entry), which studies cannot score "
            "yet; use jaxsurv.survival and jaxsurv.metrics, or drop the column if all enter at 0"
        )
    if not set(cohort.modalities) - {CLINICAL}:
        raise InputError(f"cohort {cohort.name!r} has no modality to encode beside {CLINICAL!r}")
    present = cohort.presence.to_numpy().any(axis=1)
    if absent := int((labelled & ~present).sum()):
        warnings.warn(
            f"{absent} of {labelled.sum()} patients have no modality at all: they count, and models give "
            "all of them the same risk; leave them out if their data are still to come",
            DataWarning,
            stacklevel=2,
        )
    encoded = encode(cohort)
    shared = Shared(
        features=prepare(encoded),
        presence=encoded.presence,  # type: ignore[arg-type]
        event=event.astype(np.float32),  # type: ignore[arg-type]
        time=time.astype(np.float32),  # type: ignore[arg-type]
        risk_sets=prepare_risk_sets(event, time, where=None if labelled.all() else labelled),
        incomplete=np.flatnonzero(np.isnan(encoded.x).any(axis=1)),  # type: ignore[arg-type]
    )
    develop = splits.develop
    others = ~labelled & present
    fitted = Split(
        develop=develop,  # type: ignore[arg-type]
        validation=splits.validation,  # type: ignore[arg-type]
        risk_sets=risk_sets_of(event, time, develop | splits.validation.any(axis=1)),
        scaler=jax.tree.map(np.asarray, _fit_scalers(shared.features, develop)),  # type: ignore[arg-type]
        projection={},
        chosen={},
        offset=np.zeros(develop.shape, np.float32),  # type: ignore[arg-type]
        unlabelled=np.tile(others, (len(develop), 1)) if others.any() else None,  # type: ignore[arg-type]
    )
    data = StudyData(cohort, endpoint, shared, fitted, encoded, splits)
    return refine(data, select=select, impute=impute, components=components)


def refine(
    data: StudyData,
    *,
    select: Select = "none",
    impute: Impute = "none",
    components: int | None = None,
    top: int = TOP,
) -> StudyData:
    """Select, impute, project, in this order, each fitted on the development rows of every split.

    Args:
        data: as encoded and scaled.
        select: features of the modalities other than the clinical one:
            :func:`jaxsurv.preprocess.select_by_variance` or
            :func:`jaxsurv.preprocess.select_by_elastic_net`.
        impute: ``"none"``: models are told what is missing; else all modalities count as present, with
            ``"mean"`` values, or by :func:`jaxsurv.preprocess.fit_gaussian` or
            :func:`jaxsurv.preprocess.fit_round_robin` from the selected features and the clinical ones.
        top: features of each modality that ``select="variance"`` keeps.
        components: let each modality with more features enter as so many principal components; None =
            feature by feature.
    """
    for name, value, known in (("select", select, Select), ("impute", impute, Impute)):
        check_choice(name, value, known.__args__)
    if components is not None and components < 1:
        raise InputError(f"components must be at least 1 or None, got {components}")
    if select != "none":
        data = _with_selection(data, select, top)
    data = replace(data, impute=impute)
    if impute in ("gaussian", "round-robin") and data.shared.incomplete.size:
        data = _with_imputation(data)
    return data if components is None else _with_projection(data, components)


def risk_sets_of(event: np.ndarray, time: np.ndarray, masks: np.ndarray) -> RiskSets:
    """Those of the rows in each of ``masks`` ``[s, n]``, stacked; other rows change no bit of them."""
    each = [prepare_risk_sets(np.where(w, event, 0), np.where(w, time, 0), where=w) for w in masks]
    return jax.tree.map(lambda *a: np.stack(a), *each)


@jax.jit
def _fit_scalers(features: Features, masks: Array) -> Scaler:
    return lax.map(lambda where: fit_scaler(features, where), masks)


def _over_splits(data: StudyData, fit: Callable[[Split], np.ndarray]) -> np.ndarray:
    """One split at a time on each device: a path of penalties keeps no more than one core busy."""
    devices = queue.SimpleQueue()
    for device in jax.local_devices():
        devices.put(device)

    def on_device(s: int) -> np.ndarray:
        device = devices.get()
        try:
            with jax.default_device(device):
                return fit(jax.tree.map(lambda x: x[s], data.splits))
        finally:
            devices.put(device)

    # more threads inside LAPACK would only wait for each other
    with threadpool_limits(1), ThreadPoolExecutor(jax.local_device_count()) as pool:
        return np.stack(list(pool.map(on_device, range(len(data.design.fold)))))


def _omics(data: StudyData) -> dict[str, slice]:
    return {m: c for m, c in data.encoded.columns.items() if m != CLINICAL}


def _with_selection(data: StudyData, select: Select, top: int) -> StudyData:
    features, modalities = data.shared.features, _omics(data)
    presence, outcome = data.encoded.presence, (data.shared.event, data.shared.time)

    def fit(split: Split) -> np.ndarray:
        where = np.asarray(split.develop)
        if select == "variance":
            return select_by_variance(features, split.scaler, modalities, where, k=top)
        return select_by_elastic_net(features, split.scaler, modalities, presence, *outcome, where)

    scaler = data.splits.scaler
    gain = np.where(_over_splits(data, fit), scaler.gain, np.float32(0))
    chosen = {}
    for m, columns in modalities.items():
        used = gain[:, columns] > 0
        # a size known beforehand: what another split selects depends on the test rows of this one
        most = min(top, used.shape[1]) if select == "variance" else used.shape[1]
        chosen[m] = np.argsort(~used, axis=1, kind="stable")[:, :most].astype(np.int32)
    splits = data.splits._replace(scaler=scaler._replace(gain=gain), chosen=chosen)  # type: ignore[arg-type]
    return replace(data, splits=splits)


def _with_imputation(data: StudyData) -> StudyData:
    rows, encoded = np.asarray(data.shared.incomplete), data.encoded

    def fill(split: Split) -> np.ndarray:
        return impute_missing(data.imputation(split), encoded.x, encoded.presence)[rows]

    filled = _over_splits(data, fill)
    return replace(data, splits=data.splits._replace(imputed=filled))  # type: ignore[arg-type]


def _with_projection(data: StudyData, components: int) -> StudyData:
    wide = [m for m, c in _omics(data).items() if c.stop - c.start > components]
    projection: dict[str, Any] = {m: [] for m in wide}
    for split, z in data.standardised_splits():
        for m in wide:
            rows = np.asarray(split.develop) & (data.encoded.presence[m] > 0)
            projection[m].append(fit_projection(z[m][rows], components))
    stacked = {m: np.stack(p) for m, p in projection.items()}
    return replace(data, splits=data.splits._replace(projection=stacked))


def selection_table(data: StudyData) -> pd.DataFrame:
    """What was selected how often: one row per feature, with the stability of its modality.

    ``frequency`` is the share of splits that use the feature; ``stability``, ``lower`` and ``upper`` are
    of :func:`jaxsurv.preprocess.selection_stability`, ``selected`` the mean number, over the modality.
    """
    used = np.asarray(data.splits.scaler.gain) > 0
    tables = []
    for m, columns in _omics(data).items():
        found = selection_stability(used[:, columns])
        table = {
            "modality": m,
            "feature": data.encoded.names[columns],
            "frequency": found.frequency,
            "selected": found.size,
            "stability": found.index,
            "lower": found.lower,
            "upper": found.upper,
        }
        tables.append(pd.DataFrame(table).sort_values("frequency", ascending=False, kind="stable"))
    return pd.concat(tables, ignore_index=True)


def without_offset(data: StudyData) -> StudyData:
    """The data with an offset of 0."""
    return replace(data, splits=data.splits._replace(offset=np.zeros_like(data.splits.offset)))


def one_part(data: StudyData) -> StudyData:
    """The data with the same early-stopping rows for all seeds."""
    first = data.design.validation[:, :1]
    design = data.design._replace(validation=first, train=data.design.train[:, :1])
    return replace(data, design=design, splits=data.splits._replace(validation=first))
