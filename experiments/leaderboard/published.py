"""Published scores of others: a table of algorithms, metrics and intervals."""

import re
from pathlib import Path

import pandas as pd

from jaxsurv.data.tables import few
from jaxsurv.types import InputError

METRICS = {"c-index": "c", "ctd": "c_td", "ibs": "ibs", "inbll": "inbll"}
_CELL = re.compile(r"\s*(\d*\.?\d+)\s*(?:\(\s*(\d*\.?\d+)\s*[-–]\s*(\d*\.?\d+)\s*\))?\s*")


def read_published(path: Path) -> pd.DataFrame:
    """One row per algorithm with the columns of `jaxsurv` scores, NaN where nothing was published.

    The file has the columns Algorithm and Metric (C-index, Ctd, IBS, INBLL; others are not read), and one of
    values such as ``0.796 (0.779-0.813)`` or ``0.796``; the first such column is read.

    Raises:
        InputError: missing columns, a cell of another form, an algorithm twice; naming file and row.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError(f"--published {path} cannot be read: {error}") from error
    if not {"Algorithm", "Metric"} < set(table.columns):
        raise InputError(
            f"{path} must have the columns Algorithm, Metric and one of values, got {few(table.columns)}"
        )
    values = next(c for c in table.columns if c not in ("Algorithm", "Metric"))
    found: dict[str, dict[str, float]] = {}
    for number, (name, metric, cell) in enumerate(
        table[["Algorithm", "Metric", values]].itertuples(index=False), 1
    ):
        known = METRICS.get(metric.strip().lower())
        if known is None or not cell.strip():
            continue
        told = _CELL.fullmatch(cell)
        if told is None:
            raise InputError(
                f"{path}, row {number}: {cell!r} is no value such as 0.796 (0.779-0.813)"
            )
        row = found.setdefault(name.strip(), {})
        if known in row:
            raise InputError(f"{path}, row {number}: {name!r} has {metric} twice; keep one")
        ends = ("", "_lower", "_upper")
        row |= {f"{known}{e}": float(v) for e, v in zip(ends, told.groups(), strict=True) if v}
    if not found:
        raise InputError(f"{path} has none of the metrics C-index, Ctd, IBS and INBLL")
    return pd.DataFrame.from_dict(found, orient="index").rename_axis("model").reset_index()
