"""What a valid table is, and that a refusal names the column, the patient and the value."""

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from jaxsurv.data.survival_table import clean_survival
from jaxsurv.data.tables import clean_modality, infer_kind
from jaxsurv.estimators.inputs import read_patients
from jaxsurv.types import InputError

PATIENTS = ["p1", "p2", "p3"]


def column(*values, name="gene"):
    return pd.DataFrame({"ok": [0.0, 1.0, 0.0], name: values}, index=PATIENTS)


def outcome(**columns):
    given = {"os_time": [3.0, 5.0, 7.0], "os_event": [1, 0, 1]} | columns
    return pd.DataFrame({k: v for k, v in given.items() if v is not None}, index=PATIENTS)


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (
            "continuous",
            (1.0, "n/a.", 2.0),
            "non-numeric value 'n/a.' in column 'gene', patient 'p2'",
        ),
        ("continuous", (1.0, 2.0, np.inf), "infinite value inf in column 'gene', patient 'p3'"),
        ("counts", (4, -2, 0), r"negative value -2\.0 in column 'gene', patient 'p2'"),
        ("five_state", (0, 1, 3), r"value 3\.0 in column 'gene', patient 'p3'.* -2, -1, 0, 1, 2"),
        ("five_state", (0.5, 1, 2), r"value 0\.5 in column 'gene', patient 'p1'"),
        ("binary", (0, 2, 2), r"value 2\.0 in column 'gene', patient 'p2' \(and 1 more cells\)"),
        ("ordinal", (0, 1, 2), "unknown kind 'ordinal'; use continuous, counts, five_state"),
    ],
)
def test_cells_that_do_not_fit_the_kind_are_refused(kind, values, message):
    with pytest.raises(InputError, match=f"modality 'rna'.*{message}"):
        clean_modality("rna", column(*values), kind)


@pytest.mark.parametrize("kind", ["continuous", "counts", "five_state", "binary"])
def test_missing_values_are_allowed_in_every_numeric_kind(kind):
    table, _ = clean_modality("rna", column(1, None, 0), kind)
    assert table.dtypes.eq("float64").all()
    assert np.isnan(table.loc["p2", "gene"])


def test_numbers_written_as_text_and_booleans_are_numbers():
    table, _ = clean_modality("m", column("1", "0", "1"), "binary")
    np.testing.assert_array_equal(table["gene"], [1, 0, 1])
    table, _ = clean_modality("m", column(True, False, True), "binary")
    np.testing.assert_array_equal(table["gene"], [1, 0, 1])


def test_categories_are_text_however_they_were_stored():
    stages = [
        [1, 2, 2],
        [1.0, 2.0, 2.0],
        ["1", "2", "2"],
        ["1 ", "2", " 2"],
        pd.Categorical([1, 2, 2]),
    ]
    for stage in stages:
        table, _ = clean_modality("m", pd.DataFrame({"stage": stage}, PATIENTS), "categorical")
        assert list(table["stage"]) == ["1", "2", "2"]
    frame = pd.DataFrame({"stage": [1.0, None, 2.0]}, PATIENTS)
    table, _ = clean_modality("m", frame, "categorical")
    assert list(table.index) == ["p1", "p3"]  # nobody without a value has the modality


def test_mixed_keeps_numbers_and_categories_apart():
    frame = pd.DataFrame({"age": [50, 61, None], "sex": ["f", None, "m"]}, PATIENTS)
    table, kind = clean_modality("clinical", frame, None)
    assert kind == "mixed"
    assert table["age"].dtype == "float64"
    assert list(table["sex"].isna()) == [False, True, False]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([0, 1, 1], "binary"),
        ([0, None, 1], "binary"),
        ([True, False, True], "binary"),
        ([-1, 0, 2], "five_state"),
        ([0, 1, 2], "continuous"),  # counts are never guessed, nor is a five-state without loss
        ([-3, 0, 2], "continuous"),
        ([-0.5, 0, 2], "continuous"),
        (["a", "b", None], "mixed"),
    ],
)
def test_kinds_are_inferred(values, kind):
    assert infer_kind(pd.DataFrame({"x": values}, PATIENTS), "m") == kind


def ages(*others, store=str):
    """Twenty ages and some cells that are none."""
    values = [*map(store, range(40, 60)), *others]
    return pd.DataFrame({"age": values}, [f"p{i}" for i in range(len(values))], dtype=object)


