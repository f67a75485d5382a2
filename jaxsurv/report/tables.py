"""Results as tables of strings, on the terminal and in reports."""

import pandas as pd
from rich.console import Console
from rich.table import Table

from jaxsurv.data.safe_text import literal


def interval(row: pd.Series, prefix: str = "", *, sign: bool = False, digits: int = 2) -> str:
    """Format the columns mean, lower, upper as ``0.671 (0.63 to 0.71)``; limits have ``digits``."""
    mean, lower, upper = (row[f"{prefix}{part}"] for part in ("mean", "lower", "upper"))
    plus = "+" if sign else ""
    shown = "" if pd.isna(mean) else f"{mean:{plus}.3f}"
    limits = f" ({lower:{plus}.{digits}f} to {upper:{plus}.{digits}f})"
    return shown if pd.isna(lower) else shown + limits


def print_table(console: Console, title: str, frame: pd.DataFrame, note: str) -> None:
    """Print a table of strings."""
    table = Table(
        title=literal(title), title_justify="left", caption=literal(note), caption_justify="left"
    )
    for i, column in enumerate(frame.columns):
        table.add_column(literal(column), justify="right" if i else "left")
    for row in frame.itertuples(index=False, name=None):
        table.add_row(*map(literal, row))
    console.print(table)
