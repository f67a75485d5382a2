"""A trained model as a folder or a zip of numbers and names: safe to open, whoever sent it.

    manifest.json               description of the model; size and SHA-256 of the other parts
    weights.safetensors         arrays of the network
    preprocessing.safetensors   arrays of the preprocessing

No content is executed, no module is imported by a name in the file, and nothing is unpacked to disk. Hashes
show damage; they do not show who wrote the file.
"""

import hashlib
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from jaxsurv.types import InputError

SCHEMA = 2  # 1 had networks and elastic nets without recipe, offset and stack
MANIFEST = "manifest.json"
PARTS = ("weights.safetensors", "preprocessing.safetensors")
MANIFEST_BYTES = 2**28  # largest manifest; names of many features stay far below


class StoredModel(NamedTuple):
    """Content of a model file.

    Attributes:
        entries: entries of the manifest.
        weights: arrays by name, all finite.
        preprocessing: arrays by name, without NaN.
    """

    entries: dict[str, Any]
    weights: dict[str, np.ndarray]
    preprocessing: dict[str, np.ndarray]


def write_model(
    path: str | os.PathLike,
    entries: Mapping[str, Any],
    weights: Mapping[str, np.ndarray],
    preprocessing: Mapping[str, np.ndarray],
) -> Path:
    """Write a folder, or a zip if ``path`` ends in .zip; whole or not at all. Equal models, equal bytes.

    Args:
        path: path that does not exist yet.
        entries: entries that JSON can hold, without NaN; ``schema``, ``files`` and ``sha256`` are added.
        weights, preprocessing: arrays by name.

    Raises:
        InputError: a path that exists or cannot be written; a weight that is not finite.
    """
    target = Path(path)
    if target.exists():
        raise InputError(f"{target} exists; give the path of a new folder or .zip")
    _check_finite(weights, preprocessing)
    files = {
        name: save({k: np.asarray(a, order="C") for k, a in part.items()})
        for name, part in zip(PARTS, (weights, preprocessing), strict=True)
    }
    about = {name: {"bytes": len(b), "sha256": _sha256(b)} for name, b in files.items()}
    manifest = {"schema": SCHEMA, **entries, "files": about}
    text = json.dumps({**manifest, "sha256": _digest(manifest)}, indent=1, allow_nan=False) + "\n"
    files[MANIFEST] = text.encode()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".writing-") as scratch:
            draft = Path(scratch) / target.name
            (_write_zip if target.suffix == ".zip" else _write_folder)(draft, files)
            shutil.move(draft, target)
    except OSError as error:
        raise InputError(f"cannot write {target}: {error.strerror or error}") from error
    return target


def read_model(path: str | os.PathLike) -> StoredModel:
    """Read a model that `write_model` wrote, bit for bit.

    Args:
        path: folder or .zip.

    Raises:
        InputError: no model file; a newer schema; a part that is missing, truncated, changed or longer
            than it was; a zip with unknown members; a weight that is not finite.
    """
    source = Path(path)
    try:
        if source.is_dir():
            return _parse(partial(_file_size, source), partial(_file_bytes, source))
        with zipfile.ZipFile(source) as archive:
            _check_members(archive)
            return _parse(partial(_member_size, archive), archive.read)
    except InputError as error:
        raise InputError(f"{source}: {error}") from error
    except FileNotFoundError as error:
        raise InputError(f"{source} does not exist") from error
    except (OSError, zipfile.BadZipFile, RuntimeError) as error:
        raise InputError(f"{source} is not a model file: {error}") from error


def _check_members(archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    names = sorted(member.filename for member in members)
    if names != sorted((MANIFEST, *PARTS)):
        raise InputError(f"the members must be {(MANIFEST, *PARTS)}, got {names[:5]}; not opened")
    for m in members:  # stored bytes cannot exceed the file's size
        if m.compress_type != zipfile.ZIP_STORED or m.file_size != m.compress_size:
            raise InputError(
                f"{m.filename} is compressed ({m.compress_size} to {m.file_size} bytes), which models "
                "never are; not opened"
            )


def _member_size(archive: zipfile.ZipFile, name: str) -> int:
    return archive.getinfo(name).file_size


def _file_size(folder: Path, name: str) -> int:
    if not (folder / name).is_file():
        raise InputError(f"{name} is missing; a model is a folder with {(MANIFEST, *PARTS)}")
    return (folder / name).stat().st_size


def _file_bytes(folder: Path, name: str) -> bytes:
    return (folder / name).read_bytes()


def _parse(size_of: Callable[[str], int], read: Callable[[str], bytes]) -> StoredModel:
    """Model from the sizes and the bytes of its parts."""
    if (size := size_of(MANIFEST)) > MANIFEST_BYTES:
        raise InputError(f"{MANIFEST} has {size} bytes, more than any model's; not opened")
    entries = _manifest(read(MANIFEST))
    arrays = []
    for name in PARTS:
        about = entries["files"][name]
        if (size := size_of(name)) != (written := about.get("bytes")):
            raise InputError(
                f"{name} is truncated or longer than it was: {size} bytes, written were {written}; copy "
                "it again"
            )
        data = read(name)
        if _sha256(data) != about.get("sha256"):
            raise InputError(f"{name} was changed: its SHA-256 is another one; copy it again")
        try:
            arrays.append(load(data))
        except (SafetensorError, KeyError, ValueError, OverflowError) as error:
            raise InputError(f"{name} is not a safetensors file: {error}") from error
    _check_finite(*arrays)
    return StoredModel(entries, *arrays)


def _manifest(data: bytes) -> dict[str, Any]:
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no number")

    try:
        entries = json.loads(data.decode("utf-8"), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{MANIFEST} is damaged: {error}; copy it again") from error
    schema = entries.get("schema") if isinstance(entries, dict) else None
    if type(schema) is not int:
        raise InputError(f"{MANIFEST} has no schema version; it is not that of a model")
    if schema > SCHEMA:
        raise InputError(
            f"the model has schema version {schema}, this jaxsurv reads up to {SCHEMA}; install a newer "
            "jaxsurv to use it"
        )
    if schema < 1:
        raise InputError(f"unknown schema version {schema}; there are 1 to {SCHEMA}")
    digest = entries.pop("sha256", None)
    if digest != _digest(entries):
        raise InputError(f"{MANIFEST} was changed: its SHA-256 is another one; copy it again")
    files = entries.get("files")
    if not isinstance(files, dict) or any(not isinstance(files.get(p), dict) for p in PARTS):
        raise InputError(f"{MANIFEST} must list the files {PARTS} with their bytes and sha256")
    return entries


def _check_finite(
    weights: Mapping[str, np.ndarray], preprocessing: Mapping[str, np.ndarray]
) -> None:
    for name, a in weights.items():
        if not np.isfinite(a).all():
            raise InputError(
                f"the weights {name!r} have values that are not finite; train it again"
            )
    for name, a in preprocessing.items():
        if np.isnan(a).any():
            raise InputError(f"the preprocessing {name!r} has NaN; fit it again")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _digest(entries: Mapping[str, Any]) -> str:
    """SHA-256 of the entries, independent of their layout."""
    return _sha256(json.dumps(entries, sort_keys=True, separators=(",", ":")).encode())


def _write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)


def _write_zip(file: Path, files: Mapping[str, bytes]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
