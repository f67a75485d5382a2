from dataclasses import replace

import jax
import lifelines
import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import Cohort, load_tcga_acc, stratified_kfold
from jaxsurv.models import CLINICAL
from jaxsurv.recipe import prepare
from jaxsurv.recipe.cox import (
    PENALTIES,
    clinical_cox,
    elastic_net_cox,
    ridge_cox,
    with_offset,
)


def small_cohort(seed=0, n=80):
    rng = np.random.default_rng(seed)
    patients = [f"p{i}" for i in range(n)]
    clinical = pd.DataFrame(
        {"age": rng.normal(60, 10, n), "stage": rng.integers(1, 4, n)}, patients
    )
    rna = pd.DataFrame(rng.normal(size=(n, 12)), patients, [f"g{j}" for j in range(12)])
    risk = 0.08 * clinical["age"] + 1.0 * rna["g0"]
    time = rng.exponential(np.exp(-(risk - risk.mean()))).round(3) + 0.001
    censoring = rng.exponential(1.5, n)
    survival = pd.DataFrame(
        {"os_time": np.minimum(time, censoring), "os_event": (time <= censoring) * 1}
    )
    return Cohort({"rna": rna, CLINICAL: clinical}, survival.set_axis(patients))


@pytest.fixture(scope="module")
def data():
    cohort = small_cohort()
    return prepare(cohort, "os", stratified_kfold(cohort.outcome("os").event, folds=3))


def test_ridge_is_lifelines_at_the_chosen_penalty(data):
    model = ridge_cox(data)
    for s in (0, 2):
        split = jax.tree.map(lambda x, s=s: np.asarray(x)[s], data.fitted)
        z = data.standardised(data.shared, split)
        x = np.concatenate([np.asarray(v) / np.sqrt(v.shape[1]) for v in z.values()], axis=1)
        develop = split.develop
        n = develop.sum()
        frame = pd.DataFrame(x[develop]).assign(t=data.time[develop], e=data.event[develop])
        # lifelines maximises loglik / n - penalizer/2 |b|² over columns that it divides by their sd
        sd = x[develop].std(axis=0, ddof=1)
        fitter = lifelines.CoxPHFitter(penalizer=model.penalty[s] / n / sd**2)
        fitter.fit(frame, "t", "e")
        expected = x @ fitter.params_.to_numpy()
        expected -= expected[develop].mean()
        np.testing.assert_allclose(model.log_hazard[s], expected, atol=2e-3)
        assert np.any(np.isclose(model.penalty[s], PENALTIES))


def test_held_out_predictions_are_not_the_fitted_ones_on_development_rows_only(data):
    model, develop = clinical_cox(data), data.splits.develop
    np.testing.assert_array_equal(model.held_out[~develop], model.log_hazard[~develop])
    assert np.mean(model.held_out[develop] != model.log_hazard[develop]) > 0.95
    assert np.corrcoef(model.held_out[develop], model.log_hazard[develop])[0, 1] > 0.8
    offset = with_offset(data, model).splits.offset
    np.testing.assert_array_equal(offset, model.held_out.astype(np.float32))


def test_a_cohort_without_clinical_modality_has_no_clinical_model():
    cohort = small_cohort()
    cohort = replace(cohort, modalities={"rna": cohort.modalities["rna"]}, kinds={})
    data = prepare(cohort, "os", stratified_kfold(cohort.outcome("os").event, folds=3))
    assert clinical_cox(data) is None


@pytest.mark.parametrize("fit", [ridge_cox, elastic_net_cox])
def test_baselines_find_the_signal(fit, data):
    model = fit(data)
    truth = small_cohort()
    x = truth.modalities["rna"]["g0"] + 0.08 * truth.modalities[CLINICAL]["age"]
    test = data.splits.test
    assert (
        np.mean(
            [np.corrcoef(h[t], x[t])[0, 1] for h, t in zip(model.log_hazard, test, strict=True)]
        )
        > 0.6
    )


@pytest.mark.filterwarnings("ignore::jaxsurv.data.DataWarning")
def test_nothing_that_is_fitted_sees_a_test_row():
    """Noise in the features and outcomes of one fold's test rows changes nothing of that fold."""
    whole = load_tcga_acc()
    few = {m: table.iloc[:, :25] for m, table in whole.modalities.items()}
    cohort = replace(whole, modalities=few)
    event = cohort.outcome("os").event
    splits = stratified_kfold(event, folds=3)
    data = prepare(cohort, "os", splits, components=4)
    test = splits.test[0]
    rng = np.random.default_rng(0)
    patients = cohort.survival.index[test]

    def noisy(m, table):
        table = table.copy()
        rows = table.index.intersection(patients)
        for column in table.select_dtypes("number").columns:
            if cohort.kinds[m] in ("continuous", "counts", "mixed"):
                table.loc[rows, column] = rng.uniform(0, 1e4, len(rows))
            else:
                table.loc[rows, column] = rng.permutation(table[column].to_numpy())[: len(rows)]
        return table

    survival = cohort.survival.copy()
    survival.loc[patients, "os_time"] = rng.uniform(1, 5000, test.sum())
    survival.loc[patients, "os_event"] = rng.integers(0, 2, test.sum())
    changed = replace(
        cohort, modalities={m: noisy(m, t) for m, t in cohort.modalities.items()}, survival=survival
    )
    spoiled = prepare(changed, "os", splits, components=4)
    kept = lambda tree: jax.tree.map(lambda x: np.asarray(x)[0], tree)  # noqa: E731
    jax.tree.map(np.testing.assert_array_equal, kept(data.fitted), kept(spoiled.splits))
    for fit in (clinical_cox, ridge_cox, elastic_net_cox):
        one, other = fit(data), fit(spoiled)
        assert one.penalty[0] == other.penalty[0]
        np.testing.assert_allclose(one.log_hazard[0][~test], other.log_hazard[0][~test], atol=1e-4)
        assert not np.allclose(one.log_hazard[0][test], other.log_hazard[0][test], atol=1e-2)
