"""Preprocessing kept with a model: new tables by name, refusals that list, files that are data."""

from dataclasses import replace

import jax
import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import DataWarning, load_tcga_acc, stratified_kfold
from jaxsurv.models import CLINICAL
from jaxsurv.recipe import AS_MEASURED, prepare, refine
from jaxsurv.types import InputError

VARIANCE = replace(AS_MEASURED, select="variance")


@pytest.fixture(scope="module")
def cohort():
    return load_tcga_acc().for_endpoint("os")


@pytest.fixture(scope="module")
def data(cohort):
    splits = stratified_kfold(cohort.outcome("os").event, folds=2)
    return prepare(cohort, "os", splits, replace(AS_MEASURED, components=4))


@pytest.fixture(scope="module")
def fitted(data):
    return data.preprocessing(1)


@pytest.fixture
def tables(cohort):
    return {m: table.copy() for m, table in cohort.modalities.items()}


def same(one, other):
    assert one.patients == other.patients
    for m in one.inputs:
        np.testing.assert_array_equal(one.inputs[m], other.inputs[m], err_msg=m)
        np.testing.assert_array_equal(one.presence[m], other.presence[m], err_msg=m)


@pytest.mark.parametrize("how", [{}, {"select": "variance", "top": 20}])
def test_new_tables_are_read_as_in_training(how, cohort, data, tables):
    if how:
        data = refine(data.plain, replace(AS_MEASURED, **how))
    ours = data.preprocessing(1).apply(tables)
    split = jax.tree.map(lambda x: x[1], data.fitted)
    batch, _ = jax.jit(data.build)(data.shared, split, np.int32(0))
    rows = pd.Index(ours.patients).get_indexer(cohort.survival.index)
    assert (rows >= 0).all()
    for m, expected in {**batch.inputs, CLINICAL: batch.clinical}.items():
        np.testing.assert_allclose(ours.inputs[m][rows], expected, rtol=1e-5, atol=1e-5)
    for m, expected in batch.presence.items():
        np.testing.assert_array_equal(ours.presence[m][rows], expected)
    assert not np.asarray(batch.presence["mutation"]).any()  # no feature of it is in use


def test_order_and_columns_that_are_not_read_change_nothing(fitted, tables):
    expected = fitted.apply(tables)
    mixed = {m: t[list(t.columns)[::-1]].assign(another=1.0) for m, t in tables.items()}
    same(fitted.apply(mixed), expected)


def test_a_patient_alone_is_read_as_among_others(fitted, tables):
    everybody, name = fitted.apply(tables), tables["rna"].index[7]
    alone = fitted.apply({m: t.loc[[name]] for m, t in tables.items() if name in t.index})
    row = everybody.patients.index(name)
    for m, x in alone.inputs.items():
        np.testing.assert_allclose(x[0], everybody.inputs[m][row], rtol=1e-5, atol=1e-6)
        assert alone.presence[m][0] == everybody.presence[m][row]


def test_an_absent_modality_is_missing(fitted, tables):
    del tables["rna"]
    with pytest.warns(DataWarning, match="none of the 92 patients has rna, which the model reads"):
        found = fitted.apply(tables)
    assert not found.presence["rna"].any()
    assert not found.inputs["rna"].any()


def test_features_that_change_nothing_may_be_absent(data, fitted, tables):
    idle = [f for f in tables["cnv"] if f not in fitted.features_read()["cnv"]]
    assert len(fitted.features_read()["rna"]) == tables["rna"].shape[1]
    assert "cnv" in data.unused or len(fitted.features_read()["cnv"]) > 0
    expected = fitted.apply(tables)
    tables["cnv"] = tables["cnv"].drop(columns=idle)
    same(fitted.apply(tables), expected)


def change(tables, m, edit):
    return {**tables, m: edit(tables[m])}


