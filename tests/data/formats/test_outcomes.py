"""Codes of events, and what the names of columns say about them."""

import pandas as pd
import pytest

from jaxsurv.data import DataWarning
from jaxsurv.data.formats.outcomes import event_flags, time_unit
from jaxsurv.types import InputError


def flags(name, *values):
    return event_flags(pd.Series(values, list("abcdefgh")[: len(values)], name=name)).tolist()


CODES = [(0, 1), ("0", "1"), (0.0, 1.0), (False, True), ("no", "yes"), ("FALSE", "True")]


@pytest.mark.parametrize("codes", CODES)
@pytest.mark.parametrize(
    "name",
    ["alive", "is_alive", "isAlive", "Alive at last contact", "living", "censored", "os.censored",
     "Censoring", "cens", "event free", "disease-free", "relapse_free", "survived", "survivor",
     "in remission", "no event", "without relapse", "death censored", "lost to follow-up",
     "alive (1=yes, 0=no)", "no_evidence_of_disease", "No evidence of disease"],
)  # fmt: skip
def test_plain_codes_under_the_name_of_the_opposite_are_refused(name, codes):
    with pytest.raises(
        InputError, match=r"column .* reads as the opposite of an event, so .* 1 where"
    ):
        flags(name, *codes)


@pytest.mark.parametrize(
    "name", ["death (1=alive; 0=dead)", "vital status (alive: 1, dead: 0)", "os 0=event 1=censored"]
)
def test_a_name_that_says_how_it_codes_is_believed(name):
    with pytest.raises(InputError, match="but 1 must be the observed event; recode the column"):
        flags(name, 0, 1)
    name = name.replace("1", "x").replace("0", "1").replace("x", "0")
    assert flags(name, 0, 1) == [0, 1]


@pytest.mark.parametrize(
    "name",
    ["relapse (1=no, 0=yes)", "relapse (1=no; 2=yes)", "death (0=yes)", "died (no=1)", "event (1=free)",
     "dfs (1=free)", "death (1=not dead)", "dfs (1=event-free, 0=event)", "died (1=no death)",
     "relapse 1: no event"],
)  # fmt: skip
def test_a_coding_that_says_the_opposite_in_any_words_is_refused(name):
    with pytest.raises(InputError, match="but 1 must be the observed event; recode the column"):
        flags(name, 0, 1)


@pytest.mark.parametrize(
    "name",
    ["relapse (1=yes, 0=no)", "death (0=no)", "died (yes=1)", "event (0=free)", "dfs (0=free; 1=event)",
     "death (0=not dead)", "dfs (0=event-free, 1=event)", "event (1=not censored)", "died (0=no death)"],
)  # fmt: skip
def test_a_coding_that_says_the_event_is_read(name):
    assert flags(name, 0, 1) == [0, 1]


@pytest.mark.parametrize("codes", CODES)
@pytest.mark.parametrize(
    "name",
    ["OS", "os_event", "death", "status", "vital status", "censos", "relapse", "DSS", "event",
     "event-free survival event", "death-censored graft failure", "OS_STATUS", "progression"],
)  # fmt: skip
def test_plain_codes_under_other_names_are_events(name, codes):
    assert flags(name, *codes) == [0, 1]


@pytest.mark.parametrize("codes", CODES)
@pytest.mark.parametrize("name", ["survival", "Survival", "surv", "relapse free survival"])
def test_a_bare_code_of_survival_is_refused(name, codes):
    fix = f"if 1 is the event, rename it '{name} event'"
    with pytest.raises(InputError, match=f"so '.*' would be taken.*{fix}"):
        flags(name, *codes)
    assert flags(f"{name} event", *codes) == [0, 1]
    assert flags(name, "alive", "dead") == [0, 1]


@pytest.mark.parametrize("name", ["alive", "censored", "OS"])
def test_words_say_what_they_mean_under_any_name(name):
    assert flags(name, "Alive", "dead", "censored", "event") == [0, 1, 0, 1]


@pytest.mark.parametrize("code", ["1:LIVING", "0:DECEASED", "1: censored", "0=dead"])
def test_a_code_against_its_word_is_refused(code):
    with pytest.raises(
        InputError, match=f"against its word '{code}' in column 'OS_STATUS', patient 'b'"
    ):
        event_flags(pd.Series(["1:DECEASED", code], list("ab"), name="OS_STATUS"))


@pytest.mark.parametrize(
    ("names", "unit"),
    [
        (["os_days", "pfs.days"], "days"),
        (["OS (months)"], "months"),
        (["time to death, yrs"], "years"),
        (["os_mo"], "months"),
        (["os_time", "T"], ""),
        (["daystar"], ""),
    ],
)
def test_units_are_read_from_names(names, unit):
    assert time_unit(names) == unit


def test_units_that_differ_are_refused_and_missing_ones_are_said():
    with pytest.raises(InputError, match="times are in days, months; a cohort has one unit"):
        time_unit(["os_days", "pfs_months"])
    with pytest.warns(DataWarning, match="column pfs does not say its unit; read in days"):
        assert time_unit(["os_days", "pfs"]) == "days"
