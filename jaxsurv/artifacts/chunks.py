"""Finished chunks of a long computation on disk, so that an interrupted run can be resumed."""

import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxsurv.artifacts.results import ResultsFolder, sha256
from jaxsurv.data.safe_text import file_stem

_RUN = "run"  # entry of a chunk that names its run


class Chunks:
    """Pytrees of arrays in the folder ``chunks`` of a results folder.

    A chunk counts as finished when the manifest has its SHA-256, or, where the manifest was lost, when the
    chunk names the run that is resumed. A chunk that has changed since is named in a warning and computed
    again.

    Args:
        folder: results folder of the run, see :class:`ResultsFolder`.
        name: name of the computation, with which file names begin.
    """

    def __init__(self, folder: ResultsFolder, name: str) -> None:
        self._folder, self._name = folder, file_stem(name)

    def _file(self, part: str) -> str:
        return f"chunks/{self._name}-{part}.npz"

    def load(self, part: str, like: Callable[[], Any]) -> Any | None:
        """Read a finished chunk, in the structure of ``like()``; None if it is not finished."""
        file = self._file(part)
        path = self._folder.path / file
        listed = file in self._folder.files
        if not listed and not (self._folder.rebuilt and path.exists()):
            return None
        try:
            digest = sha256(path)
            if not listed or digest == self._folder.files[file]:
                with np.load(path, allow_pickle=False) as stored:  # which checks sums of its own
                    arrays = {name: stored[name] for name in stored.files}
                run = str(arrays.pop(_RUN, ""))
                if listed or run == self._folder.run:
                    self._folder.files[file] = digest
                    leaves = [arrays[f"{i}"] for i in range(len(arrays))]
                    return jax.tree.unflatten(jax.tree.structure(like()), leaves)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            pass
        warnings.warn(f"{path} is not as it was written; it is computed again", stacklevel=2)
        return None

    def save(self, part: str, tree: Any) -> None:
        """Write a finished chunk and list it in the manifest."""
        arrays = {f"{i}": np.asarray(x) for i, x in enumerate(jax.tree.leaves(tree))}
        arrays[_RUN] = np.array(self._folder.run)

        def write(path: Path) -> None:
            np.savez(path, **arrays)

        self._folder.write(self._file(part), write)
        self._folder.list_files()
