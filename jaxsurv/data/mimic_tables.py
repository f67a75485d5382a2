"""Readers of MIMIC-IV's tables, one per table: checked, and restricted to the stays that are wanted."""

# pandas' own types cannot tell frame[name], a Series, from frame[names].
# pyright: reportArgumentType=false, reportCallIssue=false, reportReturnType=false

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd

from jaxsurv.data.delimited import read_header, read_table
from jaxsurv.data.files import naming, open_text, require_arrays
from jaxsurv.data.tables import few, refuse_cells, refuse_repeated, to_float, warn
from jaxsurv.types import InputError

COLUMNS = {
    "patients": ["subject_id", "gender", "anchor_age", "anchor_year", "dod"],
    "admissions": [
        *("subject_id", "hadm_id", "admittime", "dischtime", "deathtime"),
        *("hospital_expire_flag", "admission_type", "insurance"),
    ],
    "diagnoses_icd": ["subject_id", "hadm_id", "icd_code", "icd_version"],
    "labevents": ["subject_id", "hadm_id", "itemid", "charttime", "valuenum"],
}
_TEXT = ("dod", "admittime", "dischtime", "deathtime", "charttime", "icd_code", "icd_version")
_SECONDS = "%Y-%m-%d %H:%M:%S"
_CHUNK = 1_000_000  # laboratory values in memory at a time


def find_table(folder: Path, name: str) -> Path:
    """Find the one file of a table, in the folder or in ``hosp/``, and check that it has its columns."""
    places = [
        at / f"{name}{end}" for at in (folder, folder / "hosp") for end in (".csv", ".csv.gz")
    ]
    found = [place for place in places if place.exists()]
    if not found:
        raise InputError(f"there is none of {few(places)}; MIMIC-IV's {name} is needed")
    if len(found) > 1:
        raise InputError(f"there are {few(found)}; keep one")
    with naming(found[0]), open_text(found[0]) as text:
        _refuse_missing(COLUMNS[name], read_header(enumerate(text, 1), ","))
    return found[0]


def _refuse_missing(needed: list[str], there: Sequence[str]) -> None:
    if missing := [c for c in needed if c not in there]:
        raise InputError(f"no column {few(missing)}, but {few(there, 20)}; rename or add it")


def _read(text: TextIO, name: str, **options: Any) -> Any:
    """Read a table with rows named by patient and inferred numbers, so that errors name the cell."""
    return read_table(
        enumerate(text, 1),
        ",",
        usecols=COLUMNS[name],
        index_col="subject_id",
        dtype=dict.fromkeys(_TEXT, str),
        **options,
    )


