"""Saved preprocessing: every bit comes back, and other files are refused."""

import jax
import numpy as np
import pytest

from jaxsurv.data import load_tcga_acc, stratified_kfold
from jaxsurv.preprocess import load_preprocessing, save_preprocessing, saved
from jaxsurv.recipe import prepare, refine
from jaxsurv.types import InputError


@pytest.fixture(scope="module")
def plain():
    cohort = load_tcga_acc().for_endpoint("os")
    splits = stratified_kfold(cohort.outcome("os").event, folds=2)
    return prepare(cohort, "os", splits, select="variance")


@pytest.fixture(scope="module")
def fitted(plain):
    return refine(plain, components=4).preprocessing(1)


@pytest.mark.parametrize("impute", ["none", "mean", "gaussian", "round-robin"])
def test_files_keep_every_bit(plain, impute, tmp_path):
    fitted = refine(plain, impute=impute).preprocessing(0)
    save_preprocessing(tmp_path / "kept.npz", fitted)
    loaded = load_preprocessing(tmp_path / "kept.npz")
    assert loaded.schema == fitted.schema
    assert (loaded.imputation is None) == (impute == "none")
    tables = plain.cohort.modalities
    one, other = loaded.apply(tables), fitted.apply(tables)
    assert one.patients == other.patients
    jax.tree.map(np.testing.assert_array_equal, one[1:], other[1:])


@pytest.mark.parametrize("content", ["truncated", "text", "array", "object", "other"])
def test_other_files_are_refused(fitted, tmp_path, content):
    path = tmp_path / "kept.npz"
    save_preprocessing(path, fitted)
    if content == "truncated":
        path.write_bytes(path.read_bytes()[:-100])
    elif content == "text":
        path.write_text("not a model")
    else:
        value = {"array": np.zeros(3), "object": np.array([{}]), "other": np.zeros(2)}[content]
        with open(path, "wb") as file:
            np.savez(file, x=value) if content == "other" else np.save(file, value)
    with pytest.raises(InputError, match=r"kept\.npz is not a saved preprocessing"):
        load_preprocessing(path)


def test_a_newer_format_is_refused(fitted, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(saved, "FORMAT", 2)
        save_preprocessing(tmp_path / "kept.npz", fitted)
    with pytest.raises(InputError, match=r"format 2, this version of jaxsurv reads 1"):
        load_preprocessing(tmp_path / "kept.npz")
