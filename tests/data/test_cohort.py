"""The cohort: alignment, endpoints, presence, identity, and what it warns about."""

import warnings

import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import Cohort, DataWarning, load_tcga_acc
from jaxsurv.types import InputError

OUTCOME = pd.DataFrame(
    {
        "os_time": [9.0, 4.0, 6.0, 2.0],
        "os_event": [1, 0, 1, 0],
        "pfi_time": [np.nan, 3.0, 5.0, 1.0],
        "pfi_event": [np.nan, 1, 0, 1],
        "pfi_entry": [np.nan, 0.0, 1.0, 0.5],
    },
    index=list("abcd"),
)
RNA = pd.DataFrame({"g1": [1.5, -2, 0.3, 7], "g2": [0.1, 0.2, 0.3, 0.4]}, index=list("dxba"))
CNV = pd.DataFrame({"g1": [-1, 2]}, index=list("ca"))


def cohort(outcome=OUTCOME, rna=RNA, cnv=CNV, **settings):
    return Cohort({"rna": rna, "cnv": cnv}, outcome, **settings)


def test_rows_follow_the_survival_table():
    c = cohort()
    assert list(c.modalities["rna"].index) == ["a", "b", "d"]
    assert c.modalities["rna"].loc["d", "g1"] == 1.5
    assert c.unmatched == {"rna": 1, "cnv": 0}
    assert c.kinds == {"rna": "continuous", "cnv": "five_state"}
    np.testing.assert_array_equal(c.presence["rna"], [True, True, False, True])
    np.testing.assert_array_equal(c.presence["cnv"], [True, False, True, False])
    np.testing.assert_array_equal(c.complete, [True, False, False, False])


def test_outcome_leaves_out_patients_without_a_label():
    c = cohort()
    assert c.endpoints == ("os", "pfi")
    pfi = c.outcome("pfi")
    np.testing.assert_array_equal(pfi.event, [1, 0, 1])
    np.testing.assert_array_equal(pfi.time, [3, 5, 1])
    np.testing.assert_array_equal(pfi.entry, [0, 1, 0.5])
    assert c.outcome("os").entry is None
    assert len(c.outcome("os").time) == 4


def test_for_endpoint_has_the_rows_of_the_outcome():
    c = cohort().for_endpoint("pfi")
    assert list(c.survival.index) == ["b", "c", "d"]
    assert list(c.modalities["cnv"].index) == ["c"]
    np.testing.assert_array_equal(c.outcome("pfi").time, cohort().outcome("pfi").time)
    assert c.endpoints == ("os", "pfi")
    with pytest.raises(InputError, match="unknown endpoint 'dss'; there are os, pfi"):
        c.for_endpoint("dss")
    nobody = OUTCOME.assign(pfi_time=np.nan, pfi_event=np.nan)
    with pytest.raises(InputError, match="endpoint 'pfi' has no patient with a time and an event"):
        cohort(nobody).outcome("pfi")


def test_a_modality_of_other_patients_is_refused():
    with pytest.raises(InputError, match=r"'cnv' has no patient in common .*\(x, y against a, b"):
        cohort(cnv=CNV.set_axis(["x", "y"]))
    with pytest.raises(InputError, match="its columns are patients: transpose it"):
        cohort(rna=RNA.T)
    with pytest.raises(InputError, match="at least one modality"):
        Cohort({}, OUTCOME)
    with pytest.raises(
        InputError, match=r"kinds names rnaseq, which is not a modality; .* rna, cnv"
    ):
        cohort(kinds={"rnaseq": "counts"})


def test_constant_features_warn_and_features_without_values_are_refused():
    constant = RNA.assign(flat=1.0, flatter=np.nan).astype(float)
    constant.loc["a", "flatter"] = 3.0
    with pytest.warns(DataWarning, match=r"2 of 4 in 'rna' \(flat, flatter\)") as caught:
        c = cohort(rna=constant)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        c.for_endpoint("os")  # said once
        cohort(cnv=CNV.loc[["c"]])  # one patient says nothing about a feature
    with pytest.raises(InputError, match=r"'rna': no patient has a value in column empty; drop"):
        cohort(rna=RNA.assign(empty=np.nan))
    # Its one value belongs to a patient without outcome.
    with pytest.raises(InputError, match="no patient has a value in column away"):
        cohort(rna=RNA.assign(away=[np.nan, 1.0, np.nan, np.nan]))
    with pytest.raises(
        InputError, match=r"'cnv': every column is constant \(g1\); drop the modality"
    ):
        cohort(cnv=CNV * 0)


