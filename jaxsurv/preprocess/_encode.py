"""Tables of a cohort as numeric arrays: log counts, one-hot categories, NaN where nothing is known.

Across patients only the schema is looked at: which categories a column has. Whatever is estimated, or
depends on the values of several patients, is in `jaxsurv.preprocess.scale`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from jaxsurv.data import Cohort
from jaxsurv.preprocess.schema import Schema


@dataclass(frozen=True)
class Encoded:
    """All modalities of a cohort side by side as numbers, one row per patient.

    Attributes:
        x: ``[n, d]`` float32; NaN where the value or the whole modality is missing.
        columns: modality to its slice of the d columns.
        presence: modality to ``[n]`` float32, 1 where the patient has it.
        names: ``d`` feature names; one-hot columns are ``column=category``, and indicators of missing
            values ``column=(missing)``; ranks of ordered categories are ``column=(rank)``.
        measured: ``[d]`` booleans: of a continuous, mixed or counts table, so gross outliers are possible.
        schema: the tables' columns and categories.
    """

    x: np.ndarray
    columns: dict[str, slice]
    presence: dict[str, np.ndarray]
    names: tuple[str, ...]
    measured: np.ndarray
    schema: Schema


def _columns(categories: Sequence[str]) -> Sequence[str]:
    """Categories with a column of their own: of two categories only one has."""
    return categories[1:] if len(categories) == 2 else categories


def _indicator(feature: str, category: str) -> str:
    return f"{feature}={category or '(missing)'}"


def _one_hot(column: pd.Series, categories: Sequence[str]) -> pd.DataFrame:
    """0/1 per category, NaN where missing unless that is a category."""
    column = column.fillna("") if "" in categories else column
    columns = {
        _indicator(str(column.name), c): (column == c).astype(float).where(column.notna())
        for c in _columns(categories)
    }
    return pd.DataFrame(columns, index=column.index)


def _rank(feature: str) -> str:
    return _indicator(feature, "(rank)")


def encoded_names(schema: Schema, modality: str) -> list[tuple[str, str]]:
    """Pairs of source feature and own name for each encoded column of a modality."""
    text, gaps = schema.categories[modality], schema.indicators.get(modality, ())
    ordered = schema.orders.get(modality, {})
    return [
        (f, name)
        for f in schema.features[modality]
        for name in (
            [*(_indicator(f, c) for c in _columns(text[f])), *([_rank(f)] if f in ordered else [])]
            if f in text
            else [f, *([_indicator(f, "")] if f in gaps else [])]
        )
    ]


def encoded_columns(schema: Schema, modality: str) -> list[str]:
    """Source feature of each encoded column of a modality."""
    return [feature for feature, _ in encoded_names(schema, modality)]


def encode_table(schema: Schema, modality: str, table: pd.DataFrame) -> pd.DataFrame:
    """One modality's table as numbers, moved by the shifts; ``table`` conforms to the schema."""
    if schema.kinds[modality] == "counts":
        table = np.log2(table + 1.0)
    if shifts := schema.shifts.get(modality):  # in float64, before anything becomes float32
        moved = {c: (table[c] - origin) / unit for c, (origin, unit) in shifts.items()}
        table = table.assign(**moved)
    text, gaps = schema.categories[modality], schema.indicators.get(modality, ())
    ordered = schema.orders.get(modality, {})
    if not text and not gaps:
        return table
    parts = []
    for name in table.columns:
        parts.append(_one_hot(table[name], text[name]) if name in text else table[name])
        if name in ordered:
            ranks = table[name].map(ordered[name]).astype(float)
            parts.append(ranks.to_frame(_rank(name)))
        if name in gaps:
            parts.append(table[name].isna().astype(float).to_frame(_indicator(name, "")))
    return pd.concat(parts, axis=1)


def encode(
    cohort: Cohort,
    modalities: Collection[str] | None = None,
    *,
    unknown: Literal["mean", "level"] = "level",
) -> Encoded:
    """Encode modalities; rows are those of ``cohort.survival``.

    ``counts`` become ``log2(x + 1)``; ``five_state`` copy numbers stay -2..2, ``binary`` 0/1;
    categories become one-hot columns, two categories a single one, and a column of ranks where their names
    tell an order (:mod:`jaxsurv.preprocess.ordered`): stages I to IV act mostly in their order, which single
    levels, each with its own few patients, cannot show.

    Args:
        cohort: patients and tables.
        modalities: names of those to encode; None = all.
        unknown: missing values, see :meth:`Schema.of`.
    """
    schema, index = Schema.of(cohort, modalities, unknown=unknown), cohort.survival.index
    blocks, columns, names, measured = [], {}, [], []
    for modality in schema.features:
        table = cohort.modalities[modality]
        numeric = encode_table(schema, modality, table)
        columns[modality] = slice(len(names), len(names) + numeric.shape[1])
        names += list(numeric.columns)
        blocks.append(numeric.reindex(index).to_numpy(np.float32))
        measured += [cohort.kinds[modality] in ("continuous", "counts", "mixed")] * numeric.shape[1]
    return Encoded(
        x=np.concatenate(blocks, axis=1),
        columns=columns,
        presence={
            m: index.isin(cohort.modalities[m].index).astype(np.float32) for m in schema.features
        },
        names=tuple(names),
        measured=np.array(measured),
        schema=schema,
    )
