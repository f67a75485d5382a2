"""Categories whose names tell an order."""

import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import Cohort
from jaxsurv.preprocess import encode
from jaxsurv.preprocess.ordered import rank, ranks


@pytest.mark.parametrize(
    "names",
    [
        ["Stage I", "Stage IIA", "Stage IIB", "Stage III", "Stage IIIC", "Stage IV"],
        ["stage ia", "stage ib", "stage ii c", "stage iv"],
        ["G1", "G2", "G3", "G4"],
        ["T1a", "T1b", "T2", "t3", "T4"],
        ["pN0", "pN1", "pN2a", "pN2b"],
        ["R0", "R1", "R2"],
        ["Grade 1", "grade 2", "GRADE_3"],
        ["FIGO stage IA", "FIGO stage IIIC", "FIGO stage IV"],
        ["0", "1", "2"],
    ],
)
def test_ranks_are_in_order(names):
    got = [rank(name) for name in names]
    assert None not in got
    assert got == sorted(got)
    assert len(set(got)) == len(got)


@pytest.mark.parametrize(
    "name",
    [
        "[Unknown]",
        "GX",
        "RX",
        "C1A",
        "cluster 2",
        "type 1",
        "Stage",
        "12",
        "IVM",
        "male",
        "",
        "i/ii",
    ],
)
def test_other_names_have_no_rank(name):
    assert rank(name) is None


def test_an_order_needs_three_ranks_and_four_fifths_of_the_patients():
    stages = ["I"] * 3 + ["II"] * 3 + ["III"] * 2
    assert ranks(set(stages), stages) == {"I": rank("I"), "II": rank("II"), "III": rank("III")}
    assert not ranks(["I", "II"], ["I", "II"] * 5)
    assert not ranks({*stages, "other"}, [*stages, *["other"] * 3])
    assert len(ranks({*stages, "other"}, [*stages, *["other"] * 2])) == 3


def _cohort(stage):
    index = [f"p{i}" for i in range(len(stage))]
    survival = pd.DataFrame({"os_time": np.arange(1.0, len(stage) + 1), "os_event": 1}, index)
    clinical = pd.DataFrame({"stage": stage, "age": np.arange(len(stage)) + 40.0}, index)
    return Cohort(modalities={"clinical": clinical}, survival=survival)


def test_ranks_stand_beside_the_levels_and_what_has_none_is_missing():
    encoded = encode(_cohort(["Stage II", "Stage I", None, "Stage IVB", "Stage I"]))
    assert "stage=(rank)" in encoded.names
    column = encoded.x[:, encoded.names.index("stage=(rank)")]
    expected = np.array([rank("II"), rank("I"), np.nan, rank("IVB"), rank("I")], np.float32)
    np.testing.assert_array_equal(column, expected)


def test_categories_without_an_order_have_no_ranks():
    encoded = encode(_cohort(["red", "green", "blue", "red", "green"]))
    assert not any("(rank)" in name for name in encoded.names)
