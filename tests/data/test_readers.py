"""Cohorts on disk: every format reads the same, values come back exactly, errors name the file."""

import json

import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import Cohort, DataWarning, load_tcga_acc, read_cohort, write_cohort
from jaxsurv.types import InputError

FILES = {
    "survival.csv": "patient,os_time,os_event\n001,5.5,1\n002,3,0\n003,8,1\n",
    "rna.csv": "patient,TP53,MYC\n003,0.1,2\n001,0.30000000000000004,\n002,1,1\n",
    "clinical.csv": "patient,age,stage\n001,50,I\n002,61,\n003,,II\n",
}


@pytest.fixture
def folder(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_folder_without_settings_reads(folder):
    (folder / "README.md").write_text("ignored")
    cohort = read_cohort(folder)
    assert cohort.name == folder.name
    assert cohort.kinds == {"clinical": "mixed", "rna": "continuous"}
    assert list(cohort.survival.index) == ["001", "002", "003"]  # names are text
    assert cohort.modalities["rna"].loc["001", "TP53"] == 0.1 + 0.2  # to the last bit
    assert np.isnan(cohort.modalities["rna"].loc["001", "MYC"])


@pytest.mark.parametrize("suffix", [".csv.gz", ".tsv", ".tsv.gz"])
def test_every_format_reads_the_same(folder, suffix):
    expected = read_cohort(folder).fingerprint()
    for path in list(folder.glob("*.csv")):
        table = pd.read_csv(path, dtype=str)
        separator = "\t" if "tsv" in suffix else ","
        table.to_csv(folder / (path.stem + suffix), sep=separator, index=False)
        path.unlink()
    assert read_cohort(folder).fingerprint() == expected


@pytest.mark.parametrize("header", ['"","TP53","MYC"', '"TP53","MYC"', "\ufeffpatient,TP53,MYC"])
def test_headers_as_r_and_spreadsheets_write_them(folder, header):
    expected = read_cohort(folder).fingerprint()
    text = FILES["rna.csv"].replace("patient,TP53,MYC", header)
    (folder / "rna.csv").write_text(text, encoding="utf-8")
    assert read_cohort(folder).fingerprint() == expected


def test_settings_are_read(folder):
    settings = {
        "title": "T",
        "time_unit": "months",
        "kinds": {"rna": "counts"},
        "source": "S",
        "licence": "L",
    }
    (folder / "cohort.json").write_text(json.dumps(settings))
    cohort = read_cohort(folder)
    assert (cohort.title, cohort.time_unit, cohort.source, cohort.licence) == (
        "T",
        "months",
        "S",
        "L",
    )
    assert cohort.kinds["rna"] == "counts"


def test_declared_categories_keep_their_zeros(folder):
    (folder / "batch.csv").write_text("patient,plate\n001,007\n002,010\n")
    (folder / "cohort.json").write_text('{"kinds": {"batch": "categorical"}}')
    assert list(read_cohort(folder).modalities["batch"]["plate"]) == ["007", "010"]


def test_what_is_written_is_read(tmp_path):
    cohort = load_tcga_acc()
    write_cohort(cohort, tmp_path / "a")
    with pytest.warns(match="constant"):
        again = read_cohort(tmp_path / "a")
    assert again.fingerprint() == cohort.fingerprint()
    assert again.kinds == cohort.kinds
    assert (again.name, again.licence) == ("tcga_acc", cohort.licence)
    with pytest.raises(InputError, match="is not empty"):
        write_cohort(cohort, tmp_path / "a")
    rng = np.random.default_rng(0)
    ids = [f"p{i}" for i in range(50)]
    numbers = pd.DataFrame(rng.standard_normal((50, 3)) * 10.0 ** rng.integers(-9, 9, (50, 3)), ids)
    outcome = pd.DataFrame({"os_time": rng.random(50), "os_event": 1}, ids)
    cohort = Cohort({"m": numbers}, outcome)
    write_cohort(cohort, tmp_path / "b")
    assert read_cohort(tmp_path / "b").fingerprint() == cohort.fingerprint()


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        ("mixed", ["1", "2", "1"], "'1' in column 'stage', patient 'a'.*rename it"),
        ("mixed", ["True", "False", "True"], "'True' in column 'stage', patient 'a'"),
        ("mixed", ["None", "yes", "no"], None),
        ("categorical", ["yes", "NA", "no"], "'NA' in column 'stage', patient 'b'"),
        ("categorical", ["007", "1.0", "True"], None),
        ("mixed", ["i", "ii", None], None),
    ],
)
def test_categories_that_would_come_back_as_others_are_not_written(tmp_path, kind, values, message):
    outcome = pd.DataFrame({"os_time": [1.0, 2, 3], "os_event": [1, 0, 1]}, list("abc"))
    table = pd.DataFrame({"stage": values, "sex": ["m", "f", "m"]}, list("abc"), dtype=object)
    cohort = Cohort({"clinical": table}, outcome, {"clinical": kind})
    if message is None:
        write_cohort(cohort, tmp_path / "a")
        assert read_cohort(tmp_path / "a").fingerprint() == cohort.fingerprint()
        return
    with pytest.raises(InputError, match=rf"'clinical' \({kind}\): the category {message}"):
        write_cohort(cohort, tmp_path / "a")
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("rna.csv", "patient,TP53\n001,-1\n002,4\n", r"rna\.csv: .*-1.* 'TP53', patient '001'"),
        ("rna.csv", "patient,TP53,TP53\n001,1,2\n", r"rna\.csv: duplicate columns TP53"),
        ("rna.csv", "patient\tTP53\n001\t1\n", r"rna\.csv: .* by tabs, not by commas"),
        ("rna.csv", "", r"rna\.csv: is empty; "),
        ("rna.csv", "patient,TP53\n001,1\n001,2\n", r"rna\.csv: .*duplicate patients: 001"),
        ("rna.csv", "patient,TP53\n001,1,2,3\n", r"rna\.csv: line 2 \(001\) has 4 cells, "),
        (
            "rna.csv",
            "patient,TP53\n7,1\n8,2\n",
            r"rna\.csv: its rows are no patients of survival\.csv",
        ),
        ("survival.csv", "patient,os_time\n001,1\n", r"survival\.csv: .*lacks .*'os_event'"),
        ("survival.csv", "patient,os_time,os_event\n001,1,7\n", r"survival\.csv: .*'os_event'"),
        ("cohort.json", '{"licens": "MIT"}', r"cohort\.json: unknown entry licens; there are name"),
        ("cohort.json", "{", r"cohort\.json: "),
        ("cohort.json", "[]", r"cohort\.json: must hold one JSON object"),
        ("cohort.json", '{"kinds": "counts"}', r"cohort\.json: kinds must be an object"),
        ("cohort.json", '{"kinds": {"dna": "counts"}}', "kinds names dna, which is not a modality"),
        ("rna.csv.gz", "not gzip", "has both rna.csv and rna.csv.gz; keep one"),
    ],
)
def test_errors_name_the_file(folder, name, text, message):
    (folder / "cohort.json").write_text('{"kinds": {"rna": "counts"}}')
    (folder / name).write_text(text)
    with pytest.raises(InputError, match=message):
        read_cohort(folder)


