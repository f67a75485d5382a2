"""Score, information and score residuals against R and their definitions."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsurv.survival.cox_moments import moments, score_residuals
from jaxsurv.survival.risk_sets import to_positions
from tests.survival.test_partial_likelihood import BY_HAND, DATA, pad, reference_problem

COLUMNS = 9
compute = jax.jit(moments, static_argnames="ties")


@pytest.mark.parametrize("name", DATA + BY_HAND)
@pytest.mark.usefixtures("x64")
def test_equals_r(reference, name):
    table, cases = reference(name, "cox.json")
    for case in cases.values():
        if case["ties"] == "exact":
            continue
        x, risk_sets, points = reference_problem(table, case)
        p = x.shape[1]
        x = to_positions(risk_sets, jnp.asarray(pad(x, len(x), COLUMNS)))
        risk_sets = replace(risk_sets, order=None, position=None)
        for point in points:
            got = compute(pad(np.array(point["beta"], float), COLUMNS), x, risk_sets, case["ties"])
            np.testing.assert_allclose(got.log_likelihood, point["loglik"], rtol=1e-9)
            information = np.array(point["information"], float)
            unit = np.sqrt(np.diag(information)) + 1e-3
            np.testing.assert_allclose(
                got.information[:p, :p] / np.outer(unit, unit),
                information / np.outer(unit, unit),
                atol=1e-9,
            )
            if point["score"] is not None:
                score = np.array(point["score"])
                np.testing.assert_allclose(got.score[:p] / unit, score / unit, atol=1e-9)


def reweighted(rs, weight):
    """Other weights of the same rows, as Breslow's ties count them."""
    happened = rs.event_weight > 0
    of_events = jnp.where(happened, weight, 0)
    log_weight = jnp.where(weight > 0, jnp.log(jnp.where(weight > 0, weight, 1)), -jnp.inf)
    return replace(rs, log_weight=log_weight, event_weight=of_events, mean_weight=of_events)


@pytest.mark.usefixtures("x64")
def test_score_residuals_are_the_influence_of_the_weights(reference):
    table, cases = reference("lung", "cox.json")
    x, rs, points = reference_problem(table, cases["breslow_weighted"])
    x = to_positions(rs, jnp.asarray(x))
    rs = replace(rs, order=None, position=None)
    beta = np.array(points[1]["beta"], float)
    for ties in ("breslow", "efron"):
        residuals = jax.jit(partial(score_residuals, ties=ties))(beta, x, rs)
        score = cases[f"{ties}_weighted"]["evaluations"]["fixed"]["score"]
        np.testing.assert_allclose(residuals.sum(0), score, rtol=1e-9)
        if ties == "breslow":
            weight = jnp.exp(rs.log_weight)
            influence = jax.jacfwd(lambda w: moments(beta, x, reweighted(rs, w), "breslow").score)
            expected = weight[:, None] * jax.jit(influence)(weight).T
            np.testing.assert_allclose(residuals, expected, atol=1e-8)
