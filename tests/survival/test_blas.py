"""The number of BLAS threads belongs to the whole process: it comes back, whoever leaves last."""

from threading import Event, Thread

import pytest
import scipy.linalg.lapack  # noqa: F401
from threadpoolctl import threadpool_info

from jaxsurv.survival.host.blas import one_blas_thread


def threads():
    return {p["filepath"]: p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"}


@pytest.fixture
def before():
    found = threads()
    if set(found.values()) == {1}:
        pytest.skip("BLAS has one thread here")
    return found


def test_contexts_that_overlap_restore_the_threads_at_the_end(before):
    inside, leave, seen = Event(), Event(), {}

    def first():
        with one_blas_thread():
            seen.update(threads())
            inside.set()
            leave.wait(60)

    other = Thread(target=first)
    other.start()
    inside.wait(60)
    with one_blas_thread():
        leave.set()
        other.join()
    assert set(seen.values()) == {1}
    assert threads() == before


def test_another_thread_can_limit_them_afterwards(before):
    seen = {}

    def later():
        with one_blas_thread():
            seen.update(threads())

    with one_blas_thread(), one_blas_thread():
        assert set(threads().values()) == {1}
    other = Thread(target=later)
    other.start()
    other.join()
    assert set(seen.values()) == {1}
    assert threads() == before