@pytest.mark.filterwarnings("ignore:.* have no modality at all:jaxsurv.data.DataWarning")
def test_fingerprint_knows_values_names_and_kinds_but_no_order_of_rows():
    same = cohort(OUTCOME.iloc[::-1], RNA.sample(frac=1, random_state=0), CNV.astype(object))
    assert same.fingerprint() == cohort().fingerprint()
    assert cohort(name="other", title="t").fingerprint() == cohort().fingerprint()
    others = [
        cohort(OUTCOME.assign(os_time=[9.0, 4.0, 6.0, 2.5])),
        cohort(rna=RNA.rename(columns={"g1": "g3"})),
        cohort(rna=RNA.rename(index={"b": "c"})),
        cohort(rna=RNA.replace(0.1, np.nan)),
        cohort(rna=RNA + 1e-12),
        cohort(kinds={"cnv": "continuous"}),
        Cohort({"rna": RNA, "gistic": CNV}, OUTCOME),
    ]
    prints = [cohort().fingerprint(), *(c.fingerprint() for c in others)]
    assert len(set(prints)) == len(prints)


def test_patients_without_any_modality_are_told_once():
    with pytest.warns(
        DataWarning, match=r"1 of 4 patients have no modality at all: b; they count"
    ) as caught:
        c = cohort(rna=RNA.drop("b"))
    assert len(caught) == 1
    assert caught[0].filename == __file__
    c.for_endpoint("pfi").take(np.array([True, False, True]))
    c.renamed("again")
    unlabelled = OUTCOME.copy()
    unlabelled.loc["b"] = np.nan
    cohort(unlabelled, rna=RNA.drop("b"))  # nothing is known of b, and nothing said


def test_fingerprint_knows_categories():
    def clinical(*sex):
        frame = pd.DataFrame({"sex": sex, "age": [50.0, 60.0]}, index=list("ab"))
        return Cohort({"clinical": frame}, OUTCOME[:2]).fingerprint()

    assert len({clinical("f", "m"), clinical("m", "f"), clinical("f", "mf")}) == 3


def test_the_given_tables_stay_as_they_were():
    outcome, rna = OUTCOME.copy(), RNA.copy()
    c = cohort(outcome, rna)
    c.modalities["rna"].iloc[0, 0] = 99.0
    c.survival.iloc[0, 0] = 99.0
    pd.testing.assert_frame_equal(outcome, OUTCOME)
    pd.testing.assert_frame_equal(rna, RNA)


def test_repr_says_what_is_there():
    text = repr(cohort(title="A title", time_unit="days"))
    assert "A title" in text
    assert "4 patients, 1 with every modality" in text
    assert "pfi: 2 events in 3 patients, median time 3 days" in text
    assert "rna  continuous, 3 x 2, 1 patients without outcome left out" in text
    assert "2 patients have rna\n" in text
    assert "43 patients have clinical, cnv, mirna, mutation, protein, rna" in repr(load_tcga_acc())


def test_some_patients_of_a_cohort():
    whole = cohort()
    rows = np.array([True, False, True, False])
    some = whole.take(rows)
    assert list(some.survival.index) == ["a", "c"]
    assert list(some.modalities["rna"].index) == ["a"]
    assert list(some.modalities["cnv"].index) == ["a", "c"]
    assert some.kinds == whole.kinds
    # as if it had been made of them, but for who is left out
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        made = Cohort(whole.modalities, whole.survival[rows], whole.kinds)
    assert some.fingerprint() == made.fingerprint()
    assert some.unmatched == whole.unmatched  # who is not taken has an outcome
    assert whole.take(np.ones(4, bool)) is whole
    assert list(whole.take(np.array([False, False, True, False])).modalities) == ["cnv"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.array([0, 2]), "rows must be 4 booleans, got int64 of shape"),
        (np.ones(3, bool), r"rows must be 4 booleans, got bool of shape \(3,\)"),
        (np.zeros(4, bool), "none of the 0 patients has a modality"),
    ],
)
def test_rows_to_take_are_checked(rows, message):
    with pytest.raises(InputError, match=message):
        cohort().take(rows)


def test_the_problems_of_all_tables_are_told_at_once():
    bad = {
        "rna": RNA.replace(7, np.inf),
        "cnv": CNV.set_axis(["c", "c"]),
        "clinical": RNA.rename(index={"a": ""}),
    }
    outcome = OUTCOME.assign(os_event=2, pfi_time=-1.0)
    with pytest.raises(InputError) as caught:
        Cohort(bad, outcome)
    assert len(str(caught.value).splitlines()) == 5  # two of the survival table
    assert "os_event" in str(caught.value)
    assert "negative time" in str(caught.value)
    for name, table in bad.items():
        with pytest.raises(InputError) as alone:
            Cohort({name: table}, OUTCOME)
        assert str(alone.value) in str(caught.value)
    names = [f"p{i}" for i in range(30)]
    outcome = pd.DataFrame({"os_time": np.arange(30) + 1.5, "os_event": 1.0}, names)
    copied = pd.DataFrame({"copy": outcome["os_time"], "g": np.arange(30) % 7 / 3})
    with pytest.raises(InputError, match=r"(?s)'rna': column copy is the .*\n.*'cnv' has no pat"):
        Cohort({"rna": copied, "cnv": CNV}, outcome)
