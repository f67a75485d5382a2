"""MAGE-TAB, the format of ArrayExpress (E-MTAB accessions): IDF, SDRF and a matrix of processed data."""

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import pandas as pd

from jaxsurv.data.cohort import Cohort
from jaxsurv.data.delimited import Lines
from jaxsurv.data.files import naming, open_text
from jaxsurv.data.formats.matrix import as_modality, measured_kind, read_matrix
from jaxsurv.data.formats.outcomes import (
    Endpoints,
    clinical_table,
    named_endpoint,
    outcome_table,
    time_unit,
)
from jaxsurv.data.formats.probes import (
    are_logs,
    genes_of_probes,
    one_row_per_probed_gene,
    spelt,
)
from jaxsurv.data.readers import found_cohort
from jaxsurv.data.tables import few, warn
from jaxsurv.types import InputError

_SOURCE = "source name"
_MATRIX = "derived array data matrix file"
_FACT = re.compile(r"(?:characteristics|factor ?value) ?\[(.+)\]", re.IGNORECASE)
_UNIT = re.compile(r"unit ?(?:\[.*\])?", re.IGNORECASE)
_SAMPLE = re.compile(r".* (?:name|file)")  # columns whose cells may head the matrix
_REF = re.compile(r"(.*) REF", re.IGNORECASE)


def read_mage_tab(
    path: str | Path,
    *,
    endpoints: Endpoints | None = None,
    matrix: str | Path | None = None,
    annotation: str | Path | None = None,
    clinical: Sequence[str] | None = None,
    log_scale: bool | None = None,
    semi_supervised: bool = False,
) -> Cohort:
    """Read an ArrayExpress experiment; patients are the sources (``Source Name`` of the SDRF).

    The SDRF says which column of the matrix is of which patient: by the names under the matrix's own
    heading (``Hybridization REF``, ``Scan REF``, ...) or, without one, by whatever column of names or
    files of the SDRF has them all. Of a patient with several samples one is taken, as in all readers.
    Probes, logarithms and kinds are treated as by `read_geo`.

    Args:
        path: folder with one ``.idf.txt``, or that file; the files that it names lie beside it.
        endpoints: endpoint to the names of its time and event among ``Characteristics[...]`` and
            ``Factor Value[...]`` (case does not matter).
        matrix: matrix of processed data; None = the one file that the SDRF names as ``Derived Array
            Data Matrix File``.
        annotation: platform table with the columns ``ID`` and ``Gene Symbol``, such as GEO's of the
            same array; None = the rows are features as they are.
        clinical: characteristics to take instead of those known at diagnosis.
        log_scale: True if values are logarithms; None = inferred, see `read_geo`.
        semi_supervised: keep patients without an outcome, as rows without a label.

    Raises:
        InputError: a file that is missing or not valid; a characteristic with several units, or an
            outcome with several values for one patient. The message names it.

    Warns:
        DataWarning: what was inferred, averaged or left out.
    """
    idf = _idf(Path(path))
    with naming(idf):
        facts = _facts(idf)
        sdrf = idf.parent / _one(facts, "sdrf file")
    with naming(sdrf):
        rows = _rows(sdrf)
        samples, units = _characteristics(rows)
        there = list(samples.columns)
        if not endpoints:
            raise InputError(f"which characteristics are the outcome? {named_endpoint(there)}")
        pairs = {e: (spelt(t, there), spelt(d, there)) for e, (t, d) in endpoints.items()}
        used = [c for pair in pairs.values() for c in pair]
        samples = _one_per_patient(samples, rows[_SOURCE], used)
        survival = outcome_table(samples, pairs, "characteristics")
        modalities = clinical_table(samples.drop(columns=used), clinical, "characteristics")
        unit = time_unit([f"{t} {_plural(units.get(t, ''))}" for t, _ in pairs.values()])
        file = sdrf.parent / _one_matrix(rows) if matrix is None else Path(matrix)
    with naming(file):
        values, reference = _read_values(file)
        owners = _owners(rows, list(values.columns), reference)
        logs = are_logs(values) if log_scale is None else log_scale
    if annotation is not None:
        with naming(Path(annotation)):
            genes = genes_of_probes(Path(annotation))
        values = one_row_per_probed_gene(values, genes, logs, file.name)
    modalities["expression"] = table = as_modality(values, file.name, owners)
    accession = facts.get("comment[arrayexpressaccession]", [idf.name.split(".")[0]])[0]
    return found_cohort(
        idf,
        modalities,
        survival,
        {"expression": "continuous" if logs else measured_kind(table) or "continuous"},
        semi_supervised,
        name=accession,
        title=facts.get("investigation title", [""])[0],
        time_unit=unit,
        source=f"ArrayExpress {accession}",
    )


def _idf(path: Path) -> Path:
    if not path.is_dir():
        return path
    found = sorted(path.glob("*.idf.txt"))
    if len(found) != 1:
        raise InputError(f"{path} has {few([f.name for f in found]) or 'no .idf.txt'}; give one")
    return found[0]


