"""The page on degenerate input says what the functions do."""

import pytest

from tests.arguments.degenerate import CASES, PAGE, answer, table
from tests.arguments.functions import FUNCTIONS


def test_the_page_is_what_the_functions_answer():
    assert table() in PAGE.read_text(), "run python -m tests.arguments.degenerate > table"


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_nan_in_silence(case):
    found = {f: answer(f, case) for f in FUNCTIONS}
    assert {f for f, told in found.items() if told == "NaN"} <= {"calibration_slope"}
