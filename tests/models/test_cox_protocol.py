"""What a model must do beside, if its criterion is Cox's partial likelihood."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsurv.survival import neg_log_partial_likelihood
from tests.models.patients import N, make_batch, with_outcome
from tests.models.test_protocol import MODELS, named, noiseless, trained

COX = [name for name, (objective, _) in MODELS.items() if objective.criterion == "cox"]


@pytest.fixture(params=COX)
def model(request):
    return named(request.param)


def tied(seed=0):
    """Three times for forty patients."""
    batch = make_batch(seed)
    event = np.array(batch.outcome.event)
    return with_outcome(batch, event, np.random.default_rng(seed).integers(1, 4, N).astype(float))


def test_every_published_model_is_one():
    others = ("Weibull", "logistic hazard", "probabilities", "log-normal")
    assert {name for name in MODELS if name.endswith(others)} == set(MODELS) - set(COX)


def test_score_is_the_partial_likelihood_of_its_rows(model):
    for batch in (make_batch(), tied()):
        objective, params, _ = trained(model, batch)
        where = np.arange(N) % 3 == 0
        expected = neg_log_partial_likelihood(
            objective.predict(params, batch)[where],
            batch.outcome.event[where],
            batch.outcome.time[where],
        )
        score = objective.score(params, batch.restrict(where))
        np.testing.assert_allclose(score, expected, rtol=1e-5)


TIES = {"Cox-nnet": "breslow", "Cox-MT": "breslow", "pseudo-risk": "breslow"}
DRAWN = {"InVA, Cox head"}  # its shared encoder reads drawn features


@pytest.mark.parametrize("name", COX)
def test_what_trains_is_what_predicts(name):
    """Without dropout the Cox term is of the predictions: a draw of a latent variable is in neither."""
    batch = make_batch().restrict(np.arange(N) < 30)
    objective, params, hparams = trained(named(name), batch)
    terms = [
        objective.loss(params, batch, jax.random.key(k), noiseless(hparams))[1] for k in range(2)
    ]
    reduction = "sum" if name in ("MyeVAE", "Cox-nnet") else "mean"
    expected = neg_log_partial_likelihood(
        objective.predict(params, batch), risk_sets=batch.risk_sets, reduction=reduction,
        ties=TIES.get(name.split(",")[0], "efron"),
    ) / (30 if name == "Cox-nnet" else 1)  # fmt: skip
    if name not in DRAWN:
        for t in terms:
            np.testing.assert_allclose(t["cox"], expected, rtol=1e-5)
    for drawn in ("reconstruction", "mmd", "negative_elbo"):
        if drawn in terms[0] and name != "HCL":
            assert terms[0][drawn] != terms[1][drawn], drawn


def test_a_constant_is_not_seen(model):
    batch = make_batch()
    objective, params, hparams = trained(model, batch)
    shifted = batch._replace(offset=batch.offset + 2.0)
    scores = [objective.score(params, b) for b in (batch, shifted)]
    np.testing.assert_allclose(*scores, rtol=1e-5)
    losses = [
        objective.loss(params, b, jax.random.key(1), hparams)[1]["cox"] for b in (batch, shifted)
    ]
    np.testing.assert_allclose(*losses, rtol=1e-5)


def test_only_the_order_of_times_is_seen(model):
    batch = make_batch()
    objective, params, _ = trained(model, batch)
    event, time = map(np.asarray, batch.outcome[:2])
    stretched = with_outcome(batch, event, 3 * time**2)
    np.testing.assert_allclose(
        objective.score(params, batch), objective.score(params, stretched), rtol=1e-6
    )


def test_the_order_of_patients_with_equal_times_does_not_matter(model):
    batch = tied()
    objective, params, _ = trained(model, batch)
    order = np.lexsort((np.random.default_rng(2).random(N), batch.outcome.time))
    scores = [objective.score(params, b) for b in (batch.take(order), batch.take(order[::-1]))]
    np.testing.assert_allclose(*scores, rtol=1e-5)


def test_without_events_there_is_nothing_to_learn_of_risk(model):
    batch = make_batch()
    objective, params, hparams = trained(model, batch)
    censored = batch.restrict(batch.outcome.event == 0)
    _, terms = objective.loss(params, censored, jax.random.key(1), hparams)
    assert terms["cox"] == 0
    slope = jax.grad(objective.score)(params, censored)
    assert not any(np.any(g) for g in jax.tree.leaves(slope))


def test_a_higher_log_hazard_of_those_who_die_first_scores_better(model):
    batch = make_batch()
    objective, params, _ = trained(model, batch)
    better, worse = (
        batch._replace(offset=sign * jnp.asarray(batch.outcome.time)) for sign in (-3.0, 3.0)
    )
    assert objective.score(params, better) < objective.score(params, worse)
