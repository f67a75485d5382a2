"""Figures of latent structure, each with its caption and a sentence for the report."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from jaxsurv.plots import Forest, score_forest
from jaxsurv.report.page import Picture
from jaxsurv.report.sentences import about, tested
from jaxsurv.report.tables import interval
from jaxsurv.study.findings import SPLIT, Findings

from .maps import LatentMap, latent_maps
from .structure import IN_USE, chance_correlation, embed, judged

MEASURES = {
    "first_component": "|Spearman(PC1 of μ, risk)|",
    "mean_dimension": "mean |Spearman(dimension of μ, risk)|",
}


def alignment_figure(
    findings: Findings, runs: pd.DataFrame, tables: dict[str, pd.DataFrame], setting: str
) -> tuple[Figure, Picture]:
    """Alignments of every run, by both measures, with means and intervals; and a sentence on ``setting``.

    Args:
        findings: findings of the study.
        runs: result of :func:`experiments.latent_structure.structure.alignment`.
        tables: measure to result of :func:`experiments.latent_structure.structure.contrast`.
        setting: setting that the sentence compares with the reference.
    """
    reference, chance = findings.comparison.reference, chance_correlation(findings.data)
    marks = ((chance,), f"unrelated numbers ({chance:.2f})")
    figure = score_forest(
        [Forest(runs, tables[name], name, label, *marks) for name, label in MEASURES.items()],
        highlight=reference,
        title=tested(findings),
    )
    told = []
    for name, label in MEASURES.items():
        table = tables[name].set_index("setting")
        told.append(
            f"{label} is {interval(table.loc[reference])} for '{reference}' and "
            f"{interval(table.loc[setting])} for '{setting}', paired difference "
            f"{interval(table.loc[setting], 'reference_', sign=True)}"
        )
    return figure, Picture(
        "alignment",
        "Rank correlation of the latent mean μ with the predicted log hazard (offset included): of its "
        "first principal component, and averaged over its dimensions. Every run, the mean over splits with "
        f"its 95 % interval; the dashed line is the mean of '{reference}', the dotted one what unrelated "
        f"numbers have on average. On {judged(findings.data)[1]}; runs that never improved on their initial "
        "network count.",
        "; ".join(told),
        finding="; ".join(told) + f" (on {judged(findings.data)[1]}).",
    )


def subtype_figure(
    findings: Findings, by_pair: pd.DataFrame, table: pd.DataFrame, reached: pd.DataFrame
) -> tuple[Figure, Picture]:
    """Agreement of subtypes between seeds.

    Args:
        findings: findings of the study.
        by_pair: result by pair of :func:`experiments.latent_structure.structure.subtypes`.
        table: result of :func:`experiments.latent_structure.structure.stability`.
        reached: result of :func:`experiments.latent_structure.structure.temperatures`.
    """
    marks = ((0.0, 1.0), "0: chance, 1: the same subtypes")
    figure = score_forest(
        [Forest(by_pair, table, "ari", "adjusted Rand index between seeds", *marks)],
        dots="pairs of seeds",
        title=tested(findings),
    )
    learned = table["largest_probability"].notna()
    hybrid, clusters = table[learned], table[~learned]
    told = (
        "Two seeds on the same split agree about the hybrid's subtypes (most probable category) with a mean "
        f"adjusted Rand index of {_range(hybrid['mean'])} over its settings; k-means on μ of "
        f"'{findings.comparison.reference}' with {_range(clusters['mean'])} (1: the same subtypes, 0: "
        f"chance). {_range(hybrid['categories_in_use'], '.1f')} categories hold more than {IN_USE:.0%} of "
        f"the patients on average, and the most probable one has {_range(hybrid['largest_probability'])} "
        f"of the probability. {_range(reached['improved'], '.0%')} of the hybrid runs got better than their "
        f"initial network, the median of them at epoch {_range(reached['kept_epoch'], '.0f')}; "
        f"{_range(reached['reached_end'], '.0%')} of these had reached the last temperature."
    )
    return figure, Picture(
        "subtypes",
        "Adjusted Rand index of the subtypes that two seeds give to the same patients on the same split: "
        "every pair, the mean over splits with its 95 % interval. Pairs in which both seeds put everybody "
        f"into one category are left out (subtypes.csv says how many). On {judged(findings.data)[1]}.",
        told,
        finding=told,
    )


def _range(values: pd.Series, form: str = ".2f") -> str:
    low, high = format(values.min(), form), format(values.max(), form)
    return low if low == high else f"{low} to {high}"


def latent_map_figure(findings: Findings, settings: Sequence[str]) -> tuple[Figure, Picture]:
    """t-SNE of mu of one run per setting, from the first split and seed with which all settings learned."""
    data, maps = findings.data, []
    rows = findings.runs[findings.runs["setting"].isin(settings)]
    epochs = rows.groupby([*SPLIT, "seed"])["best_epoch"].min()
    repeat, fold, seed = epochs.clip(upper=1).idxmax()  # first one if none has learned
    split = int(np.flatnonzero((data.splits.repeat == repeat) & (data.splits.fold == fold))[0])
    for t in findings.trained:
        for run in np.flatnonzero((t.arrays.split == split) & (t.arrays.seed == seed)):
            setting, risk = t.rows["setting"].iloc[run], t.arrays.prediction[run]
            if setting in settings:
                position = embed(t.arrays.collected["mu"][run])
                maps.append(LatentMap(setting, position, risk - risk.mean()))
    event = data.event
    figure = latent_maps(
        maps,
        data.splits.test[split],
        axis="t-SNE",
        label="predicted log hazard (mean 0)",
        title=f"{about(findings, len(event), int(event.sum()))}; split {split}, seed {seed}",
    )
    names = " and ".join(f"'{m.title}'" for m in maps)
    return figure, Picture(
        "latent_map",
        f"t-SNE of the latent mean μ of {names}: one run each, split {split} and seed {seed}, the first in "
        "which training improved both. Identical settings: perplexity 30, or a third of the patients if that "
        "is less; started from the principal components; one random state. A map shows neighbourhoods; "
        "distances between groups and their sizes mean nothing, and another seed gives another map.",
        "Patients as dots coloured by predicted risk, one panel per latent.",
    )
