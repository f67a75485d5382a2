"""Tables of the pages, made from docs/results: none is older than its results, and they than the code.

A page holds a table between two comments. The first names a file (``a/x.csv + a/y.csv``: columns of the
second are joined by the names of the rows) and, if need be, its rows in the language of
`pandas.DataFrame.query`; then it has a line for each column, its heading and its cell as a format string
over the columns of the file. A heading ``{method}`` makes a column of each method::

    <!-- results: coverage/small_sets.csv where patients < 100
    patients: {patients}
    C: {C:.2f} ({lower:.2f} to {upper:.2f})
    -->
    (the table)
    <!-- end -->

Two more are made whole: ``<!-- claims: PAPER -->`` and ``<!-- studies -->``, see docs/results/claims.py.

    python -m docs.check            # what is out of date
    python -m docs.check --write    # write the tables of the pages anew
"""

import hashlib
import json
import re
import sys
from contextlib import suppress
from pathlib import Path

import pandas as pd

from docs.results.claims import CLAIMS
from docs.results.verdicts import claims_table, studies_table, unmade
from jaxsurv.artifacts import NUMERICS
from jaxsurv.types import InputError

DOCS = Path(__file__).parent
RESULTS = DOCS / "results"
TABLE = re.compile(
    r"(?P<head><!-- results: (?P<file>\S+(?: \+ \S+)*)(?: where (?P<rows>[^\n]+))?\n(?P<columns>.*?)-->\n)"
    r"(?P<table>.*?)(?P<end><!-- end -->)",
    re.S,
)
WHOLE = re.compile(
    r"(?P<head><!-- (?:claims: (?P<paper>[^\n]+)|studies) -->\n)(?P<table>.*?)(?P<end><!-- end -->)",
    re.S,
)


def manifest_of(folder: Path) -> dict:
    """Manifest of a folder of results."""
    return json.loads((folder / "manifest.json").read_text())


def table(frame: pd.DataFrame, columns: str, rows: str | None = None) -> str:
    """Markdown table of a results file.

    Args:
        frame: the file.
        columns: lines ``heading: format string``.
        rows: rows to show, as `pandas.DataFrame.query` takes them; None = all.
    """
    cells = [line.partition(": ")[::2] for line in columns.strip().splitlines()]
    shown = frame if rows is None else frame.query(rows)
    plain = [cell for cell in cells if "{" not in cell[0]]
    spread = [cell for cell in cells if "{" in cell[0]]
    lines: dict[tuple[str, ...], dict[str, str]] = {}
    for i, row in enumerate(shown.to_dict("records")):
        first = [cell.format_map(row) for _, cell in plain]
        line = lines.setdefault((*first, str(0 if spread else i)), {})
        line |= {heading.format_map(row): cell.format_map(row) for heading, cell in spread}
    more = list(dict.fromkeys(heading for line in lines.values() for heading in line))
    body = [
        [*key[:-1], *(line.get(heading, "") for heading in more)] for key, line in lines.items()
    ]
    return markdown([[*(heading for heading, _ in plain), *more], *body])


def markdown(lines: list[list[str]]) -> str:
    """Markdown table of a heading and its rows."""
    heading, *rows = lines
    return "".join(f"| {' | '.join(line)} |\n" for line in (heading, ["---"] * len(heading), *rows))


def read(file: str) -> pd.DataFrame:
    """Table that a manifest in docs/results names."""
    folder, _, name = file.partition("/")
    if name not in manifest_of(RESULTS / folder)["files"]:
        raise FileNotFoundError(name)
    return pd.read_csv(RESULTS / file)


def written(text: str) -> str:
    """Text of a page with its tables made from the results.

    Raises:
        InputError: a table without its end or its columns, a file or a column that is not there.
    """
    if text.count("<!-- results: ") != len(TABLE.findall(text)):
        raise InputError("a table lacks its lines of columns, or its <!-- end -->")

    def filled(found: re.Match) -> str:
        name = found["file"].partition("/")[0]
        if unmade(name, RESULTS):
            told = f"Not measured yet: `python -m docs.results.make {name}`."
            return f"{found['head']}\n{told}\n\n{found['end']}"
        try:
            frame, *others = map(read, found["file"].split(" + "))
            for other in others:
                names = list(other.columns.intersection(frame.select_dtypes(object).columns))
                new = other.columns.difference(frame.columns, sort=False)
                frame = frame.merge(other[[*names, *new]], how="left", on=names)
            made = table(frame, found["columns"], found["rows"])
        except FileNotFoundError as error:
            raise InputError(f"there is no docs/results/{found['file']}; make it") from error
        except (KeyError, ValueError, TypeError, NameError, SyntaxError) as error:
            raise InputError(f"{found['file']}: {error!r} in its rows or columns") from error
        return f"{found['head']}\n{made}\n{found['end']}"

    def whole(found: re.Match) -> str:
        try:
            paper = found["paper"]
            of_paper = [claim for claim in CLAIMS if claim.paper == paper]
            made = claims_table(of_paper, RESULTS) if paper else studies_table()
        except (FileNotFoundError, KeyError, ValueError, NameError) as error:
            raise InputError(f"claims of {found['paper']}: {error}") from error
        return f"{found['head']}\n{markdown(made)}\n{found['end']}"

    return WHOLE.sub(whole, TABLE.sub(filled, text))


def stale(folder: Path) -> list[str]:
    """What is wrong with a folder of results: numbers of older versions, files that are not its own."""
    manifest = manifest_of(folder)
    wrong = [
        f"numbers of {part!r} have version {NUMERICS.get(part)}, here {version}"
        for part, version in manifest["numerics"].items()
        if NUMERICS.get(part) != version
    ]
    for name, digest in manifest["files"].items():
        file = folder / name
        if not file.exists() or hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            wrong.append(f"{name} is not the file that the command wrote")
    return wrong


def problems() -> list[str]:
    """One line for each results folder and each page that is out of date."""
    found = [
        f"docs/results/{manifest.parent.name}: {what}; python -m docs.results.make {manifest.parent.name}"
        for manifest in sorted(RESULTS.glob("*/manifest.json"))
        for what in stale(manifest.parent)
    ]
    for page in sorted(DOCS.glob("*.md")):
        try:
            text = page.read_text()
            differ = "tables differ; python -m docs.check --write" if written(text) != text else ""
        except InputError as error:
            differ = str(error)
        found += [f"docs/{page.name}: {differ}"] if differ else []
    return found


def main(arguments: list[str]) -> int:
    """Check, after writing the pages if that is asked for."""
    if arguments not in ([], ["--write"]):
        print(__doc__)
        return 2
    for page in DOCS.glob("*.md") if arguments else ():
        with suppress(InputError):  # told below
            page.write_text(written(page.read_text()))
    found = problems()
    print("\n".join(found) or "pages and results are up to date")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
