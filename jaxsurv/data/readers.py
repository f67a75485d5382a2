"""Cohorts on disk: a folder with one table per modality, a survival table and ``cohort.json``."""

import io
import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd

from jaxsurv.data.cohort import Cohort
from jaxsurv.data.consistency import joined
from jaxsurv.data.files import naming, noting, read_json, workbook_beside
from jaxsurv.data.identifiers import is_normal, match_barcodes, patient_part, refuse_transposed
from jaxsurv.data.names import check_patients, name_key
from jaxsurv.data.patient_rows import FROM, has_several_rows, with_patients
from jaxsurv.data.problems import refuse_all
from jaxsurv.data.safe_text import printable, write_csv
from jaxsurv.data.samples import of_one_sample
from jaxsurv.data.survival_table import STRATUM, clean_survival
from jaxsurv.data.table_files import read_cells, read_modality, tables_in
from jaxsurv.data.tables import clean_modality, few, is_numeric, refuse_cells, warn
from jaxsurv.types import InputError

_SETTINGS = ("name", "title", "time_unit", "kinds", "source", "licence", "causes")


def _refuse_what_would_change(name: str, table: pd.DataFrame, kind: str) -> None:
    if bad := [c for c in table.columns if not c or c != c.strip()]:
        raise InputError(
            f"modality {name!r}: the column {bad[0]!r} would come back under another name; rename it"
        )
    text = table[[c for c in table.columns if not is_numeric(table[c])]]
    if text.shape[1]:
        again = read_cells(io.StringIO(text.to_csv()), ",", kind)
        bad = text.notna() & (again.to_numpy(object) != text.to_numpy(object))
        fix = "it would be read as a number or as missing: rename it, such as 'stage 1' for '1'"
        refuse_cells(bad, text, f"modality {name!r} ({kind})", "the category", fix)


def _settings(path: Path) -> dict:
    if not path.exists():
        return {}
    with naming(path):
        settings = read_json(path)
        if unknown := sorted(set(settings) - set(_SETTINGS)):
            raise InputError(f"unknown entry {few(unknown)}; there are {few(_SETTINGS, 9)}")
        if not isinstance(settings.get("kinds", {}), dict):
            raise InputError('kinds must be an object such as {"rna": "counts"}')
        for name, value in settings.items():
            if name not in ("kinds", "causes") and not isinstance(value, str):
                raise InputError(f"{name} must be text, got {str(value)[:40]}; write it in quotes")
        return settings


def read_cohort(path: str | Path, *, semi_supervised: bool = False) -> Cohort:
    """Read a cohort from a folder.

    The folder holds ``survival.csv`` (see :class:`Cohort`; a column ``stratum`` gives strata) and one
    ``<modality>.csv`` per modality, with the patient names in the first column; ``.tsv``, ``.csv.gz``,
    ``.tsv.gz`` and ``.parquet`` are read as well. Embeddings may be arrays: ``<modality>.npy`` holds
    ``[patients, features]``, and ``<modality>.patients.txt`` beside it the names of its rows, one a line.
    Patients may have several rows, for covariates that change: with ``<endpoint>_entry`` in
    ``survival.csv``, with ``from`` in a modality. An optional ``cohort.json`` may give ``name``, ``title``,
    ``time_unit``, ``kinds``, ``source``, ``licence`` and ``causes``, such as ``{"efs": ["relapse",
    "death"]}``, the names of the event codes 1, 2, ... of an endpoint. Kinds that it does not give are
    inferred, but counts are never guessed. Other files are ignored, and ``split.csv`` and
    ``published.csv``, which are no modalities. Empty cells, NA, N/A, NaN and NULL are missing; "None" is a
    category.

    TCGA barcodes of different lengths in different files are matched on the patient part, one
    sample per patient, with a ``DataWarning`` that says how many matched.

    Args:
        path: path of the folder.
        semi_supervised: keep patients who have no row in the survival table, as rows without a label.

    Raises:
        InputError: all tables that are not valid; a table that is there twice (``rna.csv`` and
            ``rna.csv.gz``) or has the patients as columns. The message names the file, and in it the
            column, patient and value.

    Warns:
        DataWarning: files that look like tables and are not read: an array without its list of patients, an
            Excel workbook.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "survival.csv").write_text("patient,os_time,os_event\\na,5,1\\nb,8,0\\n")
    ...     _ = Path(folder, "rna.csv").write_text("patient,TP53,MYC\\nb,0.3,1.5\\na,2.1,0.2\\n")
    ...     cohort = read_cohort(folder)
    >>> cohort.endpoints, cohort.modalities["rna"].index.tolist()
    (('os',), ['a', 'b'])
    """
    folder = Path(path)
    files = tables_in(folder)
    if "survival" not in files:
        forms = "survival.csv (or .csv.gz, .tsv, .tsv.gz, .parquet)"
        raise InputError(f"{folder} has no {forms}{workbook_beside(folder / 'survival.csv')}")
    settings = {"name": folder.resolve().name, **_settings(folder / "cohort.json")}
    kinds = dict(settings.pop("kinds", {}))
    problems, modalities, survival, given = [], {}, pd.DataFrame(), {}
    for name, file in files.items():
        with noting(file, problems):
            given[name] = read_modality(file, kinds.get(name))
    if "survival" in given and has_several_rows(given["survival"], given):
        refuse_all(problems)
        survival = given.pop("survival")
        return found_cohort(folder, given, survival, kinds, semi_supervised, **settings)
    with noting(files["survival"], problems):
        if "survival" in given:
            survival = clean_survival(given.pop("survival"), settings.get("causes", {}))
    for name, table in given.items():
        with noting(files[name], problems):
            refuse_transposed(f"modality {name!r}", table, survival.index)
            if not (semi_supervised or survival.empty):
                _refuse_strangers(table.index, survival.index)
            modalities[name], kinds[name] = clean_modality(name, table, kinds.get(name))
    for name, table in modalities.items() if problems else ():  # all that is wrong, at once
        if table.index.isin(survival.index).any():
            with noting(files[name], problems):
                joined(name, table, survival)
    refuse_all(problems)
    taken = of_one_sample({m: t.index for m, t in modalities.items()})
    modalities = {
        m: t if len(taken[m]) == len(t) else t.loc[taken[m]] for m, t in modalities.items()
    }
    tables = match_barcodes(modalities, survival)
    return found_cohort(folder, *tables, kinds, semi_supervised, **settings)


