"""Inputs of a model, by name, so that a table with other columns or another order is not misread."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from jaxsurv.data import Cohort
from jaxsurv.data.consistency import MIN_CARRIERS
from jaxsurv.data.names import alike, hint, shown
from jaxsurv.data.problems import listing, refuse_all
from jaxsurv.data.tables import (
    clean_modality,
    clean_rows,
    few,
    is_numeric,
    to_float,
    to_text,
    warn,
)
from jaxsurv.preprocess.ordered import ranks
from jaxsurv.types import InputError

NARROW = 50  # columns; a table with as many is no clinical one
_FAR = 64.0  # ranges from zero at which float32 keeps 4e-6 of the range
_LARGE = 2.0**40  # squares of such numbers, summed, are still within the range of float32
ENOUGH, SHARE = 10, 0.05  # least number with and without a value, and least share without


def _indicators(table: pd.DataFrame) -> tuple[str, ...]:
    """Numeric columns whose missing values are told to a model, of a table of fewer than ``NARROW`` columns.

    At least ``ENOUGH`` patients have a value, and ``ENOUGH`` and a share of ``SHARE`` have none. Of columns
    that are missing in the same patients, such as one blood sample's, the first stands for all.
    """
    if table.shape[1] >= NARROW:
        return ()
    gaps = table.loc[:, [is_numeric(table[c]) for c in table.columns]].isna()
    count = gaps.sum()
    gaps = gaps.loc[:, (count >= max(ENOUGH, SHARE * len(table))) & (len(table) - count >= ENOUGH)]
    return tuple(gaps.columns[~gaps.T.duplicated()])


@dataclass(frozen=True)
class Schema:
    """Modalities, their features in order, and the categories of those that are text.

    Attributes:
        kinds: modality to its kind, see :class:`jaxsurv.data.Cohort`.
        features: modality to the columns of its table.
        categories: modality to the categories of its text columns, sorted; the last one is ``""`` where a
            missing value is a category of its own.
        indicators: modality to those of its numeric columns that have an indicator of missing values.
        shifts: modality to origin and unit of the numeric columns that float32 could not hold as they are.
        orders: modality to the ranks of those text columns whose categories tell an order, see
            :mod:`jaxsurv.preprocess.ordered`: category to rank.
    """

    kinds: Mapping[str, str]
    features: Mapping[str, tuple[str, ...]]
    categories: Mapping[str, Mapping[str, tuple[str, ...]]]
    indicators: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    shifts: Mapping[str, Mapping[str, tuple[float, float]]] = field(default_factory=dict)
    orders: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        cohort: Cohort,
        modalities: Collection[str] | None = None,
        *,
        unknown: Literal["mean", "level"] = "level",
    ) -> "Schema":
        """The schema of a cohort's own tables.

        Args:
            cohort: patients and tables.
            modalities: names of the modalities to read; None = all.
            unknown: ``"level"``: a missing value of a text column is a category, ``""``, if at least
                ``MIN_CARRIERS`` patients lack it, and numeric columns have `_indicators`.
        """
        tables = {
            m: t for m, t in cohort.modalities.items() if modalities is None or m in modalities
        }
        categories, level = {}, unknown == "level"
        for m, table in tables.items():
            text = [table[c] for c in table.columns if not is_numeric(table[c])]
            categories[m] = {
                str(c.name): (
                    *sorted(c.dropna().unique()),
                    *([""] if level and c.isna().sum() >= MIN_CARRIERS else []),
                )
                for c in text
            }
        features = {m: tuple(table.columns) for m, table in tables.items()}
        indicators = {m: _indicators(table) if level else () for m, table in tables.items()}
        kinds = {m: cohort.kinds[m] for m in tables}
        shifts = {
            m: found
            for m, table in tables.items()
            if kinds[m] in ("continuous", "mixed") and (found := _shifts(table, categories[m]))
        }
        orders = {
            m: {
                c: told
                for c, values in text.items()
                if (told := ranks(values, tables[m][c].dropna()))
            }
            for m, text in categories.items()
        }
        return cls(kinds, features, categories, indicators, shifts, orders)

    def conform(
        self, tables: Mapping[str, pd.DataFrame], needed: Mapping[str, Collection[str]]
    ) -> dict[str, pd.DataFrame]:
        """The tables with the model's features in the model's order, and each cell checked.

        A modality may be absent, and cells may be empty. Columns that the model does not know are left
        out; those that it knows and does not need may be absent.

        Args:
            tables: modality to ``[patients who have it, columns]``.
            needed: modality to the features that must be there.

        Raises:
            InputError: a modality that the model does not know or none that it does; features that are
                missing, listed beside those that it does not know; a cell that does not fit the kind or
                a category never seen in training, with column, patient and value.

        Warns:
            DataWarning: columns that the model does not know and whose names look like those it does.
        """
        for m in tables:
            if m not in self.features:
                raise InputError(
                    f"the model reads {few(list(self.features))}, not the modality {m!r}"
                )
        if not tables:
            raise InputError(f"no modality is given; the model reads {few(list(self.features))}")
        made, problems = {}, []
        for m, table in tables.items():
            with listing(problems):
                made[m] = self._conform(m, table, needed[m])
        refuse_all(problems)
        return made

    def with_absent(self, tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
        """The tables with empty columns for features that they do not have; one that has none stays as it is.

        Warns:
            DataWarning: the features that were absent, by table, and those that the model does not know.
        """
        made = {}
        for m, table in tables.items():
            absent = [f for f in self.features.get(m, ()) if f not in table.columns]
            if 0 < len(absent) < len(self.features[m]):
                warn(
                    f"modality {m!r}: {len(absent)} of {len(self.features[m])} features are absent and taken "
                    f"as missing for everybody: {few(absent)}{self._unknown(m, table, absent)}"
                )
                table = table.reindex(columns=[*table.columns, *absent])
            made[m] = table
        return made

    def _unknown(self, m: str, table: pd.DataFrame, missing: Collection[str]) -> str:
        """Sentence on columns that the model does not know: a missing one may be there, renamed."""
        unknown = table.columns.difference(self.features[m], sort=False)
        told = f"; the table has {len(unknown)} that the model does not know: {few(unknown)}"
        return told * bool(len(unknown)) + hint(unknown, missing)

    def _conform(self, m: str, table: pd.DataFrame, needed: Collection[str]) -> pd.DataFrame:
        label, text = f"modality {m!r}", self.categories[m]
        table = clean_rows(table, label)
        missing = [f for f in self.features[m] if f in needed and f not in table.columns]
        unknown = table.columns.difference(self.features[m], sort=False)
        if missing:
            others = self._unknown(m, table, missing)
            raise InputError(
                f"{label} lacks {len(missing)} of the {len(needed)} features that the model "
                f"needs: {few(missing, 20)}{others}. Rename them, or add empty columns for what was not "
                "measured (model.fitted().preprocessing.schema.with_absent(tables); python -m jaxsurv score: "
                "--absent-columns missing)"
            )
        if pairs := alike(unknown, self.features[m]):
            warn(
                f"{label}: columns that the model does not know look like features that it reads: "
                f"{shown(pairs)}; are they other measurements?"
            )
        columns = pd.Index(self.features[m])
        if not table.columns.equals(columns):  # a copy, of many patients the longest part
            table = table.reindex(columns=columns)
        if text:
            numbers = to_float(
                table[columns.difference(list(text), sort=False)], label, "correct it"
            )
            texts = [to_text(table[c]) for c in columns if c in text]
            table = pd.concat([numbers, *texts], axis=1).reindex(columns=columns)
        else:
            table = to_float(table, label, "correct it")
        for name, known in ((c, text[c]) for c in text if c in needed):
            new = table[name][table[name].notna() & ~table[name].isin(known)]
            if len(new):
                raise InputError(
                    f"{label}: the category {new.iloc[0]!r} in column {name!r}, patient "
                    f"{new.index[0]!r}, was never seen in training; known are {few(known, 20)}. "
                    "Correct or empty it"
                )
        if self.kinds[m] == "continuous":  # a few patients cannot show on which scale they are
            someone = table.notna().any(axis=1)
            return table if someone.all() else table.loc[someone]
        return clean_modality(m, table, self.kinds[m])[0]


def _shifts(table: pd.DataFrame, text: Collection[str]) -> dict[str, tuple[float, float]]:
    """Origin and unit of each numeric column that is far from zero, very large or very small.

    Both are coarse, and so hardly depend on any one patient.
    """
    numbers = table[[c for c in table.columns if c not in text]]
    low, high = (a.to_numpy(float) for a in (numbers.min(), numbers.max()))
    found = {}
    with np.errstate(invalid="ignore"):
        size, spread = np.maximum(np.abs(low), np.abs(high)), high - low
        odd = (spread > 0) & ((size > _FAR * spread) | (spread > _LARGE) | (spread < 1 / _LARGE))
    for j in np.flatnonzero(odd & np.isfinite(spread)):
        step = 2.0 ** np.ceil(np.log2(spread[j]))
        origin = float(np.floor(low[j] / step) * step) if size[j] > _FAR * spread[j] else 0.0
        unit = 1.0 if 1 / _LARGE <= spread[j] <= _LARGE else float(step)
        found[str(numbers.columns[j])] = (origin, unit)
    return found
