"""BLAS in one thread, for a while."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_owner = Lock()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Context in which BLAS runs in one thread: beside other work its threads wait for each other.

    The number of threads belongs to the whole process. Who comes first sets it and restores it; others who
    are inside at the same time change nothing, so that none of them restores what another had set.
    """
    import scipy.linalg.lapack  # noqa: F401  (its BLAS is to be found by the next line)
    from threadpoolctl import threadpool_limits

    if not _owner.acquire(blocking=False):
        yield
        return
    try:
        with threadpool_limits(limits=1, user_api="blas"):
            yield
    finally:
        _owner.release()
