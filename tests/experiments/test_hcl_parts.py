"""Studies of linear factors: what is simulated, what is judged, and no test row in a fit."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from experiments.hcl.outcomes import LabelledDraws, predict_labels, tabulate_labels, true_norms
from experiments.hcl.recovery import (
    Draws,
    Recovery,
    recover,
    slopes,
    tabulate,
)
from experiments.hcl_survival.linear import linear_hcl_cox, structure_importance
from jaxsurv.data import simulate_cohort, stratified_kfold
from jaxsurv.factors import Structure
from jaxsurv.recipe import AS_MEASURED, prepare
from jaxsurv.study.statistics import over_replicates
from jaxsurv.types import InputError

SMALL = Structure.of({"a": 8, "b": 8, "c": 8}, 1)


@pytest.mark.slow
def test_more_patients_and_less_noise_mean_smaller_errors():
    run = jax.jit(jax.vmap(lambda r: recover(SMALL, r)))
    n, noise = np.array([200, 200, 20000, 20000]), np.array([1.0, 0.1, 1.0, 0.1], np.float32)
    found = run(Draws(n, noise, np.zeros(4, np.uint32)))
    far, near = found["HCL"].block[0], found["HCL"].block[3]
    assert near < 0.1 * far
    assert found["HCL"].block[1] < far
    assert found["HCL"].block[2] < far
    # loadings are the seed's alone: to estimate nothing costs the same everywhere
    np.testing.assert_allclose(found["nothing"].block, found["nothing"].block[0], rtol=1e-6)


def test_slopes_and_paired_differences():
    seeds, n = np.arange(4), np.array([100, 400])
    rows = []
    for method, rate in (("HCL", -0.5), ("JIVE", 0.0)):
        for k in n:
            block = (1 + 0.1 * seeds) * k**rate
            replicate = Draws(np.full(4, k), np.ones(4), seeds)
            rows.append(tabulate("8", replicate, {method: Recovery(block, block)}))
    runs = pd.concat(rows)
    rates = slopes(runs).set_index("method")["mean"]
    np.testing.assert_allclose(rates[["HCL", "JIVE"]], [-0.5, 0.0], atol=1e-12)
    summary = over_replicates(runs, "HCL", score="block", within=["sizes", "noise", "n"])
    jive = summary[(summary["method"] == "JIVE") & (summary["n"] == 100)].iloc[0]
    assert jive["difference_mean"] == pytest.approx(1.15 * 0.9)
    assert np.isnan(summary[summary["method"] == "HCL"]["difference_mean"]).all()


@pytest.mark.slow
def test_labels_are_predicted_better_with_more_of_everything():
    run = jax.jit(lambda r: predict_labels(SMALL, 4000, 2000, 0.1, r))
    sizes = ((40, 50), (4000, 2000))
    few, many = (run(LabelledDraws(jnp.int32(n), jnp.int32(m), jnp.uint32(1))) for n, m in sizes)
    for name in ("HCL", "HCL, group penalty", "SVD", "ridge on all features"):
        assert many[name].excess < few[name].excess, name
    best = many["HCL"]
    assert best.excess < 0.01
    np.testing.assert_allclose(best.norms, true_norms(SMALL), atol=0.1)
    assert best.kept == 1
    assert few["HCL, loadings of all patients"].excess < few["HCL"].excess
    assert np.isnan(many["SVD"].group_error)
    one = jax.tree.map(lambda x: np.asarray(x)[None], many)
    table = tabulate_labels(LabelledDraws(np.array([4000]), np.array([2000]), np.array([1])), one)
    assert table.set_index("method").loc["HCL", "norm_0"] == pytest.approx(float(best.norms[0]))


@pytest.fixture(scope="module")
def study():
    cohort = simulate_cohort(n=120, seed=0).cohort
    small = {m: t.iloc[:, :12] for m, t in cohort.modalities.items()}
    cohort = replace(cohort, modalities=small)
    event = cohort.survival["os_event"].to_numpy()
    return cohort, stratified_kfold(event, folds=2, seed=0)


def test_the_linear_model_never_sees_test_outcomes(study):
    cohort, splits = study
    found = linear_hcl_cox(prepare(cohort, "os", splits, AS_MEASURED))
    test = splits.test[0]
    survival = cohort.survival.copy()
    survival.loc[test, "os_time"] = survival.loc[test, "os_time"].to_numpy()[::-1]
    changed = replace(cohort, survival=survival)
    again = linear_hcl_cox(prepare(changed, "os", splits, AS_MEASURED))
    np.testing.assert_allclose(again.log_hazard[0], found.log_hazard[0], atol=1e-5)
    develop = splits.develop[0]
    assert np.isnan(found.held_out[0][develop]).all()
    np.testing.assert_allclose(found.log_hazard[0][develop].mean(), 0, atol=1e-5)


def test_modalities_that_nobody_has_both_are_refused_before_they_turn_into_nan(study):
    cohort, splits = study
    a, b = sorted(set(cohort.modalities) - {"clinical"})[:2]
    first = cohort.survival.index[: len(cohort.survival) // 2]
    tables = dict(cohort.modalities)
    tables[a] = tables[a][tables[a].index.isin(first)]
    tables[b] = tables[b][~tables[b].index.isin(first)]
    data = prepare(replace(cohort, modalities=tables), "os", splits, AS_MEASURED)
    for fit in (linear_hcl_cox, structure_importance):
        with pytest.raises(InputError, match=f"{a} and {b} are measured together in 0 patients"):
            fit(data)


@pytest.mark.filterwarnings("ignore:constant features:jaxsurv.data.DataWarning")
def test_who_has_a_modality_without_a_feature_in_use_changes_nothing(study):
    cohort, splits = study
    found = []
    for n in (120, 90):
        rare = pd.DataFrame(0.0, cohort.survival.index[:n], [f"m{i}" for i in range(12)])
        rare.iloc[0] = 1  # one carrier
        tables = {m: t for m, t in cohort.modalities.items() if m in ("rna", "cnv", "clinical")}
        more = replace(cohort, modalities={**tables, "mutation": rare}, kinds={})
        data = prepare(more, "os", splits, AS_MEASURED)
        assert data.unused == ["mutation"]
        found.append(linear_hcl_cox(data).log_hazard)
    assert found[0].any()
    np.testing.assert_array_equal(*found)


def test_structures_of_a_cohort_have_intervals(study):
    cohort, splits = study
    table = structure_importance(prepare(cohort, "os", splits, AS_MEASURED))
    omics = sorted(set(cohort.modalities) - {"clinical"})
    assert table["structure"].iloc[0] == "+".join(omics)
    assert len(table) == 2 ** len(omics)  # all non-empty subsets, and the clinical block
    assert (table["lower"] <= table["upper"]).all()
    assert table["chosen"].between(0, 1).all()
