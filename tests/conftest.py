"""Strict runs: rank promotion raises, warnings are errors; two host devices as the CPU plan uses."""

import json
import os
from functools import cache
from importlib.metadata import version
from pathlib import Path

# Compilation is most of the suite's time, also in commands that it runs, and takes half so. Newer
# versions do not know the first XLA flag; there is one test process per core already.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
if version("jax").startswith("0.10."):
    os.environ.setdefault(
        "XLA_FLAGS",
        "--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1",
    )

import jax
import pandas as pd
import pytest

# of memory: 4 GiB, or this process's part of half of it; of memory maps: two thirds of what Linux gives
# a process, without which the compiler crashes
WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
MOST_PAGES = min(2**20, os.sysconf("SC_PHYS_PAGES") // (2 * WORKERS))
MOST_MAPS = 43_000

jax.config.update("jax_num_cpu_devices", 2)
jax.config.update("jax_numpy_rank_promotion", "raise")


@pytest.fixture
def x64():
    """Run the test in float64."""
    with jax.enable_x64(True):
        yield


@pytest.fixture
def as_users_compile():
    """For what must be as exact as users get it: without optimisations sums are less so."""
    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", False)
    yield
    jax.config.update("jax_disable_most_optimizations", before)


@pytest.fixture(scope="session")
def reference():
    """``reference(data set, file) -> (table, numbers)``: data, and what other packages compute."""
    folder = Path(__file__).parent / "reference"

    @cache
    def load(name, file="metrics.json"):
        numbers = json.loads((folder / name / file).read_text())
        return pd.read_csv(folder / name / "data.csv.gz"), numbers

    return load


@pytest.fixture(autouse=True, scope="module")
def forget_programs():
    """Compiled programs are memory, in many small maps, of which a process may have only so much."""
    yield
    process = Path("/proc/self")
    if (
        not process.exists()
        or int((process / "statm").read_text().split()[1]) > MOST_PAGES
        or (process / "maps").read_bytes().count(b"\n") > MOST_MAPS
    ):
        jax.clear_caches()
