"""One self-contained HTML page of sentences, tables and figures."""

import base64
import html
import re
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from textwrap import fill
from typing import NamedTuple

import jax
import pandas as pd
from matplotlib.figure import Figure

from jaxsurv.artifacts import ResultsFolder
from jaxsurv.data.safe_text import printable
from jaxsurv.types import InputError


class Picture(NamedTuple):
    """A figure in the report.

    Attributes:
        name: file stem in ``figures/``.
        caption: caption below the figure.
        alternative: alternative text for readers who cannot see the figure.
        finding: sentence for the top of the report; may be empty.
        caveat: sentence that is written below the figure itself as well, so that it goes where the figure
            goes; may be empty.
    """

    name: str
    caption: str
    alternative: str
    finding: str = ""
    caveat: str = ""


class Answer(NamedTuple):
    """A question that every reader has, and the answer."""

    question: str
    text: str


class Section(NamedTuple):
    """A table of strings under its own heading, with a note on what its columns mean."""

    heading: str
    table: pd.DataFrame
    note: str


def write_report(
    folder: ResultsFolder,
    title: str,
    summary: Sequence[str | Answer] | Callable[[], Sequence[str | Answer]],
    sections: Sequence[Section],
    drawn: Sequence[tuple[Figure, Picture]],
    facts: Mapping[str, object],
) -> None:
    """Write the figures and report.html: title, summary in sentences, tables, figures, facts.

    Args:
        folder: folder to write to.
        title: title of the page.
        summary: sentences, each a paragraph, or a function that gives them once the figures are written. If
            there are answers among them, these come first, with the first figure, and the sentences after.
        sections: tables.
        drawn: figures, embedded, so that the page needs no other file.
        facts: facts by name, listed at the end.

    Raises:
        InputError: a figure without alternative text.
    """
    for _, picture in drawn:
        if not picture.alternative.strip():
            raise InputError(
                f"figure '{picture.name}' has no alternative text: say in Picture.alternative what it shows"
            )
    if jax.process_index() > 0:  # only the first host writes
        return
    for figure, picture in drawn:
        if picture.caveat:
            _write_below(figure, picture.caveat)
        folder.figure(picture.name, figure)
    pictures = [picture for _, picture in drawn]
    told = summary() if callable(summary) else summary
    text = _page(title, told, sections, pictures, folder.path / "figures", facts)
    folder.text("report.html", text)