@pytest.mark.parametrize("kind", [None, "mixed"])
@pytest.mark.parametrize(
    ("others", "cell"),
    [
        (["unknown"], "'unknown' in column 'age', patient 'p20'"),
        (["", ">89", "n.k.", None], r"'' in column 'age', patient 'p20' \(and 2 more cells\)"),
        (["unknown"] * 30, r"'unknown' in column 'age', patient 'p20' \(and 29 more cells\)"),
    ],
)
def test_words_among_numbers_are_typos_not_categories(kind, others, cell):
    with pytest.raises(InputError, match=f"numbers, the text {cell}; correct or empty it"):
        clean_modality("clinical", ages(*others), kind)
    table, _ = clean_modality("clinical", ages(*others), "categorical")  # if they say so
    assert table["age"].iloc[0] == "40"


def test_numbers_stored_as_text_are_no_categories():
    with pytest.raises(
        InputError, match=r"the text '40' in column 'age', patient 'p0' \(and 19 more"
    ):
        clean_modality("clinical", ages(None).assign(sex=["f", "m", "m"] * 7), None)
    stage = pd.DataFrame({"stage": ["1", "2", "2"], "sex": ["f", "m", "m"]}, PATIENTS)
    assert list(clean_modality("clinical", stage, None)[0]["stage"]) == ["1", "2", "2"]


def test_codes_of_which_some_are_numbers_stay_categories():
    words = [f"C{i}.9" for i in range(21)]
    assert clean_modality("m", ages(*words), "mixed")[1] == "mixed"
    assert (
        clean_modality("m", pd.DataFrame({"age": [61.0, 50, 4]}, PATIENTS), "mixed")[1] == "mixed"
    )


DAYS = pd.date_range("2010-01-01", periods=3)


@pytest.mark.parametrize(
    ("cells", "shown"),
    [
        (DAYS, "2010-01-01 00:00:00"),
        (DAYS.tz_localize("UTC"), r"2010-01-01 00:00:00\+00:00"),
        (DAYS.to_period(), "2010-01-01"),
        ([None, *DAYS[1:].date], "2010-01-02"),
        ([1.0, "a", DAYS[2].date()], "2010-01-03"),
        ([1 + 2j, 3 + 0j, 4j], r"\(1\+2j\)"),
        ([b"f", b"m", b"f"], "b'f'"),
        ([["a"], ["b"], ["c"]], r"\['a'\]"),
    ],
    ids=str,
)
def test_cells_that_are_neither_numbers_nor_text_are_refused_by_name(cells, shown):
    row = (
        rf"the value {shown} in column 'visit', patient 'p\d'.*; give a number or text; for a date"
    )
    with pytest.raises(InputError, match="modality 'm': " + row):
        clean_modality("m", column(1.0, 2.0, 3.0).assign(visit=pd.Series(cells, PATIENTS)), None)
    with pytest.raises(InputError, match=r"survival table: the value .* in column 'os_time', pat"):
        clean_survival(outcome(os_time=pd.Series(cells, PATIENTS)))


NUMBERS = [1.0, 0.0, np.nan]


@pytest.mark.parametrize(
    "cells",
    [
        [True, False, None],
        pd.array([True, False, None], "boolean"),
        pd.array([1, 0, None], "Int64"),
        pd.array([1, 0, None], "Float64"),
        [Decimal("1.0"), Decimal("0"), None],
        [Decimal("1.0"), 0.0, pd.NA],
        [np.True_, 0, None],
        pd.Categorical([1, 0, None]),
        pd.arrays.SparseArray(NUMBERS),
        [timedelta(1), timedelta(0), None],
        pd.to_timedelta([1, 0, None], unit="D"),
        [np.timedelta64(24, "h"), np.timedelta64(0, "s"), None],
    ],
    ids=str,
)
def test_numbers_are_numbers_and_durations_days_in_every_type(cells):
    for beside in ({}, {"sex": ["f", "m", "f"]}):  # beside text, too
        frame = pd.DataFrame({"x": pd.Series(cells, PATIENTS), "y": [1.5, 2, 3], **beside})
        read = clean_modality("m", frame, None)[0]["x"]
        assert read.dtype == float
        np.testing.assert_array_equal(read, NUMBERS)
    entry = pd.Series(cells).iloc[[0, 1, 0]].set_axis(PATIENTS)
    clean = clean_survival(outcome(os_time=[3.0, 3, 3], os_entry=entry))
    np.testing.assert_array_equal(clean["os_entry"], [1.0, 0, 1])


def test_columns_at_two_levels_are_refused_in_a_table_of_features():
    frame = pd.DataFrame(np.eye(3), PATIENTS, pd.MultiIndex.from_product([["rna"], list("abc")]))
    with pytest.raises(InputError, match=r"one name each, not 2; .* such as frame\['rna'\]"):
        clean_modality("m", frame, None)


