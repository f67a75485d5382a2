"""Penalised Cox models of splits: against lifelines, held out, and kept for new patients."""

from dataclasses import replace

import jax
import lifelines
import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import load_tcga_acc, stratified_kfold
from jaxsurv.models import CLINICAL
from jaxsurv.recipe import (
    AS_MEASURED,
    Recipe,
    block_ridge_cox,
    clinical_cox,
    elastic_net_cox,
    prepare,
    refine,
    ridge_cox,
    with_offset,
)
from jaxsurv.recipe.cox import INNER_FOLDS, PENALTIES, _frequencies, _leading, inner_folds
from jaxsurv.recipe.members import cox_log_hazard
from jaxsurv.survival import neg_log_partial_likelihood
from tests.recipe.cohorts import mixed_cohort, small_cohort, splits_of


@pytest.fixture(scope="module")
def data():
    cohort = small_cohort()
    return prepare(cohort, "os", splits_of(cohort, folds=3), AS_MEASURED)


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
    offset = with_offset(data, model).fitted.offset
    np.testing.assert_array_equal(offset, model.held_out.astype(np.float32))


def test_held_out_predictions_are_by_a_fit_to_the_other_rows(data):
    """Inner fold by inner fold: fitted to the rest of the development rows, and centred on these."""
    model, develop, inner = ridge_cox(data), data.splits.develop[0], inner_folds(data)[0]
    _, z = next(data.standardised_splits())
    x = np.concatenate([v / np.sqrt(v.shape[1]) for v in z.values()], axis=1).astype(float)

    def loss(eta, rows):
        outcome = data.event[rows], data.time[rows]
        return float(neg_log_partial_likelihood(eta[rows], *outcome, reduction="sum"))

    excess = []
    for penalty in PENALTIES:
        total, held_out = 0.0, np.full(len(x), np.nan)
        for fold in inner:
            kept = develop & ~fold
            eta = x @ lifelines_coef(x[kept], data.time[kept], data.event[kept], penalty)
            eta -= eta[kept].mean()
            held_out[fold] = eta[fold]
            total += loss(eta, develop) - loss(eta, kept)
        excess.append(total)
        if np.isclose(penalty, model.penalty[0]):
            np.testing.assert_allclose(model.held_out[0][develop], held_out[develop], atol=5e-3)
    at = int(np.argmin(np.abs(np.array(PENALTIES) - model.penalty[0])))
    assert excess[at] == pytest.approx(min(excess), abs=0.02)
    assert excess[at] < max(excess) - 0.5


def lifelines_coef(x, time, event, penalty):
    """Coefficients at ``penalty / 2 |b|²``; lifelines divides columns by their sd, the likelihood by n."""
    sd = x.std(axis=0, ddof=1)
    fitter = lifelines.CoxPHFitter(penalizer=penalty / len(x) / sd**2)
    fitter.fit(pd.DataFrame(x).assign(t=time, e=event), "t", "e")
    return fitter.params_.to_numpy()


