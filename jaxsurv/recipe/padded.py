"""Prepared data of cohorts of similar size in equal shapes."""

from functools import partial
from typing import Any

import jax
import numpy as np

from jaxsurv.preprocess import Features
from jaxsurv.recipe.prepared import Prepared, Shared, Split
from jaxsurv.survival.padding import pad_rows, padded_length
from jaxsurv.training import FitConfig, SweepResult
from jaxsurv.types import Objective


def sweep_arrays(data: Prepared, objective: Objective, training: FitConfig) -> tuple[Shared, Split]:
    """Shared and fitted arrays of a sweep, padded where that is possible.

    Minibatches are drawn from all rows, and intervals of delayed entry are laid out for their number.

    Args:
        data: the patients under some splits.
        objective: training objective.
        training: static choices of each run.
    """
    whole = training.batch_size is None and data.shared.outcome.entry is None
    return padded(data) if whole and objective.draw is None else (data.shared, data.fitted)


def without_padding(runs: SweepResult, n: int) -> SweepResult:
    """Runs with the predictions of the first n rows."""
    taught = runs.teacher_prediction
    return runs._replace(
        prediction=runs.prediction[:, :n],
        teacher_prediction=None if taught is None else taught[:, :n],
    )


def padded(data: Prepared) -> tuple[Shared, Split]:
    """Shared and fitted arrays as ``data.build`` reads them, with rows at the end that are in no mask.

    Cohorts of similar size then have arrays of equal shape, and share a compiled program.
    """
    n, fitted = len(data.event), data.fitted
    size = padded_length(n)

    def longer(a: Any, axis: int, fill: float = 0, to: int = size) -> np.ndarray:
        a = np.asarray(a)
        more = [(0, to - a.shape[axis] if k == axis else 0) for k in range(a.ndim)]
        return np.pad(a, more, constant_values=fill)

    incomplete = np.zeros(0, int)
    if fitted.imputed is not None:
        few = padded_length(len(data.shared.incomplete))
        incomplete = longer(data.shared.incomplete, 0, size, few)  # a row that is not there
        fitted = fitted._replace(imputed=longer(fitted.imputed, 1, 0, few))
    known = data.shared.features
    features = Features(longer(known.x, 0, np.nan), None, known.measured)  # type: ignore[arg-type]
    shared = Shared(
        features,
        {m: longer(p, 0) for m, p in data.shared.presence.items()},
        jax.tree.map(partial(longer, axis=0), data.shared.outcome),
        None,
        incomplete,
        None if data.shared.source is None else longer(data.shared.source, 0),
    )  # type: ignore[arg-type]
    masks = ("develop", "validation", "offset", "unlabelled")
    columns = {
        k: longer(a, -1 % np.ndim(a)) for k in masks if (a := getattr(fitted, k)) is not None
    }
    return shared, fitted._replace(risk_sets=pad_rows(fitted.risk_sets, size), **columns)
