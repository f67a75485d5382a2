"""A results folder: nobody else's files are touched, and no file is ever half written."""

import json
import platform
import xml.etree.ElementTree as ET
from pathlib import Path

import jax
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from jaxsurv.artifacts import NUMERICS, ResultsFolder
from jaxsurv.artifacts.results import LOCK
from jaxsurv.types import InputError


@pytest.fixture
def folder(tmp_path):
    return ResultsFolder(tmp_path / "results")


def files(path):
    found = sorted(str(p.relative_to(path)) for p in path.rglob("*") if not p.is_dir())
    return [name for name in found if name != LOCK]  # there as long as the run is


def drawing():
    figure = Figure(figsize=(2, 2))
    ax = figure.subplots()
    ax.plot([0, 1], [1, 0], "o")
    ax.fill_between([0, 1], [0, 0], hatch="/")
    ax.set(xlabel="months since diagnosis", xlim=(0.2, 1))
    return figure


def test_an_empty_folder_may_be_used(tmp_path):
    ResultsFolder(tmp_path).text("note.txt", "β")
    assert (tmp_path / "note.txt").read_text("utf-8") == "β"


def test_nothing_is_created_before_the_first_file(folder):
    assert not folder.path.exists()
    folder.text("a/b/note.txt", "")
    assert files(folder.path) == ["a/b/note.txt"]


def test_another_run_is_replaced_only_when_asked(folder):
    folder.manifest(status="running")
    with pytest.raises(InputError, match=r"already holds another run.*--overwrite"):
        ResultsFolder(folder.path)
    ResultsFolder(folder.path, overwrite=True).manifest(status="complete")
    assert json.loads((folder.path / "manifest.json").read_text())["status"] == "complete"


@pytest.mark.parametrize("overwrite", [False, True])
def test_foreign_files_are_never_touched(tmp_path, overwrite):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match="holds files that are not results"):
        ResultsFolder(tmp_path, overwrite=overwrite)
    assert files(tmp_path) == ["thesis.tex"]


@pytest.mark.parametrize("manifest", ["{", "[]", '{"files": {"a": {"bytes": 3}}}', '{"files": 3}'])
@pytest.mark.parametrize("how", [{}, {"overwrite": True}, {"resume": True}], ids=str)
def test_the_manifest_of_something_else_marks_no_results(tmp_path, manifest, how):
    (tmp_path / "manifest.json").write_text(manifest)
    (tmp_path / "weights.safetensors").write_text("a model")
    with pytest.raises(InputError, match="holds files that are not results"):
        ResultsFolder(tmp_path, **how)
    assert files(tmp_path) == ["manifest.json", "weights.safetensors"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_is_no_folder(tmp_path, overwrite):
    path = tmp_path / "results"
    path.write_text("")
    with pytest.raises(InputError, match="is a file; give a folder"):
        ResultsFolder(path, overwrite=overwrite)


@pytest.mark.parametrize("before", [None, "whole"])
def test_a_failed_save_leaves_what_was_there(folder, before):
    def save(path: Path):
        path.write_text("hal")
        raise OSError("disk full")

    folder.text("other.txt", "kept")
    if before:
        folder.text("file.txt", before)
    with pytest.raises(InputError, match=r"cannot write .*file.txt: disk full"):
        folder.write("file.txt", save)
    assert files(folder.path) == (["file.txt"] if before else []) + ["other.txt"]
    if before:
        assert (folder.path / "file.txt").read_text() == before


def test_readers_see_the_old_file_until_the_new_one_is_whole(folder):
    folder.text("file.txt", "old")
    seen = []

    def save(path: Path):
        path.write_text("new")
        seen.append((folder.path / "file.txt").read_text())

    assert folder.write("file.txt", save).read_text() == "new"
    assert seen == ["old"]


@pytest.mark.parametrize("name", ["runs.csv", "predictions.csv.gz"])
def test_tables_are_read_back(folder, name):
    frame = pd.DataFrame({"beta": [1e-4, 1 / 3], "patient": ["a", "b"], "c": [0.5, np.nan]})
    back = pd.read_csv(folder.table(name, frame))
    pd.testing.assert_frame_equal(back, frame, rtol=1e-7)


def test_the_manifest_tells_what_computed(folder):
    folder.manifest(status="running", data=Path("cohort"), options={"seeds": 3})
    record = json.loads((folder.path / "manifest.json").read_text())
    versions = record.pop("versions")
    assert record.pop("files") == {}
    assert record.pop("numerics") == NUMERICS
    assert record == {"status": "running", "data": "cohort", "options": {"seeds": 3}}
    assert versions["python"] == platform.python_version()
    assert versions["jax"] == jax.__version__
    assert versions["numpy"] == np.__version__
    assert "jaxsurv" in versions


def test_figures_are_png_and_svg_with_text(folder):
    folder.figure("km", drawing())
    assert files(folder.path) == ["figures/km.png", "figures/km.svg"]
    assert (folder.path / "figures/km.png").read_bytes().startswith(b"\x89PNG\r\n")
    svg = ET.parse(folder.path / "figures/km.svg")
    texts = ["".join(t.itertext()) for t in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert "months since diagnosis" in texts


def test_the_same_figure_gives_the_same_files(folder):
    for name in ("one", "two"):
        with mpl.rc_context({"svg.hashsalt": name}):
            folder.figure(name, drawing())
    for suffix in ("svg", "png"):
        one, two = ((folder.path / f"figures/{n}.{suffix}").read_bytes() for n in ("one", "two"))
        assert one == two


def test_overwriting_leaves_nothing_of_the_earlier_run(tmp_path):
    first = ResultsFolder(tmp_path / "r")
    first.text("report.html", "old")
    first.table("old.csv", pd.DataFrame({"a": [1]}))
    first.manifest(status="complete")
    (tmp_path / "r" / "note.txt").write_text("the user's own")
    second = ResultsFolder(tmp_path / "r", overwrite=True)
    assert (
        tmp_path / "r" / "report.html"
    ).exists()  # nothing is removed before there is something new
    second.manifest(status="running")
    assert files(tmp_path / "r") == ["manifest.json", "note.txt"]
