"""Score, information and score residuals against R and their definitions."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsurv.survival.cox_moments import moments, score_residuals
from jaxsurv.survival.risk_sets import to_positions
from tests.survival.reference_cox import BY_HAND, COLUMNS, DATA, pad, points, problem, quick_jit

compute = quick_jit(moments, static_argnames="ties")
residuals_of = quick_jit(score_residuals, static_argnames="ties")


def sorted_problem(table, case):
    """`problem` with the rows in the order of the risk sets, as the functions here want them."""
    x, risk_sets = problem(table, case)
    x = to_positions(risk_sets, jnp.asarray(x))
    return x, replace(risk_sets, order=None, position=None), np.asarray(risk_sets.position)


@pytest.mark.parametrize("name", DATA + BY_HAND)
@pytest.mark.usefixtures("x64")
def test_equals_r(reference, name):
    table, cases = reference(name, "cox.json")
    for case in cases.values():
        if case["ties"] == "exact":
            continue
        x, risk_sets, position = sorted_problem(table, case)
        for beta, expected, score, information in points(case):
            got = compute(beta, x, risk_sets, case["ties"])
            np.testing.assert_allclose(got.log_likelihood, expected, rtol=1e-9)
            if information is None:
                continue
            p, unit = len(information), np.sqrt(np.diag(information)) + 1e-3
            scale = np.outer(unit, unit)
            np.testing.assert_allclose(
                got.information[:p, :p] / scale, information / scale, atol=1e-9
            )
            if score is not None:
                np.testing.assert_allclose(got.score[:p] / unit, score / unit, atol=1e-9)
        for key in set(case) & {"at_zero", "at_optimum"}:
            beta = case["fit"]["beta"] if key == "at_optimum" else [0.0]
            beta = pad(np.array(beta, float), COLUMNS)
            weighted = residuals_of(beta, x, risk_sets, case["ties"])[position][: len(table), 0]
            weights = table[case["weights"]].to_numpy() if case["weights"] else 1
            expected = np.array(case[key]["score_residuals"]) * weights
            np.testing.assert_allclose(weighted, expected, atol=1e-9)


def reweighted(rs, weight):
    """Other weights of the same rows, as Breslow's ties count them."""
    happened = rs.event_weight > 0
    of_events = jnp.where(happened, weight, 0)
    log_weight = jnp.where(weight > 0, jnp.log(jnp.where(weight > 0, weight, 1)), -jnp.inf)
    return replace(rs, log_weight=log_weight, event_weight=of_events, mean_weight=of_events)


@pytest.mark.usefixtures("x64")
def test_score_residuals_are_the_influence_of_the_weights(reference):
    table, cases = reference("lung", "cox.json")
    x, rs, _ = sorted_problem(table, cases["breslow_weighted"])
    beta = list(points(cases["breslow_weighted"]))[1][0]
    for ties in ("breslow", "efron"):
        residuals = residuals_of(beta, x, rs, ties)
        score = cases[f"{ties}_weighted"]["evaluations"]["fixed"]["score"]
        np.testing.assert_allclose(residuals.sum(0)[: len(score)], score, rtol=1e-9)
        if ties == "breslow":
            weight = jnp.exp(rs.log_weight)
            influence = jax.jacfwd(lambda w: moments(beta, x, reweighted(rs, w), "breslow").score)
            expected = weight[:, None] * quick_jit(influence)(weight).T
            np.testing.assert_allclose(residuals, expected, atol=1e-8)
