"""Runs that nobody trained, with whatever scores and log hazards a test wants."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from jaxsurv.models import Model
from jaxsurv.study.execute import Method, Trained
from jaxsurv.training import FitConfig, SweepResult
from jaxsurv.types import Objective


class Weights(NamedTuple):
    """The hyper-parameters of a model that is never trained."""

    learning_rate: Any = 0.1
    beta: Any = 1.0


def made_up(data, name, settings, rng, *, seeds=3, collected=None, **columns) -> Trained:
    """Runs of all splits, ``seeds`` and settings: log hazards, scores and losses at random.

    Args:
        data: prepared data of the study.
        name: name of the method.
        settings: setting to its beta.
        rng: source of what is not given.
        seeds: number of runs per split and setting.
        collected: what a sweep would have collected of each run.
        columns: columns of the rows, ``[splits, seeds, settings]``, instead of those at random.
    """
    shape = len(data.splits.fold), seeds, len(settings)
    split, seed, which = (axis.ravel() for axis in np.indices(shape))
    runs, names = len(split), np.array(list(settings))
    betas = np.array(list(settings.values()), float)[which]
    given = {c: np.broadcast_to(v, shape).ravel() for c, v in columns.items()}
    rows = pd.DataFrame(
        {
            "method": name, "setting": names[which],
            "repeat": data.splits.repeat[split], "fold": data.splits.fold[split],
            "test_c": rng.uniform(0.4, 0.8, runs), "test_ibs": rng.uniform(0.1, 0.3, runs),
            "seed": seed, "learning_rate": 0.1, "beta": betas,
            "best_epoch": rng.integers(0, 4, runs), "validation_loss": rng.normal(3, 1, runs), **given,
        }
    )  # fmt: skip
    epochs = np.full(runs, 5)
    arrays = SweepResult(
        split, seed, Weights(np.full(runs, 0.1), betas), rng.normal(size=(runs, len(data.event))),
        epochs, rows["validation_loss"].to_numpy(), epochs, {}, collected,
    )  # fmt: skip
    objective = Objective(*[lambda *_: None] * 4, criterion="cox")  # type: ignore[arg-type]
    model = Model(name, lambda config: objective, Weights())
    points = {s: Weights(beta=b) for s, b in settings.items()}
    return Trained(Method(name, model, points, data, FitConfig(7, 2, 3, 16)), rows, arrays)
