"""A few simulated patients, and networks small enough to be trained in every test."""

import numpy as np
import pandas as pd
import pytest

from jaxsurv.artifacts import read_model, write_model

PARTS = {"one": list("abcd"), "two": list("ef")}


def changed(path, new, edit):
    """The model with other content, sound as a file."""
    stored = read_model(path)
    entries = {k: v for k, v in stored.entries.items() if k not in ("schema", "files")}
    weights, arrays = dict(stored.weights), dict(stored.preprocessing)
    edit(entries, weights, arrays)
    return write_model(path.parent / new, entries, weights, arrays)


@pytest.fixture(scope="session")
def patients():
    """``(X, y)``: a DataFrame whose first two columns matter, and a structured array."""
    rng = np.random.default_rng(0)
    names = [f"p{i}" for i in range(90)]
    x = pd.DataFrame(rng.normal(size=(90, 6)), index=names, columns=list("abcdef"))
    time, follow_up = rng.exponential(np.exp(-1.5 * x["a"] - x["e"])), rng.exponential(3, 90)
    observed = list(zip(time <= follow_up, np.minimum(time, follow_up), strict=True))
    return x, np.array(observed, dtype=[("event", bool), ("time", float)])
