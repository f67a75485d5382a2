"""Names of genes and patients: one form of each name, and one row per name.

Genes: the version of an Ensembl identifier is dropped (``ENSG00000141510.17`` is
``ENSG00000141510``). Patients: a TCGA barcode (``TCGA-OR-A5J1-01A-11R``; R writes dots) begins with
the patient, ``TCGA-OR-A5J1``; the two digits after it are the type of the sample, 01 a primary
tumour, 10 to 19 normal tissue.
"""

# pandas' own types cannot tell frame[name], a Series, from frame[names].
# pyright: reportCallIssue=false, reportReturnType=false, reportAssignmentType=false

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from jaxsurv.data.names import check_patients
from jaxsurv.data.tables import few, warn
from jaxsurv.types import InputError

_ENSEMBL = re.compile(r"(ENS[A-Z]*\d{11})\.\d+(?:_PAR_Y)?", re.IGNORECASE)
_BARCODE = re.compile(r"(TCGA)[-.](\w{2})[-.](\w{4})(?:[-.](\d{2})\w?(?:[-.].*)?)?", re.IGNORECASE)
_NO_GENE = {"", "?", "nan", "na", "none", "---"}


def gene_name(name: object) -> str:
    """Name without surrounding blanks and, if it is an Ensembl identifier, without version.

    >>> gene_name("ENSG00000141510.17"), gene_name(" HLA-DRB1.5 ")
    ('ENSG00000141510', 'HLA-DRB1.5')
    """
    text = str(name).strip()
    versioned = _ENSEMBL.fullmatch(text)
    return versioned[1].upper() if versioned else text


def patient_part(name: object) -> str:
    """Patient part of a TCGA barcode, in capitals with hyphens; any other name as it is.

    >>> patient_part("tcga.or.a5j1.01a"), patient_part("TCGA-OR-A5J1"), patient_part("P-0012")
    ('TCGA-OR-A5J1', 'TCGA-OR-A5J1', 'P-0012')
    """
    text = str(name).strip()
    # most cohorts have no barcode, and a regular expression is slow on 100,000 names
    barcode = _BARCODE.fullmatch(text) if text[:4].upper() == "TCGA" else None
    return "-".join(barcode.groups()[:3]).upper() if barcode else text


def sample_type(name: object) -> int | None:
    """Sample type of a TCGA barcode, such as 1 for a primary tumour; None if it has none."""
    barcode = _BARCODE.fullmatch(str(name).strip())
    return int(barcode[4]) if barcode and barcode[4] else None


def match_samples(names: pd.Index, listed: pd.Index) -> dict[str, str]:
    """Match each of ``names`` to one of ``listed``.

    A match is the same name, or else the only TCGA barcode of the same sample. If one of the two names
    no sample, it is the only barcode of the same patient.

    Raises:
        InputError: names without a match, or with several.
    """

    def alone(keys: list[str]) -> dict[str, str]:
        return dict(pd.Series(listed, keys)[~pd.Index(keys).duplicated(keep=False)])

    samples = alone([_sample_part(s) for s in listed])
    patients = alone(list(map(patient_part, listed)))
    same = set(listed)
    found = {}
    for name in names:
        of_sample = samples.get(_sample_part(name)) or samples.get(patient_part(name))
        of_patient = patients.get(patient_part(name)) if sample_type(name) is None else None
        found[name] = name if name in same else of_sample or of_patient
    if lost := [name for name, sample in found.items() if sample is None]:
        raise InputError(
            f"{len(lost)} samples are not among those listed: {few(lost)} (listed are {few(listed, 2)})"
        )
    return found


def _sample_part(name: object) -> str:
    kind = sample_type(name)
    return patient_part(name) if kind is None else f"{patient_part(name)}-{kind:02d}"


def is_normal(name: object) -> bool:
    """True for a TCGA sample of normal tissue."""
    return 10 <= (sample_type(name) or 0) <= 19


def one_row_per_gene(matrix: pd.DataFrame, label: str) -> pd.DataFrame:
    """Matrix ``[genes, samples]`` with clean, distinct gene names.

    Rows without a name are dropped. If several rows have the same name, the row with the largest mean
    absolute value stays, the first if equal: the highest expression, or the most altered copy numbers
    or z-scores. One ``DataWarning`` counts both.
    """
    names = pd.Index([gene_name(g) for g in matrix.index])
    unnamed = names.str.lower().isin(_NO_GENE)
    matrix, names = matrix[~unnamed].set_axis(names[~unnamed]), names[~unnamed]
    told = [f"{unnamed.sum()} rows without a gene name dropped"] if unnamed.any() else []
    if names.has_duplicates:
        twice = names[names.duplicated()].unique()
        size = matrix.abs().mean(axis=1).fillna(-1).to_numpy()
        order = np.argsort(-size, kind="stable")
        kept = np.sort(order[~names[order].duplicated()])
        matrix = matrix.iloc[kept]
        told += [
            f"{len(twice)} genes in several rows ({few(twice, 3)}), of which the row with the "
            "largest mean absolute value is kept"
        ]
    if told:
        warn(f"{label}: {'; '.join(told)}")
    return matrix


