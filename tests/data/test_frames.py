"""Cohorts of tables that are not pandas': the patients are a column, everything is read by name."""

import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import Cohort
from jaxsurv.types import InputError

NAMES = list("abcd")
SURVIVAL = pd.DataFrame(
    {"os_time": [5.0, 8, 2, 9], "os_event": [1, 0, 1, 1], "stratum": [*"uuvv"]}, NAMES
)
TABLES = {
    "rna": pd.DataFrame({"x": [0.3, 2.1, 0.4], "y": [1.5, 0.2, 7.5]}, ["c", "a", "b"]),
    "clinical": pd.DataFrame({"age": [61.0, np.nan, 50, 40], "sex": [*"fmfm"]}, NAMES),
}


def records(frame):
    return frame.rename_axis("patient").reset_index().to_records(index=False)


def polars(frame):
    columns = frame.rename_axis("patient").reset_index().to_dict("list")
    return pytest.importorskip("polars").DataFrame(columns, nan_to_null=True)


def arrow(frame):
    columns = frame.rename_axis("patient").reset_index().to_dict("list")
    return pytest.importorskip("pyarrow").table(columns)


def arrow_of_pandas(frame):
    return pytest.importorskip("pyarrow").Table.from_pandas(frame)


@pytest.mark.parametrize("make", [records, polars, arrow, arrow_of_pandas])
def test_a_cohort_of_other_tables_is_the_same_cohort(make):
    expected = Cohort(TABLES, SURVIVAL)
    made = Cohort({m: make(t) for m, t in TABLES.items()}, make(SURVIVAL))
    assert made.fingerprint() == expected.fingerprint()
    mixed = Cohort({**TABLES, "rna": make(TABLES["rna"])}, SURVIVAL)
    assert mixed.fingerprint() == expected.fingerprint()


@pytest.mark.parametrize("make", [records, polars, arrow])
def test_tables_whose_rows_nobody_named_are_refused(make):
    nameless = TABLES["rna"].reset_index(names="id")
    if make is records:
        nameless = nameless.to_records(index=False)
    else:
        nameless = make(nameless)
        nameless = nameless.drop("patient") if make is polars else nameless.drop_columns("patient")
    told = r"modality 'rna' is a \w+ table.* column 'patient'; there are id, x"
    with pytest.raises(InputError, match=told):
        Cohort({"rna": nameless}, SURVIVAL)
    with pytest.raises(InputError, match=r"survival table is a .* column 'patient'"):
        Cohort(TABLES, nameless)
