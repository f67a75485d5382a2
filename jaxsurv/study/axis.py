"""A study of one hyper-parameter: train every seed x split x value, compare with baselines, report."""

import time
from typing import Any

import jax
import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from jaxsurv.artifacts import ResultsFolder
from jaxsurv.study.baselines import RidgeCox
from jaxsurv.study.execute import Method, baseline_rows, train
from jaxsurv.study.figures import draw
from jaxsurv.study.findings import Axis, Findings, find, legend, shown
from jaxsurv.study.prepare import StudyData
from jaxsurv.study.report import print_table, render
from jaxsurv.training import FitConfig, Plan, choose_plan

_BAR = (TextColumn("training"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())


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
    """
    started = time.perf_counter()
    n_runs = len(data.design.fold) * seeds * len(method.hparams)
    plan = choose_plan(n_runs)
    facts = {**facts, "runs": n_runs, **_circumstances(data, plan)}
    base = pd.concat(
        [baseline_rows(data, name, np.asarray(m.log_hazard)) for name, m in baselines.items()],
        ignore_index=True,
    )
    done = [base]
    folder.manifest(**facts, status="running")
    try:
        with Progress(*_BAR, console=console, transient=True) as progress:
            task = progress.add_task("", total=n_runs)

            def report(rows: pd.DataFrame) -> None:
                done.append(rows)
                folder.table("runs.csv", pd.concat(done, ignore_index=True))
                progress.advance(task, len(rows))

            runs, arrays = train(
                data, method, seeds=range(seeds), config=config, plan=plan, report=report
            )
        findings = find(data, axis, runs, arrays, base)
        facts["wall_seconds"] = round(time.perf_counter() - started, 1)
        _publish(findings, title, folder, facts)
    except BaseException as error:
        status = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
        finished = sum(map(len, done)) - len(base)
        folder.manifest(**facts, status=status, finished_runs=finished)
        console.print(f"{status}: {finished} finished runs are in {folder.path / 'runs.csv'}")
        raise
    folder.manifest(**facts, status="complete")
    print_table(console, title, shown(findings), legend(findings))
    return findings


def _circumstances(data: StudyData, plan: Plan) -> dict[str, Any]:
    device = jax.devices()[0]
    return {
        "cohort": data.cohort.title or data.cohort.name,
        "cohort_fingerprint": data.cohort.fingerprint(),
        "modalities_without_a_usable_feature": data.unused,
        "protocol": data.design.protocol,
        "device": f"{jax.device_count()} x {device.device_kind}",
        "plan": f"{plan.devices} devices x {plan.length} in sequence x {plan.width} side by side",
    }


def _publish(findings: Findings, title: str, folder: ResultsFolder, facts: dict[str, Any]) -> None:
    """Tables, figures and the report."""
    folder.table("summary.csv", findings.summary)
    folder.table("predictions.csv.gz", findings.predictions)
    figures, pictures, sentences = draw(findings)
    for name, figure in figures.items():
        folder.figure(name, figure)
    page = render(
        title=title,
        summary=sentences,
        table=shown(findings),
        table_note=legend(findings),
        pictures=pictures,
        folder=folder.path / "figures",
        facts=facts,
    )
    folder.text("report.html", page)
