"""Measurements of another cohort or platform mapped to those of a reference, without outcomes."""

# pandas' own types cannot tell frame[name], a Series, from frame[names].
# pyright: reportIndexIssue=false

from typing import Literal

import numpy as np
import pandas as pd

from jaxsurv.data.tables import is_numeric

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
