"""Conclusions of a study, in sentences."""

import numpy as np
import pandas as pd

from jaxsurv.recipe.stacking import NETWORK
from jaxsurv.report.results import weights_of
from jaxsurv.report.tables import interval
from jaxsurv.study.findings import SPLIT, Findings


def about(findings: Findings, patients: int, events: int) -> str:
    """Cohort, endpoint, and numbers of patients and events behind a figure."""
    data = findings.data
    return f"{data.cohort.name}, {data.endpoint}: {patients} patients, {events} events"


def tested(findings: Findings) -> str:
    """Cohort, endpoint, and numbers of patients and events over all test sets, as in `about`."""
    rows = findings.data.splits.test.any(axis=0)
    events = int(findings.data.event[rows].sum())
    return about(findings, int(rows.sum()), events)


def sentences(findings: Findings) -> list[str]:
    """Conclusions with intervals, one sentence each."""
    comparison = findings.comparison
    summary = findings.summary.set_index("setting")
    swept = findings.settings.set_index("setting")
    chosen, best = summary.loc[comparison.headline], swept.loc[swept["mean"].idxmax()]
    rows = findings.data.labelled
    event = findings.data.event[rows]
    told = [
        f"{about(findings, len(event), int(event.sum()))}; {len(findings.runs)} training runs.",
        f"The mean test C of '{comparison.headline}' is {interval(chosen)} (95 % interval).",
    ]
    for name in findings.baselines:
        if f"{(short := name.split()[0])}_mean" in summary:
            told.append(
                f"The {name} model on the same splits has {interval(summary.loc[name])}; the "
                f"paired difference is {interval(chosen, f'{short}_', sign=True)}: {_verdict(chosen, short)}."
                f"{_errors(chosen, short)}"
            )
    told += _of_the_stack(findings)
    told += _of_time(findings)
    told.append(
        f"The highest of the {len(swept)} means is {best['mean']:.3f} at {best.name}, picked by test scores "
        f"and so optimistic; single runs there go from {best['worst_run']:.3f} to {best['best_run']:.3f}, "
        "so any one of them says little."
    )
    if (share := float(np.mean(findings.runs["best_epoch"] == 0))) > 0.05:
        told.append(
            f"In {share:.0%} of the runs no epoch was better than the initial network: they predict what "
            "they started from."
        )
    if findings.two_way:
        told.append(
            "Two-way protocol: early stopping watched the rows that are scored, as many papers do. All C of "
            "trained networks here are optimistic."
        )
    return told


def _errors(row: pd.Series, short: str) -> str:
    """The difference of the integrated Brier scores, if it excludes 0."""
    lower, upper = row[f"ibs_{short}_lower"], row[f"ibs_{short}_upper"]
    if not lower * upper > 0:
        return ""
    found = interval(row, f"ibs_{short}_", sign=True, digits=3)
    return f" Its integrated Brier score is {'lower, better' if upper < 0 else 'higher, worse'}: {found}."


def _of_time(findings: Findings) -> list[str]:
    """Whether the clinical model violates proportional hazards, and what that does to curves."""
    held = findings.held_out
    if held is None or held.time_effect is None:
        return []
    effect, at = held.time_effect, f"{held.horizon:g} {findings.data.cohort.time_unit}".rstrip()
    ratios = f"hazard ratio per standard deviation {effect.early:.2f} up to {at} and {effect.late:.2f} after"
    p = f"p = {effect.p_value:.2g}"
    if effect.p_value >= 0.05:
        return [
            f"No change of the clinical model's effect with time is seen ({p}; {ratios}); few events show "
            "gross changes only."
        ]
    first, then = ("little", "much") if effect.early > effect.late else ("much", "little")
    return [
        f"The clinical model violates proportional hazards ({p}): {ratios}. Curves of Cox models keep one "
        f"ratio for all times, so that they tell patients apart too {first} early and too {then} later; the "
        "calibration is to be looked at for each horizon of interest."
    ]


def _of_the_stack(findings: Findings) -> list[str]:
    """Whether the headline's stack found anything, and whether its network adds something."""
    rows = weights_of(findings)
    if rows.empty:
        return []
    told, network = [], rows[rows["member"] == NETWORK]
    ratio = rows.drop_duplicates(SPLIT)["likelihood_ratio"]
    if (lost := int((ratio <= 1).sum())) > 0:
        whole = "Nothing was found: in" if lost > len(ratio) / 2 else "In"
        told.append(
            f"{whole} {lost} of {len(ratio)} splits held-out patients are no likelier under the stack than "
            "without any feature; its weights are next to 0 there."
        )
    zero = int((network["weight"] == 0).sum())
    if len(network) and zero == len(network):
        told.append(
            f"The network adds nothing here: its weight in the stack is 0 in all {zero} splits, and what is "
            "scored are the Cox models."
        )
    elif len(network):
        told.append(
            f"The weight of the network in the stack is {network['weight'].mean():.2f} in the mean, 0 in "
            f"{zero} of {len(network)} splits."
        )
    return told


def _verdict(row: pd.Series, short: str) -> str:
    lower, upper = row[f"{short}_lower"], row[f"{short}_upper"]
    if lower == upper == 0:
        return "they are the same"
    if not lower * upper > 0:
        return "the data do not tell them apart"
    return "it is better" if lower > 0 else "it is worse"
