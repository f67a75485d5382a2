"""Errors and warnings that people can read, and the exit status of a command."""

import sys
import warnings
from collections.abc import Callable


def exit_status(action: Callable[[], None]) -> int:
    """Run ``action``; 0, 2 after an ``InputError`` (its message on stderr), 130 after Ctrl-C."""
    from jaxsurv.types import InputError  # imports JAX

    before = warnings.formatwarning
    warnings.formatwarning = lambda message, *_, **__: f"warning: {message}\n"
    try:
        action()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    finally:
        warnings.formatwarning = before
    return 0
