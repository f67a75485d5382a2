"""Run a study: train every method on the same splits and seeds, compare with baselines, report."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from importlib import import_module
from typing import Any

import jax
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from jaxsurv.artifacts import Chunks, ResultsFolder
from jaxsurv.cli.hosts import agree, devices
from jaxsurv.cli.terminal import progress
from jaxsurv.cli.workplace import Workplace
from jaxsurv.data.safe_text import literal
from jaxsurv.recipe import CrossFitted, Prepared, selection_table
from jaxsurv.report.answers import answers, model_name
from jaxsurv.report.page import Answer, Picture, Section, write_report
from jaxsurv.report.results import ERRORS, WEIGHTS, legend, shown, shown_errors, shown_weights
from jaxsurv.report.sentences import sentences
from jaxsurv.report.tables import print_table
from jaxsurv.study.execute import Method, baseline_rows, train
from jaxsurv.study.findings import Comparison, Findings, check_criteria, find
from jaxsurv.training import Plan, choose_plan
from jaxsurv.types import InputError

Draw = Callable[[Findings], Sequence[tuple[Figure, Picture]]]


def run_study(
    methods: Sequence[Method],
    baselines: Mapping[str, CrossFitted],
    comparison: Comparison,
    draw: Draw,
    *,
    title: str,
    seeds: int,
    workplace: Workplace,
    facts: dict[str, Any],
    keep: bool = False,
) -> Findings:
    """Train, compare and write everything into ``folder``; what is finished survives an interruption.

    Args:
        methods: models with their settings, data and training; all on the same splits.
        baselines: name to fitted Cox model on the same splits.
        comparison: settings, choices and stacks to compare.
        draw: findings to figures with captions.
        title: title of the report.
        seeds: number of runs per split and setting.
        workplace: destination of the results; runs that its folder has finished are not trained again.
        facts: options and circumstances for the manifest.
        keep: fit the headline to all patients as well, and write it to ``model.zip``.
    """
    check_criteria(comparison, methods)
    names = [name for m in methods for name in m.settings]
    if len(set(names)) < len(names):
        raise InputError(f"names of settings must differ over the methods of a study, got {names}")
    started = time.perf_counter()
    folder, console = workplace.folder, workplace.console
    data = methods[0].data
    n_splits = len(data.splits.fold)
    counts = [n_splits * seeds * len(m.settings) for m in methods]
    plans = [workplace.plan or choose_plan(n) for n in counts]
    facts = {**facts, "runs": sum(counts), **_circumstances(data, plans[0])}
    base = pd.concat(
        [baseline_rows(data, name, np.asarray(m.log_hazard)) for name, m in baselines.items()],
        ignore_index=True,
    )
    done, trained = [base], []
    agree(facts)
    folder.manifest(**facts, status="running")
    if data.fitted.chosen:
        folder.table("selection.csv", selection_table(data))
    try:
        with ThreadPoolExecutor(1) as other:
            for module in ("jaxsurv.report.figures", "jaxsurv.cli.keep"):  # slow to import
                other.submit(import_module, module)
            with progress(console) as bars:
                task = bars.add_task("training", total=sum(counts))

                def report(rows: pd.DataFrame) -> None:
                    done.append(rows)
                    folder.table("runs.csv", pd.concat(done, ignore_index=True))
                    bars.advance(task, len(rows))

                for i, (method, plan) in enumerate(zip(methods, plans, strict=True)):
                    bars.update(task, description=f"training {method.name}")
                    store = Chunks(folder, f"{i}-{method.name}")
                    trained.append(
                        train(method, seeds=range(seeds), plan=plan, report=report, store=store)
                    )
            with console.status("summarising, drawing, fitting the headline to all patients"):
                from jaxsurv.cli.keep import fit_headline, write_headline

                def fit(comparison: Comparison) -> Future:
                    return other.submit(fit_headline, trained, seeds, comparison)

                # beside what follows, on every host its part; or the findings say what the headline is
                soon = fit(comparison) if keep and comparison.headline is not None else None
                findings = find(data, comparison, trained, base, baselines)
                soon = fit(findings.comparison) if keep and soon is None else soon

                def kept() -> tuple[str, str]:
                    if soon is None:
                        return "", ""
                    return write_headline(findings, soon.result(), folder)

                from jaxsurv.report.figures import (
                    calibration_at_horizon,
                    decisions,
                    incidence_curves,
                )

                first, *others = draw(findings)
                judged = [*calibration_at_horizon(findings), *decisions(findings)]
                others += incidence_curves(findings)
                facts["wall_seconds"] = round(time.perf_counter() - started, 1)
                _publish(findings, [first, *judged, *others], kept, title, folder, facts)
    except BaseException as error:
        status = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
        finished = sum(map(len, done)) - len(base)
        folder.manifest(**facts, status=status, finished_runs=finished)
        runs = folder.path / "runs.csv"
        console.print(f"{status}: {finished} finished runs are in {runs}; --resume trains the rest")
        raise
    folder.manifest(**facts, status="complete")
    print_table(console, title, shown(findings), legend(findings))
    console.print(literal(f"report: {folder.path / 'report.html'}"))
    return findings


def _circumstances(data: Prepared, plan: Plan) -> dict[str, Any]:
    return {
        "cohort": data.cohort.title or data.cohort.name,
        "cohort_fingerprint": data.cohort.fingerprint(),
        "modalities_without_a_usable_feature": data.unused,
        "protocol": data.splits.protocol,
        "hosts": jax.process_count(),
        "device": devices(),
        "plan": f"{plan.devices} devices x {plan.length} in sequence x {plan.width} side by side",
    }


def _publish(
    findings: Findings,
    drawn: Sequence[tuple[Figure, Picture]],
    kept: Callable[[], tuple[str, str]],
    title: str,
    folder: ResultsFolder,
    facts: dict[str, Any],
) -> None:
    """Tables, figures and the report."""
    weights = shown_weights(findings)
    folder.table("summary.csv", findings.summary)
    if not findings.weights.empty:
        folder.table("weights.csv", findings.weights)
    folder.table("predictions.csv.gz", findings.predictions)

    def summary() -> list[str | Answer]:
        model, how = kept()
        found = [p.finding for _, p in drawn if p.finding]
        return [*answers(findings, model), *sentences(findings), *found, *([how] if how else [])]

    write_report(
        folder,
        f"{title}: {model_name(findings, title)}",
        summary,
        [
            Section("Results", shown(findings), legend(findings)),
            *([] if weights.empty else [Section("Weights of the stack", weights, WEIGHTS)]),
            Section("Prediction error", shown_errors(findings), ERRORS),
        ],
        drawn,
        facts,
    )
