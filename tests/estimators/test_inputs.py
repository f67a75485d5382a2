"""X and y in every form that people have, and what is refused, by name."""

import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import Cohort, DataWarning
from jaxsurv.estimators import Coxnet
from jaxsurv.estimators.inputs import read_patients
from jaxsurv.estimators.outcomes import labelled_cohort
from jaxsurv.types import InputError

X = pd.DataFrame(
    {"a": [0.1, 1.2, 2.3, 3.4], "b": [4.5, 3.4, 2.0, 1.5], "c": [1.0, 5.5, 2.5, 7.5]},
    index=list("wxyz"),
)
EVENT, TIME = np.array([True, False, True, True]), np.array([5.0, 6.0, 7.0, 0.5])
Y = np.array(list(zip(EVENT, TIME, strict=True)), dtype=[("status", bool), ("days", float)])
FRAME = pd.DataFrame({"event": EVENT, "time": TIME}, index=X.index)
RNG = np.random.default_rng(0)
MANY = dict(zip("abc", RNG.normal(size=(3, 60)), strict=True))
MANY_FRAME = pd.DataFrame(MANY)
MANY_Y = (RNG.random(60) < 0.7, RNG.exponential(np.exp(-MANY["a"])))


def read(x, y, modalities=None, kinds=None, unlabelled=False):
    return labelled_cohort(x, y, modalities, kinds or {}, unlabelled=unlabelled)


def outcome(x, y, **options):
    cohort, endpoint = read(x, y, **options)
    return cohort.outcome(endpoint)


@pytest.mark.parametrize(
    "y",
    [
        Y,
        np.array(list(zip(TIME, EVENT, strict=True)), dtype=[("a", "f4"), ("b", bool)]),
        FRAME,
        FRAME.set_axis(["os_event", "os_time"], axis=1),
        FRAME.iloc[::-1],
        FRAME.astype({"event": "Int64", "time": "Float64"}),
        FRAME.astype(object),
        (EVENT, TIME),
        (EVENT.astype(int).tolist(), TIME.tolist()),
        (FRAME["event"], FRAME["time"]),
        (EVENT, FRAME["time"]),
    ],
    ids=str,
)
def test_all_forms_of_an_outcome_are_one(y):
    got = outcome(X, y)
    np.testing.assert_array_equal(got.event, EVENT)
    np.testing.assert_array_equal(got.time, TIME)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ((TIME, EVENT), "look swapped: the order is"),
        ((TIME, EVENT + 1), "look swapped: the order is"),
        ((np.array([1, 2, 1, 2]), TIME), r"found 2 in rows 1, 3.*give event == 2"),
        ((np.array([0, 1, 2, 0]), TIME), r"found 2 in row 2.*competing risks.*event == 1 censors"),
        ((np.array([np.nan, 1, 2, 1]), TIME), r"found 2 in row 2.*give event == 2"),
        (
            (np.array(["dead", "alive"] * 2), TIME),
            "event in y is text, such as 'dead' in row 0; give T",
        ),
        ((pd.Series(["1", "0"] * 2, dtype="string"), TIME), "event in y is text, such as '1'"),
        ((EVENT, np.array(["5", "6", "7", "8"])), "time in y is text, such as '5'"),
        ((EVENT, -TIME), "negative time"),
        ((EVENT, TIME[:3]), "4 events and 3 times"),
        ((EVENT[:3], TIME[:3]), "X has 4 patients and y has 3"),
        (FRAME.iloc[:2], "2 patients in X are not in y: y, z"),
        (FRAME.rename(columns={"event": "status"}), "must be event and time, or one pair"),
        (pd.concat([FRAME, FRAME]), "several rows for patient w"),
        (TIME, r"y must be a structured array .* got ndarray of shape \(4,\)"),
        (None, "the target y is None"),
        ((EVENT, np.where(EVENT, TIME, np.nan)), "1 patients in X have no outcome: x"),
        ((EVENT, np.where(EVENT, np.nan, TIME)), "only one of"),
        (np.zeros(4, [("a", bool), ("b", bool)]), "the fields of y must be event and time"),
    ],
    ids=str,
)
def test_what_is_no_outcome_is_refused_by_name(y, message):
    with pytest.raises(InputError, match=message):
        read(X, y)


