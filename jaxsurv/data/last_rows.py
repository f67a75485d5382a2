"""One row per patient of a cohort in which patients have several."""

# pandas' own types cannot tell frame[name], a Series, from frame[names].
# pyright: reportArgumentType=false, reportReturnType=false

from copy import copy
from typing import Any

import numpy as np
import pandas as pd


def last_rows(cohort: Any) -> Any:
    """The patients with their whole follow-up and the covariates of their last row, for descriptions.

    Args:
        cohort: a :class:`jaxsurv.data.Cohort`.
    """
    if cohort.patients is None:
        return cohort
    codes = pd.factorize(cohort.patients)[0]
    last = len(codes) - 1 - np.unique(codes[::-1], return_index=True)[1]
    parts = cohort.survival.groupby(codes)
    entered = [c for c in cohort.survival if str(c).endswith("_entry")]
    survival = parts.max().assign(**parts[entered].min())
    return one_row_each(cohort, last, survival[list(cohort.survival.columns)])


def one_row_each(cohort: Any, rows: np.ndarray, survival: pd.DataFrame, **about: Any) -> Any:
    """The cohort of some rows, of different patients, under the names of these, with another outcome.

    Args:
        cohort: a :class:`jaxsurv.data.Cohort`.
        rows: ``[k]`` numbers of rows.
        survival: ``[k, columns]``, their outcome.
        **about: further attributes.
    """
    chosen, order = np.zeros(len(cohort.survival), bool), np.argsort(rows)
    chosen[rows] = True
    part = cohort.take(chosen)
    index = part.survival.index if part.patients is None else pd.Index(part.patients)
    index = index.rename("patient")
    name = dict(zip(part.survival.index, index, strict=True))
    tables = {
        m: t.set_axis(t.index.map(name).rename("patient")) for m, t in part.modalities.items()
    }
    return copy(part)._set(
        survival=survival.iloc[order].set_axis(index),
        modalities=tables,
        patients=None,
        competing=None,
        strata=None if part.strata is None else part.strata.set_axis(index),
        **about,
    )
