"""Columns that act one way in the training cohort and the other way in an external one."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from jaxsurv.data import Cohort
from jaxsurv.preprocess import encode
from jaxsurv.preprocess._encode import encode_table

from .cohorts import Cohorts

NAMES = ["cohort", "modality", "column", "z_train", "z_external", "columns"]
BEYOND = 2.0  # |z| in both cohorts
BY_CHANCE = (
    0.0228 * 2 * 0.0228
)  # share of columns without any effect that are beyond it on opposite sides


def score_test(
    x: np.ndarray, event: np.ndarray, time: np.ndarray, strata: np.ndarray | None = None
) -> np.ndarray:
    """``[p]`` z of each column alone in a Cox model, by the score test, higher = worse; 0 if constant.

    Args:
        x: ``[n, p]``, NaN where unknown: those rows are left out of the column.
        event, time: ``[n]``.
        strata: ``[n]`` labels; risk sets are within them.
    """
    known = ~np.isnan(x)
    centred = np.where(known, x - np.nanmean(np.where(known.any(axis=0), x, 0), axis=0), 0)
    score, information = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    labels = np.zeros(len(time)) if strata is None else np.asarray(strata)
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        order = own[np.argsort(-time[own], kind="stable")]
        last = np.searchsorted(-time[order], -time[order], side="right") - 1  # of the tied
        sums = [np.cumsum(a[order], axis=0)[last] for a in (known, centred, centred**2)]
        number = np.maximum(sums[0], 1)
        mean = sums[1] / number
        at_event = known[order] & (event[order] > 0)[:, None]
        score += ((centred[order] - mean) * at_event).sum(axis=0)
        information += ((sums[2] / number - mean**2) * at_event).sum(axis=0)
    some = information > 1e-9 * np.maximum(1, np.square(centred).sum(axis=0))
    return np.where(some, score / np.sqrt(np.where(some, information, 1)), 0)


def turned_columns(train: Cohort, external: Mapping[str, Cohort], endpoint: str) -> pd.DataFrame:
    """Columns whose hazard ratio is above 1 in one cohort and below 1 in the other, both with |z| > 2.

    Returns:
        ``cohort``, ``modality``, ``column``, ``z_train``, ``z_external``; ``columns``, how many of the
        modality were compared there.
    """
    encoded, rows = encode(train), []
    schema = encoded.schema
    here = _tests(encoded.x, train, endpoint)
    for name, cohort in external.items():
        for m, columns in encoded.columns.items():
            if m not in cohort.modalities:
                continue
            table = encode_table(
                schema, m, cohort.modalities[m].reindex(columns=list(schema.features[m]))
            )
            there = _tests(table.reindex(cohort.survival.index).to_numpy(float), cohort, endpoint)
            own, compared = here[columns], int(((here[columns] != 0) & (there != 0)).sum())
            for j in np.flatnonzero(
                (np.minimum(np.abs(own), np.abs(there)) > BEYOND) & (own * there < 0)
            ):
                rows.append((name, m, encoded.names[columns][j], own[j], there[j], compared))
    return pd.DataFrame(rows, columns=NAMES)


def _tests(x: np.ndarray, cohort: Cohort, endpoint: str) -> np.ndarray:
    outcome = cohort.outcome(endpoint)
    strata = None if cohort.strata is None else cohort.strata.to_numpy(str)
    return score_test(x.astype(float), np.asarray(outcome.event), np.asarray(outcome.time), strata)


def turned(cohorts: Cohorts) -> pd.DataFrame:
    """`turned_columns` of an external validation; empty without a training cohort."""
    if cohorts.train is None:
        return pd.DataFrame(columns=NAMES)
    return turned_columns(cohorts.train, cohorts.external, cohorts.endpoint)
