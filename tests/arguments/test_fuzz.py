"""Any mixture of odd columns, labels and masks: the value of the clean input, or an InputError."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jaxsurv.types import InputError
from tests.arguments.functions import FUNCTIONS, LABELS, N, of
from tests.arguments.test_labels import MAKE, MISSING
from tests.arguments.test_types import BAD, SAME, TABLES

RIGHT: dict[str, float] = {}
TABLE_TYPES: dict[str, Any] = {
    "frame": pd.DataFrame,
    "Float64": lambda v: pd.DataFrame(v).astype("Float64"),
    "objects": lambda v: pd.DataFrame(v).astype(object),
    "lists": lambda v: v.tolist(),
}
BAD_TABLES: dict[str, Any] = {
    "text": lambda v: pd.DataFrame(v).assign(b="II"),
    "transposed": lambda v: pd.DataFrame(v).T,
    "NaN": lambda v: np.where(np.arange(v.size).reshape(v.shape) == 7, np.nan, v),
    "complex": lambda v: v + 0j,
}
MASKS: dict[str, Any] = {
    "numbers": lambda v: v.astype(float),
    "list": list,
    "objects": lambda v: v.astype(object),
    "boolean": lambda v: pd.Series(v, dtype="boolean"),
}
BAD_MASKS: dict[str, Any] = {
    "rows": np.flatnonzero,
    "all rows": lambda v: np.arange(len(v)),
    "missing": lambda v: pd.Series(v, dtype="boolean").mask(pd.Series(np.arange(len(v)) == 3)),
    "text": lambda v: v.astype(str),
    "nobody": lambda v: np.zeros(len(v), bool),
}
BAD_LABELS: dict[str, Any] = {
    name: lambda v, cell=cell: [*v[:7].tolist(), cell, *v[8:].tolist()]
    for name, cell in MISSING.items()
}


def kinds(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Changes of a column that keep the value, and those that must be refused."""
    if name in LABELS:
        return MAKE, BAD_LABELS
    if name == "where":
        return MASKS, BAD_MASKS
    if name in TABLES:
        return TABLE_TYPES, BAD_TABLES
    return SAME, {kind: change for kind, (change, _) in BAD.items()}


@st.composite
def calls(draw):
    """A function, and what is done to each of its columns."""
    function = draw(st.sampled_from(sorted(set(FUNCTIONS) - {"deviance_residuals", "bootstrap"})))
    names = FUNCTIONS[function][0]
    changes = {}
    for name in names:
        same, bad = kinds(name)
        kept = st.tuples(st.just(True), st.sampled_from([None, *same]))
        refused = st.tuples(st.just(False), st.sampled_from(sorted(bad)))
        changes[name] = draw(st.one_of(kept, kept, kept, kept, refused))
    return function, changes


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(calls())
@pytest.mark.filterwarnings("ignore")
def test_a_value_that_is_right_or_a_refusal(call):
    function, changes = call
    names, run = FUNCTIONS[function]
    if function not in RIGHT:
        RIGHT[function] = float(run(**of(names)))
    given_columns = of(names)
    for name, (keeps, kind) in changes.items():
        if kind is not None:
            given_columns[name] = kinds(name)[not keeps][kind](given_columns[name])
    if all(keeps for keeps, _ in changes.values()):
        np.testing.assert_allclose(float(run(**given_columns)), RIGHT[function], rtol=5e-4)
    else:
        with pytest.raises(InputError):
            run(**given_columns)


NUMBERS = st.floats(allow_nan=True, allow_infinity=True, width=32)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.lists(
        st.one_of(NUMBERS, st.none(), st.text(max_size=2), st.booleans()), min_size=N, max_size=N
    ),
    st.sampled_from(["kaplan_meier", "concordance_index", "observed_expected", "logrank_test"]),
    st.data(),
)
def test_arbitrary_cells(cells, function, data):
    """Every column in turn holds anything: a finite value, or a refusal."""
    names, run = FUNCTIONS[function]
    name = data.draw(st.sampled_from(names))
    try:
        value = float(run(**of(names, **{name: cells})))
    except InputError:
        return
    assert np.isfinite(value)