def _numbers(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    fix = "correct the cell or drop the row"
    return table.assign(**to_float(table[columns], "numbers", fix))


def _times(table: pd.DataFrame, form: str, columns: list[str], *, maybe: bool) -> pd.DataFrame:
    """``columns`` as times; missing times are allowed only with ``maybe``."""
    times = table[columns].apply(pd.to_datetime, format=form, errors="coerce")
    bad = times.isna() & (table[columns].notna() | (not maybe))
    example = pd.Timestamp("2150-01-31 13:45").strftime(form)
    refuse_cells(bad, table[columns], "times", "the time", f"write it as {example}")
    return table.assign(**times)


def read_patients(path: Path) -> pd.DataFrame:
    """Read the patients, one row per ``subject_id``."""
    with open_text(path) as text:
        patients = _numbers(_read(text, "patients"), ["anchor_age", "anchor_year"])
    refuse_repeated(patients.index, f"several rows of {patients.index.name}")
    return _times(patients, "%Y-%m-%d", ["dod"], maybe=True)


def read_stays(path: Path, patients: pd.DataFrame) -> pd.DataFrame:
    """Read the stays that end after they start, one row per ``hadm_id``, with the patient's columns."""
    with open_text(path) as text:
        stays = _numbers(_read(text, "admissions"), ["hadm_id", "hospital_expire_flag"])
    if (lost := stays.index.difference(patients.index)).size:
        raise InputError(f"subject_id {few(lost)} is not in the table of patients; add the rows")
    refuse_cells(stays[["hadm_id"]].isna(), stays[["hadm_id"]], "stays", "the stay", "name it")
    stays = _times(stays, _SECONDS, ["admittime", "dischtime"], maybe=False)
    stays = _times(stays, _SECONDS, ["deathtime"], maybe=True)
    stays = stays.join(patients).reset_index().astype({"hadm_id": "int64"}).set_index("hadm_id")
    refuse_repeated(stays.index, f"several rows of {stays.index.name}")
    wrong = ~(stays["dischtime"] > stays["admittime"])
    if wrong.any():
        warn(
            f"{path}: {wrong.sum()} stays whose dischtime is not after admittime are left out: "
            f"hadm_id {few(stays.index[wrong])}"
        )
    return stays[~wrong]


def read_diagnoses(path: Path, stays: pd.DataFrame, min_patients: int) -> pd.DataFrame:
    """Read codes as ``[stays with a code, codes]`` of 0 and 1: three characters, within a version."""
    with open_text(path) as text:
        table = _numbers(_read(text, "diagnoses_icd"), ["hadm_id"])
    version, code = table[["icd_version"]], table[["icd_code"]]
    refuse_cells(~version.isin(["9", "10"]), version, "codes", "the version", "it is 9 or 10")
    refuse_cells(code.isna(), code, "codes", "the code", "drop the row")
    found = pd.DataFrame(
        {
            "row": stays.index.get_indexer(table["hadm_id"]),
            "code": "icd" + table["icd_version"] + "_" + table["icd_code"].str.strip().str[:3],
        }
    )
    found = found[found["row"] >= 0].drop_duplicates()
    patient = stays["subject_id"].to_numpy()[found["row"]]
    patients = found.assign(patient=patient).groupby("code")["patient"].nunique()
    kept = patients.index[patients >= min_patients]
    if kept.empty:
        raise InputError(
            f"no code in {min_patients} patients, but at most in {max(patients, default=0)}; lower "
            "min_patients"
        )
    rows, row = np.unique(found["row"], return_inverse=True)
    column = kept.get_indexer(found["code"])
    values = np.zeros((len(rows), len(kept)), np.uint8)  # thousands of codes of many stays
    values[row[column >= 0], column[column >= 0]] = 1
    return pd.DataFrame(values, stays.index[rows], pd.Index(list(kept)))


def read_labs(path: Path, stays: pd.DataFrame, min_share: float) -> pd.DataFrame:
    """Read labs as ``[stays with a value, items]``: means of the values taken by discharge.

    Sums and counts are merged whenever they have doubled: memory grows with their number, not with the
    size of the file.
    """
    parts: list[pd.DataFrame] = []
    left = stays["dischtime"].to_numpy()
    with open_text(path) as text, _read(text, "labevents", chunksize=_CHUNK) as pieces:
        for piece in pieces:
            piece = _numbers(piece, ["hadm_id", "itemid", "valuenum"])
            row = stays.index.get_indexer(piece["hadm_id"])
            used = (row >= 0) & piece["valuenum"].notna()
            piece = _times(piece.assign(row=row)[used], _SECONDS, ["charttime"], maybe=False)
            piece = piece[piece["charttime"] <= left[piece["row"]]]
            parts.append(piece.groupby(["row", "itemid"])["valuenum"].agg(["sum", "count"]))
            if sum(map(len, parts[1:])) > max(len(parts[0]), _CHUNK):
                parts = [_added(parts)]
    labs = _added(parts)
    share = labs.groupby("itemid").size() / len(stays)
    labs = labs[labs.index.get_level_values("itemid").isin(share.index[share >= min_share])]
    if labs.empty:
        raise InputError(
            f"no lab in {min_share:.0%} of the stays, but at most in {max(share, default=0):.0%}; lower "
            "min_share"
        )
    mean = (labs["sum"] / labs["count"]).unstack()
    columns = pd.Index([f"{item:.0f}" for item in mean.columns])
    return mean.set_axis(columns, axis=1).set_axis(stays.index[mean.index])


def _added(parts: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(parts).groupby(level=["row", "itemid"]).sum()


def read_notes(path: Path, stays: pd.DataFrame) -> pd.DataFrame:
    """Read embeddings of notes, ``[stays with a note, d]``."""
    if path.suffix == ".npz":
        require_arrays(path)
        with np.load(path, allow_pickle=False) as arrays:
            _refuse_missing(["hadm_id", "embedding"], arrays.files)
            stay, values = arrays["hadm_id"], arrays["embedding"]
        if values.ndim != 2 or stay.shape != values.shape[:1]:
            raise InputError(
                f"hadm_id {list(stay.shape)} and embedding {list(values.shape)} must be [m] and [m, d]"
            )
        table = pd.DataFrame(values, pd.Index(stay, name="hadm_id"))
    else:
        with open_text(path) as text:
            table = read_table(enumerate(text, 1), ",")
        _refuse_missing(["hadm_id"], list(table.columns))
        table = table.drop(columns="subject_id", errors="ignore").set_index("hadm_id")
    refuse_repeated(table.index, f"several rows of {table.index.name}")
    if not table.shape[1]:
        raise InputError("no column beside hadm_id; add the embeddings")
    fix = "keep hadm_id and numbers, and no row for a stay without a note"
    numbers = to_float(table, "notes", fix)
    refuse_cells(numbers.isna(), table, "notes", "the value", fix)
    there = stays.index[stays.index.isin(table.index)]
    if there.empty:
        raise InputError(
            f"no note is of a stay with a label ({few(table.index, 2)}); check hadm_id"
        )
    return numbers.reindex(there).rename(columns=str)
