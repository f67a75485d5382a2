"""The figures of a one-axis study, with captions, and what they say in sentences."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from jaxsurv.metrics import hazard_ratio
from jaxsurv.plots import risk_groups, score_against_setting, training_curves
from jaxsurv.study.report import Picture

if TYPE_CHECKING:
    from jaxsurv.study.axis import Findings

PANELS = (
    ("cox", "Cox loss, training rows"),
    ("validation", "Cox loss, early-stopping rows"),
    ("reconstruction", "reconstruction error"),
    ("kl", "KL divergence (nats)"),
)


def draw(findings: "Findings", title: str) -> tuple[dict[str, Figure], list[Picture], list[str]]:
    """Figures by name, their captions, and the sentences that the numbers support."""
    data, axis, summary = findings.data, findings.axis, findings.summary
    swept = summary[summary[axis.name].notna()]
    others = summary[summary[axis.name].isna()]
    n, events = len(data.shared.event), int(np.asarray(data.shared.event).sum())
    about = f"{data.cohort.name}, {data.endpoint}: {n} patients, {events} events"

    chosen = swept.loc[swept["validation_loss"].idxmin()]
    value = chosen[axis.name]
    pooled = findings.predictions[findings.predictions[axis.name] == value]
    risk, event, time = (pooled[c].to_numpy(float) for c in ("risk", "event", "time"))
    unit = data.cohort.time_unit or "unit of the cohort"
    hr = hazard_ratio(risk, event, time)
    p = float(hr.p_value)
    shown_p = f"p = {p:.2g}" if p >= 1e-4 else "p < 0.0001"
    statement = f"hazard ratio {float(hr.hazard_ratio):.2f} ({float(hr.lower):.2f} to {float(hr.upper):.2f})"
    figures = {
        f"c_against_{axis.name}": score_against_setting(
            findings.runs,
            swept,
            others,
            by=axis.name,
            score="test_c",
            xlabel=axis.label,
            ylabel="Harrell's C, test folds",
            title=about,
        ),
        "training": training_curves(
            findings.arrays.history,
            np.asarray(getattr(findings.arrays.hparams, axis.name)),
            panels=PANELS,
            legend=axis.symbol,
        ),
        "kaplan_meier": risk_groups(
            risk > np.median(risk),
            event,
            time,
            xlabel=f"time ({unit})",
            note=f"{statement}\nlog-rank {shown_p}",
            title=f"{about}; {axis.symbol} = {value:g}",
        ),
    }
    best = swept.loc[swept["mean"].idxmax()]
    pictures = [
        Picture(
            f"c_against_{axis.name}",
            f"Test C against {axis.label}: every run, the mean with its 95 % interval, and the baselines.",
            f"Mean C from {swept['mean'].min():.3f} to {swept['mean'].max():.3f}, "
            f"single runs from {swept['worst_run'].min():.3f} to {swept['best_run'].max():.3f}.",
        ),
        Picture(
            "kaplan_meier",
            f"Kaplan-Meier curves of the pooled out-of-fold risk, split at its median, for {axis.symbol} = "
            f"{value:g}, the value with the lowest early-stopping loss. {statement}, log-rank {shown_p}; "
            "descriptive, since the folds share patients.",
            f"Two survival curves; {statement}.",
        ),
        Picture(
            "training",
            "Loss terms against the epoch, mean over runs; a run that has stopped keeps its last value, and "
            "a line ends where half of its runs have stopped. Training terms are with dropout.",
            "Four panels of loss terms, one line per setting.",
        ),
    ]
    sentences = [
        f"{about}. {len(findings.runs)} training runs.",
        f"The highest mean test C is {best['mean']:.3f} at {axis.symbol} = {best[axis.name]:g} (95 % "
        f"interval {best['lower']:.3f} to {best['upper']:.3f}); the single runs there go from "
        f"{best['worst_run']:.3f} to {best['best_run']:.3f}, so any one of them says little.",
    ]
    for _, row in others.iterrows():
        sentences.append(
            f"{row['method']} on the same splits: {row['mean']:.3f} "
            f"({row['lower']:.3f} to {row['upper']:.3f})."
        )
    return figures, pictures, sentences
