"""Errors and warnings that people can read, and the exit status of a command."""

import os
import sys
import warnings
from collections.abc import Callable
from io import TextIOWrapper


def silence_output() -> None:
    """Write to nowhere from now on: whoever read the standard output has stopped, as ``| head`` does."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def exit_status(action: Callable[[], None]) -> int:
    """Run ``action``; 0, 2 after an ``InputError`` (its message on stderr), 130 after Ctrl-C."""
    from jaxsurv.data.safe_text import printable  # imports JAX
    from jaxsurv.types import InputError

    if isinstance(sys.stdout, TextIOWrapper):  # a name that the terminal's encoding lacks is shown
        sys.stdout.reconfigure(errors="backslashreplace")
    before = warnings.formatwarning
    warnings.formatwarning = lambda message, *_, **__: f"warning: {printable(message)}\n"
    try:
        action()
    except InputError as error:
        print(f"error: {printable(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    finally:
        warnings.formatwarning = before
    return 0
