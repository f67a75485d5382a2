"""Outcomes and clinical columns: what is an event, what is missing, what was known at diagnosis."""

import warnings

import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import DataWarning
from jaxsurv.data.formats.outcomes import (
    clinical_table,
    event_flags,
    outcome_table,
    paired_endpoints,
)
from jaxsurv.types import InputError

CODES = {
    1.0: "1 1.0 1:DECEASED true TRUE yes event Dead deceased died Death relapse Relapsed recurred "
         "recurrence progression Progressed 1:Recurred/Progressed recurred/progressed",
    0.0: "0 0.0 0:LIVING false no none Censored alive Living disease-free DiseaseFree 0:DiseaseFree "
         "progression-free relapse-free recurrencefree",
    np.nan: "NA n/a nan NaN null unknown [Discrepancy] [Not~Available] not~reported -- . ?",
}  # fmt: skip


@pytest.mark.parametrize("flag", CODES)
def test_codes_of_events(flag):
    codes = CODES[flag].replace("~", " ").split(" ") if flag == flag else CODES[flag].split()
    codes = [c.replace("~", " ") for c in codes]
    np.testing.assert_array_equal(event_flags(pd.Series([*codes, f"  {codes[0]} "])), flag)


@pytest.mark.parametrize("code", ["2", "-1", "10", "maybe", "not dead", "undead", "dead?", "1 2"])
def test_other_codes_are_refused(code):
    with pytest.raises(InputError, match="unknown event code"):
        event_flags(pd.Series(["1", "0", code]))


def quietly(function, *arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return function(*arguments)


def test_half_an_outcome_is_none():
    frame = pd.DataFrame(
        {"t": ["1", "", "3", "4"], "e": ["1", "0", "NA", "0"], "u": ["", "2", "3", "NA"], "f": "1"},
        list("abcd"),
    )
    table = quietly(outcome_table, frame, {"os": ("t", "e"), "pfs": ("u", "f")}, "x")
    expected = pd.DataFrame(
        {
            "os_time": [1, np.nan, np.nan, 4], "os_event": [1, np.nan, np.nan, 0],
            "pfs_time": [np.nan, 2, 3, np.nan], "pfs_event": [np.nan, 1, 1, np.nan],
        },
        list("abcd"),
    )  # fmt: skip
    pd.testing.assert_frame_equal(table, expected)
    only = quietly(outcome_table, frame, {"os": ("t", "e")}, "x")
    assert list(only.index) == ["a", "d"]


def test_pairs_of_columns():
    columns = pd.Index(["OS_MONTHS", "DFS_STATUS", "OS_STATUS", "PFS_MONTHS", "_MONTHS", "_STATUS"])
    assert paired_endpoints(columns, "_MONTHS", "_STATUS") == {"os": ("OS_MONTHS", "OS_STATUS")}


KNOWN_AT_DIAGNOSIS = (
    "AGE Sex gender age_at_initial_pathologic_diagnosis Diagnosis~Age AJCC_PATHOLOGIC_TUMOR_STAGE "
    "GRADE tumor_grade ISS R-ISS D_PT_iss_1 PATH_T_STAGE pathologic_N histological_type HISTOLOGY "
    "clinical_stage D_PT_age"
)
LATER = (
    "days_to_death OS_STATUS age_at_death AGE_AT_LAST_CONTACT grade_at_relapse stage_of_recurrence "
    "sex_partner new_tumor_event vital_status gender_of_reporter treatment histology_review_died "
    "message stages_until_death iss_after_relapse"
)


def test_columns_known_at_diagnosis_are_taken_alone():
    """Any other may tell the outcome: names must match as a whole."""
    names = [n.replace("~", " ") for n in (LATER + " " + KNOWN_AT_DIAGNOSIS).split()]
    frame = pd.DataFrame({n: ["1", "2", "3"] for n in names}, list("abc"))
    table = quietly(clinical_table, frame, None, "x")["clinical"]
    assert set(table) == {n.replace("~", " ") for n in KNOWN_AT_DIAGNOSIS.split()}


def test_columns_with_one_value_say_nothing():
    frame = pd.DataFrame(
        {
            "age": ["60", "NA", "50"],
            "sex": ["f", "f", "[Not Available]"],
            "stage": ["I", "II", "II"],
        },
        list("abc"),
    )
    table = quietly(clinical_table, frame, None, "x")["clinical"]
    assert list(table) == ["age", "stage"]
    np.testing.assert_array_equal(table["age"], [60, np.nan, 50])
    assert quietly(clinical_table, frame[["sex"]], None, "x") == {}
    named = quietly(clinical_table, frame.assign(note=["x", "y", "NA"]), ["note", "sex"], "x")
    assert list(named["clinical"]) == ["note"]
    assert list(named["clinical"].index) == ["a", "b"]  # nothing is known of c
