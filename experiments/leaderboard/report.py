"""Tables, figure and page of a leaderboard."""

from typing import Any

import pandas as pd
from rich.console import Console

from jaxsurv.artifacts import ResultsFolder
from jaxsurv.data.safe_text import literal
from jaxsurv.report.page import Picture, Section, write_report
from jaxsurv.report.tables import print_table

from .board import OVER_TIME, Board
from .figures import leaderboard
from .judge import SCORES
from .models import Data

LABELS = {
    "c": "C",
    "c_td": "time-dependent C",
    "ibs": "IBS",
    "inbll": "INBLL",
    "c_within": "C within groups",
}
NOTE = (
    "C: Harrell's, of the predicted hazard up to the median event time of training, {horizon:g}. "
    "Time-dependent C: Antolini's. IBS, INBLL: Brier score and binomial log likelihood integrated from the "
    "first to the last time of the test part, weighted by its own censoring; lower is better. Intervals: "
    "95 % of {b} bootstrap samples of the patients. Each log hazard is multiplied by its calibration slope "
    "on the validation part, 0 if that is negative; 'over time': on top, each category of a clinical column "
    "has its own hazard ratio early and late, shrunk to 1 as much as the data ask for. Published rows are as "
    "published, and may define details otherwise."
)


def publish(
    board: Board,
    published: pd.DataFrame | None,
    data: Data,
    folder: ResultsFolder,
    facts: dict[str, Any],
    console: Console,
) -> None:
    """Write and print everything.

    Args:
        board: scores.
        published: scores of others, see `read_published`; None = there are none.
        data: patients and parts.
        folder, facts, console: results folder, facts for the manifest, and console to print to.
    """
    ours = board.test.assign(source="jaxsurv")
    parts = [ours] if published is None else [published.assign(source="published"), ours]
    names = [s for s in SCORES if s in board.test]
    columns = [f"{s}{end}" for s in names for end in ("", "_lower", "_upper")]
    table = pd.concat(parts, ignore_index=True).reindex(columns=["model", "source", *columns])
    folder.table("leaderboard.csv", table)
    folder.table("validation.csv", board.validation)
    title = f"Leaderboard of {data.cohort.title or data.cohort.name}, {data.endpoint}"
    scores = {name: LABELS[name] for name in names}
    picture = Picture(
        "leaderboard",
        "Scores on the test part with 95 % intervals; dashed: the model that the validation part chose.",
        f"Forest plot of {len(table)} models and {len(names)} scores.",
    )
    note = NOTE.format(horizon=board.horizon, b=facts["options"]["samples"])
    shown = _shown(table, scores)
    figure = leaderboard(table, scores, headline=board.headline)
    write_report(
        folder,
        title,
        _sentences(board, table, names),
        [
            Section("Test part", shown, note),
            Section(
                "Validation part",
                _shown(board.validation, scores),
                "Models and curves fitted to the training part alone. The highest C chose the headline.",
            ),
        ],
        [(figure, picture)],
        facts,
    )
    folder.manifest(**facts, status="complete")
    print_table(console, title, shown, note)
    console.print(literal(f"report: {folder.path / 'report.html'}"))


def _shown(table: pd.DataFrame, scores: dict[str, str]) -> pd.DataFrame:
    """The table as strings."""
    shown = pd.DataFrame({c: table[c] for c in ("model", "source") if c in table})
    for name, label in scores.items():
        cells = table[[name, f"{name}_lower", f"{name}_upper"]].to_numpy(float)
        shown[label] = [
            "" if v != v else f"{v:.3f}" + ("" if low != low else f" ({low:.3f} to {up:.3f})")
            for v, low, up in cells
        ]
    return shown


def _sentences(board: Board, table: pd.DataFrame, names: list[str]) -> list[str]:
    own = board.test.set_index("model").loc[board.headline]
    told = [
        f"The validation part chose '{board.headline}'. On the test part: "
        + ", ".join(
            f"{LABELS[s]} {own[s]:.3f} ({own[f'{s}_lower']:.3f} to {own[f'{s}_upper']:.3f})"
            for s in names
        )
        + "."
    ]
    others = table[table["source"] == "published"]
    for name in names:
        if name not in others or others[name].isna().all():
            continue
        lower = name in ("ibs", "inbll")
        best = others.loc[others[name].idxmin() if lower else others[name].idxmax()]
        rounded = round(own[name], 3)  # as published values are
        better = rounded <= best[name] if lower else rounded >= best[name]
        told.append(
            f"{LABELS[name]}: best published {best[name]:.3f} ({best['model']}); the headline's "
            f"{own[name]:.3f} {'reaches' if better else 'misses'} it."
        )
    if board.headline.endswith(OVER_TIME):
        prior = ", ".join(f"{c} {m:.0f}" for c, m in board.prior.items())
        told.append(f"Events that the prior on the hazard ratios over time is worth: {prior}.")
    return told
