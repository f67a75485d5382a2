"""Tab-separated matrices of features × samples: what is read, and what would be a guess."""

import io

import numpy as np
import pytest

from jaxsurv.data.formats.matrix import read_matrix
from jaxsurv.types import InputError

ROWS = "TP53\t1\t2\t3\nMYC\t4\t5\t6\n"


def test_a_matrix_is_read():
    matrix = read_matrix(io.StringIO("gene\ts1\ts2\ts3\n" + ROWS))
    assert (list(matrix.index), list(matrix.columns)) == (["TP53", "MYC"], ["s1", "s2", "s3"])
    np.testing.assert_array_equal(matrix, [[1, 2, 3], [4, 5, 6]])


def test_a_header_without_the_first_name_is_refused_not_shifted():
    with pytest.raises(
        InputError, match=r"more cells than the header \(s1, s2, s3\); name the first"
    ):
        read_matrix(io.StringIO("s1\ts2\ts3\n" + ROWS))


def test_tabs_at_the_end_of_rows_are_no_cells():
    text = "gene\ts1\ts2\ts3\n" + ROWS.replace("\n", "\t\n")
    np.testing.assert_array_equal(read_matrix(io.StringIO(text)), [[1, 2, 3], [4, 5, 6]])
