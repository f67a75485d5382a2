"""cBioPortal study folders, as the data hub and the portal's download button give them."""

import re
from collections.abc import Sequence
from fnmatch import fnmatch
from itertools import dropwhile
from pathlib import Path
from typing import TextIO

import numpy as np
import pandas as pd

from jaxsurv.data.cohort import Cohort
from jaxsurv.data.delimited import Lines, read_table
from jaxsurv.data.files import naming, noting, open_text, require_file, require_folder
from jaxsurv.data.formats.matrix import as_modality, measured_kind, read_matrix
from jaxsurv.data.formats.outcomes import clinical_table, outcome_table, paired_endpoints
from jaxsurv.data.identifiers import gene_name, match_samples, patients_of
from jaxsurv.data.problems import refuse_all
from jaxsurv.data.readers import found_cohort
from jaxsurv.data.samples import of_one_sample
from jaxsurv.data.table_files import warn_of_workbooks
from jaxsurv.data.tables import few, refuse_repeated, warn
from jaxsurv.types import InputError

# MAF classes that change a protein.
NON_SILENT = (
    "Frame_Shift_Del",
    "Frame_Shift_Ins",
    "In_Frame_Del",
    "In_Frame_Ins",
    "Missense_Mutation",
    "Nonsense_Mutation",
    "Nonstop_Mutation",
    "Splice_Site",
    "Translation_Start_Site",
)
_NOT_SOMATIC = ("germline", "loh", "none", "wildtype")
_GENES = ("Hugo_Symbol", "Entrez_Gene_Id", "Cytoband")
# Identifiers of a case list, which may go on in the next lines until another field begins.
_CASES = re.compile(
    r"^[ \t]*case_list_ids\s*:(.*?)(?=^[ \t]*\w+[ \t]*:|\Z)", re.MULTILINE | re.DOTALL
)
_FIVE = (-2, -1, 0, 1, 2)


def read_cbioportal(
    path: str | Path,
    *,
    clinical: Sequence[str] | None = None,
    semi_supervised: bool = False,
) -> Cohort:
    """Read a cBioPortal study folder; patients are the rows of ``data_clinical_patient.txt``.

    - ``rna``: ``data_mrna_seq_*.txt`` (else ``data_mrna_*.txt``), not the z-scores unless there is
      nothing else; kind ``counts`` if on the scale of counts (see ``is_raw_scale``).
    - ``cnv``: ``data_cna.txt``, five states (fractions, as some panels have them: continuous).
    - ``mutation``: ``data_mutations*.txt`` (MAF): 1 where a patient has a mutation of a class in
      ``NON_SILENT``, in any case, in a gene; rows whose status is germline, LOH, none or wildtype do
      not count. Sequenced patients are listed in ``case_lists/cases_sequenced.txt``, whose barcodes may
      be shorter or longer (see ``match_samples``). Without that file they are the patients in the MAF,
      with a ``DataWarning``, since a tumour without any mutation is then unknown.
    - ``clinical``: columns of the patient table, see ``clinical_table``.
    - endpoints: every pair ``X_MONTHS``, ``X_STATUS`` (``1:DECEASED``): OS, DFS, PFS, DSS, ... Each has 0 and
      1 alone: in DSS other deaths are censored; :func:`jaxsurv.data.competing_deaths` makes one endpoint
      with both causes of OS and DSS.

    ``data_clinical_sample.txt`` maps samples to patients; without it, TCGA barcodes do. One sample per
    patient, the same in all modalities, and one row per gene are taken, see ``of_one_sample``,
    ``patients_of`` and ``one_row_per_gene``.

    Args:
        path: path of the folder.
        clinical: columns of the patient table to take instead of those known at diagnosis.
        semi_supervised: keep patients without an outcome, as rows without a label.

    Raises:
        InputError: a file that is missing or not valid; the message names it and the problem.
    """
    folder = Path(path)
    require_folder(folder)
    warn_of_workbooks(folder)
    patient_file = folder / "data_clinical_patient.txt"
    problems, modalities, survival = [], {}, pd.DataFrame()
    with noting(patient_file, problems):
        table = _clinical(patient_file, "PATIENT_ID")
        endpoints = paired_endpoints(table.columns, "_MONTHS", "_STATUS")
        if not endpoints:
            raise InputError(
                f"has no pair of columns such as OS_MONTHS and OS_STATUS, but {few(table.columns, 30)}"
            )
        survival = outcome_table(table, endpoints, patient_file.name)
        used = [c for pair in endpoints.values() for c in pair]
        modalities = clinical_table(table.drop(columns=used), clinical, patient_file.name)
    samples = folder / "data_clinical_sample.txt"
    owners: dict[str, str] = {}
    if samples.exists():
        with noting(samples, problems):
            owners = _clinical(samples, "SAMPLE_ID", "PATIENT_ID")["PATIENT_ID"].to_dict()
    files, names, matrices, maf = {}, {}, {}, pd.DataFrame()
    if expression := _expression_file(folder):
        files["rna"] = expression
    if copies := _files(folder, "data_cna.txt"):
        files["cnv"] = copies[0]
    for modality, file in files.items():
        with noting(file, problems), open_text(file) as text:
            matrices[modality] = read_matrix(enumerate(text, 1), _GENES)
            names[modality] = matrices[modality].columns
    if mutations := _files(folder, "data_mutations*.txt"):
        files["mutation"] = mutations[0]
        with noting(mutations[0], problems):
            maf, names["mutation"] = _maf(mutations[0])
    refuse_all(problems)
    names, kinds = of_one_sample(names, owners), {}
    for modality, matrix in matrices.items():
        with naming(files[modality]):
            table = as_modality(matrix[names[modality]], files[modality].name, owners)
        modalities[modality] = table
    if "rna" in files:
        kinds["rna"] = measured_kind(modalities["rna"])
    if "cnv" in files:
        states = modalities["cnv"].to_numpy()
        fits = np.isin(states, _FIVE) | np.isnan(states)
        kinds["cnv"] = "five_state" if fits.all() else None
    if "mutation" in files:
        with naming(files["mutation"]):
            chosen = patients_of(names["mutation"], files["mutation"].name, patients=owners)
            modalities["mutation"] = _mutations(maf, chosen)
        kinds["mutation"] = "binary"
    about = _study(folder / "meta_study.txt")
    return found_cohort(
        folder,
        modalities,
        survival,
        kinds,
        semi_supervised,
        name=about.get("cancer_study_identifier", folder.resolve().name),
        title=about.get("name", ""),
        time_unit="months",
        source=about.get("citation", "cBioPortal"),
    )


