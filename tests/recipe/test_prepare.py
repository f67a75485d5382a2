"""From a cohort to what networks read: what each choice of a recipe changes, and what is refused."""

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pandas as pd
import pytest

import jaxsurv.data.cohort
import jaxsurv.preprocess._encode
import jaxsurv.preprocess.schema
import jaxsurv.recipe.steps
from jaxsurv.cli.cohorts import load_cohort, make_splits
from jaxsurv.cli.options import StudyOptions
from jaxsurv.data import Cohort, DataWarning, single_split
from jaxsurv.models import CLINICAL, cox_nnet
from jaxsurv.recipe import AS_MEASURED, Recipe, prepare, refine, selection_table
from jaxsurv.recipe.networks import check_trainable
from jaxsurv.recipe.settings import recipe_of
from jaxsurv.types import InputError
from tests.recipe.cohorts import mixed_cohort, small_cohort, split_of, splits_of


def measured(**changes):
    """The recipe of the published models, changed."""
    return replace(AS_MEASURED, **changes)


def test_batches_are_standardised_on_development_rows():
    cohort = small_cohort()
    data = prepare(cohort, "os", splits_of(cohort, folds=4), AS_MEASURED)
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
    data = prepare(cohort, "os", splits_of(cohort, folds=4), measured(components=5))
    batch, _ = data.build(data.shared, split_of(data, 0), 0)
    assert batch.inputs["rna"].shape == (80, 5)
    assert batch.clinical.shape == (80, 2)
    wide = prepare(cohort, "os", splits_of(cohort, folds=4), measured(components=12))
    assert wide.fitted.projection == {}


def test_patients_without_any_modality_stay_and_are_counted():
    cohort = small_cohort()
    tables = {m: table.iloc[5:] for m, table in cohort.modalities.items()}
    told = "5 of 80 patients have no modality at all: p0, .*; they count"
    with pytest.warns(DataWarning, match=told):
        without = replace(cohort, modalities=tables)
    data = prepare(without, "os", splits_of(cohort, folds=4), AS_MEASURED)  # told once
    assert data.shared.outcome.event.shape == (80,)
    assert data.fitted.unlabelled is None
    tables = cohort.modalities | {"rna": tables["rna"]}
    fewer = replace(cohort, modalities=tables)  # all have clinical
    with pytest.warns(DataWarning, match="5 of 80 patients have none of rna: p0, .*; they count"):
        prepare(fewer, "os", splits_of(cohort, folds=4), replace(AS_MEASURED, blocks=("rna",)))


def test_patients_without_outcome_train_if_they_have_a_modality():
    """In every split and every part of training, and in no risk set."""
    cohort = small_cohort()
    survival = cohort.survival.copy()
    survival.iloc[:9] = np.nan
    tables = {m: table.iloc[4:] for m, table in cohort.modalities.items()}
    cohort = Cohort(tables, survival)
    data = prepare(cohort, "os", splits_of(cohort, folds=3), AS_MEASURED, unlabelled=True)
    names = data.cohort.survival.index
    expected = np.isin(names, [f"p{i}" for i in range(4, 9)])
    np.testing.assert_array_equal(data.fitted.unlabelled, np.tile(expected, (3, 1)))
    batch, masks = data.build(data.shared, split_of(data), 0)
    np.testing.assert_array_equal(~batch.labelled, expected)
    np.testing.assert_array_equal(masks.train & ~data.splits.train[0, 0], expected)
    assert not np.any(masks.validation & expected)
    np.testing.assert_array_equal(batch.where & ~data.splits.develop[0], expected)


def test_two_way_protocol_does_not_develop_on_test_rows():
    cohort = small_cohort()
    data = prepare(cohort, "os", splits_of(cohort, folds=4, validation_fraction=None), AS_MEASURED)
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
            lambda c, s: check_trainable(
                prepare(
                    replace(c, modalities={CLINICAL: c.modalities[CLINICAL]}, kinds={}), "os", s
                ),
                cox_nnet(),
            ),
            "there is no modality to encode beside 'clinical'",
        ),
        (
            lambda c, s: prepare(c, "os", s, Recipe(blocks=("rna", "cnv", "atac"))),
            "blocks names atac, cnv, which the cohort lacks; there are rna, clinical",
        ),
        (
            lambda c, s: check_trainable(
                prepare(c, "os", s, Recipe(blocks=(CLINICAL,))), cox_nnet()
            ),
            "there is no modality to encode beside 'clinical'",
        ),
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


