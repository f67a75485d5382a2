"""Stacks: weights against an exhaustive search, cross-fitting row by row, and nothing seen of a test row."""

from dataclasses import replace

import jax
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from jaxsurv.data import Cohort, stratified_kfold
from jaxsurv.metrics import calibration_slope
from jaxsurv.models import CLINICAL
from jaxsurv.recipe import (
    AS_MEASURED,
    Ensemble,
    PenalisedCox,
    clinical_cox,
    cox_members,
    ensemble,
    leading_block,
    prepare,
    refine,
    ridge_cox,
    stack,
)
from jaxsurv.recipe.stacking import LEAST, SHRINKAGE, SPREAD
from jaxsurv.survival import neg_log_partial_likelihood
from jaxsurv.types import InputError
from tests.recipe.cohorts import small_cohort, split_of


@pytest.fixture(scope="module")
def data():
    cohort = small_cohort()
    return prepare(cohort, "os", stratified_kfold(cohort.outcome("os").event, folds=2), AS_MEASURED)


@pytest.fixture(scope="module")
def members(data):
    return cox_members(data, ["modalities", "clinical squares", "clinical RBF"])


def test_recommended_members_read_the_clinical_block_and_the_leading_one(data):
    """The block ridge of two modalities reads all of them: a joint model would be the same again."""
    members = cox_members(data)
    assert list(members) == ["block ridge"]
    model = members["block ridge"].models[0]
    assert model.modalities == (CLINICAL, "rna")
    assert set(model.squares) == {CLINICAL}


@pytest.mark.parametrize(
    ("names", "blocks", "leading"),
    [
        (("cnv", "rna", "mirna"), None, "rna"),
        (("mirna", "mRNA_seq"), None, "mRNA_seq"),
        (("cnv", "protein"), None, "protein"),
        (("cnv", "rna"), ("cnv", "rna"), "cnv"),
        ((), None, None),
    ],
)
def test_the_leading_block_is_named_or_expression_or_the_widest(names, blocks, leading):
    rng, patients = np.random.default_rng(0), [f"p{i}" for i in range(40)]
    tables = {CLINICAL: pd.DataFrame(rng.normal(size=(40, 2)), patients)}
    for k, m in enumerate(names):
        values = rng.normal(size=(40, 3 + k))
        tables[m] = pd.DataFrame(np.round(values) if m == "cnv" else values, patients)
    outcome = pd.DataFrame({"os_time": rng.exponential(size=40), "os_event": 1}, patients)
    splits = stratified_kfold(np.ones(40), folds=2)
    recipe = replace(AS_MEASURED, blocks=blocks and (CLINICAL, *blocks))
    data = prepare(Cohort(tables, outcome), "os", splits, recipe)
    assert leading_block(data) == leading


def test_a_member_per_modality_and_curves_of_the_clinical_one(data, members):
    curves = [f"{CLINICAL}, squares", f"{CLINICAL}, RBF kernel"]
    assert list(members) == ["rna", CLINICAL, *curves]
    np.testing.assert_array_equal(members[CLINICAL].log_hazard, clinical_cox(data).log_hazard)
    for curve in curves:
        x, y = (members[m].log_hazard[0] for m in (CLINICAL, curve))
        assert 0.3 < np.corrcoef(x, y)[0, 1] < 0.999


