"""Rates of coverage and of rejection from simulated scores, and their words."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd

from jaxsurv.study.statistics import Estimate, corrected_t

from .simulate import FOLDS, Condition

SPLITS = (
    "Five folds, dealt once or five times; two blocks of five features with equal effects, half of the "
    "patients censored. covered: share of cohorts whose 95 % interval has the expected value, which is the "
    "mean over all cohorts; the gain is that of a model of both blocks over a model of one. rejected: share "
    "in which the models of the two blocks, which are equally good, have p < 0.05. as one deal: the same "
    "with Nadeau and Bengio's variance over all splits."
)
SMALL = (
    "Known risks on test sets of so many patients. covered: share of intervals that have the expected C: "
    "`Concordance.interval`; bootstrap: percentile limits; plain: index ± 1.96 standard errors. rejected: "
    "share in which two equally good risks have p < 0.05 in `compare_concordance`; normal: with the normal "
    "quantile."
)
_WHOLE = ("n", "deals", "cohorts", "patients", "events")
_VALUES = ("C", "signal", "gain")


def rates(condition: Condition, scores: np.ndarray) -> Iterator[dict]:
    """One row per number of deals.

    Args:
        condition: condition of the cohorts.
        scores: ``[cohorts, models, splits]``, see :func:`experiments.coverage.simulate.scores`.
    """
    a, b, both = np.moveaxis(scores, 1, 0)
    c, gain = scores[:, :2].mean(), (both - (a + b) / 2).mean()
    for deals in (1, scores.shape[2] // FOLDS):
        repeat = np.repeat(np.arange(deals), FOLDS)
        estimates = partial(_estimates, repeat=repeat)
        yield {
            **condition._asdict(), "deals": deals, "cohorts": len(scores), "C": c,
            "C covered": np.mean([_covered(estimates(v), c) for v in (a, b)]),
            "gain": gain, "gain covered": _covered(estimates(both - a), gain),
            "rejected": _rejected(estimates(a - b)),
            "rejected as one deal": _rejected(estimates(a - b, repeat=0 * repeat)),
        }  # fmt: skip


def _estimates(values: np.ndarray, repeat: np.ndarray) -> list[Estimate]:
    rows = values[:, : len(repeat)]
    return [corrected_t(row, 1 / (FOLDS - 1), repeat=repeat) for row in rows]


def _covered(estimates: list[Estimate], truth: float) -> float:
    return float(np.mean([e.lower <= truth <= e.upper for e in estimates]))


def _rejected(estimates: list[Estimate]) -> float:
    return float(np.mean([e.p_value < 0.05 for e in estimates]))


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Table of strings."""

    def text(name: str) -> list[str]:
        shape = "{:.0f}" if name in _WHOLE else "{:.3f}" if name in _VALUES else "{:.1%}"
        return [v if isinstance(v, str) else shape.format(v) for v in table[name]]

    return pd.DataFrame({name: text(name) for name in table})


def told(table: pd.DataFrame, single: pd.DataFrame) -> list[str]:
    """Conclusions in sentences."""

    def span(values: pd.Series) -> str:
        return f"{values.min():.1%} to {values.max():.1%}"

    lines = [
        f"{deals} x {FOLDS} folds: 95 % intervals of C cover in {span(rows['C covered'])} of the cohorts, "
        f"those of a gain in {span(rows['gain covered'])}; equal models have p < 0.05 in "
        f"{span(rows['rejected'])}."
        for deals, rows in table.groupby("deals")
    ]
    return [
        *lines,
        f"Single test sets: intervals of C cover in {span(single['covered'])}; equal risks have p < 0.05 in "
        f"{span(single['rejected'])}.",
    ]
