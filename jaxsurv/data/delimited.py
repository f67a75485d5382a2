"""Delimited text as tables: the one reader of all formats, which checks header and rows.

Every row must have as many cells as the header, so that no name moves to another column.
"""

import csv
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pandas as pd

from jaxsurv.data.tables import few, refuse_repeated
from jaxsurv.types import InputError

Lines = Iterator[tuple[int, str]]  # line numbers from 1 on, and texts: enumerate(file, 1)

# Numbers are read to the last bit; from pandas 3.1 on this is the default.
_OLD = tuple(map(int, pd.__version__.split(".")[:2])) < (3, 1)
EXACT: dict[str, Any] = {"float_precision": "round_trip"} if _OLD else {}
_BLOCK = 1 << 18  # characters handed to pandas at a time
_SEPARATORS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars", " ": "blanks"}
# Names of a first column that holds names of rows, not values.
_NAMES_ROWS = re.compile(
    r"|(.*[\W_])?(patient|sample|subject|case|participant|individual|donor|person|specimen|row|index|"
    r"gene|probe|feature|symbol|submitter|tumou?r|public|usubj|mrn|upn|record)?[\W_]*"
    r"(s|ids?|names?|barcodes?|numbers?|nr|no|codes?|keys?|index|identifiers?|symbols?|accession)?",
    re.IGNORECASE,
)


def read_header(lines: Lines, separator: str = "\t", *, quoted: bool = True) -> list[str]:
    """Read the column names of a table, and check the header as `read_table` does."""
    return _start(lines, separator, quoted)[0]


def read_table(
    lines: Lines, separator: str = "\t", *, quoted: bool = True, **options: Any
) -> pd.DataFrame:
    """Read a table; its columns are named by the first of ``lines``.

    A header that lacks the name of the first column is understood only as R writes it, in quotes, and
    if it does not begin with a name such as ``patient``; the first column is then named ''.

    Args:
        lines: lines with their numbers, comments left out.
        separator: one character.
        quoted: cells may be in double quotes; otherwise quotes are characters like others.
        **options: of ``pandas.read_csv``; with ``chunksize`` the result is pandas' reader.

    Raises:
        InputError: no header, or one with a name twice or (but for the first) without; no row; another
            separator; a row with more or fewer cells than the header; a quote that is not closed. The
            message names the line.
    """
    header, first = _start(lines, separator, quoted)
    if first is None:
        raise InputError("has a header and no row; fill or remove it")
    return pd.read_csv(
        _Stream(_blocks(chain([first], lines), header, separator, quoted)),  # type: ignore[arg-type]
        sep=separator,
        header=None,
        names=header,
        index_col=options.pop("index_col", False),
        quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
        low_memory=False,
        **EXACT,
        **options,
    )


def _start(lines: Lines, separator: str, quoted: bool) -> tuple[list[str], tuple[int, str] | None]:
    """Column names, and the first row."""
    full = ((n, line) for n, line in lines if line.strip())
    number, head = next(full, (0, ""))
    if not number:
        raise InputError("has no header; name the columns in the first line")
    header, head = _cells(number, head, lines, separator, quoted)
    header = [name.strip() for name in header]
    if len(header) > 1 and not any(header[1:]):
        raise InputError(_no_header(number, header))
    if blank := [i for i, name in enumerate(header[1:], 2) if not name]:
        raise InputError(
            f"line {number}, the header: column {few(blank)} has no name; name it, or take it out "
            "(of the rows too)"
        )
    refuse_repeated(pd.Index(header), "duplicate columns")
    above, (number, line) = number, next(full, (0, ""))
    if not number:
        return header, None
    cells, line = _cells(number, line, lines, separator, quoted)
    if not len(cells) == len(header) > 1:
        _refuse_other_separator(head, line, separator)
    unnamed = quoted and head.startswith('"') and not _NAMES_ROWS.fullmatch(header[0])
    if unnamed and len(cells) == len(header) + 1 and cells[-1].strip():
        header = ["", *header]
    if len(header) == 1 < len(cells) - 1:
        raise InputError(_no_header(above, header))
    if len(cells) != len(header):
        raise InputError(_ragged(number, cells, header))
    return header, (number, line)