def test_delayed_entry_reaches_the_risk_sets():
    cohort = small_cohort()
    entry = cohort.survival["os_time"] / 2
    splits = splits_of(cohort, folds=4)
    late = replace(cohort, survival=cohort.survival.assign(os_entry=entry))
    data = prepare(late, "os", splits, AS_MEASURED)
    np.testing.assert_allclose(data.shared.outcome.entry, entry, rtol=1e-6)
    at_zero = replace(cohort, survival=cohort.survival.assign(os_entry=0.0))
    ridge = [np.asarray(prepare(c, "os", splits).fitted.offset) for c in (late, at_zero, cohort)]
    np.testing.assert_allclose(ridge[1], ridge[2], atol=1e-4)
    assert not np.allclose(ridge[0], ridge[2], atol=1e-2)


def test_modalities_without_a_usable_feature_are_named():
    cohort = small_cohort()
    rare = cohort.modalities["rna"].abs() > 2.7  # a mutation table with hardly a carrier
    rare.iloc[0] = True
    cohort = replace(
        cohort, modalities=dict(cohort.modalities) | {"mutation": rare * 1.0}, kinds={}
    )
    assert prepare(cohort, "os", splits_of(cohort, folds=4), AS_MEASURED).unused == ["mutation"]


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
    return prepare(cohort, "os", splits_of(cohort, folds=2), AS_MEASURED)


def test_selected_features_alone_enter_and_are_reconstructed(incomplete):
    data = refine(incomplete, measured(select="variance"))
    used = np.asarray(data.fitted.gain) > 0
    assert used[:, data.encoded.columns["rna"]].sum(axis=1).tolist() == [200, 200]
    assert used[:, data.encoded.columns[CLINICAL]].all()
    batch, _ = data.build(data.shared, split_of(data, 0), 0)
    rna = used[0, data.encoded.columns["rna"]]
    assert batch.feature_mask["rna"].tolist() == [1] * 200
    plain, _ = incomplete.build(incomplete.shared, split_of(incomplete, 0), 0)
    assert plain.feature_mask is None
    np.testing.assert_array_equal(batch.inputs["rna"], plain.inputs["rna"][:, rna])
    few = refine(data.plain, measured(select="variance", components=3))
    batch, _ = few.build(few.shared, split_of(few, 0), 0)
    assert batch.feature_mask["rna"].tolist() == [1, 1, 1]


def test_shapes_do_not_depend_on_what_other_splits_select(incomplete, monkeypatch):
    """Which may be more or fewer features than were asked for, because of this split's test rows."""
    select = jaxsurv.recipe.steps.select_by_variance
    sizes = iter([30, 50])
    monkeypatch.setattr(
        jaxsurv.recipe.steps,
        "select_by_variance",
        lambda *a, k: select(*a, k=min(k, next(sizes))),
    )
    data = refine(incomplete, measured(select="variance", top=70))
    counts = (np.asarray(data.fitted.gain)[:, data.encoded.columns["rna"]] > 0).sum(axis=1)
    assert sorted(counts) == [30, 50]
    for s, count in enumerate(counts):
        batch, _ = data.build(data.shared, split_of(data, s), 0)
        assert batch.inputs["rna"].shape == (80, 70)
        assert batch.feature_mask["rna"].sum() == count
        assert np.any(batch.inputs["rna"], axis=0).sum() == count


def test_selection_table(incomplete):
    table = selection_table(refine(incomplete, measured(select="variance")))
    assert table["modality"].unique().tolist() == ["rna"]
    assert set(table["frequency"]) <= {0, 0.5, 1}
    assert table["frequency"].sum() == 200
    assert table.loc[table["feature"] == "g259", "frequency"].item() == 1
    assert (table["selected"] == 200).all()
    assert 0 < table["stability"].iloc[0] < 1


@pytest.mark.parametrize("impute", ["mean", "gaussian", "round-robin"])
def test_imputed_modalities_count_as_present(impute, incomplete):
    data = refine(incomplete, measured(impute=impute))
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
    data = refine(incomplete, measured(select="variance", impute="round-robin"))
    gain = np.asarray(data.fitted.gain)
    filled = np.asarray(data.fitted.imputed)
    columns = data.encoded.columns["rna"]
    missing = np.isnan(filled[:, :, columns]).all(axis=1)
    np.testing.assert_array_equal(missing, gain[:, columns] == 0)


