"""Splits that others have made, read from their files."""

# pandas' own types cannot tell frame[name], a Series, from frame[names].
# pyright: reportArgumentType=false, reportReturnType=false, reportAssignmentType=false

import re
from pathlib import Path

import numpy as np
import pandas as pd

from jaxsurv.data.cohort import Cohort
from jaxsurv.data.delimited import read_table
from jaxsurv.data.files import naming, open_text
from jaxsurv.data.last_rows import last_rows
from jaxsurv.data.names import hint
from jaxsurv.data.splits import PARTS, Splits, check_parts, parts_of_each
from jaxsurv.data.tables import MISSING, few, warn
from jaxsurv.types import InputError

_NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val"),
    "test": ("test", "testing"),
}
_PARTS = {name: part for part, names in _NAMES.items() for name in names}
_NUMBERED = re.compile(r"(train|test)(?=_splits\.[ct]sv)", re.IGNORECASE)


def read_splits(path: str | Path, cohort: Cohort, endpoint: str) -> Splits:
    """Read given splits of a cohort from a file, over the patients labelled for ``endpoint``.

    Three forms are known. Columns ``patient`` and ``part``, which is train, validation (if there is one) or
    test: one split. Columns ``patient`` and ``fold``, and ``repeat`` if there are several: one split per
    fold, which is tested. SurvBoard's ``NAME_train_splits.csv`` with ``NAME_test_splits.csv`` beside it:
    one split per row, whose cells are the numbers, from 0, of the rows of the survival table. Without a
    validation part, the rows that train are dealt into five early-stopping parts, see
    :func:`jaxsurv.data.stratified_kfold`. Other columns are not read.

    Args:
        path: path of a ``.csv`` or ``.tsv`` file; of SurvBoard's either one.
        cohort: patients, by whose names or row numbers the file goes.
        endpoint: one of ``cohort.endpoints``.

    Returns:
        ``Splits`` of the rows of ``cohort.for_endpoint(endpoint)``; patients in no part have no role.

    Raises:
        InputError: patients that the cohort lacks; a patient who is there twice, or in train and test; an
            unknown part; an empty cell; a part without an event. The message names the file.

    Warns:
        DataWarning: labelled patients whom the file does not name.
    """
    if cohort.patients is not None:
        whole = last_rows(cohort)
        labels = whole.for_endpoint(endpoint).survival.index
        splits = read_splits(path, whole, endpoint)
        return splits.of_rows(labels.get_indexer(cohort.for_endpoint(endpoint).patients))
    path, patients = Path(path), cohort.survival.index
    labelled = patients.isin(cohort.for_endpoint(endpoint).survival.index)
    outcome = cohort.outcome(endpoint)
    with naming(path):
        read = _by_number if _NUMBERED.search(path.name) else _by_name
        test, develop, validation, repeat = read(path, patients)
        test, develop, validation = test[:, labelled], develop[:, labelled], validation[:, labelled]
        if len(absent := patients[labelled][~(test | develop).any(axis=0)]):
            warn(
                f"{path}: {len(absent)} patients with {endpoint!r} are in no part and have no role: "
                f"{few(absent)}"
            )
        event = np.asarray(outcome.event).astype(bool)
        stopping = validation[:, None]
        if not validation.any():
            stopping = parts_of_each(event, develop, PARTS, outcome.stratum)
        number = np.arange(len(repeat))
        fold = number - np.searchsorted(repeat, repeat)
        train = develop[:, None] & ~stopping
        splits = Splits(train, stopping, test, repeat, fold, "three-way")
        return check_parts(splits, event, "the split does not fit this endpoint of the cohort")


def _cells(path: Path) -> pd.DataFrame:
    with open_text(path) as text:
        separator = "\t" if ".tsv" in path.name.lower() else ","
        lines = enumerate(text, 1)
        table = read_table(
            lines, separator, dtype=str, keep_default_na=False, na_values=MISSING, index_col=False
        )
    return table.apply(lambda column: column.str.strip())


_Masks = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _by_name(path: Path, patients: pd.Index) -> _Masks:
    """Test, development and validation rows ``[s, n]``, and repeats ``[s]``."""
    table = _cells(path)
    table.columns = table.columns.str.strip().str.lower()
    kinds = [c for c in ("part", "fold") if c in table]
    if "patient" not in table or len(kinds) != 1:
        raise InputError(
            f"must have the columns patient, and part or fold, got {few(table.columns)}; rename them"
        )
    table = table[[c for c in ("patient", kinds[0], "repeat") if c in table]]
    if (empty := table.isna().any(axis=1)).any():
        raise InputError(
            f"row {few(np.flatnonzero(empty) + 1)} has an empty cell; fill it, or drop the row"
        )
    names = table["patient"]
    if len(unknown := names[~names.isin(patients)].unique()):
        raise InputError(
            f"{len(unknown)} patients are not in the cohort: {few(unknown)}{hint(unknown, patients)}; check "
            "the names, or take them out of the file"
        )
    if kinds == ["part"]:
        return _of_parts(table, patients)
    return _of_folds(table, patients)


