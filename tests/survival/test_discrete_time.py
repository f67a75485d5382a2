"""Discrete time against sums over rows and intervals, pycox's formulas, and what must not matter."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.test_util import check_grads

from jaxsurv.survival import (
    discretise,
    event_quantile_grid,
    kaplan_meier,
    logistic_hazard_incidence,
    logistic_hazard_loss,
    logistic_hazard_survival,
    pmf_incidence,
    pmf_loss,
    pmf_survival,
)
from jaxsurv.types import InputError

LOSSES = {"logistic hazard": logistic_hazard_loss, "pmf": pmf_loss}
ENDS = np.array([1.0, 2.0, 4.0, 5.0])


def rows(n=30, causes=0, seed=0, m=4):
    """Logits, codes and intervals; no axis of causes if ``causes`` is 0."""
    rng = np.random.default_rng(seed)
    event = rng.integers(0, max(causes, 1) + 1, n)
    interval = rng.integers(0, m, n) - (event == 0)
    shape = (n, causes, m) if causes else (n, m)
    return rng.normal(size=shape), event, interval


def hazards_and_masses(logits):
    """Hazards ``[n, causes, m]`` and probabilities ``[n, causes, m]`` of the two models."""
    e = np.exp(logits if logits.ndim == 3 else logits[:, None])
    return e / (1 + e.sum(1, keepdims=True)), e / (1 + e.sum((1, 2), keepdims=True))


def by_row(name, logits, event, interval, entry=None):
    """Negative log likelihood ``[n]``, by its definition."""
    hazard, mass = hazards_and_masses(logits)
    loss = np.zeros(len(logits))
    for i in range(len(logits)):
        e, k, first = event[i], interval[i], 0 if entry is None else entry[i]
        if name == "pmf":
            beyond = 1 - mass[i, :, :first].sum()
            p = mass[i, e - 1, k] if e else 1 - mass[i, :, : max(k + 1, first)].sum()
            loss[i] = -np.log(p / beyond)
            continue
        for j in range(first, k + 1):
            alive = 1 - hazard[i, :, j].sum()
            loss[i] -= np.log(hazard[i, e - 1, j] if e and j == k else alive)
    return loss


@pytest.mark.parametrize("causes", [0, 1, 3])
@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.usefixtures("x64")
def test_losses_are_their_sums(name, causes):
    logits, event, interval = rows(causes=causes)
    weights, where = 0.5 + np.arange(30) % 3, np.arange(30) % 4 > 0
    entry = np.where(np.arange(30) % 3 == 0, np.maximum(interval - 1, 0), 0)
    loss = LOSSES[name]
    each = by_row(name, logits, event, interval)
    np.testing.assert_allclose(loss(logits, event, interval), each.mean(), rtol=1e-12)
    total = loss(logits, event, interval, weights=weights, where=where, reduction="sum")
    np.testing.assert_allclose(total, (weights * each)[where].sum(), rtol=1e-12)
    late = by_row(name, logits, event, interval, entry)
    mean = loss(logits, event, interval, entry=entry, weights=weights, where=where)
    np.testing.assert_allclose(mean, np.average(late[where], weights=weights[where]), rtol=1e-12)


@pytest.mark.usefixtures("x64")
def test_equal_to_the_formulas_of_pycox():
    """Kvamme and Borgan's forms: a cumulative sum of cross entropies, and of masses."""
    logits, event, interval = rows()
    at = np.maximum(interval, 0)
    own = (np.arange(4) == at[:, None]) * event[:, None]
    cross = np.logaddexp(0, logits) - own * logits
    pycox = np.where(interval < 0, 0, np.cumsum(cross, 1)[np.arange(30), at]).mean()
    np.testing.assert_allclose(logistic_hazard_loss(logits, event, interval), pycox, rtol=1e-10)

    padded = np.pad(logits, ((0, 0), (0, 1)))
    top = padded.max(1, keepdims=True)
    e = np.exp(padded - top)
    until = np.where(interval < 0, 0, np.cumsum(e, 1)[np.arange(30), at])
    pycox = np.where(
        event == 1,
        -logits[np.arange(30), at] + top[:, 0] + np.log(e.sum(1)),
        -np.log(e.sum(1) - until) + np.log(e.sum(1)),
    )
    np.testing.assert_allclose(pmf_loss(logits, event, interval), pycox.mean(), rtol=1e-10)


