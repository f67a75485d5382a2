"""X and y in every form that people have, and what is refused, by name."""

import warnings

import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import Cohort, DataWarning
from jaxsurv.estimators.inputs import read_patients
from jaxsurv.estimators.outcomes import labelled_cohort
from jaxsurv.types import InputError

X = pd.DataFrame(
    {"a": [0.1, 1.2, 2.3, 3.4], "b": [4.5, 3.4, 2.0, 1.5], "c": [1.0, 5.5, 2.5, 7.5]},
    index=list("wxyz"),
)
EVENT, TIME = np.array([True, False, True, True]), np.array([5.0, 6.0, 7.0, 0.5])
Y = np.array(list(zip(EVENT, TIME, strict=True)), dtype=[("status", bool), ("days", float)])
FRAME = pd.DataFrame({"event": EVENT, "time": TIME}, index=X.index)


def read(x, y, modalities=None, kinds=None, unlabelled=False):
    return labelled_cohort(x, y, modalities, kinds or {}, unlabelled=unlabelled)


def outcome(x, y, **options):
    cohort, endpoint = read(x, y, **options)
    return cohort.outcome(endpoint)


@pytest.mark.parametrize(
    "y",
    [
        Y,
        np.array(list(zip(TIME, EVENT, strict=True)), dtype=[("a", "f4"), ("b", bool)]),
        FRAME,
        FRAME.set_axis(["os_event", "os_time"], axis=1),
        FRAME.iloc[::-1],
        FRAME.astype({"event": "Int64", "time": "Float64"}),
        FRAME.astype(object),
        (EVENT, TIME),
        (EVENT.astype(int).tolist(), TIME.tolist()),
        (FRAME["event"], FRAME["time"]),
        (EVENT, FRAME["time"]),
    ],
    ids=str,
)
def test_all_forms_of_an_outcome_are_one(y):
    got = outcome(X, y)
    np.testing.assert_array_equal(got.event, EVENT)
    np.testing.assert_array_equal(got.time, TIME)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ((TIME, EVENT), "look swapped: the order is"),
        ((TIME, EVENT + 1), "look swapped: the order is"),
        ((np.array([1, 2, 1, 2]), TIME), r"value 2; events are 1 \(observed\) or 0"),
        ((np.array(["dead", "alive"] * 2), TIME), "event in y is text, such as 'dead'; give True"),
        ((pd.Series(["1", "0"] * 2, dtype="string"), TIME), "event in y is text, such as '1'"),
        ((EVENT, np.array(["5", "6", "7", "8"])), "time in y is text, such as '5'"),
        ((EVENT, -TIME), "negative time"),
        ((EVENT, TIME[:3]), "4 events and 3 times"),
        ((EVENT[:3], TIME[:3]), "X has 4 patients and y has 3"),
        (FRAME.iloc[:2], "2 patients in X are not in y: y, z"),
        (FRAME.rename(columns={"event": "status"}), "must be event and time, or one pair"),
        (pd.concat([FRAME, FRAME]), "several rows for patient w"),
        (TIME, r"y must be a structured array .* got ndarray of shape \(4,\)"),
        (None, "the target y is None"),
        ((EVENT, np.where(EVENT, TIME, np.nan)), "1 patients in X have no outcome: x"),
        ((EVENT, np.where(EVENT, np.nan, TIME)), "only one of"),
        (np.zeros(4, [("a", bool), ("b", bool)]), "the fields of y must be event and time"),
    ],
    ids=str,
)
def test_what_is_no_outcome_is_refused_by_name(y, message):
    with pytest.raises(InputError, match=message):
        read(X, y)


@pytest.mark.parametrize("unit", ["timedelta64[D]", "datetime64[D]"])
def test_dates_are_no_times(unit):
    time = pd.Series(TIME.astype(int).astype(unit), X.index)
    for y in ((EVENT, time), (EVENT, time.to_numpy()), FRAME.assign(time=time)):
        with pytest.raises(
            InputError, match="time in y holds dates or durations; give times as numb"
        ):
            read(X, y)


def test_equal_labels_in_another_order_are_no_guess():
    x, y = X.reset_index(drop=True), FRAME.reset_index(drop=True)
    turned = y.iloc[::-1]
    for one, other in ((x, turned), (x.iloc[::-1], y)):
        with pytest.raises(
            InputError, match=r"same row labels in another order \(.*y.loc\[X.index\]"
        ):
            read(one, other)
    np.testing.assert_array_equal(outcome(x.iloc[::-1], turned).time, TIME[::-1])
    np.testing.assert_array_equal(outcome(x.to_numpy(), turned).time, TIME[::-1])


@pytest.mark.parametrize(
    ("x", "modalities", "message"),
    [
        (X.iloc[0], None, r"X is a Series; give a table, for one patient X.iloc\[\[0\]\]"),
        (X.set_axis(pd.MultiIndex.from_product([[1, 2], [3, 4]])), None, "one name each, not 2"),
        (X, {"one": "a"}, "modality a list of its columns, such as"),
        (X, ["a"], "modality a list of its columns, such as"),
    ],
    ids=["series", "multiindex", "text", "list"],
)
def test_what_is_no_table_of_features_is_refused(x, modalities, message):
    with pytest.raises(InputError, match=message):
        read(x, Y, modalities)