def _cells(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Numbers and cells of the lines that are not empty."""
    with open_text(path) as text:
        for number, row in enumerate(csv.reader(text, delimiter="\t"), 1):
            if any(cells := [cell.strip() for cell in row]):
                yield number, cells


def _facts(idf: Path) -> dict[str, list[str]]:
    """Rows of the IDF: name, in small letters and without blanks before brackets, to its values."""
    found: dict[str, list[str]] = {}
    for _, (name, *values) in _cells(idf):
        given = [value for value in values if value]
        found.setdefault(name.lower().replace(" [", "["), []).extend(given)
    return {name: values for name, values in found.items() if values}


def _one(facts: dict[str, list[str]], name: str) -> str:
    values = sorted(set(facts.get(name, [])))
    if len(values) != 1:
        raise InputError(f"names {few(values) or 'no'} {name}; it needs one row '{name}' with one")
    return values[0]


def _rows(sdrf: Path) -> pd.DataFrame:
    """The SDRF: a row for each sample; columns by their names in small letters, which may come again."""
    lines = _cells(sdrf)
    _, header = next(lines, (0, []))
    rows = []
    for number, cells in lines:
        if len(cells) > len(header):
            raise InputError(f"line {number} has {len(cells)} cells under {len(header)} headings")
        # empty last cells are often left out
        rows.append(cells + [""] * (len(header) - len(cells)))
    names = [n if _FACT.fullmatch(n) or _UNIT.fullmatch(n) else n.lower() for n in header]
    frame = pd.DataFrame(rows, columns=names)
    if names.count(_SOURCE) != 1 or frame.empty:
        raise InputError(f"has no rows under one 'Source Name'; there are {few(header, 20)}")
    if (unnamed := frame[_SOURCE] == "").any():
        raise InputError(f"row {int(unnamed.argmax()) + 1} has no Source Name; name the patient")
    return frame


def _characteristics(rows: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, str]]:
    """Characteristics and factors of each sample, and the units of those that have one."""
    found: dict[str, pd.Series] = {}
    units: dict[str, str] = {}
    for k, heading in enumerate(rows.columns):
        if not (named := _FACT.fullmatch(heading)):
            continue
        name, values = named[1].strip(), rows.iloc[:, k]
        before = found.setdefault(name, values)
        if (differ := (before != values) & (before != "") & (values != "")).any():
            row = int(differ.argmax())
            raise InputError(
                f"{name!r} is there twice for {rows[_SOURCE].iat[row]!r}, as {before.iat[row]!r} and "
                f"{values.iat[row]!r}; keep one, or rename it"
            )
        found[name] = before.where(before != "", values)
        if k + 1 < rows.shape[1] and _UNIT.fullmatch(str(rows.columns[k + 1])):
            given = sorted(set(rows.iloc[:, k + 1][values != ""]) - {""})
            if len({*given, units.get(name, given[0])} if given else ()) > 1:
                raise InputError(
                    f"{name!r} is in {few(given)}, patient by patient; convert it to one unit"
                )
            if given:
                units[name] = given[0]
    return pd.DataFrame(found, index=rows.index), units


def _plural(unit: str) -> str:
    return unit and f"{unit.removesuffix('s')}s"


def _one_per_patient(samples: pd.DataFrame, sources: pd.Series, used: list[str]) -> pd.DataFrame:
    """One row per patient; characteristics that differ between a patient's samples are left out."""
    groups = samples.where(samples != "").groupby(sources.to_numpy(), sort=False)
    several = groups.nunique() > 1
    if varying := [c for c in samples if several[c].any()]:
        if wrong := [c for c in varying if c in used]:
            patient = several.index[several[wrong[0]]][0]
            values = sorted(set(samples.loc[(sources == patient).to_numpy(), wrong[0]]))
            raise InputError(f"{wrong[0]!r} of {patient!r} is {few(values)}; keep one of them")
        warn(f"{few(varying, 20)} differ between samples of one patient, and are left out")
    return groups.first().drop(columns=varying)


def _one_matrix(rows: pd.DataFrame) -> str:
    named = set(rows[_MATRIX].to_numpy().ravel()) - {""} if _MATRIX in rows else set()
    if len(named) != 1:
        raise InputError(
            f"names {few(sorted(named)) or 'no'} Derived Array Data Matrix File; say which file is the "
            "matrix of processed data"
        )
    return named.pop()


def _read_values(file: Path) -> tuple[pd.DataFrame, str]:
    """Values ``[probes, samples]``, and what the heading says that its names are: ``hybridization``."""
    with open_text(file) as text:
        lines: Lines = iter(enumerate(text, 1))
        first = next(lines)
        reference = _REF.fullmatch(first[1].split("\t")[0].strip(' "'))
        second = next(lines, None)
        if second is None:
            raise InputError("has a header and no row; fill or remove it")
        types = [cell.strip(' "\n\r') for cell in second[1].split("\t")]
        if not (reference and _REF.fullmatch(types[0])):
            return read_matrix(chain([first, second], lines)), ""
        if len(set(types[1:])) > 1:
            raise InputError(
                f"has several quantities a sample, {few(sorted(set(types[1:])))}; keep the columns of one"
            )
        return read_matrix(chain([first], lines)), reference[1].lower()


def _owners(rows: pd.DataFrame, samples: list[str], reference: str) -> dict[str, str]:
    """Sample of the matrix to patient."""
    columns = [k for k, c in enumerate(rows.columns) if _SAMPLE.fullmatch(c)]
    exact = [k for k in columns if rows.columns[k] in (f"{reference} name", f"{reference} file")]
    for k in exact or columns:
        if set(samples) <= set(names := rows.iloc[:, k]):
            pairs = pd.DataFrame({"sample": names, "patient": rows[_SOURCE]}).drop_duplicates()
            pairs = pairs[pairs["sample"].isin(samples)]
            if (shared := pairs["sample"].duplicated()).any():
                raise InputError(
                    f"the sample {pairs['sample'][shared].iat[0]!r} is of several patients in the SDRF; "
                    "name it otherwise, or give another matrix"
                )
            return dict(zip(pairs["sample"], pairs["patient"], strict=True))
    known = set(rows.iloc[:, exact or columns].to_numpy().ravel())
    lost = [s for s in samples if s not in known] or samples
    raise InputError(
        f"{few(lost)} of its samples are in no one column of the SDRF; there are "
        f"{few([rows.columns[k] for k in columns], 20)}"
    )
