"""The tables of a cohort report, against hand computations and the naive reverse curve."""

import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import Cohort, load_tcga_acc
from jaxsurv.data.describe import (
    endpoint_table,
    missing_table,
    modality_table,
    outlier_table,
    pattern_table,
    robust_z,
)


def test_median_follow_up_treats_censoring_as_the_event():
    # Deaths at 1 and 3, censored at 2, 4, 6: of the reverse curve, 3/4 after 2, 3/8 after 4.
    outcome = pd.DataFrame(
        {"os_time": [1.0, 2, 3, 4, 6], "os_event": [1, 0, 1, 0, 0]}, list("abcde")
    )
    cohort = Cohort({"m": pd.DataFrame({"x": np.arange(5.0)}, list("abcde"))}, outcome)
    row = endpoint_table(cohort).loc["os"]
    assert (row["patients"], row["events"], row["last"]) == (5, 2, 6)
    assert row["follow_up"] == 4
    assert np.isnan(row["survival"])  # 0.8, 0.8 * 2/3 = 0.53: never a half
    assert np.isnan(row["follow_up_upper"])


def test_columns_with_missing_values_are_named():
    clinical = pd.DataFrame(
        {"age": [50.0, np.nan, 60, 61], "grade": [None, "II", "I", None], "sex": list("fmfm")},
        list("abcd"),
    )
    rna = pd.DataFrame({"g": [1.5, 2, np.nan]}, list("abe"))  # e has no outcome
    outcome = pd.DataFrame({"os_time": [1.0, 2, 3, 4], "os_event": [1, 0, 1, 0]}, list("abcd"))
    rows = missing_table(Cohort({"clinical": clinical, "rna": rna}, outcome)).to_numpy().tolist()
    assert rows == [["clinical", "grade", 2, 4], ["clinical", "age", 1, 4]]


def test_tables_of_a_real_cohort():
    cohort = load_tcga_acc()
    modalities = modality_table(cohort)
    assert modalities.loc["mutation", ["kind", "patients", "features", "constant"]].tolist() == [
        "binary",
        90,
        97,
        24,
    ]
    patterns = pattern_table(cohort)
    assert patterns["patients"].sum() == 92
    assert patterns.iloc[0].drop("patients").all()
    assert patterns.loc[0, "patients"] == cohort.complete.sum()
    assert patterns["patients"].is_monotonic_decreasing


@pytest.fixture
def planted():
    rng = np.random.default_rng(0)
    ids = [f"p{i}" for i in range(60)]
    protein = pd.DataFrame(rng.normal(5, 2, (60, 8)), ids).add_prefix("g")
    protein.iloc[7, [2, 3]] = 200.0, -150.0
    counts = pd.DataFrame(rng.poisson(50, (60, 4)), ids).add_prefix("c").astype(float)
    counts.iloc[9, 1] = 1e9
    code = pd.DataFrame(rng.integers(0, 2, (60, 2)), ids).add_prefix("m")
    outcome = pd.DataFrame({"os_time": rng.random(60), "os_event": 1}, ids)
    modalities = {"protein": protein, "rna": counts, "mutation": code}
    return Cohort(modalities, outcome, {"rna": "counts"})


def test_outliers_are_found_and_named(planted):
    found = outlier_table(planted)
    assert found[["modality", "patient", "cells"]].to_numpy().tolist() == [
        ["protein", "p7", 2],
        ["rna", "p9", 1],
    ]
    first = found.iloc[0]
    x = planted.modalities["protein"]["g2"].to_numpy()
    z = (200 - np.median(x)) / (1.4826 * np.median(np.abs(x - np.median(x))))
    assert (first["feature"], first["value"], first["share"]) == ("g2", 200, 0.25)
    assert first["z"] == pytest.approx(z, rel=1e-4)
    assert outlier_table(planted, beyond=1e6).empty


def test_codes_and_constant_columns_have_no_scale(planted):
    assert robust_z(planted.modalities["mutation"], "binary").empty
    flat = pd.DataFrame({"a": [1.0, 1, 1, 50], "b": [1.0, 2, 3, 4]})
    z = robust_z(flat, "continuous")
    assert z["a"].isna().all()
    assert z["b"].notna().all()
