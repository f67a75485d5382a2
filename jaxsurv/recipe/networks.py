"""Ensembles of networks: trained over splits, seeds and settings as one sweep, averaged over the seeds."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxsurv.models import CLINICAL, Model
from jaxsurv.recipe.padded import sweep_arrays, without_padding
from jaxsurv.recipe.prepared import Prepared
from jaxsurv.training import FitConfig, SweepResult, sweep
from jaxsurv.types import ArrayLike, InputError, Objective


def collect_parameters(params: Any, batch: Any, masks: Any) -> Any:
    """Collect the parameters of a run, for sweeps whose networks are to be kept."""
    return params


def train_networks(
    data: Prepared,
    model: Model,
    objective: Objective,
    settings: Sequence[Any],
    *,
    seeds: int,
    training: FitConfig,
    stream: int = 0,
) -> SweepResult:
    """All splits x seeds x settings of a model in one compiled program, with their parameters.

    Args:
        data: the patients under some splits.
        model: registry entry.
        objective: training objective of the model at the static choices wanted.
        settings: hyper-parameters.
        seeds: number of networks per split and setting.
        training: static choices of each run.
        stream: number of the random stream of every split; split s of a study has stream s.

    Raises:
        InputError: see `check_trainable`.
    """
    check_trainable(data, objective)
    runs = sweep(
        objective, data.build, *sweep_arrays(data, objective, training), seeds=range(seeds),
        hparams=settings, config=training, optimizer=model.optimizer, collect=collect_parameters,
        streams=[stream] * len(data.splits.fold),
    )  # fmt: skip
    return without_padding(runs, len(data.event))


def check_trainable(data: Prepared, objective: Objective) -> None:
    """Refuse a network that would have nothing to encode, or an outcome that it cannot learn from.

    Args:
        data: the patients under some splits.
        objective: training objective.

    Raises:
        InputError: no modality beside the clinical one; see :class:`jaxsurv.types.Objective`, by run.
    """
    if not set(data.encoded.columns) - {CLINICAL}:
        raise InputError(
            f"there is no modality to encode beside {CLINICAL!r}; give it another name, or use Cox models"
        )
    if objective.check is None:
        return
    outcome = data.outcome
    for rows in np.unique(data.splits.train.reshape(-1, len(data.event)), axis=0):
        objective.check(outcome, rows & data.labelled)


def lowest_loss(split: ArrayLike, setting: ArrayLike, loss: ArrayLike) -> np.ndarray:
    """``[runs]`` booleans: the run's setting has the lowest early-stopping loss of its split.

    The loss is averaged over the seeds first. Nothing of the split's test rows enters (three-way), so the
    score of the chosen runs is what a user who has to choose can expect. Of equal losses the first
    setting is chosen.

    Args:
        split, setting, loss: ``[runs]``.
    """
    split, setting = np.asarray(split), np.asarray(setting)
    chosen = np.zeros(len(split), bool)
    for s in np.unique(split):
        mine = split == s
        names = list(dict.fromkeys(setting[mine].tolist()))
        means = [np.mean(np.asarray(loss, float)[mine & (setting == name)]) for name in names]
        chosen |= mine & (setting == names[int(np.nanargmin(means))])
    return chosen


class Ensemble(NamedTuple):
    """Mean log hazards over the runs of each split, see :class:`jaxsurv.recipe.CrossFitted`.

    Attributes:
        log_hazard: ``[splits, n]``, mean over all runs.
        held_out: ``[splits, n]``, cross-fitted: for development rows the mean over the runs that did not
            train on the row, NaN if there is none; others as in ``log_hazard``.
    """

    log_hazard: np.ndarray
    held_out: np.ndarray


def training_means(data: Prepared, split: np.ndarray, log_hazard: np.ndarray, seed: np.ndarray):
    """``[runs]`` mean log hazards over the rows that each run trained on."""
    train = data.splits.train[split, seed % data.splits.validation.shape[1]]
    return (log_hazard * train).sum(axis=1, dtype=np.float64) / train.sum(axis=1)


def ensemble(
    data: Prepared, split: np.ndarray, log_hazard: np.ndarray, seed: np.ndarray
) -> Ensemble:
    """Mean log hazard over the runs of each split, each centred on the rows that it trained on.

    A row is held out from the runs that it stopped: they were not fitted to it, but chose their last
    epoch by it and its like, for which the shrinkage of a stack's weights makes up.

    Args:
        data: the patients under some splits.
        split: ``[runs]``; every split has at least one.
        log_hazard: ``[runs, n]``.
        seed: ``[runs]``.
    """
    splits = data.splits
    stopped = splits.validation[split, seed % splits.validation.shape[1]]
    risk = log_hazard - training_means(data, split, log_hazard, seed)[:, None]
    of_split = (split == np.arange(len(splits.fold))[:, None]).astype(float)

    def mean(rows: np.ndarray) -> np.ndarray:
        count = of_split @ rows
        total = of_split @ np.where(rows, risk, 0)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    whole = mean(np.ones_like(stopped))
    held_out = np.where(splits.develop, mean(stopped), whole)
    return Ensemble(whole.astype(np.float32), held_out.astype(np.float32))
