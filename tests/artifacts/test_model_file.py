"""Model files: exact, and every kind of damage or malice refused by name."""

import json
import struct
import warnings
import zipfile
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from jaxsurv.artifacts import read_model, write_model
from jaxsurv.artifacts.model_file import _digest
from jaxsurv.types import InputError

WEIGHTS = {"center": np.float32([0.1, -0.2]), "params['w']": np.arange(6, dtype=np.float32)}
SCALER = {
    "scaler/lower": np.float32([-np.inf, 0]),
    "scaler/gain": np.float32([1, 2]),
    "scale": np.float32(0.5),
}
ENTRIES = {"model": "CoxNnet", "numbers": [0.1, 1 / 3]}
NAMES = ["manifest.json", "preprocessing.safetensors", "weights.safetensors"]


@pytest.fixture(params=["model", "model.zip"])
def path(request, tmp_path):
    return write_model(tmp_path / request.param, ENTRIES, WEIGHTS, SCALER)


def content(path):
    if path.is_dir():
        return {name: (path / name).read_bytes() for name in NAMES}
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in NAMES}


def rewrite(path, files, compression=zipfile.ZIP_STORED):
    """The files in the model's place, whatever they are."""
    if path.is_dir():
        for name, data in files.items():
            (path / name).write_bytes(data)
        return
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)


def with_manifest(given, **entries):
    """A manifest that is sound in itself, with other entries."""
    manifest = json.loads(given["manifest.json"]) | entries
    manifest.pop("sha256")
    text = json.dumps({**manifest, "sha256": _digest(manifest)})
    return {**given, "manifest.json": text.encode()}


def as_written(files, name, data):
    """Another part, whose size and hash the manifest tells."""
    about = json.loads(files["manifest.json"])["files"]
    about[name] = {"bytes": len(data), "sha256": sha256(data).hexdigest()}
    return with_manifest({**files, name: data}, files=about)


def test_comes_back_to_the_bit(path):
    stored = read_model(path)
    assert stored.entries["numbers"] == ENTRIES["numbers"]
    for got, given in ((stored.weights, WEIGHTS), (stored.preprocessing, SCALER)):
        assert set(got) == set(given)
        for name, a in given.items():
            assert (got[name].dtype, got[name].shape) == (a.dtype, a.shape)
            np.testing.assert_array_equal(got[name], a)


def test_equal_models_are_equal_files(tmp_path):
    one, two = (write_model(tmp_path / n, ENTRIES, WEIGHTS, SCALER) for n in ("1.zip", "2.zip"))
    assert one.read_bytes() == two.read_bytes()
    with pytest.raises(InputError, match="exists; give the path of a new folder"):
        write_model(one, ENTRIES, WEIGHTS, SCALER)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["1.zip", "2.zip"]


@pytest.mark.parametrize("name", NAMES)
def test_truncated_appended_and_flipped_bytes_are_found(path, name):
    files = content(path)
    data = files[name]
    for i in [*range(0, len(data), 7), len(data) - 2]:
        flipped = data[:i] + bytes([data[i] ^ 1]) + data[i + 1 :]
        rewrite(path, {**files, name: flipped})
        with pytest.raises(
            InputError, match=rf"{name} (was changed|is damaged|has no schema)|schema"
        ):
            read_model(path)
    for other in (data[:-2], data[: len(data) // 2], b"", data + b"{}", data + b"\0" * 9):
        rewrite(path, {**files, name: other})
        with pytest.raises(InputError, match=rf"{name} is (truncated|damaged)"):
            read_model(path)


def test_a_damaged_zip_is_no_model(tmp_path):
    path = write_model(tmp_path / "m.zip", ENTRIES, WEIGHTS, SCALER)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match="is not a model file"):
        read_model(path)
    with pytest.raises(InputError, match="does not exist"):
        read_model(tmp_path / "nothing")


def test_a_missing_part_is_named(path):
    if path.is_dir():
        (path / "weights.safetensors").unlink()
        message = "weights.safetensors is missing"
    else:
        rewrite(path, {name: content(path)[name] for name in NAMES[:2]})
        message = "the members must be"
    with pytest.raises(InputError, match=message):
        read_model(path)


@pytest.mark.parametrize("size", [2**62, 2**40, 10**6])
def test_an_oversized_header_is_refused_without_reading_it(path, size):
    files = content(path)
    data = struct.pack("<Q", size) + files["weights.safetensors"][8:]
    rewrite(path, as_written(files, "weights.safetensors", data))
    with pytest.raises(InputError, match="is not a safetensors file"):
        read_model(path)


def test_not_even_a_manifest_that_agrees_makes_weights_that_are_not_finite(path, tmp_path):
    files, data = content(path), bytearray(content(path)["weights.safetensors"])
    data[-4:] = struct.pack("<f", np.nan)
    rewrite(path, as_written(files, "weights.safetensors", bytes(data)))
    with pytest.raises(InputError, match="values that are not finite"):
        read_model(path)
    with pytest.raises(InputError, match=r"the weights \"params\['w'\]\" have values"):
        write_model(tmp_path / "new", {}, {"params['w']": np.float32([np.inf])}, {})


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (3, "the model has schema version 3, this jaxsurv reads up to 2; install a newer"),
        (0, "unknown schema version 0"),
        ("1", "has no schema version"),
        (True, "has no schema version"),
        (None, "has no schema version"),
    ],
)
def test_another_schema_is_named(path, schema, message):
    rewrite(path, with_manifest(content(path), schema=schema))
    with pytest.raises(InputError, match=message):
        read_model(path)


@pytest.mark.parametrize("text", [b"[]", b"{", b'{"schema": NaN}', b"\xff", b"[" * 100_000])
def test_a_manifest_of_anything_else_is_refused(path, text):
    rewrite(path, {**content(path), "manifest.json": text})
    with pytest.raises(InputError, match=r"manifest.json (is damaged|has no schema)"):
        read_model(path)


@pytest.mark.parametrize(
    "files", [None, {}, {"weights.safetensors": 3, "preprocessing.safetensors": {}}]
)
def test_a_manifest_must_list_its_files(path, files):
    rewrite(path, with_manifest(content(path), files=files))
    with pytest.raises(InputError, match="must list the files"):
        read_model(path)


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/evil", "weights.safetensors", "a/../../b", "x.pkl"]
)
def test_a_zip_with_other_members_is_not_opened(tmp_path, name):
    path = write_model(tmp_path / "m.zip", ENTRIES, WEIGHTS, SCALER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # zipfile's own, of a name that is there twice
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(name, b"x")
    with pytest.raises(InputError, match=r"the members must be .*; not opened"):
        read_model(path)
    assert [p.name for p in Path(tmp_path).iterdir()] == ["m.zip"]


def test_a_zip_bomb_is_not_opened(tmp_path):
    path = write_model(tmp_path / "m.zip", ENTRIES, WEIGHTS, SCALER)
    files = {**content(path), "weights.safetensors": b"\0" * 10**7}
    rewrite(path, files, zipfile.ZIP_DEFLATED)
    with pytest.raises(InputError, match="is compressed"):
        read_model(path)
    rewrite(path, content_of_stored := {**files})
    data = bytearray(path.read_bytes())
    # sizes that lie: the directory at the end promises a gigabyte
    at = data.rfind(struct.pack("<I", len(content_of_stored["weights.safetensors"])))
    data[at : at + 4] = struct.pack("<I", 2**30)
    path.write_bytes(bytes(data))
    with pytest.raises(InputError, match="is compressed"):
        read_model(path)
