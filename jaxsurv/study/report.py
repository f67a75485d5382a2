"""A study's results as a table on the terminal and as one self-contained HTML page."""

import base64
import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from rich.console import Console
from rich.table import Table


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


def interval(row: pd.Series, prefix: str = "", *, sign: bool = False) -> str:
    """``0.671 (0.63 to 0.71)`` from the columns mean, lower, upper."""
    mean, lower, upper = (row[f"{prefix}{part}"] for part in ("mean", "lower", "upper"))
    plus = "+" if sign else ""
    shown = "" if pd.isna(mean) else f"{mean:{plus}.3f}"
    return shown if pd.isna(lower) else f"{shown} ({lower:{plus}.2f} to {upper:{plus}.2f})"


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


def render(
    *,
    title: str,
    summary: Sequence[str],
    table: pd.DataFrame,
    table_note: str,
    pictures: Sequence[Picture],
    folder: Path,
    facts: Mapping[str, object],
) -> str:
    """The page: what was asked, the answer in sentences, the table, the figures, how it was computed.

    Args:
        title: of the page.
        summary: sentences, each a paragraph.
        table: strings.
        table_note: what the columns mean.
        pictures: figures in ``folder``, embedded, so that the page stands alone.
        folder: of the PNG files.
        facts: name and value, listed at the end.
    """

    def escape(x: object) -> str:
        return html.escape(str(x))

    head = "".join(f"<th scope='col'>{escape(c)}</th>" for c in table.columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(v)}</td>" for v in row) + "</tr>"
        for row in table.itertuples(index=False)
    )
    figures = []
    for picture in pictures:
        data = base64.b64encode((folder / f"{picture.name}.png").read_bytes()).decode()
        figures.append(
            f"<figure><img alt='{escape(picture.alternative)}' src='data:image/png;base64,{data}'>"
            f"<figcaption>{escape(picture.caption)}</figcaption></figure>"
        )
    flat = {k: v for k, v in facts.items() if not isinstance(v, Mapping)}
    for value in facts.values():
        flat |= value if isinstance(value, Mapping) else {}
    listed = "".join(
        f"<tr><td>{escape(k.replace('_', ' '))}</td><td>{escape(v)}</td></tr>"
        for k, v in flat.items()
    )
    paragraphs = "".join(f"<p>{escape(s)}</p>" for s in summary)
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width,initial-scale=1'>"
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>"
        f"{paragraphs}<h2>Results</h2><div class='wide'><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div><p class='note'>{escape(table_note)}</p>"
        f"<h2>Figures</h2>{''.join(figures)}"
        f"<h2>How it was computed</h2><div class='wide'><table><tbody>{listed}</tbody></table></div>"
        "</body></html>\n"
    )
