from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from jaxsurv.cli.cohorts import load_cohort, make_splits
from jaxsurv.cli.options import StudyOptions
from jaxsurv.data import DataWarning, single_split, stratified_kfold
from jaxsurv.models import CLINICAL
from jaxsurv.recipe import prepare, refine, selection_table
from jaxsurv.types import InputError

from .test_baselines import small_cohort


def splits_of(cohort, **options):
    return stratified_kfold(cohort.outcome("os").event, **options)


def split_of(data, s):
    import jax

    return jax.tree.map(lambda x: np.asarray(x)[s], data.fitted)


def test_batches_are_standardised_on_development_rows():
    cohort = small_cohort()
    data = prepare(cohort, "os", splits_of(cohort, folds=4))
    batch, masks = data.build(data.shared, split_of(data, 1), 1)
    rows = np.asarray(masks.develop)
    assert list(batch.inputs) == ["rna"]
    assert batch.clinical.shape == (80, 2)
    z = np.asarray(batch.inputs["rna"])[rows]
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(z.std(axis=0), 1, atol=1e-5)
    assert not np.any(rows & data.splits.test[1])


def test_components_replace_wide_modalities_only():
    cohort = small_cohort()
    data = prepare(cohort, "os", splits_of(cohort, folds=4), components=5)
    batch, _ = data.build(data.shared, split_of(data, 0), 0)
    assert batch.inputs["rna"].shape == (80, 5)
    assert batch.clinical.shape == (80, 2)
    wide = prepare(cohort, "os", splits_of(cohort, folds=4), components=12)
    assert wide.splits.projection == {}


def test_patients_without_any_modality_stay_and_are_counted():
    cohort = small_cohort()
    tables = {m: table.iloc[5:] for m, table in cohort.modalities.items()}
    cohort = replace(cohort, modalities=tables)
    with pytest.warns(DataWarning, match="5 of 80 patients have no modality at all: they count"):
        data = prepare(cohort, "os", splits_of(cohort, folds=4))
    assert data.shared.outcome.event.shape == (80,)
    assert data.fitted.unlabelled is None


def test_two_way_protocol_does_not_develop_on_test_rows():
    cohort = small_cohort()
    data = prepare(cohort, "os", splits_of(cohort, folds=4, validation_fraction=None))
    assert not np.any(data.splits.develop & data.splits.test)
    np.testing.assert_array_equal(data.fitted.validation[:, 0], data.splits.test)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c, s: prepare(c, "pfi", s), "unknown endpoint 'pfi'; there are os"),
        (
            lambda c, s: prepare(c, "os", single_split(np.ones(7), n_validation=2)),
            "splits are for 7 patients, 80 are labelled for 'os'",
        ),
        (
            lambda c, s: prepare(
                replace(c, modalities={CLINICAL: c.modalities[CLINICAL]}, kinds={}), "os", s
            ),
            "has no modality to encode beside 'clinical'",
        ),
        (lambda c, s: prepare(c, "os", s, components=0), "components must be at least 1"),
        (lambda c, s: prepare(c, "os", s, select="lasso"), "select must be one of .*elastic"),
        (lambda c, s: prepare(c, "os", s, impute="knn"), "impute must be one of .*'mean'"),
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
        prepare(replace(cohort, survival=entry), "os", splits_of(cohort, folds=4))


def test_modalities_without_a_usable_feature_are_named():
    cohort = small_cohort()
    rare = cohort.modalities["rna"].abs() > 2.7  # a mutation table with hardly a carrier
    rare.iloc[0] = True
    cohort = replace(
        cohort, modalities=dict(cohort.modalities) | {"mutation": rare * 1.0}, kinds={}
    )
    assert prepare(cohort, "os", splits_of(cohort, folds=4)).unused == ["mutation"]


def incomplete_cohort():
    """260 genes, of which the last vary most, that a fifth of the patients lack."""
    cohort = small_cohort()
    rng = np.random.default_rng(3)
    scale = np.linspace(1, 2, 260)
    genes = pd.DataFrame(rng.normal(size=(80, 260)) * scale, cohort.survival.index).add_prefix("g")
    genes.iloc[:, -1] = 2 * cohort.modalities[CLINICAL]["age"]
    return replace(cohort, modalities=dict(cohort.modalities) | {"rna": genes.iloc[16:]}, kinds={})


