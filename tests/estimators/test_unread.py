"""A modality of which no feature is in use: who has it changes no risk, but in files that told networks."""

import warnings
from dataclasses import replace

import jax
import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import DataWarning, load_tcga_acc
from jaxsurv.estimators import MORiskVAE, Network, SurvivalStack, load
from jaxsurv.estimators.inputs import read_patients
from jaxsurv.recipe import Recipe
from tests.estimators.conftest import changed
from tests.recipe.cohorts import small_cohort

pytestmark = pytest.mark.filterwarnings(
    "ignore:constant features", "ignore:no epoch of any network"
)


@pytest.fixture(scope="module")
def cohort():
    """Mutations of which only one patient is a carrier, and that 30 of 80 patients lack."""
    plain = small_cohort()
    rare = pd.DataFrame(0.0, plain.survival.index[:50], ["TP53", "KRAS"])
    rare.iloc[0] = 1
    return replace(plain, modalities={**plain.modalities, "mutation": rare}, kinds={})


def without(cohort):
    return {m: table for m, table in cohort.modalities.items() if m != "mutation"}


def shifted(model):
    """The model with other weights: those of a network that never had the flag might not read it."""
    params = model.params._replace(network=jax.tree.map(lambda a: a + 0.1, model.params.network))
    return replace(model, params=params)


RECIPES = {"told": Recipe(), "selected": Recipe(select="variance", impute="mean")}


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("name", ["CoxMT", "HCL", "SurvivalVAE"])
def test_the_table_changes_no_bit(name, recipe, cohort):
    fitted = Network(name, recipe=RECIPES[recipe], epochs=2, n_seeds=1).fit(cohort, "os").model_
    assert not fitted.preprocessing.features_read()["mutation"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for model in (fitted, shifted(fitted)):
            risk = model.log_hazard(read_patients(cohort, None))
            others = model.log_hazard(read_patients(without(cohort), None))
            np.testing.assert_array_equal(risk, others)
    assert not np.array_equal(risk, fitted.log_hazard(read_patients(cohort, None)))


@pytest.mark.filterwarnings("ignore:these .* have the events:jaxsurv.data.DataWarning")
def test_the_stack_of_the_bundled_cohort():
    cohort = load_tcga_acc()
    stack = SurvivalStack(epochs=3, n_seeds=1).fit(cohort, "os")
    risk = stack.predict(dict(cohort.modalities))
    np.testing.assert_array_equal(stack.predict(without(cohort)), risk)
    table = stack.explain(cohort, "os", steps=2).modalities
    assert (table.loc["mutation", ["attribution", "c_drop", "c_lost"]] == 0).all()


def test_a_file_of_format_1_scores_as_it_did(cohort, tmp_path):
    MORiskVAE(epochs=2, n_seeds=1).fit(cohort, "os").save(tmp_path / "new.zip")

    def reads_the_flag(entries, weights, arrays):
        """As trained by earlier versions, whose networks saw who has the modality."""
        name = next(n for n in weights if "encode_mutation" in n and "bias" in n)
        weights[name] = weights[name] + 1

    def of_format_1(entries, weights, arrays):
        reads_the_flag(entries, weights, arrays)
        entries["preprocessing"]["format"] = 1

    new = load(changed(tmp_path / "new.zip", "other.zip", reads_the_flag))
    old = load(changed(tmp_path / "new.zip", "old.zip", of_format_1))
    patients = read_patients(cohort, None)
    told = new.model_.rows(patients)
    there = cohort.presence["mutation"].loc[patients.names].to_numpy(np.float32)
    assert not told.presence["mutation"].any()
    told = told._replace(presence={**told.presence, "mutation": there})
    risk = old.predict(cohort)
    np.testing.assert_array_equal(risk, new.model_.log_hazard_of(told))
    assert not np.array_equal(risk[there > 0], new.predict(cohort)[there > 0])
    with pytest.warns(DataWarning, match="none of the 80 patients has mutation, which the model"):
        others = old.predict(without(cohort))
    np.testing.assert_array_equal(others, new.predict(cohort))
    old.save(tmp_path / "again.zip")  # and stays what it is
    np.testing.assert_array_equal(load(tmp_path / "again.zip").predict(cohort), risk)
