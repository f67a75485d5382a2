"""Folders of tables: arrays and Parquet beside text, workbooks refused, all wrong tables told at once."""

import zipfile
from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import Cohort, DataWarning, read_cohort, read_images, read_splits
from jaxsurv.data.formats import (
    read_any,
    read_cbioportal,
    read_geo,
    read_h5mu,
    read_mage_tab,
    read_myevae,
    read_xena,
)
from jaxsurv.data.readers import read_features
from jaxsurv.types import InputError

SURVIVAL = "patient,os_time,os_event\na,5,1\nb,8,0\nc,4,1\nd,3,1\n"
RNA = pd.DataFrame({"x0": [0.5, 0.8, 1.0], "x1": [1.0, 0.1 + 0.2, 2.5]}, ["c", "a", "b"])


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "survival.csv").write_text(SURVIVAL)
    RNA.to_csv(tmp_path / "rna.csv", index_label="patient")
    return tmp_path


def quietly(folder, **options):
    with pytest.warns(DataWarning, match="1 of 4 patients have no modality"):
        return read_cohort(folder, **options)


def embedding(folder, x, names, name="rna"):
    (folder / "rna.csv").unlink(missing_ok=True)
    np.save(folder / f"{name}.npy", x)
    (folder / f"{name}.patients.txt").write_text("\n".join([*names, ""]))


@pytest.mark.parametrize("dtype", ["float64", "float16", "int8"])
def test_an_array_with_its_patients_is_a_modality(folder, dtype):
    expected = quietly(folder).modalities["rna"].astype(dtype).astype(float)
    embedding(folder, RNA.to_numpy(dtype), RNA.index)
    pd.testing.assert_frame_equal(quietly(folder).modalities["rna"], expected)
    with pytest.warns(DataWarning):
        pd.testing.assert_frame_equal(read_any(folder).modalities["rna"], expected)
    found = read_features(folder, {"rna": "continuous"})["rna"]
    np.testing.assert_array_equal(found.loc["b"], RNA.astype(dtype).loc["b"])


def test_parquet_is_a_modality_and_an_outcome(folder):
    pytest.importorskip("pyarrow")
    expected = quietly(folder).fingerprint()
    for name in ("rna", "survival"):
        table = pd.read_csv(folder / f"{name}.csv", float_precision="round_trip")
        (folder / f"{name}.csv").unlink()
        for made in (table.set_index("patient"), table):  # named rows, or a first column of names
            made.to_parquet(folder / f"{name}.parquet")
            assert name != "survival" or quietly(folder).fingerprint() == expected
    with pytest.warns(DataWarning):
        assert read_any(folder).fingerprint() == expected
    (folder / "rna.csv").write_text("patient,x\na,1\n")
    with pytest.raises(InputError, match=r"has both rna\.csv and rna\.parquet; keep one"):
        read_cohort(folder)
    (folder / "rna.csv").unlink()
    (folder / "rna.parquet").write_bytes(b"PAR1 cut off")
    with pytest.raises(InputError, match=r"rna\.parquet: cannot be read"):
        read_cohort(folder)


@pytest.mark.parametrize(
    ("x", "names", "told"),
    [
        (np.ones(3), "abc", r"rna\.npy: holds float64 of shape \[3\]; .* \[patients, features\]"),
        (np.ones((3, 2, 2)), "abc", r"shape \[3, 2, 2\]"),
        (np.array([["x"]]), "a", "holds <U1 of shape"),
        (np.array([[{}]]), "a", r"rna\.npy: cannot be read"),
        (RNA.to_numpy(), "ab", r"has 3 rows, and rna\.patients\.txt 2 names"),
        (RNA.to_numpy(), "aab", "duplicate patients: a"),
        (RNA.to_numpy(), ["a", "", "b"], "rows without a patient name: row 2"),
        (RNA.to_numpy(), "xyz", r"rna\.npy: its rows are no patients of survival\.csv"),
    ],
    ids=range(8),
)
def test_arrays_that_are_no_modality_are_refused(folder, x, names, told):
    embedding(folder, x, names)
    with pytest.raises(InputError, match=told):
        read_cohort(folder)


def test_an_array_without_patients_is_told_of(folder):
    np.save(folder / "image.npy", RNA.to_numpy())
    with pytest.warns(DataWarning) as told:
        assert list(read_cohort(folder).modalities) == ["rna"]
    assert any(
        "image.npy, whose rows need image.patients.txt, a name a line" in str(w.message)
        for w in told
    )


