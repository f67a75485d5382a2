"""Windows of time: means within them, and what lasts found behind times of each patient's own."""

import jax
import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import Cohort
from jaxsurv.factors import (
    Structure,
    moments,
    search_structure,
    simulate_factors,
    simulate_loadings,
)
from jaxsurv.preprocess import time_windows
from jaxsurv.types import InputError

TABLE = pd.DataFrame(
    {"a": [1.0, 3.0, np.nan, 7.0], "b": [np.nan, np.nan, 2.0, 0.0]}, index=["p", "p", "q", "q"]
)


def test_means_within_windows_by_hand():
    early, late = time_windows(TABLE, [1, 5, 5, 6], [0, 5, 10]).values()
    expected = pd.DataFrame({"a": [2.0, np.nan], "b": [np.nan, 2.0]}, index=["p", "q"])
    pd.testing.assert_frame_equal(early, expected)  # an edge belongs to the window that it ends
    pd.testing.assert_frame_equal(late, TABLE.iloc[[3]])


def test_the_order_of_rows_says_nothing():
    rows = [2, 0, 3, 1]
    one = time_windows(TABLE, [1, 5, 5, 6], [0, 5, 10])
    other = time_windows(TABLE.iloc[rows], np.array([1, 5, 5, 6])[rows], [0, 5, 10])
    for name, table in one.items():
        pd.testing.assert_frame_equal(table, other[name])


def test_what_lasts_and_what_passes_is_found():
    """Labs and vitals, each at times of its own; a patient may lack a window of either."""
    windows = ("0 to 1", "1 to 2")
    sizes = {f"{kind} {window}": 14 for kind in ("labs", "vitals") for window in windows}
    acute = ("labs 0 to 1", "vitals 0 to 1")
    truth = Structure.of(sizes, {tuple(sizes): 1, acute: 1, ("labs 0 to 1", "labs 1 to 2"): 1})
    w = 2 * simulate_loadings(jax.random.key(3), truth)
    n, rng = 3000, np.random.default_rng(0)
    x, _ = simulate_factors(jax.random.key(4), w, truth, n=n, noise=0.3)
    patients, tables = np.array([f"p{i}" for i in range(n)]), {}
    for kind in ("labs", "vitals"):
        rows, times = [], []
        for start, window in enumerate(windows):
            there = rng.random(n) < 0.8
            rows.append(pd.DataFrame(np.asarray(x[f"{kind} {window}"])[there], patients[there]))
            times.append(start + rng.uniform(0.01, 1, there.sum()))
        found = time_windows(pd.concat(rows), np.concatenate(times), [0, 1, 2])
        tables |= {f"{kind} {window}": table for window, table in found.items()}
    presence = {m: np.isin(patients, t.index).astype(np.float32) for m, t in tables.items()}
    inputs = {m: t.reindex(patients).fillna(0.0).to_numpy(np.float32) for m, t in tables.items()}
    start = Structure.of(sizes, {tuple(sizes): 5})
    found, _ = search_structure(moments(start, inputs, presence=presence), start)
    assert dict(found.ranks) == dict(truth.ranks)


def test_windows_are_modalities_of_a_cohort():
    survival = pd.DataFrame({"os_time": [1.0, 2, 3], "os_event": [1, 0, 1]}, index=list("pqr"))
    crp = pd.DataFrame({"crp": [1.0, 3.0, 4.0, 7.0, 8.0]}, index=list("pqqrr"))
    cohort = Cohort(time_windows(crp, [1, 2, 6, 3, 7], [0, 5, 10]), survival)
    assert {m: list(t.index) for m, t in cohort.modalities.items()} == {
        "0 to 5": ["p", "q", "r"], "5 to 10": ["q", "r"]
    }  # fmt: skip


@pytest.mark.parametrize(
    ("time", "edges", "message"),
    [
        ([1, 5, 5, 6], [0, 5, 5], "edges must be two or more increasing numbers"),
        ([1, 5, 5, 6], [0], "edges must be two or more"),
        ([1, 5, 5], [0, 10], "time must be one number for each of the 4 rows"),
        ([0, 5, 5, 6], [0, 10], r"1 of 4 .* not within \(0, 10\], such as one of patient 'p' at 0"),
        ([1, np.nan, 5, 6], [0, 10], r"such as one of patient 'p' at nan"),
        ([1, 5, 5, 6], [0, 7, 8], r"no measurement within \(7, 8\]"),
    ],
)
def test_refusals(time, edges, message):
    with pytest.raises(InputError, match=message):
        time_windows(TABLE, time, edges)


def test_text_is_refused_by_its_column():
    with pytest.raises(InputError, match="column 'c' must have numbers"):
        time_windows(TABLE.assign(c="high"), [1, 2, 3, 4], [0, 10])