@pytest.mark.parametrize(
    ("edit", "parts"),
    [
        (
            lambda t: change(t, "rna", lambda x: x.rename(columns={x.columns[3]: "ENSG9"})),
            ["'rna' lacks 1 of", "{rna3}", "1 that the model does not know: ENSG9", "Rename them"],
        ),
        (
            lambda t: change(t, "rna", lambda x: x.iloc[:, 30:]),
            ["'rna' lacks 30 of", "{rna3}", "and 10 more", "empty columns"],
        ),
        (lambda t: {**t, "RNA": t["rna"]}, ["not the modality 'RNA'", "rna"]),
        (lambda t: {}, ["no modality is given"]),
        (
            lambda t: change(t, "rna", lambda x: x.astype(object).mask(x == x.iloc[2, 3], "high")),
            ["'high'", "column '{rna3}'", "patient '{patient2}'"],
        ),
        (lambda t: {"rna": t["rna"] * np.nan}, ["no patient has a single value"]),
    ],
    ids=["renamed", "missing", "modality", "nothing", "text", "empty"],
)
def test_refusals_list_what_is_wrong(fitted, tables, edit, parts):
    names = {"rna3": tables["rna"].columns[3], "patient2": tables["rna"].index[2]}
    with pytest.raises(InputError) as error:
        fitted.apply(edit(tables))
    for part in parts:
        assert part.format(**names) in str(error.value)


def test_a_category_never_seen_is_refused(fitted, tables):
    text = next(c for c, known in fitted.schema.categories[CLINICAL].items() if len(known) > 1)
    patient = tables[CLINICAL].index[5]
    tables[CLINICAL].loc[patient, text] = "unheard of"
    with pytest.raises(InputError, match=f"'unheard of' in column '{text}', patient '{patient}'"):
        fitted.apply(tables)
    tables[CLINICAL].loc[patient, text] = np.nan
    fitted.apply(tables)


def test_a_new_category_of_a_column_that_changes_nothing_is_no_matter(fitted, tables):
    idle = next(
        c for c in fitted.schema.categories[CLINICAL] if c not in fitted.features_read()[CLINICAL]
    )
    expected = fitted.apply(tables)
    tables[CLINICAL][idle] = "another"
    same(fitted.apply(tables), expected)


@pytest.mark.parametrize(
    ("m", "change"),
    [
        ("rna", lambda x: 30 * x),
        ("protein", lambda x: x + 100),
        ("protein", lambda x: 2 ** (x + 8)),
    ],
    ids=["times 30", "plus 100", "no logarithm"],
)
def test_another_scale_is_warned_of(fitted, tables, m, change):
    with pytest.warns(DataWarning, match=rf"modality '{m}': \d+ of \d+ measured values lie far"):
        fitted.apply({**tables, m: change(tables[m])})


def test_patients_named_in_two_ways_are_warned_of(fitted, tables):
    tables[CLINICAL] = tables[CLINICAL].rename(index="case {}".format)
    with pytest.warns(DataWarning, match=r"have no patient in common \(.*case.*named alike"):
        fitted.apply(tables)


def test_two_names_of_one_patient_are_refused(fitted, tables):
    one = tables["rna"].index[0]
    tables["rna"] = tables["rna"].rename(index={one: f"{one}-01A"})
    with pytest.raises(InputError, match=f"'{one}' and '{one}-01A' are names of one patient; give"):
        fitted.apply(tables)


def test_names_that_differ_by_capitals_are_one_patient_unless_one_table_has_both(fitted, tables):
    names = {p: f"P{k}" for k, p in enumerate(tables["rna"].index)}
    tables = {m: t.rename(index=names) for m, t in tables.items()}
    low = tables["rna"].rename(index={"P3": "p3 "})
    with pytest.raises(InputError, match="'P3' and 'p3 ' are names of one patient"):
        fitted.apply({**tables, "rna": low})
    two = {m: t.rename(index={"P4": "p3"}) for m, t in tables.items()}
    with pytest.warns(DataWarning, match="look alike and are not in all tables: 'P3' and 'p3'"):
        assert {"P3", "p3"} <= set(fitted.apply(two).patients)


def test_one_feature_in_another_unit_is_warned_of(fitted, tables):
    gene = next(f for f in tables["rna"] if f in fitted.features_read()["rna"])
    tables["rna"][gene] = tables["rna"][gene] + 1e12
    with pytest.warns(DataWarning, match=rf"modality 'rna': .* of {gene} lie far outside"):
        fitted.apply(tables)


def test_whole_numbers_of_one_patient_are_no_counts(fitted, tables):
    one = tables["rna"].iloc[:1].round()
    fitted.apply({"rna": one})


