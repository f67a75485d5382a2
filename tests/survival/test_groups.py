"""Groups beside each other: lifelines, the definitions, simulated nulls, refusals."""

import jax
import lifelines
import numpy as np
import pytest
from lifelines.utils import median_survival_times

from jaxsurv.survival import (
    group_summary,
    kaplan_meier,
    logrank_test,
    pairwise_logrank,
    restricted_mean,
    restricted_mean_difference,
)
from jaxsurv.survival.groups import _holm
from jaxsurv.types import InputError


@pytest.fixture(scope="module")
def veteran(reference):
    table = reference("veteran_zph", "proportional_hazards.json")[0]
    return table["event"], table["time"], np.array(["old", "new"])[table["trt"] - 1]


def test_medians_and_their_limits_are_those_of_lifelines(veteran):
    event, time, group = veteran
    found = group_summary(*veteran, tau=200.0)
    assert list(found.index) == ["new", "old"]
    for name in found.index:
        own = group == name
        theirs = lifelines.KaplanMeierFitter().fit(time[own], event[own])
        row = found.loc[name]
        assert (row["n"], row["events"]) == (own.sum(), event[own].sum())
        assert 0 <= row["median"] - theirs.median_survival_time_ <= 0.5  # ours is the middle
        limits = median_survival_times(theirs.confidence_interval_).to_numpy().ravel()
        np.testing.assert_array_equal(row[["median_lower", "median_upper"]], limits)
        mean = restricted_mean(kaplan_meier(event[own], time[own]), 200.0)
        assert row["restricted_mean"] == mean.mean
        np.testing.assert_allclose(
            row["restricted_mean_upper"] - mean.mean, 1.96 * mean.standard_error, rtol=1e-4
        )


def test_median_that_is_not_reached_is_nan():
    found = group_summary(np.array([1, 0, 0, 1, 1]), np.arange(1.0, 6), [1, 1, 1, 0, 0])
    assert np.isnan(found.loc[1, "median"])
    assert found.loc[0, "median"] == 4.5  # S is 1/2 from 4 to 5


def test_difference_of_restricted_means(veteran):
    event, time, group = veteran
    found = restricted_mean_difference(event, time, group, 200.0)
    assert found.groups == ("new", "old")
    each = [
        restricted_mean(kaplan_meier(event[own], time[own]), 200.0)
        for own in (group == "new", group == "old")
    ]
    np.testing.assert_allclose(found.difference, each[1].mean - each[0].mean)
    np.testing.assert_allclose(
        found.standard_error**2, sum(m.standard_error**2 for m in each), rtol=1e-12
    )
    other = restricted_mean_difference(event, time, group == "new", 200.0)
    np.testing.assert_allclose(other.difference, -found.difference)
    np.testing.assert_allclose(other.p_value, found.p_value)
    np.testing.assert_allclose(
        found.upper - found.lower, 2 * 1.96 * found.standard_error, rtol=1e-4
    )


def test_restricted_means_reject_a_true_null_as_often_as_they_say():
    rng, p_values = np.random.default_rng(0), []
    for _ in range(600):
        t, c = rng.exponential(1, 100), rng.uniform(0.5, 3, 100)
        found = restricted_mean_difference(t <= c, np.minimum(t, c), np.arange(100) % 2, 1.2)
        p_values.append(found.p_value)
    assert 0.03 < np.mean(np.array(p_values) < 0.05) < 0.08


def test_pairs_are_the_tests_of_two_groups():
    rng = np.random.default_rng(0)
    group = np.array(list("abcd"))[rng.integers(0, 4, 120)]
    time, event = rng.exponential(1 + (group == "d")), rng.random(120) < 0.7
    here, strata = rng.random(120) < 0.9, rng.integers(0, 2, 120)
    found = pairwise_logrank(event, time, group, where=here, strata=strata, rho=1.0)
    assert len(found) == 6
    for row in found.itertuples():
        own = here & np.isin(group, [row.first, row.second])
        test = logrank_test(event[own], time[own], group[own], strata=strata[own], rho=1.0)
        np.testing.assert_allclose(
            (row.chi_square, row.p), (test.statistic, test.p_value), rtol=1e-9
        )
    np.testing.assert_allclose(found["p_holm"].min(), 6 * found["p"].min())


def test_holm():
    p = np.array([0.01, np.nan, 0.04, 0.03, 0.005])  # Holm's own steps: x4, x3, x2, x1
    np.testing.assert_allclose(_holm(p), [0.03, np.nan, 0.06, 0.06, 0.02])


def test_groups_never_at_risk_together_have_no_test():
    time = np.array([1.0, 1, 5, 6, 7, 8, 9, 10])
    event, group = np.array([0, 0, 1, 1, 1, 1, 1, 1]), np.array(list("aabbbccc"))
    found = pairwise_logrank(event, time, group)
    assert np.isnan(found["p"]).tolist() == [True, True, False]
    assert found["p_holm"][2] == found["p"][2]


EVENT, TIME = np.ones(6), np.arange(1.0, 7)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: group_summary(EVENT, TIME, np.zeros(6), tau=9.0), None),
        (lambda: group_summary(0 * EVENT, TIME, list("aabbbb"), tau=5.0), "group 'a': tau = 5 is beyond"),
        (lambda: restricted_mean_difference(EVENT, TIME, list("aabbcc"), 2.0), "two groups"),
        (lambda: restricted_mean_difference(EVENT, TIME, list("aaaaaa"), 2.0), "needs 2 groups, found 1"),
        (lambda: restricted_mean_difference(0 * EVENT, TIME, list("ababab"), 2.0), "no test exists"),
        (lambda: pairwise_logrank(EVENT, TIME, list("aaaaaa")), "needs 2 groups, found 1"),
        (lambda: pairwise_logrank(0 * EVENT, TIME, list("aaabbb")), "no event at a time"),
        (lambda: group_summary(EVENT, TIME, [None, *"abcde"]), "missing label in row 0"),
        (
            lambda: jax.jit(lambda t: restricted_mean_difference(EVENT, t, TIME > 3, 2.0).difference)(TIME),
            "outside jit",
        ),
    ],
)  # fmt: skip
def test_refusals(call, message):
    if message is None:
        assert np.isfinite(call().to_numpy()).any()  # the curve has come down to 0
        return
    with pytest.raises(InputError, match=message):
        call()