def test_elastic_net_predictions_are_centred_on_the_development_rows(data):
    model, develop = elastic_net_cox(data), data.splits.develop
    for s, (_, z) in enumerate(data.standardised_splits()):
        kept = model.models[s]
        eta = sum(z[m] @ kept.linear[m] for m in z)
        np.testing.assert_allclose(kept.center, eta[develop[s]].mean(), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(model.log_hazard[s], eta - eta[develop[s]].mean(), atol=1e-5)
        other = np.asarray(model.held_out[s][develop[s]])
        assert np.isfinite(other).all()
        np.testing.assert_array_equal(
            model.held_out[s][~develop[s]], model.log_hazard[s][~develop[s]]
        )


def test_a_cohort_without_clinical_modality_has_no_clinical_model():
    cohort = small_cohort()
    cohort = replace(cohort, modalities={"rna": cohort.modalities["rna"]}, kinds={})
    data = prepare(cohort, "os", splits_of(cohort, folds=3), Recipe(offset="clinical"))
    assert clinical_cox(data) is None
    assert data.offset_model is None
    assert not data.fitted.offset.any()


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
    splits, recipe = stratified_kfold(event, folds=3), replace(AS_MEASURED, components=4)
    data = prepare(cohort, "os", splits, recipe)
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
    spoiled = prepare(changed, "os", splits, recipe)
    kept = lambda tree: jax.tree.map(lambda x: np.asarray(x)[0], tree)  # noqa: E731
    jax.tree.map(np.testing.assert_array_equal, kept(data.fitted), kept(spoiled.fitted))
    for fit in (clinical_cox, ridge_cox, elastic_net_cox):
        one, other = fit(data), fit(spoiled)
        assert one.penalty[0] == other.penalty[0]
        np.testing.assert_allclose(one.log_hazard[0][~test], other.log_hazard[0][~test], atol=1e-4)
        assert not np.allclose(one.log_hazard[0][test], other.log_hazard[0][test], atol=1e-2)


# every basis, of all modalities and of the clinical one, whose models are the members of stacks
FITS = {
    "linear": lambda data: ridge_cox(data),
    "squares": lambda data: ridge_cox(data, basis="squares"),
    "rbf": lambda data: ridge_cox(data, basis="rbf"),
    "clinical": clinical_cox,
    "clinical squares": lambda data: ridge_cox(data, [CLINICAL], basis="squares"),
    "clinical rbf": lambda data: ridge_cox(data, [CLINICAL], basis="rbf"),
    "elastic net": elastic_net_cox,
}


@pytest.fixture(scope="module")
def mixed():
    """Text, gaps and missing modalities, and a recipe of which no Cox model may read anything."""
    cohort = mixed_cohort()
    recipe = Recipe(select="variance", top=11, impute="mean", components=3, unknown="level")
    return prepare(cohort, "os", splits_of(cohort, folds=2), recipe)


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
def test_what_is_kept_reproduces_the_log_hazards(fit, mixed):
    model, plain = fit(mixed), mixed.plain
    values = plain.encoded.x
    observed = {m: ~np.isnan(values[:, c]) for m, c in plain.encoded.columns.items()}
    for s, (_, z) in enumerate(plain.standardised_splits()):
        kept, expected = model.models[s], np.asarray(model.log_hazard[s])
        assert expected.std() > 1e-4
        np.testing.assert_allclose(cox_log_hazard(kept, z, observed), expected, atol=1e-5)
        # the same patients as new ones
        fitted = mixed.preprocessing(s)
        rows = fitted.read(mixed.cohort.modalities, plain=kept.modalities)
        order = pd.Index(rows.patients).get_indexer(mixed.cohort.survival.index)
        columns = {m: fitted.columns[m] for m in kept.modalities}
        new = fitted.scaled(rows)
        z = {m: new[m][order] for m in columns}
        there = {m: ~np.isnan(rows.x[order][:, c]) for m, c in columns.items()}
        np.testing.assert_allclose(cox_log_hazard(kept, z, there), expected, atol=1e-5)


def test_a_kept_model_reads_its_own_modalities_alone(mixed):
    assert ridge_cox(mixed, ["lab"], basis="squares").models[0].modalities == ("lab",)
    assert clinical_cox(mixed).models[0].modalities == (CLINICAL,)
    assert set(elastic_net_cox(mixed).models[0].modalities) == set(mixed.cohort.modalities)


def test_fourier_features_approximate_the_kernel():
    x = np.random.default_rng(0).normal(size=(60, 4)) / 2
    phase = x @ _frequencies(4)
    features = np.concatenate([np.cos(phase), np.sin(phase)], axis=1) / np.sqrt(phase.shape[1])
    distance = ((x[:, None] - x) ** 2).sum(axis=-1)
    error = features @ features.T - np.exp(-2 * distance)
    assert np.sqrt((error**2).mean()) < 0.05
    np.testing.assert_allclose(np.diag(error), 0, atol=1e-6)


def test_leading_components_reproduce_the_features():
    x, rows = np.random.default_rng(0).normal(size=(60, 300)), np.arange(60) < 40
    x = x - x[rows].mean(axis=0)
    z = x @ _leading(x, rows)
    assert z.shape == (60, 40)
    np.testing.assert_allclose(z @ z[rows].T, x @ x[rows].T, atol=1e-4)


@pytest.mark.parametrize(
    ("offset", "fit"), [("clinical", clinical_cox), ("block-ridge", block_ridge_cox)]
)
def test_the_offset_is_not_fitted_again(mixed, offset, fit):
    data = refine(mixed.plain, replace(mixed.recipe, offset=offset))
    assert data.offset_model is not None
    assert fit(data) is data.offset_model
    np.testing.assert_array_equal(data.fitted.offset, data.offset_model.held_out)
    anew = fit(data.plain)
    assert anew is not data.offset_model
    np.testing.assert_array_equal(anew.log_hazard, data.offset_model.log_hazard)


def test_an_offset_that_no_recipe_makes_is_no_baseline(mixed):
    for other in (ridge_cox(mixed), ridge_cox(mixed, [CLINICAL], basis="squares")):
        assert with_offset(mixed, other).offset_if("clinical") is None
    nothing_kept = ridge_cox(mixed)._replace(models=())
    assert with_offset(mixed, nothing_kept).offset_if("clinical") is None


def test_inner_folds_are_no_more_than_there_are_events(data):
    event = np.zeros(80)
    event[[3, 30, 60, 70]] = 1
    few = replace(
        data,
        shared=data.shared._replace(outcome=data.shared.outcome._replace(event=event)),
        splits=data.splits._replace(
            train=np.ones((1, 1, 80), bool), validation=np.zeros((1, 1, 80), bool),
            test=np.zeros((1, 80), bool),
        ),
    )  # fmt: skip
    inner = inner_folds(few)[0]
    assert inner.shape == (INNER_FOLDS, 80)
    assert (inner & (event > 0)).sum(axis=1).tolist() == [1, 1, 1, 1, 0]
    np.testing.assert_array_equal(inner.sum(axis=0), np.ones(80))
