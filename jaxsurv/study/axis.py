"""A study of one hyper-parameter: train every seed x split x value, compare with baselines, report."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from jaxsurv.artifacts import ResultsFolder
from jaxsurv.study.baselines import RidgeCox
from jaxsurv.study.execute import Method, baseline_rows, ensemble_rows, pooled_risk, train
from jaxsurv.study.figures import draw
from jaxsurv.study.prepare import StudyData
from jaxsurv.study.report import interval, print_table, render
from jaxsurv.study.statistics import paired, summarise
from jaxsurv.training import FitConfig, SweepResult, choose_plan

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


@dataclass(frozen=True)
class Findings:
    """What a study found, before it is drawn and written."""

    data: StudyData
    axis: Axis
    runs: pd.DataFrame
    arrays: SweepResult
    baselines: pd.DataFrame
    summary: pd.DataFrame
    predictions: pd.DataFrame


def summarise_axis(
    data: StudyData, axis: Axis, runs: pd.DataFrame, arrays: SweepResult, baselines: pd.DataFrame
) -> Findings:
    """Means, intervals and paired differences of the test C per value of the axis and baseline."""
    develop = np.asarray(data.splits.masks.develop).sum()
    fraction = float(data.design.test.sum() / develop)
    label = runs[axis.name].map(lambda v: f"{axis.symbol} = {v:g}")
    together = pd.concat([runs.assign(method=label), baselines], ignore_index=True)
    how = {"score": "test_c", "by": "method", "split": SPLIT, "test_fraction": fraction}
    summary = summarise(together, **how)
    ensembles = ensemble_rows(data, runs.assign(method=label), arrays.prediction, "method")
    by_method = {
        axis.name: runs.groupby(label)[axis.name].first(),
        "ensemble_mean": ensembles.groupby("method")["test_c"].mean(),
        "validation_loss": runs.groupby(label)["validation_loss"].mean(),
    }
    for column, values in by_method.items():
        summary[column] = summary["method"].map(values)
    references = {"reference": f"{axis.symbol} = {axis.reference:g}"}
    references |= {name.split()[0]: name for name in baselines["method"].unique()}
    for short, reference in references.items():
        if reference in set(together["method"]):
            difference = paired(together, reference, **how).set_index("method")
            summary = summary.join(difference.add_prefix(f"{short}_"), on="method")
    return Findings(data, axis, runs, arrays, baselines, summary, _pool(data, axis, runs, arrays))


def _pool(data: StudyData, axis: Axis, runs: pd.DataFrame, arrays: SweepResult) -> pd.DataFrame:
    tables = []
    for value, group in runs.groupby(axis.name, sort=False):
        risk = pooled_risk(data, arrays.split[group.index], arrays.prediction[group.index])
        tables.append(
            pd.DataFrame(
                {
                    axis.name: value,
                    "patient": data.cohort.survival.index,
                    "time": np.asarray(data.shared.time),
                    "event": np.asarray(data.shared.event).astype(int),
                    "risk": risk,
                }
            ).dropna(subset="risk")
        )
    return pd.concat(tables, ignore_index=True)


def shown(findings: Findings) -> pd.DataFrame:
    """The summary as strings, for people."""
    axis, s = findings.axis, findings.summary
    columns = {
        "method": s["method"],
        "runs": s["runs"].astype(str),
        "mean test C (95 %)": s.apply(interval, axis=1),
        "seed ensemble": s["ensemble_mean"].map(lambda v: "" if pd.isna(v) else f"{v:.3f}"),
        "best run": s["best_run"].map("{:.3f}".format),
    }
    headers = {
        "reference": (
            f"{axis.symbol} = {axis.reference:g}",
            f"minus {axis.symbol} = {axis.reference:g}",
        ),
        "ridge": ("ridge Cox", "minus ridge Cox"),
    }
    for short, (reference, header) in headers.items():
        if f"{short}_mean" in s:
            itself = s["method"] == reference
            difference = s.apply(interval, axis=1, prefix=f"{short}_", sign=True)
            columns[f"{header} (95 %)"] = difference.mask(itself, "")
            p = s[f"{short}_p_value"].map("{:.2g}".format)
            columns[f"p{' ' * len(columns)}"] = p.mask(itself | s[f"{short}_p_value"].isna(), "")
    return pd.DataFrame(columns)


def run_axis_study(
    data: StudyData,
    axis: Axis,
    method: Method,
    baselines: dict[str, RidgeCox],
    *,
    title: str,
    seeds: int,
    config: FitConfig,
    folder: ResultsFolder,
    facts: dict[str, Any],
    console: Console,
    note: Sequence[str] = (),
) -> Findings:
    """Train, compare and write everything into ``folder``; what is finished survives an interruption.

    Args:
        data: the cohort with its splits.
        axis: what varies over ``method.hparams``.
        method: the model and its settings.
        baselines: name to fitted ridge Cox model on the same splits.
        title: of the report.
        seeds: runs per split and setting.
        config: of each run.
        folder: taken and written.
        facts: options and circumstances for the manifest.
        console: for progress and table.
        note: sentences for the report.
    """
    started = time.perf_counter()
    n_runs = len(data.design.fold) * seeds * len(method.hparams)
    plan = choose_plan(n_runs)
    device = jax.devices()[0]
    facts = {
        **facts,
        "protocol": data.design.protocol,
        "device": f"{jax.device_count()} x {device.device_kind}",
        "plan": f"{plan.devices} devices x {plan.length} in sequence x {plan.width} side by side",
        "runs": n_runs,
        "cohort_fingerprint": data.cohort.fingerprint(),
    }
    base = pd.concat(
        [baseline_rows(data, name, np.asarray(m.log_hazard)) for name, m in baselines.items()],
        ignore_index=True,
    )
    folder.manifest(**facts, status="running")
    done: list[pd.DataFrame] = [base]
    columns = (TextColumn("training"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("", total=n_runs)

            def report(rows: pd.DataFrame) -> None:
                done.append(rows)
                folder.table("runs.csv", pd.concat(done, ignore_index=True))
                progress.advance(task, len(rows))

            runs, arrays = train(
                data, method, seeds=range(seeds), config=config, plan=plan, report=report
            )
    except KeyboardInterrupt:
        finished = sum(map(len, done)) - len(base)
        folder.manifest(**facts, status="interrupted", finished_runs=finished)
        console.print(f"interrupted: {finished} of {n_runs} runs are in {folder.path / 'runs.csv'}")
        raise
    findings = summarise_axis(data, axis, runs, arrays, base)
    folder.table("summary.csv", findings.summary)
    folder.table("predictions.csv.gz", findings.predictions)
    figures, pictures, sentences = draw(findings, title)
    for name, figure in figures.items():
        folder.figure(name, figure)
    facts["wall_seconds"] = round(time.perf_counter() - started, 1)
    table, note_below = shown(findings), _legend(findings)
    page = render(
        title=title,
        summary=[*note, *sentences],
        table=table,
        table_note=note_below,
        pictures=pictures,
        folder=folder.path / "figures",
        facts=facts,
    )
    folder.text("report.html", page)
    folder.manifest(**facts, status="complete")
    print_table(console, title, table, note_below)
    return findings


def _legend(findings: Findings) -> str:
    data = findings.data
    splits = len(data.design.fold)
    return (
        f"Harrell's C on test rows, {splits} splits, {data.design.protocol} protocol; seeds averaged "
        "within a split. Intervals and p: corrected resampled t (Nadeau-Bengio), which allows for "
        "overlapping training sets; differences are paired by split. The best run is shown because "
        "papers report it: it is the luckiest of many, not an estimate."
    )