def _files(folder: Path, pattern: str) -> list[Path]:
    """Files that match the pattern, in upper or lower case: old studies write data_CNA.txt."""
    return sorted(f for f in folder.iterdir() if fnmatch(f.name.lower(), pattern))


def _expression_file(folder: Path) -> Path | None:
    found = _files(folder, "data_mrna_seq_*.txt") or _files(folder, "data_mrna_*.txt")
    found = [f for f in found if "zscore" not in f.name.lower()] or found
    if len(found) > 1:
        others = few([f.name for f in found[1:]])
        warn(f"{found[0].name} is read as rna, {others} is not")
    return found[0] if found else None


def _below_comments(text: TextIO) -> Lines:
    return dropwhile(lambda line: not line[1].strip() or line[1][0] == "#", enumerate(text, 1))


def _clinical(path: Path, index: str, *others: str) -> pd.DataFrame:
    """Read a clinical file below its comment header, all cells as text."""
    with open_text(path) as text:
        lines = _below_comments(text)
        table = read_table(lines, quoted=False, dtype=str, keep_default_na=False)
    if absent := [c for c in (index, *others) if c not in table]:
        raise InputError(f"has no column {few(absent)}, but {few(table.columns, 10)}")
    for column in {index, *others}:
        table[column] = table[column].str.strip()
    if (unnamed := table[index] == "").any():
        raise InputError(f"{unnamed.sum()} rows have no {index}; name or drop them")
    table = table.set_index(index)
    refuse_repeated(table.index, f"duplicate {index}", "keep one row each")
    return table


def _maf(path: Path) -> tuple[pd.DataFrame, pd.Index]:
    """Read a MAF, and the samples that were sequenced."""
    needed = ["Hugo_Symbol", "Variant_Classification", "Tumor_Sample_Barcode"]
    wanted = [*needed, "Mutation_Status"]
    with open_text(path) as text:
        maf = read_table(
            _below_comments(text), quoted=False, dtype=str, usecols=lambda c: c in wanted,
            keep_default_na=False, na_values=["", "NA"],  # "None" is a status
        )  # fmt: skip
    if absent := [c for c in needed if c not in maf]:
        raise InputError(f"has no column {few(absent)}; is it a MAF?")
    for column in maf:
        cells = maf[column].str.strip()
        maf[column] = cells.mask(cells.isin(["", "NA"]))
    maf = maf.dropna(subset=needed[2:])
    sequenced = path.parent / "case_lists" / "cases_sequenced.txt"
    if not sequenced.exists():
        warn(
            f"{path.name}: without case_lists/cases_sequenced.txt, the patients who appear in it count "
            "as sequenced; those without any mutation have no mutation data"
        )
        return maf, pd.Index(maf["Tumor_Sample_Barcode"].unique())
    with naming(sequenced):
        with open_text(sequenced) as text:
            ids = _CASES.search(text.read())
        samples = pd.Index(ids[1].split() if ids else []).unique()
        # a barcode may be longer in one of them
        listed = match_samples(pd.Index(maf["Tumor_Sample_Barcode"].unique()), samples)
    maf["Tumor_Sample_Barcode"] = maf["Tumor_Sample_Barcode"].map(listed)
    return maf, samples


def _mutations(maf: pd.DataFrame, chosen: pd.Series) -> pd.DataFrame:
    """Table ``[patients, genes]`` of 0 and 1 for the chosen samples of patients."""
    classes = [c.lower() for c in NON_SILENT]
    counts = maf["Variant_Classification"].str.lower().isin(classes) & maf["Hugo_Symbol"].notna()
    if "Mutation_Status" in maf:
        counts &= ~maf["Mutation_Status"].str.lower().isin(_NOT_SOMATIC)
    counts &= maf["Tumor_Sample_Barcode"].isin(chosen)
    if not counts.any():
        raise InputError(
            f"none of its {len(maf)} mutations counts: of class "
            f"{few(sorted(maf['Variant_Classification'].dropna().unique()), 3)}, where "
            f"{few(NON_SILENT, 3)} count if they are somatic and of a sample that is taken; give "
            "mutations that change a protein, or take the file out of the folder"
        )
    mutated, gene = maf["Tumor_Sample_Barcode"][counts], maf["Hugo_Symbol"][counts]
    owner = pd.Series(chosen.index, chosen.to_numpy())
    pairs = pd.crosstab(mutated.map(owner), gene.map(gene_name))
    table = (pairs > 0).astype("float64").reindex(chosen.index, fill_value=0.0)
    return table.rename_axis(index=None, columns=None)


def _study(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    with naming(path):
        require_file(path)
        lines = path.read_text("utf-8", errors="replace").splitlines()
        pairs = (line.split(":", 1) for line in lines if ":" in line)
        return {key.strip(): value.strip() for key, value in pairs}