def test_logarithms_where_training_had_counts_are_refused(fitted, tables):
    with pytest.raises(InputError, match=r"'rna' \(counts\): fractions, and no value above"):
        fitted.apply({**tables, "rna": np.log2(tables["rna"] + 1)})


@pytest.fixture(scope="module")
def imputing(cohort):
    """Half of the patients without RNA, and half of the others without protein."""
    modalities = {m: cohort.modalities[m] for m in ("rna", "protein", CLINICAL)}
    modalities["rna"] = modalities["rna"].iloc[::2]
    kinds = {m: cohort.kinds[m] for m in modalities}
    cohort = replace(cohort, modalities=modalities, kinds=kinds)
    splits = stratified_kfold(cohort.outcome("os").event, folds=2)
    return prepare(cohort, "os", splits, VARIANCE)


@pytest.mark.parametrize("impute", ["mean", "gaussian", "round-robin"])
def test_what_is_missing_is_filled_as_in_training(impute, imputing):
    data = refine(imputing.plain, replace(VARIANCE, impute=impute, components=6))
    ours = data.preprocessing(1).apply(data.cohort.modalities)
    split = jax.tree.map(lambda x: x[1], data.fitted)
    batch, _ = jax.jit(data.build)(data.shared, split, np.int32(0))
    rows = pd.Index(ours.patients).get_indexer(data.cohort.survival.index)
    for m, expected in batch.inputs.items():
        np.testing.assert_allclose(ours.inputs[m][rows], expected, rtol=1e-4, atol=1e-4)
        assert ours.presence[m].all()
    absent = data.encoded.presence["rna"] == 0
    assert absent.sum() > 40
    assert ours.inputs["rna"][rows][absent].any() == (impute != "mean")


def test_imputation_does_not_depend_on_who_else_is_scored(imputing):
    fitted = refine(imputing.plain, replace(VARIANCE, impute="round-robin")).preprocessing(0)
    tables = imputing.cohort.modalities
    everybody = fitted.apply(tables)
    name = next(p for p in tables["protein"].index if p not in tables["rna"].index)
    alone = fitted.apply({m: t.loc[[name]] for m, t in tables.items() if name in t.index})
    row = everybody.patients.index(name)
    np.testing.assert_allclose(alone.inputs["rna"][0], everybody.inputs["rna"][row], atol=1e-5)


@pytest.mark.filterwarnings("ignore:none of the:jaxsurv.data.DataWarning")
def test_a_pattern_never_seen_is_refused_by_the_gaussian(imputing):
    fitted = refine(imputing.plain, replace(VARIANCE, impute="gaussian")).preprocessing(0)
    with pytest.raises(InputError, match="patients with rna only, a pattern that was not there"):
        fitted.apply({"rna": imputing.cohort.modalities["rna"]})


def test_cox_models_read_the_values_as_measured(imputing):
    """Before selection, imputation and projection, of all features or of those that are asked for."""
    data = refine(imputing.plain, replace(VARIANCE, top=3, impute="round-robin", components=2))
    fitted = data.preprocessing(1)
    rows = fitted.read(data.cohort.modalities, plain=("rna", CLINICAL))
    order = pd.Index(rows.patients).get_indexer(data.cohort.survival.index)
    scaled = fitted.scaled(rows)
    split = jax.tree.map(lambda x: x[1], data.plain.fitted)
    expected = data.plain.standardised(data.shared, split)
    for m, z in expected.items():
        np.testing.assert_allclose(scaled[m][order], z, rtol=1e-5, atol=1e-5, err_msg=m)
    assert scaled["rna"].any(axis=0).sum() > 100 > 3 >= len(fitted.features_read()["rna"])


def test_features_that_cox_models_read_are_needed_too(imputing, tables):
    data = refine(imputing.plain, replace(VARIANCE, top=3))
    fitted = data.preprocessing(1)
    few, all_used = fitted.features_read(()), fitted.features_read(("rna",))
    assert few == fitted.features_read()
    assert few["rna"] < all_used["rna"]
    assert few["protein"] == all_used["protein"]
    unread = sorted(all_used["rna"] - few["rna"])
    given = {m: tables[m] for m in fitted.schema.features}
    given["rna"] = given["rna"].drop(columns=unread[:2])
    fitted.read(given)
    with pytest.raises(InputError, match=rf"'rna' lacks 2 of .*{unread[0]}"):
        fitted.read(given, plain=("rna",))
