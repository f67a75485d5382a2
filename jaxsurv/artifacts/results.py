"""A results folder: whole files or none, never on top of another run."""

import importlib.metadata
import json
import os
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd

from jaxsurv.types import InputError

MANIFEST = "manifest.json"
# read when a figure is saved, not when it is drawn: text stays text, the same results the same file
_SVG = {"svg.fonttype": "none", "svg.hashsalt": "jaxsurv"}


class ResultsFolder:
    """The folder that one experiment writes.

    Every file is written beside its place and moved into it, so that whoever reads the folder, even
    after a kill, finds whole files. ``manifest.json`` comes first and marks the folder as taken; its
    ``status`` is ``running`` until the experiment says otherwise.

    Args:
        path: created if absent.
        overwrite: replace the files of an earlier run.

    Raises:
        InputError: ``path`` is a file, or holds another run or other files, without ``overwrite``.
    """

    def __init__(self, path: str | os.PathLike, *, overwrite: bool = False) -> None:
        self.path = Path(path)
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"{self.path} is a file; give a folder for the results")
        if self.path.is_dir() and any(self.path.iterdir()):
            if not (self.path / MANIFEST).exists():
                raise InputError(
                    f"{self.path} holds files that are not results; choose another folder"
                )
            if not overwrite:
                raise InputError(
                    f"{self.path} already holds another run; choose another folder or pass --overwrite"
                )
        self._written: list[str] = []

    def write(self, name: str, save: Callable[[Path], Any]) -> Path:
        """Call ``save(temporary path)`` and move what it wrote to ``name``."""
        if not self._written:
            self._clear()
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".writing-") as scratch:
            draft = Path(scratch) / target.name  # same suffixes: they choose format and compression
            save(draft)
            os.replace(draft, target)
        self._written.append(name)
        return target

    def _clear(self) -> None:
        """Remove the files of the run that is being overwritten, as its manifest lists them."""
        manifest = self.path / MANIFEST
        if manifest.exists():
            for name in json.loads(manifest.read_text(encoding="utf-8")).get("files", []):
                old = (self.path / name).resolve()
                if old.is_relative_to(self.path.resolve()):
                    old.unlink(missing_ok=True)

    def table(self, name: str, frame: pd.DataFrame) -> Path:
        """Write a table as CSV."""
        return self.write(name, lambda p: frame.to_csv(p, index=False, float_format="%.8g"))

    def text(self, name: str, text: str) -> Path:
        """Write a text file in UTF-8."""
        return self.write(name, lambda p: p.write_text(text, encoding="utf-8"))

    def manifest(self, **entries: Any) -> Path:
        """Write ``manifest.json``: the given entries and the versions of everything that computed."""
        files = sorted({*self._written, MANIFEST})
        record = {**entries, "versions": versions(), "files": files}
        return self.text(MANIFEST, json.dumps(record, indent=2, default=_plain) + "\n")

    def figure(self, name: str, figure: Any) -> None:
        """Write a matplotlib figure as ``figures/name.png`` and ``.svg``."""
        with mpl.rc_context(_SVG):
            for suffix, options in (("png", {"dpi": 160}), ("svg", {"metadata": {"Date": None}})):
                self.write(
                    f"figures/{name}.{suffix}",
                    lambda p, options=options: figure.savefig(p, bbox_inches="tight", **options),
                )


def _plain(value: Any) -> Any:
    """NumPy scalars as numbers, anything else JSON does not know as text."""
    return value.item() if hasattr(value, "item") else str(value)


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
