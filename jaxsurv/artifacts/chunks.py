"""Finished chunks of a long computation on disk, so that an interrupted run can be resumed."""

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxsurv.artifacts.results import ResultsFolder, sha256


class Chunks:
    """Pytrees of arrays in the folder ``chunks`` of a results folder.

    A chunk counts as finished when the manifest has its SHA-256. A chunk that has changed since is named
    in a warning and computed again.

    Args:
        folder: results folder of the run, see :class:`ResultsFolder`.
        name: name of the computation, with which file names begin.
    """

    def __init__(self, folder: ResultsFolder, name: str) -> None:
        self._folder, self._name = folder, re.sub(r"[^\w.=-]+", "_", name)

    def _file(self, part: str) -> str:
        return f"chunks/{self._name}-{part}.npz"

    def load(self, part: str, like: Callable[[], Any]) -> Any | None:
        """Read a finished chunk, in the structure of ``like()``; None if it is not finished."""
        file = self._file(part)
        path = self._folder.path / file
        if file not in self._folder.files:
            return None
        if not path.exists() or sha256(path) != self._folder.files[file]:
            warnings.warn(f"{path} is not as it was written; it is computed again", stacklevel=2)
            return None
        with np.load(path, allow_pickle=False) as stored:
            leaves = [stored[f"{i}"] for i in range(len(stored.files))]
        return jax.tree.unflatten(jax.tree.structure(like()), leaves)

    def save(self, part: str, tree: Any) -> None:
        """Write a finished chunk and list it in the manifest."""
        arrays = {f"{i}": np.asarray(x) for i, x in enumerate(jax.tree.leaves(tree))}

        def write(path: Path) -> None:
            np.savez(path, **arrays)

        self._folder.write(self._file(part), write)
        self._folder.list_files()
