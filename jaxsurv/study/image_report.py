"""What a study of image-on-image regression found: tables, sentences and figures."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from jaxsurv.plots import Profile, image_maps, score_profiles, training_curves
from jaxsurv.study.report import Picture, Section, interval
from jaxsurv.study.statistics import corrected_t

CONDITION = ["n", "snr", "private", "kernel"]


class Condition(NamedTuple):
    """One kind of simulated replicate, see :class:`jaxsurv.study.images.Replicate`."""

    n: int
    snr: float
    private: float
    kernel: str

    def __str__(self) -> str:
        return f"n = {self.n}, SNR {self.snr:g}, private share {self.private:g}, {self.kernel}"


def summarise_images(rows: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Per condition and method: mean over independent replicates, 95 % t interval, minus ``reference``.

    Args:
        rows: one per condition, method and replicate (``seed``).
        reference: the method that all others are compared with, on the same replicates.

    Returns:
        ``mean``, ``lower``, ``upper`` of the relative error, the same with ``difference_`` in front of
        its paired difference, and likewise for ``coverage``, ``width``, ``normal_coverage``.
    """
    tables = []
    for condition, group in rows.groupby(CONDITION, sort=False):
        errors = group.pivot(index="seed", columns="method", values="relative")
        for method, own in group.groupby("method", sort=False):
            row: dict[str, object] = dict(zip(CONDITION, condition, strict=True))
            row |= {"method": method, "replicates": len(own)}
            row |= corrected_t(own["relative"].to_numpy(), 0.0)._asdict()
            for name in ("coverage", "width", "normal_coverage", "normal_width"):
                row |= _prefixed(name, corrected_t(own[name].to_numpy(), 0.0))
            if method != reference:
                less = (errors[method] - errors[reference]).to_numpy()
                row |= _prefixed("difference", corrected_t(less, 0.0))
            tables.append(row)
    return pd.DataFrame(tables)


def _prefixed(name: str, estimate) -> dict[str, float]:
    return {f"{name}_{part}": value for part, value in estimate._asdict().items()}


def condition_of(row: Mapping) -> Condition:
    """Of a row of the summary."""
    return Condition(*(row[c] for c in CONDITION))


def sections(summary: pd.DataFrame) -> list[Section]:
    """One table per condition."""
    found = []
    for values, group in summary.groupby(CONDITION, sort=False):
        shown = pd.DataFrame(
            {"method": group["method"], "replicates": group["replicates"].astype(str)}
        )
        shown["relative error (95 %)"] = group.apply(interval, axis=1, digits=3)
        shown["minus InVA"] = group.apply(
            interval, axis=1, prefix="difference_", sign=True, digits=3
        )
        shown["coverage"] = group.apply(interval, axis=1, prefix="coverage_", digits=3)
        for label, name in (
            ("width", "width_mean"),
            ("normal coverage", "normal_coverage_mean"),
            ("normal width", "normal_width_mean"),
        ):
            shown[label] = group[name].map(lambda v: "" if pd.isna(v) else f"{v:.3f}")
        found.append(Section(str(Condition(*values)), shown, NOTE))
    return found


NOTE = (
    "Relative error: mean squared error per pixel of 100 test patients over the variance of their outcome "
    "around the training mean; 1 = no better than that mean. Means over independent replicates with "
    "t intervals; differences are paired by replicate. Coverage and width, in training standard deviations "
    "of the outcome, of nominal 95 % intervals: calibrated on the held-out fifth of the development "
    "rows (split conformal); normal: from posterior draws and the residual variance of training rows, "
    "for BART its posterior predictive distribution."
)


def told(summary: pd.DataFrame, reference: str, baselines: Sequence[str]) -> list[str]:
    """Where a baseline beats the reference and where it does not; coverage of its intervals."""
    own = summary[summary["method"] == reference]
    sentences = []
    for method in baselines:
        rows = summary[summary["method"] == method]
        better, worse = rows[rows["difference_upper"] < 0], rows[rows["difference_lower"] > 0]
        sentences.append(
            f"{method} has a smaller error than {reference} in {len(better)} of {len(rows)} conditions"
            f"{_listed(better)}, a larger one in {len(worse)}{_listed(worse)}; by intervals that exclude 0."
        )
    for label, name in (("Calibrated", "coverage"), ("Normal", "normal_coverage")):
        low, high = own[f"{name}_mean"].min(), own[f"{name}_mean"].max()
        sentences.append(
            f"{label} 95 % intervals of {reference} cover {low:.3f} to {high:.3f} over the conditions."
        )
    return sentences