def clinical_only(shape):
    """A cohort whose log hazard is ``shape`` of two standardised clinical columns; and ``[n]`` of it."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(150, 2))
    eta = shape(z)
    names = [f"p{i}" for i in range(len(z))]
    survival = pd.DataFrame({"os_time": rng.exponential(np.exp(-3 * eta)), "os_event": 1}, names)
    tables = {CLINICAL: pd.DataFrame(z, names, ["age", "size"])}
    tables["rna"] = pd.DataFrame(rng.normal(size=(len(z), 3)), names)
    splits = stratified_kfold(np.ones(150), folds=2)
    return prepare(Cohort(tables, survival), "os", splits, AS_MEASURED), eta


@pytest.mark.parametrize(
    ("shape", "found_by"),
    [
        (lambda z: z[:, 0], {"linear", "squares", "rbf"}),
        (lambda z: np.abs(z[:, 0]), {"squares", "rbf"}),
        (lambda z: np.sign(z[:, 0] * z[:, 1]), {"rbf"}),
    ],
    ids=["line", "curve", "interaction"],
)
def test_each_basis_finds_its_shapes(shape, found_by):
    data, eta = clinical_only(shape)
    test = data.splits.test[0]
    for basis in ("linear", "squares", "rbf"):
        found = ridge_cox(data, [CLINICAL], basis=basis).log_hazard[0]
        r = np.corrcoef(found[test], eta[test])[0, 1]
        assert (r > 0.6) == (basis in found_by), (basis, r)


def test_weights_are_the_minimum_stretched_and_not_negative(data, members):
    two = {"rna": members["rna"], "not": members["rna"]._replace(held_out=-members["rna"].held_out)}
    result = stack(data, two)
    event, time = data.event, data.time
    for s, develop in enumerate(data.splits.develop):
        h = members["rna"].held_out[s][develop]

        def cox(slope, h=h, develop=develop, **how):
            return float(
                neg_log_partial_likelihood(slope * h, event[develop], time[develop], **how)
            )

        def loss(w, cox=cox):
            return cox(w[0] - w[1]) + SHRINKAGE * ((w[0] - 0.5) ** 2 + (w[1] - 0.5) ** 2)

        w = minimize(loss, (0.5, 0.5), bounds=[(0, None)] * 2, method="Nelder-Mead").x
        u = np.linspace(-1, 1, 401)
        stretched = [
            cox(np.exp(v) * (w[0] - w[1]), reduction="sum") + (v / SPREAD) ** 2 / 2 for v in u
        ]
        best = np.linspace(0, 5, 2001)
        likelihood = [-cox(v * (w[0] - w[1]), reduction="sum") for v in best]
        ratio = 2 * (max(likelihood) - likelihood[0])
        assert ratio == pytest.approx(result.found[s], abs=0.01)
        factor = np.exp(u[np.argmin(stretched)]) * max(LEAST, 1 - 1 / ratio)
        np.testing.assert_allclose(result.weights[s], factor * w, atol=0.01)
        assert (result.weights[s] >= 0).all()
    np.testing.assert_allclose(
        result.log_hazard,
        (result.weights[:, 0] + result.weights[:, 1])[:, None] * members["rna"].log_hazard,
        rtol=1e-4,
        atol=1e-5,
    )


def test_members_that_each_know_another_part_are_added():
    """Weights of 1/2 each alone would halve the spread: a slope of 2 on the test rows."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(600, 2))
    names = [f"p{i}" for i in range(len(z))]
    outcome = {"os_time": rng.exponential(np.exp(-z.sum(axis=1))), "os_event": 1}
    tables = {m: pd.DataFrame(z[:, [k]], names, [m]) for k, m in enumerate(("rna", "cnv"))}
    cohort = Cohort(tables, pd.DataFrame(outcome, names))
    data = prepare(cohort, "os", stratified_kfold(np.ones(600), folds=2), AS_MEASURED)
    result = stack(data, {m: ridge_cox(data, [m]) for m in tables})
    test = data.splits.test[0]
    slope = calibration_slope(
        result.log_hazard[0][test], np.ones(test.sum()), outcome["os_time"][test]
    )
    assert 0.85 < slope.slope < 1.2


def test_members_that_say_nothing_change_nothing(data, members):
    nothing = jax.tree.map(np.zeros_like, members["rna"])
    alone, with_nothing = stack(data, members), stack(data, {**members, "nothing": nothing})
    assert (with_nothing.weights[:, -1] == 0).all()
    np.testing.assert_allclose(with_nothing.weights[:, :-1], alone.weights, atol=1e-4)


def test_rows_that_a_member_did_not_hold_out_are_left_out(data, members):
    rna = members["rna"]
    unknown = np.arange(rna.held_out.shape[1]) % 3 == 0
    garbage = rna._replace(held_out=np.where(unknown, 1e6, rna.held_out))
    missing = rna._replace(held_out=np.where(unknown, np.nan, rna.held_out))
    a = stack(data, {"x": garbage, "y": missing}).weights
    b = stack(data, {"x": rna, "y": missing}).weights
    np.testing.assert_array_equal(a, b)
    # as if they were no development rows
    splits = data.splits._replace(
        train=data.splits.train & ~unknown, validation=data.splits.validation & ~unknown
    )
    without = stack(replace(data, splits=splits), {"x": rna, "y": rna}).weights
    np.testing.assert_allclose(a, without, atol=1e-6)
    assert not np.allclose(a, stack(data, {"x": rna, "y": rna}).weights, atol=1e-3)