def test_dates_are_no_times_and_durations_are_days():
    dates = pd.Series(TIME.astype(int).astype("datetime64[D]"), X.index)
    for y in ((EVENT, dates), (EVENT, dates.to_numpy()), FRAME.assign(time=dates)):
        with pytest.raises(
            InputError, match=r"y: the value 1970-01-06 .* 'time', row .*; give a num"
        ):
            read(X, y)
    days = pd.to_timedelta(pd.Series(TIME, X.index), unit="D")
    for y in ((EVENT, days), (EVENT, days.to_numpy()), FRAME.assign(time=days)):
        np.testing.assert_array_equal(outcome(X, y).time, TIME)


def test_equal_labels_in_another_order_are_no_guess():
    x, y = X.reset_index(drop=True), FRAME.reset_index(drop=True)
    turned = y.iloc[::-1]
    for one, other in ((x, turned), (x.iloc[::-1], y)):
        with pytest.raises(
            InputError, match=r"share row labels, in other rows \(.*y.loc\[X.index\]"
        ):
            read(one, other)
    np.testing.assert_array_equal(outcome(x.iloc[::-1], turned).time, TIME[::-1])
    np.testing.assert_array_equal(outcome(x.to_numpy(), turned).time, TIME[::-1])


@pytest.mark.parametrize(
    ("x", "modalities", "message"),
    [
        ("a/folder", None, "X is the path 'a/folder': read it with jaxsurv.data.read_cohort"),
        (Path("a/folder"), None, "or without outcomes with read_features"),
        (X.iloc[0], None, r"X is a Series; give a table, for one patient X.iloc\[\[0\]\]"),
        (X.set_axis(pd.MultiIndex.from_product([[1, 2], [3, 4]])), None, "one name each, not 2"),
        (X, {"one": "a"}, "modality a list of its columns, such as"),
        (X, ["a"], "modality a list of its columns, such as"),
    ],
    ids=["path", "Path", "series", "multiindex", "text", "list"],
)
def test_what_is_no_table_of_features_is_refused(x, modalities, message):
    with pytest.raises(InputError, match=message):
        read(x, Y, modalities)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (range(4), range(1, 5)),
        (range(1, 5), range(4)),
        (range(4), [9, 2, 7, 1]),
        ([9, 2, 7, 1], range(4)),
        ([9, 2, 7, 1], [9, 2, 7, 3]),
        (list("wxyz"), list("wxya")),
        (list("wxyz"), ["w", "x", "y", "Z"]),
        (range(4), range(5)),
        (list("wxyz"), list("wxy")),
    ],
    ids=str,
)
def test_rows_with_some_labels_in_common_are_never_joined_by_order(x, y):
    def index(labels):
        return pd.RangeIndex(labels.start, labels.stop) if isinstance(labels, range) else labels

    outcomes = pd.concat([FRAME, FRAME]).iloc[: len(y)].set_axis(index(y))
    for given in (outcomes, (outcomes["event"], outcomes["time"])):
        with pytest.raises(InputError, match=r"share row labels|not in y|needs as many"):
            read(X.set_axis(index(x)), given)


def test_rows_without_labels_in_common_are_joined_by_order_if_one_side_has_none():
    slices = FRAME.set_axis(pd.RangeIndex(50, 54))
    np.testing.assert_array_equal(outcome(X.reset_index(drop=True), slices).time, TIME)
    np.testing.assert_array_equal(outcome(X.set_axis(slices.index), slices.iloc[::-1]).time, TIME)


def test_rows_are_matched_by_name_only_where_both_have_names():
    reset = FRAME.iloc[::-1].reset_index(drop=True)
    np.testing.assert_array_equal(outcome(X, reset).time, TIME[::-1])
    more = pd.concat([FRAME, FRAME.set_axis(list("stuv"), axis=0)])
    np.testing.assert_array_equal(outcome(X, more).time, TIME)


def test_a_table_becomes_modalities_and_what_is_empty_is_absent():
    x = X.copy()
    x.loc["y", ["a", "b"]] = np.nan
    cohort, _ = read(x, Y, {"one": ["a", "b"], "two": ["c"]})
    assert {m: list(t.index) for m, t in cohort.modalities.items()} == {
        "one": ["w", "x", "z"],
        "two": ["w", "x", "y", "z"],
    }
    with pytest.raises(InputError, match="modalities name the columns d, which X does not have"):
        read(X, Y, {"one": ["a", "d"]})
    with pytest.raises(InputError, match="modalities name the columns x3, which X does not have"):
        read(X.to_numpy(), Y, {"one": ["x0"], "two": ["x3"]})


