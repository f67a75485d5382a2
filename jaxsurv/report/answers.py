"""Five answers that stand at the top of a study's report."""

import numpy as np

from jaxsurv.report.page import Answer
from jaxsurv.report.tables import interval
from jaxsurv.study.findings import Findings
from jaxsurv.study.held_out import CLINICAL_COX, PooledProbabilities, lowest_and_highest
from jaxsurv.study.statistics import Estimate

RIVALS = (CLINICAL_COX, "block ridge Cox", "ridge Cox")


def model_name(findings: Findings, after: str = "") -> str:
    """The headline by the name of its model: ``MO-RiskVAE, β chosen per fold, stacked with Cox models``.

    Args:
        findings: results of the study.
        after: text that it follows; the model that is named there is not named again.
    """
    comparison, headline = findings.comparison, str(findings.comparison.headline)
    stacked = headline in comparison.stacked
    row = comparison.stacked[headline][0] if stacked else headline
    method = str(findings.summary.set_index("setting").loc[row, "method"])
    name = row if method in row or method in after else f"{method}, {row}"
    return f"{name}, stacked with Cox models" if stacked else name


def answers(findings: Findings, kept: str = "") -> list[Answer]:
    """Answers to what a reader asks first: signal, baselines, the model that is kept, calibration, use.

    Args:
        findings: results of the study.
        kept: name and place of the model that is kept; empty = none is.
    """
    held, unit = findings.held_out, findings.data.cohort.time_unit or "units of time"
    at = "" if held is None else f"{held.horizon:g} {unit}"
    curves = "The networks have curves of their own; see the Brier scores."
    return [
        Answer("Is there signal?", _signal(findings)),
        Answer("Is it better than simple models?", _rivals(findings)),
        Answer("Which model is kept?", kept or "None: this study keeps no model."),
        Answer("Is it calibrated?", curves if held is None else _calibrated(held, at)),
        Answer("Whom would it help?", curves if held is None else _useful(held, at)),
    ]


def _signal(findings: Findings) -> str:
    row = findings.summary.set_index("setting").loc[findings.comparison.headline]
    verdict = "Yes" if row["lower"] > 0.5 else "Not shown"
    verdict = "One split has no interval" if np.isnan(row["lower"]) else verdict
    two_way = ", optimistic since these rows stopped the training" * findings.two_way
    text = f"{verdict}: held-out C of {model_name(findings)} is {interval(row)}{two_way}; 0.5 is chance."
    if (held := findings.held_out) is None:
        return text
    return (
        f"{text} Integrated Brier score {row['ibs_mean']:.3f}; one curve for everybody has "
        f"{held.no_features_ibs:.3f}, difference {_difference(held.no_features)}."
    )


def _rivals(findings: Findings) -> str:
    headline = str(findings.comparison.headline)
    there = [name for name in RIVALS if name in findings.baselines and name != headline][:2]
    told = []
    for name in there:
        c = findings.difference(headline, name)
        error = findings.difference(headline, name, "test_ibs")
        told.append(
            f"{name}: C {_difference(c)}, Brier {_difference(error)}; {_verdict_of(c, error)}"
        )
    return f"Minus {'. Minus '.join(told)}." if told else "There is no baseline to compare with."


def _difference(estimate: Estimate) -> str:
    mean, lower, upper, _ = estimate
    return f"{mean:+.3f}" if np.isnan(lower) else f"{mean:+.3f} ({lower:+.3f} to {upper:+.3f})"


def _verdict_of(c: Estimate, error: Estimate) -> str:
    """In words what two intervals say: C is better above 0, the Brier score below."""
    if c.lower == c.upper == error.lower == error.upper == 0:
        return "they are the same"
    gains = {"order": (c.lower, c.upper), "probabilities": (-error.upper, -error.lower)}
    better = [name for name, (lower, _) in gains.items() if lower > 0]
    worse = [name for name, (_, upper) in gains.items() if upper < 0]
    told = [f"better {' and '.join(better)}"] * bool(better)
    told += [f"worse {' and '.join(worse)}"] * bool(worse)
    return ", ".join(told) or "the data do not tell them apart"


def _calibrated(held: PooledProbabilities, at: str) -> str:
    if held.calibration is None:
        return f"Cannot be judged at {at}: too few patients, or predictions that hardly differ."
    line, (observed, lower, upper) = held.calibration.line, held.calibration.observed
    slope, least, most = held.calibration.slope
    level = lower <= line.expected <= upper
    spread = least <= 1 <= most
    verdict = "No fault seen" if level and spread else "No"
    if level and least <= 0 < 1 <= most:
        verdict = "Cannot be told: the slope may be 1 as well as 0"
    faults = [] if level else ["risks too low" if line.expected < lower else "risks too high"]
    faults += [] if spread else ["risks too extreme" if slope < 1 else "risks too much alike"]
    return (
        f"{verdict}{': ' * bool(faults)}{', '.join(faults)}. By {at}, {_share(observed, lower, upper)} of "
        f"held-out patients have the event, {line.expected:.0%} are predicted (O/E {line.ratio:.2f}); "
        f"calibration slope {slope:.2f} ({least:.2f} to {most:.2f}), 1 is right."
    )


def _useful(held: PooledProbabilities, at: str) -> str:
    told = []
    if held.calibration is not None:
        low, high = lowest_and_highest(held.calibration)
        told.append(
            f"By {at}, {_share(*high)} of the fifth with the highest risk have the event, {_share(*low)} of "
            "the fifth with the lowest."
        )
    if held.benefit:
        name, *others = held.benefit
        first = held.benefit[name]
        middle = len(first.thresholds) // 2
        gains = {"treating everybody or nobody": (first.net_benefit, first.lower, first.upper)}
        gains |= {other: first.minus(held.benefit[other]) for other in others}
        listed = "; ".join(
            f"{gain[middle]:+.3f} ({lower[middle]:+.3f} to {upper[middle]:+.3f}) against {what}"
            for what, (gain, lower, upper) in gains.items()
        )
        told.append(
            f"Net benefit of acting at a risk of {first.thresholds[middle]:.0%}, which is that of all "
            f"patients, in true positives per patient: {listed}."
        )
    return " ".join(told) or f"Cannot be judged at {at}: too few patients are followed so far."


def _share(observed: float, lower: float, upper: float) -> str:
    """A share with its limits; without an event there are none."""
    return f"{observed:.0%}" if lower == upper else f"{observed:.0%} ({lower:.0%} to {upper:.0%})"
