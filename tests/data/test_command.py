"""``python -m jaxsurv.data``: from somebody's files to a folder and a report."""

import json
import re
import subprocess
import sys
import warnings
from importlib import resources

import pandas as pd
import pytest

from jaxsurv.data import Cohort, read_cohort
from jaxsurv.data.__main__ import main
from jaxsurv.data.formats import read_any

SURVIVAL = "sample\t_PATIENT\tOS\tOS.time\n" + "".join(
    f"TCGA-OR-A5J{i}-01\tTCGA-OR-A5J{i}\t{i % 2}\t{100 * i}\n" for i in range(1, 7)
)
RNA = "gene\t" + "\t".join(f"TCGA-OR-A5J{i}-01" for i in (1, 2, 3, 5)) + "\n"
RNA += "TP53\t1.5\t2.25\t0.1\t4\nMYC\t0.30000000000000004\t7\t8\t9\n"


@pytest.fixture(autouse=True)
def cautions_are_no_errors():
    """As for a user."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture
def hub(tmp_path):
    folder = tmp_path / "hub"
    folder.mkdir()
    (folder / "ACC_survival.txt").write_text(SURVIVAL)
    (folder / "HiSeqV2.tsv").write_text(RNA)
    return folder


def test_convert_writes_the_folder_and_says_what_is_in_it(hub, tmp_path, capsys):
    rna = hub / "HiSeqV2.tsv"
    rna.write_text(rna.read_text().replace("A5J5-01", "A5J9-01"))
    assert main(["convert", str(hub), str(tmp_path / "acc"), "--name", "acc"]) == 0
    printed = capsys.readouterr().out
    assert "UCSC Xena folder" in printed
    assert "acc: modalities" in printed
    assert re.search(r"os\s*│\s*6\s*│\s*3 \(50%\)", printed)
    assert re.search(r"rna\s*│\s*continuous\s*│\s*3 of 6\s*│\s*1\s*│", printed)  # 1 unmatched
    assert re.search(r"none\s*│\s*3", printed)  # three patients without any modality
    cohort = read_cohort(tmp_path / "acc")
    assert cohort.name == "acc"
    assert cohort.fingerprint() == read_any(hub).fingerprint()
    assert cohort.modalities["rna"].loc["TCGA-OR-A5J1", "MYC"] == 0.1 + 0.2


def test_describe_writes_a_page_that_stands_alone(tmp_path, capsys):
    bundled = resources.files("jaxsurv.data") / "tcga_acc"
    out = tmp_path / "report"
    assert main(["describe", str(bundled), "--out", str(out)]) == 0
    names = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
    tables = {f"{t}.csv" for t in ("endpoints", "modalities", "missing", "patterns", "outliers")}
    figures = {
        f"figures/{f}.{s}" for f in ("modalities", "kaplan_meier_os") for s in ("png", "svg")
    }
    assert names == tables | figures | {"report.html", "manifest.json"}
    page = (out / "report.html").read_text()
    assert page.count("<img") == 2 == page.count("data:image/png;base64,")
    assert not re.search(r"(src|href)='?(http|figures)", page)
    assert "92 patients with 6 modalities; 43 have every one." in page
    assert "os: 34 events in 92 patients, followed for a median of 1857 (1352 to 2110) days" in page
    assert "24: AKT1S1" in page  # constant mutations
    assert "TCGA-OR-A5K0 (1)" in page  # the outlying sample
    assert json.loads((out / "manifest.json").read_text())["status"] == "complete"
    assert main(["describe", str(bundled), "--out", str(out)]) == 2
    assert "pass --overwrite" in capsys.readouterr().err


def test_a_cohort_without_outliers_or_a_unit_is_described(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = pd.DataFrame({"os_time": [1.0, 2, 3], "os_event": [0, 0, 1]}, list("abc"))
    outcome.to_csv("survival.csv")
    pd.DataFrame({"<x>": [1.5, 2, 4]}, list("abc")).to_csv("m.csv")
    assert isinstance(read_cohort("."), Cohort)
    assert main(["describe", "."]) == 0
    page = next((tmp_path / "results" / "describe").rglob("report.html")).read_text()
    assert "no outlying value" in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["convert", "nowhere", "out"], "error: nowhere does not exist\n"),
        (["convert", "{hub}", "{hub}"], "is not empty; write a cohort to a folder of its own"),
        (["describe", "{hub}", "--annotation", "GPL570.txt"], "which does not take annotation"),
        (["convert", "{hub}", "out", "--endpoint", "os", "a", "b"], "does not take endpoint"),
    ],
)
def test_mistakes_end_with_one_line_and_status_2(hub, arguments, message, capsys):
    assert main([a.replace("{hub}", str(hub)) for a in arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_it_is_a_command():
    done = subprocess.run(
        [sys.executable, "-m", "jaxsurv.data", "convert", "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert "SOURCE DESTINATION" in done.stdout


def test_columns_of_a_geo_series_are_named_on_the_command_line(tmp_path):
    series = tmp_path / "GSE1_series_matrix.txt"
    series.write_text(
        '!Sample_geo_accession\t"GSM1"\t"GSM2"\n'
        '!Sample_characteristics_ch1\t"os months: 3"\t"os months: 5"\n'
        '!Sample_characteristics_ch1\t"died: yes"\t"died: no"\n'
        '!Sample_characteristics_ch1\t"subtype: A"\t"subtype: B"\n'
        '!series_matrix_table_begin\n"ID_REF"\t"GSM1"\t"GSM2"\n"p1"\t7.5\t8\n'
        "!series_matrix_table_end\n"
    )
    platform = tmp_path / "GPL1.txt"
    platform.write_text("ID\tGene Symbol\np1\tTP53\n")
    named = ["--endpoint", "os", "os months", "died", "--clinical", "subtype"]
    destination = str(tmp_path / "out")
    assert main(["convert", str(series), destination, *named, "--annotation", str(platform)]) == 0
    cohort = read_cohort(destination)
    assert cohort.survival.loc["GSM1"].to_dict() == {"os_time": 3, "os_event": 1}
    assert cohort.modalities["expression"]["TP53"].to_dict() == {"GSM1": 7.5, "GSM2": 8}
    assert list(cohort.modalities["clinical"]["subtype"]) == ["A", "B"]
    assert cohort.time_unit == "months"
