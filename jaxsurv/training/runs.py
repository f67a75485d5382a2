"""Runs of a sweep: what each is given, and what comes of it."""

import itertools
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import jax
import numpy as np
import pandas as pd

from jaxsurv.training.memory import tree_bytes
from jaxsurv.training.plan import Plan
from jaxsurv.types import Array

FOLDS = 5  # splits come in multiples of so many, to share a program
MOST_BYTES = 2**26  # of what is held for sharing a program


class SweepResult(NamedTuple):
    """Runs on one axis, in the order split, seed, hyper-parameters (last fastest).

    Attributes:
        split: ``[runs]`` row of the splits.
        seed: ``[runs]``.
        hparams: the NamedTuple of hyper-parameters, each ``[runs]``.
        prediction: ``[runs, n]``, predictions in evaluation mode at the best parameters.
        best_epoch, best_score, epochs: ``[runs]``, see :class:`jaxsurv.training.FitResult`.
        history: ``{name: [runs, epochs]}``.
        collected: result of ``collect``, its leaves with a leading axis ``[runs]``; None without it.
        teacher_prediction: ``[runs, n]``, predictions of the parameters that ``objective.follow`` made, or
            None.
    """

    split: np.ndarray
    seed: np.ndarray
    hparams: Any
    prediction: np.ndarray
    best_epoch: np.ndarray
    best_score: np.ndarray
    epochs: np.ndarray
    history: dict[str, np.ndarray]
    collected: Any = None
    teacher_prediction: np.ndarray | None = None

    def to_frame(self) -> pd.DataFrame:
        """One tidy row per run: split, seed, hyper-parameters, epochs and the terms at the best epoch.

        The terms are those of the best epoch, or of the first where the initial parameters were best.
        """
        at = np.maximum(self.best_epoch - 1, 0)
        terms = {
            name: h[np.arange(len(h)), at]
            for name, h in self.history.items()
            if name != "validation"
        }
        return pd.DataFrame(
            {
                "split": self.split,
                "seed": self.seed,
                **self.hparams._asdict(),
                "best_epoch": self.best_epoch,
                "epochs": self.epochs,
                "validation_loss": self.best_score,
                **terms,
            }
        )


class Run(NamedTuple):
    """Runs with a leading axis: which split, seed, hyper-parameters and random stream each has.

    Without a stream it is the split's number. Runs that are not there fill a call up, and take no step.
    """

    split: Array
    seed: Array
    hparams: Any
    stream: Array | None = None
    there: Array | None = None


def run_grid(streams: Sequence[int], seeds: Sequence[int], hparams: Sequence[Any]) -> Run:
    """All combinations on one axis, in the order split, seed, hyper-parameters (last fastest)."""
    combinations = list(itertools.product(enumerate(streams), seeds, hparams))
    splits, seed, points = zip(*combinations, strict=True)
    split, stream = zip(*splits, strict=True)
    stacked = jax.tree.map(lambda *v: np.asarray(v, np.result_type(float)), *points)
    if not jax.config.jax_enable_x64:
        stacked = jax.tree.map(lambda v: v.astype(np.float32), stacked)
    seed, stream = (np.asarray(v, np.uint32) for v in (seed, stream))
    return Run(np.asarray(split, np.int32), seed, stacked, stream)  # type: ignore[arg-type]


def whole_calls(grid: Run, plan: Plan) -> Run:
    """Whole calls of the plan: the last run again, but not there."""
    count = len(grid.seed)
    rows = np.arange(-(-count // plan.runs) * plan.runs)
    filled = jax.tree.map(itemgetter(np.minimum(rows, count - 1)), grid._replace(there=None))
    return filled._replace(there=rows < count)


def in_fives(splits: Any) -> Any:
    """Splits up to a multiple of five where they are small, so that few and many share a program."""
    leaves = jax.tree.leaves(splits)
    count = leaves[0].shape[0]
    most = -(-count // FOLDS) * FOLDS
    if tree_bytes(splits) // count * most > MOST_BYTES:
        return splits
    rows = np.minimum(np.arange(most), count - 1)
    return jax.tree.map(lambda a: np.asarray(a)[rows], splits)


def concatenate(chunks: Sequence[SweepResult]) -> SweepResult:
    """Join ``chunks`` along the run axis."""
    return jax.tree.map(lambda *x: np.concatenate(x), *chunks)