def _of_parts(table: pd.DataFrame, patients: pd.Index) -> _Masks:
    part = table["part"].str.lower().map(_PARTS)
    if part.isna().any():
        raise InputError(
            f"part is {few(table['part'][part.isna()].unique())}; it must be train, validation or test"
        )
    distinct = part.groupby(table["patient"]).nunique()
    if (both := distinct.index[distinct > 1]).size:
        raise InputError(
            f"{len(both)} patients are in several of train, validation and test: {few(both)}; keep "
            "each in one"
        )
    _refuse_twice(table["patient"], "")
    rows = {p: patients.isin(table["patient"][part == p])[None] for p in _NAMES}
    for p in ("train", "test"):
        if not rows[p].any():
            raise InputError(f"no patient is in {p}; give some the part {p}")
    return rows["test"], rows["train"] | rows["validation"], rows["validation"], np.zeros(1, int)


def _of_folds(table: pd.DataFrame, patients: pd.Index) -> _Masks:
    table = table if "repeat" in table else table.assign(repeat="0")
    test, develop, repeat = [], [], []
    for number, (name, part) in enumerate(table.groupby("repeat", sort=False)):
        _refuse_twice(
            part["patient"], f" in repeat {name}" if table["repeat"].nunique() > 1 else ""
        )
        if negative := [f for f in part["fold"].unique() if f.startswith("-")]:
            raise InputError(
                f"fold {few(negative)} is below 0; give each patient the fold of its test"
            )
        if part["fold"].nunique() < 2:
            raise InputError(f"there is one fold, {part['fold'].iloc[0]}; nobody would train")
        there = patients.isin(part["patient"])
        for _, rows in part.groupby("fold", sort=False):
            test.append(patients.isin(rows["patient"]))
            develop.append(there & ~test[-1])
            repeat.append(number)
    tested = np.stack(test)
    return tested, np.stack(develop), np.zeros_like(tested), np.array(repeat)


def _refuse_twice(names: pd.Series, where: str) -> None:
    if len(twice := names[names.duplicated()].unique()):
        raise InputError(
            f"{len(twice)} patients are there twice{where}: {few(twice)}; keep one row of each"
        )


def _by_number(path: Path, patients: pd.Index) -> _Masks:
    masks = {}
    for part in ("train", "test"):
        file = path.with_name(_NUMBERED.sub(part, path.name))
        with naming(file):
            masks[part] = np.stack([
                _numbered(row, number, patients) for number, row in enumerate(_cells(file).to_numpy(), 1)
            ])  # fmt: skip
    develop, test = masks["train"], masks["test"]
    if len(develop) != len(test):
        raise InputError(f"there are {len(develop)} splits in train and {len(test)} in test")
    for number, both in enumerate(develop & test, 1):
        if both.any():
            raise InputError(
                f"split {number}: {both.sum()} patients are in train and test: {few(patients[both])}"
            )
    # a repeat ends where a patient is tested again
    repeat, seen = np.zeros(len(test), int), np.zeros(len(patients), bool)
    for s, rows in enumerate(test):
        again = (rows & seen).any()
        repeat[s] = repeat[s - 1] + again if s else 0
        seen = rows if again else seen | rows
    return test, develop, np.zeros_like(test), repeat


def _numbered(row: np.ndarray, number: int, patients: pd.Index) -> np.ndarray:
    """``[n]`` booleans: the rows whose numbers are in a row of a file."""
    cells = pd.Series(row).dropna()
    rows: np.ndarray = np.asarray(pd.to_numeric(cells, errors="coerce"), float)
    bad = ~((rows >= 0) & (rows < len(patients)) & (rows % 1 == 0))
    if bad.any():
        raise InputError(
            f"split {number}: {cells[bad].iloc[0]!r} is no row number of the cohort, which has "
            f"{len(patients)} patients, numbered from 0"
        )
    at = rows.astype(int)
    if len(twice := np.unique(at[pd.Series(at).duplicated()])):
        raise InputError(f"split {number}: patients are there twice: {few(patients[twice])}")
    return np.isin(np.arange(len(patients)), at)
