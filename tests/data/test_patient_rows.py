"""Patients with several rows: how they are made, checked, cut, joined, written and described."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxsurv.data import (
    Cohort,
    DataWarning,
    concat_cohorts,
    grouped_kfold,
    landmark_cohort,
    read_cohort,
    read_splits,
    stratified_kfold,
    without_test,
    write_cohort,
)
from jaxsurv.data.__main__ import main
from jaxsurv.data.describe import endpoint_table, modality_table
from jaxsurv.data.readers import read_features
from jaxsurv.survival import cox_fit
from jaxsurv.types import InputError
from tests.data.several_rows import LONG, OUTCOME, changing, cut


def rows(*given, endpoint="os"):
    """A survival table of ``(patient, entry, time, event)``."""
    table = pd.DataFrame(given, columns=["patient", "entry", "time", "event"]).set_index("patient")
    return table.add_prefix(f"{endpoint}_")


AGE = pd.DataFrame({"age": [50.0, 61, 72]}, index=list("abc"))
THREE = rows(("a", 0, 4, 0), ("a", 4, 9, 1), ("b", 0, 5, 1), ("c", 2, 7, 0))
LAB = pd.DataFrame({"from": [0.0, 4, 1, 0], "ldh": [1.0, 2, 3, 4]}, index=["a", "a", "b", "c"])


def test_a_value_holds_from_its_time_until_the_next():
    cohort = Cohort({"clinical": AGE, "lab": LAB}, THREE)
    assert list(cohort.survival.index) == ["a from 0", "a from 4", "b from 0", "b from 1", "c"]
    assert list(cohort.patients) == ["a", "a", "b", "b", "c"]
    np.testing.assert_array_equal(cohort.survival["os_time"], [4, 9, 1, 5, 7])
    np.testing.assert_array_equal(cohort.survival["os_entry"], [0, 4, 0, 1, 2])
    np.testing.assert_array_equal(cohort.survival["os_event"], [0, 1, 0, 1, 0])
    assert cohort.modalities["lab"]["ldh"].to_dict() == {
        "a from 0": 1, "a from 4": 2, "b from 1": 3, "c": 4,
    }  # fmt: skip
    assert list(cohort.modalities["clinical"]["age"]) == [50, 50, 61, 61, 72]


def test_one_row_per_patient_enters_at_0_and_is_cut_by_the_tables():
    whole = rows(("a", 0, 9, 1), ("b", 0, 5, 1), ("c", 0, 7, 0)).drop(columns="os_entry")
    cohort = Cohort({"lab": LAB, "clinical": AGE}, whole)
    assert list(cohort.survival.index) == ["a from 0", "a from 4", "b from 0", "b from 1", "c"]
    np.testing.assert_array_equal(cohort.survival["os_event"], [0, 1, 0, 1, 0])
    with pytest.warns(DataWarning, match="1 values hold from the end of the follow-up .* of b"):
        Cohort({"lab": LAB.assign(**{"from": [0.0, 4, 5, 0]}), "clinical": AGE}, whole)


def test_an_endpoint_that_ended_has_no_more_rows():
    both = THREE.assign(
        pfs_entry=[0, np.nan, 0, 2], pfs_time=[3, np.nan, 5, 7], pfs_event=[1, np.nan, 0, 0]
    )
    cohort = Cohort({"lab": LAB, "clinical": AGE}, both)
    pfs = cohort.outcome("pfs")
    np.testing.assert_array_equal(pfs.time, [3, 1, 5, 7])
    np.testing.assert_array_equal(pfs.entry, [0, 0, 1, 2])
    np.testing.assert_array_equal(pfs.event, [1, 0, 0, 0])
    assert list(cohort.for_endpoint("pfs").patients) == ["a", "b", "b", "c"]


WRONG = {
    "overlap": (
        rows(("a", 0, 4, 0), ("a", 3, 9, 1), ("b", 0, 5, 1)),
        r"of patient 'a' the rows \(0, 4\] and \(3, 9\] of 'os' overlap",
    ),
    "the same row twice": (rows(("a", 0, 4, 0), ("a", 0, 4, 0), ("b", 0, 5, 1)), "overlap"),
    "an event before the last row": (
        rows(("a", 0, 4, 1), ("a", 4, 9, 0), ("b", 0, 5, 1)),
        "of 'os': the first has an event; only the last row of a patient may have one",
    ),
    "two events": (
        rows(("a", 0, 4, 1), ("a", 4, 9, 1), ("b", 0, 5, 1)),
        "both have an event; .* of an event that recurs only the first counts",
    ),
    "entry at time": (
        rows(("a", 0, 4, 0), ("a", 9, 9, 1), ("b", 0, 5, 1)),
        r"the entry 9.0 in column 'os_entry', patient 'a, row 2'; it must be given and be before",
    ),
    "no entry": (
        rows(("a", 0, 4, 0), ("a", np.nan, 9, 1), ("b", 0, 5, 1)),
        "the entry nan in column 'os_entry', patient 'a, row 2'",
    ),
    "no column of entry": (
        rows(("a", 0, 4, 0), ("a", 4, 9, 1), ("b", 0, 5, 1)).assign(pfs_time=4, pfs_event=0),
        "patients have several rows, and there is no column 'pfs_entry'",
    ),
    "a row without an outcome": (
        rows(("a", 0, 4, 0), ("a", np.nan, np.nan, np.nan), ("b", 0, 5, 1)),
        "a, row 2 has no outcome",
    ),
    "two strata": (
        rows(("a", 0, 4, 0), ("a", 4, 9, 1), ("b", 0, 5, 1)).assign(stratum=["x", "y", "y"]),
        "patients with rows in two strata: a",
    ),
}


@pytest.mark.parametrize(("table", "message"), WRONG.values(), ids=WRONG)
def test_rows_that_cannot_be_are_refused(table, message):
    with pytest.raises(InputError, match=message):
        Cohort({"clinical": AGE}, table)


def test_tables_that_cannot_be_are_refused():
    for lab, message in [
        (LAB.rename(index={"c": "d"}), "patients without a row in the survival table: d"),
        (LAB.assign(**{"from": 0.0}), "patient 'a' has two rows from 0"),
        (
            LAB.assign(**{"from": [0, 4, np.nan, 0]}),
            "the missing time nan in column 'from', patient 'b'",
        ),
        (
            LAB.assign(**{"from": [0, 4, "soon", 0]}),
            "the non-numeric value 'soon' in column 'from'",
        ),
        (LAB.drop(columns="from"), "duplicate patients: a; .* add a column 'from'"),
        (LAB.rename(index={"a": "A"}), "names differ in spelling alone"),
    ]:
        with pytest.raises(InputError, match=message):
            Cohort({"lab": lab, "clinical": AGE}, THREE)


def test_a_gap_is_allowed_and_said():
    gap = rows(("a", 0, 4, 0), ("a", 6, 9, 1), ("b", 0, 5, 1), ("c", 2, 7, 0))
    with pytest.warns(DataWarning, match="1 patients have gaps between their rows of 'os': a;"):
        cohort = Cohort({"clinical": AGE}, gap)
    np.testing.assert_array_equal(cohort.outcome("os").entry, [0, 6, 0, 2])
    later = landmark_cohort(cohort, "os", 3)  # whose follow-up ends at the gap
    assert later.outcome("os").event.tolist() == [0, 1, 0]
    assert later.outcome("os").time.tolist() == [1, 2, 4]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        near = rows(("a", 0, 0.3, 0), ("a", 0.1 + 0.2, 9, 1), ("b", 0, 5, 1), ("c", 2, 7, 0))
        joined = Cohort({"clinical": AGE}, near)  # 0.1 + 0.2 is 0.3
    assert joined.patients is None
    np.testing.assert_array_equal(joined.outcome("os").entry, [0, 0, 2])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_rows_cut_anywhere_are_the_same_cohort(seed):
    tables = changing(seed % 7)
    whole = Cohort(tables, OUTCOME)
    survival = cut(whole.survival.set_axis(whole.patients, axis=0), np.random.default_rng(seed))
    assert len(survival) > len(whole.survival)
    survival = survival[whole.survival.columns].sample(frac=1, random_state=seed)
    assert Cohort(tables, survival).fingerprint() == whole.fingerprint()


def test_a_cox_model_of_rows_cut_anywhere_is_the_same():
    whole = Cohort(changing(0), OUTCOME)
    pieces = cut(whole.survival, np.random.default_rng(1))
    x = whole.modalities["lab"]
    one, other = (
        cox_fit(
            z.loc[t.index].to_numpy(), *t[["os_event", "os_time"]].to_numpy().T, entry=t["os_entry"]
        )
        for z, t in ((x, whole.survival), (x, pieces))
    )
    assert len(pieces) > 1.5 * len(x)
    np.testing.assert_allclose(other.coef, one.coef, rtol=1e-9)
    np.testing.assert_allclose(other.covariance, one.covariance, rtol=1e-9)


def test_tables_of_changes_and_a_long_table_are_the_same_cohort():
    whole = Cohort(changing(0), OUTCOME)
    lab = LONG[["ldh", "crp"]].assign(**{"from": LONG["os_entry"]})
    tables = {"lab": lab, "clinical": changing(0)["clinical"]}
    assert Cohort(tables, LONG[whole.survival.columns]).fingerprint() == whole.fingerprint()


def test_a_cohort_is_written_and_read_as_it_is(tmp_path):
    tables = changing(0)
    # a modality that a patient no longer has
    tables["extra"] = pd.DataFrame({"from": [0.0, 3], "z": [1.0, np.nan]}, index=["p0", "p0"])
    for p in ("p1", "p2"):
        tables["extra"].loc[p] = [0.0, 2.0 + len(p)]
    tables["extra"].loc["p2", "z"] = 5.0
    survival = OUTCOME.assign(stratum=np.where(np.arange(len(OUTCOME)) % 2, "x", "y"))
    cohort = Cohort(tables, survival, time_unit="days")
    write_cohort(cohort, tmp_path / "a")
    again = read_cohort(tmp_path / "a")
    assert again.fingerprint() == cohort.fingerprint()
    pd.testing.assert_series_equal(again.patients, cohort.patients)
    with pytest.raises(InputError, match=r"lab.csv.gz: values change .* takes those of one time"):
        read_features(tmp_path / "a", cohort.kinds)
    with pytest.raises(InputError, match="cannot be kept where patients have several rows"):
        read_cohort(tmp_path / "a", semi_supervised=True)


def test_files_are_read_by_entry_and_from(tmp_path):
    THREE.to_csv(tmp_path / "survival.csv")
    LAB.rename_axis("patient").to_csv(tmp_path / "lab.csv")
    AGE.rename_axis("patient").to_csv(tmp_path / "clinical.csv")
    cohort = read_cohort(tmp_path)
    assert cohort.fingerprint() == Cohort({"clinical": AGE, "lab": LAB}, THREE).fingerprint()
    WRONG["overlap"][0].to_csv(tmp_path / "survival.csv")
    with pytest.raises(InputError, match=r"rows \(0, 4\] and \(3, 9\] of 'os' overlap"):
        read_cohort(tmp_path)


def test_patients_and_rows_are_both_counted():
    cohort = Cohort(changing(0), OUTCOME)
    n, patients = len(cohort.survival), len(OUTCOME)
    assert n > patients
    text = repr(cohort)
    assert f"{patients} patients, {patients} with every modality" in text
    assert f"{n} rows, as values of patients change" in text
    assert f"os: {OUTCOME['os_event'].sum()} events in {patients} patients" in text
    table = endpoint_table(cohort).loc["os"]
    once = Cohort({"clinical": changing(0)["clinical"]}, OUTCOME)
    pd.testing.assert_series_equal(table, endpoint_table(once).loc["os"])
    assert modality_table(cohort)["patients"].tolist() == [patients, patients]


def test_the_report_counts_patients_and_says_the_rows(tmp_path, capsys):
    cohort = Cohort(changing(0), OUTCOME)
    write_cohort(cohort, tmp_path / "cohort")
    assert main(["describe", str(tmp_path / "cohort"), "--out", str(tmp_path / "out")]) == 0
    told = f"the {len(OUTCOME)} have {len(cohort.survival)} rows, and the last of each is"
    assert told in " ".join(capsys.readouterr().out.split())
    page = (tmp_path / "out" / "report.html").read_text()
    assert told in page
    assert f"{len(OUTCOME)} patients with 2 modalities" in page


def test_folds_deal_patients_by_their_event():
    cohort = Cohort(changing(0), OUTCOME)
    event, who = cohort.outcome("os").event, cohort.patients
    splits = stratified_kfold(event, folds=4, repeats=2, patient=who)
    per_patient = stratified_kfold(OUTCOME["os_event"], folds=4, repeats=2)
    number = pd.Index(sorted(OUTCOME.index)).get_indexer(who)
    for name in ("train", "validation", "test"):
        mask = getattr(splits, name)
        assert mask.shape == (*getattr(per_patient, name).shape[:-1], len(event))
        for part in mask.reshape(-1, len(event)):
            assert (pd.Series(part).groupby(who.to_numpy()).nunique() == 1).all()
    counts = (splits.test & (event > 0)).sum(axis=1)
    assert np.ptp(counts) <= 1
    assert counts.sum() == 2 * event.sum()
    deal = without_test(event, np.ones(len(event), bool), patient=who)
    assert (pd.Series(deal.validation[0, 0]).groupby(number).nunique() == 1).all()
    some = np.arange(len(event)) > 0
    for dealt in (
        lambda: stratified_kfold(event, eligible=some, patient=who),
        lambda: without_test(event, some, patient=who),
    ):
        with pytest.raises(InputError, match="some rows of a patient are in a part and others are"):
            dealt()
    with pytest.raises(InputError, match="patient must be one label per row"):
        stratified_kfold(event, patient=who[1:])
    groups = grouped_kfold(event, who.to_numpy(), folds=4)
    assert (pd.Series(groups.test[0]).groupby(number).nunique() == 1).all()


def test_a_file_of_splits_names_patients(tmp_path):
    cohort = Cohort(changing(0), OUTCOME)
    part = pd.Series(np.where(np.arange(len(OUTCOME)) < 45, "train", "test"), OUTCOME.index)
    part.rename("part").to_csv(tmp_path / "split.csv")
    splits = read_splits(tmp_path / "split.csv", cohort, "os")
    np.testing.assert_array_equal(splits.test[0], part[cohort.patients] == "test")
    assert (pd.Series(splits.train[0, 0]).groupby(cohort.patients.to_numpy()).nunique() == 1).all()


def test_pooled_cohorts_keep_their_patients():
    one = Cohort(changing(0), OUTCOME, name="one")
    other = OUTCOME.rename(index=lambda p: p.replace("p", "q"))
    tables = {m: t.rename(index=lambda p: p.replace("p", "q")) for m, t in changing(0).items()}
    two = Cohort(tables, other, name="two")
    pooled = concat_cohorts([one, two])
    assert list(pooled.patients) == [*one.patients, *two.patients]
    with pytest.raises(InputError, match="patients are in 'one' and in 'two'"):
        concat_cohorts([one, one.renamed("two")])


def test_landmark_cohort_is_an_ordinary_cohort():
    cohort = Cohort({"clinical": AGE, "lab": LAB}, THREE, kinds={"lab": "continuous"})
    at = landmark_cohort(cohort, "os", 4, horizon=3)
    assert at.patients is None
    assert list(at.survival.index) == ["a", "b", "c"]
    assert at.modalities["lab"]["ldh"].to_dict() == {"a": 2, "b": 3, "c": 4}
    np.testing.assert_array_equal(at.outcome("os").time, [3, 1, 3])
    np.testing.assert_array_equal(at.outcome("os").event, [0, 1, 0])
    assert at.outcome("os").entry is None
    with pytest.raises(InputError, match=r"landmark 9 is not before the last follow-up, .* at 9"):
        landmark_cohort(cohort, "os", 9)
    with pytest.raises(InputError, match="unknown endpoint 'pfs'"):
        landmark_cohort(cohort, "pfs", 1)
    causes = Cohort(
        {"clinical": AGE}, THREE.assign(os_event=[0, 2, 1, 0]), causes={"os": ["relapse", "death"]}
    )
    assert landmark_cohort(causes, "os", 1).survival["os_event"].tolist() == [2, 1]
    assert landmark_cohort(causes.of_cause("os", "death"), "os", 1).outcome(
        "os"
    ).event.tolist() == [1, 0]