@pytest.mark.parametrize("causes", [0, 2])
@pytest.mark.usefixtures("x64")
def test_the_ranking_term_is_its_sum_over_pairs(causes):
    logits, event, interval = rows(causes=causes)
    f = np.cumsum(hazards_and_masses(logits)[1], 2)
    for weights in (np.ones(30), 1.0 + np.arange(30) % 3):
        rank = 0.0
        for i in np.flatnonzero(event):
            c, k = event[i] - 1, interval[i]
            for j in range(30):
                if interval[j] > k or (interval[j] == k and event[j] == 0):
                    pair = weights[i] * weights[j]
                    rank += pair * np.exp((f[j, c, k] - f[i, c, k]) / 0.2)
        given = {"weights": weights, "sigma": 0.2}
        found = pmf_loss(logits, event, interval, ranking=0.7, **given)
        found = found - pmf_loss(logits, event, interval, **given)
        np.testing.assert_allclose(found, 0.7 * rank / weights.sum() ** 2, rtol=1e-10)


@pytest.mark.parametrize("causes", [0, 2])
@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.usefixtures("x64")
def test_derivatives(name, causes):
    logits, event, interval = rows(n=8, causes=causes)
    options = {"weights": np.arange(1.0, 9), "where": np.arange(8) != 3, "entry": np.arange(8) % 2}
    if name == "pmf":
        options["ranking"] = 0.5
    check_grads(lambda x: LOSSES[name](x, event, interval, **options), (logits,), 2)


