"""UCSC Xena downloads: matrices of features × samples beside a survival table."""

import re
from collections.abc import Container, Sequence
from pathlib import Path

import pandas as pd

from jaxsurv.data.cohort import Cohort
from jaxsurv.data.delimited import by_first_column, read_header, read_table
from jaxsurv.data.files import naming, noting, open_text, require_folder
from jaxsurv.data.formats.matrix import as_modality, measured_kind, read_matrix
from jaxsurv.data.formats.outcomes import (
    clinical_table,
    known,
    outcome_table,
    paired_endpoints,
)
from jaxsurv.data.identifiers import patient_part, patients_of
from jaxsurv.data.problems import refuse_all
from jaxsurv.data.readers import found_cohort
from jaxsurv.data.samples import of_one_sample
from jaxsurv.data.tables import few, refuse_repeated, warn
from jaxsurv.types import InputError

# Modality to pattern of the hubs' file names; the first pattern that matches counts.
_NAMES = {
    "mirna": r"mirna|\bmir\b",
    "methylation": r"methylation",
    "protein": r"rppa|protein",
    "mutation": r"mutation|mc3|mutect|muse|varscan|somaticsniper",
    "cnv": r"gistic|copy.?number|snp6|cnv|ascat",
    "rna": r"hiseq|ga_|htseq|star_|fpkm|tpm|rsem|rna.?seq|expression|agilent|u133",
}
_SUFFIXES = re.compile(r"(\.(tsv|txt|gz))+$", re.IGNORECASE)
_CLINICAL = re.compile(r"clinical|phenotype", re.IGNORECASE)
_IGNORED = re.compile(r"probemap|\.(json|md|html|pdf|zip)$", re.IGNORECASE)
_PLACES = {"chr", "chrom", "chromosome", "start", "end", "startposition", "endposition"}
_NO_MARKS = ("no", "0", "0.0", "false", "none")  # cells of the column Redaction
_SAMPLE = ("sample", "sampleid", "xena_sample", "submitter_id.samples")


def read_xena(
    path: str | Path,
    *,
    clinical: Sequence[str] | None = None,
    semi_supervised: bool = False,
) -> Cohort:
    """Read a folder of UCSC Xena files, each tab-separated, ``.gz`` or not.

    - The survival table is the one file whose header has ``sample`` and pairs such as ``OS``,
      ``OS.time``. Endpoints are in days. ``_PATIENT`` maps samples to patients; without it, TCGA
      barcodes do. The outcome of a patient is the outcome of the sample that is taken.
    - Sample tables with ``clinical`` or ``phenotype`` in their name give ``clinical``.
    - Every other file is a matrix of features × samples. The modality is inferred from the file's name
      (``HiSeqV2`` is rna, ``Gistic2_...`` cnv), or else named like the file. A modality on the scale of
      counts has the kind ``counts`` (most hubs give logarithms); other kinds are inferred. Probe maps
      are ignored.

    One sample per patient, the same in all matrices, and one row per gene are taken, see
    ``of_one_sample``, ``patients_of`` and ``one_row_per_gene``. Patients whom the column ``Redaction`` of
    the survival table marks are left out, with a ``DataWarning`` that names them.

    Args:
        path: path of the folder.
        clinical: columns of the clinical file to take instead of those known at diagnosis.
        semi_supervised: keep patients without an outcome, as rows without a label.

    Raises:
        InputError: a file that is missing or not valid; the message names it and the problem.
    """
    folder = Path(path)
    require_folder(folder)
    files = [
        f
        for f in sorted(folder.iterdir())
        if not f.is_dir() and not _IGNORED.search(f.name) and not f.name.startswith(".")
    ]
    if inner := [f.name for f in sorted(folder.iterdir()) if f.is_dir() and f.name[0] != "."]:
        warn(f"{folder}: the files in its folders are not read: {few(inner)}; move them up")
    tables = [f for f in files if is_survival_table(f)]
    if len(tables) != 1:
        raise InputError(
            f"{folder}: needs one survival table (columns sample, OS, OS.time), found "
            f"{few([f.name for f in tables]) or 'none'}"
        )
    others = [f for f in files if f not in tables]
    if len(second := [f.name for f in others if _CLINICAL.search(f.name)]) > 1:
        raise InputError(
            f"{folder}: there are {len(second)} clinical files, {few(second)}; keep one"
        )
    with naming(tables[0]):
        outcomes = _samples(tables[0])
        owners = outcomes["_PATIENT"].dropna().to_dict() if "_PATIENT" in outcomes else {}
        chosen = patients_of(outcomes.index, tables[0].name, patients=owners)
        outcomes = outcomes.loc[chosen].set_axis(chosen.index)
        redacted = _redacted(outcomes)
        outcomes = outcomes.drop(index=redacted)
        endpoints = paired_endpoints(outcomes.columns, ".time", "")
        survival = outcome_table(outcomes, endpoints, tables[0].name)
        survival.columns = survival.columns.str.replace(".", "_")
    modalities: dict[str, pd.DataFrame] = {}
    kinds, matrices, places = {}, {}, {}
    problems: list[str] = []
    for file in others:
        with noting(file, problems):
            if _CLINICAL.search(file.name):
                table = _samples(file)
                rows = patients_of(table.index, file.name, patients=owners)
                table = table.loc[rows].set_axis(rows.index)
                table = table.drop(index=redacted, errors="ignore")
                modalities |= clinical_table(table, clinical, file.name)
                continue
            with open_text(file) as text:
                _refuse_no_matrix(read_header(enumerate(text, 1)), owners, survival, tables[0].name)
            with open_text(file) as text:
                matrix = read_matrix(enumerate(text, 1))
            matrix = matrix[[s for s in matrix if patient_part(owners.get(s, s)) not in redacted]]
            name = _modality(file.name, matrices)
            matrices[name], places[name] = matrix, file
    refuse_all(problems)
    taken = of_one_sample({m: matrix.columns for m, matrix in matrices.items()}, owners)
    for name, matrix in matrices.items():
        with naming(places[name]):
            modalities[name] = as_modality(matrix[taken[name]], places[name].name, owners)
        kinds[name] = measured_kind(modalities[name])
    about = {"name": folder.resolve().name, "time_unit": "days", "source": "UCSC Xena"}
    return found_cohort(folder, modalities, survival, kinds, semi_supervised, **about)


