"""A grid of traced hyper-parameters over folds and seeds, as one compiled sweep."""

from collections.abc import Mapping, Sequence
from math import isfinite
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from jaxsurv.data import stratified_kfold
from jaxsurv.metrics import concordance_index
from jaxsurv.types import InputError

Grid = Mapping[str, Sequence[float]] | Sequence[Mapping[str, Sequence[float]]]


class Search(NamedTuple):
    """Result of a hyper-parameter search.

    Attributes:
        table: one row per setting, best first: the hyper-parameters of the grid, ``mean_c``,
            ``standard_error`` (over the folds: their standard deviation / √folds; they share patients,
            so it is too small) and ``c_fold_0``, ``c_fold_1``, ...
        runs: one row per training run, see :meth:`jaxsurv.training.SweepResult.to_frame`.
        best_hparams: hyper-parameters of the first row.
        best_estimator: fitted to all patients with these. ``mean_c`` of a setting that was chosen by it
            is too good a guess of how it does on new patients; score it on patients of whom the search
            knew nothing.
    """

    table: pd.DataFrame
    runs: pd.DataFrame
    best_hparams: Any
    best_estimator: Any


def settings_of(
    grid: Grid,
    hparams: Any,
    unread: Sequence[str],
    profiled: Mapping[str, Sequence[float]] | None = None,
) -> tuple[list[dict[str, Any]], list[Any]]:
    """Every combination of values of the grid, and ``hparams`` with each.

    Args:
        grid: values of hyper-parameters, or several such grids.
        hparams: values of the others.
        unread: hyper-parameters that the model does not read.
        profiled: values of a hyper-parameter that fits choose by themselves; tried too, unless a grid has it.

    Raises:
        InputError: no combination, a hyper-parameter that there is not or that the model does not
            read, the same value twice.
    """
    from sklearn.model_selection import ParameterGrid  # takes long to import

    try:
        grids = [grid] if isinstance(grid, Mapping) else list(grid)
        if profiled and not any(profiled.keys() & one.keys() for one in grids):
            grids = [{**one, **profiled} for one in grids if one]
        points = [dict(sorted(point.items())) for point in ParameterGrid(grids)]
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(f"the grid must map names to lists of numbers: {error}") from error
    names = sorted({name for point in points for name in point})
    if not names:
        raise InputError(
            'the grid has no values; give some, such as {"learning_rate": [1e-3, 1e-2]}'
        )
    if unknown := [n for n in names if n not in hparams._fields]:
        raise InputError(
            f"the grid has {unknown}, which are no traced hyper-parameters; there are "
            f"{list(hparams._fields)} (others can be searched by scikit-learn's GridSearchCV)"
        )
    if idle := [n for n in names if n in unread]:
        raise InputError(f"the model with this config does not read {idle}; leave it out")
    given = [(k, v) for point in points for k, v in point.items()]
    if words := [(k, v) for k, v in given if not isinstance(v, Real) or not isfinite(v)]:
        raise InputError(
            f"the hyper-parameter {words[0][0]} has the value {words[0][1]!r}; give finite numbers"
        )
    settings = [hparams._replace(**{k: float(v) for k, v in point.items()}) for point in points]
    if len(set(settings)) < len(settings):
        raise InputError("the grid has the same setting twice; leave one out")
    return points, settings


def folds_of(
    event: np.ndarray,
    labelled: np.ndarray,
    folds: int,
    seed: int,
    strata: np.ndarray | None,
    patient: Any,
) -> np.ndarray:
    """``[folds, n]`` booleans, the labelled rows that each fold tests, stratified by event and stratum."""
    return stratified_kfold(
        event, folds=folds, seed=seed, eligible=labelled, validation_fraction=None, strata=strata,
        patient=patient,
    ).test  # fmt: skip


def scored(
    risks: np.ndarray,
    test: np.ndarray,
    event: np.ndarray,
    time: np.ndarray,
    strata: np.ndarray | None,
    entry: np.ndarray | None,
) -> np.ndarray:
    """``[settings, folds]``: C on each fold's test rows, within strata.

    Args:
        risks: ``[settings, folds, n]`` log hazards.
        test: ``[folds, n]`` booleans.
        event, time: ``[n]``.
        strata: ``[n]`` labels, or None.
        entry: ``[n]``, or None; an event is compared with those at risk.
    """

    def c(risk: np.ndarray, rows: np.ndarray) -> float:
        own, late = (None if a is None else a[rows] for a in (strata, entry))
        found = concordance_index(risk[rows], event[rows], time[rows], strata=own, entry=late)
        return float(found.index)

    return np.array([[c(r, rows) for r, rows in zip(k, test, strict=True)] for k in risks])


def search_table(points: Sequence[Mapping[str, Any]], c: np.ndarray) -> pd.DataFrame:
    """See `Search`; settings of equal mean stay in the order of the grid."""
    table = pd.DataFrame(points)
    table["mean_c"] = c.mean(axis=1)
    table["standard_error"] = c.std(axis=1, ddof=1) / np.sqrt(c.shape[1])
    for fold in range(c.shape[1]):
        table[f"c_fold_{fold}"] = c[:, fold]
    return table.sort_values("mean_c", ascending=False, kind="stable")
