"""Noise in place of every test row: selection, imputation and trained weights keep their bits."""

from dataclasses import replace

import jax
import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import Cohort, stratified_kfold
from jaxsurv.models import CLINICAL, HParams, SurvivalVAEConfig, survival_vae
from jaxsurv.recipe import prepare, refine
from jaxsurv.training import FitConfig, fit

PATIENTS = [f"p{i}" for i in range(90)]


def cohort():
    """Genes (counts), copy numbers, mutations, a clinical table and laboratory values; two incomplete.

    Two laboratory values are 0 or 1, one of them hardly ever, and nothing declares them to be.
    """
    rng = np.random.default_rng(0)
    n = len(PATIENTS)
    factor = rng.normal(size=(n, 2))
    genes = factor @ rng.normal(size=(2, 12)) + rng.normal(size=(n, 12))
    states = np.digitize(
        factor @ rng.normal(size=(2, 12)) + rng.normal(size=(n, 12)), [-3, -1, 1, 3]
    )
    tables = {
        "rna": np.round(np.exp(4 + 0.5 * genes)),
        "cnv": states - 2,
        "mutation": rng.random((n, 12)) < 0.3,
        CLINICAL: rng.normal(60, 10, (n, 2)),
    }
    tables = {
        m: pd.DataFrame(t * 1.0, PATIENTS, [f"{m}_{j}" for j in range(t.shape[1])])
        for m, t in tables.items()
    }
    tables["rna"] = tables["rna"][rng.random(n) < 0.7]
    tables["cnv"] = tables["cnv"][rng.random(n) < 0.8]
    tables[CLINICAL].iloc[::7, 0] = np.nan
    tables["lab"] = tables["mutation"].add_prefix("lab_").mul(1.0) + rng.normal(size=(n, 12))
    tables["lab"]["common"], tables["lab"]["rare"] = genes[:, 1] > 0.3, np.arange(n) % 30 == 7
    tables["lab"] *= 1.0
    tables["lab"].loc[PATIENTS[::8], "common"] = np.nan
    time = rng.exponential(np.exp(-genes[:, 0] - factor[:, 0]))
    event = rng.random(n) < 0.7
    survival = pd.DataFrame({"os_time": time, "os_event": event * 1}, PATIENTS)
    kinds = {"rna": "counts", "cnv": "five_state", "mutation": "binary"}
    return Cohort(tables, survival, kinds)


def spoilt(original, rows):
    """Other values and outcomes for these rows; who has which modality stays as it is."""
    rng = np.random.default_rng(1)
    patients = original.survival.index[rows]
    tables = {}
    for m, table in original.modalities.items():
        table = table.copy()
        mine = table.index.intersection(patients)
        for column in table.columns:
            low, high = table[column].min(), table[column].max()
            noise = rng.uniform(low, 10 * high, len(mine))
            if original.kinds[m] in ("five_state", "binary"):
                noise = rng.integers(low, high + 1, len(mine)) * 1.0
            noise = np.round(noise) if m == "rna" else noise
            table.loc[mine, column] = np.where(table.loc[mine, column].notna(), noise, np.nan)
        tables[m] = table
    survival = original.survival.copy()
    survival.loc[patients, "os_time"] = rng.uniform(0.01, 5, len(patients))
    survival.loc[patients, "os_event"] = rng.integers(0, 2, len(patients))
    return replace(original, modalities=tables, survival=survival)


@pytest.fixture(scope="module")
def pair():
    """The rows that the first split tests, and its data with them and with noise in their place."""
    original = cohort()
    splits = stratified_kfold(original.outcome("os").event, folds=3)
    test = splits.test[0]
    cohorts = (original, spoilt(original, test))
    return test, [prepare(c, "os", splits, select="elastic-net") for c in cohorts]


def first(tree):
    """Of the first split."""
    return jax.tree.map(lambda a: np.asarray(a)[0], tree)


def test_nothing_of_a_test_row_reaches_the_selection(pair):
    scalers = [first(data.fitted.scaler) for data in pair[1]]
    jax.tree.map(np.testing.assert_array_equal, *scalers)
    used = scalers[0].gain > 0
    assert 0 < used[:36].sum() < 36
    other = [np.asarray(data.fitted.scaler.gain)[1] for data in pair[1]]
    assert not np.array_equal(*other)  # these rows train in the other splits


@pytest.mark.parametrize("impute", ["gaussian", "round-robin"])
def test_nothing_of_a_test_row_reaches_the_imputation(impute, pair):
    test, both = pair
    one, other = (first(refine(data, impute=impute).splits.imputed) for data in both)
    rows = np.asarray(both[0].shared.incomplete)
    np.testing.assert_array_equal(one[~test[rows]], other[~test[rows]])
    assert not np.array_equal(one[test[rows]], other[test[rows]], equal_nan=True)
    used = first(both[0].fitted.scaler).gain > 0
    missing = np.isnan(np.asarray(both[0].shared.features.x)[rows])
    assert np.isfinite(one[missing & used[None]]).mean() > 0.8


def test_nothing_of_a_test_row_reaches_the_weights(pair):
    test, both = pair
    both = [refine(data, impute="mean") for data in both]
    model = survival_vae(SurvivalVAEConfig(latent=4))

    @jax.jit
    def trained(shared, split):
        batch, masks = both[0].build(shared, split, 0)
        masks = masks._replace(validation=masks.train)  # so that it goes on
        config = FitConfig(epochs=8)
        result = fit(jax.random.key(0), model, HParams(0.1), batch, masks, config)
        return result.best_epoch, result.params, model.predict(result.params, batch)

    (epoch, one, risk), (_, other, risk_other) = (
        trained(data.shared, first(data.fitted)) for data in both
    )
    assert epoch > 4
    jax.tree.map(np.testing.assert_array_equal, one, other)
    np.testing.assert_array_equal(risk[~test], risk_other[~test])
    assert not np.array_equal(risk[test], risk_other[test])