def test_tables_of_different_patients_need_an_outcome_with_names():
    tables = {"one": X[["a"]].iloc[:3], "two": X[["b"]].iloc[1:]}
    cohort, _ = read(tables, FRAME)
    assert list(cohort.survival.index) == list("wxyz")
    assert list(cohort.presence["two"]) == [False, True, True, True]
    with pytest.raises(
        InputError, match="different patients, or in different orders, so y must name them"
    ):
        read(tables, Y)
    same = {"one": X[["a"]], "two": X[["b"]]}
    np.testing.assert_array_equal(outcome(same, Y).time, TIME)


def test_a_cohort_brings_its_endpoints():
    survival = FRAME.add_prefix("os_").assign(
        pfs_event=[1, 1, 0, np.nan], pfs_time=[1, 2, 3, np.nan]
    )
    cohort = Cohort({"one": X}, survival)
    np.testing.assert_array_equal(outcome(cohort, "pfs").time, [1, 2, 3])
    assert len(read(cohort, "pfs")[0].survival) == 3
    assert len(read(cohort, "pfs", unlabelled=True)[0].survival) == 4
    for unlabelled in (False, True):
        with pytest.raises(InputError, match="unknown endpoint 'typo'; there are os, pfs"):
            read(cohort, "typo", unlabelled=unlabelled)
    with pytest.raises(
        InputError, match="give the name of an endpoint as y; the cohort has os, pfs"
    ):
        read(cohort, None)


def test_delayed_entry_is_read():
    survival = FRAME.add_prefix("os_").assign(os_entry=0.1)
    cohort = Cohort({"one": X}, survival)
    np.testing.assert_array_equal(outcome(cohort, "os").entry, [0.1] * len(FRAME))
    for y in (FRAME.assign(entry=0.1), survival, FRAME.assign(entry=0.1).to_records(index=False)):
        made, endpoint = read(X, y)
        np.testing.assert_array_equal(made.outcome(endpoint).entry, [0.1] * len(FRAME))
    with pytest.raises(InputError, match="entry"):
        read(X, FRAME.assign(entry=99.0))


class Endless:
    """As a MuData is to NumPy: every item of it is one of these, so that its dimensions have no end."""

    def __init__(self, tables):
        self.mod = {m: SimpleNamespace(to_df=lambda t=t: t) for m, t in tables.items()}
        self.obs_names = next(iter(tables.values())).index

    def __len__(self):
        return len(self.obs_names)

    def __getitem__(self, item):
        raise AssertionError("was read as a sequence")


def test_no_item_of_a_mudata_is_asked_for():
    x = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=["a", "b"])
    x.index = [f"p{i}" for i in range(60)]
    data = Endless({"rna": x})
    y = pd.DataFrame({"event": np.ones(60), "time": np.exp(-x["a"])}, x.index)
    model = Coxnet().fit(data, y)
    np.testing.assert_allclose(model.predict(data), model.predict({"rna": x}))


def test_modalities_of_what_has_them_are_refused():
    tables = {"rna": X}
    cohort = Cohort(tables, FRAME.set_axis(["os_event", "os_time"], axis=1))
    for data, y in ((Endless(tables), FRAME), (cohort, "os")):
        for modalities in ({"rna": ["a"]}, ["rna"]):
            with pytest.raises(InputError, match="X has its modalities already: leave them out"):
                read(data, y, modalities)
    with pytest.raises(InputError, match="modalities must give each modality a list"):
        read(tables, FRAME, ["rna"])


def test_a_mudata_is_read_by_its_obs_names():
    mudata = pytest.importorskip("mudata")
    from anndata import AnnData

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = mudata.MuData({"one": AnnData(X[["a", "b"]]), "two": AnnData(X[["c"]].iloc[:3])})
    cohort, _ = read(data, FRAME)
    assert list(cohort.modalities["two"].index) == list("wxy")
    np.testing.assert_allclose(cohort.modalities["one"].loc["z"], [3.4, 1.5])


@pytest.mark.parametrize(
    "x",
    [
        X.astype(object),
        X.astype("Float64"),
        X.convert_dtypes(),
        X.set_axis(X.index.astype("string"), axis=0),
        X.set_axis(X.columns.astype("string"), axis=1),
    ],
    ids=str,
)
def test_surprising_dtypes_are_read_as_what_they_hold(x):
    table = read(x, Y)[0].modalities["features"]
    pd.testing.assert_frame_equal(table, X.rename_axis("patient"), check_column_type=False)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (X.replace(3.4, np.inf), "infinite value"),
        (np.zeros(4), "Expected 2D array"),
        (X.iloc[:0], "X has 0 patients and 3 columns"),
        ({}, "X has no modality"),
        ({"one": X.to_numpy()}, r"X\['one'\] must be a DataFrame, got ndarray"),
        (X.iloc[[0, 0, 1, 2]], "duplicate patients"),
    ],
    ids=str,
)
def test_what_are_no_features_is_refused_by_name(x, message):
    with pytest.raises(InputError, match=message):
        read(x, Y)