@pytest.mark.parametrize("size", [1.0, 40.0, 300.0])
@pytest.mark.parametrize("causes", [0, 3])
@pytest.mark.parametrize("name", LOSSES)
def test_float32_is_stable(name, causes, size):
    logits, event, interval = rows(causes=causes)
    logits = (size * logits).astype(np.float32)
    loss = jax.jit(jax.value_and_grad(lambda x: LOSSES[name](x, event, interval)))
    value, slope = loss(jnp.asarray(logits))
    with jax.enable_x64(True):
        right, exact = jax.value_and_grad(lambda x: LOSSES[name](x, event, interval))(
            jnp.asarray(logits, float)
        )
    np.testing.assert_allclose(value, right, rtol=1e-5)
    np.testing.assert_allclose(slope, exact, atol=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_rows_that_are_not_there_change_nothing(name):
    logits, event, interval = rows()
    here = np.arange(30) % 3 > 0
    odd = jnp.where(here[:, None], logits, jnp.nan)
    loss = jax.value_and_grad(lambda x, w: LOSSES[name](x, event, interval, where=w))
    value, slope = loss(odd, here)
    alone = LOSSES[name](logits[here], event[here], interval[here])
    np.testing.assert_allclose(value, alone, rtol=1e-6)
    assert (np.asarray(slope)[~here] == 0).all()
    value, slope = jax.jit(loss)(jnp.asarray(logits), jnp.zeros(30, bool))
    assert value == 0
    assert (np.asarray(slope) == 0).all()


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.usefixtures("x64")
def test_a_row_cut_in_two_is_one_row(name):
    logits, event, interval = rows()
    middle = np.maximum(interval // 2, 0)  # entry at this interval, censored before it
    whole = LOSSES[name](logits, event, interval, reduction="sum")
    first = LOSSES[name](logits, 0 * event, middle - 1, reduction="sum")
    second = LOSSES[name](logits, event, interval, entry=middle, reduction="sum")
    np.testing.assert_allclose(first + second, whole, rtol=1e-12)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.integers(1, 12), st.booleans())
def test_the_grid_has_equal_shares(seed, intervals, ties):
    rng = np.random.default_rng(seed)
    time = rng.exponential(5, 60) + 0.01
    time = np.ceil(time) if ties else time
    event = rng.random(60) < 0.7
    distinct = np.unique(time[event])
    if distinct.size < intervals:
        with pytest.raises(InputError, match=f"{intervals} intervals are more than the distinct"):
            event_quantile_grid(event, time, intervals)
        return
    ends = event_quantile_grid(event, time, intervals)
    assert ends.size == intervals
    assert (np.diff(ends, prepend=0) > 0).all()
    assert ends[-1] == distinct[-1]
    assert np.isin(ends, distinct).all()
    if not ties:
        found = np.bincount(discretise(event, time, ends).interval[event], minlength=intervals)
        assert found.max() - found.min() <= 1


def test_the_grid_of_weights_masks_and_as_many_intervals_as_times():
    time, event = np.array([0.0, 1, 1, 1, 1, 2, 3, 8]), np.array([1, 1, 1, 1, 1, 1, 1, 0])
    assert event_quantile_grid(event, time, 3).tolist() == [1, 2, 3]
    assert event_quantile_grid(event, time, 2).tolist() == [1, 3]
    assert event_quantile_grid(2 * event, time, 2).tolist() == [1, 3]  # codes of causes
    weights = np.array([1, 0.25, 0.25, 0.25, 0.25, 1, 2, 1])
    assert event_quantile_grid(event, time, 2, weights=weights).tolist() == [2, 3]
    assert event_quantile_grid(event, time, 1, where=time < 2).tolist() == [1]
    with pytest.raises(InputError, match="there are 2"):
        event_quantile_grid(event, time, 3, where=time != 2)


def test_outcomes_in_intervals():
    time = np.array([0.5, 1.0, 1.5, 5.0, 5.5, 0.0, 1.0, 1.5, 4.0, 9.0, 0.1 + 0.2])
    event = np.array([1, 1, 2, 1, 2, 0, 0, 0, 0, 0, 1])
    entry = np.array([0.0, 0, 1, 4.5, 5, 0, 0.5, 1.0, 0, 8.0, 0])
    found = discretise(event, time, ENDS)
    assert found.event.tolist() == [1, 1, 2, 1, 0, 0, 0, 0, 0, 0, 1]
    assert found.interval.tolist() == [0, 0, 1, 3, 3, -1, 0, 0, 2, 3, 0]
    assert found.entry is None
    keep = time > entry
    late = discretise(event[keep], time[keep], ENDS, entry=entry[keep])
    assert np.array(late.entry).tolist() == [0, 0, 1, 3, 4, 0, 1, 0, 4, 0]
    # 0.1 + 0.2 is 0.3, the end of an interval
    assert discretise([1], [0.1 + 0.2], [0.3, 1.0]).interval.tolist() == [0]
    logits = np.zeros((keep.sum(), 2, 4))
    assert np.isfinite(pmf_loss(logits, *late[:2], entry=late.entry))


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("causes", [0, 3])
def test_with_shares_the_censored_have_the_likelihood_of_the_curves(causes):
    """-log S(t) at any time of censoring; events and who is censored at an end lose nothing without."""
    rng = np.random.default_rng(5)
    logits = rng.normal(size=(40, causes, 4) if causes else (40, 4))
    time = np.append(rng.uniform(0, 5, 36), [1.0, 2.0, 5.0, 9.0])
    outcome = discretise(np.zeros(40, int), time, ENDS)
    share = np.asarray(outcome.share)
    each = [
        logistic_hazard_loss(
            logits[[i]], *(a[[i]] for a in outcome[:2]), share=share[[i]], reduction="sum"
        )
        for i in range(40)
    ]
    curves = logistic_hazard_survival(logits, ENDS, np.unique(time))
    at = np.searchsorted(np.unique(time), time)
    np.testing.assert_allclose(np.exp(-np.array(each)), curves[np.arange(40), at], rtol=1e-9)
    assert (share[36:] == 0).all()
    died = discretise(np.ones(40, int), np.minimum(time + 1e-9, 5), ENDS)
    assert (np.asarray(died.share) == 0).all()


def test_without_shares_hazards_of_wide_intervals_are_too_large():
    """A constant hazard of 1, and censoring up to the last end: with shares the rate is found."""
    rng = np.random.default_rng(0)
    event_at, end = rng.exponential(1, 20_000), rng.uniform(0, 1.0, 20_000)
    time, event = np.minimum(event_at, end), (event_at <= end).astype(int)
    outcome = discretise(event, time, np.array([0.25, 0.5, 0.75, 1.0]))

    def best(**columns):
        def loss(f):
            logits = jnp.zeros((20_000, 4)) + f[None]
            return logistic_hazard_loss(logits, outcome.event, outcome.interval, **columns)

        f = jnp.zeros(4)
        for _ in range(60):  # Newton's steps of a separable problem
            slope, bend = jax.grad(loss)(f), jax.grad(lambda g: jnp.sum(jax.grad(loss)(g)))(f)
            f = f - slope / bend
        return np.log1p(np.exp(f)) / 0.25

    np.testing.assert_allclose(best(share=outcome.share), 1, atol=0.12)
    assert best()[-1] > 2


@pytest.mark.usefixtures("x64")
def test_the_best_constant_hazards_are_a_kaplan_meier_curve():
    """One set of logits for all: the maximum of the likelihood is events / at risk."""
    rng = np.random.default_rng(0)
    time, event = rng.integers(1, 6, 200).astype(float), rng.random(200) < 0.6
    ends = np.arange(1.0, 6)
    found = discretise(event, time, ends)
    at_risk = np.array([(time >= t).sum() for t in ends])
    hazard = np.array([(event & (time == t)).sum() for t in ends]) / at_risk
    best = np.log(hazard / (1 - hazard))

    def loss(b):
        return logistic_hazard_loss(jnp.broadcast_to(b, (200, 5)), found.event, found.interval)

    np.testing.assert_allclose(jax.grad(loss)(jnp.asarray(best)), 0, atol=1e-12)
    curve = logistic_hazard_survival(best[None], ends, ends)
    np.testing.assert_allclose(curve[0], kaplan_meier(event, time)(ends), rtol=1e-10)


@pytest.mark.parametrize("causes", [0, 1, 3])
@pytest.mark.usefixtures("x64")
def test_curves(causes):
    logits, _, _ = rows(causes=causes)
    hazard, mass = hazards_and_masses(logits)
    alive = np.cumprod(1 - hazard.sum(1), 1)
    np.testing.assert_allclose(logistic_hazard_survival(logits, ENDS, ENDS), alive, rtol=1e-12)
    np.testing.assert_allclose(
        pmf_survival(logits, ENDS, ENDS), 1 - np.cumsum(mass.sum(1), 1), rtol=1e-12
    )
    before = np.pad(alive, ((0, 0), (1, 0)), constant_values=1)[:, :-1]
    own = np.cumsum(before[:, None] * hazard, 2)
    np.testing.assert_allclose(logistic_hazard_incidence(logits, ENDS, ENDS), own, rtol=1e-12)
    np.testing.assert_allclose(pmf_incidence(logits, ENDS, ENDS), np.cumsum(mass, 2), rtol=1e-12)
    times = np.array([0.0, 0.3, 1.0, 1.7, 3.0, 4.99, 5.0, 80.0, np.inf, -1.0])
    for survival, incidence in (
        (logistic_hazard_survival, logistic_hazard_incidence),
        (pmf_survival, pmf_incidence),
    ):
        s, f = survival(logits, ENDS, times), incidence(logits, ENDS, times)
        np.testing.assert_allclose(s + f.sum(1), 1, rtol=1e-12)
        assert (s[:, 0] == 1).all() & (s[:, -1] == 1).all()
        assert (np.diff(s[:, :7], axis=1) <= 1e-15).all()
        assert (np.diff(f[:, :, :7], axis=2) >= -1e-15).all()
        np.testing.assert_array_equal(s[:, 6:9], s[:, [6, 6, 6]])
        np.testing.assert_allclose(jax.jit(lambda t, s=survival: s(logits, ENDS, t))(times), s)
    # halfway: the root of the hazard's survival, the mean of the distribution's
    at = logistic_hazard_survival(logits, ENDS, np.array([2.0, 3.0, 4.0])).T
    np.testing.assert_allclose(at[1], np.sqrt(at[0] * at[2]), rtol=1e-12)
    at = pmf_survival(logits, ENDS, np.array([2.0, 3.0, 4.0])).T
    np.testing.assert_allclose(at[1], (at[0] + at[2]) / 2, rtol=1e-12)


def test_curves_of_extreme_logits_are_finite():
    logits = np.array([[300.0, -300, 0, 0], [-300, -300, -300, -300], [300, 300, 300, 300]])
    for curve in (logistic_hazard_survival, pmf_survival):
        s = np.asarray(curve(logits.astype(np.float32), ENDS, np.linspace(0, 6, 20)))
        assert np.isfinite(s).all()
        assert ((s >= -1e-6) & (s <= 1)).all()


REFUSED = {
    "a cause too many": ((0, 5, 2), "event has the cause 2 in row 5, but logits .* have 1"),
    "an interval too far": (
        (1, 5, 4),
        r"interval must be .* 0 to 3, got 4 in row 5; see discretise",
    ),
    "an event before all": ((1, 1, -1), "interval must be .* got -1 in row 1"),
    "half an interval": ((1, 5, 0.5), "interval must be .* got 0.5 in row 5"),
    "an entry too far": ((2, 5, 5), "entry must be .* got 5 in row 5"),
    "a negative entry": ((2, 5, -1), "entry must be .* got -1 in row 5"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("name", LOSSES)
def test_what_no_grid_has_is_refused(name, case):
    logits, event, interval = rows()
    event[[1, 5]], interval[[1, 5]] = 1, 1
    (argument, row, bad), message = REFUSED[case]
    columns = [event.astype(float), interval.astype(float), np.zeros(30)]
    columns[argument][row] = bad
    with pytest.raises(InputError, match=message):
        LOSSES[name](logits, columns[0], columns[1], entry=columns[2])


def test_other_refusals():
    logits, event, interval = rows()
    with pytest.raises(InputError, match=r"logits must have shape \[n, intervals\] or"):
        pmf_loss(logits[:, 0], event, interval)
    with pytest.raises(InputError, match="reduction must be one of"):
        pmf_loss(logits, event, interval, reduction="none")
    with pytest.raises(InputError, match="sigma must be > 0"):
        pmf_loss(logits, event, interval, sigma=0.0)
    with pytest.raises(InputError, match="ranking must be a finite number >= 0"):
        pmf_loss(logits, event, interval, ranking=-1.0)
    with pytest.raises(InputError, match="share must be between 0 and 1"):
        logistic_hazard_loss(logits, event, interval, share=np.full(30, 1.5))
    with pytest.raises(InputError, match="share"):
        logistic_hazard_loss(logits, event, interval, share=np.full(29, 0.5))
    with pytest.raises(InputError, match="ends must be ascending"):
        discretise(event, 1.0 + np.arange(30), [2.0, 1.0])
    with pytest.raises(InputError, match="ends must be > 0"):
        discretise(event, 1.0 + np.arange(30), [0.0, 1.0])
    with pytest.raises(InputError, match="ends is empty"):
        discretise(event, 1.0 + np.arange(30), [])
    for curve in (logistic_hazard_survival, pmf_incidence):
        with pytest.raises(InputError, match=r"logits must have shape \[n, 3\]"):
            curve(logits, ENDS[:3], ENDS)
        with pytest.raises(InputError, match="times has NaN in row 0"):
            curve(logits, ENDS, [np.nan])
        with pytest.raises(InputError, match="logits has NaN"):
            curve(np.full((1, 4), np.nan), ENDS, ENDS)


def test_the_ranking_term_compares_an_event_with_rows_that_have_entered():
    rng = np.random.default_rng(0)
    logits, event, interval = (
        rng.normal(size=(12, 6)),
        rng.integers(0, 2, 12),
        rng.integers(1, 6, 12),
    )
    at = rng.integers(0, interval)  # cut in two, of which the first survives these intervals
    whole = pmf_loss(logits, event, interval, entry=0 * at, ranking=1.0, reduction="sum")
    cut = pmf_loss(
        np.concatenate([logits, logits]), np.append(0 * event, event), np.append(at, interval),
        entry=np.append(0 * at, at + 1), ranking=2.0, reduction="sum",
    )  # fmt: skip
    np.testing.assert_allclose(cut, whole, rtol=1e-5)  # the term is divided by the number of rows
