"""Preprocessing as parts of a model file: every bit comes back, and what is not there is missed."""

import json
from dataclasses import replace

import jax
import numpy as np
import pytest

from jaxsurv.data import load_tcga_acc, stratified_kfold
from jaxsurv.preprocess.saved import pack, unpack
from jaxsurv.recipe import AS_MEASURED, Recipe, prepare, refine

VARIANCE = replace(AS_MEASURED, select="variance")


@pytest.fixture(scope="module")
def plain():
    cohort = load_tcga_acc().for_endpoint("os")
    splits = stratified_kfold(cohort.outcome("os").event, folds=2)
    return prepare(cohort, "os", splits, AS_MEASURED)


def as_in_a_file(header, arrays):
    """What JSON keeps of the header, and copies of the arrays."""
    return json.loads(json.dumps(header)), {name: np.array(a) for name, a in arrays.items()}


@pytest.mark.parametrize("impute", ["none", "mean", "gaussian", "round-robin"])
@pytest.mark.parametrize(
    "how",
    [VARIANCE, replace(VARIANCE, top=20, components=4), AS_MEASURED],
    ids=["selected", "projected", "as measured"],
)
def test_every_bit_comes_back(plain, impute, how):
    if impute == "round-robin" and how.select == "none":
        how = replace(how, select="variance", top=40)  # a chain over all genes takes long
    fitted = refine(plain, replace(how, impute=impute)).preprocessing(0)
    loaded = unpack(*as_in_a_file(*pack(fitted)))
    assert loaded.schema == fitted.schema
    assert (loaded.imputation is None) == (impute == "none")
    assert (loaded.selected is None) == (how.select == "none")
    for name in ("scaler", "selected", "gain"):
        one, other = getattr(loaded, name), getattr(fitted, name)
        jax.tree.map(np.testing.assert_array_equal, one, other)
    for name in ("projection", "chosen"):
        one, other = dict(getattr(loaded, name)), dict(getattr(fitted, name))
        jax.tree.map(np.testing.assert_array_equal, one, other)
    tables = plain.cohort.modalities
    one, other = loaded.apply(tables), fitted.apply(tables)
    assert one.patients == other.patients
    jax.tree.map(np.testing.assert_array_equal, one[1:], other[1:])
    rows = loaded.read(tables, plain=("rna",))
    jax.tree.map(
        np.testing.assert_array_equal, loaded.scaled(rows), fitted.scaled(fitted.read(tables))
    )


@pytest.mark.filterwarnings("ignore:constant features:jaxsurv.data.DataWarning")
def test_a_category_for_what_is_missing_comes_back(plain):
    cohort = plain.cohort
    tables = {m: t.copy() for m, t in cohort.modalities.items()}
    text = next(c for c in tables["clinical"] if tables["clinical"][c].dtype == object)
    tables["clinical"].loc[tables["clinical"].index[::3], text] = None
    gaps = replace(cohort, modalities=tables)
    fitted = prepare(gaps, "os", plain.splits, Recipe(unknown="level")).preprocessing(0)
    loaded = unpack(*as_in_a_file(*pack(fitted)))
    assert loaded.schema.categories["clinical"][text][-1] == ""
    assert loaded.schema == fitted.schema
    one, other = loaded.apply(tables), fitted.apply(tables)
    jax.tree.map(np.testing.assert_array_equal, one[1:], other[1:])


@pytest.mark.parametrize("absent", ["schema", "scaler/gain", "imputed", "regression0/coef"])
def test_what_is_not_there_is_missed(plain, absent):
    fitted = refine(plain, replace(VARIANCE, top=20, impute="gaussian")).preprocessing(0)
    header, arrays = as_in_a_file(*pack(fitted))
    kept = header if absent in header else arrays
    if absent.startswith("regression"):
        assert header["regressions"]
    del kept[absent]
    with pytest.raises((KeyError, TypeError)):
        unpack(header, arrays)
