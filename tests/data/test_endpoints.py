"""Endpoints that contradict each other: each planted contradiction is told with its patients."""

import warnings

import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import Cohort, DataWarning
from jaxsurv.data.endpoints import check_endpoints
from jaxsurv.data.survival_table import clean_survival

N = 40
RNG = np.random.default_rng(1)
NAMES = [f"p{i}" for i in range(N)]


def survival(**columns):
    """Deaths and progressions of 40 patients, days; who did not progress is followed as long."""
    os = RNG.integers(100, 3000, N).astype(float)
    dead, progressed = RNG.random(N) < 0.4, RNG.random(N) < 0.5
    pfi = np.where(progressed, np.round(os * RNG.uniform(0.1, 0.9, N)) + 1, os)
    table = {"os_time": os, "os_event": dead, "pfi_time": pfi, "pfi_event": progressed}
    return pd.DataFrame(table, NAMES).astype(float).assign(**columns)


def told(table):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_endpoints(clean_survival(table))
    return [str(w.message) for w in caught]


def test_endpoints_that_fit_each_other_are_not_told_of():
    table = survival()
    assert told(table) == []
    assert told(table.assign(pfi_time=table["pfi_time"] * 1.005)) == []  # rounded in another way
    assert told(table.assign(pfi_time=np.nan, pfi_event=np.nan)) == []


@pytest.mark.parametrize(
    ("dead", "progressed", "what"),
    [
        (1, 1, "1 pfi events after death: p7"),
        (0, 1, "1 pfi events after the last contact of os: p7"),
        (1, 0, "1 pfi times after os_time: p7"),
        (0, 0, "1 pfi times after os_time: p7"),
    ],
)
@pytest.mark.parametrize("order", [1, -1])
def test_nothing_happens_after_death(dead, progressed, what, order):
    table = survival()
    table.loc["p7", ["os_event", "pfi_event", "pfi_time"]] = (
        dead,
        progressed,
        table.at["p7", "os_time"] + 60,
    )
    (message,) = told(table[table.columns[::order]])
    assert message == f"os and pfi contradict each other: {what}; check dates and units"


def test_nobody_dies_of_the_disease_and_lives():
    table = survival()
    table = table.assign(dss_time=table["os_time"], dss_event=table["os_event"])
    assert told(table) == []
    alive = table.index[table["os_event"] == 0][0]
    table.loc[alive, "dss_event"] = 1
    (message,) = told(table)
    assert f"1 deaths in dss of patients who are alive in os: {alive}" in message


@pytest.mark.parametrize(
    ("divisor", "units"),
    [
        (30.4375, "days beside months"),
        (30.0, "days beside months"),
        (30.5, "days beside months"),
        (365.25, "days beside years"),
        (7.0, "days beside weeks"),
    ],
)
@pytest.mark.parametrize("scaled", ["os_time", "pfi_time"])
def test_two_units_are_told(divisor, units, scaled):
    table = survival()
    table[scaled] = (table[scaled] / divisor).round(2)
    found = [m for m in told(table) if m.startswith("times of 'os' and 'pfi' look like two units")]
    assert len(found) == 1
    assert units in found[0]


def test_two_units_are_told_where_nobody_was_followed_as_long():
    table = survival()
    table["pfi_time"] = table["os_time"] * RNG.uniform(0.3, 0.95, N) / 30.4375
    assert any("in the median patient" in m for m in told(table))


def test_a_cohort_tells():
    table = survival()
    table.loc["p7", ["os_event", "pfi_event", "pfi_time"]] = 1, 1, 9999
    rna = pd.DataFrame(RNG.normal(size=(N, 2)), NAMES).add_prefix("g")
    with pytest.warns(DataWarning, match="1 pfi events after death: p7") as caught:
        Cohort({"rna": rna}, table)
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    "name",
    ["OS", " os ", "os_5y", "Overall Survival", "overall-survival", "all cause", "all-cause mortality",
     "Mortality", "Death", "dss", "css", "osteo"],
)  # fmt: skip
def test_death_is_known_by_its_many_names(name):
    table = survival()
    table.loc["p7", ["os_event", "pfi_event"]] = 1
    table.loc["p7", "pfi_time"] = table.loc["p7", "os_time"] * 2
    found = told(table.rename(columns=lambda c: c.replace("os_", f"{name}_")))
    assert any("after death: p7" in text for text in found) == (name not in ("dss", "css", "osteo"))
