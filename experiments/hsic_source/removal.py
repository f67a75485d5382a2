"""The cohort in the latent: how well a classifier finds it there, beside C within cohorts."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from jaxsurv.plots import Profile, score_profiles
from jaxsurv.report.page import Picture
from jaxsurv.report.tables import interval
from jaxsurv.study.execute import Trained
from jaxsurv.study.findings import SPLIT, Findings
from jaxsurv.study.statistics import paired, summarise

NONE, RESIDUALS, LATENT = "nothing", "residuals", "the latent"


class Setting(NamedTuple):
    """A network of the study.

    Attributes:
        measurements: measurements that it reads, as they are or harmonised.
        penalty: what HSIC is of: nothing, the martingale residuals or the latent means.
        weight: weight of HSIC.
    """

    measurements: str
    penalty: str
    weight: float


def name_of(setting: Setting) -> str:
    """Name of a setting in tables."""
    if setting.penalty == NONE:
        return f"{setting.measurements}, no HSIC"
    return f"{setting.measurements}, HSIC of {setting.penalty}, λ = {setting.weight:g}"


@threadpool_limits.wrap(limits=1)
def cohort_accuracy(trained: Trained, source: np.ndarray) -> np.ndarray:
    """Share of the test patients of each run whose cohort a linear classifier finds in mu.

    A multinomial logistic regression (scikit-learn's default penalty, z-scores) is fitted to mu of the
    development patients.

    Args:
        trained: runs that collected :func:`jaxsurv.models.latents`.
        source: ``[n]``, cohort of each patient.

    Returns:
        ``[runs]``.
    """
    splits, found = trained.method.data.splits, []
    for split, mu in zip(trained.arrays.split, trained.arrays.collected["mu"], strict=True):
        develop, test = splits.develop[split], splits.test[split]
        classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
        found.append(classifier.fit(mu[develop], source[develop]).score(mu[test], source[test]))
    return np.array(found)


def removal(
    findings: Findings, settings: Mapping[str, Setting], source: np.ndarray
) -> pd.DataFrame:
    """Accuracy of a classifier of the cohort, and C within cohorts, one row per setting.

    Args:
        findings: findings of the study.
        settings: the settings by their name.
        source: ``[n]``, cohort of each patient.

    Returns:
        columns ``measurements``, ``penalty``, ``weight``; ``accuracy_mean`` and ``c_mean``, with ``_lower``
        and ``_upper``; ``accuracy_minus_mean`` and ``c_minus_mean``, the paired difference from no HSIC with
        the same measurements; ``chance``, the accuracy of naming the largest cohort.
    """
    found = [cohort_accuracy(trained, source) for trained in findings.trained]
    runs = findings.runs.assign(accuracy=np.concatenate(found))
    how = {"by": "setting", "split": SPLIT, "test_fraction": findings.data.test_fraction}
    table = pd.DataFrame(settings.values(), pd.Index(settings, name="setting"))
    groups, columns = table.groupby("measurements", sort=False).groups.values(), []
    for name, score in (("accuracy", "accuracy"), ("c", "test_c")):
        less = [
            paired(runs[runs["setting"].isin(group)], group[0], score=score, **how)
            for group in groups
        ]
        whole = summarise(runs, score=score, **how)
        for prefix, found in ((name, whole), (f"{name}_minus", pd.concat(less))):
            limits = found.set_index("setting")[["mean", "lower", "upper"]]
            columns.append(limits.add_prefix(f"{prefix}_"))
    table = table.join(columns)
    test = findings.data.splits.test
    table["chance"] = np.mean([np.bincount(source[rows]).max() / rows.sum() for rows in test])
    return table.reset_index(drop=True)


def picture(table: pd.DataFrame, title: str) -> tuple[Figure, Picture]:
    """Accuracy and C along the weight, one panel for each penalty and kind of measurements.

    Args:
        table: see `removal`.
        title: title of the figure.
    """
    panels, told = [], []
    for (measured, penalty), rows in table.groupby(["measurements", "penalty"], sort=False):
        if penalty == NONE:
            none = rows
            continue
        rows = pd.concat([none, rows.sort_values("weight")])
        scores = {}
        for name, column in (("accuracy", "accuracy"), ("C within cohorts", "c")):
            ends = ["mean", "lower", "upper"]
            scores[name] = rows[[f"{column}_{end}" for end in ends]].set_axis(ends, axis=1)
        label = f"weight of HSIC of {penalty}\n{measured}"
        ticks, chance = [f"{w:g}" for w in rows["weight"]], rows["chance"].iloc[0]
        panels.append(Profile(label, ticks, scores, chance, "accuracy by chance"))
        least = rows.loc[rows["accuracy_mean"].idxmin()]
        told.append(
            f"HSIC of {penalty}, {measured}: the cohort is found in the latent of "
            f"{none['accuracy_mean'].iloc[0]:.0%} of the test patients without HSIC, of "
            f"{least['accuracy_mean']:.0%} at weight {least['weight']:g} (chance {chance:.0%}), where C "
            "within cohorts changes by " + interval(least, "c_minus_", sign=True, digits=3)
        )
    return score_profiles(panels, ylabel="accuracy, or Harrell's C", title=title), Picture(
        "removal",
        "Share of the test patients whose cohort a logistic regression finds in their latent means, and C "
        "within cohorts, with 95 % intervals.",
        f"{len(panels)} panels of accuracy and C against the weight of HSIC.",
        finding=". ".join(told) + ".",
    )
