from dataclasses import replace

import numpy as np
import pytest

from jaxsurv.data import single_split, stratified_kfold
from jaxsurv.study.design import load_cohort, make_splits
from jaxsurv.study.options import StudyOptions
from jaxsurv.study.prepare import CLINICAL, prepare_study
from jaxsurv.types import InputError

from .test_baselines import small_cohort


def splits_of(cohort, **options):
    return stratified_kfold(cohort.outcome("os").event, **options)


def split_of(data, s):
    import jax

    return jax.tree.map(lambda x: np.asarray(x)[s], data.splits)


def test_batches_are_standardised_on_development_rows():
    cohort = small_cohort()
    data = prepare_study(cohort, "os", splits_of(cohort, folds=4))
    batch, masks = data.build(data.shared, split_of(data, 1), 1)
    rows = np.asarray(masks.develop)
    assert list(batch.inputs) == ["rna"]
    assert batch.clinical.shape == (80, 2)
    z = np.asarray(batch.inputs["rna"])[rows]
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(z.std(axis=0), 1, atol=1e-5)
    assert not np.any(rows & data.design.test[1])


def test_components_replace_wide_modalities_only():
    cohort = small_cohort()
    data = prepare_study(cohort, "os", splits_of(cohort, folds=4), components=5)
    batch, _ = data.build(data.shared, split_of(data, 0), 0)
    assert batch.inputs["rna"].shape == (80, 5)
    assert batch.clinical.shape == (80, 2)
    wide = prepare_study(cohort, "os", splits_of(cohort, folds=4), components=12)
    assert wide.splits.projection == {}


def test_two_way_protocol_does_not_develop_on_test_rows():
    cohort = small_cohort()
    data = prepare_study(cohort, "os", splits_of(cohort, folds=4, validation_fraction=None))
    assert not np.any(data.design.develop & data.design.test)
    np.testing.assert_array_equal(data.splits.validation[:, 0], data.design.test)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c, s: prepare_study(c, "pfi", s), "unknown endpoint 'pfi'; there are os"),
        (
            lambda c, s: prepare_study(c, "os", single_split(np.ones(7), n_validation=2)),
            "splits are for 7 patients, 80 are labelled for 'os'",
        ),
        (
            lambda c, s: prepare_study(
                replace(c, modalities={CLINICAL: c.modalities[CLINICAL]}, kinds={}), "os", s
            ),
            "has no modality to encode beside 'clinical'",
        ),
        (lambda c, s: prepare_study(c, "os", s, components=0), "components must be at least 1"),
    ],
)
def test_refusals(change, message):
    cohort = small_cohort()
    with pytest.raises(InputError, match=message):
        change(cohort, splits_of(cohort, folds=4))


def test_protocols_of_the_options():
    cohort = load_cohort("tcga_acc")
    three = make_splits(cohort, "os", StudyOptions(folds=4, repeats=2))
    assert three.protocol == "three-way"
    assert len(three.fold) == 8
    complete = make_splits(cohort, "os", StudyOptions(protocol="two-way", complete_only=True))
    assert complete.protocol == "two-way"
    np.testing.assert_array_equal(complete.test.any(axis=0), cohort.complete)
    single = make_splits(cohort, "os", StudyOptions(protocol="single-split"))
    assert single.test.sum() == 92 // 8


def test_endpoints_and_seeds_are_checked():
    cohort = load_cohort("tcga_acc")
    with pytest.raises(InputError, match="unknown endpoint 'pfs'; there are os"):
        make_splits(cohort, "pfs", StudyOptions())
    with pytest.raises(InputError, match="seeds must be at least 1"):
        make_splits(cohort, "os", StudyOptions(seeds=0))


def test_delayed_entry_is_refused_until_the_scores_know_it():
    cohort = small_cohort()
    entry = cohort.survival.assign(os_entry=0.0)
    with pytest.raises(InputError, match=r"'os' has delayed entry \(os_entry\)"):
        prepare_study(replace(cohort, survival=entry), "os", splits_of(cohort, folds=4))


def test_modalities_without_a_usable_feature_are_named():
    cohort = small_cohort()
    rare = cohort.modalities["rna"].abs() > 2.7  # a mutation table with hardly a carrier
    rare.iloc[0] = True
    cohort = replace(
        cohort, modalities=dict(cohort.modalities) | {"mutation": rare * 1.0}, kinds={}
    )
    assert prepare_study(cohort, "os", splits_of(cohort, folds=4)).unused == ["mutation"]
