"""External cohorts joined to a training cohort: same columns, same order, comparable values."""

# pandas' own types cannot tell frame[name], a Series, from frame[names].
# pyright: reportIndexIssue=false

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from jaxsurv.cli.setup import refuse_several_rows
from jaxsurv.data.cohort import Cohort
from jaxsurv.data.identifiers import patient_part
from jaxsurv.data.pooling import shared_unit
from jaxsurv.data.tables import few, is_numeric, refuse_cells, to_text, warn
from jaxsurv.preprocess.harmonise import (
    LEAST_SHARED,
    MEASURED,
    Harmonise,
    harmonised,
    logged,
    zeros_and_ones,
)
from jaxsurv.types import InputError


@dataclass(frozen=True)
class Joined:
    """A training cohort with external cohorts below it.

    Attributes:
        cohort: joined cohort; patients are named ``cohort:patient``, columns are the training cohort's.
        origin: ``[n]``, name of each patient's cohort; the training cohort comes first.
        found: one row per cohort and modality: number of features of the training cohort, and number
            of these that the cohort has.
        strata: labels of the patients of those cohorts that have strata.
    """

    cohort: Cohort
    origin: np.ndarray
    found: pd.DataFrame
    strata: Mapping[str, pd.Series] = field(default_factory=dict)

    def part(self, name: str) -> Cohort:
        """The patients of one cohort, with the modalities and the strata that it has."""
        part = self.cohort.take(self.origin == name).renamed(name)
        if name not in self.strata:
            return part
        return replace(part, strata=self.strata[name].loc[part.survival.index])


def join_cohorts(
    train: Cohort,
    external: Mapping[str, Cohort],
    endpoint: str,
    *,
    harmonise: Harmonise = "z-score",
) -> Joined:
    """Put external cohorts below a training cohort, by the names of modalities and features.

    Features that only an external cohort has are dropped; features that it lacks are missing. Counts
    become log2(x + 1) first. Measured features of modalities other than ``clinical``
    are then harmonised within each external cohort, without looking at an outcome. Clinical values,
    states and 0/1 columns stay as they are.

    Args:
        train: training cohort.
        external: external cohorts by name.
        endpoint: name of an endpoint that all cohorts have.
        harmonise: ``"z-score"`` maps to the training cohort's mean and standard deviation,
            ``"quantile"`` to its quantiles, ``"none"`` changes nothing.

    Raises:
        InputError: delayed entry; no shared modality, or less than a tenth of a modality's features
            shared; times in different units; text where the training cohort has numbers, a category or a code
            that it lacks, with column, patient and value.

    Warns:
        DataWarning: an external cohort has patients with the names of patients of the training cohort.
    """
    given = {train.name: train, **external}
    refuse_entry(given, endpoint)
    cohorts = {name: logged(cohort.for_endpoint(endpoint)) for name, cohort in given.items()}
    if len(cohorts) != len(external) + 1:
        raise InputError(
            f"external cohorts need names other than {train.name!r}, the training one's"
        )
    shared_unit(cohorts)
    _warn_of_shared_patients(cohorts)
    tables: dict[str, list[pd.DataFrame]] = {m: [] for m in train.modalities}
    survival, origin, found, strata = [], [], [], {}
    for name, cohort in cohorts.items():
        if not set(cohort.modalities) & set(tables):
            raise InputError(
                f"cohort {name!r} shares no modality with {train.name!r}: it has "
                f"{sorted(cohort.modalities)}, the training cohort {sorted(tables)}"
            )
        labels = [f"{endpoint}_time", f"{endpoint}_event"]
        survival.append(cohort.survival[labels].rename(lambda p, n=name: f"{n}:{p}"))
        if cohort.strata is not None:
            strata[name] = cohort.strata.rename(lambda p, n=name: f"{n}:{p}")
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
            if name != train.name:
                codes = m == "clinical" or train.kinds[m] in ("binary", "mixed")
                label = f"cohort {name!r}, modality {m!r}"
                table = _conformed(table, reference, label, codes=codes)
                if m != "clinical" and train.kinds[m] in MEASURED:
                    table = harmonised(table, reference, harmonise)
            tables[m].append(table.rename(lambda p, n=name: f"{n}:{p}"))
    joined = replace(
        cohorts[train.name],
        modalities={m: pd.concat(parts) for m, parts in tables.items()},
        survival=pd.concat(survival),
        strata=None,
    )
    columns = ["cohort", "modality", "features", "found"]
    return Joined(joined, np.asarray(origin), pd.DataFrame(found, columns=columns), strata)


def refuse_entry(cohorts: Mapping[str, Cohort], endpoint: str) -> None:
    """Refuse delayed entry, which no score of an external validation knows."""
    for cohort in cohorts.values():
        refuse_several_rows(cohort)
    if entered := [name for name, c in cohorts.items() if f"{endpoint}_entry" in c.survival]:
        raise InputError(
            f"endpoint {endpoint!r} has delayed entry in {few(entered)} ({endpoint}_entry), without which "
            "a model would look wrong; use jaxsurv.metrics, or drop the column if all enter at 0"
        )


def _warn_of_shared_patients(cohorts: Mapping[str, Cohort]) -> None:
    train, *others = cohorts
    known = {patient_part(p) for p in cohorts[train].survival.index}
    for name in others:
        if again := [p for p in cohorts[name].survival.index if patient_part(p) in known]:
            warn(
                f"{len(again)} patients of {name!r} have names of patients of {train!r} ({few(again)}); "
                "if they are the same persons, leave them out: a model has seen them"
            )


def _conformed(
    table: pd.DataFrame, reference: pd.DataFrame, label: str, *, codes: bool
) -> pd.DataFrame:
    """``table`` with categories as text; refuses values that do not fit the columns of ``reference``.

    With ``codes``, columns of 0 and 1 are codes. Without, they are rare transcripts in a matrix of
    measurements, and another cohort may have larger values.
    """
    table = table.copy()
    coded = reference.columns[zeros_and_ones(reference) & (reference.nunique() == 2) & codes]
    for column, known in reference.items():
        given = table[column]
        if not is_numeric(known):
            given = table[column] = to_text(given)
            bad, there = ~given.isin(known.dropna()), sorted(known.dropna().unique())
        elif not is_numeric(given):
            bad, there = given.notna(), ["numbers"]
        elif column in coded:
            bad, there = ~given.isin([0, 1]), [0, 1]
        else:
            continue
        fix = f"in training there are {few(there)}; recode or empty it"
        refuse_cells((bad & given.notna()).to_frame(), given.to_frame(), label, "the value", fix)
    return table
