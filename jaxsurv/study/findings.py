"""What a study of one hyper-parameter found: means, intervals, paired differences, pooled risks."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from jaxsurv.study.execute import ensemble_rows, pooled_risk
from jaxsurv.study.prepare import StudyData
from jaxsurv.study.report import interval
from jaxsurv.study.statistics import paired, summarise
from jaxsurv.training import SweepResult

SPLIT = ["repeat", "fold"]


@dataclass(frozen=True)
class Axis:
    """The hyper-parameter that a study varies.

    Attributes:
        name: its field in the hyper-parameters, and its column in the tables.
        symbol: short, for table headers and legends.
        label: for figure axes.
        reference: the value that all others are compared with.
    """

    name: str
    symbol: str
    label: str
    reference: float

    def setting(self, value: float) -> str:
        """``β = 0.1``."""
        return f"{self.symbol} = {value:g}"

    @property
    def chosen(self) -> str:
        """Name of the row whose value was chosen in each split by the early-stopping loss."""
        return f"{self.symbol} chosen per fold"


@dataclass(frozen=True)
class Findings:
    """The numbers of a study, before they are drawn and written.

    Attributes:
        runs: one tidy row per run, with the column ``setting``.
        arrays: of the sweep, in the order of ``runs``.
        summary: one row per setting, the chosen one, and each baseline.
        predictions: one pooled out-of-fold risk per tested patient and setting.
    """

    data: StudyData
    axis: Axis
    runs: pd.DataFrame
    arrays: SweepResult
    summary: pd.DataFrame
    predictions: pd.DataFrame

    @property
    def two_way(self) -> bool:
        """True if early stopping watched the test rows, so that scores are optimistic."""
        return self.data.design.protocol == "two-way"


def choose_per_split(runs: pd.DataFrame) -> pd.Series:
    """``[runs]`` booleans: the run's setting has the lowest early-stopping loss of its split.

    The loss is averaged over seeds first. Nothing of the split's test rows enters (three-way), so the
    score of the chosen runs is what a user who has to choose can expect.
    """
    loss = runs.groupby([*SPLIT, "setting"], sort=False)["validation_loss"].mean()
    best = set(loss.groupby(SPLIT).idxmin())
    keys = zip(*(runs[c] for c in (*SPLIT, "setting")), strict=True)
    return pd.Series([key in best for key in keys], index=runs.index)


def find(
    data: StudyData, axis: Axis, runs: pd.DataFrame, arrays: SweepResult, baselines: pd.DataFrame
) -> Findings:
    """Summarise the runs of a study beside its baselines."""
    runs = runs.assign(setting=runs[axis.name].map(axis.setting))
    chosen = runs[choose_per_split(runs)].assign(setting=axis.chosen)
    base = baselines.assign(setting=baselines["method"])
    together = pd.concat([runs, chosen, base], ignore_index=True)
    fraction = float(data.design.test.sum() / np.asarray(data.splits.masks.develop).sum())
    how = {"score": "test_c", "by": "setting", "split": SPLIT, "test_fraction": fraction}
    summary = summarise(together, **how)
    networks = pd.concat([runs, chosen])
    ensembles = ensemble_rows(data, networks, arrays.prediction[networks.index], "setting")
    by_setting = networks.groupby("setting")
    columns = {
        axis.name: runs.groupby("setting")[axis.name].first(),
        "ensemble_mean": ensembles.groupby("setting")["test_c"].mean(),
        "validation_loss": by_setting["validation_loss"].mean(),
        "untrained": by_setting["best_epoch"].apply(lambda epochs: np.mean(epochs == 0)),
    }
    for column, values in columns.items():
        summary[column] = summary["setting"].map(values)
    references = {"reference": axis.setting(axis.reference)}
    references |= {name.split()[0]: name for name in base["setting"].unique()}
    for short, reference in references.items():
        if reference in set(together["setting"]):
            difference = paired(together, reference, **how).set_index("setting")
            summary = summary.join(difference.add_prefix(f"{short}_"), on="setting")
    return Findings(data, axis, runs, arrays, summary, _pool(data, networks, arrays))


def _pool(data: StudyData, runs: pd.DataFrame, arrays: SweepResult) -> pd.DataFrame:
    outcome = pd.DataFrame(
        {
            "patient": data.cohort.survival.index,
            "time": np.asarray(data.shared.time),
            "event": np.asarray(data.shared.event).astype(int),
        }
    )
    tables = []
    for setting, group in runs.groupby("setting", sort=False):
        risk = pooled_risk(data, arrays.split[group.index], arrays.prediction[group.index])
        tables.append(outcome.assign(setting=setting, risk=risk).dropna(subset="risk"))
    return pd.concat(tables, ignore_index=True)


def shown(findings: Findings) -> pd.DataFrame:
    """The summary as strings, for people."""
    axis, s = findings.axis, findings.summary
    trained = s["validation_loss"].notna()
    columns = {
        "": s["setting"],
        "mean test C (95 %)": s.apply(interval, axis=1),
        "seed ensemble": s["ensemble_mean"].map("{:.3f}".format).where(trained, ""),
        "best run": s["best_run"].map("{:.3f}".format).where(trained, ""),
    }
    references = {
        "reference": axis.setting(axis.reference),
        "ridge": "ridge Cox",
        "clinical": "clinical Cox",
    }
    for short, reference in references.items():
        if f"{short}_mean" in s:
            difference = s.apply(interval, axis=1, prefix=f"{short}_", sign=True)
            p = s[f"{short}_p_value"].map(lambda v: "" if pd.isna(v) else f" p {v:.2g}")
            columns[f"minus {reference}"] = (difference + p).mask(s["setting"] == reference, "")
    return pd.DataFrame(columns)


def legend(findings: Findings) -> str:
    """What the columns of the table mean."""
    data, axis = findings.data, findings.axis
    splits = len(data.design.fold)
    optimistic = (
        "TWO-WAY PROTOCOL: early stopping watched the rows that are scored here, so every trained row is "
        "optimistic, and the comparison with the baselines unfair to them. "
        if findings.two_way
        else ""
    )
    return (
        f"{optimistic}Harrell's C on test rows, {splits} splits, {data.design.protocol} protocol; seeds "
        f"averaged within a split. '{axis.chosen}': the value with the lowest early-stopping loss in each "
        "split, which is what a user can do; the best of the rows above it is picked by test scores. "
        "Intervals and p: corrected resampled t (Nadeau-Bengio), which allows for overlapping training "
        "sets; differences are paired by split; p is not adjusted for the number of rows. The best run is "
        "shown because papers report it: it is the luckiest of many, not an estimate."
    )
