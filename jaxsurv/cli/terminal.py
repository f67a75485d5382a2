"""The terminal of a command: names from data are shown letter by letter, whatever markup they look like."""

import sys
import time
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.status import Status
from rich.text import Text

from jaxsurv.cli.status import silence_output
from jaxsurv.data.safe_text import literal, printable

LINES = 60  # seconds between two lines of progress in a file


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

    def on_broken_pipe(self) -> None:
        """Go on in silence: who stopped reading, as ``| head`` does, still wants the files."""
        self.quiet = True
        silence_output()

    def render_str(self, text: str, **options: Any) -> Text:  # type: ignore[override]
        """Every text that is printed, titles and cells of tables among them."""
        return super().render_str(printable(text), **options)

    def status(self, status: Any, **options: Any) -> Status:  # type: ignore[override]
        """The line beside a spinner, which ``rich`` would take for markup."""
        return super().status(literal(status), **options)


class Bars(Progress):
    """Bars of progress, which vanish in the end; where the output is no terminal, a line every minute."""

    def __init__(self, console: Console, *columns: ProgressColumn) -> None:
        super().__init__(*columns, console=console, transient=True)
        self._next = time.monotonic() + LINES

    def update(self, task_id: TaskID, **changes: Any) -> None:
        """Rich's, and the line if it is time."""
        super().update(task_id, **changes)
        self._tell(task_id)

    def advance(self, task_id: TaskID, advance: float = 1) -> None:
        """Rich's, and the line if it is time."""
        super().advance(task_id, advance)
        self._tell(task_id)

    def _tell(self, task_id: TaskID) -> None:
        if self.console.is_terminal or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + LINES
        task = self._tasks[task_id]
        self.console.print(f"{task.description}: {task.completed:.0f} of {task.total:.0f}")


def progress(console: Console) -> Bars:
    """Bars of progress, whose descriptions are shown as they are."""
    described = TextColumn("{task.description}", markup=False)
    return Bars(console, described, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