def test_networks_have_to_earn_their_weight(data, members):
    """A copy of a Cox model gets half of its weight, the same log hazards of an ensemble none."""
    rna = members["rna"]
    copy = stack(data, {"x": rna, "y": rna}).weights
    np.testing.assert_allclose(copy[:, 0], copy[:, 1], atol=1e-4)
    network = stack(data, {"x": rna, "y": Ensemble(rna.log_hazard, rna.held_out)}).weights
    assert (network[:, 1] == 0).all()
    np.testing.assert_allclose(network[:, 0], stack(data, {"x": rna}).weights[:, 0], rtol=1e-6)
    better = Ensemble(rna.log_hazard, data.time.max() - 0 * rna.held_out - data.time)
    assert (stack(data, {"x": rna, "y": better}).weights[:, 1] > 0.05).all()


def test_where_nothing_is_found_the_weights_are_next_to_nothing(data, members):
    rna = members["rna"]
    wrong = 3 * data.time + 0 * rna.held_out  # the longer they live, the higher
    found = stack(data, {"x": rna._replace(held_out=wrong)})
    assert (found.found == 0).all()
    assert (found.weights.sum(axis=1) < 0.02).all()
    assert (stack(data, {"x": rna}).found > found.found).all()


def test_test_rows_do_not_move_the_weights(data, members):
    test = data.splits.test
    changed = {
        m: PenalisedCox(
            np.where(test, 9.0, v.log_hazard), np.where(test, 9.0, v.held_out), v.penalty, v.models
        )
        for m, v in members.items()
    }
    np.testing.assert_array_equal(stack(data, changed).weights, stack(data, members).weights)


def test_an_ensemble_holds_out_what_stopped_its_runs(data):
    rng = np.random.default_rng(0)
    split, seed = np.repeat([0, 1], 6), np.tile(np.arange(6), 2)
    risk = rng.normal(size=(12, data.splits.test.shape[1]))
    result = ensemble(data, split, risk, seed)
    design = data.splits
    for s in (0, 1):
        runs = np.flatnonzero(split == s)
        centred = [risk[r] - risk[r][design.train[s, seed[r] % 5]].mean() for r in runs]
        np.testing.assert_allclose(result.log_hazard[s], np.mean(centred, axis=0), atol=1e-6)
        for row in range(0, design.test.shape[1], 7):
            stopped = [
                c
                for c, r in zip(centred, runs, strict=True)
                if design.validation[s, seed[r] % 5, row]
            ]
            expected = result.log_hazard[s] if design.test[s, row] else np.mean(stopped, axis=0)
            np.testing.assert_allclose(result.held_out[s, row], expected[row], atol=1e-6)


def test_too_few_seeds_leave_rows_unknown(data):
    risk = np.ones((2, data.splits.test.shape[1]))
    result = ensemble(data, np.array([0, 1]), risk, np.array([0, 0]))
    np.testing.assert_array_equal(
        np.isnan(result.held_out), data.splits.develop & ~data.splits.validation[:, 0]
    )


def test_each_seed_has_its_own_part_and_one_part_is_one(data):
    split = split_of(data)
    for seed in (0, 3, 8):
        _, masks = data.build(data.shared, split, seed)
        np.testing.assert_array_equal(masks.validation, data.splits.validation[0, seed % 5])
        np.testing.assert_array_equal(masks.train, data.splits.train[0, seed % 5])
    single = replace(data, fitted=data.fitted._replace(validation=data.splits.validation[:, :1]))
    _, masks = single.build(single.shared, split_of(single), 3)
    np.testing.assert_array_equal(masks.validation, data.splits.validation[0, 0])


def test_without_an_offset_nothing_of_it_is_left(data):
    offset = refine(data, replace(AS_MEASURED, offset="clinical"))
    assert offset.fitted.offset.any()
    assert offset.offset_if("clinical") is not None
    none = refine(offset.plain, replace(offset.recipe, offset="none"))
    assert not none.fitted.offset.any()
    assert none.offset_if("clinical") is None
    assert none.recipe == AS_MEASURED


def test_unknown_members_are_refused_and_networks_passed_over(data):
    with pytest.raises(InputError, match=r"members must be one of .*'elastic net'.*, got 'forest'"):
        cox_members(data, ["modalities", "forest"])
    assert list(cox_members(data, ["network", "all modalities"])) == ["all modalities"]
    with pytest.raises(InputError, match="a stack needs at least one member"):
        stack(data, {})
