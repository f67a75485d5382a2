"""GEO series matrices of microarrays, with the platform table that maps probes to genes."""

# pandas' own types cannot tell frame[name], a Series, from frame[names].
# pyright: reportCallIssue=false, reportReturnType=false

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from jaxsurv.data.cohort import Cohort
from jaxsurv.data.delimited import Lines
from jaxsurv.data.files import naming, open_text
from jaxsurv.data.formats.matrix import measured_kind, read_matrix
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
from jaxsurv.data.tables import few, refuse_repeated
from jaxsurv.types import InputError

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
            raise InputError(f"which characteristics are the outcome? {named_endpoint(there)}")
        pairs = {e: tuple(spelt(c, there) for c in pair) for e, pair in endpoints.items()}
        survival = outcome_table(series.samples, pairs, "characteristics")  # type: ignore[arg-type]
        used = [c for pair in pairs.values() for c in pair]
        modalities = clinical_table(series.samples.drop(columns=used), clinical, "characteristics")
        unit = time_unit([pair[0] for pair in pairs.values()])
        logs = are_logs(series.probes) if log_scale is None else log_scale
        matrix = series.probes
    if annotation is not None:
        with naming(Path(annotation)):
            genes = genes_of_probes(Path(annotation))
        matrix = one_row_per_probed_gene(matrix, genes, logs, file.name)
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