class Stub:
    """A table with named columns and nothing else."""

    def __init__(self, frame, name):
        self.frame, self._name = frame, name

    def __getattr__(self, name):
        if name != self._name:
            raise AttributeError(name)
        return getattr(self.frame, "columns" if name == "column_names" else name)

    def __array__(self, *_, **__):
        return self.frame.to_numpy()

    def __len__(self):
        return len(self.frame)


class Columns(Stub):
    def __init__(self, frame):
        super().__init__(frame, "")
        self.columns = list(frame.columns)

    def __getitem__(self, name):
        return self.frame[name].to_numpy()


class Pandas(Stub):
    def __init__(self, frame):
        super().__init__(frame, "")

    def to_pandas(self):
        return self.frame


def tables(library):
    """Function that makes a table of a DataFrame, or of its rows without names."""
    if library == "polars":
        return pytest.importorskip("polars").DataFrame
    if library == "pyarrow":
        return pytest.importorskip("pyarrow").table
    if library == "narwhals":
        return pytest.importorskip("narwhals").from_native
    if library == "narwhals of polars":
        polars = pytest.importorskip("polars").DataFrame
        return lambda columns: pytest.importorskip("narwhals").from_native(polars(columns))
    if library == "structured array":
        return lambda columns: pd.DataFrame(columns).to_records(index=False)
    made = {
        "columns": Columns,
        "interchange": lambda t: Stub(t, "__dataframe__"),
        "to_pandas": Pandas,
    }
    return lambda columns: made[library](pd.DataFrame(columns))


LIBRARIES = ["polars", "pyarrow", "narwhals", "narwhals of polars", "structured array"]
LIBRARIES += ["columns", "interchange", "to_pandas"]


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_table_with_named_columns_is_read_by_name(library):
    make = tables(library)
    columns = {name: X[name].to_numpy() for name in X}
    given = columns if library != "narwhals" else pd.DataFrame(columns)
    turned = dict(reversed(columns.items())) if library != "narwhals" else given[["c", "b", "a"]]
    fitted = Coxnet(n_lambdas=3, folds=2).fit(pd.DataFrame(MANY), MANY_Y)
    many = {c: MANY[c] for c in ("c", "a", "b")}
    many = pd.DataFrame(many) if library == "narwhals" else many
    np.testing.assert_array_equal(fitted.predict(make(many)), fitted.predict(pd.DataFrame(MANY)))
    again = Coxnet(n_lambdas=3, folds=2).fit(make(many), MANY_Y)
    assert list(again.feature_names_in_) == ["c", "a", "b"]
    assert again.n_features_in_ == 3
    np.testing.assert_allclose(again.predict(MANY_FRAME), fitted.predict(MANY_FRAME), rtol=1e-5)
    for table in (make(given), make(turned)):
        read_back = read_patients(table, None).tables["features"]
        pd.testing.assert_frame_equal(
            read_back[list("abc")].reset_index(drop=True), X.reset_index(drop=True)
        )
        split = read_patients(table, {"one": ["b"], "two": ["a", "c"]}).tables
        assert {m: list(t) for m, t in split.items()} == {"one": ["b"], "two": ["a", "c"]}
    both = read_patients({"one": make(given), "two": make(turned)}, None).tables
    assert list(both["two"]["a"]) == list(X["a"])


@pytest.mark.parametrize(
    "library", sorted(set(LIBRARIES) - {"narwhals", "structured array", "to_pandas"})
)
def test_an_outcome_in_every_table_is_read_by_name_and_order(library):
    columns = {"time": TIME, "event": EVENT}
    shuffled = X.set_axis([7, 2, 0, 3])  # labels of rows that such a table does not have
    np.testing.assert_array_equal(outcome(shuffled, tables(library)(columns)).time, TIME)
    turned = FRAME.set_axis([2, 0, 1, 3])
    x = tables(library)({name: X[name].to_numpy() for name in X})
    np.testing.assert_array_equal(outcome(x, turned).time, TIME)


