"""Functions and compiled programs, kept by what they are made of, so that a second fit compiles nothing."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar

Made = TypeVar("Made", bound=Callable[..., Any])


def kept(most: int) -> Callable[[Made], Made]:
    """Decorator: the last results are kept by their arguments; arguments without a hash are made anew.

    Args:
        most: number of results to keep; those that were not asked for longest are forgotten first, and the
            memory of compiled programs with them.
    """

    def decorate(make: Made) -> Made:
        remembered = lru_cache(maxsize=most)(make)

        @wraps(make)
        def get(*arguments: Any, **options: Any) -> Any:
            try:
                hash((arguments, tuple(options.items())))
            except TypeError:
                return make(*arguments, **options)
            return remembered(*arguments, **options)

        return get  # type: ignore[return-value]

    return decorate
