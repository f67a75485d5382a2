"""BLAS in one thread, for a while."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

_guard = Lock()
_inside = 0
_limits: Any = None


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Context in which BLAS runs in one thread: beside other work its threads wait for each other.

    The number of threads belongs to the whole process; the last thread that leaves a context restores it.
    """
    import scipy.linalg.lapack  # noqa: F401  (its BLAS is to be found by the next line)
    from threadpoolctl import threadpool_limits

    global _inside, _limits
    with _guard:
        if not _inside:
            _limits = threadpool_limits(limits=1, user_api="blas")
        _inside += 1
    try:
        yield
    finally:
        with _guard:
            _inside -= 1
            if not _inside:
                _limits.restore_original_limits()
