"""Columns of every type: read as the numbers that they are, or refused by name, row and value."""

import datetime
from decimal import Decimal
from fractions import Fraction

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from jaxsurv.metrics import brier_score, cumulative_dynamic_auc
from jaxsurv.survival import cox_fit, kaplan_meier
from jaxsurv.types import InputError
from tests.arguments.functions import FUNCTIONS, LABELS, TIMES, N, of, value

NUMBERS = sorted({name for names, _ in FUNCTIONS.values() for name in names} - {*LABELS, "where"})
TABLES = ("x", "survival", "incidence", "logits", "parameters")
VECTORS = [name for name in NUMBERS if name not in TABLES]

SAME = {
    "list": list,
    "tuple": tuple,
    "object": lambda v: v.astype(object),
    "Series": lambda v: pd.Series(v, index=[f"p{k}" for k in range(len(v))]),
    "Float64": lambda v: pd.Series(v, dtype="Float64"),
    "object Series": lambda v: pd.Series(v, dtype=object),
    "Decimal": lambda v: [Decimal(repr(float(x))) for x in v],
    "Fraction": lambda v: [Fraction(float(x)) for x in v],
    "days": lambda v: [datetime.timedelta(days=float(x)) for x in v],
    "timedelta64": lambda v: pd.to_timedelta(v.astype(float), unit="D"),
    "categories": lambda v: pd.Categorical(v),
    "masked array": lambda v: np.ma.masked_array(v, np.zeros(len(v), bool)),
    "memory order": lambda v: np.repeat(v, 2)[::2],
    "jax": jnp.asarray,
    "longdouble": lambda v: v.astype(np.longdouble),
}
ONLY_EVENTS = {
    "boolean": lambda v: pd.Series(v, dtype="boolean"),
    "Int64": lambda v: pd.Series(v.astype(int), dtype="Int64"),
    "object True/False": lambda v: pd.Series(v.tolist(), dtype=object),
    "int8": lambda v: v.astype(np.int8),
}


@pytest.mark.parametrize("kind", [*SAME, *ONLY_EVENTS])
@pytest.mark.parametrize("name", VECTORS)
def test_columns_of_any_type_give_the_same_number(name, kind):
    if kind in ONLY_EVENTS and "event" not in name:
        return
    column = {**SAME, **ONLY_EVENTS}[kind](of((name,))[name])
    for function, (names, _) in FUNCTIONS.items():
        if name in names and function != "deviance_residuals":
            np.testing.assert_allclose(
                value(function, **{name: column}), value(function), rtol=2e-4, err_msg=function
            )


def with_cell(cell):
    def change(v):
        cells = v.astype(float).astype(object)
        cells[3] = cell
        return cells

    return change


