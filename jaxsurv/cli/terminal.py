"""The terminal of a command: names from data are shown letter by letter, whatever markup they look like."""

import sys
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.status import Status
from rich.text import Text

from jaxsurv.data.safe_text import literal, printable


class Terminal(Console):
    """Standard output without markup and emoji codes; control characters are shown as escapes.

    Args:
        width: characters in a line where the output is no terminal.
        quiet: print nothing.
    """

    def __init__(self, width: int, *, quiet: bool = False) -> None:
        super().__init__(
            width=None if sys.stdout.isatty() else width, quiet=quiet, markup=False, emoji=False
        )

    def render_str(self, text: str, **options: Any) -> Text:  # type: ignore[override]
        """Every text that is printed, titles and cells of tables among them."""
        return super().render_str(printable(text), **options)

    def status(self, status: Any, **options: Any) -> Status:  # type: ignore[override]
        """The line beside a spinner, which ``rich`` would take for markup."""
        return super().status(literal(status), **options)


def progress(console: Console) -> Progress:
    """Bars of progress, whose descriptions are shown as they are."""
    described = TextColumn("{task.description}", markup=False)
    columns = (described, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True)
