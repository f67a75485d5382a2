"""The Cox partial likelihood against R, coxdev, its definition, and itself under transformations."""

from functools import partial

import jax
import numpy as np
import pytest
from coxdev import CoxDeviance
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jax.test_util import check_grads

from jaxsurv.survival import neg_log_partial_likelihood, prepare_risk_sets, restrict
from jaxsurv.types import InputError
from tests.survival.naive_cox import naive_loss
from tests.survival.reference_cox import BY_HAND, DATA, points, problem, quick_jit


def of_the_sum(log_hazard, risk_sets, ties="efron"):
    return jax.value_and_grad(
        lambda x: neg_log_partial_likelihood(x, risk_sets=risk_sets, ties=ties, reduction="sum")
    )(log_hazard)


loss_and_gradient = jax.jit(of_the_sum, static_argnames="ties")
quick_loss_and_gradient = quick_jit(of_the_sum, static_argnames="ties")


@pytest.mark.parametrize("name", DATA + BY_HAND)
@pytest.mark.usefixtures("x64")
def test_equals_r(reference, name):
    table, cases = reference(name, "cox.json")
    for case in cases.values():
        x, risk_sets = problem(table, case)
        for beta, expected, score, information in points(case):
            loss, gradient = quick_loss_and_gradient(x @ beta, risk_sets, case["ties"])
            np.testing.assert_allclose(-loss, expected, rtol=1e-9)
            if score is not None:
                unit = 1e-3 if information is None else np.sqrt(np.diag(information)) + 1e-3
                got = -(x.T @ gradient)[: len(score)]
                np.testing.assert_allclose(got / unit, score / unit, atol=1e-9)


@pytest.mark.parametrize("name", ["heart", "lung", "rats"])
def test_equals_r_in_float32(reference, name):
    table, cases = reference(name, "cox.json")
    for label in ("breslow_weighted", "efron_strata_weighted"):
        x, risk_sets = problem(table, cases[label])
        for beta, expected, score, information in points(cases[label]):
            log_hazard = x @ beta.astype(np.float32)
            loss, gradient = loss_and_gradient(log_hazard, risk_sets, cases[label]["ties"])
            np.testing.assert_allclose(-loss, expected, rtol=1e-5)
            unit = np.sqrt(np.diag(information))
            got = -(x.T @ gradient)[: len(score)]
            np.testing.assert_allclose(got / unit, score / unit, atol=1e-4)


@partial(quick_jit, static_argnames="ties")
@partial(jax.hessian, argnums=2)
def hessian(x, risk_sets, beta, ties):
    return of_the_sum(x @ beta, risk_sets, ties)[0]


@pytest.mark.parametrize(
    ("name", "label"), [("lung", "efron_weighted"), ("therneau_test2", "exact")]
)
@pytest.mark.usefixtures("x64")
def test_hessian_equals_r(reference, name, label):
    table, cases = reference(name, "cox.json")
    x, risk_sets = problem(table, cases[label], rows=len(table))
    for beta, _, _, information in points(cases[label]):
        scale = np.sqrt(np.outer(np.diag(information), np.diag(information)))
        p = len(scale)
        got = hessian(x, risk_sets, beta, cases[label]["ties"])[:p, :p]
        np.testing.assert_allclose(got / scale, information / scale, atol=1e-9)


@st.composite
def outcomes(draw, n=24):
    """Tied times, weights with zeros, three strata and delayed entry, always of one shape."""

    def column(values):
        return np.array(draw(st.lists(values, min_size=n, max_size=n)))

    time = column(st.integers(1, 8)).astype(float)
    delay = column(st.sampled_from([0.5, 1.0, 3.0, 9.0]))
    return {
        "log_hazard": column(st.floats(-5, 5, width=16)),
        "event": column(st.booleans()).astype(int),
        "time": time,
        "weights": column(st.sampled_from([0.0, 0.5, 1.0, 2.5])),
        "strata": column(st.integers(0, 2)),
        "entry": time - delay,
    }