def _refuse_strangers(names: pd.Index, patients: pd.Index) -> None:
    known = {name_key(patient_part(p)) for p in patients}
    if all(name_key(patient_part(n)) not in known for n in names):
        raise InputError(
            f"its rows are no patients of survival.csv ({few(names, 2)} against {few(patients, 2)}); move "
            "the file out of the folder, or correct the names of the patients"
        )


def with_unlabelled(survival: pd.DataFrame, modalities: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Add to ``survival`` an empty row for each patient who is in a modality and not in ``survival``.

    Samples of normal tissue are left out.
    """
    patients = survival.index
    check_patients({"survival": patients} | {repr(m): t.index for m, t in modalities.items()})
    for table in modalities.values():
        others = table.index.difference(patients, sort=False).unique()
        patients = patients.append(others[[not is_normal(p) for p in others]])
    return survival.reindex(patients)


def found_cohort(
    path: Path,
    modalities: Mapping[str, pd.DataFrame],
    survival: pd.DataFrame,
    kinds: Mapping[str, str | None],
    semi_supervised: bool,
    **about: Any,
) -> Cohort:
    """Cohort of the tables that a reader found at ``path``, which errors name.

    Args:
        path: file or folder.
        modalities, survival: tables.
        kinds: modality to kind; None = to be inferred.
        semi_supervised: keep patients without an outcome, as rows without a label.
        **about: further attributes of the cohort.
    """
    with naming(path):
        if semi_supervised and has_several_rows(survival, modalities):
            raise InputError(
                "patients without an outcome cannot be kept where patients have several rows: no follow-up "
                "says when their values change; read the cohort without semi_supervised"
            )
        if semi_supervised:
            survival = with_unlabelled(survival, modalities)
        return Cohort(modalities, survival, {m: k for m, k in kinds.items() if k}, **about)


def read_features(path: str | Path, kinds: Mapping[str, str]) -> dict[str, pd.DataFrame]:
    """Read the tables of new patients for a trained model; their outcome need not be known.

    Args:
        path: path of a folder as for `read_cohort`; ``survival.csv`` is not read.
        kinds: modality to kind, for the modalities that the model was trained on.

    Returns:
        modality to table, unchecked: the model checks its content.

    Raises:
        InputError: a file that cannot be read, which the message names; no table of the model's
            modalities.

    Warns:
        DataWarning: tables of modalities that the model does not know.
    """
    folder = Path(path)
    files = tables_in(folder)
    files.pop("survival", None)
    if others := sorted(set(files) - set(kinds)):
        warn(f"the model does not read {few(others)}")
    tables, problems = {}, []
    for name in kinds:
        if name in files:
            with noting(files[name], problems):
                tables[name] = read_modality(files[name], kinds[name])
                if FROM in tables[name]:
                    raise InputError(
                        f"values change (column {FROM!r}), and a prediction takes those of one time: in "
                        "Python model.risk_table(landmark_cohort(read_cohort(folder), endpoint, time))"
                    )
    refuse_all(problems)
    if not tables:
        raise InputError(f"{folder} has no table of {few(list(kinds), 20)}, which the model reads")
    return tables


def write_cohort(cohort: Cohort, path: str | Path) -> None:
    """Write a cohort as the folder that ``read_cohort`` reads; the values come back exactly.

    Args:
        cohort: cohort to write.
        path: path of a new or empty folder.

    Raises:
        InputError: the folder exists and is not empty; a modality whose name cannot be that of a file; a
            category that would come back as a number or as missing, with column and patient; a column
            without a name, or with blanks around it.
    """
    for name, table in cohort.modalities.items():
        odd = name.startswith(".") or Path(name).name != name or printable(name) != name
        if odd or len(name.encode()) > 200:
            raise InputError(
                f"modality {name!r} cannot be the name of a file; rename it, such as 'rna'"
            )
        _refuse_what_would_change(name, table, cohort.kinds[name])
    strata = {} if cohort.strata is None else {STRATUM: cohort.strata}
    tables = {**cohort.modalities, "survival": cohort.survival.assign(**strata)}
    if cohort.patients is not None:
        tables = with_patients(tables, cohort.patients)
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise InputError(f"{folder} is not empty; write a cohort to a folder of its own")
    for name, table in tables.items():
        compression = {"method": "gzip", "mtime": 0}  # the same cohort gives the same bytes
        write_csv(table, folder / f"{name}.csv.gz", compression=compression)
    settings = {f.name: getattr(cohort, f.name) for f in fields(cohort) if f.name in _SETTINGS}
    if not cohort.causes:
        del settings["causes"]
    (folder / "cohort.json").write_text(json.dumps(settings, indent=1) + "\n", "utf-8")
