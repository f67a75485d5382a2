"""Codes of causes, in every function that takes them: 0, 1, ..., K, each with an event, or a refusal."""

import numpy as np
import pytest

from jaxsurv.types import InputError
from tests.arguments.functions import FUNCTIONS, N, of, value

WITH_CODES = [name for name, (names, _) in FUNCTIONS.items() if "code" in names]
TRAINED = [name for name, (names, _) in FUNCTIONS.items() if "train_code" in names]
CODE = of(("code",))["code"]
BAD = {
    "unknown is 9": (
        np.where(np.arange(N) == 5, 9, CODE),
        "no event of cause 3 .* up to 9 .*those with events are 1, 2, 9",
    ),
    "a gap": (CODE * 2, "no event of cause (1|2)"),
    "negative": (np.where(np.arange(N) == 5, -1, CODE), "code must be 0 .* found -1 in row 5"),
    "a half": (CODE + 0.5 * (np.arange(N) == 5), r"found 2.5 in row 5"),
    "infinite": (np.where(np.arange(N) == 5, np.inf, CODE), "found inf in row 5"),
    "huge": (np.where(np.arange(N) == 5, 1e300, CODE), r"found 1e\+300 in row 5"),
    "missing": (np.where(np.arange(N) == 5, np.nan, CODE), "code is missing .* row 5"),
    "all censored": (0 * CODE, "no event: code is 0 in all rows"),
}


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("function", WITH_CODES)
def test_codes_that_are_no_causes_are_refused(function, kind):
    code, message = BAD[kind]
    changed = {"code": code}
    if function in TRAINED and kind in ("unknown is 9", "a gap", "all censored"):
        changed["train_code"] = code
    with pytest.raises(InputError, match=message):
        value(function, **changed)


@pytest.mark.parametrize("lacks", [1, 2])
@pytest.mark.parametrize("function", [f for f in WITH_CODES if f not in TRAINED])
def test_a_fold_without_a_cause_is_refused(function, lacks):
    with pytest.raises(InputError, match=f"no event of cause {lacks}"):
        value(function, where=lacks != CODE)


@pytest.mark.parametrize("function", TRAINED)
def test_a_test_set_may_lack_a_cause_that_the_training_set_has(function):
    others = (1 if "auc" in function else 2) != CODE
    assert np.isfinite(value(function, where=others))
    train = np.where(np.arange(N) == 5, 9, CODE)
    with pytest.raises(InputError, match="no event of cause 3"):
        value(function, train_code=train)
    with pytest.raises(InputError, match="train_code must be 0"):
        value(function, train_code=CODE - 1)
