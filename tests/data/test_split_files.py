"""Given splits: the three forms, and files that do not fit the cohort."""

import warnings

import numpy as np
import pandas as pd
import pytest

from jaxsurv.cli.cohorts import make_splits
from jaxsurv.cli.options import StudyOptions
from jaxsurv.data import Cohort, DataWarning, read_splits
from jaxsurv.types import InputError

N = 40
PATIENTS = [f"p{i}" for i in range(N)]
PARTS = np.array(["train"] * 20 + ["val"] * 10 + ["test"] * 10)


@pytest.fixture(scope="module")
def cohort():
    rng = np.random.default_rng(0)
    outcome = pd.DataFrame(
        {"os_time": rng.exponential(1, N), "os_event": np.arange(N) % 2}, PATIENTS
    )
    outcome["pfi_time"], outcome["pfi_event"] = outcome["os_time"], outcome["os_event"]
    outcome.loc[["p3", "p39"], ["pfi_time", "pfi_event"]] = np.nan
    return Cohort({"rna": pd.DataFrame(rng.normal(size=(N, 3)), PATIENTS, list("abc"))}, outcome)


def written(tmp_path, name="split.csv", **columns):
    separator = "\t" if name.endswith(".tsv") else ","
    pd.DataFrame(columns).to_csv(tmp_path / name, index=False, sep=separator)
    return tmp_path / name


@pytest.fixture(autouse=True)
def strict():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.parametrize("name", ["split.csv", "split.tsv"])
def test_parts(cohort, tmp_path, name):
    order = np.random.default_rng(1).permutation(N)
    path = written(
        tmp_path, name, note=["x"] * N, Patient=np.array(PATIENTS)[order], part=PARTS[order]
    )
    splits = read_splits(path, cohort, "os")
    assert splits.protocol == "three-way"
    for part, masks in (("train", splits.train), ("val", splits.validation), ("test", splits.test)):
        np.testing.assert_array_equal(masks.reshape(-1, N), (part == PARTS)[None])
    pfi = read_splits(path, cohort, "pfi")  # two patients have no label there
    assert (pfi.train.sum(), pfi.validation.sum(), pfi.test.sum()) == (19, 10, 9)


def test_without_a_validation_part_the_training_rows_are_dealt(cohort, tmp_path):
    part = np.where(PARTS == "val", "Training", PARTS)
    splits = read_splits(written(tmp_path, patient=PATIENTS, part=part), cohort, "os")
    assert splits.train.shape == (1, 5, N)
    np.testing.assert_array_equal(splits.develop, (PARTS != "test")[None])