def patients_of(
    samples: pd.Index, label: str, *, patients: Mapping[str, str] | None = None
) -> pd.Series:
    """Choose one sample for each patient: patient (index) to sample, in the order of the samples.

    If a patient has several samples, the alphabetically first is taken, which among TCGA barcodes
    is the primary tumour (01); a ``DataWarning`` counts these patients. Normal tissue (10 to
    19) is never taken.

    Args:
        samples: distinct names of samples.
        label: name of the table in the warning.
        patients: sample to patient, if the source tells; without it the patient part of a TCGA
            barcode is used, and any other sample is its own patient.

    Raises:
        InputError: a sample that ``patients`` spells in another way.

    Warns:
        DataWarning: patients with several samples; normal tissue; samples that ``patients`` lacks.
    """
    known = patients or {}
    names = samples.astype(str)
    if known:
        check_patients({label: names, "list of samples": pd.Index(list(known))})
    owners = [patient_part(known.get(s, s)) for s in names]
    normal = np.array([is_normal(s) for s in names], bool)
    table = pd.DataFrame({"sample": names, "patient": owners})[~normal]
    chosen = table.sort_values("sample").drop_duplicates("patient").sort_index()
    told = [f"{normal.sum()} samples of normal tissue dropped"] if normal.any() else []
    if several := int((table["patient"].value_counts() > 1).sum()):
        told += [
            f"{several} patients have several samples, of which the alphabetically first (a primary "
            "tumour, 01, before others) is taken"
        ]
    found = {*known, *known.values()}
    if known and (
        lost := [s for s in names if s not in found and not _BARCODE.fullmatch(s.strip())]
    ):
        told += [
            f"{len(lost)} samples of no known patient: {few(lost)}; each counts as a patient of its own, add "
            "them to the list of samples"
        ]
    if told:
        warn(f"{label}: {'; '.join(told)}")
    return chosen.set_index("patient")["sample"]


def match_barcodes(
    tables: Mapping[str, pd.DataFrame], survival: pd.DataFrame
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Reduce tables and outcomes that are named by samples to one row per patient.

    Names are samples if a table has more patients in common with the survival table on the patient part
    of TCGA barcodes than on whole names, or if the survival table has several samples of a patient or
    normal tissue. Then all tables are reduced to the patient part, and a ``DataWarning`` says how many
    matched. Otherwise all stay as they are.
    """
    short = pd.Index([patient_part(p) for p in survival.index])
    apart = set()
    for m, t in tables.items():
        parts = pd.Index([patient_part(p) for p in t.index])
        if parts.isin(short).sum() > t.index.isin(survival.index).sum():
            apart.add(m)
    if not (apart or short.has_duplicates or any(map(is_normal, survival.index))):
        return dict(tables), survival

    def reduced(name: str, table: pd.DataFrame) -> pd.DataFrame:
        chosen = patients_of(table.index, name)
        return table.loc[chosen].set_axis(chosen.index)

    out = {m: reduced(f"modality {m!r}", t) for m, t in tables.items()}
    survival = reduced("survival table", survival)
    counts = {m: out[m].index.isin(survival.index).sum() for m in sorted(apart or out)}
    told = ", ".join(f"{n} of {len(out[m])} in {m!r}" for m, n in counts.items())
    barcodes = any(_BARCODE.fullmatch(str(p).strip()) for p in survival.index)
    how = "TCGA barcodes matched on the patient part (TCGA-XX-XXXX)"
    warn(
        f"{how if barcodes else 'patient names matched without surrounding blanks'}: {told} have an outcome"
    )
    return out, survival


def refuse_transposed(label: str, table: pd.DataFrame, patients: pd.Index) -> None:
    """Refuse a table whose columns, not rows, are patients.

    Raises:
        InputError: a table with more columns than rows among ``patients``, by name or TCGA patient part.
    """
    known = {patient_part(p) for p in patients}
    rows = sum(patient_part(p) in known for p in table.index)
    columns = [c for c in table.columns if patient_part(c) in known]
    if len(columns) > rows:
        raise InputError(
            f"{label}: {len(columns)} of its {table.shape[1]} columns are patients ({few(columns, 2)}) "
            f"and its rows are features ({few(table.index, 2)}): transpose it, so that patients are "
            "the rows"
        )