@pytest.mark.parametrize("ties", ["breslow", "efron"])
@pytest.mark.parametrize("columns", [["weights"], ["weights", "strata"], ["strata", "entry"]])
@pytest.mark.usefixtures("x64")
def test_equals_coxdev_and_the_definition(ties, columns):
    @settings(max_examples=40, deadline=None)
    @given(outcomes())
    def check(data):
        e, event, time = (data[k] for k in ("log_hazard", "event", "time"))
        options = {k: data[k] for k in columns}
        weights = options.get("weights", np.ones(24))
        assume((event * weights).sum() > 0)
        loss, gradient = loss_and_gradient(e, prepare_risk_sets(event, time, **options), ties)
        there = CoxDeviance(
            event=time, status=event, strata=options.get("strata"), start=options.get("entry"),
            sample_weight=weights, tie_breaking=ties,
        )(e, weights)  # fmt: skip
        np.testing.assert_allclose(-loss, there.loglik_sat - there.deviance / 2, atol=1e-10)
        np.testing.assert_allclose(gradient, there.gradient / 2, atol=1e-10)
        naive, naive_gradient = naive_loss(e, event, time, ties=ties, **options)
        np.testing.assert_allclose(loss, naive, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(gradient, naive_gradient, atol=1e-12)

    check()


def simulated(n, seed=0, tied=True):
    rng = np.random.default_rng(seed)
    time = rng.exponential(1, n)
    return {
        "event": rng.random(n) < 0.6,
        "time": np.ceil(time * 20) if tied else time,
        "strata": rng.integers(0, 4, n),
        "weights": rng.choice([0.5, 1.0, 3.0], n),
    }


SPREADS = {
    "noise": lambda n, time, rng: rng.normal(size=n) * 100,
    "late risk sets tiny": lambda n, time, rng: 300 - 600 * time / time.max(),
    "early risk sets tiny": lambda n, time, rng: 600 * time / time.max() - 300,
    "one outlier": lambda n, time, rng: np.where(
        time == np.median(time), 300.0, rng.normal(size=n)
    ),
}


@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("columns", [[], ["strata"], ["entry"]])
def test_float32_is_exact_over_any_spread(spread, columns):
    data = simulated(500)
    event, time = data["event"], data["time"]
    # rounded, as the naive loss does not take 20.999999999999996 for 21
    data["entry"] = np.where(np.arange(500) % 2 == 0, 0, np.round(time * 0.7, 6))
    e = SPREADS[spread](500, time, np.random.default_rng(1)).astype(np.float32)
    options = {k: data[k] for k in columns}
    loss, gradient = loss_and_gradient(e, prepare_risk_sets(event, time, **options))
    naive, naive_gradient = naive_loss(e, event, time, **options)
    assert abs(loss - naive) <= 1e-6 * naive
    # a float32 score of 600 is known to 3e-5
    np.testing.assert_allclose(gradient, naive_gradient, rtol=1e-4, atol=1e-4)


def test_float32_scores_of_ten_thousand():
    data = simulated(400)
    e = np.random.default_rng(2).uniform(-1e4, 1e4, 400).astype(np.float32)
    loss, gradient = loss_and_gradient(e, prepare_risk_sets(data["event"], data["time"]))
    naive, naive_gradient = naive_loss(e, data["event"], data["time"])
    assert abs(loss - naive) <= 1e-6 * naive
    np.testing.assert_allclose(gradient, naive_gradient, atol=2e-3)  # e itself has a step of 1e-3


@partial(jax.jit, static_argnames="ties")
def loss_of(log_hazard, risk_sets, ties):
    return neg_log_partial_likelihood(log_hazard, risk_sets=risk_sets, ties=ties)


@pytest.mark.parametrize(
    ("columns", "scales", "ties"),
    [
        (["weights"], [1, 90], "efron"),  # in plain numbers, and in logs
        (["strata", "weights", "entry"], [1], "efron"),
        ([], [1], "exact"),
    ],
)
@pytest.mark.usefixtures("x64")
def test_derivatives_of_first_and_second_order(columns, scales, ties):
    data = simulated(16, seed=3)
    time = np.ceil(data["time"] / 8)
    options = {k: data[k] for k in columns if k != "entry"}
    if "entry" in columns:
        options["entry"] = time - 1.5
    risk_sets = prepare_risk_sets(data["event"], time, exact=ties == "exact", **options)
    for scale in scales:
        e = scale * np.random.default_rng(0).normal(size=16)
        loss = partial(loss_of, risk_sets=risk_sets, ties=ties)
        check_grads(loss, (e,), order=2, modes=["rev"], atol=1e-5, rtol=1e-5)
        check_grads(loss, (e,), order=1, modes=["fwd"], atol=1e-5, rtol=1e-5)


@pytest.mark.usefixtures("x64")
def test_invariances():
    data = simulated(60, seed=4)
    event, time, weights, strata = (data[k] for k in ("event", "time", "weights", "strata"))
    rng = np.random.default_rng(5)
    e = rng.normal(size=60)
    loss = partial(neg_log_partial_likelihood, reduction="sum")
    base = loss(e, event, time, strata=strata, weights=weights)
    shuffled = rng.permutation(60)
    for other in (
        loss(*(a[shuffled] for a in (e, event, time)), strata=strata[shuffled], weights=weights[shuffled]),
        loss(e, event, time / 365.25, strata=strata, weights=weights),
        loss(e + 1234.5, event, time, strata=strata, weights=weights),
        loss(e, event, time, strata=strata * 7 - 3, weights=weights),
        loss(e, event, time + 1000 * strata, entry=1000.0 * strata - 1, weights=weights),
    ):  # fmt: skip
        np.testing.assert_allclose(other, base, rtol=1e-11)

    # Breslow: a weight of k is k rows. Any ties: a row cut into (0, c] and (c, time] is the same.
    k = rng.integers(1, 4, 60)
    np.testing.assert_allclose(
        loss(e, event, time, ties="breslow", weights=k),
        loss(*(np.repeat(a, k) for a in (e, event, time)), ties="breslow"),
        rtol=1e-11,
    )
    cut = time * rng.random(60)
    split = [np.concatenate(a) for a in ((e, e), (0 * event, event), (cut, time), (0 * cut, cut))]
    np.testing.assert_allclose(loss(*split[:3], entry=split[3]), loss(e, event, time), rtol=1e-11)


@pytest.mark.parametrize("ties", ["breslow", "efron", "exact"])
def test_nothing_to_learn_gives_exactly_zero(ties):
    gradient = jax.value_and_grad(partial(neg_log_partial_likelihood, ties=ties))
    e = np.array([3.0, -2.0, 0.5], np.float32)
    time = np.array([1.0, 2.0, 3.0])
    loss, g = gradient(e, np.zeros(3), time)
    assert loss == 0
    assert not np.asarray(g).any()
    for here in (np.array([False, True, False]), np.array([False, False, True])):  # one patient
        loss, g = gradient(e, np.ones(3), time, where=here)
        assert loss == 0
        assert not np.asarray(g).any()
    loss, g = gradient(e, np.array([1, 0, 0]), time)  # one event
    np.testing.assert_allclose(loss, np.log(np.exp(e).sum()) - e[0], rtol=1e-6)


def test_mean_is_per_unit_of_event_weight():
    data = simulated(40)
    e = np.zeros(40, np.float32)
    options = {"weights": data["weights"]}
    mean = neg_log_partial_likelihood(e, data["event"], data["time"], **options)
    total = neg_log_partial_likelihood(e, data["event"], data["time"], reduction="sum", **options)
    np.testing.assert_allclose(mean, total / data["weights"][data["event"]].sum(), rtol=1e-6)


def test_folds_share_one_order_and_runs_one_outcome():
    data = simulated(60)
    event, time = data["event"], data["time"]
    rng = np.random.default_rng(6)
    e = rng.normal(size=(4, 60)).astype(np.float32)
    masks = rng.random((4, 60)) < 0.7
    masks[3] &= ~event  # a fold with no event
    risk_sets = prepare_risk_sets(event, time)
    loss = jax.value_and_grad(lambda x, r: neg_log_partial_likelihood(x, risk_sets=r))
    folds = jax.vmap(restrict, in_axes=(None, 0))(risk_sets, masks)
    losses, gradients = jax.jit(jax.vmap(loss))(e, folds)
    for i, m in enumerate(masks):
        naive, naive_gradient = naive_loss(e[i], event, time, where=m)
        events = max((event & m).sum(), 1)
        np.testing.assert_allclose(losses[i], naive / events, rtol=1e-5)
        np.testing.assert_allclose(gradients[i], naive_gradient / events, atol=1e-6)
        assert not gradients[i][~m].any()
    shared, _ = jax.vmap(loss, in_axes=(0, None))(e, risk_sets)
    np.testing.assert_allclose(shared[0], neg_log_partial_likelihood(e[0], event, time), rtol=1e-6)


def test_new_data_of_the_same_shape_does_not_retrace():
    traces = []

    @jax.jit
    def loss(x, risk_sets):
        traces.append(1)
        return neg_log_partial_likelihood(x, risk_sets=risk_sets)

    for seed in range(3):
        data = simulated(50, seed=seed, tied=seed > 0)
        risk_sets = prepare_risk_sets(data["event"] | (seed == 2), data["time"])
        loss(np.zeros(50, np.float32), risk_sets)
        loss(np.zeros(50, np.float32), restrict(risk_sets, data["weights"] > 1))
    assert len(traces) == 1


def test_rows_that_are_not_there_may_hold_nan():
    data = simulated(20)
    here = np.arange(20) < 15
    e = np.where(here, np.linspace(-1, 1, 20), np.nan).astype(np.float32)
    loss, gradient = jax.value_and_grad(neg_log_partial_likelihood)(
        e, data["event"], data["time"], where=here
    )
    alone = neg_log_partial_likelihood(e[:15], data["event"][:15], data["time"][:15])
    np.testing.assert_allclose(loss, alone, rtol=1e-6)
    assert not gradient[15:].any()


def test_works_on_traced_outcomes_too():
    data = simulated(40)
    e = np.linspace(-1, 1, 40).astype(np.float32)
    options = {"strata": data["strata"], "entry": data["time"] / 2, "weights": data["weights"]}
    inside = jax.jit(neg_log_partial_likelihood)(e, data["event"], data["time"], **options)
    outside = neg_log_partial_likelihood(e, data["event"], data["time"], **options)
    np.testing.assert_allclose(inside, outside, rtol=1e-6)


def test_refuses_by_name():
    e, event, time = np.zeros(3), np.array([1, 0, 1]), np.array([1.0, 2.0, 3.0])
    risk_sets = prepare_risk_sets(event, time)
    for match, kwargs in {
        "ties must be": {"ties": "average"},
        "reduction must be": {"reduction": "none"},
        r"log_hazard must have shape \[n\], got \[3, 1\]": {"log_hazard": e[:, None]},
        "log_hazard has NaN": {"log_hazard": np.array([0, np.nan, 1])},
        "common length": {"log_hazard": np.zeros(2)},
        "not defined with weights": {"ties": "exact", "weights": np.ones(3)},
        "not both": {"risk_sets": risk_sets},
        "give event and time": {"event": None},
        "entry must be before": {"entry": time},
    }.items():
        with pytest.raises(InputError, match=match):
            neg_log_partial_likelihood(**{"log_hazard": e, "event": event, "time": time} | kwargs)
    with pytest.raises(InputError, match="exact=True"):
        neg_log_partial_likelihood(e, risk_sets=risk_sets, ties="exact")
