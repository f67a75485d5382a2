"""The outcome head of all competing causes: life table, likelihood, offset, incidences, refusals."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsurv.models import CoxMTConfig, CoxNnetConfig, HCLConfig, SurvivalVAEConfig, find_model
from jaxsurv.models.heads import head_of, with_marginal
from jaxsurv.survival import (
    aalen_johansen,
    discretise,
    event_quantile_grid,
    logistic_hazard_loss,
)
from jaxsurv.training import FitConfig, Masks, fit
from jaxsurv.types import InputError, Survival
from tests.models.patients import N, in_double, make_batch
from tests.models.test_heads import NETWORKS

RNG = np.random.default_rng(6)
CODE = np.arange(N) % 4  # a quarter is censored, three causes
TIMES = np.linspace(0.0, 4.0, 9)


def head(intervals=5, causes=3, cause=2):
    config = CoxNnetConfig(head="competing", intervals=intervals, causes=causes, cause=cause)
    return head_of(config)


def with_codes(made, code, cause=2, **columns):
    code = jnp.asarray(code, made.outcome.time.dtype)
    event = (code == cause).astype(code.dtype)
    return made._replace(outcome=made.outcome._replace(event=event, code=code, **columns))


@pytest.fixture
def batch(x64):
    """Patients with weights and delayed entry, of which losses see some."""
    made = in_double(make_batch(2))
    entry = jnp.asarray(RNG.uniform(0, 0.9, N)) * made.outcome.time
    weight = jnp.asarray(RNG.integers(1, 4, N).astype(float))
    return with_codes(made, CODE, entry=entry, weight=weight)._replace(where=jnp.arange(N) % 5 > 0)


def rows_of(batch):
    """Code, time, entry and weight of the rows that losses see."""
    outcome, rows = batch.outcome, np.asarray(batch.where)
    columns = (outcome.code, outcome.time, outcome.entry, outcome.weight)
    return [np.asarray(a)[rows] for a in columns]


def test_the_marginal_is_the_life_table_of_the_causes(batch):
    h, (code, time, entry, weight) = head(), rows_of(batch)
    marginal = h.marginal(batch)
    ends = event_quantile_grid(code, time, 5, weights=weight)
    np.testing.assert_array_equal(marginal["ends"], ends)
    outcome = discretise(code.astype(int), time, ends, entry=entry)
    for j in range(5):
        there = weight[(outcome.interval >= j) & (outcome.entry <= j)].sum()
        inside = (outcome.event == 0) & (outcome.interval == j - 1)
        there += (weight * outcome.share)[inside].sum()
        died = [weight[(outcome.interval == j) & (outcome.event == k)].sum() for k in (1, 2, 3)]
        odds = (np.array(died) + 0.5) / (there - np.sum(died) + 0.5)
        np.testing.assert_allclose(np.exp(marginal["log_odds"].reshape(3, 5)[:, j]), odds)
    hidden = jnp.where(batch.where, batch.outcome.code, 1)
    outside = batch._replace(outcome=batch.outcome._replace(code=hidden))
    jax.tree.map(np.testing.assert_array_equal, marginal, h.marginal(outside))


def test_without_outputs_incidences_are_aalen_and_johansens():
    """At the ends of the intervals, but for half an event of smoothing, where many patients are."""
    n = 4000
    time, code = RNG.exponential(1, n).round(2) + 0.01, RNG.integers(0, 4, n)
    here = code * 0 == 0
    made = make_batch()._replace(where=jnp.asarray(here))
    outcome = Survival(*(jnp.asarray(a, jnp.float32) for a in (code == 2, time)))
    made = made._replace(outcome=outcome._replace(code=jnp.asarray(code, jnp.float32)))
    h = head(20)
    marginal = h.marginal(made)
    p = h.parameters(jnp.zeros((1, 60)), marginal, jnp.zeros(1))
    ends = np.asarray(marginal["ends"])
    found = h.incidence(p, marginal, ends)[0].T
    np.testing.assert_allclose(found, aalen_johansen(code, time)(ends), atol=0.01)
    np.testing.assert_allclose(h.log_hazard(p, marginal), 0, atol=1e-6)


def test_the_score_is_the_likelihood_per_event_of_the_rows(batch):
    h, (code, time, entry, weight) = head(), rows_of(batch)
    marginal, out = h.marginal(batch), jnp.asarray(RNG.normal(size=(N, 15)))
    p = h.parameters(out, marginal, batch.offset)
    outcome = discretise(code.astype(int), time, marginal["ends"], entry=entry)
    logits = np.asarray(p).reshape(N, 3, 5)[batch.where]
    columns = {
        "entry": outcome.entry,
        "weights": weight,
        "share": outcome.share,
        "reduction": "sum",
    }
    total = logistic_hazard_loss(logits, outcome.event, outcome.interval, **columns)
    expected = total / weight[code > 0].sum()
    np.testing.assert_allclose(h.score(p, marginal, batch), expected, rtol=1e-9)
    np.testing.assert_allclose(h.loss(p, marginal, batch), expected, rtol=1e-9)
    np.testing.assert_allclose(h.loss(p, marginal, batch, reduction="sum"), total, rtol=1e-9)


def test_an_offset_is_a_log_hazard_of_one_cause(batch):
    h, out = head(), jnp.asarray(RNG.normal(size=(N, 15)))
    marginal, offset = h.marginal(batch), jnp.asarray(RNG.normal(size=N))
    plain, shifted = (h.parameters(out, marginal, jnp.zeros(N), o) for o in (0 * offset, offset))
    gain = h.log_hazard(shifted, marginal) - h.log_hazard(plain, marginal)
    np.testing.assert_allclose(gain, offset, rtol=1e-9)
    moved = (shifted - plain).reshape(N, 3, 5)
    np.testing.assert_allclose(moved[:, 1], np.tile(offset[:, None], 5), atol=1e-12)
    assert (moved[:, [0, 2]] == 0).all()
    before, after = (h.incidence(p, marginal, TIMES[1:]) for p in (plain, shifted))
    higher = (offset > 0)[:, None]
    assert ((after[:, 1] > before[:, 1]) == higher).all()
    assert ((after[:, 0] < before[:, 0]) == higher)[before[:, 0] - after[:, 0] != 0].all()


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_learns(network):
    model = find_model(network)
    config = replace(NETWORKS[network], head="competing", intervals=4, causes=3, cause=2)
    objective, made = model.objective(config), with_codes(make_batch(), CODE)
    hparams = model.hparams._replace(learning_rate=1e-2)
    masks = Masks(jnp.arange(N) < 25, jnp.arange(N) >= 25, jnp.ones(N, bool))

    @jax.jit
    def run(key):
        result = fit(key, objective, hparams, made, masks, FitConfig(12, early_stopping=False),
                     optimizer=model.optimizer)  # fmt: skip
        start = objective.init(jax.random.key(0), made.restrict(masks.train))
        shifted = objective.predict(result.params, made._replace(offset=made.offset + 2.0))
        incidence = objective.incidence(result.params, made, TIMES)
        return result, start, objective.predict(result.params, made), shifted, incidence

    result, start, risk, shifted, incidence = run(jax.random.key(0))
    assert np.mean(result.history["loss"][-3:]) < np.mean(result.history["loss"][:3])
    jax.tree.map(np.testing.assert_array_equal, result.params["marginal"], start["marginal"])
    np.testing.assert_allclose(shifted - risk, 2, rtol=1e-4)
    assert np.ptp(risk - made.offset) > 0.01
    assert incidence.shape == (N, 3, 9)
    assert (incidence[:, :, 0] == 0).all()
    assert (np.diff(incidence, axis=2) >= 0).all()
    assert (incidence.sum(1) <= 1 + 1e-6).all()
    assert objective.survival is None  # curves of the cause's hazard are Breslow's


@pytest.mark.parametrize(
    ("code", "time"),
    [
        (CODE, np.where(np.arange(N) < 9, 0.0, 1 + np.arange(N))),
        (np.where(np.arange(N) < 2, 2, 0), 1.0 + np.arange(N)),
        (CODE, np.full(N, 2.0)),
        (np.zeros(N, int), 1.0 + np.arange(N)),
    ],
)
def test_degenerate_outcomes_are_finite(code, time):
    """Events at time 0; two events and fewer causes; all at one time; no event."""
    made = with_codes(make_batch(), code, time=jnp.asarray(time, jnp.float32))
    h = head()

    def loss(out):
        marginal = h.marginal(made)
        p = h.parameters(out, marginal, made.offset)
        curves = h.incidence(p, marginal, jnp.array([0.0, 1.0, 2.0, 99.0]))
        return h.loss(p, marginal, made), (h.log_hazard(p, marginal), curves)

    out = jnp.asarray(RNG.normal(size=(N, 15)), jnp.float32)
    (value, others), slope = jax.jit(jax.value_and_grad(loss, has_aux=True))(out)
    assert all(np.isfinite(x).all() for x in (value, slope, *others))


def test_extreme_outputs_are_finite_in_float32():
    made, h = with_codes(make_batch(), CODE), head()
    marginal = h.marginal(made)
    out = jnp.asarray(RNG.normal(size=(N, 15)) * 1e4, jnp.float32)
    value, slope = jax.value_and_grad(
        lambda o: h.loss(h.parameters(o, marginal, made.offset), marginal, made)
    )(out)
    assert np.isfinite(value)
    assert np.isfinite(slope).all()


def test_outcomes_that_are_refused():
    code, time = np.arange(60) % 3, np.arange(60) + 1.0
    rows = np.ones(60, bool)
    check = head(5, 2, 1).check
    known = Survival(code == 1, time, code=code)
    check(known, rows)
    with pytest.raises(InputError, match="the endpoint has no causes"):
        check(Survival(code == 1, time), rows)
    with pytest.raises(InputError, match=r"causes 1 to 3, and the head has causes=2: set causes=3"):
        check(known._replace(code=np.where(rows.cumsum() == 9, 3, code)), rows)
    with pytest.raises(InputError, match="no event of cause 2 among its 40 training rows"):
        check(known, rows & (code != 2))
    with pytest.raises(InputError, match=r"events are not those of cause 2.*set cause"):
        head(5, 2, 2).check(known, rows)
    with pytest.raises(InputError, match=r"intervals=5 is finer than the events: a run has 3"):
        check(known._replace(time=np.minimum(time, 4)), rows)
    one = head_of(CoxNnetConfig(head="pmf", intervals=21))
    with pytest.raises(InputError, match=r"a run has 20 distinct event times > 0 in its 60"):
        one.check(Survival(code == 1, time), rows)


def test_choices():
    for config in (SurvivalVAEConfig, CoxMTConfig, HCLConfig):
        with pytest.raises(InputError, match="causes must be at least 2"):
            config(head="competing", causes=1)
    with pytest.raises(InputError, match="cause must be 1 to causes=2, got 3"):
        CoxNnetConfig(head="competing", cause=3)
    with pytest.raises(InputError, match="reads codes of causes, and the outcome has none"):
        with_marginal(head(), {}, make_batch())
