"""Train the methods of a study over all splits and seeds, one tidy row per run as soon as it is known."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np
import pandas as pd

from jaxsurv.metrics import concordance_index
from jaxsurv.recipe.prepare import StudyData
from jaxsurv.study.prediction_error import integrated_brier
from jaxsurv.training import (
    Collect,
    FitConfig,
    Optimizer,
    Plan,
    Store,
    SweepResult,
    adam,
    concatenate,
    sweep_chunks,
)
from jaxsurv.types import Objective

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Method:
    """A model to train at one or more settings.

    Attributes:
        name: of the model.
        objective: its functions.
        settings: hyper-parameters by the name of the setting; names differ over all methods of a study.
        data: what it reads; the methods of a study share their splits.
        config: of each run.
        optimizer: hyper-parameters to an optax transformation.
        collect: what to keep of each run beside its prediction, see :func:`jaxsurv.training._sweep`.
    """

    name: str
    objective: Objective
    settings: Mapping[str, Any]
    data: StudyData
    config: FitConfig = FitConfig()
    optimizer: Optimizer = adam
    collect: Collect | None = None


class Trained(NamedTuple):
    """The runs of one method: tidy rows, and the sweep's arrays in the same order."""

    method: Method
    rows: pd.DataFrame
    arrays: SweepResult


@jax.jit
def _concordances(log_hazard, event, time, masks):
    """``[runs, n]`` predictions and ``[runs, parts, n]`` masks -> ``[runs, parts]`` Harrell's C."""

    def one(risk, where):
        return concordance_index(risk, event, time, where=where).index

    return jax.vmap(jax.vmap(one, in_axes=(None, 0)))(log_hazard, masks)


def concordances(
    data: StudyData, split: np.ndarray, seed: np.ndarray, log_hazard: np.ndarray
) -> pd.DataFrame:
    """C on the training, early-stopping and test rows of each run: ``train_c``, ... columns.

    Args:
        data: the study.
        split, seed: ``[runs]`` which split and part each run belongs to.
        log_hazard: ``[runs, n]``.
    """
    design = data.design
    part = seed % design.validation.shape[1]
    masks = (design.train[split, part], design.validation[split, part], design.test[split])
    rows = np.stack(masks, axis=1)
    index = _concordances(log_hazard, data.shared.event, data.shared.time, rows)
    columns = {f"{part}_c": np.asarray(index)[:, i] for i, part in enumerate(PARTS)}
    return pd.DataFrame({"repeat": design.repeat[split], "fold": design.fold[split], **columns})


def score(
    data: StudyData, split: np.ndarray, seed: np.ndarray, log_hazard: np.ndarray
) -> pd.DataFrame:
    """`concordances`, and :func:`jaxsurv.study.prediction_error.integrated_brier` as ``test_ibs``."""
    errors = integrated_brier(data, split, log_hazard)
    return concordances(data, split, seed, log_hazard).assign(test_ibs=errors)


def train(
    method: Method,
    *,
    seeds: Sequence[int],
    plan: Plan,
    report: Callable[[pd.DataFrame], None],
    store: Store | None = None,
) -> Trained:
    """Sweep one method; ``report`` gets the rows of each compiled call when it is done, or was before.

    The rows hold method, setting, seed, repeat, fold, the hyper-parameters that the method reads,
    epochs, C by part, ``teacher_test_c`` where a teacher follows, and loss terms.
    """
    data, names = method.data, list(method.settings)
    rows, chunks = [], []
    for chunk in sweep_chunks(
        method.objective,
        data.build,
        data.shared,
        data.splits,
        seeds=seeds,
        hparams=list(method.settings.values()),
        config=method.config,
        plan=plan,
        optimizer=method.optimizer,
        collect=method.collect,
        store=store,
    ):
        frame = chunk.to_frame().drop(columns=list(method.objective.unread))
        pad = plan.runs - len(frame)  # one shape, one compilation
        split, seed, risk = (
            np.pad(a, [(0, pad)] + [(0, 0)] * (a.ndim - 1))
            for a in (chunk.split, chunk.seed, chunk.prediction)
        )
        scores = score(data, split, seed, risk).iloc[: len(frame)]
        if chunk.teacher_prediction is not None:
            taught = np.pad(chunk.teacher_prediction, [(0, pad), (0, 0)])
            scores["teacher_test_c"] = concordances(data, split, seed, taught)["test_c"]
        frame = pd.concat([scores, frame.drop(columns="split")], axis=1)
        first = sum(map(len, rows))
        settings = [names[i % len(names)] for i in range(first, first + len(frame))]
        frame.insert(0, "setting", settings)
        frame.insert(0, "method", method.name)
        rows.append(frame)
        chunks.append(chunk)
        report(frame)
    return Trained(method, pd.concat(rows, ignore_index=True), concatenate(chunks))


def baseline_rows(data: StudyData, name: str, log_hazard: np.ndarray) -> pd.DataFrame:
    """Rows of a method that has one fit per split and no seed."""
    split = np.arange(len(log_hazard))
    scores = score(data, split, np.zeros_like(split), log_hazard)
    scores.insert(0, "setting", name)
    scores.insert(0, "method", name)
    return scores


def pooled_risk(data: StudyData, split: np.ndarray, log_hazard: np.ndarray) -> np.ndarray:
    """One out-of-fold risk per patient from the runs of one setting, ``[n]``.

    Log hazards of different folds have different origins and scales, so each run is centred and scaled
    on its development rows first; then a patient's risk is the mean over the runs that tested them.
    NaN for patients who are never tested.
    """
    develop = data.design.develop[split]
    test = data.design.test[split]
    count = develop.sum(axis=1, keepdims=True)
    center = (log_hazard * develop).sum(axis=1, keepdims=True) / count
    scale = np.sqrt((((log_hazard - center) * develop) ** 2).sum(axis=1, keepdims=True) / count)
    z = (log_hazard - center) / np.where(scale > 0, scale, 1.0)
    times = test.sum(axis=0)
    return np.where(times > 0, (z * test).sum(axis=0) / np.maximum(times, 1), np.nan)


def ensemble_rows(data: StudyData, frame: pd.DataFrame, log_hazard: np.ndarray) -> pd.DataFrame:
    """Score, per split and setting, the mean log hazard over seeds."""
    splits = {
        key: s for s, key in enumerate(zip(data.design.repeat, data.design.fold, strict=True))
    }
    rows = []
    for (repeat, fold, setting), group in frame.groupby(["repeat", "fold", "setting"], sort=False):
        mean = log_hazard[group.index].mean(axis=0)
        rows.append((splits[repeat, fold], setting, mean))
    split, settings, risk = zip(*rows, strict=True)
    scores = concordances(data, np.asarray(split), np.zeros(len(split), int), np.stack(risk))
    scores.insert(0, "setting", settings)
    return scores
