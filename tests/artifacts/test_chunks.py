"""Finished chunks: read back as they were, never when they are not what was written."""

import json
from typing import Any, NamedTuple

import numpy as np
import pytest

from jaxsurv.artifacts import Chunks, ResultsFolder
from jaxsurv.data.safe_text import file_stem
from jaxsurv.types import InputError


class Pair(NamedTuple):
    a: Any
    b: Any = None


TREE = {"p": Pair(np.arange(6, dtype=np.float32).reshape(2, 3)), "q": [np.array([True, False])]}
FILE = f"chunks/{file_stem('0-shared / private')}-000003.npz"


@pytest.fixture
def folder(tmp_path):
    folder = ResultsFolder(tmp_path / "results")
    folder.manifest(status="running", plan="a", options={"seeds": 3, "out": "here"})
    Chunks(folder, "0-shared / private").save("000003", TREE)
    return folder


def again(folder):
    """As the next process finds it."""
    return ResultsFolder(folder.path, resume=True)


def test_a_chunk_comes_back_in_its_structure(folder):
    chunks = Chunks(again(folder), "0-shared / private")
    found = chunks.load("000003", lambda: TREE)
    assert found["p"].b is None
    np.testing.assert_array_equal(found["p"].a, TREE["p"].a)
    assert found["p"].a.dtype == np.float32
    np.testing.assert_array_equal(found["q"][0], TREE["q"][0])
    assert chunks.load("000002", lambda: TREE) is None


@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
def test_a_damaged_chunk_is_named_and_not_used(folder, damage):
    path = folder.path / FILE
    data = bytearray(path.read_bytes())
    if damage == "gone":
        path.unlink()
    else:
        data[len(data) // 2] ^= 1
        path.write_bytes(data if damage == "flip" else data[:-7])
    chunks = Chunks(again(folder), "0-shared / private")
    with pytest.warns(UserWarning, match=rf"{FILE} is not as it was written; it is computed again"):
        assert chunks.load("000003", lambda: TREE) is None


def test_a_chunk_that_the_manifest_does_not_list_is_not_used(folder):
    manifest = folder.path / "manifest.json"
    record = json.loads(manifest.read_text())
    assert len(record["files"].pop(FILE)) == 64
    manifest.write_text(json.dumps(record))
    assert Chunks(again(folder), "0-shared / private").load("000003", lambda: TREE) is None


def test_only_the_same_run_is_resumed(folder):
    manifest = (folder.path / "manifest.json").read_bytes()
    entries = {"plan": "b", "options": {"seeds": 4, "out": "there"}, "added": 1}
    message = r"added is 1, was None; options.seeds is 4, was 3; plan is b, was a$"
    with pytest.raises(InputError, match=message):
        again(folder).manifest(status="running", **entries)
    assert (folder.path / "manifest.json").read_bytes() == manifest


def test_another_version_is_another_run(folder, monkeypatch):
    from jaxsurv.artifacts import results

    found = results.versions()
    monkeypatch.setattr(results, "versions", lambda: found | {"jax": "0.0.1"})
    with pytest.raises(InputError, match=r"versions.jax is 0.0.1, was"):
        again(folder).manifest(status="running", plan="a", options={"seeds": 3})


def test_where_a_run_is_moved_does_not_matter(folder):
    resumed = again(folder)
    resumed.manifest(status="running", plan="a", options={"seeds": 3, "out": "there"})
    record = json.loads((folder.path / "manifest.json").read_text())
    assert set(record["files"]) == {FILE}


def test_to_resume_is_to_start_where_nothing_was(tmp_path):
    folder = ResultsFolder(tmp_path / "new", resume=True)
    folder.manifest(status="running")
    assert Chunks(folder, "x").load("000000", lambda: TREE) is None


def test_drafts_of_a_killed_process_are_swept_away(folder):
    draft = folder.path / "chunks" / ".writing-abc"
    draft.mkdir()
    (draft / "half.npz").write_text("")
    again(folder)
    assert not draft.exists()


def test_who_is_refused_leaves_the_drafts_of_the_run_that_is_there(folder):
    def refused(path):
        with pytest.raises(InputError, match="already holds another run"):
            ResultsFolder(folder.path)
        path.write_text("written")

    assert folder.write("chunks/more.txt", refused).read_text() == "written"


def test_a_folder_with_nothing_but_drafts_is_empty(tmp_path):
    (tmp_path / ".writing-abc").mkdir()
    (tmp_path / ".writing-abc" / "manifest.json").write_text("{")
    ResultsFolder(tmp_path).manifest(status="running")
    assert [p.name for p in tmp_path.iterdir()] == ["manifest.json"]


def test_to_replace_and_to_resume_exclude_each_other(tmp_path):
    with pytest.raises(InputError, match="overwrite or resume, not both"):
        ResultsFolder(tmp_path, overwrite=True, resume=True)


def test_a_full_disk_is_named_and_leaves_what_was_finished(folder, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as m:
        m.setattr(np, "savez", full)
        with pytest.raises(InputError, match=r"cannot write .*000004.npz: No space left.*--resume"):
            Chunks(folder, "0-shared / private").save("000004", TREE)
    assert Chunks(again(folder), "0-shared / private").load("000003", lambda: TREE) is not None
