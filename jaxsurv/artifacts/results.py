"""A results folder: every file is whole or absent, and no run overwrites another by accident."""

import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jax
import pandas as pd

from jaxsurv.artifacts.lock import Lock, lock
from jaxsurv.artifacts.numerics import NUMERICS
from jaxsurv.data.safe_text import write_csv
from jaxsurv.types import InputError

MANIFEST = "manifest.json"
_DRAFT = ".writing-"
LOCK = f"{_DRAFT}lock"
_OUTCOMES = ("finished_runs", "wall_seconds", "hosts")  # entries that change no result
# options that change no result, or whose effect is an entry of its own
_WHERE = (
    "out",
    "overwrite",
    "resume",
    "plan",
    "coordinator",
    "processes",
    "process",
    "patience_seconds",
)
# settings for saving figures: text stays text, and equal results give equal files
_SVG = {"svg.fonttype": "none", "svg.hashsalt": "jaxsurv", "text.parse_math": False}


class ResultsFolder:
    """Folder that one experiment writes.

    Every file is written under a temporary name, brought to the disk and then moved, so that a reader
    always finds whole files, even after a kill. ``manifest.json`` comes first and marks the folder as
    taken. Its ``status`` is ``running`` until the experiment changes it; its ``files`` have their SHA-256.
    Until then a `Lock` keeps other processes out. If several hosts share the experiment, only the first
    writes. If the manifest was lost, a resumed run writes it again and takes the chunks that say that they
    are its own.

    Args:
        path: path of the folder; created if absent.
        overwrite: True = replace the files of an earlier run.
        resume: True = continue an earlier run, whose `Chunks` are not computed again; start if there is
            none.

    Raises:
        InputError: a path that is a file, that cannot be written, that another process writes, or that
            holds another run or other files without ``overwrite`` or ``resume``; later, a resumed run that
            differs from the present one.
    """

    def __init__(
        self, path: str | os.PathLike, *, overwrite: bool = False, resume: bool = False
    ) -> None:
        self.path = Path(path)
        self.files: dict[str, str] = {}
        self._entries: dict[str, Any] = {}
        self._earlier: dict[str, Any] | None = None
        self._overwrite, self._resume = overwrite, resume
        self._lock: Lock | None = None
        self.rebuilt = False  # whether the manifest of the resumed run was lost
        if jax.process_index() > 0:
            return
        if overwrite and resume:
            raise InputError("give overwrite or resume, not both")
        try:
            there, folder = self.path.exists(), self.path.is_dir()
        except OSError as error:
            raise InputError(f"cannot write {self.path}: {error.strerror or error}") from error
        if there and not folder:
            raise InputError(f"{self.path} is a file; give a folder for the results")
        if there:
            self._read_manifest()  # nothing is written among the files of somebody else
            self._take()

    def _take(self) -> None:
        """Lock the folder, and look at what is in it, which nobody else can change from now on."""
        taken = self._lock is not None
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = lock(self.path / LOCK)
        except (OSError, InputError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            reason = getattr(error, "strerror", None) or error
            raise InputError(f"cannot write {self.path}: {reason}") from error
        if taken:  # by this run, which was complete and goes on
            return
        earlier = self._read_manifest()
        if earlier and not self._overwrite and not self._resume:
            self._lock = None
            raise InputError(
                f"{self.path} already holds another run; choose another folder or pass --overwrite, or, to "
                "finish an experiment that was interrupted, --resume"
            )
        for draft in self.path.rglob(f"{_DRAFT}*"):  # drafts of a killed run
            if draft.name != LOCK:
                shutil.rmtree(draft, ignore_errors=True)
        self._earlier = earlier
        if self._resume and earlier:
            self.files = dict(earlier["files"])
            self.rebuilt = len(earlier) == 1

    def _read_manifest(self) -> dict[str, Any] | None:
        """Read the manifest of the run in the folder; None if the folder is empty or absent."""
        there = (p.relative_to(self.path) for p in self.path.rglob("*") if p.is_file())
        if all(_DRAFT in str(file) for file in there):
            return None
        try:
            earlier = json.loads((self.path / MANIFEST).read_text(encoding="utf-8"))
            if all(isinstance(digest, str) for digest in earlier["files"].values()):
                return earlier  # in a model file's manifest they are no strings
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            pass
        if not any((self.path / "chunks").glob("*.npz")):
            raise InputError(f"{self.path} holds files that are not results; choose another folder")
        if not self._resume:
            raise InputError(
                f"{self.path / MANIFEST} is damaged or gone; to use the finished chunks of that run again, "
                "repeat its command with --resume; else choose another folder"
            )
        return {"files": {}}

    def write(self, name: str, save: Callable[[Path], Any]) -> Path:
        """Call ``save(temporary path)`` and move the file that it wrote to ``name``."""
        target = self.path / name
        if jax.process_index() > 0:
            return target
        if not Path(os.path.abspath(target)).is_relative_to(os.path.abspath(self.path)):
            raise InputError(f"{name!r} is not a file in {self.path}; give a name without '..'")
        if self._lock is None or not self._lock.release.alive:
            self._take()
        try:
            if self._earlier is not None and not self._resume:
                for old in self._earlier["files"]:  # of the run that is being overwritten
                    file = Path(os.path.realpath(self.path / old.replace("\0", "")))
                    if file.is_file() and file.is_relative_to(self.path.resolve()):
                        file.unlink()
                self._earlier = None
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=_DRAFT) as scratch:
                # keep the suffixes, which choose format and compression
                draft = Path(scratch) / target.name
                save(draft)
                with draft.open("rb+") as written:  # whole on the disk before it is in its place
                    os.fsync(written.fileno())
                digest = sha256(draft)
                os.replace(draft, target)
                self.files[name] = digest
        except OSError as error:
            fix = "move away what is there" if target.is_dir() else "make room"
            raise InputError(
                f"cannot write {target}: {error.strerror or error}; files that were finished stay as they "
                f"are; {fix} and pass --resume"
            ) from error
        return target

    def table(self, name: str, frame: pd.DataFrame) -> Path:
        """Write a table with `write_csv`, compressed if its name ends in .gz; equal tables, equal bytes."""
        packed = {"method": "gzip", "mtime": 1} if name.endswith(".gz") else None
        settings = {"index": False, "float_format": "%.8g", "compression": packed}
        return self.write(name, lambda p: write_csv(frame, p, **settings))

    def text(self, name: str, text: str) -> Path:
        """Write a text file in UTF-8."""
        return self.write(name, lambda p: p.write_text(text, "utf-8", errors="backslashreplace"))

    def manifest(self, **entries: Any) -> Path:
        """Write ``manifest.json``: the given entries, and the versions of Python, packages and numbers.

        Raises:
            InputError: a resumed run had other entries or versions; the message says which.
        """
        self._entries = self.check_same(**entries, versions=versions(), numerics=NUMERICS)
        if self._resume:
            self._earlier = None
        written = self.list_files()
        if entries.get("status") != "running" and self._lock is not None:
            self._lock.release()
        return written

    def check_same(self, **entries: Any) -> dict[str, Any]:
        """Compare the entries with a resumed run; returns them as JSON has them.

        Raises:
            InputError: a resumed run had other entries; the message says which.
        """
        record = as_json(entries)
        if self._resume and self._earlier is not None and not self.rebuilt:
            new = comparable(record)
            old = comparable({name: self._earlier.get(name) for name in record})
            if different := differences(old, new):
                raise InputError(
                    f"{self.path} cannot be resumed, this run is another one: {'; '.join(different)}"
                )
        return record

    def list_files(self) -> Path:
        """Write the manifest again, with the files that are in the folder now."""
        self.files.pop(MANIFEST, None)
        record = {**self._entries, "files": dict(sorted(self.files.items()))}
        return self.text(MANIFEST, json.dumps(record, indent=2) + "\n")

    @property
    def run(self) -> str:
        """SHA-256 of the entries that a run must share with the run that it resumes."""
        record = json.dumps(comparable(self._entries), sort_keys=True)
        return hashlib.sha256(record.encode()).hexdigest()

    def figure(self, name: str, figure: Any) -> None:
        """Write a matplotlib figure as ``figures/name.png`` and ``.svg``."""
        import matplotlib as mpl  # scoring needs no figures

        with mpl.rc_context(_SVG):
            for suffix, options in (("png", {"dpi": 160}), ("svg", {"metadata": {"Date": None}})):
                self.write(
                    f"figures/{name}.{suffix}",
                    lambda p, options=options: figure.savefig(p, bbox_inches="tight", **options),
                )


