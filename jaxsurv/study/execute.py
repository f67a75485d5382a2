"""Train the methods of a study over all splits and seeds, one tidy row per run as soon as it is known."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from jaxsurv.metrics import concordance_index
from jaxsurv.models import Model
from jaxsurv.models.registry import objective_of
from jaxsurv.recipe import Prepared
from jaxsurv.recipe.networks import check_trainable
from jaxsurv.recipe.padded import sweep_arrays, without_padding
from jaxsurv.study.prediction_error import horizons, integrated_brier
from jaxsurv.training import (
    Collect,
    FitConfig,
    Plan,
    Store,
    SweepResult,
    concatenate,
    sweep_chunks,
)
from jaxsurv.types import Array, Objective

PARTS = ("train", "validation", "test")
_BLOCK = 8  # runs whose concordance is computed in one call


@dataclass(frozen=True)
class Method:
    """A model to train at one or more settings.

    Attributes:
        name: name of the method in tables.
        model: registry entry of the network.
        settings: hyper-parameters by the name of the setting; names differ over all methods of a study.
        data: prepared data that networks read; the methods of a study share their splits.
        training: static choices of each run.
        config: static choices of the network; None = the model's.
        collect: function that selects what to keep of each run beside its prediction, see
            :func:`jaxsurv.training.sweep`.
    """

    name: str
    model: Model
    settings: Mapping[str, Any]
    data: Prepared
    training: FitConfig = FitConfig()
    config: Any = None
    collect: Collect | None = None

    @property
    def static(self) -> Any:
        """Static choices of the network."""
        return self.model.config if self.config is None else self.config

    @cached_property
    def objective(self) -> Objective:
        """The network's functions."""
        return objective_of(self.model, self.static)


class Trained(NamedTuple):
    """The runs of one method: tidy rows, and the sweep's arrays in the same order."""

    method: Method
    rows: pd.DataFrame
    arrays: SweepResult


@jax.jit
def _concordances(log_hazard, event, time, strata, masks):
    """``[runs, n]`` predictions and ``[runs, parts, n]`` masks -> ``[runs, parts]`` Harrell's C."""

    def one(risk, where):
        return concordance_index(risk, event, time, strata=strata, where=where).index

    return jax.vmap(jax.vmap(one, in_axes=(None, 0)))(log_hazard, masks)


