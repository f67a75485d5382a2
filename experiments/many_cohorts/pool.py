"""Cohorts as one, with columns that tell the same thing in the same way."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from jaxsurv.cli.cohorts import simulated_thirds
from jaxsurv.cli.setup import require_poolable
from jaxsurv.data import Cohort, concat_cohorts, read_cohort
from jaxsurv.data.tables import is_numeric
from jaxsurv.models import CLINICAL
from jaxsurv.preprocess.harmonise import harmonise_strata, logged
from jaxsurv.preprocess.ordered import ranks
from jaxsurv.types import InputError


class Pool(NamedTuple):
    """Attributes:
    endpoint: name of the outcome.
    targets: cohorts by name, of the patients labelled for it, with every column of their own.
    pooled: all of them, with the columns that all have, measurements as z-scores within each cohort.
    """

    endpoint: str
    targets: dict[str, Cohort]
    pooled: Cohort


def open_pool(folders: Sequence[Path], modality: str, endpoint: str | None) -> Pool:
    """Read cohorts and pool them; without folders, thirds of the simulated cohort.

    Args:
        folders: two or more folders.
        modality: modality that is read beside the clinical one.
        endpoint: name of the outcome; None = the first one of the first cohort.

    Raises:
        InputError: one folder; a cohort without the modality or the endpoint, with delayed entry, or with
            strata of its own; see :func:`jaxsurv.data.concat_cohorts`.
    """
    if len(folders) == 1:
        raise InputError(
            "--cohorts needs two or more folders: what one learns from the others is asked"
        )
    cohorts = [read_cohort(folder) for folder in folders] or simulated_thirds()
    endpoint = endpoint or cohorts[0].endpoints[0]
    targets = {}
    for cohort in cohorts:
        require_poolable(cohort, modality, endpoint)
        tables = {m: t for m, t in cohort.modalities.items() if m in (CLINICAL, modality)}
        if CLINICAL in tables:
            tables[CLINICAL] = _ranked(tables[CLINICAL])
        own = replace(
            cohort,
            modalities=tables,
            kinds={m: cohort.kinds[m] for m in tables},
            survival=cohort.survival[[f"{endpoint}_time", f"{endpoint}_event"]],
        )
        targets[cohort.name] = logged(own.for_endpoint(endpoint))
    return Pool(endpoint, targets, harmonise_strata(concat_cohorts(list(targets.values()))))


def _ranked(table: pd.DataFrame) -> pd.DataFrame:
    """The table with ordered categories, such as stages, as their ranks: text in one, numbers in another."""
    text = [c for c in table if not is_numeric(table[c])]
    orders = {c: ranks(table[c].dropna().unique(), table[c].dropna()) for c in text}
    return table.assign(**{c: table[c].map(r).astype(float) for c, r in orders.items() if r})
