"""Report of a study of image-on-image regression: tables, sentences and figures."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from jaxsurv.plots import Profile, score_profiles, training_curves
from jaxsurv.report.page import Picture, Section
from jaxsurv.report.tables import interval
from jaxsurv.study.statistics import over_replicates

from .images import HELD_OUT, TESTED
from .maps import image_maps


class ImageCondition(NamedTuple):
    """One kind of simulated replicate, see :class:`experiments.inva.images.Replicate`."""

    n: int
    snr: float
    private: float
    shift: int
    kernel: str

    def __str__(self) -> str:
        local = f", shift {self.shift}" if self.shift else ""
        return (
            f"n = {self.n}, SNR {self.snr:g}, private share {self.private:g}, {self.kernel}{local}"
        )


CONDITION = list(ImageCondition._fields)


def summarise_images(rows: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Mean over independent replicates, 95 % t interval, and paired difference from ``reference``.

    Args:
        rows: table with one row per condition, method and replicate (``seed``).
        reference: method that all others are compared with, on the same replicates.

    Returns:
        Table with one row per condition and method. Columns: ``replicates``, the number with a score;
        ``mean``, ``lower``, ``upper`` of the relative error; ``difference_mean``, ... of its paired
        difference; ``coverage_mean``, ... and so on for ``coverage``, ``width``, ``normal_coverage``,
        ``normal_width``; ``coverage_5`` and ``coverage_95``, quantiles over replicates.
    """
    summary = over_replicates(rows, reference, score="relative", within=CONDITION)
    key = [*CONDITION, "method"]
    groups = rows.groupby(key, sort=False)
    columns = {"replicates": groups["relative"].count()}
    columns |= {f"coverage_{q}": groups["coverage"].quantile(q / 100) for q in (5, 95)}
    summary = summary.join(pd.DataFrame(columns), on=key)
    for name in ("coverage", "width", "normal_coverage", "normal_width"):
        means = over_replicates(rows, reference, score=name, within=CONDITION).set_index(key)
        summary = summary.join(means[["mean", "lower", "upper"]].add_prefix(f"{name}_"), on=key)
    return summary


NOTE = (
    f"Relative error: mean squared error per pixel of {TESTED} test patients over the variance of their "
    "outcome around the training mean; 1 = no better than that mean, 1 / (1 + SNR) = as good as the "
    "truth without its noise. Means over independent replicates with t intervals; differences are paired "
    "by replicate and not adjusted for their number. Coverage and width, in training standard deviations "
    f"of the outcome, of nominal 95 % intervals: calibrated on every {HELD_OUT}th development row (split "
    "conformal), which also stops the training or chooses penalty and rank; normal: from the residual "
    "variance of training rows and posterior draws, which only methods with a shared encoder have. "
    "Networks have one setting, the published or our own default; ridge and tensor regression choose theirs."
)
BART_NOTE = (
    "On some pixels, drawn anew in each replicate, of the first replicates: all methods are scored on the "
    "same ones. BART is fitted to all development rows, the others to four fifths of them; its "
    "intervals (normal coverage, normal width) are those of its posterior predictive distribution."
)


def sections(
    summary: pd.DataFrame, reference: str, *, heading: str = "", note: str = NOTE
) -> list[Section]:
    """Sections of the report, one table per condition."""
    found = []
    for values, group in summary.groupby(CONDITION, sort=False):
        shown = pd.DataFrame(
            {"method": group["method"], "replicates": group["replicates"].astype(str)}
        )
        shown["relative error (95 %)"] = group.apply(interval, axis=1, digits=3)
        shown[f"minus {reference}"] = group.apply(
            interval, axis=1, prefix="difference_", sign=True, digits=3
        )
        shown["coverage"] = group.apply(interval, axis=1, prefix="coverage_", digits=3)
        for label, name in (
            ("width", "width_mean"),
            ("normal coverage", "normal_coverage_mean"),
            ("normal width", "normal_width_mean"),
        ):
            shown[label] = group[name].map(lambda v: "" if pd.isna(v) else f"{v:.3f}")
        found.append(Section(f"{ImageCondition(*values)}{heading}", shown, note))
    return found


def told(summary: pd.DataFrame, reference: str, baselines: Sequence[str]) -> list[str]:
    """Sentences: conditions in which a baseline beats the reference or not; coverage of intervals."""
    own = summary[summary["method"] == reference]
    sentences = []
    for method in baselines:
        rows = summary[summary["method"] == method]
        better, worse = rows[rows["difference_upper"] < 0], rows[rows["difference_lower"] > 0]
        sentences.append(
            f"{method} has a smaller error than {reference} in {len(better)} of {len(rows)} conditions"
            f"{_listed(better)}, a larger one in {len(worse)}{_listed(worse)}, by intervals that exclude 0."
        )
    low, high = own["coverage_mean"].min(), own["coverage_mean"].max()
    sentences.append(
        "Conditions share their simulated fields, so that these counts are no independent votes. "
        f"Calibrated 95 % intervals of {reference} cover {low:.3f} to {high:.3f} on average by "
        f"condition, in nine of ten single replicates {own['coverage_5'].min():.3f} to "
        f"{own['coverage_95'].max():.3f}. Its normal intervals cover "
        f"{own['normal_coverage_mean'].min():.3f} to {own['normal_coverage_mean'].max():.3f}."
    )
    return sentences


def _listed(rows: pd.DataFrame) -> str:
    named = [str(ImageCondition(*values)) for values in rows[CONDITION].to_numpy()]
    return f" ({'; '.join(named)})" if named else ""


def along(
    summary: pd.DataFrame,
    base: ImageCondition,
    methods: Sequence[str],
    prefix: str,
    line: tuple[float, str],
) -> list[Profile]:
    """Panels of a figure, one per axis of the conditions, with all else as in ``base``."""
    labels = {"snr": "signal-to-noise ratio", "n": "patients", "private": "private share of variance",
              "shift": "shift of the outcome, pixels", "kernel": "covariance of the images"}  # fmt: skip
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
    base: ImageCondition,
    methods: Sequence[str],
    reference: str,
    maps: Mapping[str, np.ndarray],
    curves: Mapping[str, np.ndarray],
) -> list[tuple[Figure, Picture]]:
    """All figures of the report.

    Args:
        summary: result of `summarise_images`.
        base: condition of maps and curves, through which all axes run.
        methods: names of all methods, trained ones first.
        reference: see `summarise_images`.
        maps: method to map ``[3, h, w]``, see :func:`experiments.inva.images.scores`.
        curves: trained method to validation errors ``[runs, epochs]``.
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
            Picture(
                "maps", caption, f"Images of one patient, a column per method: {', '.join(maps)}."
            ),
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
            alternative = f"{len(panels)} panels of {label}, one line each for {', '.join(drawn)}."
            made.append((figure, Picture(name, caption, alternative)))
    history = {"validation": np.concatenate(list(curves.values()))}
    names = np.repeat(list(curves), [len(c) for c in curves.values()])
    panels = [("validation", "squared error, held-out rows")]
    caption = (
        f"Error of the early-stopping rows against the epoch, mean over replicates ({base}). A stopped run "
        "keeps its last value; a line ends where fewer than half of its runs still train."
    )
    figure = training_curves(history, names, panels=panels, legend="method")
    alternative = f"Error against the epoch, one line per method: {', '.join(curves)}."
    made.append((figure, Picture("training", caption, alternative)))
    return made