BAD = {
    "NaN": (with_cell(np.nan), "(NaN|missing).* row 3"),
    "None": (with_cell(None), "(NaN|missing).* row 3"),
    "NA": (lambda v: pd.Series(with_cell(pd.NA)(v)).astype("Float64"), "(NaN|missing).* row 3"),
    "masked": (
        lambda v: np.ma.masked_array(v, np.arange(len(v)) == 3),
        "(NaN|missing).* row 3",
    ),
    "text": (with_cell("II"), "text: 'II' in row 3"),
    "text numbers": (lambda v: v.astype(float).astype(str), "text: .* in row 0; .*to_numeric"),
    "bytes": (lambda v: v.astype(float).astype("S8"), "text"),
    "a list with text": (lambda v: [*v.tolist()[:3], "7", *v.tolist()[4:]], "text: '7' in row 3"),
    "dates": (lambda v: pd.date_range("2020-01-01", periods=len(v)), "dates; subtract the start"),
    "time zones": (
        lambda v: pd.Series(pd.date_range("2020", periods=len(v), tz="UTC")),
        "dates.*subtract the start",
    ),
    "date objects": (
        lambda v: [datetime.date(2020, 1, 1)] * len(v),
        "dates: '2020-01-01' in row 0",
    ),
    "complex": (lambda v: v + 0j, "complex numbers"),
    "complex jax": (lambda v: jnp.asarray(v) + 0j, "complex numbers"),
    "objects": (with_cell({}), "objects: '{}' in row 3"),
    "ragged": (lambda v: [[1.0, 2.0], *v.tolist()[1:]], "cannot be read as an array"),
    "a number": (lambda v: 1.0, "shape"),
    "a dict": (lambda v: dict(enumerate(v)), "objects"),
    "a table": (lambda v: pd.DataFrame({"a": v}), "one column .*a table|shape"),
    "[n, 1]": (lambda v: np.asarray(v)[:, None], "shape"),
    "a field of records": (
        lambda v: np.array([(True, 1.0)] * len(v), [("event", bool), ("time", float)]),
        r"fields \('event', 'time'\)",
    ),
}


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("name", VECTORS)
def test_what_holds_no_numbers_is_refused_by_name(name, kind):
    change, message = BAD[kind]
    for function, (names, _) in FUNCTIONS.items():
        if name not in names or function in ("deviance_residuals", "bootstrap"):
            continue
        with pytest.raises(InputError, match=message) as refused:
            value(function, **{name: change(of((name,))[name])})
        shown = {"train_event": "event", "train_time": "time", "probability": ""}
        aliases = {
            "risk": ("risk", "log_hazard"),
            "probability": ("survival", "hazard", "risk_at_t"),
        }
        assert any(
            alias in str(refused.value) for alias in aliases.get(name, (shown.get(name, name),))
        ), refused.value


def frame(function, name, change, **columns):
    table = pd.DataFrame(of((name,))[name], columns=["a", "b"])
    return value(function, **{name: change(table)}, **columns)


@pytest.mark.parametrize(
    ("name", "function"),
    [(t, f) for t in TABLES for f, (names, _) in FUNCTIONS.items() if t in names],
)
def test_tables(name, function):
    right, name_there = value(function), "latent" if function == "latent_alignment" else name
    for change in (
        lambda t: t,
        lambda t: t.astype("Float64"),
        lambda t: t.astype(object),
        lambda t: t.assign(a=t["a"].astype(object), b=t["b"].astype("Float64")),
        lambda t: t.to_numpy().tolist(),
        lambda t: t.set_axis(["same", "same"], axis=1),
    ):
        np.testing.assert_allclose(frame(function, name, change), right, rtol=2e-4)
    with pytest.raises(InputError, match=rf"{name_there}\['b'\] .*text: 'II' in row 0"):
        frame(function, name, lambda t: t.assign(b="II"))
    with pytest.raises(InputError, match=rf"{name_there}\['b'\] .*dates"):
        frame(function, name, lambda t: t.assign(b=pd.Timestamp("2020-01-01")))
    hidden = np.arange(2 * N).reshape(N, 2) == 9
    with pytest.raises(InputError, match=r"row 4( \(column b\))?"):
        frame(function, name, lambda t: t.mask(hidden))


def test_a_boolean_column_is_0_and_1_and_nan_is_named_by_row_and_column():
    clean = of(("event", "time"))
    rng = np.random.default_rng(0)
    x = pd.DataFrame({"age": rng.normal(60, 9, N), "sex": np.where(rng.random(N) < 0.5, "f", "m")})
    dummies = pd.get_dummies(x, drop_first=True)
    assert dummies["sex_m"].dtype == bool
    right = cox_fit(dummies.astype(float), **clean).coef
    for table in (
        dummies,
        dummies.astype({"sex_m": "Int64"}),
        dummies.astype({"sex_m": "boolean"}),
    ):
        np.testing.assert_allclose(cox_fit(table, **clean).coef, right, rtol=1e-6)
    wrong = dummies["age"].mask(np.arange(N) == 4)
    with pytest.raises(InputError, match=r"x has NaN .*in row 4 \(column age\)"):
        cox_fit(dummies.assign(age=wrong), **clean)
    for cell in ((4, 1), (39, 1)):
        plain = rng.normal(size=(N, 3))
        plain[cell] = np.nan
        with pytest.raises(InputError, match=rf"x has NaN .*in row {cell[0]} \(column 1\)"):
            cox_fit(plain, **clean)


