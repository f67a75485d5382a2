"""GEO series matrices of microarrays, with the platform table that maps probes to genes."""

# pandas' own types cannot tell frame[name], a Series, from frame[names].
# pyright: reportCallIssue=false, reportReturnType=false

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from jaxsurv.data.cohort import Cohort
from jaxsurv.data.delimited import Lines, read_table
from jaxsurv.data.files import naming, open_text
from jaxsurv.data.formats.matrix import measured_kind, read_matrix
from jaxsurv.data.formats.outcomes import Endpoints, clinical_table, outcome_table, time_unit
from jaxsurv.data.identifiers import gene_name
from jaxsurv.data.readers import found_cohort
from jaxsurv.data.tables import few, refuse_repeated, warn
from jaxsurv.types import InputError

_SYMBOLS = ("gene symbol", "gene_symbol", "symbol", "genesymbol", "hgnc symbol", "hugo_symbol")
_END = "!series_matrix_table_end"


class _Series(NamedTuple):
    facts: dict[str, str]  # !Series_ lines
    samples: pd.DataFrame  # one row per sample, characteristics as columns
    probes: pd.DataFrame  # [probes, samples]


def read_geo(
    path: str | Path,
    *,
    endpoints: Endpoints | None = None,
    annotation: str | Path | None = None,
    clinical: Sequence[str] | None = None,
    log_scale: bool | None = None,
    semi_supervised: bool = False,
) -> Cohort:
    """Read a GEO series matrix; patients are the samples (GSM accessions).

    Several probes of a gene become their geometric mean, as MyeVAE does: the exponential of the mean
    logarithm of intensities, or the arithmetic mean of values that are logarithms. Intensities
    get the kind ``counts`` (preprocessing takes log2(x + 1)), logarithms ``continuous``. Probes
    of no gene, or of several genes (``A /// B``), are left out.

    Args:
        path: ``GSE..._series_matrix.txt[.gz]``.
        endpoints: endpoint to the names of its time and event among the samples' characteristics
            (lines ``!Sample_characteristics_ch1`` with cells ``name: value``; case does not matter).
        annotation: platform table (``GPL...txt`` or ``.annot``) with the columns ``ID`` and
            ``Gene Symbol``; None = the rows are features as they are.
        clinical: characteristics to take instead of those known at diagnosis.
        log_scale: True if values are logarithms; None = inferred from their quantiles by the rule of
            GEO2R (logarithms unless the 99 % quantile is over 100, or values span over 50 with the
            lower quartile above 0), with a ``DataWarning`` that says which.
        semi_supervised: keep patients without an outcome, as rows without a label.

    Raises:
        InputError: a file that is missing or not valid; the message names it and the problem.
    """
    file = Path(path)
    with naming(file):
        with open_text(file) as text:
            series = _parse(enumerate(text, 1))
        there = list(series.samples.columns)
        if not endpoints:
            raise InputError(
                f"which characteristics are the outcome? There are {few(there, 40)}; name those of "
                "time and event"
            )
        pairs = {e: tuple(_spelt(c, there) for c in pair) for e, pair in endpoints.items()}
        survival = outcome_table(series.samples, pairs, "characteristics")  # type: ignore[arg-type]
        used = [c for pair in pairs.values() for c in pair]
        modalities = clinical_table(series.samples.drop(columns=used), clinical, "characteristics")
        unit = time_unit([pair[0] for pair in pairs.values()])
        logs = _are_logs(series.probes) if log_scale is None else log_scale
        matrix = series.probes
    if annotation is not None:
        with naming(Path(annotation)):
            genes = _genes(Path(annotation))
        matrix = _by_gene(matrix, genes, logs, file.name)
    modalities["expression"] = matrix.T
    return found_cohort(
        file,
        modalities,
        survival,
        {"expression": "continuous" if logs else measured_kind(matrix.T) or "continuous"},
        semi_supervised,
        name=series.facts.get("geo_accession", file.name.split("_")[0]),
        title=series.facts.get("title", ""),
        time_unit=unit,
        source=f"GEO {series.facts.get('geo_accession', '')}".strip(),
    )


def _spelt(name: str, there: list[str]) -> str:
    """Characteristic of this name, whatever its case."""
    alike = [c for c in there if c.lower() == name.lower()]
    if len(alike) > 1 and name not in alike:
        raise InputError(f"the name {name!r} may be {few(alike)}; write one of them")
    return name if name in alike or not alike else alike[0]


