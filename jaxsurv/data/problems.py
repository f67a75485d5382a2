"""Errors of several checks, raised as one, so that a user mends all tables in one go."""

from collections.abc import Iterator
from contextlib import contextmanager

from jaxsurv.types import InputError


@contextmanager
def listing(problems: list[str]) -> Iterator[None]:
    """Context in which an InputError is added to ``problems``, so that the rest can be looked at first."""
    try:
        yield
    except InputError as error:
        problems.append(str(error))


def refuse_all(problems: list[str]) -> None:
    """Raise one InputError of all problems, a line each, if there are any."""
    if problems:
        raise InputError("\n".join(problems))
