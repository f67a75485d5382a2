"""Names from data where they would be read as something else: on a screen, as a path, in a spreadsheet."""

import hashlib
import re
from csv import QUOTE_MINIMAL, QUOTE_NONNUMERIC
from pathlib import Path
from typing import Any

import pandas as pd
from rich.text import Text

# all that moves a cursor or the direction of writing, or has no bytes in UTF-8; line feeds are shown
_UNSEEN = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_LONGEST = 50  # characters of a name in a file's name, which has 255 bytes
# text that spreadsheets execute, also behind apostrophes, which are what makes it inert
_FORMULA = r"'*(?:[\t\r\n]|\s*[=+\-@＝＋－＠])"
_EXECUTED, _INERT = re.compile(_FORMULA), re.compile(f"'{_FORMULA}")


def printable(text: object) -> str:
    """The text with control characters as escapes, such as ``\\x1b``; line feeds stay."""
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), str(text))


def literal(text: object) -> Text:
    """The text as ``rich`` shows it letter by letter, without markup."""
    return Text(printable(text))


def file_stem(name: str) -> str:
    """The name as the stem of a file: letters, digits and ``_.=-``, at most 59 characters.

    A name that is anything else is changed and ends in a part of its SHA-256, so that two names have
    two files.
    """
    stem = re.sub(r"[^\w.=-]+", "_", name).lstrip(".")[:_LONGEST]
    if stem == name and stem:
        return stem
    return f"{stem or '_'}-{hashlib.sha256(name.encode(errors='backslashreplace')).hexdigest()[:8]}"


def write_csv(table: pd.DataFrame, path: Path, **settings: Any) -> None:
    """Write a table as CSV in which no cell, column or row is a formula to a spreadsheet.

    Text that begins with ``= + - @``, a tab or a line break gets an apostrophe in front; numbers are
    left alone. `as_named` takes it away again.

    Args:
        table: table to write.
        path: file to write.
        **settings: settings of :meth:`pandas.DataFrame.to_csv`.
    """
    inert = _each_text(table, _inert)
    text = inert.select_dtypes(["object", "category", "string"])
    names = [*inert.index, *inert.columns, *text.to_numpy(object).ravel()]
    # csv quotes no carriage return by itself, and a reader takes it for the end of the row
    quoting = QUOTE_NONNUMERIC if any("\r" in n for n in names if type(n) is str) else QUOTE_MINIMAL
    inert.to_csv(path, errors="backslashreplace", quoting=quoting, **settings)


def as_named(table: pd.DataFrame) -> pd.DataFrame:
    """The table that `write_csv` wrote, without its apostrophes."""
    return _each_text(table, _original)


def _inert(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and _EXECUTED.match(value) else value


def _original(value: Any) -> Any:
    return value[1:] if isinstance(value, str) and _INERT.match(value) else value


def _each_text(table: pd.DataFrame, change: Any) -> pd.DataFrame:
    """The table with every name and every cell of text changed; numbers are not looked at."""
    table = table.copy(deep=False)
    for i in range(table.shape[1]):
        column = table.iloc[:, i]
        if not pd.api.types.is_numeric_dtype(column.dtype):
            table.isetitem(i, column.map(change, na_action="ignore"))
    table.index, table.columns = (_each_name(n, change) for n in (table.index, table.columns))
    return table


def _each_name(names: pd.Index, change: Any) -> pd.Index:
    if isinstance(names, pd.MultiIndex):
        levels = [_each_name(level, change) for level in names.levels]
        return names.set_levels(levels).set_names([change(n) for n in names.names])
    changed = names if pd.api.types.is_numeric_dtype(names.dtype) else names.map(change)
    return changed.rename(change(names.name))
