"""Tab-separated matrices of features × samples: what is read, and what would be a guess."""

import io

import numpy as np
import pytest

from jaxsurv.data.formats.matrix import read_matrix
from jaxsurv.types import InputError

ROWS = "TP53\t1\t2\t3\nMYC\t4\t5\t6\n"


def read(text):
    return read_matrix(enumerate(io.StringIO(text), 1))


def test_a_matrix_is_read():
    matrix = read("gene\ts1\ts2\ts3\n" + ROWS)
    assert (list(matrix.index), list(matrix.columns)) == (["TP53", "MYC"], ["s1", "s2", "s3"])
    np.testing.assert_array_equal(matrix, [[1, 2, 3], [4, 5, 6]])


def test_a_header_without_the_first_name_is_refused_not_shifted():
    with pytest.raises(
        InputError, match=r"line 2 \(TP53\) has 4 cells, the header 3; name .* \(.* s1, s2, s3\)"
    ):
        read("s1\ts2\ts3\n" + ROWS)


def test_a_column_of_text_is_no_sample():
    with pytest.raises(
        InputError, match="column 'note' holds text alone, such as 'a'; take it out"
    ):
        read("gene\tnote\ts1\nTP53\ta\t1\nMYC\tb\t2\n")


def test_a_matrix_without_a_value_is_refused():
    with pytest.raises(InputError, match="has no value"):
        read_matrix(enumerate(["gene\ta\tb\n", "TP53\tNA\t\n"], 1))
