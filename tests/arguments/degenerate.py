"""Table of docs/degenerate.md: what every function answers to degenerate input; made by asking it.

``python -m tests.arguments.degenerate`` prints the table.
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from jaxsurv.types import InputError
from tests.arguments.functions import FUNCTIONS, N, of

PAGE = Path(__file__).parents[2] / "docs" / "degenerate.md"
PREDICTIONS = ("risk", "survival", "probability", "x", "incidence", "logits", "parameters")
CASES = {
    "no rows": lambda name, v: v if name.startswith("train") else v[:0],
    "`where` all False": lambda name, v: np.zeros(N, bool) if name == "where" else v,
    "weights all 0": lambda name, v: 0 * v if name == "weights" else v,
    "no event": lambda name, v: 0 * v if name.endswith(("event", "code")) else v,
    "one time for all": lambda name, v: 0 * v + 1.2 if name.endswith("time") else v,
    "NaN in a column": lambda name, v: _with_nan(v) if name in ("time", *PREDICTIONS) else v,
    "constant prediction": lambda name, v: 0 * v + v[:1] if name in PREDICTIONS else v,
    "one group": lambda name, v: 0 * v if name in ("group", "fold") else v,
}
APPLIES = {
    "`where` all False": ("where",),
    "weights all 0": ("weights",),
    "no event": ("event", "code"),
    "one time for all": ("time",),
    "constant prediction": PREDICTIONS,
    "one group": ("group", "fold"),
}


def _with_nan(v: np.ndarray) -> np.ndarray:
    v = v.astype(float)
    v[3] = np.nan
    return v


def answer(function: str, case: str) -> str:
    """What the function answers, in a word."""
    names, call = FUNCTIONS[function]
    if case in APPLIES and not set(APPLIES[case]) & set(names):
        return ""
    given: dict[str, Any] = {name: CASES[case](name, v) for name, v in of(names).items()}
    given.pop("strata", None)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            value = float(call(**given))
        except InputError:
            return "refused"
    if any(issubclass(w.category, UserWarning) for w in caught):
        return "warns"
    if np.isnan(value):
        return "NaN"
    value = abs(round(value, 12))
    return f"{value:g}" if value in (0, 0.5, 1) else "a value"


def table() -> str:
    """The table in Markdown."""
    rows = [["function", *CASES], ["---"] * (1 + len(CASES))]
    rows += [[f"`{f}`", *(answer(f, case) for case in CASES)] for f in FUNCTIONS]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


if __name__ == "__main__":
    print(table())