def _parse(rows: Lines) -> _Series:
    facts: dict[str, str] = {}
    accessions: list[str] = []
    lines: list[tuple[int, list[str]]] = []
    for number, line in rows:
        if line.startswith("!series_matrix_table_begin"):
            break
        key, *cells = next(csv.reader([line], delimiter="\t"), []) or [""]
        if key.startswith("!Series_") and cells:
            facts.setdefault(key.removeprefix("!Series_"), cells[0])
        elif key == "!Sample_geo_accession":
            accessions = cells
        elif key.startswith("!Sample_characteristics_ch"):
            lines.append((number, cells))
    else:
        raise InputError("has no line !series_matrix_table_begin; is it a series matrix?")
    refuse_repeated(pd.Index(accessions), "duplicate samples")
    # One line may hold different characteristics for different samples.
    found: list[dict[str, str]] = [{} for _ in accessions]
    for number, cells in lines:
        if len(cells) != len(accessions):
            raise InputError(
                f"line {number} has {len(cells)} cells for {len(accessions)} samples; give it one for each"
            )
        for accession, sample, cell in zip(accessions, found, cells, strict=True):
            name, colon, value = (part.strip() for part in cell.partition(":"))
            if colon and sample.setdefault(name, value) != value:
                raise InputError(
                    f"line {number}: {name!r} is there twice for {accession}, as {sample[name]!r} and "
                    f"{value!r}; keep one, or rename it"
                )
    samples = pd.DataFrame(found, index=accessions)
    probes = read_matrix(_until_end(rows))
    if lost := probes.columns.symmetric_difference(accessions).tolist():
        raise InputError(
            f"{few(lost)} is not both in the table and in !Sample_geo_accession; name the same samples"
        )
    return _Series(facts, samples, probes)


def _until_end(rows: Lines) -> Lines:
    for number, line in rows:
        if line.startswith(_END):
            return
        yield number, line
    raise InputError(f"is cut off: it has no line {_END}; download it again")


def _are_logs(probes: pd.DataFrame) -> bool:
    values = probes.to_numpy()
    values = values[np.isfinite(values)]
    low, lower, high, top = np.quantile(values, [0, 0.25, 0.99, 1])
    logs = not (high > 100 or (top - low > 50 and lower > 0))
    warn(
        f"values look like {'logarithms' if logs else 'intensities, not logarithms'} (99 % of them "
        f"below {high:.3g})"
    )
    return logs


def _genes(path: Path) -> pd.Series:
    """Read a platform table with its comment lines: probe to gene."""
    with open_text(path) as text:
        lines = ((n, line) for n, line in enumerate(text, 1) if line[:1] not in "#^!")
        table = read_table(lines, quoted=False, dtype=str, keep_default_na=False)
    table = table.rename(columns=lambda c: c.strip(' "'))
    lowered = {c.lower(): c for c in table}
    symbol = next((lowered[s] for s in _SYMBOLS if s in lowered), None)
    if "id" not in lowered or symbol is None:
        raise InputError(
            f"needs the columns ID and Gene Symbol; there are {few(table.columns, 30)}; rename the one "
            "that holds the genes"
        )
    table = table[[lowered["id"], symbol]].apply(lambda c: c.str.strip(' "'))
    return table.drop_duplicates(lowered["id"]).set_index(lowered["id"])[symbol]


def _by_gene(matrix: pd.DataFrame, genes: pd.Series, logs: bool, label: str) -> pd.DataFrame:
    """Geometric mean of intensities over the probes of each gene."""
    symbols = pd.Series(matrix.index, matrix.index).map(genes).map(gene_name, na_action="ignore")
    symbols = symbols.to_numpy(dtype=object)
    several = np.array([isinstance(s, str) and bool(re.search(r"///|;|\|", s)) for s in symbols])
    none = np.array([not isinstance(s, str) or s in ("", "---") for s in symbols])
    if (several | none).all():
        raise InputError(
            f"{label}: no probe ({few(matrix.index, 2)}) has a gene in the annotation table "
            f"({few(genes.index, 2)}); is it the platform of this series?"
        )
    kept, symbols = matrix[~(several | none)], symbols[~(several | none)]
    if not logs:
        if (bad := kept < 0).to_numpy().any():
            row, column = np.argwhere(bad.to_numpy())[0]
            raise InputError(
                f"{label}: the negative intensity {kept.iat[row, column]:g} of probe "
                f"{kept.index[row]!r}, sample {kept.columns[column]!r}, has no geometric mean; set such "
                "values to a floor above 0, or declare the values as logarithms"
            )
        with np.errstate(divide="ignore"):
            kept = np.log(kept)
    means = kept.groupby(symbols).mean()
    warn(
        f"{label}: {len(kept)} probes became {len(means)} genes by the "
        f"{'arithmetic mean of logarithms' if logs else 'geometric mean of intensities'}; left out: "
        f"{none.sum()} probes without a gene, {several.sum()} of several genes"
    )
    return means if logs else np.exp(means)
