"""Splits: what every split must satisfy, for any cohort, and the refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxsurv.data import load_tcga_acc, single_split, stratified_kfold, without_test
from jaxsurv.data.splits import PARTS, early_stopping_parts
from jaxsurv.types import InputError


@st.composite
def problems(draw):
    n = draw(st.integers(20, 120))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    event = rng.random(n) < draw(st.floats(0.05, 0.95))
    eligible = rng.random(n) < draw(st.floats(0.3, 1.0))
    folds = draw(st.integers(2, 6))
    rows = rng.permutation(n)[: max(2 * folds, 10)]
    event[rows], eligible[rows] = True, True  # enough events to split
    return event, eligible, folds


def balanced(counts):
    return counts.max() - counts.min() <= 1


@given(problems(), st.integers(1, 3), st.integers(0, 99), st.sampled_from([None, 0.25, 0.5]))
@settings(deadline=None)
def test_kfold_properties(problem, repeats, seed, fraction):
    event, eligible, folds = problem
    splits = stratified_kfold(
        event,
        folds=folds,
        repeats=repeats,
        seed=seed,
        eligible=eligible,
        validation_fraction=fraction,
    )
    train, validation, test = splits.train, splits.validation, splits.test
    assert train.shape[::2] == test.shape == (repeats * folds, event.size)
    rest = ~test
    np.testing.assert_array_equal(splits.develop, rest)
    np.testing.assert_array_equal(splits.repeat, np.repeat(range(repeats), folds))
    np.testing.assert_array_equal(splits.fold, np.tile(range(folds), repeats))
    # Each eligible patient is tested once per repeat, the others never; everybody has one part.
    for repeat in range(repeats):
        np.testing.assert_array_equal(test[splits.repeat == repeat].sum(axis=0), eligible)
        assert balanced((test & event)[splits.repeat == repeat].sum(axis=1))
        assert balanced(test[splits.repeat == repeat].sum(axis=1))
    if fraction is None:
        assert splits.protocol == "two-way"
        np.testing.assert_array_equal(validation, test[:, None])
        np.testing.assert_array_equal(train, ~validation)
    else:
        assert splits.protocol == "three-way"
        np.testing.assert_array_equal(train.astype(int) + validation + test[:, None], 1)
        np.testing.assert_array_equal(validation.sum(axis=1), rest)  # each row stops one part
        for parts in (validation, validation & event):
            assert np.ptp(parts.sum(axis=-1), axis=1).max() <= 1
        assert validation.shape[1] == 1 / fraction
    for part in (train, validation, test):
        assert (part & event).any(axis=-1).all()


@given(problems(), st.integers(0, 99))
@settings(deadline=None, max_examples=30)
def test_single_split_properties(problem, seed):
    event, eligible, _ = problem
    size = max(1, eligible.sum() // 3)
    splits = single_split(event, eligible, n_validation=size, seed=seed)
    assert splits.protocol == "two-way"
    assert splits.test.sum() == size
    assert not (splits.test & ~eligible).any()
    np.testing.assert_array_equal(splits.train[:, 0], ~splits.test)
    np.testing.assert_array_equal(splits.validation[:, 0], splits.test)
    share = size * (event & eligible).sum() / eligible.sum()
    assert abs((splits.test & event).sum() - share) <= 1


def test_repeats_and_protocols_share_their_folds():
    event = np.arange(60) % 3 == 0
    three = stratified_kfold(event, repeats=3, seed=7)
    np.testing.assert_array_equal(three.test, stratified_kfold(event, repeats=3, seed=7).test)
    np.testing.assert_array_equal(three.test[:5], stratified_kfold(event, seed=7).test)
    two = stratified_kfold(event, repeats=3, seed=7, validation_fraction=None)
    np.testing.assert_array_equal(three.test, two.test)
    assert (three.test[:5] != three.test[5:10]).any()
    assert (three.test != stratified_kfold(event, repeats=3, seed=8).test).any()
    assert (three.validation[0] != three.validation[5]).any()


def test_the_papers_protocols():
    rng = np.random.default_rng(0)
    event, eligible = rng.random(1143) < 0.35, np.zeros(1143, bool)
    eligible[rng.permutation(1143)[:628]] = True
    splits = single_split(event, eligible)
    assert (splits.train.sum(), splits.test.sum()) == (1016, 127)
    splits = stratified_kfold(event, repeats=10, eligible=eligible, validation_fraction=None)
    assert splits.test.shape == (50, 1143)
    assert set(splits.test.sum(axis=1)) == {125, 126}
    assert splits.train[:, 0, ~eligible].all()


def test_a_real_cohort_splits():
    cohort = load_tcga_acc()
    splits = stratified_kfold(cohort.outcome("os").event, eligible=cohort.complete)
    assert set(splits.test.sum(axis=1)) <= {8, 9}


def test_refusals():
    event = np.zeros(40, int)
    event[:3] = 1
    with pytest.raises(InputError, match=r"fold 3 of 5 .*3 events in 40 .*at most 3 folds"):
        stratified_kfold(event)
    with pytest.raises(InputError, match=r"fold 0 of 5 .*0 events in 37 eligible"):
        stratified_kfold(event, eligible=event == 0)
    # Two events and two folds: the one event left to train goes to early stopping.
    message = r"fold 0 of repeat 0 has no event among its 16 train rows \(.*2 events in 40 patients"
    with pytest.raises(InputError, match=message):
        stratified_kfold(np.arange(40) < 2, folds=2)
    stratified_kfold(np.arange(40) < 2, folds=2, validation_fraction=0)
    with pytest.raises(InputError, match="event must be 0"):
        stratified_kfold(event + 1)
    with pytest.raises(InputError, match=r"use event\[:, 0\]"):
        stratified_kfold(event[:, None])
    with pytest.raises(InputError, match="boolean mask"):
        stratified_kfold(event, eligible=np.arange(40))
    with pytest.raises(InputError, match="common length"):
        stratified_kfold(event, eligible=np.ones(39, bool))
    with pytest.raises(InputError, match="folds must be at least 2, got 1"):
        stratified_kfold(event, folds=1)
    with pytest.raises(InputError, match="validation_fraction"):
        stratified_kfold(event, folds=2, validation_fraction=1.0)
    with pytest.raises(InputError, match="n_validation = 127 of 40 eligible"):
        single_split(event)
    with pytest.raises(InputError, match="leave some to train"):
        single_split(event, n_validation=40)
    with pytest.raises(InputError, match="no event among its 10 validation rows"):
        single_split(event, event == 0, n_validation=10)


@given(problems(), st.integers(0, 99))
@settings(deadline=None, max_examples=30)
def test_a_fit_to_the_development_rows_alone_has_the_parts_of_its_split(problem, seed):
    """A model that is fitted to a split's patients as a cohort of their own is stopped by the same."""
    event, _, folds = problem
    splits = stratified_kfold(event, folds=folds, repeats=2, seed=seed, validation_fraction=0.2)
    for s, test in enumerate(splits.test):
        if event[~test].sum() < PARTS:
            continue
        alone = without_test(event[~test], np.ones((~test).sum(), bool), seed=s)
        np.testing.assert_array_equal(alone.validation[0], splits.validation[s][:, ~test])
        np.testing.assert_array_equal(alone.train[0], splits.train[s][:, ~test])
        among = without_test(event, ~test, seed=s)
        np.testing.assert_array_equal(among.validation[0], splits.validation[s])
        np.testing.assert_array_equal(among.train[0], splits.train[s])
        dealt = early_stopping_parts(event, ~test, parts=PARTS, seed=s)
        np.testing.assert_array_equal(dealt, splits.validation[s])


