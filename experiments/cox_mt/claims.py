"""Differences that the paper's claims are about, and sentences that say what they are."""

from typing import NamedTuple

import pandas as pd

from jaxsurv.study.findings import Findings


class RowNames(NamedTuple):
    """Names of the rows that the sentences compare.

    ``labelled`` and the rest are there only with patients who have no outcome, or with a second source.
    """

    nnet: str
    network: str
    mt: str
    network_all: str
    mt_all: str
    plain: str
    centre: str
    alone: str
    growing: tuple[str, ...]
    ablated: str
    labelled: str
    labelled_all: str
    first: str
    first_network: str


def differences(findings: Findings, rows: RowNames) -> pd.DataFrame:
    """Paired differences in C that the paper's claims are about, one row each."""
    most = rows.growing[-1]
    pairs = [
        (rows.mt, rows.nnet),
        (rows.mt, rows.network),
        (rows.mt_all, rows.network_all),
        (rows.mt_all, rows.nnet),
        ("pseudo-risk", rows.centre),
        (most, rows.alone),
        (most, rows.growing[0]),
        (most, rows.ablated),
        (rows.centre, rows.labelled),
        (rows.mt_all, rows.labelled_all),
        (rows.centre, rows.first),
        (rows.plain, rows.first_network),
    ]
    there = set(findings.summary["setting"])
    return pd.DataFrame(
        {"setting": f"{one} minus {other}", **findings.difference(one, other)._asdict()}
        for one, other in pairs
        if other in there
    )


def told(findings: Findings, rows: RowNames, differences: pd.DataFrame) -> str:
    """The paper's claims, each beside what the same folds and seeds say of it."""
    gain = differences.iloc[0]
    verdict = (
        "rules out" if gain.upper < 0.09 else "supports" if gain.lower >= 0.09 else "leaves open"
    )
    nnet, network, network_all, nnet_all, pseudo, labelled, fewest, ablated, *more = (
        f"{d['mean']:+.3f} ({d.lower:+.2f} to {d.upper:+.2f})" for _, d in differences.iterrows()
    )
    others = "".join(
        f" '{name}': {found}." for name, found in zip(differences["setting"][8:], more, strict=True)
    )
    runs = findings.runs.dropna(subset="teacher_test_c")
    teacher = (runs["teacher_test_c"] - runs["test_c"]).mean()
    brier = findings.difference(rows.mt, rows.network, "test_ibs")
    return (
        f"Cox-MT minus Cox-nnet, both chosen per fold: {nnet}, which {verdict} the "
        f"published gain of 0.09 to 0.18. Minus a supervised network of its own size that had the same "
        f"settings to choose from: {network} in C, {brier.mean:+.4f} "
        f"({brier.lower:+.3f} to {brier.upper:+.3f}) in integrated Brier score. Without early stopping, as "
        f"published: '{rows.mt_all}' minus '{rows.network_all}' {network_all}, "
        f"minus Cox-nnet {nnet_all}. Pseudo-risks minus the Mean Teacher of the same setting: {pseudo}. "
        f"Teacher minus student: {teacher:+.4f} on average. With few labels, '{rows.growing[-1]}' minus the "
        f"supervised network: {labelled}, minus itself with fewest unlabelled patients: "
        f"{fewest}, minus itself without the censored part: {ablated}.{others}"
    )