def test_missing_and_broken_files_are_named(folder):
    (folder / "cnv.csv.gz").write_text("not gzip")
    with pytest.raises(InputError, match=r"cnv\.csv\.gz: "):
        read_cohort(folder)
    (folder / "survival.csv").unlink()
    with pytest.raises(InputError, match=r"has no survival\.csv"):
        read_cohort(folder)
    with pytest.raises(InputError, match="is not a folder"):
        read_cohort(folder / "nowhere")


def test_a_counter_before_the_names_is_refused_and_names_that_are_numbers_are_not(folder):
    (folder / "rna.csv").write_text(",Sample ID,TP53\n0,b,1.5\n1,a,0.5\n2,c,0.25\n")
    with pytest.raises(InputError, match=r"rna\.csv.*counts the rows, and 'Sample ID'"):
        read_cohort(folder)
    (folder / "rna.csv").write_text(",TP53,code\n0,0.5,1\n1,1.5,1\n")
    (folder / "survival.csv").write_text(",os_time,os_event\n0,3,1\n1,4,0\n")
    (folder / "clinical.csv").unlink()
    with pytest.warns(DataWarning, match="constant"):
        assert list(read_cohort(folder).survival.index) == ["0", "1"]


@pytest.mark.parametrize(
    "text", ["Algorithm,Metric\nCPH,0.79 (0.7)\nCPH,0.8\n", "patient,TP53\nx,1.5\n"]
)
def test_a_table_of_no_patients_is_to_be_moved(folder, text):
    (folder / "scores.csv").write_text(text)
    with pytest.raises(InputError, match=r"scores\.csv: its rows are no patients of survival\.csv"):
        read_cohort(folder)