def test_the_deal_knows_no_test_row_and_no_outcome_of_one():
    rng = np.random.default_rng(0)
    event = rng.random(90) < 0.5
    splits = stratified_kfold(event, folds=3)
    develop = splits.develop[1]
    changed = np.where(develop, event, ~event)
    np.testing.assert_array_equal(
        without_test(changed, develop, seed=1).validation[0], splits.validation[1]
    )
    assert (without_test(event, develop, seed=2).validation[0] != splits.validation[1]).any()


def test_splits_without_test_rows():
    rng = np.random.default_rng(1)
    event, rows = rng.random(60) < 0.4, rng.random((3, 60)) < 0.8
    splits = without_test(event, rows)
    assert splits.protocol == "three-way"
    assert not splits.test.any()
    assert splits.validation.shape == (3, PARTS, 60)
    np.testing.assert_array_equal(splits.develop, rows)
    np.testing.assert_array_equal(splits.validation.sum(axis=1), rows)
    assert not (splits.train & splits.validation).any()
    assert splits.fold.tolist() == [0, 1, 2]
    for parts in (splits.validation, splits.validation & event):
        assert np.ptp(parts.sum(axis=-1), axis=1).max() <= 1
    one = without_test(event, rows[1])
    np.testing.assert_array_equal(one.validation[0], splits.validation[1])


def test_few_events_are_some_parts_twice():
    event = np.zeros(40, bool)
    event[[3, 11, 30]] = True
    splits = without_test(event, np.ones(40, bool))
    validation = splits.validation[0]
    np.testing.assert_array_equal(validation[3:], validation[:2])
    np.testing.assert_array_equal(validation[:3].sum(axis=0), 1)
    assert (validation & event).sum(axis=1).tolist() == [1] * PARTS
    with pytest.raises(InputError, match="1 events in 20 patients; needs at least 2"):
        without_test(event, np.arange(40) >= 20)
