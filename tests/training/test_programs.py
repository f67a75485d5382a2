"""Compiled programs are forgotten, and results that would fill the memory are refused."""

import numpy as np
import pytest

from jaxsurv.training import memory, programs
from jaxsurv.types import InputError


def test_only_so_many_programs_are_kept_and_jax_forgets_its_own(monkeypatch):
    monkeypatch.setattr(programs, "_compiled", type(programs._compiled)())
    monkeypatch.setattr(programs, "_forgotten", 0)
    cleared, made = [], []
    monkeypatch.setattr(programs.jax, "clear_caches", lambda: cleared.append(len(made)))

    def program(key):
        return programs.compiled(key, lambda: made.append(key) or key)

    several = programs.MOST_PROGRAMS + programs.FORGET_EVERY
    for key in range(several):
        assert program(key) == key
        assert program(0) == 0  # asked for each time, so it is kept
    assert made == list(range(several))
    assert len(programs._compiled) == programs.MOST_PROGRAMS
    assert cleared == [several]
    program(1)
    assert made[-1] == 1


def test_what_a_sweep_keeps_over_all_its_calls_is_counted(monkeypatch):
    first = {"params": np.zeros((2, 1000), np.float32)}  # 4,000 bytes a run, twice when joined
    monkeypatch.setattr(memory, "free_bytes", lambda devices: 8000 * 100)
    memory.check_results(first, 2, 100)
    with pytest.raises(InputError, match=r"results of 102 runs need .* GB, .* fewer seeds, splits"):
        memory.check_results(first, 2, 102)
