"""Labels mean themselves, whatever their type, in every function that takes them."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from jaxsurv.arguments.labels import Labels
from jaxsurv.metrics import concordance_index
from jaxsurv.survival import (
    breslow_baseline,
    cox_fit,
    logrank_test,
    prepare_risk_sets,
    restrict,
    subset,
    survival_function,
)
from jaxsurv.types import InputError
from tests.arguments.functions import LABELS, labelled, of, value

NAMES = {
    "text": ["b", "a", "c"],
    "floats": [0.25, -1.5, 7.0],
    "negative": [-1, -7, -3],
    "huge": [10**15, 3 * 10**15, -(10**17)],
    "beyond 64 bits": [2**70, 2**80, 1],
    "tuples": [("a", 1), ("a", 2), ("b", 1)],
    "several types": ["a", 1, (2, 3)],
    "bytes": [b"x", b"y", b"z"],
}
MAKE = {
    **{name: lambda codes, m=m: [m[c] for c in codes] for name, m in NAMES.items()},
    "array of text": lambda codes: np.array(["b", "a", "c"])[codes],
    "object array": lambda codes: np.array(["b", "a", "c"], object)[codes],
    "float array": lambda codes: codes / 4,
    "categories": lambda codes: pd.Series(pd.Categorical(np.array(["z", "a", "c"])[codes])),
    "string column": lambda codes: pd.Series(np.array(["z", "a", "c"])[codes], dtype="string"),
    "Int64 column": lambda codes: pd.Series(codes, dtype="Int64"),
    "dates": lambda codes: pd.to_datetime(["2020-01-01", "2019-05-01", "2021-01-01"])[codes],
    "small integers": lambda codes: codes.astype(np.int8) - 100,
    "jax integers": lambda codes: jnp.asarray(codes) + 5,
}
MISSING = {
    "None": None,
    "nan": float("nan"),
    "NaT": pd.NaT,
    "NA": pd.NA,
    "numpy nan": np.float32("nan"),
}


@pytest.mark.parametrize("kind", MAKE)
@pytest.mark.parametrize("label", LABELS)
def test_any_labels_give_what_codes_give(label, kind):
    codes = of((label,))[label]
    for function in labelled(label):
        np.testing.assert_allclose(
            value(function, **{label: MAKE[kind](codes)}), value(function), rtol=1e-4
        )


@pytest.mark.parametrize("missing", MISSING)
@pytest.mark.parametrize("label", LABELS)
def test_a_missing_label_is_refused_by_row(label, missing):
    codes = of((label,))[label].tolist()
    codes[7] = MISSING[missing]
    for function in labelled(label):
        for column in (codes, np.array(codes, object), pd.Series(codes, dtype=object)):
            with pytest.raises(InputError, match=f"{label} has a missing label in row 7"):
                value(function, **{label: column})


def test_a_masked_label_and_a_float_array_with_nan_are_refused():
    codes = of(("strata",))["strata"]
    for column in (
        np.ma.masked_array(codes, np.arange(len(codes)) == 7),
        np.where(np.arange(len(codes)) == 7, np.nan, codes),
    ):
        with pytest.raises(InputError, match="strata has a missing label in row 7"):
            value("concordance_index", strata=column)


@pytest.mark.parametrize("n", [80, 600])  # pairs compared, and pairs sorted
def test_huge_labels_do_not_overflow_the_sort_of_pairs(n):
    rng = np.random.default_rng(0)
    strata, risk, time = rng.integers(0, 3, n), rng.normal(size=n), rng.exponential(size=n)
    event = rng.integers(0, 2, n)
    right = concordance_index(risk, event, time, strata=strata).index
    for labels in (strata * 10**17, strata - 5, strata / 3, np.array(["a", "b", "c"])[strata]):
        assert concordance_index(risk, event, time, strata=labels).index == right


def test_the_robust_error_is_lifelines():
    lifelines = pytest.importorskip("lifelines")
    clean = of(("x", "event", "time"))
    hospital = np.array([f"h{k % 9}" for k in range(len(clean["time"]))])
    table = pd.DataFrame(clean["x"], columns=["a", "b"]).assign(
        t=clean["time"], e=clean["event"], h=hospital
    )
    expected = lifelines.CoxPHFitter().fit(table, "t", "e", cluster_col="h").standard_errors_
    fit = cox_fit(**clean, cluster=hospital)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.robust_covariance)), expected, rtol=1e-3)


def strata_of(labels):
    """Times that differ a lot between three strata, in the order of the labels."""
    rng = np.random.default_rng(0)
    time = np.concatenate([rng.exponential(scale, 30) for scale in (2.0, 10.0, 50.0)])
    return np.ones(90), time, [labels[k] for k in np.repeat([0, 1, 2], 30)]


@pytest.mark.parametrize("kind", NAMES)
def test_prediction_by_the_users_own_label(kind):
    labels = NAMES[kind]
    event, time, strata = strata_of(labels)
    score, at = np.zeros(90), np.array([1.0, 5.0])
    fit = cox_fit(np.ones((90, 1)) * np.arange(90)[:, None] % 7, event, time, strata=strata)
    curve = breslow_baseline(score, event, time, strata=strata)
    by_row = survival_function(curve, np.zeros(3), at, stratum=labels)
    for k, label in enumerate(labels):
        own = slice(30 * k, 30 * (k + 1))
        alone = survival_function(
            breslow_baseline(score[own], event[own], time[own]), np.zeros(1), at
        )
        one = survival_function(curve, np.zeros(1), at, stratum=label)
        np.testing.assert_allclose(one, alone, rtol=1e-5)
        np.testing.assert_allclose(by_row[k : k + 1], alone, rtol=1e-5)
        np.testing.assert_allclose(np.exp(-curve(at, label)), one[0], rtol=1e-5)
        assert np.isfinite(fit.baseline(at, label)).all()
    for call in (curve, fit.baseline):
        with pytest.raises(InputError, match="give stratum"):
            survival_function(call, np.zeros(2), at)
        with pytest.raises(InputError, match=r"'unknown' is not known; known are"):
            survival_function(call, np.zeros(1), at, stratum="unknown")
    with pytest.raises(InputError, match="common length"):
        survival_function(curve, np.zeros(2), at, stratum=labels)


def test_a_curve_without_strata_is_asked_without_a_stratum():
    curve = breslow_baseline(np.zeros(3), np.ones(3), np.arange(1.0, 4))
    with pytest.raises(InputError, match="no strata; leave out stratum='a'"):
        curve(np.ones(1), "a")


def test_a_stratum_without_events_is_known_and_has_no_hazard():
    event, time, strata = strata_of(["a", "b", "c"])
    event[30:60] = 0
    curve = breslow_baseline(np.zeros(90), event, time, strata=strata)
    assert survival_function(curve, np.zeros(1), [5.0], stratum="b").tolist() == [[1.0]]
    # but one whose patients are all masked out is not known
    here = np.array(strata) != "b"
    curve = breslow_baseline(np.zeros(90), event, time, strata=strata, where=here)
    with pytest.raises(InputError, match="'b' is not known; known are 'a', 'c'"):
        curve([5.0], "b")


def test_labels_survive_restriction_and_minibatches():
    event, time, strata = strata_of(["a", "b", "c"])
    risk_sets = prepare_risk_sets(event, time, strata=strata)
    assert risk_sets.labels == ("a", "b", "c")
    some = np.arange(90) >= 30
    part = subset(risk_sets, jnp.arange(30, 90), jnp.ones(60, bool))
    for rs, n in ((restrict(risk_sets, some), 90), (part, 60)):
        curve = breslow_baseline(np.zeros(n), risk_sets=rs)
        alone = breslow_baseline(np.zeros(30), event[60:], time[60:])
        np.testing.assert_allclose(curve([5.0], "c"), alone([5.0]), rtol=1e-5)
        with pytest.raises(InputError, match="'a' is not known"):
            curve([5.0], "a")


def test_integer_codes_while_jit_traces():
    event, time, strata = strata_of([7, 3, -2])
    curve = breslow_baseline(np.zeros(90), event, time, strata=strata)
    eager = survival_function(curve, np.zeros(3), [5.0], stratum=[7, 3, -2])

    def inside(strata, asked):
        traced = breslow_baseline(jnp.zeros(90), event, time, strata=strata)
        return survival_function(traced, jnp.zeros(asked.size), jnp.array([5.0]), stratum=asked)

    got = jax.jit(inside)(jnp.array(strata), jnp.array([7, 3, -2, 1]))
    np.testing.assert_allclose(got[:3], eager, rtol=1e-5)
    assert np.isnan(got[3]).all()  # an unknown stratum
    # labels that are no integers are asked by their place
    curve = breslow_baseline(np.zeros(90), event, time, strata=strata_of(["b", "a", "c"])[2])
    asked = jax.jit(lambda k: survival_function(curve, jnp.zeros(1), jnp.array([5.0]), stratum=k))
    by_name = survival_function(curve, np.zeros(1), [5.0], stratum="a")
    np.testing.assert_allclose(asked(jnp.int32(0)), by_name, rtol=1e-6)
    with pytest.raises(InputError, match="strata must be integers while jit traces"):
        jax.jit(inside)(jnp.array(strata) / 2, jnp.array([7]))


def test_traced_clusters_outside_their_range_give_nan():
    clean = of(("x", "event", "time"))
    fit = jax.jit(lambda c: cox_fit(**clean, cluster=c).robust_covariance)
    codes = jnp.arange(40) % 9
    np.testing.assert_allclose(
        fit(codes), cox_fit(**clean, cluster=codes).robust_covariance, rtol=1e-3
    )
    assert np.isnan(fit(1000 + codes)).all()


def test_labels_compile_nothing_anew():
    from jaxsurv.survival.linear_cox import _fit

    event, time, strata = strata_of(["a", "b", "c"])
    x = np.arange(90.0)[:, None] % 7
    cox_fit(x, event, time, strata=strata)
    before = _fit._cache_size()
    cox_fit(x, event, time, strata=[f"other {s}" for s in strata])
    assert _fit._cache_size() == before


def test_observed_and_expected_are_in_the_order_of_the_labels():
    event, time = np.ones(4), np.arange(1.0, 5)
    by_text = logrank_test(event, time, ["z", "z", "a", "z"])
    assert by_text.observed.tolist() == [1, 3]
    with pytest.raises(InputError, match=r"needs two groups, found 1: \['z'\]"):
        logrank_test(event, time, ["z", "z", "a", "z"], where=[True, True, False, True])


def test_labels_are_a_constant_for_jax():
    assert jax.tree.leaves(Labels(("a", "b"))) == []
