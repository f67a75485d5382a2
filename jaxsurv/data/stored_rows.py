"""A table of many patients on disk, read in shuffled minibatches with bounded memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jaxsurv.arguments.reading import read_arguments
from jaxsurv.arguments.settings import check_whole
from jaxsurv.survival.validation import check_survival
from jaxsurv.types import ArrayLike, InputError

Columns = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class StoredRows:
    """Patients whose features stay on disk; made by `open_rows`.

    Attributes:
        path: path of the ``.npy`` file of x, ``[n, p]``.
        event: ``[n]`` booleans, kept in memory.
        time: ``[n]``, kept in memory.
    """

    path: Path
    event: np.ndarray
    time: np.ndarray

    @read_arguments
    def shuffled(
        self, seed: int, *, batch_size: int, block_rows: int = 1024, buffer_blocks: int = 64
    ) -> Iterator[Columns]:
        """One pass over the rows: batches x ``[batch_size, p]``, event and time ``[batch_size]``.

        The file is read in blocks of neighbouring rows, which is fast on disks, and blocks come in random
        order. The rows of every ``buffer_blocks`` blocks are permuted together in a buffer. So the rows of
        a block stay close to each other in a pass, and not every order of all rows is possible. If
        neighbours in the file are alike, as in a file sorted by time, a batch is a random sample only
        if its buffer has many small blocks. The last n modulo ``batch_size`` rows of the order are left
        out, which are different rows in each pass. Memory holds one buffer: by default
        65,536 rows, 32 MB at 128 float32 features.

        Args:
            seed: seed of the order.
            batch_size: rows in a batch.
            block_rows: rows read at once.
            buffer_blocks: blocks in the buffer.

        Raises:
            InputError: sizes that are impossible; while reading, NaN in a row.
        """
        sizes = {
            "batch_size": batch_size, "block_rows": block_rows, "buffer_blocks": buffer_blocks,
        }  # fmt: skip
        for name, size in sizes.items():
            check_whole(name, size)
        if batch_size > self.time.size:
            raise InputError(f"batch_size {batch_size} is more than the {self.time.size} rows")
        return self._batches(np.random.default_rng(seed), **sizes)

    def _batches(
        self, rng: np.random.Generator, batch_size: int, block_rows: int, buffer_blocks: int
    ) -> Iterator[Columns]:
        n = self.time.size
        blocks = rng.permutation(-(-n // block_rows))
        x, row = np.array(_open(self.path)[:0]), np.empty(0, int)
        for i in range(0, blocks.size, buffer_blocks):
            starts = block_rows * blocks[i : i + buffer_blocks]
            # Open anew: pages that an open map has read count as memory of the process.
            table = _open(self.path)
            x = np.concatenate([x, *(table[s : s + block_rows] for s in starts)])
            del table
            row = np.concatenate([row, *(np.arange(s, min(s + block_rows, n)) for s in starts)])
            self._check(x, row)
            *batches, rest = np.split(
                rng.permutation(row.size), range(batch_size, row.size + 1, batch_size)
            )
            for some in batches:
                yield x[some], self.event[row[some]], self.time[row[some]]
            x, row = x[rest], row[rest]

    def _check(self, x: np.ndarray, row: np.ndarray) -> None:
        bad = ~np.isfinite(x)
        if bad.any():
            i, column = np.argwhere(bad)[0]
            raise InputError(
                f"{self.path}: row {row[i]}, column {column} is {x[i, column]}; drop the row or "
                "impute the value"
            )


def _open(path: Path) -> np.ndarray:
    return np.lib.format.open_memmap(path, mode="r")


@read_arguments
def open_rows(path: str | Path, event: ArrayLike, time: ArrayLike) -> StoredRows:
    """Check a table on disk and the outcome that belongs to it; no row of the table is read yet.

    Args:
        path: path of x, ``[n, p]``, real numbers, written by ``numpy.save``.
        event: ``[n]``, 1 = observed, 0 = censored.
        time: ``[n]``, >= 0, any unit.

    Raises:
        InputError: no such file, another format, order or shape; an outcome that is refused, with its
            rows.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file; write the table with numpy.save")
    try:
        table = _open(path)
    except ValueError as error:
        raise InputError(f"{path}: no .npy file of numbers ({error})") from error
    if table.dtype.kind not in "biuf" or table.ndim != 2:
        raise InputError(
            f"{path}: must be real numbers of shape [n, p], got {table.dtype}, {list(table.shape)}"
        )
    if not table.flags.c_contiguous:
        raise InputError(
            f"{path}: is stored column by column, so that no row can be read alone; save it as "
            "numpy.ascontiguousarray(x)"
        )
    n = check_survival(event, time)
    if len(table) != n:
        raise InputError(
            f"{path}: has {len(table)} rows, the outcome {n}; give one outcome per row"
        )
    return StoredRows(path, np.asarray(event).astype(bool), np.asarray(time))
