"""Splits by group: the rows of one patient, or of one cohort, on one side of every split."""

from typing import Any

import numpy as np

from jaxsurv.arguments.labels import factorised
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.data.splits import (
    PARTS,
    Splits,
    check_parts,
    event_and_rows,
    number_of_parts,
    parts_of_each,
    repeated_folds,
)
from jaxsurv.data.tables import few
from jaxsurv.types import InputError


@read_arguments
def grouped_kfold(
    event: Any,
    group: Any,
    *,
    folds: int = 5,
    repeats: int = 1,
    seed: int = 0,
    validation_fraction: float | None = 0.2,
) -> Splits:
    """Repeated K-fold in which the rows of one group are in one fold, and in one early-stopping part.

    For stays of one patient, which are dependent. Groups come in random order, those with most events first,
    and each goes to the fold with the fewest events so far, then the fewest rows; a group without an event
    goes to that with the fewest rows.

    Args:
        event: ``[n]``, 1 = observed, 0 = censored; or a label 0/1.
        group: ``[n]`` labels of any type.
        folds, repeats, seed, validation_fraction: see :func:`jaxsurv.data.stratified_kfold`.

    Raises:
        InputError: fewer groups with events than folds or parts, or a part without an event.

    >>> splits = grouped_kfold([1, 1, 0, 1, 0, 1], list("aabbcc"), folds=3, validation_fraction=0.5)
    >>> splits.test.astype(int).tolist()
    [[1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1], [0, 0, 1, 1, 0, 0]]
    """
    event, _ = event_and_rows(event, None, group)
    codes, _ = factorised(np.asarray(group))
    parts, every = number_of_parts(validation_fraction), np.ones(event.size, bool)
    test = np.concatenate([
        _deal(event, codes, every, folds, (seed, repeat)) for repeat in range(repeats)
    ])  # fmt: skip
    validation = None
    if parts:
        validation = np.stack([
            _deal(event, codes, ~rows, parts, (s, 0, 1)) for s, rows in enumerate(test)
        ])  # fmt: skip
    return repeated_folds(event, test, validation, folds)


def _deal(
    event: np.ndarray, codes: np.ndarray, rows: np.ndarray, parts: int, seed: tuple[int, ...]
) -> np.ndarray:
    """``[parts, n]``, the groups of ``rows [n]`` dealt into so many masks."""
    size, events = np.bincount(codes, rows), np.bincount(codes, rows & event)
    if (events > 0).sum() < parts:
        raise InputError(
            f"{(events > 0).sum()} groups have an event, and {parts} parts need one each; use fewer folds, "
            "or validation_fraction=None"
        )
    order = np.random.default_rng(seed).permutation(len(size))
    order = order[np.lexsort((-size[order], -events[order]))]
    part_of, load = np.zeros(len(size), int), np.zeros((parts, 2))
    for g in order:
        part_of[g] = np.lexsort(load.T[::-1] if events[g] else load.T)[0]
        load[part_of[g]] += events[g], size[g]
    return (part_of[codes] == np.arange(parts)[:, None]) & rows


@read_arguments
def leave_one_group_out(event: Any, group: Any) -> Splits:
    """One split per group: all of its rows are tested, all others train.

    Splits are in the sorted order of the labels, as `Cohort.labels` has it. The rows that train are dealt
    into five early-stopping parts that have their share of each group.

    Args:
        event: ``[n]``, 1 = observed, 0 = censored.
        group: ``[n]`` labels of any type, such as ``cohort.strata``.

    Raises:
        InputError: one group alone, or a group without an event.

    >>> leave_one_group_out([1, 1, 0] * 6, ["a", "b", "b"] * 6).test.sum(axis=1)
    array([ 6, 12])
    """
    event, _ = event_and_rows(event, None, group)
    codes, labels = factorised(np.asarray(group))
    if len(labels) < 2:
        raise InputError(
            f"there is one group, {labels[0]!r}; leaving it out leaves nobody to train"
        )
    test = codes == np.arange(len(labels))[:, None]
    if without := [g for g, rows in zip(labels, test, strict=True) if not event[rows].any()]:
        raise InputError(f"group {few(without)} has no event, so that nothing can be judged on it")
    validation = parts_of_each(event, ~test, PARTS, codes)
    fold = np.arange(len(labels))
    train = ~test[:, None] & ~validation
    splits = Splits(train, validation, test, np.zeros_like(fold), fold, "three-way")
    return check_parts(splits, event, "the other groups have too few events")
