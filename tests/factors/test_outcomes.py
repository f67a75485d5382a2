"""Outcomes of latent variables: optimality, consistency, the choice of the penalty, importance."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.hcl.outcomes import least_squares, sparse_coef
from experiments.hcl_survival.bootstrap import importance
from jaxsurv.factors import (
    Structure,
    block_norms,
    cox,
    group_path,
    group_penalised,
    squared_error,
)
from jaxsurv.factors.group_lasso import largest_penalty
from jaxsurv.survival import cox_fit, neg_log_partial_likelihood, prepare_risk_sets

pytestmark = pytest.mark.usefixtures("x64")
STRUCTURE = Structure.of({"a": 9, "b": 9}, {("a", "b"): 3, ("a",): 2, ("b",): 2})
TRUTH = np.array([1.0, -0.5, 0.3, 0, 0, 0.6, 0.2])
GROUPS, N = STRUCTURE.block, 120
_rng = np.random.default_rng(0)
Z = _rng.normal(size=(N, 7))
Y = Z @ TRUTH + 0.5 * _rng.normal(size=N) + 3.0
TIME = np.ceil(9 * _rng.exponential(size=N) * np.exp(-Z @ TRUTH))
EVENT = (_rng.random(N) < 0.7).astype(float)
ALL = np.ones(N, bool)
FOLD = np.arange(N) % 4


def risk_sets():
    return prepare_risk_sets(EVENT, TIME)


def mean_square(coef, where):
    n = where.sum()
    y, z = Y - (Y * where).sum() / n, Z - ((Z * where[:, None]).sum(0) / n)[None]
    return 0.5 * jnp.sum(jnp.where(where, (y - z @ coef) ** 2, 0)) / n


def mean_cox(coef, where):
    sets = prepare_risk_sets(EVENT, TIME, where=where)
    return neg_log_partial_likelihood(Z @ coef, risk_sets=sets)


LOSSES = {
    "squared": (lambda: squared_error(Z, Y), mean_square),
    "cox": (lambda: cox(Z, risk_sets()), mean_cox),
}


@pytest.mark.parametrize("name", LOSSES)
def test_every_solution_on_the_path_is_optimal(name):
    make, loss = LOSSES[name]
    where = FOLD != 1
    on = make()(jnp.asarray(where))
    penalties = largest_penalty(on, GROUPS) * jnp.geomspace(1.0, 0.01, 6)
    path = jax.jit(lambda: group_path(on, GROUPS, penalties))()
    assert not np.any(path[0])
    zeros = []
    for coef, penalty in zip(path, penalties, strict=True):
        gradient = jax.grad(loss)(coef, where)
        for g in range(3):
            at = g == GROUPS
            size = jnp.linalg.norm(coef[at])
            zeros.append(size == 0)
            if size == 0:
                assert jnp.linalg.norm(gradient[at]) <= penalty * 1.001
            else:
                np.testing.assert_allclose(gradient[at], -penalty * coef[at] / size, atol=2e-4)
    assert any(zeros[3:]), "some blocks drop out on the way"
    assert not all(zeros)


def test_without_a_penalty_it_is_least_squares_and_cox_regression():
    none = jnp.array([1e-9])
    on = squared_error(Z, Y)(jnp.asarray(ALL))
    expected = np.linalg.lstsq(np.column_stack([Z, np.ones(N)]), Y)[0][:7]
    np.testing.assert_allclose(least_squares(on, 7), expected, atol=1e-9)
    path = jax.jit(lambda: group_path(on, GROUPS, none))()
    np.testing.assert_allclose(path[0], expected, atol=1e-3)
    on = cox(Z, risk_sets())(jnp.asarray(ALL))
    path = jax.jit(lambda: group_path(on, GROUPS, none))()
    reference = cox_fit(Z, EVENT, TIME).coef
    np.testing.assert_allclose(path[0], reference, atol=1e-3)


def test_correction_for_the_scores_error():
    """Scores with an error draw coefficients towards zero, and the correction takes that back."""
    n, error = 200_000, jnp.diag(jnp.full(7, 0.5)) + 0.1
    z = jax.random.normal(jax.random.key(4), (n, 7))
    s = z + jax.random.normal(jax.random.key(5), (n, 7)) @ jnp.linalg.cholesky(error).T
    y = z @ TRUTH + 0.1 * jax.random.normal(jax.random.key(6), (n,))
    everyone = jnp.ones(n, bool)
    corrected = least_squares(squared_error(s, y, error)(everyone), 7)
    naive = least_squares(squared_error(s, y)(everyone), 7)
    np.testing.assert_allclose(corrected, TRUTH, atol=0.02)
    assert jnp.linalg.norm(naive) < 0.8 * jnp.linalg.norm(TRUTH)


def test_a_correction_larger_than_the_data_is_survived():
    on = squared_error(jnp.asarray(Z[:9]), jnp.asarray(Y[:9]), 2 * jnp.eye(7))(jnp.ones(9, bool))
    assert jnp.linalg.eigvalsh(on(TRUTH).curvature)[0] > 0
    assert jnp.isfinite(least_squares(on, 7)).all()


@pytest.mark.parametrize("name", LOSSES)
def test_the_penalty_is_chosen_on_rows_held_out(name):
    make, loss = LOSSES[name]
    where = np.arange(N) < 100
    found = jax.jit(
        lambda: group_penalised(
            make(), jnp.asarray(where), jnp.asarray(FOLD), GROUPS, folds=4, n_penalties=8
        )
    )()
    best = int(jnp.argmin(found.held_out))
    np.testing.assert_array_equal(found.coef, found.path[best])
    good = found.held_out <= found.held_out[best] + found.standard_error[best]
    sparse = int(np.flatnonzero(good)[0])
    assert 0 < sparse < best
    np.testing.assert_array_equal(sparse_coef(found), found.path[sparse])

    def total(coef, rows):
        size = (rows * EVENT).sum() if name == "cox" else rows.sum()
        return loss(coef, rows) * size, size

    k, added, sizes = 5, [], []
    for fold in range(4):
        train = where & (fold != FOLD)
        path = jax.jit(lambda on: group_path(on, GROUPS, found.penalties), static_argnums=0)(
            make()(jnp.asarray(train))
        )
        (a, n), (b, m) = total(path[k], where), total(path[k], train)
        added, sizes = [*added, a - b], [*sizes, n - m]
    np.testing.assert_allclose(found.held_out[k], sum(added) / sum(sizes), rtol=1e-4)
    by_fold = np.array(added) / np.array(sizes)
    spread = np.average((by_fold - found.held_out[k]) ** 2, weights=np.array(sizes))
    np.testing.assert_allclose(found.standard_error[k], np.sqrt(spread / 3), rtol=1e-3)
    # rows outside play no part
    other = np.where(where, Y, 1e3), np.where(where, EVENT, 0)
    changed = {
        "squared": lambda: squared_error(Z, other[0]),
        "cox": lambda: cox(Z, prepare_risk_sets(other[1], TIME)),
    }[name]
    again = jax.jit(
        lambda: group_penalised(
            changed(), jnp.asarray(where), jnp.asarray(FOLD), GROUPS, folds=4, n_penalties=8
        )
    )()
    np.testing.assert_allclose(again.coef, found.coef, atol=1e-6)


def test_a_fold_without_events_does_not_silence_the_choice():
    event = np.where(FOLD == 2, 0, EVENT)
    found = jax.jit(
        lambda: group_penalised(
            cox(Z, prepare_risk_sets(event, TIME)), jnp.asarray(ALL), jnp.asarray(FOLD), GROUPS,
            folds=4, n_penalties=6,
        )
    )()  # fmt: skip
    added = 0.0
    for fold in range(4):
        known = ALL & (fold != FOLD)
        on = cox(Z, prepare_risk_sets(event, TIME))
        coef = group_path(on(jnp.asarray(known)), GROUPS, found.penalties)[3]
        added += on(jnp.asarray(ALL))(coef).value - on(jnp.asarray(known))(coef).value
    np.testing.assert_allclose(found.held_out[3], added / event.sum(), rtol=1e-4)
    assert np.isfinite(found.standard_error).all()
    assert np.any(found.coef)


def test_importance_tells_blocks_that_matter():
    @jax.jit
    def run():
        def fit(rows):
            on = squared_error(jnp.asarray(Z)[rows], jnp.asarray(Y)[rows])(jnp.asarray(ALL))
            return group_path(on, GROUPS, jnp.array([0.1]))[0]

        return importance(fit, jax.random.key(7), N, GROUPS, draws=50)

    found = run()
    size = block_norms(TRUTH, GROUPS)
    np.testing.assert_allclose(size, [np.sqrt(1.34), 0, np.sqrt(0.4)])
    assert found.chosen[0] == found.chosen[2] == 1
    assert found.chosen[1] < 0.7
    assert found.lower[0] > found.upper[1]
    assert np.all((found.lower <= found.value) & (found.value <= found.upper))