@pytest.fixture(scope="module")
def incomplete():
    cohort = incomplete_cohort()
    return prepare(cohort, "os", splits_of(cohort, folds=2))


def test_selected_features_alone_enter_and_are_reconstructed(incomplete):
    data = refine(incomplete, select="variance")
    used = np.asarray(data.fitted.scaler.gain) > 0
    assert used[:, data.encoded.columns["rna"]].sum(axis=1).tolist() == [200, 200]
    assert used[:, data.encoded.columns[CLINICAL]].all()
    batch, _ = data.build(data.shared, split_of(data, 0), 0)
    rna = used[0, data.encoded.columns["rna"]]
    assert batch.feature_mask["rna"].tolist() == [1] * 200
    plain, _ = incomplete.build(incomplete.shared, split_of(incomplete, 0), 0)
    assert plain.feature_mask is None
    np.testing.assert_array_equal(batch.inputs["rna"], plain.inputs["rna"][:, rna])
    few = refine(data, components=3)
    batch, _ = few.build(few.shared, split_of(few, 0), 0)
    assert batch.feature_mask["rna"].tolist() == [1, 1, 1]


def test_shapes_do_not_depend_on_what_other_splits_select(incomplete, monkeypatch):
    """Which may be more or fewer features than were asked for, because of this split's test rows."""
    select = prepare.select_by_variance
    sizes = iter([30, 50])
    monkeypatch.setattr(
        prepare, "select_by_variance", lambda *a, k: select(*a, k=min(k, next(sizes)))
    )
    data = refine(incomplete, select="variance", top=70)
    counts = (np.asarray(data.fitted.scaler.gain)[:, data.encoded.columns["rna"]] > 0).sum(axis=1)
    assert sorted(counts) == [30, 50]
    for s, count in enumerate(counts):
        batch, _ = data.build(data.shared, split_of(data, s), 0)
        assert batch.inputs["rna"].shape == (80, 70)
        assert batch.feature_mask["rna"].sum() == count
        assert np.any(batch.inputs["rna"], axis=0).sum() == count


def test_selection_table(incomplete):
    table = selection_table(refine(incomplete, select="variance"))
    assert table["modality"].unique().tolist() == ["rna"]
    assert set(table["frequency"]) <= {0, 0.5, 1}
    assert table["frequency"].sum() == 200
    assert table.loc[table["feature"] == "g259", "frequency"].item() == 1
    assert (table["selected"] == 200).all()
    assert 0 < table["stability"].iloc[0] < 1


@pytest.mark.parametrize("impute", ["mean", "gaussian", "round-robin"])
def test_imputed_modalities_count_as_present(impute, incomplete):
    data = refine(incomplete, impute=impute)
    batch, _ = data.build(data.shared, split_of(data, 0), 0)
    plain, _ = incomplete.build(incomplete.shared, split_of(incomplete, 0), 0)
    absent = np.arange(80) < 16
    np.testing.assert_array_equal(plain.presence["rna"] == 0, absent)
    assert np.asarray(batch.presence["rna"]).all()
    z, before = np.asarray(batch.inputs["rna"]), np.asarray(plain.inputs["rna"])
    np.testing.assert_array_equal(z[~absent], before[~absent])
    np.testing.assert_array_equal(batch.clinical, plain.clinical)
    assert not before[absent].any()
    if impute == "mean":
        assert not z[absent].any()
    else:  # the last gene is twice the age
        age = np.asarray(batch.clinical)[absent, 0]
        assert np.corrcoef(z[absent, -1], age)[0, 1] > 0.8


def test_imputation_reads_selected_features_only(incomplete):
    data = refine(incomplete, select="variance", impute="round-robin")
    gain = np.asarray(data.fitted.scaler.gain)
    filled = np.asarray(data.fitted.imputed)
    columns = data.encoded.columns["rna"]
    missing = np.isnan(filled[:, :, columns]).all(axis=1)
    np.testing.assert_array_equal(missing, gain[:, columns] == 0)


def test_nothing_to_impute_changes_nothing():
    cohort = small_cohort()
    data = prepare(cohort, "os", splits_of(cohort, folds=2), impute="round-robin")
    assert data.fitted.imputed is None