def _no_header(number: int, header: list[str]) -> str:
    return (
        f"line {number} ({header[0]}) does not name the columns; take out what stands above the line that "
        "does"
    )


def _cells(
    number: int, line: str, lines: Lines, separator: str, quoted: bool
) -> tuple[list[str], str]:
    """Cells and text of a row, which goes on in the next lines if a quote is open."""
    if not quoted:
        return line.rstrip("\r\n").split(separator), line
    texts = [line]

    def more() -> Iterator[str]:
        yield line
        for _, text in lines:
            texts.append(text)
            yield text

    try:
        cells = next(csv.reader(more(), delimiter=separator, strict=True))
    except csv.Error as error:
        raise InputError(
            f"line {number}: a cell in quotes that does not end where its quotes do ({error}); close the "
            "quotes, and double those within a cell"
        ) from error
    return cells, "".join(texts)


def _blocks(lines: Lines, header: list[str], separator: str, quoted: bool) -> Iterator[str]:
    """Texts of many rows each; blank lines are left out."""
    between = len(header) - 1
    closed = re.compile(rf'(?<![^{separator}])"[^"]*"(?![^{separator}\r\n])')
    texts, length = [], 0
    for number, line in lines:
        text = line
        seen = closed.sub("", line) if quoted and '"' in line else line  # much faster than csv
        if seen.count(separator) != between or (quoted and '"' in seen):
            if not line.strip():
                continue
            cells, text = _cells(number, line, lines, separator, quoted)
            if len(cells) != len(header):
                raise InputError(_ragged(number, cells, header))
        texts.append(text)
        length += len(text)
        if length > _BLOCK:
            yield "".join(texts)
            texts, length = [], 0
    yield "".join(texts)


def _ragged(number: int, cells: list[str], header: list[str]) -> str:
    fix = "give it one cell for each column"
    if len(cells) > len(header):
        fix = "take out what is too much, or name the column that the header lacks"
        if not cells[-1].strip():
            fix = "take out the separator at the end of the rows"
        elif len(cells) == len(header) + 1:
            fix = f"name all columns, the first too (the header begins with {few(header, 3)})"
    return f"line {number} ({cells[0].strip()}) has {len(cells)} cells, the header {len(header)}; {fix}"


def _refuse_other_separator(head: str, row: str, separator: str) -> None:
    for other, name in _SEPARATORS.items():
        if other != separator and head.count(other) == row.count(other) > 0:
            decimals = re.search(r"\d,\d", row) and other != ","
            raise InputError(
                f"its cells are separated by {name}, not by {_SEPARATORS[separator]}; save it with "
                f"{_SEPARATORS[separator]}" + (" and with decimal points" if decimals else "")
            )


class _Stream:
    """Blocks of rows as a file that pandas reads."""

    def __init__(self, blocks: Iterator[str]) -> None:
        self._blocks = blocks

    def __iter__(self) -> Iterator[str]:
        return self._blocks

    def read(self, size: int = -1) -> str:
        del size  # pandas takes what comes
        return next(self._blocks, "")


def by_first_column(table: pd.DataFrame) -> pd.DataFrame:
    """Table whose first column becomes the index.

    Raises:
        InputError: a first column that only counts rows, as pandas and R write it, beside a column of names.
    """
    first = str(table.columns[0])
    rows = table[first].astype(str)
    counts = any(list(rows) == [*map(str, range(a, a + len(rows)))] for a in (0, 1))
    if len(rows) > 1 and counts and re.fullmatch(r"|index|unnamed: ?\d+", first, re.IGNORECASE):
        for name in table.columns[1:]:
            cells = table[name]
            unique = cells.notna().all() and cells.is_unique and cells.dtype.kind != "f"
            if unique and _NAMES_ROWS.fullmatch(str(name)):
                raise InputError(
                    f"its first column {first!r} counts the rows, and {name!r} looks like the names of the "
                    "patients; take out the first column (in pandas: to_csv(..., index=False)), so that "
                    f"{name!r} is the first"
                )
    return table.set_index(first)
