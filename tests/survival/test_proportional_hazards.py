"""The test of proportional hazards: R's numbers, invariances, its size, refusals."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxsurv.survival import CollinearityWarning, proportional_hazards_test
from jaxsurv.types import InputError
from tests.survival.test_cox_summary import DATA, cases, problem

TRANSFORMS = ["km", "rank", "identity", "log"]


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("name", DATA)
def test_equals_r(reference, name, transform):
    table, expected = reference(name, "proportional_hazards.json")
    for case, x, event, time, ties, strata in cases(table, expected):
        theirs = expected[f"zph_{case}"][transform]
        found = proportional_hazards_test(
            x, event, time, ties=ties, strata=strata, transform=transform
        )
        ours = found.table()
        assert list(ours.index) == theirs["rows"]
        np.testing.assert_allclose(ours["chi_square"], theirs["chisq"], rtol=1e-6)
        np.testing.assert_array_equal(ours["degrees_of_freedom"], theirs["df"])
        np.testing.assert_allclose(ours["p"], theirs["p"], rtol=1e-6)
        assert found.degrees_of_freedom == theirs["df"][-1]


@pytest.mark.parametrize("transform", TRANSFORMS)
@settings(deadline=None, max_examples=10)
@given(st.floats(0.01, 100), st.floats(-1e4, 1e4), st.floats(0.01, 1e4))
def test_units_do_not_matter(transform, unit, zero, of_time):
    x, event, time = problem()
    x = np.round(x, 3)
    expected = proportional_hazards_test(x, event, time, transform=transform)
    found = proportional_hazards_test(x * unit + zero, event, time * of_time, transform=transform)
    np.testing.assert_allclose(found.statistic, expected.statistic, rtol=1e-4)
    np.testing.assert_allclose(found.global_statistic, expected.global_statistic, rtol=1e-4)


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_rows_that_are_not_there_and_rows_split_in_time_change_nothing(transform):
    x, event, time = problem()
    expected = proportional_hazards_test(x, event, time, transform=transform).table()
    more = proportional_hazards_test(
        np.r_[x, x[:9] + 1], np.r_[event, event[:9]], np.r_[time, time[:9] * 1.7],
        where=np.arange(69) < 60, transform=transform,
    )  # fmt: skip
    np.testing.assert_allclose(more.table(), expected, rtol=1e-9)
    if transform != "rank":  # which counts the rows
        half = time / 2
        split = proportional_hazards_test(
            np.r_[x, x], np.r_[0 * event, event], np.r_[half, time],
            entry=np.r_[0 * half, half], transform=transform,
        )  # fmt: skip
        np.testing.assert_allclose(split.table(), expected, rtol=1e-9)


def test_whole_weights_are_copies_under_breslow():
    x, event, time = problem()
    copies = 1 + np.arange(60) % 3
    several = proportional_hazards_test(
        *(np.repeat(a, copies, 0) for a in (x, event, time)), ties="breslow"
    )
    weighted = proportional_hazards_test(x, event, time, weights=1.0 * copies, ties="breslow")
    np.testing.assert_allclose(weighted.table(), several.table(), rtol=1e-6)


def test_rejects_a_true_null_as_often_as_it_says():
    rng, p_values = np.random.default_rng(0), []
    for _ in range(400):
        x = rng.normal(size=(80, 2))
        time = rng.exponential(np.exp(-x[:, 0]))
        found = proportional_hazards_test(x, time < 1.5, np.minimum(time, 1.5))
        p_values.append([found.p_value[0], found.global_p_value])
    assert ((np.array(p_values) < 0.05).mean(0) < 0.08).all()
    assert ((np.array(p_values) < 0.05).mean(0) > 0.025).all()


def test_refusals():
    x, event, time = problem()
    for change, message in (
        ({"transform": "sqrt"}, "transform must be one of"),
        ({"ties": "exact"}, "ties must be"),
        ({"time": 0 * time}, "all events are at one time"),
        ({"time": time - time.min(), "transform": "log"}, "needs event times > 0"),
        ({"event": np.arange(60) == 3}, "all events are at one time"),
    ):
        with pytest.raises(InputError, match=message):
            proportional_hazards_test(**({"x": x, "event": event, "time": time} | change))
    with pytest.warns(CollinearityWarning), pytest.raises(InputError, match="determine each other"):
        proportional_hazards_test(np.c_[x, x[:, 0]], event, time)
    with pytest.raises(InputError, match="outside jit"):
        jax.jit(lambda x: proportional_hazards_test(x, event, time).statistic)(x)