def test_nothing_to_impute_changes_nothing():
    cohort = small_cohort()
    data = prepare(cohort, "os", splits_of(cohort, folds=2), measured(impute="round-robin"))
    assert data.fitted.imputed is None


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"components": 0}, "components must be at least 1, got 0"),
        ({"components": -3}, "components must be at least 1, got -3"),
        ({"top": 0}, "top must be at least 1, got 0"),
        ({"select": "lasso"}, "select must be one of .*elastic-net.*, got 'lasso'"),
        ({"impute": "knn"}, "impute must be one of .*'mean'.*, got 'knn'"),
        ({"scaling": "robust"}, r"scaling must be one of \('clipped', 'plain'\), got 'robust'"),
        ({"unknown": "drop"}, r"unknown must be one of \('mean', 'level'\), got 'drop'"),
        ({"offset": True}, r"offset must be one of .*'clinical', 'none'\), got True"),
        ({"select": None}, "select must be one of .*, got None"),
        ({"blocks": "rna"}, "blocks must be names of modalities or None, got 'rna'"),
        ({"blocks": ()}, r"blocks must be names of modalities or None, got \(\)"),
    ],
)
def test_a_recipe_refuses_what_it_does_not_know(choices, message):
    with pytest.raises(InputError, match=message):
        Recipe(**choices)
    with pytest.raises(InputError, match=message):
        replace(AS_MEASURED, **choices)


def test_a_recipe_is_a_value():
    with pytest.raises(FrozenInstanceError):
        Recipe().select = "variance"
    assert Recipe(blocks=["rna", "cnv"]) == Recipe(blocks=("rna", "cnv"))
    assert len({Recipe(), Recipe(components=8), Recipe(blocks=["rna"]), AS_MEASURED}) == 3
    assert Recipe(components=None, offset="none") == AS_MEASURED


def test_entries_of_another_version_are_refused():
    assert recipe_of({"blocks": ["rna"], "components": 3}) == Recipe(blocks=("rna",), components=3)
    with pytest.raises(InputError, match=r"the recipe has \['batch_effects'\], which this jaxsurv"):
        recipe_of({"batch_effects": "combat"})


def test_only_the_blocks_are_read():
    cohort = mixed_cohort()
    recipe = measured(blocks=("lab", CLINICAL))
    data = prepare(cohort, "os", splits_of(cohort, folds=2), recipe)
    assert set(data.encoded.columns) == {"lab", CLINICAL}
    batch, _ = data.build(data.shared, split_of(data), 0)
    assert list(batch.inputs) == ["lab"]
    assert data.preprocessing(0).schema.features.keys() == data.encoded.columns.keys()
    whole = prepare(cohort, "os", splits_of(cohort, folds=2), AS_MEASURED)
    everything, _ = whole.build(whole.shared, split_of(whole), 0)
    np.testing.assert_allclose(batch.inputs["lab"], everything.inputs["lab"], rtol=1e-5, atol=1e-6)


def test_plain_scaling_leaves_outliers_where_they_are():
    cohort = small_cohort()
    rna = cohort.modalities["rna"].copy()
    rna.iloc[7, 2] = 60.0
    cohort = replace(cohort, modalities=dict(cohort.modalities) | {"rna": rna})
    splits = splits_of(cohort, folds=4)
    s = int(np.argmin(splits.test[:, 7]))  # a split that trains on the outlier
    z = {}
    for scaling in ("clipped", "plain"):
        data = prepare(cohort, "os", splits, measured(scaling=scaling))
        batch, _ = data.build(data.shared, split_of(data, s), 0)
        z[scaling] = np.asarray(batch.inputs["rna"])[:, 2]
    assert z["clipped"][7] < 6
    rows = splits.develop[s]
    x = rna["g2"].to_numpy()
    np.testing.assert_allclose(
        z["plain"], (x - x[rows].mean()) / x[rows].std(), rtol=1e-3, atol=1e-4
    )


def test_refining_keeps_what_was_read_and_goes_back_to_plain():
    cohort = mixed_cohort()
    splits = splits_of(cohort, folds=2)
    recipe = Recipe(blocks=("rna", CLINICAL), scaling="plain", unknown="level", components=3)
    data = prepare(cohort, "os", splits, recipe)
    again = refine(data.plain, replace(AS_MEASURED, impute="mean"))
    assert (again.recipe.blocks, again.recipe.scaling) == (recipe.blocks, "plain")
    assert (again.recipe.unknown, again.recipe.impute) == ("level", "mean")
    assert data.plain.recipe == replace(recipe, components=None, offset="none")
    back = refine(data.plain, recipe)
    assert back.recipe == recipe
    for name in ("projection", "offset", "scaler"):
        one, other = getattr(back.fitted, name), getattr(data.fitted, name)
        assert str(one) == str(other)


@pytest.fixture
def calls(monkeypatch):
    """How often a table was checked and encoded."""
    counts = {"checked": 0, "encoded": 0}

    def counted(module, name, what):
        function = getattr(module, name)

        def call(*args, **kwargs):
            counts[what] += 1
            return function(*args, **kwargs)

        monkeypatch.setattr(module, name, call)

    counted(jaxsurv.data.cohort, "clean_modality", "checked")
    counted(jaxsurv.preprocess.schema, "clean_modality", "checked")
    counted(jaxsurv.preprocess._encode, "encode_table", "encoded")
    return counts