def wide(low, high, n=60, features=60):
    values = np.random.default_rng(0).uniform(low, high, (n, features))
    return pd.DataFrame(values).add_prefix("g")


def test_logarithms_declared_as_counts_are_refused():
    with pytest.raises(
        InputError, match=r"'rna' \(counts\): fractions, and no value above 16 .*'cont"
    ):
        clean_modality("rna", wide(0, 16), "counts")
    for counts in (
        wide(0, 16).round(),  # of rare transcripts
        wide(0, 60),
        wide(0, 16, features=49),
        wide(0, 16).assign(**{f"g{i}": np.nan for i in range(11)}),  # only 49 were measured
    ):
        assert clean_modality("rna", counts, "counts")[1] == "counts"


def test_intensities_with_a_few_negative_values_are_no_logarithms():
    intensities = wide(0, 5000)
    intensities.iloc[:30, 0] = -3.0
    with pytest.raises(InputError, match=r"values up to .* look like counts or intensities"):
        clean_modality("rna", intensities, None)
    intensities.iloc[:37, 0] = -3.0  # 37 of 3600: more than 1 %
    assert clean_modality("rna", intensities, None)[1] == "continuous"


def test_names_must_be_there_once():
    frame = column(1.0, 2.0, 3.0)
    with pytest.raises(InputError, match="'rna' has duplicate patients: p1; keep one"):
        clean_modality("rna", frame.set_axis(["p1", "p2", "p1"]), "continuous")
    with pytest.raises(InputError, match="'rna' has duplicate columns: ok"):
        clean_modality("rna", frame.set_axis(["ok", "ok"], axis=1), "continuous")
    with pytest.raises(InputError, match="rows without a patient name"):
        clean_modality("rna", frame.set_axis(["p1", None, "p2"]), "continuous")
    with pytest.raises(InputError, match="no columns"):
        clean_modality("rna", frame[[]], "continuous")
    with pytest.raises(InputError, match="must be a pandas DataFrame, got ndarray"):
        clean_modality("rna", frame.to_numpy(), "continuous")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"os_event": [1, 2, 0]},
            r"value 2\.0 in column 'os_event', patient 'p2'.*competing risks",
        ),
        ({"os_event": ["dead", "alive", "dead"]}, "non-numeric value 'dead' in column 'os_event'"),
        ({"os_event": None}, "endpoint 'os' lacks the column 'os_event'"),
        ({"os_time": None}, "endpoint 'os' lacks the column 'os_time'"),
        ({"os_time": [3, -1, 2]}, r"negative time -1\.0 in column 'os_time', patient 'p2'"),
        ({"os_time": [3, None, 2]}, "only one of 'os_time' and 'os_event' is given for p2"),
        ({"os_event": [None, 0, None]}, "only one of 'os_time' and 'os_event' is given for p1, p3"),
        ({"age": [1, 2, 3]}, "column age is not <endpoint>_time"),
        ({"time": [1, 2, 3]}, "column time is not <endpoint>_time"),
        ({"os_entry": [1, 5, 2]}, r"entry 5\.0 in column 'os_entry', patient 'p2'.*before os_time"),
        ({"os_entry": [1, None, 2]}, "entry nan in column 'os_entry', patient 'p2'"),
        ({"os_entry": [1, -4, 2]}, r"negative time -4\.0 in column 'os_entry', patient 'p2'"),
    ],
)
def test_outcomes_that_cannot_be_analysed_are_refused(columns, message):
    with pytest.raises(InputError, match=message):
        clean_survival(outcome(**columns))


def test_neither_time_nor_event_is_no_label():
    table = clean_survival(outcome(pfi_time=[1, None, 4], pfi_event=[True, None, False]))
    assert list(table["pfi_time"].isna()) == [False, True, False]
    assert table.dtypes.eq("float64").all()
    clean_survival(outcome(os_time=[0, 5, 7]))  # a death on day 0 is allowed


@pytest.mark.parametrize("name", ["  ", "", "NA", "NaN", " nan ", "#N/A", None, np.nan])
def test_blank_and_missing_names_are_refused_with_their_row(name):
    frame = pd.DataFrame({"TP53": [0.5, 1.5, 2.5]}, ["a", name, "b"])
    for read in (
        lambda: clean_modality("rna", frame, None),
        lambda: clean_survival(frame.set_axis(["os_time"], axis=1)),
        lambda: read_patients(frame, None),
        lambda: read_patients({"rna": frame}, None),
    ):
        with pytest.raises(InputError, match="rows without a patient name: row 2, named"):
            read()
