"""Microarrays: probes and their genes, logarithms and intensities, names of characteristics."""

# pandas' own types cannot tell frame[name], a Series, from frame[names].
# pyright: reportCallIssue=false, reportReturnType=false

import re
from pathlib import Path

import numpy as np
import pandas as pd

from jaxsurv.data.delimited import read_table
from jaxsurv.data.files import open_text
from jaxsurv.data.identifiers import gene_name
from jaxsurv.data.tables import few, warn
from jaxsurv.types import InputError

_SYMBOLS = ("gene symbol", "gene_symbol", "symbol", "genesymbol", "hgnc symbol", "hugo_symbol")


def spelt(name: str, there: list[str]) -> str:
    """Characteristic of this name, whatever its case."""
    alike = [c for c in there if c.lower() == name.lower()]
    if len(alike) > 1 and name not in alike:
        raise InputError(f"the name {name!r} may be {few(alike)}; write one of them")
    return name if name in alike or not alike else alike[0]


def are_logs(probes: pd.DataFrame) -> bool:
    """Tell logarithms from intensities by their quantiles, by the rule of GEO2R; a warning says which."""
    values = probes.to_numpy()
    values = values[np.isfinite(values)]
    low, lower, high, top = np.quantile(values, [0, 0.25, 0.99, 1])
    logs = not (high > 100 or (top - low > 50 and lower > 0))
    warn(
        f"values look like {'logarithms' if logs else 'intensities, not logarithms'} (99 % of them "
        f"below {high:.3g})"
    )
    return logs


def genes_of_probes(path: Path) -> pd.Series:
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


def one_row_per_probed_gene(
    matrix: pd.DataFrame, genes: pd.Series, logs: bool, label: str
) -> pd.DataFrame:
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
