"""Unlabelled patients of another platform, harmonised with a cohort, as Cox-MT was published with."""

from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd

from jaxsurv.data import Cohort
from jaxsurv.data.readers import with_unlabelled
from jaxsurv.data.tables import clean_modality, few
from jaxsurv.preprocess.harmonise import LEAST_SHARED, MEASURED, harmonised
from jaxsurv.types import InputError

# genes expressed at a similar level in most tissues
HOUSEKEEPING = ("ACTB", "B2M", "GAPDH", "GUSB", "HPRT1", "PGK1", "PPIA", "RPLP0", "TBP", "TFRC")


def add_unlabelled(
    cohort: Cohort,
    modality: str,
    table: pd.DataFrame,
    *,
    harmonise: Literal["z-score", "housekeeping", "none"] = "z-score",
    housekeeping: tuple[str, ...] = HOUSEKEEPING,
) -> Cohort:
    """Add the patients of ``table``, who have one modality and no outcome, below the cohort.

    Another platform measures on another scale. Within the new patients, ``"z-score"`` gives each
    feature the cohort's mean and standard deviation (of log2(x + 1) for counts). ``"housekeeping"``
    multiplies all values by one number, the ratio of the means over the housekeeping genes, as Cox-MT
    does with expression that is not a logarithm.

    Args:
        cohort: cohort with outcomes.
        modality: name of one modality of the cohort.
        table: ``[patients, features]``, values on the scale of the cohort's kind; features that it lacks
            are missing. Its values are mapped to the moments of all patients of the cohort, test patients
            included, without a look at outcomes.
        harmonise: method, one of ``"z-score"``, ``"housekeeping"``, ``"none"``.
        housekeeping: names of features.

    Raises:
        InputError: no such modality; cells that the kind does not allow; patients who are in the cohort;
            less than a tenth of the cohort's features; no housekeeping gene in both;
            ``"housekeeping"`` for logarithms.
    """
    if modality not in cohort.modalities:
        raise InputError(f"there is no modality {modality!r}, but {few(list(cohort.modalities))}")
    reference, counts = cohort.modalities[modality], cohort.kinds[modality] == "counts"
    if harmonise not in ("z-score", "housekeeping", "none"):
        raise InputError(
            f"harmonise must be 'z-score', 'housekeeping' or 'none', got {harmonise!r}"
        )
    table, _ = clean_modality(f"unlabelled {modality}", table, cohort.kinds[modality])
    if (again := table.index.intersection(cohort.survival.index)).size:
        raise InputError(f"{few(again)} of the unlabelled patients are patients of the cohort")
    shared = reference.columns.intersection(table.columns)
    if len(shared) < LEAST_SHARED * reference.shape[1]:
        raise InputError(
            f"the unlabelled table has {len(shared)} of the {reference.shape[1]} features of "
            f"{modality!r}, less than a tenth; check that both name features in the same way"
        )
    if harmonise == "housekeeping":
        if not counts:
            raise InputError(
                "a ratio of housekeeping genes is for values that are not logarithms; "
                f"{modality!r} is {cohort.kinds[modality]!r}: use harmonise='z-score'"
            )
        genes = shared.intersection(list(housekeeping))
        if genes.empty:
            raise InputError(
                f"no housekeeping gene is in both tables: {few(housekeeping, 20)}; name others"
            )
        table = table * (np.nanmean(reference[genes]) / np.nanmean(table[genes]))
    table = table.reindex(columns=reference.columns)
    if harmonise == "z-score" and cohort.kinds[modality] in MEASURED:
        log, onto = (np.log2(t + 1.0) if counts else t for t in (table, reference))
        table = harmonised(log, onto, "z-score")
        table = (2.0**table - 1.0).clip(lower=0) if counts else table
    modalities = {**cohort.modalities, modality: pd.concat([reference, table])}
    return replace(
        cohort, modalities=modalities, survival=with_unlabelled(cohort.survival, modalities)
    )
