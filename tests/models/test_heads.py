"""Outcome heads: their marginals, losses, offsets and curves, and all of them on all networks."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxsurv.models import (
    MO_RISKVAE,
    CoxMTConfig,
    CoxNnetConfig,
    HCLConfig,
    SurvivalVAEConfig,
    find_model,
)
from jaxsurv.models import head_kinds as module
from jaxsurv.models.heads import HEADS, head_of, with_marginal
from jaxsurv.survival import (
    discretise,
    event_quantile_grid,
    log_normal_loss,
    logistic_hazard_loss,
    pmf_loss,
    weibull_loss,
    weibull_survival,
)
from jaxsurv.survival.discrete_time import traced_quantile_grid
from jaxsurv.training import FitConfig, Masks, fit
from jaxsurv.types import InputError, Survival
from tests.models.patients import N, in_double, make_batch, with_outcome

OTHERS = [name for name in HEADS if name not in ("cox", "competing")]  # of one kind of event
NETWORKS = {
    "MORiskVAE": replace(MO_RISKVAE, widths=lambda d: (4,), latent=3, categories=2),
    "CoxNnet": CoxNnetConfig(),
    "CoxMT": CoxMTConfig((6,)),
    "HCL": HCLConfig(widths=(4,), fusion=(4,)),
}
RNG = np.random.default_rng(4)
TIMES = np.linspace(0.0, 4.0, 9)


def head(name, intervals=5):
    return head_of(CoxNnetConfig(head=name, intervals=intervals))


def outputs(name):
    return jnp.asarray(RNG.normal(size=(N, head(name).outputs)))


@pytest.fixture
def batch(x64):
    """Patients with weights and delayed entry, of which losses see some."""
    made = in_double(make_batch(2))
    time = np.asarray(made.outcome.time)
    entry, weight = RNG.uniform(0, 0.9, N) * time, RNG.integers(1, 4, N).astype(float)
    outcome = Survival(made.outcome.event, made.outcome.time, *map(jnp.asarray, (entry, weight)))
    return made._replace(outcome=outcome, where=jnp.arange(N) % 5 > 0)


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_learns_with_every_head(network, name):
    """And what its optimiser, its penalty and its teacher do leaves the marginal as it was."""
    model = find_model(network)
    config = replace(NETWORKS[network], head=name, intervals=4)
    objective, batch = model.objective(config), make_batch()
    hparams = model.hparams._replace(learning_rate=1e-2)
    masks = Masks(jnp.arange(N) < 25, jnp.arange(N) >= 25, jnp.ones(N, bool))

    @jax.jit
    def run(key):
        result = fit(key, objective, hparams, batch, masks, FitConfig(12, early_stopping=False),
                     optimizer=model.optimizer)  # fmt: skip
        start = objective.init(jax.random.key(0), batch.restrict(masks.train))
        shifted = objective.predict(result.params, batch._replace(offset=batch.offset + 2.0))
        curves = objective.survival(result.params, batch, TIMES)
        return result, start, objective.predict(result.params, batch), shifted, curves

    result, start, risk, shifted, curves = run(jax.random.key(0))
    assert {name} < set(result.history)
    assert np.mean(result.history["loss"][-3:]) < np.mean(result.history["loss"][:3])
    for tree in (result.params, *([result.teacher] if network == "CoxMT" else [])):
        jax.tree.map(np.testing.assert_array_equal, tree["marginal"], start["marginal"])
    np.testing.assert_allclose(shifted - risk, 2, rtol=1e-4)
    assert np.isfinite(risk).all()
    assert np.ptp(risk - batch.offset) > 0.01
    assert ((curves[:, 0] == 1) & np.all(np.diff(curves, axis=1) <= 1e-6, axis=1)).all()


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(1, 12), min_size=12, max_size=12),
    st.lists(st.sampled_from([0, 0, 1, 1, 3]), min_size=12, max_size=12),
    st.integers(1, 6),
)
def test_the_grid_is_the_same_while_jit_traces(time, count, intervals):
    time, count = np.array(time, float), np.array(count, float)
    traced = jax.jit(traced_quantile_grid, static_argnums=2)(count, time, intervals)
    distinct = np.unique(time[count > 0])
    if distinct.size >= intervals:
        expected = event_quantile_grid(np.ones(12), time, intervals, weights=count)
    else:  # some are empty
        expected = np.append(np.full(intervals - distinct.size, min(distinct, default=0)), distinct)
    np.testing.assert_array_equal(traced, expected)


def expected_loss(name, parameters, marginal, batch):
    """By the functions of jaxsurv.survival on the rows themselves."""
    rows = np.asarray(batch.where)
    event, time, entry, weights = (np.asarray(a)[rows] for a in batch.outcome[:4])
    p = np.asarray(parameters)[rows]
    columns: dict = {"weights": weights, "reduction": "sum"}
    if name in ("weibull", "log_normal"):
        loss = {"weibull": weibull_loss, "log_normal": log_normal_loss}[name]
        return loss(p, event, time, entry=entry, **columns) / (weights @ event)
    outcome = discretise(event, time, marginal["ends"], entry=entry)
    if name == "logistic_hazard":
        columns["share"] = outcome.share
    loss = {"logistic_hazard": logistic_hazard_loss, "pmf": pmf_loss}[name]
    total = loss(p, outcome.event, outcome.interval, entry=outcome.entry, **columns)
    return total / (weights @ event)


@pytest.mark.parametrize("name", OTHERS)
def test_the_score_is_the_likelihood_per_event_of_the_rows(name, batch):
    h = head(name)
    marginal = h.marginal(batch)
    parameters = h.parameters(outputs(name), marginal, batch.offset)
    expected = expected_loss(name, parameters, marginal, batch)
    np.testing.assert_allclose(h.score(parameters, marginal, batch), expected, rtol=1e-9)
    loss = h.loss(parameters, marginal, batch)
    assert (loss > expected) if name == "pmf" else np.isclose(loss, expected)  # it ranks as well


@pytest.mark.parametrize("name", OTHERS)
def test_without_outputs_it_is_the_marginal_of_the_rows(name, batch):
    """No constant added to all log hazards is more likely, but for half an event of smoothing."""
    h = head(name)
    marginal = h.marginal(batch)
    zero = jnp.zeros((N, h.outputs))

    def score(constant):
        shift = jnp.zeros(N) + constant
        return h.score(h.parameters(zero, marginal, shift), marginal, batch)

    if name != "log_normal":
        assert abs(jax.grad(score)(0.0)) < 0.05
    elsewhere = batch._replace(outcome=batch.outcome._replace(
        time=jnp.where(batch.where, batch.outcome.time, 99.0),
        event=jnp.where(batch.where, batch.outcome.event, 1.0),
    ))  # fmt: skip
    jax.tree.map(np.testing.assert_array_equal, marginal, h.marginal(elsewhere))
    if name in ("logistic_hazard", "pmf"):
        event, time, entry, weights = (np.asarray(a)[batch.where] for a in batch.outcome[:4])
        ends = event_quantile_grid(event, time, 5, weights=weights)
        np.testing.assert_array_equal(marginal["ends"], ends)
        outcome = discretise(event, time, ends, entry=entry)
        for j, log_odds in enumerate(marginal["log_odds"]):
            died = weights[(outcome.interval == j) & (outcome.event > 0)].sum()
            there = weights[(outcome.interval >= j) & (outcome.entry <= j)].sum()
            if name == "logistic_hazard":  # who is censored inside was at risk for a part
                inside = (outcome.event == 0) & (outcome.interval == j - 1)
                there += (weights * outcome.share)[inside].sum()
            np.testing.assert_allclose(np.exp(log_odds), (died + 0.5) / (there - died + 0.5))


@pytest.mark.parametrize("name", OTHERS)
def test_an_offset_is_a_log_hazard(name, batch):
    """Weibull's hazard is multiplied by its exponential; in discrete time the odds in every interval."""
    h, out = head(name), outputs(name)
    marginal, offset = h.marginal(batch), jnp.asarray(RNG.normal(size=N))
    zero = jnp.zeros(N)
    plain, shifted = (h.parameters(out, marginal, zero, o) for o in (zero, offset))
    gain = h.log_hazard(shifted, marginal) - h.log_hazard(plain, marginal)
    np.testing.assert_allclose(gain, offset, rtol=1e-9)
    at = marginal["ends"] if "ends" in marginal else TIMES[1:]
    before, after = (h.survival(p, marginal, at) for p in (plain, shifted))
    if name == "weibull":
        np.testing.assert_allclose(after, before ** np.exp(offset)[:, None], rtol=1e-9)
    elif name != "log_normal":
        odds = [1 / (s / np.hstack([np.ones((N, 1)), s[:, :-1]])) - 1 for s in (before, after)]
        ratio = np.broadcast_to(np.exp(offset)[:, None], odds[0].shape)
        np.testing.assert_allclose(odds[1] / odds[0], ratio, rtol=1e-7)
    assert ((after < before) == (offset > 0)[:, None])[before > 1e-9].all()


