"""A study's results as a table on the terminal and as one self-contained HTML page."""

import base64
import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import jax
import pandas as pd
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from jaxsurv.artifacts import ResultsFolder


class Picture(NamedTuple):
    """A figure in the report.

    Attributes:
        name: file stem in ``figures/``.
        caption: below it.
        alternative: what it shows, for who cannot see it.
        finding: what it adds to the sentences at the top, if anything.
    """

    name: str
    caption: str
    alternative: str
    finding: str = ""


class Section(NamedTuple):
    """A table of strings under its own heading, with a note on what its columns mean."""

    heading: str
    table: pd.DataFrame
    note: str


def interval(row: pd.Series, prefix: str = "", *, sign: bool = False, digits: int = 2) -> str:
    """``0.671 (0.63 to 0.71)`` from the columns mean, lower, upper; ``digits`` of the limits."""
    mean, lower, upper = (row[f"{prefix}{part}"] for part in ("mean", "lower", "upper"))
    plus = "+" if sign else ""
    shown = "" if pd.isna(mean) else f"{mean:{plus}.3f}"
    return (
        shown
        if pd.isna(lower)
        else f"{shown} ({lower:{plus}.{digits}f} to {upper:{plus}.{digits}f})"
    )


def print_table(console: Console, title: str, frame: pd.DataFrame, note: str) -> None:
    """Print a table of strings."""
    table = Table(title=title, title_justify="left", caption=note, caption_justify="left")
    for column in frame.columns:
        table.add_column(column, justify="right" if column != frame.columns[0] else "left")
    for row in frame.itertuples(index=False):
        table.add_row(*row)
    console.print(table)


_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.9rem}
th,td{padding:.3rem .7rem;border-bottom:1px solid #ddd;text-align:right}
th:first-child,td:first-child{text-align:left}th{border-bottom:2px solid #444;vertical-align:bottom}
.wide{overflow-x:auto}.wide th,.wide td{white-space:nowrap}
figure{margin:1.5rem 0}img{max-width:100%;height:auto}
figcaption,.note{color:#444;font-size:.9rem}code{font-size:.85rem}h2{margin-top:2.2rem}
"""


def write_report(
    folder: ResultsFolder,
    title: str,
    summary: Sequence[str],
    sections: Sequence[Section],
    drawn: Sequence[tuple[Figure, Picture]],
    facts: Mapping[str, object],
) -> None:
    """Write the figures and report.html: what was asked, the answer in sentences, tables, figures, how.

    Args:
        folder: to write to.
        title: of the page.
        summary: sentences, each a paragraph.
        sections: tables.
        drawn: figures, embedded, so that the page stands alone.
        facts: name and value, listed at the end.
    """
    if jax.process_index() > 0:  # the first host writes
        return
    for figure, picture in drawn:
        folder.figure(picture.name, figure)
    pictures = [picture for _, picture in drawn]
    text = _page(title, summary, sections, pictures, folder.path / "figures", facts)
    folder.text("report.html", text)


def _page(
    title: str,
    summary: Sequence[str],
    sections: Sequence[Section],
    pictures: Sequence[Picture],
    folder: Path,
    facts: Mapping[str, object],
) -> str:
    """The page's text; ``folder`` holds the PNG files."""
    flat = {k: v for k, v in facts.items() if not isinstance(v, Mapping)}
    for value in facts.values():
        flat |= value if isinstance(value, Mapping) else {}
    listed = pd.DataFrame({"fact": [k.replace("_", " ") for k in flat], "": list(flat.values())})
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width,initial-scale=1'>"
        f"<title>{_escape(title)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{_escape(title)}</h1>"
        f"{''.join(f'<p>{_escape(s)}</p>' for s in summary)}"
        f"{''.join(_section(s) for s in sections)}"
        f"<h2>Figures</h2>{''.join(_figure(p, folder) for p in pictures)}"
        f"<h2>How it was computed</h2>{_table(listed, header=False)}"
        "</body></html>\n"
    )


def _escape(x: object) -> str:
    return html.escape(str(x))


def _section(section: Section) -> str:
    note = f"<p class='note'>{_escape(section.note)}</p>"
    return f"<h2>{_escape(section.heading)}</h2>{_table(section.table)}{note}"


def _table(frame: pd.DataFrame, *, header: bool = True) -> str:
    head = "".join(f"<th scope='col'>{_escape(c)}</th>" for c in frame.columns)
    rows = ("".join(f"<td>{_escape(v)}</td>" for v in row) for row in frame.itertuples(index=False))
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    top = f"<thead><tr>{head}</tr></thead>" if header else ""
    return f"<div class='wide'><table>{top}<tbody>{body}</tbody></table></div>"


def _figure(picture: Picture, folder: Path) -> str:
    data = base64.b64encode((folder / f"{picture.name}.png").read_bytes()).decode()
    return (
        f"<figure><img alt='{_escape(picture.alternative)}' src='data:image/png;base64,{data}'>"
        f"<figcaption>{_escape(picture.caption)}</figcaption></figure>"
    )
