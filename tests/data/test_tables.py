"""What a valid table is, and that a refusal names the column, the patient and the value."""

import numpy as np
import pandas as pd
import pytest

from jaxsurv.data.tables import clean_modality, clean_survival, infer_kind
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
    for stage in ([1, 2, 2], [1.0, 2.0, 2.0], ["1", "2", "2"], pd.Categorical([1, 2, 2])):
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


def test_one_text_cell_among_numbers_is_a_typo_not_a_category():
    values = [str(i) for i in range(20)] + ["unknown"]
    frame = pd.DataFrame({"age": values}, index=[f"p{i}" for i in range(21)])
    with pytest.raises(InputError, match="text 'unknown' in column 'age', patient 'p20'"):
        clean_modality("clinical", frame, None)
    assert clean_modality("clinical", frame, "mixed")[1] == "mixed"


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
        ({"os_event": [1, 2, 0]}, r"value 2\.0 in column 'os_event', patient 'p2'.*event == 2"),
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
