"""One process at a time writes a results folder, and a lost manifest loses no chunk."""

import json
import subprocess
import sys

import numpy as np
import pytest

from jaxsurv.artifacts import Chunks, ResultsFolder
from jaxsurv.types import InputError

HOLD = (
    "import sys; from jaxsurv.artifacts import ResultsFolder; "
    "f = ResultsFolder(sys.argv[1]); f.manifest(status='running'); print('held', flush=True); "
    "sys.stdin.read()"
)


@pytest.fixture
def other(tmp_path):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "r")], text=True, **pipes
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.mark.parametrize("how", [{}, {"overwrite": True}, {"resume": True}], ids=str)
def test_the_folder_of_a_living_process_is_refused_and_that_of_a_dead_one_taken(
    other, how, tmp_path
):
    with pytest.raises(InputError, match=rf"being written by process {other.pid} on .*wait for it"):
        ResultsFolder(tmp_path / "r", **how)
    other.kill()
    other.wait()
    if how:
        ResultsFolder(tmp_path / "r", **how).manifest(status="complete")
        assert [p.name for p in (tmp_path / "r").iterdir()] == ["manifest.json"]


def test_who_comes_later_to_a_folder_that_was_not_there_is_refused(tmp_path):
    late = ResultsFolder(tmp_path / "r")
    ResultsFolder(tmp_path / "r").manifest(status="complete")
    with pytest.raises(InputError, match="already holds another run"):
        late.manifest(status="running")


def interrupted(path, **options):
    folder = ResultsFolder(path)
    folder.manifest(status="running", options={"seeds": 3, **options})
    Chunks(folder, "x").save("000000", [np.arange(3)])
    return path


@pytest.mark.parametrize("text", ["", '{"status": "run', "[]", "null", '{"files": 3}', None])
def test_a_lost_manifest_keeps_the_chunks_of_this_very_run(tmp_path, text):
    path = interrupted(tmp_path / "r")
    manifest = path / "manifest.json"
    manifest.unlink() if text is None else manifest.write_text(text)
    for how in ({}, {"overwrite": True}):
        with pytest.raises(InputError, match=r"damaged or gone.*--resume"):
            ResultsFolder(path, **how)
    again = ResultsFolder(path, resume=True)
    again.manifest(status="running", options={"seeds": 3})
    np.testing.assert_array_equal(Chunks(again, "x").load("000000", lambda: [0])[0], np.arange(3))
    again.list_files()
    assert list(json.loads(manifest.read_text())["files"]) == ["chunks/x-000000.npz"]


def test_chunks_of_another_run_are_not_taken(tmp_path):
    path = interrupted(tmp_path / "r")
    (path / "manifest.json").write_text("")
    again = ResultsFolder(path, resume=True)
    again.manifest(status="running", options={"seeds": 4})
    with pytest.warns(UserWarning, match="computed again"):
        assert Chunks(again, "x").load("000000", lambda: [0]) is None


@pytest.mark.parametrize("entry", [None, [], 3, "x", {"seeds": []}])
def test_odd_options_in_a_manifest_are_another_run(tmp_path, entry):
    path = interrupted(tmp_path / "r")
    record = json.loads((path / "manifest.json").read_text()) | {"options": entry}
    (path / "manifest.json").write_text(json.dumps(record))
    with pytest.raises(InputError, match="cannot be resumed, this run is another one"):
        ResultsFolder(path, resume=True).manifest(status="running", options={"seeds": 3})


def test_a_folder_in_place_of_a_chunk_is_named(tmp_path):
    path = interrupted(tmp_path / "r")
    chunk = path / "chunks" / "x-000000.npz"
    chunk.unlink()
    chunk.mkdir()
    again = ResultsFolder(path, resume=True)
    with pytest.warns(UserWarning, match="computed again"):
        assert Chunks(again, "x").load("000000", lambda: [0]) is None
    with pytest.raises(InputError, match=r"cannot write .*npz.*move away what is there"):
        Chunks(again, "x").save("000000", [np.arange(3)])


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "file/below"])
def test_a_path_that_cannot_be_is_named(tmp_path, name):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        ResultsFolder(tmp_path / name).manifest(status="running")


@pytest.mark.parametrize("how", [{"overwrite": True}, {"resume": True}], ids=str)
def test_a_folder_that_cannot_be_written_is_named(tmp_path, how, monkeypatch):
    path = interrupted(tmp_path / "r")

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("jaxsurv.artifacts.lock.os.open", refuse)
    with pytest.raises(InputError, match=r"cannot write .*Permission denied"):
        ResultsFolder(path, **how)


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "a/../../evil"])
def test_no_file_is_written_outside(tmp_path, name):
    with pytest.raises(InputError, match=r"give a name without '\.\.'"):
        ResultsFolder(tmp_path / "r").text(name, "x")
