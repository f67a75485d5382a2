"""Hospital stays from MIMIC-IV's tables: features known at discharge, and a label from after it."""

# pandas' own types cannot tell frame[name], a Series, from frame[names].
# pyright: reportArgumentType=false, reportCallIssue=false, reportReturnType=false, reportAssignmentType=false

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pandas as pd

from jaxsurv.data.files import naming
from jaxsurv.data.mimic_tables import (
    COLUMNS,
    find_table,
    read_diagnoses,
    read_labs,
    read_notes,
    read_patients,
    read_stays,
)
from jaxsurv.data.tables import few
from jaxsurv.types import InputError

Task = Literal["readmission", "length_of_stay", "mortality"]


@dataclass(frozen=True, eq=False)
class MimicCohort:
    """Hospital stays with a label, one row per stay.

    The stays of one patient are dependent: keep them on one side of every split, by ``patient``.
    All tables are indexed by ``hadm_id`` and ordered by patient and time of admission.

    Attributes:
        modalities: tables ``diagnoses``, ``labs`` and, if given, ``notes``:
            ``[stays with the modality, features]``.
        kinds: kinds of the modalities and of ``clinical``, as in ``Cohort``.
        clinical: ``[n, 4]``: ``age`` at admission in years (91 or more for patients older than 89),
            ``sex``, ``admission_type``, ``insurance``.
        label: ``[n]``: 0 or 1, or days for the length of stay; named by the task.
        patient: ``[n]``, ``subject_id``.
    """

    modalities: dict[str, pd.DataFrame]
    kinds: dict[str, str]
    clinical: pd.DataFrame
    label: pd.Series
    patient: pd.Series


def read_mimic(
    folder: str | Path,
    *,
    task: Task,
    notes: str | Path | None = None,
    min_patients: int = 50,
    min_share: float = 0.2,
) -> MimicCohort:
    """Read hospital stays and a task from tables with the names and columns of MIMIC-IV (v2 or v3).

    The folder, or ``hosp/`` in it, holds ``patients``, ``admissions``, ``diagnoses_icd`` and
    ``labevents``, each ``.csv`` or ``.csv.gz``. Laboratory values are read in pieces.

    Tasks. A stay ends at dischtime. "The next stay" is the patient's first stay that starts at dischtime
    or later; a transfer on the same day counts:

    - ``readmission``: 1 if the next stay starts at most 30 days (to the second) after dischtime. Stays
      elsewhere or after the end of the data are unknown, and count as none; so does death at home.
    - ``length_of_stay``: days of the next stay; stays without a next stay are left out.
    - ``mortality``: 1 if ``dod``, a date, is 0 to 365 days after the date of discharge.
      MIMIC-IV knows ``dod`` up to one year after a patient's last discharge, so that no label is
      censored.

    Stays that end in death (hospital_expire_flag, deathtime, or dod before the day of discharge) are left
    out of every task. Stays whose dischtime is not after their admittime are left out too, with a
    ``DataWarning``, and never count as a next stay.

    Modalities hold no value from after discharge (though hospitals assign the codes of a stay when it is
    over). A stay without a row lacks the modality. Codes and labs are chosen over all stays with a label,
    by how common they are, without a look at the label:

    - ``diagnoses``, binary: the first three characters of ICD codes, ``icd9_428``, ``icd10_I50``.
    - ``labs``, continuous: ``itemid`` (as text) to the mean over the stay, missing if not measured.
      Values without a number, without a ``hadm_id`` or taken after dischtime do not count.
    - ``notes``, continuous: embeddings.

    Args:
        folder: path of the folder.
        task: name of the task, which defines ``label``.
        notes: path of a ``.csv`` or ``.csv.gz`` with ``hadm_id`` and numeric columns (``subject_id`` is
            not read), or ``.npz`` with ``hadm_id`` ``[m]`` and ``embedding`` ``[m, d]``; one row per
            stay. The caller must make sure that the notes were written by discharge.
        min_patients: least number of patients with a code for the code to become a feature, counted
            over stays with a label.
        min_share: least share of the stays with a label in which a lab was measured for the lab to
            become a feature.

    Raises:
        InputError: a table or column that is missing, times that cannot be read, cells that are no
            numbers, repeated stays or patients, a stay whose patient is unknown, embeddings with gaps;
            no stay, code or lab left; an unknown task. The message names the file.
    """
    if task not in get_args(Task):
        raise InputError(f"there is no task {task!r}, but {few(get_args(Task))}")
    files = {name: find_table(Path(folder), name) for name in COLUMNS}
    with naming(files["patients"]):
        patients = read_patients(files["patients"])
    with naming(files["admissions"]):
        stays = _labelled(read_stays(files["admissions"], patients), task)
    modalities = {}
    with naming(files["diagnoses_icd"]):
        modalities["diagnoses"] = read_diagnoses(files["diagnoses_icd"], stays, min_patients)
    with naming(files["labevents"]):
        modalities["labs"] = read_labs(files["labevents"], stays, min_share)
    if notes is not None:
        with naming(Path(notes)):
            modalities["notes"] = read_notes(Path(notes), stays)
    kinds = {"diagnoses": "binary", "labs": "continuous", "notes": "continuous"}
    age = stays["anchor_age"] + stays["admittime"].dt.year - stays["anchor_year"]
    clinical = {"age": age, "sex": stays["gender"]}
    return MimicCohort(
        modalities,
        {m: kinds[m] for m in modalities} | {"clinical": "mixed"},
        pd.DataFrame(clinical | {c: stays[c] for c in ("admission_type", "insurance")}),
        stays["label"].rename(task),
        stays["subject_id"],
    )


def _labelled(stays: pd.DataFrame, task: Task) -> pd.DataFrame:
    """Stays of the task, with their label, in the order of patient and time."""
    times = ["admittime", "dischtime"]
    later = stays[["subject_id", *times]].sort_values(times).add_prefix("next_")
    stays = pd.merge_asof(
        stays.reset_index().sort_values("dischtime"),
        later,
        left_on="dischtime",
        right_on="next_admittime",
        left_by="subject_id",
        right_by="next_subject_id",
        direction="forward",
    )
    left = stays["dischtime"].dt.normalize()
    dead = (stays["hospital_expire_flag"] == 1) | stays["deathtime"].notna() | (stays["dod"] < left)
    if task == "readmission":
        gap = stays["next_admittime"] - stays["dischtime"]
        label = (gap <= np.timedelta64(30, "D")).astype("int64")
    elif task == "length_of_stay":
        label = (stays["next_dischtime"] - stays["next_admittime"]) / np.timedelta64(1, "D")
    else:
        label = (stays["dod"] - left <= np.timedelta64(365, "D")).astype("int64")
    stays = stays.assign(label=label)[~dead & label.notna()]
    if stays.empty:
        raise InputError(f"no stay has a label for {task!r}; check dischtime, or take another task")
    return stays.sort_values(["subject_id", "admittime", "dischtime"]).set_index("hadm_id")
