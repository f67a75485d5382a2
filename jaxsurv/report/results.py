"""Summary of a study as tables of strings, with explanations of their columns."""

import numpy as np
import pandas as pd

from jaxsurv.report.tables import interval
from jaxsurv.study.findings import SPLIT, Findings, references
from jaxsurv.study.statistics import summarise


def shown(findings: Findings) -> pd.DataFrame:
    """Summary of the study as a table of strings."""
    s = findings.summary
    trained = s["validation_loss"].notna()
    columns = {
        "setting": s["setting"],
        "mean test C (95 %)": s.apply(interval, axis=1),
        "seed ensemble": s["ensemble_mean"].map("{:.3f}".format).where(trained, ""),
        "best run": s["best_run"].map("{:.3f}".format).where(trained, ""),
        "IBS": s["ibs_mean"].map("{:.3f}".format),
    }
    for short, reference in references(findings.comparison, findings.baselines).items():
        if f"{short}_mean" in s:
            difference = s.apply(interval, axis=1, prefix=f"{short}_", sign=True)
            p = s[f"{short}_p_value"].map(lambda v: "" if pd.isna(v) else f" p {v:.2g}")
            columns[f"minus {reference}"] = (difference + p).mask(s["setting"] == reference, "")
    return pd.DataFrame(columns)


def shown_weights(findings: Findings) -> pd.DataFrame:
    """Weights of the headline's members as a table of strings; empty if it is no stack."""
    rows = weights_of(findings)
    if rows.empty:
        return rows
    how = {"by": "member", "split": SPLIT, "test_fraction": findings.data.test_fraction}
    mean = summarise(rows, score="weight", bounds=(0.0, np.inf), **how)
    none = rows.groupby("member", sort=False)["weight"].apply(
        lambda w: f"{(w == 0).sum()} of {len(w)}"
    )
    return pd.DataFrame(
        {
            "member": mean["member"],
            "weight (95 %)": mean.apply(interval, axis=1),
            "splits with weight 0": mean["member"].map(none),
        }
    )


WEIGHTS = (
    "Weights of the members of the headline's stack, which multiply their log hazards. In each split they "
    "are fitted to rows of its training set that a member did not see. A network has to raise the likelihood "
    "of these rows, or its weight is 0. Where the stack finds nothing, all weights are next to 0."
)


def weights_of(findings: Findings) -> pd.DataFrame:
    """The rows of ``findings.weights`` that are the headline's."""
    rows = findings.weights
    return rows if rows.empty else rows.loc[rows["setting"] == findings.comparison.headline]


def shown_errors(findings: Findings) -> pd.DataFrame:
    """Integrated Brier scores as a table of strings, with paired differences."""
    s = findings.summary
    columns = {"setting": s["setting"], "IBS (95 %)": s.apply(interval, axis=1, prefix="ibs_")}
    for short, reference in references(findings.comparison, findings.baselines).items():
        if f"ibs_{short}_mean" in s:
            difference = s.apply(interval, axis=1, prefix=f"ibs_{short}_", sign=True, digits=3)
            columns[f"minus {reference}"] = difference.mask(s["setting"] == reference, "")
    return pd.DataFrame(columns)


ERRORS = (
    "Integrated Brier score of survival curves on test rows, lower is better; from a tenth to nine tenths of "
    "the event times outside the test rows. Curves are a model's own, or Breslow's from the log hazards of "
    "the development rows: a model that is too sure of these pays for it. Differences are paired by split."
)


def legend(findings: Findings) -> str:
    """Explanation of the columns of the summary table."""
    data = findings.data
    splits = len(data.splits.fold)
    optimistic = (
        "TWO-WAY PROTOCOL: early stopping watched the rows that are scored here, so every trained row is "
        "optimistic, and the comparison with the baselines unfair to them. "
        if findings.two_way
        else ""
    )
    chosen = ", ".join(f"'{name}'" for name in findings.comparison.choices)
    if chosen:
        chosen += (
            ": the value with the lowest early-stopping loss in each split, which is what a user can "
            "do; the best of the rows above it is picked by test scores. "
        )
    stacked = ", ".join(f"'{name}'" for name in findings.comparison.stacked)
    if stacked:
        stacked += (
            ": the mean over the seeds, stacked with ridge Cox models (the block ridge, which reads the "
            "clinical features, their squares and the leading modality; all modalities) by weights that are "
            "fitted to rows held out and calibrated on them. "
        )
    within = "" if data.cohort.strata is None else "of pairs within strata "
    deals = len(np.unique(data.splits.repeat))
    how = "t from the variances within and between deals (Rubin)"
    if deals in (1, splits):
        how = "corrected resampled t (Nadeau-Bengio)"
    return (
        f"{optimistic}Harrell's C {within}on test rows, {splits} splits, {data.splits.protocol} protocol; "
        f"seeds averaged within a split. {chosen}{stacked}"
        f"Intervals and p: {how}, which allows for overlapping training "
        "sets; differences are paired by split; p is not adjusted for the number of rows. The best run is "
        "shown because papers report it: it is the luckiest of many, not an estimate. IBS: integrated Brier "
        "score of the survival curves, lower is better."
    )
