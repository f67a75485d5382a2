"""Rows on disk: each once per pass, in bounded memory, and what is refused."""

import tracemalloc

import numpy as np
import pytest

from jaxsurv.data import open_rows
from jaxsurv.types import InputError

N = 103
ROW = np.arange(N)
EVENT = ROW % 3 == 0


def stored(folder, n=N, p=2):
    """Every number in the table, and the time, is the number of the row."""
    row = np.arange(n)
    path = folder / "x.npy"
    np.save(path, np.repeat(row[:, None], p, axis=1).astype(np.float32))
    return open_rows(path, row % 3 == 0, row)


def read(rows, seed=0, batch_size=8, **sizes):
    """``[batches, batch_size]``, the row numbers in the order in which they come."""
    batches = list(rows.shuffled(seed, batch_size=batch_size, **sizes))
    for x, event, time in batches:
        np.testing.assert_array_equal(x, np.stack([time, time], axis=1))
        np.testing.assert_array_equal(event, time % 3 == 0)
    return np.array([time for _, _, time in batches])


@pytest.mark.parametrize(("block_rows", "buffer_blocks"), [(10, 3), (1, 5), (200, 1), (7, 100)])
def test_every_row_once_in_a_pass(tmp_path, block_rows, buffer_blocks):
    sizes = {"block_rows": block_rows, "buffer_blocks": buffer_blocks}
    rows = stored(tmp_path)
    for seed in range(3):
        drawn = read(rows, seed, **sizes)
        assert drawn.shape == (N // 8, 8)
        assert len(set(drawn.ravel())) == drawn.size
        np.testing.assert_array_equal(drawn, read(rows, seed, **sizes))
    assert set(drawn.ravel()) != set(read(rows, 0, **sizes).ravel())  # others are left out


def test_a_batch_mixes_the_blocks_of_a_buffer_which_are_any(tmp_path):
    rows = stored(tmp_path, n=1000)
    drawn = read(rows, batch_size=50, block_rows=10, buffer_blocks=10)
    blocks = drawn // 10
    buffers = [set(b.ravel()) for b in blocks.reshape(10, 2, 50)]
    assert all(len(b) == 10 for b in buffers)  # two batches are one buffer of ten blocks
    assert all(len(set(b)) >= 8 for b in blocks)
    assert np.ptp(list(buffers[0])) > 20
    assert not (np.diff(drawn, axis=1) == 1).all()


def test_batches_larger_than_a_buffer_are_filled_up(tmp_path):
    drawn = read(stored(tmp_path), batch_size=50, block_rows=4, buffer_blocks=2)
    assert drawn.shape == (2, 50)
    assert len(set(drawn.ravel())) == 100


def test_memory_holds_a_buffer_and_never_the_table(tmp_path):
    rows = stored(tmp_path, n=100_000, p=10)  # 4 MB
    tracemalloc.start()
    for _ in rows.shuffled(0, batch_size=500, block_rows=100, buffer_blocks=50):  # 0.2 MB
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1e6


def test_refuses_by_name(tmp_path):
    path = tmp_path / "x.npy"
    x = np.zeros((N, 2))
    for table, event, time, match in (
        (x[:50], EVENT, ROW, r"x\.npy: has 50 rows, the outcome 103"),
        (x[:, 0], EVENT, ROW, r"real numbers of shape \[n, p\], got float64, \[103\]"),
        (np.full((N, 2), "a"), EVENT, ROW, "real numbers of shape .* got <U1"),
        (np.asfortranarray(x), EVENT, ROW, "stored column by column.*ascontiguousarray"),
        (x.astype(object), EVENT, ROW, "no .npy file of numbers"),
        (x, np.where(ROW == 5, 2, EVENT), ROW, "event must be 0 .* found 2 in row 5"),
        (x, EVENT, np.where(ROW == 7, np.nan, ROW), "time has NaN or infinite values in row 7"),
        (x, EVENT, np.where(ROW == 9, -1, ROW), "time must be >= 0; negative in row 9"),
        (x, EVENT[:9], ROW, "one common length"),
    ):
        np.save(path, table)
        with pytest.raises(InputError, match=match):
            open_rows(path, event, time)
    with pytest.raises(InputError, match=r"none\.npy: no such file"):
        open_rows(tmp_path / "none.npy", EVENT, ROW)
    (tmp_path / "text.npy").write_text("1,2\n")
    with pytest.raises(InputError, match=r"text\.npy: no \.npy file"):
        open_rows(tmp_path / "text.npy", EVENT, ROW)

    x[71, 1] = np.nan
    np.save(path, x)
    rows = open_rows(path, EVENT, ROW)
    with pytest.raises(InputError, match=r"x\.npy: row 71, column 1 is nan"):
        list(rows.shuffled(0, batch_size=4, block_rows=5, buffer_blocks=2))
    with pytest.raises(InputError, match="batch_size 104 is more than the 103 rows"):
        rows.shuffled(0, batch_size=104)
    with pytest.raises(InputError, match="buffer_blocks must be at least 1, got 0"):
        rows.shuffled(0, batch_size=4, buffer_blocks=0)