def test_rows_are_matched_by_name_only_where_both_have_names():
    reset = FRAME.iloc[::-1].reset_index(drop=True)
    np.testing.assert_array_equal(outcome(X, reset).time, TIME[::-1])
    more = pd.concat([FRAME, FRAME.set_axis(list("stuv"), axis=0)])
    np.testing.assert_array_equal(outcome(X, more).time, TIME)


def test_a_table_becomes_modalities_and_what_is_empty_is_absent():
    x = X.copy()
    x.loc["y", ["a", "b"]] = np.nan
    cohort, _ = read(x, Y, {"one": ["a", "b"], "two": ["c"]})
    assert {m: list(t.index) for m, t in cohort.modalities.items()} == {
        "one": ["w", "x", "z"],
        "two": ["w", "x", "y", "z"],
    }
    with pytest.raises(InputError, match="modalities name the columns d, which X does not have"):
        read(X, Y, {"one": ["a", "d"]})
    with pytest.raises(InputError, match="modalities name the columns x3, which X does not have"):
        read(X.to_numpy(), Y, {"one": ["x0"], "two": ["x3"]})


def test_tables_of_different_patients_need_an_outcome_with_names():
    tables = {"one": X[["a"]].iloc[:3], "two": X[["b"]].iloc[1:]}
    cohort, _ = read(tables, FRAME)
    assert list(cohort.survival.index) == list("wxyz")
    assert list(cohort.presence["two"]) == [False, True, True, True]
    with pytest.raises(
        InputError, match="different patients, or in different orders, so y must name them"
    ):
        read(tables, Y)
    same = {"one": X[["a"]], "two": X[["b"]]}
    np.testing.assert_array_equal(outcome(same, Y).time, TIME)


def test_a_cohort_brings_its_endpoints():
    survival = FRAME.add_prefix("os_").assign(
        pfs_event=[1, 1, 0, np.nan], pfs_time=[1, 2, 3, np.nan]
    )
    cohort = Cohort({"one": X}, survival)
    np.testing.assert_array_equal(outcome(cohort, "pfs").time, [1, 2, 3])
    assert len(read(cohort, "pfs")[0].survival) == 3
    assert len(read(cohort, "pfs", unlabelled=True)[0].survival) == 4
    for unlabelled in (False, True):
        with pytest.raises(InputError, match="unknown endpoint 'typo'; there are os, pfs"):
            read(cohort, "typo", unlabelled=unlabelled)
    with pytest.raises(
        InputError, match="give the name of an endpoint as y; the cohort has os, pfs"
    ):
        read(cohort, None)


def test_delayed_entry_is_read():
    survival = FRAME.add_prefix("os_").assign(os_entry=0.1)
    cohort = Cohort({"one": X}, survival)
    np.testing.assert_array_equal(outcome(cohort, "os").entry, [0.1] * len(FRAME))
    for y in (FRAME.assign(entry=0.1), survival, FRAME.assign(entry=0.1).to_records(index=False)):
        made, endpoint = read(X, y)
        np.testing.assert_array_equal(made.outcome(endpoint).entry, [0.1] * len(FRAME))
    with pytest.raises(InputError, match="entry"):
        read(X, FRAME.assign(entry=99.0))


def test_a_mudata_is_read_by_its_obs_names():
    mudata = pytest.importorskip("mudata")
    from anndata import AnnData

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = mudata.MuData({"one": AnnData(X[["a", "b"]]), "two": AnnData(X[["c"]].iloc[:3])})
    cohort, _ = read(data, FRAME)
    assert list(cohort.modalities["two"].index) == list("wxy")
    np.testing.assert_allclose(cohort.modalities["one"].loc["z"], [3.4, 1.5])


@pytest.mark.parametrize(
    "x",
    [
        X.astype(object),
        X.astype("Float64"),
        X.convert_dtypes(),
        X.set_axis(X.index.astype("string"), axis=0),
        X.set_axis(X.columns.astype("string"), axis=1),
    ],
    ids=str,
)
def test_surprising_dtypes_are_read_as_what_they_hold(x):
    table = read(x, Y)[0].modalities["features"]
    pd.testing.assert_frame_equal(table, X.rename_axis("patient"), check_column_type=False)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (X.replace(3.4, np.inf), "infinite value"),
        (np.zeros(4), "Expected 2D array"),
        (X.iloc[:0], "X has 0 patients and 3 columns"),
        ({}, "X has no modality"),
        ({"one": X.to_numpy()}, r"X\['one'\] must be a DataFrame, got ndarray"),
        (X.iloc[[0, 0, 1, 2]], "duplicate patients"),
    ],
    ids=str,
)
def test_what_are_no_features_is_refused_by_name(x, message):
    with pytest.raises(InputError, match=message):
        read(x, Y)


def test_arrays_have_numbered_columns():
    patients = read_patients(X.to_numpy(), {"one": ["x0"], "two": ["x2"]})
    assert list(patients.tables["two"]["x2"]) == list(X["c"])
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)
        assert list(read(X.to_numpy(), Y)[0].survival.index) == ["0", "1", "2", "3"]