def _blocks(runs: np.ndarray) -> list[np.ndarray]:
    """Blocks of one length, for one compilation whatever the number of runs; zeros fill the last one."""
    more = -len(runs) % _BLOCK
    filled = np.pad(runs, [(0, more)] + [(0, 0)] * (runs.ndim - 1))
    return np.split(filled, len(filled) // _BLOCK)


def concordances(
    data: Prepared, split: np.ndarray, seed: np.ndarray, log_hazard: np.ndarray
) -> pd.DataFrame:
    """C on the training, early-stopping and test rows of each run, within strata: ``train_c``, ... columns.

    Args:
        data: the study.
        split, seed: ``[runs]`` number of the split, and seed (hence the validation part), of each run.
        log_hazard: ``[runs, n]``.
    """
    splits = data.splits
    part = seed % splits.validation.shape[1]
    masks = (splits.train[split, part], splits.validation[split, part], splits.test[split])
    rows, outcome = np.stack(masks, axis=1), data.shared.outcome
    index = np.concatenate([
        np.asarray(_concordances(risk, outcome.event, outcome.time, outcome.stratum, where))
        for risk, where in zip(_blocks(log_hazard), _blocks(rows), strict=True)
    ])  # fmt: skip
    columns = {f"{part}_c": index[: len(split), i] for i, part in enumerate(PARTS)}
    return pd.DataFrame({"repeat": splits.repeat[split], "fold": splits.fold[split], **columns})


def score(
    data: Prepared,
    split: np.ndarray,
    seed: np.ndarray,
    log_hazard: np.ndarray,
    curves: np.ndarray | None = None,
) -> pd.DataFrame:
    """`concordances`, and :func:`jaxsurv.study.prediction_error.integrated_brier` as ``test_ibs``."""
    errors = integrated_brier(data, split, log_hazard, curves)
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
    check_trainable(method.data, method.objective)
    data, own = method.data, method.objective.survival is not None
    names = {_values(h): name for name, h in method.settings.items()}
    curves = _curves(method) if own else None
    rows, chunks = [], []
    arrays = data.shared, data.fitted
    if method.collect is None:
        arrays = sweep_arrays(data, method.objective, method.training)
    for chunk in sweep_chunks(
        method.objective,
        data.build,
        *arrays,
        seeds=seeds,
        hparams=list(method.settings.values()),
        config=method.training,
        plan=plan,
        optimizer=method.model.optimizer,
        collect=_with_parameters(method.collect) if own else method.collect,
        store=store,
        keeps=not own,  # of such models not the parameters
    ):
        chunk = without_padding(chunk, len(data.event))
        frame = chunk.to_frame().drop(columns=list(method.objective.unread))
        split, seed, alive = chunk.split, chunk.seed, None
        if curves is not None:
            params, collected = chunk.collected
            alive = curves(params, split, seed)
            chunk = chunk._replace(collected=collected)
        scores = score(data, split, seed, chunk.prediction, alive)
        if chunk.teacher_prediction is not None:
            taught = concordances(data, split, seed, chunk.teacher_prediction)
            scores["teacher_test_c"] = taught["test_c"]
        frame = pd.concat([scores, frame.drop(columns="split")], axis=1)
        frame.insert(0, "setting", [names[_values(h)] for h in zip(*chunk.hparams, strict=True)])
        frame.insert(0, "method", method.name)
        rows.append(frame)
        chunks.append(chunk)
        report(frame)
    return Trained(method, pd.concat(rows, ignore_index=True), concatenate(chunks))


def _values(hparams: Sequence[Any]) -> tuple[float, ...]:
    """Hyper-parameters in the precision of a sweep, by which a run finds its setting."""
    return tuple(np.asarray(value, jnp.result_type(float)).item() for value in hparams)


def _with_parameters(collect: Collect | None) -> Collect:
    def both(params: Any, batch: Any, masks: Any) -> Any:
        return params, None if collect is None else collect(params, batch, masks)

    return both


def _curves(method: Method) -> Callable[[Any, np.ndarray, np.ndarray], np.ndarray]:
    """``(params, split, seed) -> [runs, n, t]``, the curves of a model that has its own."""
    data, survival = method.data, method.objective.survival
    times = horizons(data)

    @jax.jit
    def curves(params: Any, split: Array, seed: Array) -> Array:
        fitted, at = jax.tree.map(lambda x: jnp.asarray(x)[split], (data.fitted, times))
        return survival(params, data.build(data.shared, fitted, seed)[0], at)  # type: ignore[misc]

    def of_runs(params: Any, split: np.ndarray, seed: np.ndarray) -> np.ndarray:
        runs = (params, split, seed)
        return np.stack([curves(*jax.tree.map(itemgetter(r), runs)) for r in range(len(split))])

    return of_runs


def baseline_rows(data: Prepared, name: str, log_hazard: np.ndarray) -> pd.DataFrame:
    """Rows of a method that has one fit per split and no seed."""
    split = np.arange(len(log_hazard))
    scores = score(data, split, np.zeros_like(split), log_hazard)
    scores.insert(0, "setting", name)
    scores.insert(0, "method", name)
    return scores


def pooled_risk(data: Prepared, split: np.ndarray, log_hazard: np.ndarray) -> np.ndarray:
    """One out-of-fold risk per patient from the runs of one setting, ``[n]``.

    Log hazards of different folds have different origins and scales, so each run is centred and scaled
    on its development rows first; then a patient's risk is the mean over the runs that tested them.
    NaN for patients who are never tested.
    """
    develop = data.splits.develop[split]
    test = data.splits.test[split]
    count = develop.sum(axis=1, keepdims=True)
    center = (log_hazard * develop).sum(axis=1, keepdims=True) / count
    scale = np.sqrt((((log_hazard - center) * develop) ** 2).sum(axis=1, keepdims=True) / count)
    z = (log_hazard - center) / np.where(scale > 0, scale, 1.0)
    times = test.sum(axis=0)
    return np.where(times > 0, (z * test).sum(axis=0) / np.maximum(times, 1), np.nan)


def ensemble_rows(data: Prepared, frame: pd.DataFrame, log_hazard: np.ndarray) -> pd.DataFrame:
    """Score, per split and setting, the mean log hazard over seeds."""
    splits = {
        key: s for s, key in enumerate(zip(data.splits.repeat, data.splits.fold, strict=True))
    }
    rows = []
    for (repeat, fold, setting), group in frame.groupby(["repeat", "fold", "setting"], sort=False):
        mean = log_hazard[group.index].mean(axis=0)
        rows.append((splits[repeat, fold], setting, mean))
    split, settings, risk = zip(*rows, strict=True)
    scores = concordances(data, np.asarray(split), np.zeros(len(split), int), np.stack(risk))
    scores.insert(0, "setting", settings)
    return scores
