"""Measurements of another cohort or platform mapped to those of a reference, without outcomes."""

# pandas' own types cannot tell frame[name], a Series, from frame[names].
# pyright: reportIndexIssue=false

from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd

from jaxsurv.data import Cohort
from jaxsurv.data.tables import is_numeric
from jaxsurv.types import InputError

Harmonise = Literal["z-score", "quantile", "none"]
LEAST_SHARED = 0.1
MEASURED = ("continuous", "counts", "mixed")


def zeros_and_ones(table: pd.DataFrame) -> pd.Series:
    """True for columns without a value other than 0 and 1."""
    return ((table == 0) | (table == 1) | table.isna()).all()


def harmonised(table: pd.DataFrame, reference: pd.DataFrame, how: Harmonise) -> pd.DataFrame:
    """``table`` with each numeric feature mapped to the distribution of the feature in ``reference``.

    A feature with only 0 and 1 in both tables stays as it is. A feature that is constant in ``table``
    becomes the mean of ``reference`` (``"z-score"``) or its median (``"quantile"``).
    """
    if how == "none":
        return table
    measured = ~(zeros_and_ones(table) & zeros_and_ones(reference))
    numeric = [c for c in table.columns if measured[c] and is_numeric(reference[c])]
    x, y = table[numeric], reference[numeric]
    if how == "z-score":
        mean, sd = x.mean(), x.std(ddof=0)
        spread = sd.where(sd > 1e-9 * mean.abs(), np.inf)  # a smaller sd is rounding of a constant
        mapped = (x - mean) / spread * y.std(ddof=0) + y.mean()
    else:
        share = (x.rank() - 0.5) / x.notna().sum()
        mapped = share.apply(
            lambda q: pd.Series(np.nanquantile(y[q.name], q.fillna(0.5)), q.index).where(q.notna())
        )
    return table.assign(**mapped)


def logged(cohort: Cohort) -> Cohort:
    """The cohort with counts as log2(x + 1)."""
    counts = [m for m, kind in cohort.kinds.items() if kind == "counts"]
    tables = {m: np.log2(cohort.modalities[m] + 1.0) for m in counts}
    return replace(
        cohort,
        modalities={**cohort.modalities, **tables},
        kinds={**cohort.kinds, **dict.fromkeys(counts, "continuous")},
    )


def harmonise_strata(cohort: Cohort, how: Harmonise = "z-score") -> Cohort:
    """Map the measurements of each stratum to those of all strata together, feature by feature.

    For pooled cohorts of several platforms. Counts become log2(x + 1) first. Clinical values, states and
    0/1 columns stay as they are. No outcome is looked at; but a patient's values depend on who else is in
    the stratum, test patients too, and new patients have to come as a stratum.

    Args:
        cohort: with strata.
        how: see `harmonised`.

    Raises:
        InputError: a cohort without strata.
    """
    if cohort.strata is None:
        raise InputError("the cohort has no strata; pool cohorts, or add a column stratum")
    cohort, strata = logged(cohort), cohort.strata
    tables = dict(cohort.modalities)
    for m, table in cohort.modalities.items():
        if m != "clinical" and cohort.kinds[m] in MEASURED:
            parts = table.groupby(strata.loc[table.index], dropna=False)
            tables[m] = pd.concat([harmonised(part, table, how) for _, part in parts])
    return replace(cohort, modalities=tables)
