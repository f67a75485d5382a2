"""Patients without an outcome in a study: who they are, what they change, and what they must not."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from experiments.cox_mt.hidden_labels import hide_labels
from jaxsurv.data import Cohort, stratified_kfold
from jaxsurv.models import CoxMTConfig, CoxMTHParams, find_model
from jaxsurv.recipe import AS_MEASURED, prepare, ridge_cox
from jaxsurv.study.execute import Method, score, train
from jaxsurv.training import FitConfig, Plan
from jaxsurv.types import InputError
from tests.recipe.cohorts import small_cohort

UNKNOWN = np.arange(80) % 5 == 3


def unlabelled_cohort() -> Cohort:
    cohort = small_cohort()
    survival = cohort.survival.copy()
    survival[UNKNOWN] = np.nan
    return replace(cohort, survival=survival)


def splits_of(cohort):
    return stratified_kfold(cohort.outcome("os").event, folds=3)


@pytest.fixture(scope="module")
def data():
    cohort = unlabelled_cohort()
    return prepare(cohort, "os", splits_of(cohort), AS_MEASURED, unlabelled=True)


def batch_of(data, s=0, seed=0):
    return data.build(data.shared, jax.tree.map(lambda x: x[s], data.fitted), seed)


def test_everybody_takes_part_and_the_unlabelled_have_no_other_role(data):
    assert len(data.cohort.survival) == 80
    np.testing.assert_array_equal(data.labelled, ~UNKNOWN)
    batch, masks = batch_of(data)
    np.testing.assert_array_equal(np.asarray(batch.labelled), ~UNKNOWN)
    assert np.asarray(masks.train)[UNKNOWN].all()
    assert not np.asarray(masks.validation)[UNKNOWN].any()
    for part in ("train", "validation", "test"):
        assert not getattr(data.splits, part)[..., UNKNOWN].any()
    assert (
        float(np.asarray(batch.risk_sets.total))
        == data.shared.outcome.event[data.splits.develop[0]].sum()
    )


def test_labelled_patients_are_prepared_as_without_them(as_users_compile, data):
    cohort = unlabelled_cohort()
    alone = prepare(cohort, "os", splits_of(cohort), AS_MEASURED)
    ours, theirs = (batch_of(d)[0].inputs["rna"] for d in (data, alone))
    np.testing.assert_allclose(ours[~UNKNOWN], theirs, rtol=1e-4, atol=1e-5)
    both = [np.asarray(ridge_cox(d).log_hazard) for d in (data, alone)]
    np.testing.assert_allclose(both[0][:, ~UNKNOWN], both[1], rtol=1e-4, atol=1e-5)
    scores = [
        score(d, np.arange(3), np.zeros(3, int), r)
        for d, r in zip((data, alone), both, strict=True)
    ]
    for column in ("test_c", "train_c", "test_ibs"):
        np.testing.assert_allclose(scores[0][column], scores[1][column], rtol=1e-4)


def test_unlabelled_patients_change_what_is_learned(data):
    def trained(data):
        method = Method(
            "Cox-MT", find_model("CoxMT"), {"Cox-MT": CoxMTHParams(learning_rate=0.01)}, data,
            FitConfig(4, 4, 4, batch_size=8), CoxMTConfig((6,)),
        )  # fmt: skip
        return train(method, seeds=range(1), plan=Plan(1, 3, 1), report=lambda rows: None)

    with_them, without = trained(data), trained(hide_labels(data, labelled=1, unlabelled=0))
    nobody = trained(replace(data, fitted=data.fitted._replace(unlabelled=None)))
    np.testing.assert_array_equal(nobody.arrays.prediction, without.arrays.prediction)
    assert not np.array_equal(with_them.arrays.prediction, nobody.arrays.prediction)
    assert with_them.rows["teacher_test_c"].between(0, 1).all()


def test_hidden_labels_are_nested_stratified_and_never_of_test_rows():
    cohort = small_cohort()
    data = prepare(cohort, "os", splits_of(cohort), AS_MEASURED)
    some, more, none = (hide_labels(data, labelled=0.4, unlabelled=u) for u in (0.3, 0.6, 0.0))
    assert none.fitted.unlabelled is None
    a, b = (np.asarray(d.fitted.unlabelled) for d in (some, more))
    assert np.all(a <= b)
    np.testing.assert_array_equal(some.splits.develop, more.splits.develop)
    np.testing.assert_array_equal(some.splits.test, data.splits.test)
    roles = np.stack([b, some.splits.develop, some.splits.test])
    assert roles.sum(axis=0).max() == 1
    develop = data.splits.develop.sum(axis=1)
    np.testing.assert_allclose(b.sum(axis=1) / develop, 0.6, atol=0.07)
    event = data.event > 0
    rate = [(d.splits.develop & event).sum() / d.splits.develop.sum() for d in (some, data)]
    np.testing.assert_allclose(*rate, atol=0.1)
    assert (some.splits.validation & event).any(axis=-1).all()
    batch, masks = batch_of(some)
    np.testing.assert_array_equal(masks.train, some.splits.train[0, 0] | a[0])
    assert float(np.asarray(batch.risk_sets.total)) == (some.splits.develop[0] & event).sum()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: hide_labels(d, labelled=0, unlabelled=0.5), "labelled must be in"),
        (lambda d: hide_labels(d, labelled=0.02, unlabelled=0), "none; use at least 0.1"),
        (lambda d: hide_labels(d, labelled=0.5, unlabelled=0.6), "unlabelled in .*got 0.5 and 0.6"),
        (
            lambda d: hide_labels(
                replace(d, fitted=d.fitted._replace(offset=np.ones((3, 80)))),
                labelled=0.5,
                unlabelled=0.5,
            ),
            "without an offset only",
        ),
    ],
)
def test_refusals(data, change, message):
    with pytest.raises(InputError, match=message):
        change(data)
