"""Errors of several checks, raised as one, so that a user mends all tables in one go."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from jaxsurv.types import InputError


@contextmanager
def collected() -> Iterator[Callable[[], AbstractContextManager]]:
    """Context that gives ``problem``: the errors in each ``with problem():`` are raised together at its end.

    Raises:
        InputError: the one error, or several with a line for each.
    """
    found: list[InputError] = []

    @contextmanager
    def problem() -> Iterator[None]:
        try:
            yield
        except InputError as error:
            found.append(error)

    yield problem
    if len(found) > 1:
        lines = [f"\n{i}. {error}" for i, error in enumerate(found, 1)]
        raise InputError(f"{len(found)} problems:{''.join(lines)}")
    for error in found:
        raise error