def _listed(rows: pd.DataFrame) -> str:
    named = [str(condition_of(r)) for _, r in rows.iterrows()]
    return f" ({'; '.join(named)})" if named else ""


def along(
    summary: pd.DataFrame,
    base: Condition,
    methods: Sequence[str],
    prefix: str,
    line: tuple[float, str],
) -> list[Profile]:
    """One panel per axis of the conditions, all else as in ``base``."""
    labels = {"snr": "signal-to-noise ratio", "n": "patients", "private": "private share of variance",
              "kernel": "covariance of the images"}  # fmt: skip
    panels = []
    for name, label in labels.items():
        others = [c for c in CONDITION if c != name]
        rows = summary[(summary[others] == [getattr(base, c) for c in others]).all(axis=1)]
        values = sorted(rows[name].unique())
        if len(values) < 2:
            continue
        columns = [f"{prefix}{p}" for p in ("mean", "lower", "upper")]
        scores = {}
        for method in methods:
            own = rows[rows["method"] == method].set_index(name).reindex(values)
            scores[method] = own[columns].set_axis(["mean", "lower", "upper"], axis=1)
        ticks = [v if isinstance(v, str) else f"{v:g}" for v in values]
        panels.append(Profile(label, ticks, scores, *line))
    return panels


def figures(
    summary: pd.DataFrame,
    base: Condition,
    methods: Sequence[str],
    reference: str,
    maps: Mapping[str, np.ndarray],
    curves: Mapping[str, np.ndarray],
) -> list[tuple[Figure, Picture]]:
    """All figures of the report.

    Args:
        summary: of `summarise_images`.
        base: the condition that maps and curves are of, and through which all axes run.
        methods: all of them, trained ones first.
        reference: see `summarise_images`.
        maps: by method ``[3, h, w]``, see :class:`jaxsurv.study.images.Scores`.
        curves: by trained method ``[runs, epochs]``, the error of the early-stopping rows.
    """
    truth = next(iter(maps.values()))[0]
    shown = {m: x[1:] for m, x in maps.items()}
    caption = (
        "Outcome of one test patient, standardised, and what each method makes of it: prediction, its "
        "error on the same scale, half the width of its calibrated 95 % interval."
    )
    made = [
        (
            image_maps(truth, shown, title=f"first test patient of the first replicate, {base}"),
            Picture("maps", caption, f"One column per method: {', '.join(maps)}."),
        )
    ]
    others = [m for m in methods if m != reference]
    for name, prefix, drawn, line, label, caption in (
        ("error", "", methods, (1.0, "training mean"), "relative error", "Relative error"),
        (
            "difference", "difference_", others, (0.0, reference), f"relative error minus {reference}",
            f"Relative error minus that of {reference}, paired; below the line a method is better",
        ),
        ("coverage", "coverage_", methods, (0.95, "nominal"), "coverage", "Coverage of calibrated intervals"),
    ):  # fmt: skip
        if panels := along(summary, base, drawn, prefix, line):
            figure = score_profiles(panels, ylabel=label, title=f"base: {base}")
            caption = f"{caption}, with its 95 % interval; all but the axis as in the base."
            alternative = f"{len(panels)} panels, {len(drawn)} methods."
            made.append((figure, Picture(name, caption, alternative)))
    history = {"validation": np.concatenate(list(curves.values()))}
    names = np.repeat(list(curves), [len(c) for c in curves.values()])
    panels = [("validation", "squared error, held-out rows")]
    caption = (
        f"Error of the early-stopping rows against the epoch, mean over replicates ({base}). A stopped run "
        "keeps its last value; a line ends where fewer than half of its runs still train."
    )
    figure = training_curves(history, names, panels=panels, legend="method")
    made.append(
        (figure, Picture("training", caption, f"One line per method: {', '.join(curves)}."))
    )
    return made
