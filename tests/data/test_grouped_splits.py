"""Splits by group: what every split must satisfy, and the refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxsurv.data import grouped_kfold, leave_one_group_out, stratified_kfold, without_test
from jaxsurv.types import InputError


@st.composite
def problems(draw):
    groups = draw(st.integers(20, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    group = rng.integers(0, groups, 4 * groups)
    event = rng.random(len(group)) < draw(st.floats(0.4, 0.9))
    return event, np.array([f"g{g}" for g in group])


def alone(mask, group):
    """Whether no group is on both sides."""
    return not set(group[mask]) & set(group[~mask])


@given(problems(), st.integers(2, 5), st.integers(1, 2), st.sampled_from([None, 0.25]))
@settings(deadline=None)
def test_groups_stay_together(problem, folds, repeats, fraction):
    event, group = problem
    splits = grouped_kfold(event, group, folds=folds, repeats=repeats, validation_fraction=fraction)
    for s, test in enumerate(splits.test):
        assert alone(test, group)
        assert alone(splits.train[s, 0], group) or fraction
        for train, validation in zip(splits.train[s], splits.validation[s], strict=True):
            if fraction:
                assert not set(group[train]) & set(group[validation])
                np.testing.assert_array_equal(train | validation, ~test)
            else:
                np.testing.assert_array_equal(validation, test)
    for repeat in range(repeats):
        mine = splits.test[splits.repeat == repeat]
        np.testing.assert_array_equal(mine.sum(axis=0), 1)
        # no fold can have more than the mean and one group
        most = max((event & (group == g)).sum() for g in set(group))
        assert np.ptp((mine & event).sum(axis=1)) <= most


def test_every_row_a_group_is_balanced_as_single_rows_are():
    event = np.arange(100) % 3 == 0
    splits = grouped_kfold(event, np.arange(100))
    assert np.ptp((splits.test & event).sum(axis=1)) <= 1
    assert np.ptp(splits.test.sum(axis=1)) <= 1
    other = grouped_kfold(event, np.arange(100), seed=1)
    assert (other.test != splits.test).any()


def test_too_few_groups_are_refused():
    event, group = np.ones(40), np.arange(40) % 4
    with pytest.raises(InputError, match="4 groups have an event, and 5 parts need one each"):
        grouped_kfold(event, group)
    with pytest.raises(InputError, match="3 groups have an event, and 5 parts"):
        grouped_kfold(event, group, folds=4)
    with pytest.raises(InputError, match="length"):
        grouped_kfold(event, group[1:])
    assert grouped_kfold(event, group, folds=4, validation_fraction=None).protocol == "two-way"


def test_each_group_is_left_out_once():
    rng = np.random.default_rng(0)
    group = rng.choice(["b", "a", "c"], 200)
    event = rng.random(200) < 0.4
    splits = leave_one_group_out(event, group)
    for label, test, train, validation in zip(
        "abc", splits.test, splits.train, splits.validation, strict=True
    ):
        np.testing.assert_array_equal(test, group == label)
        np.testing.assert_array_equal(train | validation, np.tile(~test, (5, 1)))
        for other in set("abc") - {label}:  # each part has its share of each group
            assert np.ptp((validation & event & (group == other)).sum(axis=1)) <= 1
    # an estimator that is fitted to the same rows has the same parts
    again = without_test(event, ~splits.test[1], seed=1, strata=group)
    np.testing.assert_array_equal(again.validation[0], splits.validation[1])


def test_a_group_alone_or_without_events_is_refused():
    with pytest.raises(InputError, match="one group, 'a'; leaving it out leaves nobody"):
        leave_one_group_out(np.ones(9), ["a"] * 9)
    event = [1, 0, 1, 1, 0, 0]
    with pytest.raises(InputError, match="group b has no event"):
        leave_one_group_out(event, list("aaaabb"))


@given(problems())
@settings(deadline=None, max_examples=30)
def test_folds_and_parts_have_their_share_of_every_stratum(problem):
    event, group = problem
    strata = np.array([g[-1] in "012" for g in group])
    splits = stratified_kfold(event, folds=4, strata=strata)
    for masks in (splits.test, *splits.validation):
        for own in (event & strata, event & ~strata, ~event & strata, ~event & ~strata, event):
            assert np.ptp((masks & own).sum(axis=1)) <= 1
    plain = stratified_kfold(event, folds=4)
    same = stratified_kfold(event, folds=4, strata=np.ones(len(event)))
    np.testing.assert_array_equal(plain.validation, same.validation)