def test_log_odds_and_cells_are_one_another(x64):
    log_odds = jnp.asarray(RNG.normal(size=(7, 6)) * 4)
    cells = module._cells(log_odds)
    np.testing.assert_allclose(module._log_odds(cells), log_odds, rtol=1e-9)
    p = np.exp(cells) / (1 + np.exp(cells).sum(axis=1, keepdims=True))
    alive = 1 - np.cumsum(p, axis=1) + p
    np.testing.assert_allclose(p / alive, 1 / (1 + np.exp(-log_odds)), rtol=1e-7)


def test_weibull_curves_of_no_outputs_are_exponential(batch):
    h = head("weibull")
    marginal = h.marginal(batch)
    p = h.parameters(jnp.zeros((N, 2)), marginal, jnp.zeros(N))
    event, time, entry, weights = (np.asarray(a)[batch.where] for a in batch.outcome[:4])
    rate = (weights @ event) / (weights @ (time - entry))
    expected = np.exp(-rate * np.asarray(TIMES))
    np.testing.assert_allclose(weibull_survival(p, TIMES)[0], expected, rtol=1e-9)


@pytest.mark.parametrize("name", OTHERS)
def test_degenerate_outcomes_are_finite(name):
    """Events at time 0; fewer events than intervals; all at one time; none at all."""
    made = make_batch()
    event = np.asarray(made.outcome.event)
    few = np.zeros(N)
    few[:2] = 1
    time = np.asarray(made.outcome.time)
    for e, t in [
        (event, np.where(np.arange(N) < 9, 0, time)),
        (few, time),
        (np.ones(N), np.full(N, 2.0)),
        (np.zeros(N), time),
    ]:
        batch = with_outcome(made, e, t)
        h = head(name)

        @jax.jit
        def loss(out, h=h, batch=batch):
            marginal = h.marginal(batch)
            p = h.parameters(out, marginal, batch.offset)
            curves = h.survival(p, marginal, jnp.array([0.0, 1.0, 2.0, 9.0]))
            return h.loss(p, marginal, batch), (h.log_hazard(p, marginal), curves)

        (value, others), slope = jax.value_and_grad(loss, has_aux=True)(outputs(name))
        for x in (value, slope, *others):
            assert np.isfinite(x).all()
        assert (np.diff(others[1], axis=1) <= 1e-6).all()


def test_strata_are_refused(batch):
    outcome = batch.outcome._replace(stratum=jnp.zeros(N, int))
    for name in OTHERS:
        with pytest.raises(InputError, match=r"patients have strata.*head='cox'"):
            with_marginal(head(name), {}, batch._replace(outcome=outcome))
    assert with_marginal(head("cox"), {}, batch._replace(outcome=outcome)) == {}


def test_choices_of_a_head():
    with pytest.raises(InputError, match="head must be one of"):
        CoxNnetConfig(head="cox_time")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="intervals must be at least 1"):
        CoxMTConfig(intervals=0)
    with pytest.raises(InputError, match="is one of survival"):
        HCLConfig(outcome="binary", head="weibull")
    criteria = {head(name).criterion for name in HEADS} | {head("pmf", 6).criterion}
    assert len(criteria) == len(HEADS) + 1  # grids of different size do not compare
    assert SurvivalVAEConfig().head == "cox"