def test_pyarrow_and_polars_columns():
    """Both come as arrays; the real packages where they are installed."""
    clean = of(("event", "time"))
    right = kaplan_meier(**clean).survival
    for name, make in {
        "pyarrow": lambda m, v: m.array(v.tolist()),
        "polars": lambda m, v: m.Series(v.tolist()),
    }.items():
        try:
            package = __import__(name)
        except ImportError:
            continue
        columns = {k: make(package, v) for k, v in clean.items()}
        np.testing.assert_allclose(kaplan_meier(**columns).survival, right)
        columns["event"] = make(package, np.array([None, *clean["event"][1:].tolist()], object))
        with pytest.raises(InputError, match=r"event is missing .* row 0"):
            kaplan_meier(**columns)


@pytest.mark.parametrize("function", [f for f, (names, _) in FUNCTIONS.items() if len(names) > 1])
def test_indexes_that_name_other_rows_are_refused(function):
    names, call = FUNCTIONS[function]
    rows = [f"p{k}" for k in range(N)]

    def named(index, last):
        def as_pandas(v, index):
            return pd.DataFrame(v, index) if np.ndim(v) == 2 else pd.Series(v, index)

        given = {name: as_pandas(v, rows) for name, v in of(names).items()}
        return given | {names[-1]: as_pandas(of(names)[names[-1]], index)}

    train = {"train_event", "train_time"} & set(names)
    assert not train or names[-1] == "where"  # the last is a column of the patients
    if function != "deviance_residuals":
        np.testing.assert_allclose(float(call(**named(rows, True))), value(function), rtol=1e-5)
    for index in (rows[::-1], [*rows[1:], "another"]):
        with pytest.raises(InputError, match="name the same rows in another order, or only some"):
            call(**named(index, True))
    # pandas' own numbers, and names of something else, say nothing about the order
    for index in (range(N), [f"sample {k}" for k in range(N)]):
        call(**named(index, True))


def test_curves_as_tables():
    event, time = of(("event", "time")).values()
    outcome = {"event": event, "time": time, "train_event": event, "train_time": time}
    curves = of(("survival",))["survival"]
    right = brier_score(curves, TIMES, **outcome)
    table = pd.DataFrame(curves, columns=TIMES)
    np.testing.assert_allclose(brier_score(table, TIMES, **outcome), right)
    with pytest.raises(InputError, match=r"got \[2, 40\]; give survival.T"):
        brier_score(table.T, TIMES, **outcome)  # lifelines' form
    with pytest.raises(InputError, match=r"columns of survival are the times \[0.9, 0.4\]"):
        brier_score(table[TIMES[::-1]], TIMES, **outcome)
    many = np.linspace(0.3, 0.9, N)  # as many times as patients: the names tell
    square = pd.DataFrame(np.tile(np.linspace(0.9, 0.1, N), (N, 1)), columns=many)
    brier_score(square, many, **outcome)
    with pytest.raises(InputError, match=r"give survival.T"):
        brier_score(square.T, many, **outcome)
    risks = pd.DataFrame(np.stack([curves[:, 0], curves[:, 1]], 1), columns=["first", "second"])
    found = cumulative_dynamic_auc(1 - risks, TIMES, **outcome)
    np.testing.assert_allclose(found.auc, cumulative_dynamic_auc(1 - curves, TIMES, **outcome).auc)


def test_event_codes_point_to_what_they_may_mean():
    time = np.arange(1.0, 5)
    with pytest.raises(
        InputError, match=r"found 2 in row 2\. The codes 0, 1, 2 are competing"
    ) as e:
        kaplan_meier([0, 1, 2, 1], time)
    assert "event == 2" not in str(e.value)
    for codes, advice in {
        (1, 2, 1, 2): "If 1 means censored and 2 observed, give event == 2",
        (-1, 1, 1, -1): "give event == 1",
        (0, 2, 2, 0): "give event == 2",
        (1, 2, 3, 1): "np.isin",
        (0, 1, 9, 9): "The codes 0, 1, 9 are competing risks, .* means unknown",
    }.items():
        with pytest.raises(InputError, match=advice):
            kaplan_meier(codes, time)
