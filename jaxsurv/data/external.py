"""Other cohorts put beside a training cohort: same columns, same order, comparable values."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from jaxsurv.data.cohort import Cohort
from jaxsurv.data.tables import is_numeric
from jaxsurv.types import InputError

Harmonise = Literal["z-score", "quantile", "none"]
LEAST_SHARED = 0.1
_MEASURED = ("continuous", "counts", "mixed")


@dataclass(frozen=True)
class Joined:
    """A training cohort with others below it.

    Attributes:
        cohort: patients are named ``cohort:patient``; columns are the training cohort's.
        origin: ``[n]``, the name of each patient's cohort; the first is the training cohort's.
        found: one row per cohort and modality: features of the training cohort, and how many of them
            the cohort has.
    """

    cohort: Cohort
    origin: np.ndarray
    found: pd.DataFrame


def join_cohorts(
    train: Cohort,
    external: Mapping[str, Cohort],
    endpoint: str,
    *,
    harmonise: Harmonise = "z-score",
) -> Joined:
    """Put external cohorts below a training cohort, by the names of modalities and features.

    What an external cohort measures and the training cohort does not is dropped; what it lacks is
    missing. Counts become log2(x + 1) first. Measured features of modalities other than ``clinical``
    are then harmonised within each external cohort, without looking at an outcome:
    ``"z-score"`` to the training cohort's mean and standard deviation, ``"quantile"`` to its quantiles,
    ``"none"``: not. Clinical values, states and 0/1 columns stay as they are.

    Raises:
        InputError: no shared modality, or less than a tenth of a modality's features shared.
    """
    given = {train.name: train, **external}
    cohorts = {name: _logged(cohort.for_endpoint(endpoint)) for name, cohort in given.items()}
    if len(cohorts) != len(external) + 1:
        raise InputError(
            f"external cohorts need names other than {train.name!r}, the training one's"
        )
    tables: dict[str, list[pd.DataFrame]] = {m: [] for m in train.modalities}
    survival, origin, found = [], [], []
    for name, cohort in cohorts.items():
        if not set(cohort.modalities) & set(tables):
            raise InputError(
                f"cohort {name!r} shares no modality with {train.name!r}: it has "
                f"{sorted(cohort.modalities)}, the training cohort {sorted(tables)}"
            )
        labels = [f"{endpoint}_time", f"{endpoint}_event"]
        survival.append(cohort.survival[labels].rename(lambda p, n=name: f"{n}:{p}"))
        origin += [name] * len(cohort.survival)
        for m, reference in cohorts[train.name].modalities.items():
            if m not in cohort.modalities:
                found.append((name, m, reference.shape[1], 0))
                continue
            table = cohort.modalities[m]
            shared = reference.columns.intersection(table.columns)
            found.append((name, m, reference.shape[1], len(shared)))
            if len(shared) < LEAST_SHARED * reference.shape[1]:
                raise InputError(
                    f"cohort {name!r} has {len(shared)} of the {reference.shape[1]} features of "
                    f"{m!r}, less than a tenth; check that both name features in the same way, "
                    "or leave the modality out"
                )
            table = table.reindex(columns=reference.columns)
            if name != train.name and m != "clinical" and train.kinds[m] in _MEASURED:
                table = harmonised(table, reference, harmonise)
            tables[m].append(table.rename(lambda p, n=name: f"{n}:{p}"))
    joined = replace(
        cohorts[train.name],
        modalities={m: pd.concat(parts) for m, parts in tables.items()},
        survival=pd.concat(survival),
    )
    columns = ["cohort", "modality", "features", "found"]
    return Joined(joined, np.asarray(origin), pd.DataFrame(found, columns=columns))


def _logged(cohort: Cohort) -> Cohort:
    counts = [m for m, kind in cohort.kinds.items() if kind == "counts"]
    logged = {m: np.log2(cohort.modalities[m] + 1.0) for m in counts}
    return replace(
        cohort,
        modalities={**cohort.modalities, **logged},
        kinds={**cohort.kinds, **dict.fromkeys(counts, "continuous")},
    )


def harmonised(table: pd.DataFrame, reference: pd.DataFrame, how: Harmonise) -> pd.DataFrame:
    """``table`` with the distribution of each numeric feature made that of ``reference``."""
    if how == "none":
        return table
    numeric = [c for c in table.columns if is_numeric(reference[c])]
    x, y = table[numeric], reference[numeric]
    if how == "z-score":
        sd = x.std(ddof=0)
        mapped = (x - x.mean()) / sd.where(sd > 0, 1.0) * y.std(ddof=0) + y.mean()
    else:
        share = (x.rank() - 0.5) / x.notna().sum()
        mapped = share.apply(
            lambda q: (
                pd.Series(np.nanquantile(y[q.name], q.clip(0, 1)), q.index).where(q.notna())
                if q.notna().any()
                else q
            )
        )
    return table.assign(**mapped)
