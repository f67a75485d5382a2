"""Files: what is opened, and JSON; damaged tables are in ``test_damaged_files``."""

import gzip
import os

import numpy as np
import pytest

from jaxsurv.data import files, read_cohort, read_images
from jaxsurv.data.files import naming, open_text
from jaxsurv.types import InputError


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("packed", [bytes, gzip.compress])
def test_utf8_is_read_with_and_without_its_mark_compressed_or_not(mark, packed, tmp_path):
    (tmp_path / "x").write_bytes(packed(mark + "José\r\nb".encode()))
    with open_text(tmp_path / "x") as text:
        assert text.read() == "José\r\nb"


def test_text_after_the_first_block_is_checked_too(tmp_path):
    (tmp_path / "x").write_bytes(b"a\n" * 500_000 + b"\xe9\n")
    with (
        pytest.raises(InputError, match="line 500001 is no UTF-8"),
        open_text(tmp_path / "x") as text,
    ):
        text.read()
    (tmp_path / "x").write_bytes(b"a\n" * 500_000 + b"\0\n")
    with (
        pytest.raises(InputError, match="line 500001 holds a NUL"),
        open_text(tmp_path / "x") as text,
    ):
        text.read()


def test_what_is_large_but_no_repetition_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_LARGE", 1000)
    content = np.random.default_rng(0).integers(97, 122, 50_000).astype("u1").tobytes()
    (tmp_path / "x").write_bytes(gzip.compress(content))
    with open_text(tmp_path / "x") as text:
        assert len(text.read()) == 50_000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[" * 100_000, "nested too deeply"),
        (b'{"kinds":' * 100_000 + b"1" + b"}" * 100_000, "nested too deeply"),
        (b'{"title": "a", "title": "b"}', "'title' is there twice"),
        (b'{"kinds": {"rna": "counts", "rna": "binary"}}', "'rna' is there twice"),
        (b'{"title": ["a"]}', r"title must be text, got \['a'\]; write it in quotes"),
        (b'{"name": null}', "name must be text, got None"),
        (b'{"title": "a"', "is no JSON: .*line 1 column"),
        ('{"title": "é"}'.encode("latin-1"), "byte 0xe9 .*save it as UTF-8"),
        ('{"title": "é"}'.encode("utf-16"), "is UTF-16 text"),
        (b"", "is empty"),
        (b'{"a": ' + b"1" * 5000 + b"}", "cohort.json: "),
    ],
)
def test_settings_that_are_no_json_object_of_texts_are_refused(content, message, tmp_path):
    (tmp_path / "survival.csv").write_text("patient,os_time,os_event\na,1,1\nb,2,0\n")
    (tmp_path / "rna.csv").write_text("patient,x\na,1\nb,2\n")
    (tmp_path / "cohort.json").write_bytes(content)
    with pytest.raises(InputError, match=rf"cohort\.json: .*{message}|{message}"):
        read_cohort(tmp_path)


def test_errors_of_the_system_have_no_false_fix(tmp_path):
    with pytest.raises(InputError, match=r"x: Permission denied$"), naming(tmp_path / "x"):
        raise PermissionError(13, "Permission denied")
    with (
        pytest.raises(InputError, match=r"x: cannot be read \(bad\); store"),
        naming(tmp_path / "x"),
    ):
        raise ValueError("bad")


@pytest.mark.parametrize(
    "name", ["ct.npy", "ct.npz", "ct/a.npy", "ct/a.nii", "ct/a.nii.gz", "mask.npy"]
)
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_images_are_files(name, make, tmp_path):
    (tmp_path / "ct").mkdir()
    np.save(
        tmp_path / "ct" / "b.npy" if name == "mask.npy" else tmp_path / "x.npy", np.ones((1, 2))
    )
    (tmp_path / "patients.csv").write_text("patient\na\n")
    if name.startswith("ct."):
        (tmp_path / "ct").rmdir()
    make(tmp_path / name)
    with pytest.raises(InputError, match="is a pipe or a device, not a file"):
        read_images(tmp_path)


def test_arrays_do_not_swell(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_LARGE", 1 << 16)
    np.savez_compressed(tmp_path / "ct.npz", a=np.zeros(1 << 20))
    with pytest.raises(InputError, match=r"ct\.npz: swells from"):
        read_images(tmp_path)


def test_a_volume_is_no_larger_than_its_file_can_hold(tmp_path):
    nibabel = pytest.importorskip("nibabel")
    (tmp_path / "ct").mkdir()
    file = tmp_path / "ct" / "a.nii"
    nibabel.save(nibabel.Nifti1Image(np.ones((4, 4, 4), "f4"), np.eye(4)), file)
    content = bytearray(file.read_bytes())
    content[40:56] = np.array([3, 32000, 32000, 32000, 1, 1, 1, 1], "<i2").tobytes()
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.nii: swells from"):
        read_images(tmp_path)


def test_an_array_of_which_the_header_lies_is_refused(tmp_path):
    with (tmp_path / "ct.npy").open("wb") as file:
        shape = {"descr": "<f8", "fortran_order": False, "shape": (2, 10**8, 10**6)}
        np.lib.format.write_array_header_1_0(file, shape)
    (tmp_path / "patients.csv").write_text("patient\na\nb\n")
    with pytest.raises(InputError, match=r"ct\.npy: cannot be read"):
        read_images(tmp_path)