def as_json(entries: Mapping[str, Any]) -> dict[str, Any]:
    """Convert entries to the values that a JSON file gives back."""
    # NumPy scalars become numbers, other values that JSON does not know text
    return json.loads(json.dumps(entries, default=lambda v: getattr(v, "item", v.__str__)()))


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def comparable(record: Mapping[str, Any]) -> dict[str, Any]:
    """Entries of a manifest that must be equal for a run to be resumed."""
    kept = {k: v for k, v in record.items() if k not in ("status", "files", *_OUTCOMES)}
    options = record.get("options") or {}
    if isinstance(options, Mapping):
        options = {k: v for k, v in options.items() if k not in _WHERE}
    return {**kept, "options": options}


def differences(old: Any, new: Any, name: str = "") -> list[str]:
    """List ``name is new, was old`` for every entry in which two nested mappings differ."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return [
            line
            for k in sorted({*old, *new})
            for line in differences(old.get(k), new.get(k), f"{name}.{k}" if name else k)
        ]
    return [] if old == new else [f"{name} is {new}, was {old}"]


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that results depend on."""
    packages = (
        "jaxsurv",
        "jax",
        "jaxlib",
        "flax",
        "optax",
        "numpy",
        "scipy",
        "pandas",
        "lifelines",
    )
    found = {p: importlib.metadata.version(p) for p in packages}
    return {"python": platform.python_version(), **found}