def test_folds_of_repeats(cohort, tmp_path):
    folds = np.concatenate([np.arange(N) // 10, np.arange(N) // 20])
    repeat = np.repeat([7, 8], N)
    path = written(tmp_path, patient=PATIENTS * 2, fold=folds, repeat=repeat)
    splits = read_splits(path, cohort, "os")
    np.testing.assert_array_equal(splits.repeat, [0, 0, 0, 0, 1, 1])
    np.testing.assert_array_equal(splits.fold, [0, 1, 2, 3, 0, 1])
    np.testing.assert_array_equal(splits.test[1], np.arange(N) // 10 == 1)
    np.testing.assert_array_equal(splits.test[4], np.arange(N) < 20)
    np.testing.assert_array_equal(splits.develop, ~splits.test)


def survboard(tmp_path, train, test):
    """Files as SurvBoard's: a split per row, numbers of rows from 0, short rows filled up."""
    for part, rows in (("train", train), ("test", test)):
        pd.DataFrame(rows).to_csv(tmp_path / f"BLCA_{part}_splits.csv", index=False)
    return tmp_path


def test_row_numbers_of_survboard(cohort, tmp_path):
    parts = [np.array_split(np.random.default_rng(r).permutation(N), 3) for r in range(2)]
    test = [part for of in parts for part in of]
    train = [np.setdiff1d(np.arange(N), rows) for rows in test]
    folder = survboard(tmp_path, train, test)
    for part in ("train", "test"):
        splits = read_splits(folder / f"BLCA_{part}_splits.csv", cohort, "os")
        np.testing.assert_array_equal(splits.repeat, [0, 0, 0, 1, 1, 1])
        np.testing.assert_array_equal(splits.fold, [0, 1, 2] * 2)
        for rows, mask, develop in zip(test, splits.test, splits.develop, strict=True):
            np.testing.assert_array_equal(np.flatnonzero(mask), np.sort(rows))
            np.testing.assert_array_equal(develop, ~mask)


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (
            {"patient": [*PATIENTS[2:], "p77", "P-0"]},
            "2 patients are not in the cohort: p77, P-0.*'p0'",
        ),
        (
            {"patient": [*PATIENTS, "p5"], "part": [*PARTS, "train"]},
            "1 patients are there twice: p5",
        ),
        (
            {"patient": [*PATIENTS, "p5"], "part": [*PARTS, "test"]},
            "1 patients are in several of train, validation and test: p5",
        ),
        ({"part": ["trian", *PARTS[1:]]}, "part is trian; it must be train, validation or test"),
        ({"part": ["", *PARTS[1:]]}, "row 1 has an empty cell"),
        ({"part": ["train"] * N}, "no patient is in test"),
        (
            {"part": np.where(np.arange(N) == 0, "test", "train")},
            "has no event among its 1 test rows",
        ),
        ({"part": None}, "must have the columns patient, and part or fold"),
        ({"fold": np.arange(N) % 4}, "must have the columns patient, and part or fold"),
        ({"part": None, "fold": np.zeros(N, int)}, "there is one fold, 0"),
        ({"part": None, "fold": np.arange(N) % 4 - 1}, "fold -1 is below 0"),
        (
            {"part": None, "patient": [*PATIENTS, "p5"], "fold": np.arange(N + 1) % 4},
            "1 patients are there twice: p5",
        ),
    ],
)
def test_files_that_do_not_fit_are_refused(cohort, tmp_path, columns, told):
    given = {"patient": PATIENTS, "part": PARTS, **columns}
    path = written(tmp_path, **{k: v for k, v in given.items() if v is not None})
    with pytest.raises(InputError, match=f"(?s)split.csv.*{told}"):
        read_splits(path, cohort, "os")


@pytest.mark.parametrize(
    ("train", "test", "told"),
    [
        ([[0, 1, 2]], [[2, 3]], "split 1: 1 patients are in train and test: p2"),
        ([[0, 1]], [[3, 40]], r"test_splits.csv.*split 1: '40' is no row number .* 40 patients"),
        ([[0, 1.5]], [[3, 4]], "train_splits.csv.*'1.5' is no row number"),
        ([[0, 1, 1]], [[3, 4]], "patients are there twice: p1"),
        ([[0, 1], [2, 3]], [[3, 4]], "2 splits in train and 1 in test"),
    ],
)
def test_row_numbers_that_do_not_fit_are_refused(cohort, tmp_path, train, test, told):
    folder = survboard(tmp_path, train, test)
    with pytest.raises(InputError, match=f"(?s){told}"):
        read_splits(folder / "BLCA_train_splits.csv", cohort, "os")


def test_a_file_that_is_not_there_is_named(cohort, tmp_path):
    with pytest.raises(InputError, match=r"split\.csv: no such file"):
        read_splits(tmp_path / "split.csv", cohort, "os")
    survboard(tmp_path, [[0, 1]], [[2, 3]])
    (tmp_path / "BLCA_test_splits.csv").unlink()
    with pytest.raises(InputError, match=r"BLCA_test_splits\.csv: no such file"):
        read_splits(tmp_path / "BLCA_train_splits.csv", cohort, "os")


def test_patients_in_no_part_are_told(cohort, tmp_path):
    path = written(tmp_path, patient=PATIENTS[1:], part=PARTS[1:])
    with pytest.warns(DataWarning, match="1 patients with 'os' are in no part .*: p0"):
        splits = read_splits(path, cohort, "os")
    assert not (splits.train | splits.validation | splits.test[:, None])[..., 0].any()


def test_the_option_takes_the_place_of_folds(cohort, tmp_path):
    path = written(tmp_path, patient=PATIENTS, part=PARTS)
    options = StudyOptions(split=path)
    np.testing.assert_array_equal(
        make_splits(cohort, "os", options).test, read_splits(path, cohort, "os").test
    )
    for wrong in (
        StudyOptions(split=path, protocol="two-way"),
        StudyOptions(split=path, complete_only=True),
    ):
        with pytest.raises(InputError, match="--split says who is tested"):
            make_splits(cohort, "os", wrong)
