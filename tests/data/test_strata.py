"""Strata of a cohort: one column of the survival table, kept on disk and with a part of the patients."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import Cohort, DataWarning, read_cohort, write_cohort
from jaxsurv.types import InputError

PATIENTS = [f"p{i}" for i in range(6)]
OUTCOME = pd.DataFrame({"os_time": [5.0, 8, 2, 4, 6, 1], "os_event": [1, 0, 1, 1, 0, 1]}, PATIENTS)
RNA = pd.DataFrame({"TP53": [0.3, 2.1, 1, 4, 2, 3], "MYC": [1.5, 0.2, 2, 1, 4, 6.1]}, PATIENTS)
LABELS = ["b", "a", "b", "a", "b", "a"]


def cohort(labels=LABELS, outcome=OUTCOME, **about):
    return Cohort({"rna": RNA}, outcome.assign(stratum=labels), **about)


def test_the_column_becomes_labels_and_numbers():
    c = cohort()
    assert c.endpoints == ("os",)
    assert list(c.survival.columns) == ["os_time", "os_event"]
    assert c.strata.tolist() == LABELS
    assert c.labels == ["a", "b"]
    np.testing.assert_array_equal(c.codes, [1, 0, 1, 0, 1, 0])
    np.testing.assert_array_equal(c.outcome("os").stratum, c.codes)
    assert "strata: b 3, a 3" in repr(c)
    plain = Cohort({"rna": RNA}, OUTCOME)
    assert plain.strata is None
    assert plain.outcome("os").stratum is None
    assert plain.labels == []


@pytest.mark.parametrize("strata", [LABELS, pd.Series(LABELS, PATIENTS)[::-1], np.array(LABELS)])
def test_the_argument_means_the_same_as_the_column(strata):
    given = Cohort({"rna": RNA}, OUTCOME, strata=strata)
    assert given.fingerprint() == cohort().fingerprint()
    assert given.fingerprint() != Cohort({"rna": RNA}, OUTCOME).fingerprint()


@pytest.mark.parametrize("labels", [[2, 1, 2, 1, 2, 1], [2.0, 1, 2, 1, 2, 1]])
def test_numbers_are_labels(labels):
    assert cohort(labels).labels == ["1", "2"]


def test_a_part_keeps_its_strata_and_a_copy_too():
    c = cohort()
    part = c.take(np.array([1, 0, 1, 1, 0, 0], bool))
    assert part.strata.to_dict() == {"p0": "b", "p2": "b", "p3": "a"}
    assert replace(c, name="other").strata.tolist() == LABELS
    gaps = OUTCOME.copy()
    gaps.loc["p0"] = np.nan
    c = cohort(["", *LABELS[1:]], gaps)  # who has no outcome needs no stratum
    np.testing.assert_array_equal(c.codes, [-1, 0, 1, 0, 1, 0])
    assert c.for_endpoint("os").strata.tolist() == LABELS[1:]
    np.testing.assert_array_equal(c.outcome("os").stratum, [0, 1, 0, 1, 0])


def test_strata_come_back_from_disk(tmp_path):
    write_cohort(cohort(), tmp_path / "x")
    again = read_cohort(tmp_path / "x")
    assert again.fingerprint() == cohort().fingerprint()
    assert again.strata.tolist() == LABELS


def test_given_splits_and_published_scores_are_no_modalities(tmp_path):
    write_cohort(cohort(), tmp_path / "x")
    (tmp_path / "x" / "split.csv").write_text("patient,part\np0,train\np1,test\n")
    (tmp_path / "x" / "published.csv").write_text("model,c\nridge,0.7\n")
    assert list(read_cohort(tmp_path / "x").modalities) == ["rna"]


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (
            ["b", None, "b", "a", "b", "a"],
            "missing label .* column 'stratum', patient 'p1'.*give every",
        ),
        (PATIENTS, "every patient is a stratum of one"),
        ([["a"]] * 6, "stratum"),
    ],
)
def test_refused(labels, told):
    with pytest.raises(InputError, match=told):
        cohort(labels)


def test_strata_without_an_outcome_and_twice_are_refused():
    with pytest.raises(InputError, match="a column 'stratum' and no outcome"):
        Cohort({"rna": RNA}, pd.DataFrame({"stratum": LABELS}, PATIENTS))
    with pytest.raises(InputError, match="strata or a column 'stratum'"):
        Cohort({"rna": RNA}, OUTCOME.assign(stratum=LABELS), strata=LABELS)
    with pytest.raises(InputError, match="5 labels and the survival table 6"):
        Cohort({"rna": RNA}, OUTCOME, strata=LABELS[1:])


def test_labels_that_look_alike_are_told():
    with pytest.warns(DataWarning, match="look alike stay apart: 'TCGA' and 'tcga'"):
        cohort(["TCGA", "tcga", "TCGA", "b", "b", "b"])