@pytest.mark.filterwarnings("ignore:1 of 4 patients have no modality")  # the row of missing values
def test_missing_values_and_types_of_polars_come_through():
    pl = pytest.importorskip("polars")
    table = pl.DataFrame(
        {
            "i": [1, None, 3, 8],
            "b": [True, None, False, True],
            "s": ["x", None, "y", "x"],
            "d": pl.Series([1.5, None, 2.5, 0.5]).cast(pl.Decimal(10, 2)),
            "t": pl.Series([86_400_000, None, 0, 43_200_000]).cast(pl.Duration("ms")),
            "c": pl.Series(["u", None, "v", "v"], dtype=pl.Categorical),
        }
    )
    read_back = read(table, Y)[0].modalities["features"]
    nan = np.nan
    expected = {
        "i": [1, nan, 3, 8],
        "b": [1, nan, 0, 1],
        "d": [1.5, nan, 2.5, 0.5],
        "t": [1, nan, 0, 0.5],
    }
    for name, values in expected.items():
        rows = read_back[name].reindex(["0", "1", "2", "3"])
        np.testing.assert_array_equal(rows, values)
    assert list(read_back["s"].dropna()) == ["x", "y", "x"]
    assert list(read_back["c"].dropna()) == ["u", "v", "v"]
    with pytest.raises(InputError, match="LazyFrame is not computed yet"):
        read(table.lazy(), Y)


def test_columns_at_two_levels_are_modalities():
    pairs = X.set_axis(
        pd.MultiIndex.from_tuples([("rna", "a"), ("clinical", "b"), ("rna", "c")]), axis=1
    )
    cohort = read(pairs, FRAME.iloc[::-1])[0]
    assert {m: list(t) for m, t in cohort.modalities.items()} == {
        "rna": ["a", "c"],
        "clinical": ["b"],
    }
    np.testing.assert_array_equal(cohort.modalities["clinical"]["b"], X["b"])
    fitted = Coxnet(n_lambdas=3, folds=2)
    many = MANY_FRAME.set_axis(pairs.columns, axis=1)
    risk = fitted.fit(many, MANY_Y).predict(many)
    np.testing.assert_array_equal(risk, fitted.predict(many.iloc[:, ::-1]))
    three = X.set_axis(pd.MultiIndex.from_tuples([(1, 2, 3), (1, 2, 4), (1, 3, 3)]), axis=1)
    with pytest.raises(InputError, match="columns need one name each, not 3"):
        read(three, FRAME)


def test_tables_of_unequal_length_need_names():
    frame = X.reset_index(drop=True)
    with pytest.raises(InputError, match="one, two have 4, 3 rows without names: which belong to"):
        read_patients({"one": frame[["a"]], "two": frame[["b"]].iloc[:3]}, None)


def test_masked_values_are_missing():
    masked = np.ma.masked_array(X.to_numpy(), X.to_numpy() > 5)
    pd.testing.assert_frame_equal(
        read_patients(masked, None).tables["features"].reset_index(drop=True),
        X.mask(X > 5).set_axis(["x0", "x1", "x2"], axis=1).reset_index(drop=True),
    )


def test_arrays_have_numbered_columns():
    patients = read_patients(X.to_numpy(), {"one": ["x0"], "two": ["x2"]})
    assert list(patients.tables["two"]["x2"]) == list(X["c"])
    with warnings.catch_warnings():
        warnings.simplefilter("error", DataWarning)
        assert list(read(X.to_numpy(), Y)[0].survival.index) == ["0", "1", "2", "3"]


class Arrow(Pandas):
    """pyarrow's table, whose schema keeps what pandas told of the row labels."""

    column_names = property(lambda self: list(self.frame))
    schema = SimpleNamespace(pandas_metadata={"index_columns": ["__index_level_0__"]})

    def __getitem__(self, name):
        return self.frame[name].to_numpy()


@pytest.mark.parametrize("library", ["stub", "pyarrow"])
def test_row_labels_that_arrow_has_of_pandas_join_features_and_outcome(library):
    make = Arrow if library == "stub" else pytest.importorskip("pyarrow").Table.from_pandas
    x, y = X.set_axis(list("pqrs")), FRAME.set_axis(list("pqrs"))
    shuffled = y.loc[list("srqp")]
    for features in (x, make(x)):
        for table in (shuffled, make(shuffled)):
            np.testing.assert_array_equal(outcome(features, table).time, TIME)


@pytest.mark.parametrize("library", ["structured array", "polars"])
def test_a_column_of_several_values_a_row_is_named(library):
    if library == "polars":
        table = pytest.importorskip("polars").DataFrame({"a": [1.0], "pair": [{"x": 1, "y": 2.0}]})
    else:
        table = np.zeros(3, [("a", float), ("pair", float, 2)])
    with pytest.raises(InputError, match="column pair holds several values a row"):
        read_patients(table, None)
