"""Patients without an outcome are kept by the readers when asked."""

import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import Cohort, read_cohort, write_cohort


@pytest.fixture
def cohort():
    names = [f"p{i}" for i in range(40)]
    rng = np.random.default_rng(1)
    rna = pd.DataFrame(rng.lognormal(4, 1, (40, 32)), names, [f"g{i}" for i in range(32)])
    outcome = {"os_time": rng.uniform(1, 5, 40), "os_event": rng.integers(0, 2, 40)}
    return Cohort({"rna": rna}, pd.DataFrame(outcome, names), {"rna": "counts"})


def test_readers_keep_them_if_asked(cohort, tmp_path):
    write_cohort(cohort, tmp_path / "c")
    survival = cohort.survival.iloc[:25]
    survival.to_csv(tmp_path / "c" / "survival.csv.gz")
    assert len(read_cohort(tmp_path / "c").survival) == 25
    kept = read_cohort(tmp_path / "c", semi_supervised=True)
    pd.testing.assert_frame_equal(kept.modalities["rna"], cohort.modalities["rna"])
    assert kept.survival["os_time"].notna().tolist() == [True] * 25 + [False] * 15
    assert kept.unmatched == {"rna": 0}
    assert len(kept.outcome("os").event) == 25
    write_cohort(kept, tmp_path / "again")
    assert len(read_cohort(tmp_path / "again").survival) == 40