def workbook(path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("xl/workbook.xml", "<workbook/>")
    return path


def splits_of(path):
    survival = pd.DataFrame({"os_time": [1.0, 2], "os_event": [1.0, 0]}, ["a", "b"])
    return read_splits(path, Cohort({"x": RNA.loc[["a", "b"]]}, survival), "os")


READERS = {
    "cohort": read_cohort,
    "features": lambda path: read_features(path, {"rna": "continuous"}),
    "cbioportal": read_cbioportal,
    "geo": lambda path: read_geo(path, endpoints={"os": ("t", "e")}),
    "h5mu": read_h5mu,
    "mage-tab": lambda path: read_mage_tab(path, endpoints={"os": ("t", "e")}),
    "myevae": read_myevae,
    "xena": read_xena,
    "any": read_any,
    "images": read_images,
    "splits": splits_of,
}


@pytest.mark.parametrize("name", ["study.xlsx", "old.xls", "study.ods", "series_matrix.txt"])
@pytest.mark.parametrize("reader", READERS)
def test_every_reader_says_what_to_do_with_a_workbook(reader, name, tmp_path):
    path = workbook(tmp_path / name)
    if name == "old.xls":
        path.write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600))
    with pytest.raises(InputError, match=f"{name}: is an Excel workbook.* save the sheet as"):
        READERS[reader](path)


@pytest.mark.parametrize(
    ("reader", "name"),
    [
        ("cohort", "survival.xlsx"),
        ("cbioportal", "data_clinical_patient.xlsx"),
        ("myevae", "train_labels.xls"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*Excel workbooks are not read")
def test_a_workbook_in_the_place_of_a_file_is_named(reader, name, tmp_path):
    workbook(tmp_path / name)
    with pytest.raises(InputError, match=rf", but {name}; save the sheet as .* under the name"):
        READERS[reader](tmp_path)


def test_workbooks_beside_the_tables_are_told_of(folder):
    workbook(folder / "rna.xlsx")  # of which rna.csv was saved
    workbook(folder / "cnv.xlsx")
    workbook(folder / "~$cnv.xlsx")
    with pytest.warns(DataWarning) as told:
        read_cohort(folder)
    (message,) = (str(w.message) for w in told if "Excel" in str(w.message))
    assert 'cnv.xlsx: save the sheet as "CSV UTF-8" under the name cnv.csv' in message
    assert "rna" not in message.split("(")[1]
    assert "~" not in message


WRONG = {
    "ragged": "patient,x,y\na,0.5\nb,0.8,0.4\n",
    "a patient twice": "patient,x,y\na,0.5,1\na,0.8,0.4\n",
    "a cell": "patient,x,y\na,inf,1\nb,0.8,0.4\n",
    "no content": "",
    "an empty column": "patient,x,y\na,,1\nb,,0.4\n",
    "constant": "patient,x,y\na,1,1\nb,1,1\n",
    "strangers": "patient,x,y\nq,0.5,1\nr,0.8,0.4\n",
}


@pytest.mark.parametrize("kinds", list(permutations(WRONG, 3)), ids="-".join)
def test_three_wrong_tables_are_told_of_at_once(kinds, tmp_path):
    (tmp_path / "survival.csv").write_text(SURVIVAL)
    for name, kind in zip("abc", kinds, strict=True):
        (tmp_path / f"table_{name}.csv").write_text(WRONG[kind])
    with pytest.raises(InputError) as told:
        read_cohort(tmp_path)
    assert [f"table_{name}" in str(told.value) for name in "abc"] == [True] * 3, told.value


@pytest.mark.parametrize("second", ["an empty column", "constant"])
def test_all_wrong_tables_of_a_cohort_are_told_of_at_once(second):
    names = list("abcd")
    survival = pd.DataFrame({"os_time": [5.0, 8, 4, 3], "os_event": [1.0, 0, 1, 1]}, names)
    tables = {
        "one": pd.DataFrame({"x": [np.inf, 1, 2, 3]}, names),
        "two": pd.DataFrame({"x": np.nan if second != "constant" else 1.0, "y": 1.0}, names),
    }
    with pytest.raises(InputError, match=r"(?s)'one'.*'two'"):
        Cohort(tables, survival)
    with pytest.raises(InputError, match=r"(?s)survival table.*'one'"):
        Cohort(tables, survival.assign(os_event=7.0))
