"""A few simulated patients, and networks small enough to be trained in every test."""

from contextlib import contextmanager

import jax
import numpy as np
import pandas as pd
import pytest

PARTS = {"one": list("abcd"), "two": list("ef")}


@contextmanager
def compiled_quickly():
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.fixture(scope="module", autouse=True)
def quickly():
    """For fitted models that a module's tests share."""
    with compiled_quickly():
        yield


@pytest.fixture(scope="session")
def patients():
    """``(X, y)``: a DataFrame whose first two columns matter, and a structured array."""
    rng = np.random.default_rng(0)
    names = [f"p{i}" for i in range(90)]
    x = pd.DataFrame(rng.normal(size=(90, 6)), index=names, columns=list("abcdef"))
    time, follow_up = rng.exponential(np.exp(-1.5 * x["a"] - x["e"])), rng.exponential(3, 90)
    observed = list(zip(time <= follow_up, np.minimum(time, follow_up), strict=True))
    return x, np.array(observed, dtype=[("event", bool), ("time", float)])