def _write_below(figure: Figure, caveat: str) -> None:
    """A line below all that is drawn; the figure grows as it is saved."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for legend in figure.legends:  # or it moves to the new lower edge
        legend.set_bbox_to_anchor((0, 0, 1, 1), transform=figure.transFigure)
    lowest = figure.get_tightbbox().y0 / figure.get_figheight()
    told = fill(caveat, int(19 * figure.get_figwidth()))
    figure.text(0.01, lowest - 0.02, told, va="top", fontsize=7, color="#444444")


def _page(
    title: str,
    summary: Sequence[str | Answer],
    sections: Sequence[Section],
    pictures: Sequence[Picture],
    folder: Path,
    facts: Mapping[str, object],
) -> str:
    """HTML text of the page; ``folder`` holds the PNG files."""
    flat = {k: v for k, v in facts.items() if not isinstance(v, Mapping)}
    for value in facts.values():
        flat |= value if isinstance(value, Mapping) else {}
    answers = [s for s in summary if isinstance(s, Answer)]
    told = "".join(f"<p>{_escape(s)}</p>" for s in summary if isinstance(s, str))
    parts = [(s.heading, _section(s)) for s in sections]
    top = told
    if answers:
        first, *pictures = pictures
        top = _answers(answers) + _figure(first, folder)
        parts.insert(0, ("In detail", told))
    if pictures:
        parts.append(("Figures", "".join(_figure(p, folder) for p in pictures)))
    parts.append(("How it was computed", _facts(flat)))
    style, script = (
        (resources.files("jaxsurv.report") / f"page.{kind}").read_text("utf-8")
        for kind in ("css", "js")
    )
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width,initial-scale=1'>"
        f"<meta http-equiv='Content-Security-Policy' content=\"{_ALONE}\">"
        f"<title>{_escape(title)}</title><style>\n{style}</style></head><body>\n"
        f"<h1>{_escape(title)}</h1>\n"
        f"{top}\n"
        f"{_contents([heading for heading, _ in parts])}"
        f"{''.join(_part(i, *part) for i, part in enumerate(parts, 1))}"
        f"<script>\n{script}</script></body></html>\n"
    )


# With it, a browser refuses everything that is not in the page itself.
_ALONE = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
_MANY = 4  # headings; a page with more has a table of contents
_TALL = 30  # rows; a table with more scrolls in a box of its own
_LONG = 40  # characters; a cell with more is broken into lines


def _escape(x: object) -> str:
    return html.escape(printable(x))


def _answers(answers: Sequence[Answer]) -> str:
    lines = (f"<dt>{_escape(a.question)}</dt><dd>{_escape(a.text)}</dd>" for a in answers)
    return f"<dl class='answers'>{''.join(lines)}</dl>\n"


def _contents(headings: Sequence[str]) -> str:
    if len(headings) <= _MANY:
        return ""
    entries = (f"<li><a href='#part-{i}'>{_escape(h)}</a></li>" for i, h in enumerate(headings, 1))
    return f"<nav aria-label='Contents'><ul>{''.join(entries)}</ul></nav>\n"


def _part(number: int, heading: str, content: str) -> str:
    return f"<h2 id='part-{number}'>{_escape(heading)}</h2>\n{content}\n"


def _section(section: Section) -> str:
    columns = [section.table.iloc[:, i].map(str) for i in range(section.table.shape[1])]
    kinds = [_kind(column) for column in columns]
    head = "".join(
        f"<th scope='col' class='{kind}'>{_escape(column.name)}</th>"
        for column, kind in zip(columns, kinds, strict=True)
    )
    body = "\n".join(_row(row, kinds) for row in zip(*columns, strict=True))
    box = "box tall" if len(section.table) > _TALL else "box"
    return (
        f"<div class='{box}' role='region' aria-label='{_escape(section.heading)}' tabindex='0'>"
        f"<table class='sortable'><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table></div>"
        f"<p class='note'>{_escape(section.note)}</p>"
    )


def _kind(column: pd.Series) -> str:
    """Class of a column: ``number`` if most of its filled cells begin with one, and ``long``."""
    filled = [v for v in column if v not in ("", "none")]
    numbers = sum(
        re.match(r"[-+]?\d[\d,]*(\.\d+)?(e[-+]?\d+)?(?![\w.])", v) is not None for v in filled
    )
    kind = "number" if filled and 2 * numbers > len(filled) else "text"
    return f"{kind} long" if max(map(len, column), default=0) > _LONG else kind


def _row(cells: Sequence[str], kinds: Sequence[str]) -> str:
    first, *others = (f"class='{kind}'>{_escape(v)}" for v, kind in zip(cells, kinds, strict=True))
    return f"<tr><th scope='row' {first}</th>{''.join(f'<td {c}</td>' for c in others)}</tr>"


def _facts(facts: Mapping[str, object]) -> str:
    rows = (
        f"<tr><th scope='row'>{_escape(k.replace('_', ' '))}</th><td>{_escape(_listed(v))}</td></tr>"
        for k, v in facts.items()
    )
    return f"<table class='facts'><tbody>\n{''.join(rows)}</tbody></table>"


def _listed(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _figure(picture: Picture, folder: Path) -> str:
    data = base64.b64encode((folder / f"{picture.name}.png").read_bytes()).decode()
    return (
        f"<figure id='figure-{_escape(picture.name)}'><div class='box'>"
        f"<img alt='{_escape(picture.alternative)}' src='data:image/png;base64,{data}'></div>"
        f"<figcaption>{_escape(f'{picture.caption} {picture.caveat}'.rstrip())}</figcaption></figure>"
    )