def is_survival_table(file: Path) -> bool:
    """True if the header has a sample column and a pair such as OS and OS.time."""
    if re.search(r"\.csv(\.gz)?$", file.name.lower()):  # Xena's are tab-separated
        return False
    try:
        with naming(file), open_text(file) as text:
            header = read_header(enumerate(text, 1))
    except InputError:
        if "survival" in file.name.lower():
            raise
        return False
    named = header[0].lower() in _SAMPLE
    return named and bool(paired_endpoints(pd.Index(header), ".time", ""))


def _redacted(outcomes: pd.DataFrame) -> list[str]:
    """Patients whom the source asks not to use."""
    marks = [c for c in outcomes if str(c).strip().lower() == "redaction"]
    cells = [known(outcomes[c]).dropna().astype(str).str.strip().str.lower() for c in marks[:1]]
    patients = [p for column in cells for p in column.index[~column.isin(_NO_MARKS)]]
    if patients:
        warn(f"{len(patients)} redacted patients are left out: {few(patients, 20)}")
    return patients


def _refuse_no_matrix(
    header: list[str], owners: dict[str, str], survival: pd.DataFrame, label: str
) -> None:
    """Raise unless columns are samples, for lists of mutations and segments with the right hint."""
    if len(where := [c for c in header if c.strip("#").lower().replace("_", "") in _PLACES]) > 1:
        raise InputError(
            f"is a list of mutations or segments, one a row ({few(header)}), no matrix of features × "
            f"samples: it has the columns {few(where)}; take it out of the folder, or download the "
            "gene-level table (such as mc3_gene_level, or Gistic2 by genes)"
        )
    patients = {patient_part(owners.get(s, s)) for s in header}
    if patients.isdisjoint(survival.index):
        raise InputError(
            f"no column is a sample of {label} ({few(header, 3)} against {few(survival.index, 2)}); if "
            "it is no matrix of features × samples, take it out of the folder"
        )


def _samples(file: Path) -> pd.DataFrame:
    """Read a table with one row per sample, all cells as text."""
    with open_text(file) as text:
        table = by_first_column(read_table(enumerate(text, 1), dtype=str))
    table.index = table.index.astype(str).str.strip()
    refuse_repeated(table.index, "duplicate samples", "keep one row each")
    return table


def _modality(file: str, taken: Container[str]) -> str:
    for name, pattern in _NAMES.items():
        if name not in taken and re.search(pattern, file, re.IGNORECASE):
            return name
    return re.sub(r"\W+", "_", _SUFFIXES.sub("", file))
