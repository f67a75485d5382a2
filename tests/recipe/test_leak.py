"""Noise in place of every test row: whatever a recipe fits, and trained weights, keep their bits."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from jaxsurv.models import CLINICAL, HParams, SurvivalVAEConfig, survival_vae
from jaxsurv.recipe import (
    AS_MEASURED,
    Recipe,
    clinical_cox,
    elastic_net_cox,
    prepare,
    refine,
    ridge_cox,
)
from jaxsurv.training import FitConfig, fit
from tests.recipe.cohorts import mixed_cohort, split_of, splits_of, spoilt

ELASTIC_NET = replace(AS_MEASURED, select="elastic-net")


@pytest.fixture(scope="module")
def cohorts():
    """The rows that the first split tests, and a cohort with them and with noise in their place."""
    original = mixed_cohort()
    splits = splits_of(original, folds=3)
    test = splits.test[0]
    return splits, test, (original, spoilt(original, test))


@pytest.fixture(scope="module")
def pair(cohorts):
    """The rows that the first split tests, and its data with them and with noise in their place."""
    splits, test, both = cohorts
    return test, [prepare(c, "os", splits, ELASTIC_NET) for c in both]


def test_nothing_of_a_test_row_reaches_the_selection(pair):
    fitted = [split_of(data) for data in pair[1]]
    jax.tree.map(np.testing.assert_array_equal, *[(f.scaler, f.selected) for f in fitted])
    used = fitted[0].gain > 0
    assert 0 < used[:36].sum() < 36
    other = [split_of(data, 1).gain for data in pair[1]]
    assert not np.array_equal(*other)  # these rows train in the other splits


# one change of each option at a time, and some together
RECIPES = {
    "as measured": AS_MEASURED,
    "default": Recipe(),
    "plain scaling": replace(AS_MEASURED, scaling="plain"),
    "unknown level": replace(AS_MEASURED, unknown="level", offset="clinical"),
    "variance": replace(AS_MEASURED, select="variance", top=5),
    "elastic net": ELASTIC_NET,
    "mean": replace(AS_MEASURED, impute="mean"),
    "gaussian": replace(AS_MEASURED, impute="gaussian"),
    "round-robin": replace(AS_MEASURED, impute="round-robin"),
    "components": replace(AS_MEASURED, components=3),
    "offset": replace(AS_MEASURED, offset="clinical"),
    "blocks": Recipe(blocks=("rna", CLINICAL), components=4),
    "all at once": Recipe(
        scaling="plain", unknown="level", select="variance", top=8, impute="round-robin", components=3
    ),
    "elastic net of components": Recipe(select="elastic-net", impute="gaussian", components=2),
}  # fmt: skip


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_nothing_of_a_test_row_reaches_what_a_recipe_fits(recipe, cohorts):
    splits, test, both = cohorts
    data = [prepare(c, "os", splits, recipe) for c in both]
    assert data[0].recipe == recipe
    rows = np.asarray(data[0].shared.incomplete)
    one, other = (split_of(d) for d in data)

    def kept(fitted):
        """With the values of development rows alone where there is one per row."""
        imputed = fitted.imputed
        return fitted._replace(
            offset=np.where(test, 0, fitted.offset),
            imputed=None if imputed is None else imputed[~test[rows]],
        )

    jax.tree.map(np.testing.assert_array_equal, kept(one), kept(other))
    batches = [
        d.build(d.shared, split, np.int32(0))[0]
        for d, split in zip(data, (one, other), strict=True)
    ]
    for m, x in batches[0].inputs.items():
        np.testing.assert_array_equal(x[~test], batches[1].inputs[m][~test], err_msg=m)
    assert any(
        not np.array_equal(x[test], batches[1].inputs[m][test])
        for m, x in batches[0].inputs.items()
    )
    if recipe.offset == "clinical":
        a, b = (d.offset_model.models[0] for d in data)
        jax.tree.map(np.testing.assert_array_equal, a, b)
        assert np.any(one.offset[~test])
        assert not np.array_equal(one.offset[test], other.offset[test])
    fits = [d.preprocessing(0) for d in data]
    assert fits[0].schema == fits[1].schema
    jax.tree.map(
        np.testing.assert_array_equal,
        *[(f.scaler, dict(f.projection), dict(f.chosen), f.selected) for f in fits],
    )


@pytest.mark.parametrize("impute", ["gaussian", "round-robin"])
def test_nothing_of_a_test_row_reaches_the_imputation(impute, pair):
    test, both = pair
    one, other = (
        split_of(refine(data, replace(data.recipe, impute=impute))).imputed for data in both
    )
    rows = np.asarray(both[0].shared.incomplete)
    np.testing.assert_array_equal(one[~test[rows]], other[~test[rows]])
    assert not np.array_equal(one[test[rows]], other[test[rows]], equal_nan=True)
    used = split_of(both[0]).gain > 0
    missing = np.isnan(np.asarray(both[0].shared.features.x)[rows])
    assert np.isfinite(one[missing & used[None]]).mean() > 0.8


COX = {
    "clinical": clinical_cox,
    "ridge": ridge_cox,
    "squares": lambda data: ridge_cox(data, ["lab", CLINICAL], basis="squares"),
    "RBF kernel": lambda data: ridge_cox(data, [CLINICAL], basis="rbf"),
    "elastic net": elastic_net_cox,
}


@pytest.mark.parametrize("fit_cox", COX.values(), ids=COX)
def test_nothing_of_a_test_row_reaches_a_cox_model(fit_cox, pair):
    test, both = pair
    one, other = (fit_cox(data) for data in both)
    assert one.penalty[0] == other.penalty[0]
    jax.tree.map(np.testing.assert_array_equal, one.models[0], other.models[0])
    for part in ("log_hazard", "held_out"):
        a, b = (np.asarray(getattr(model, part)[0]) for model in (one, other))
        np.testing.assert_array_equal(a[~test], b[~test])
        assert not np.array_equal(a[test], b[test])


def test_nothing_of_a_test_row_reaches_the_weights(pair):
    test, both = pair
    both = [refine(data, replace(data.recipe, impute="mean")) for data in both]
    model = survival_vae(SurvivalVAEConfig(latent=4))

    @jax.jit
    def trained(shared, split):
        batch, masks = both[0].build(shared, split, 0)
        masks = masks._replace(validation=masks.train)  # so that it goes on
        config = FitConfig(epochs=8)
        result = fit(jax.random.key(0), model, HParams(0.1), batch, masks, config)
        return result.best_epoch, result.params, model.predict(result.params, batch)

    (epoch, one, risk), (_, other, risk_other) = (
        trained(data.shared, split_of(data)) for data in both
    )
    assert epoch > 4
    jax.tree.map(np.testing.assert_array_equal, one, other)
    np.testing.assert_array_equal(risk[~test], risk_other[~test])
    assert not np.array_equal(risk[test], risk_other[test])


@pytest.mark.parametrize(("batch_size", "refit"), [(None, False), (16, False), (None, True)])
def test_rows_that_stop_a_run_do_not_train_it(batch_size, refit, pair):
    """Other features of theirs, once the recipe was fitted: the same weights, unless refitted."""
    _, (data, _) = pair
    data = refine(data, replace(data.recipe, impute="mean"))
    split, model = split_of(data), survival_vae(SurvivalVAEConfig(latent=4))
    config = FitConfig(epochs=4, early_stopping=False, refit=refit, batch_size=batch_size)
    rng = np.random.default_rng(0)

    @jax.jit
    def trained(seed, shared, split):
        batch, masks = data.build(shared, split, seed)
        result = fit(jax.random.key(0), model, HParams(0.1), batch, masks, config)
        return result.params, result.best_score, masks.validation

    for seed in (0, 3):
        params, score, stops = trained(seed, data.shared, split)
        assert stops.any()
        noise = rng.uniform(1, 50, data.shared.features.x.shape).astype(np.float32)
        x = np.where(np.asarray(stops)[:, None], noise, data.shared.features.x)
        shared = data.shared._replace(features=data.shared.features._replace(x=x))
        other, other_score, _ = trained(seed, shared, split)
        assert score != other_score
        same = [
            np.allclose(a, b, rtol=1e-4, atol=1e-5)
            for a, b in zip(jax.tree.leaves(params), jax.tree.leaves(other), strict=True)
        ]
        assert all(same) != refit