@pytest.mark.parametrize("splits", [{"folds": 2}, {"folds": 3, "repeats": 3}], ids=["2", "9"])
@pytest.mark.parametrize("unlabelled", [False, True])
def test_tables_are_checked_and_encoded_once_whatever_the_splits(calls, splits, unlabelled):
    cohort = mixed_cohort()
    survival = cohort.survival.copy()
    survival.iloc[::9] = np.nan
    cohort = Cohort(cohort.modalities, survival, cohort.kinds)
    assert calls == {"checked": 10, "encoded": 0}  # five tables of either cohort
    recipe = Recipe(select="variance", top=5, impute="mean", components=2)
    data = prepare(cohort, "os", splits_of(cohort, **splits), recipe, unlabelled=unlabelled)
    assert calls == {"checked": 10, "encoded": 5}
    refine(data.plain, AS_MEASURED)
    data.preprocessing(0)
    assert calls == {"checked": 10, "encoded": 5}


def test_some_patients_of_a_cohort_are_not_checked_again(calls):
    cohort = mixed_cohort()
    survival = cohort.survival.copy()
    survival.iloc[:7] = np.nan
    cohort = Cohort(cohort.modalities, survival, cohort.kinds)
    before = dict(calls)
    some = cohort.take(np.arange(90) % 2 == 0)
    assert len(some.for_endpoint("os").survival) == 45 - 4
    assert len(cohort.for_endpoint("os").survival) == 83
    assert calls == before


@pytest.fixture(scope="module")
def levels():
    cohort = mixed_cohort()
    return {
        unknown: prepare(cohort, "os", splits_of(cohort, folds=2), measured(unknown=unknown))
        for unknown in ("mean", "level")
    }


def test_a_missing_category_has_a_column_of_its_own(levels):
    names = {
        unknown: data.encoded.names[data.encoded.columns[CLINICAL]]
        for unknown, data in levels.items()
    }
    assert "grade=(missing)" not in names["mean"]
    more = ["clinical_0=(missing)", "grade=(missing)"]  # "centre" and other numbers have no gap
    assert [n for n in names["level"] if n not in names["mean"]] == more
    data = levels["level"]
    gaps = data.cohort.modalities[CLINICAL]["grade"].isna().to_numpy()
    column = data.encoded.names.index("grade=(missing)")
    np.testing.assert_array_equal(data.encoded.x[:, column], gaps)
    own = [i for i, n in enumerate(data.encoded.names) if n.startswith("grade=")]
    assert (data.encoded.x[:, own].sum(axis=1) == 1).all()
    assert (np.asarray(data.fitted.scaler.gain)[:, column] > 0).all()
    batch, _ = data.build(data.shared, split_of(data), 0)
    z = np.asarray(batch.clinical)[:, column - data.encoded.columns[CLINICAL].start]
    assert z[gaps].min() > 0 > z[~gaps].max()
    # otherwise each indicator of the category is at its training mean
    plain = levels["mean"]
    own = [names["mean"].index(n) for n in names["mean"] if n.startswith("grade=")]
    batch, _ = plain.build(plain.shared, split_of(plain), 0)
    assert not np.asarray(batch.clinical)[gaps][:, own].any()


def test_a_new_patient_with_a_missing_category_gets_its_column(levels):
    data = levels["level"]
    fitted, table = data.preprocessing(0), data.cohort.modalities[CLINICAL]
    patient = table.index[table["grade"].notna()][3]
    new = table.loc[[patient]].copy()
    new["grade"] = np.nan
    tables = {m: t.loc[t.index == patient] for m, t in data.cohort.modalities.items()}
    rows = fitted.read({**tables, CLINICAL: new})
    names = data.encoded.names
    own = {n: rows.x[0, i] for i, n in enumerate(names) if n.startswith("grade=")}
    assert own.pop("grade=(missing)") == 1
    assert set(own.values()) == {0}
    read = fitted.inputs(rows).inputs[CLINICAL][0]
    gap = table.index.get_loc(table.index[table["grade"].isna()][0])
    batch, _ = data.build(data.shared, split_of(data), 0)
    start = data.encoded.columns[CLINICAL].start
    for i in (i for i, n in enumerate(names) if n.startswith("grade=")):
        np.testing.assert_allclose(read[i - start], batch.clinical[gap, i - start], rtol=1e-5)


@pytest.mark.parametrize("unknown", ["mean", "level"])
def test_a_category_never_seen_is_refused(levels, unknown):
    data = levels[unknown]
    tables = dict(data.cohort.modalities)
    tables[CLINICAL] = tables[CLINICAL].copy()
    tables[CLINICAL].loc["p3", "grade"] = "unheard of"
    with pytest.raises(InputError, match="'unheard of' in column 'grade', patient 'p3'"):
        data.preprocessing(0).apply(tables)
