"""Functions and compiled programs, kept by what they are made of, so that a second fit compiles nothing."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import lru_cache, wraps
from threading import Lock
from typing import Any, TypeVar

import jax

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


MOST_PROGRAMS = 6  # compiled sweeps, of whatever shapes, that are kept
FORGET_EVERY = 4  # forgotten sweeps after which JAX forgets its small programs too
_compiled: OrderedDict[Any, Any] = OrderedDict()
_guard = Lock()
_forgotten = 0


def compiled(key: Hashable, compile_it: Callable[[], Any]) -> Any:
    """The program kept under ``key``, compiled if it is not there; the least recent ones are forgotten.

    Programs of many shapes would fill the memory, and the number of maps that a process may have.

    Args:
        key: key that tells function and shapes.
        compile_it: function that compiles the program.
    """
    global _forgotten
    with _guard:
        if key in _compiled:
            _compiled.move_to_end(key)
            return _compiled[key]
    program = compile_it()
    with _guard:
        _compiled[key] = program
        while len(_compiled) > MOST_PROGRAMS:
            _compiled.popitem(last=False)
            _forgotten += 1
        forget = _forgotten >= FORGET_EVERY
        _forgotten = 0 if forget else _forgotten
    if forget:
        jax.clear_caches()
    return program
