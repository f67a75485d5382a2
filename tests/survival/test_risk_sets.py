"""Risk sets: what is sorted and counted, once, and what is refused."""

import jax
import numpy as np
import pytest

from jaxsurv.survival import neg_log_partial_likelihood, prepare_risk_sets, restrict, subset
from jaxsurv.survival.delayed_entry import log_at_risk, log_before
from jaxsurv.types import InputError

EVENT = np.array([1, 1, 0, 1, 1, 0])
TIME = np.array([5.0, 2.0, 2.0, 2.0, 7.0, 1.0])


def test_positions_and_efron_fractions():
    rs = prepare_risk_sets(EVENT, TIME, weights=np.array([1.0, 2.0, 1.0, 4.0, 1.0, 1.0]))
    assert rs.order.tolist() == [5, 1, 3, 2, 0, 4]  # events before the censored of the same time
    assert rs.start.tolist() == [0, 1, 1, 1, 4, 5]
    assert rs.rest.tolist() == [0, 3, 3, 3, 5, 6]
    assert rs.last.tolist() == [-1, 2, 2, 2, 4, 5]
    assert rs.earlier.tolist() == [-1, 0, 0, 2, 3, 4]
    assert rs.fraction.tolist() == [0, 0, 0.5, 0, 0, 0]
    assert rs.mean_weight.tolist() == [0, 3, 3, 0, 1, 1]
    assert (float(rs.total), bool(rs.tied)) == (8, True)
    np.testing.assert_array_equal(np.asarray(rs.order)[rs.position], np.arange(6))


def test_float64_times_are_not_rounded_before_ties_are_found():
    time = np.array([1e8, 1e8 + 1, 1e8 + 2])
    assert len(set(time.astype(np.float32))) == 1
    assert prepare_risk_sets(np.ones(3), time).start.tolist() == [0, 1, 2]


def test_restricting_is_preparing_with_a_mask():
    weights = np.array([1.0, 2.0, 1.0, 4.0, 1.0, 1.0])
    where = np.array([True, False, True, True, True, True])
    for options in ({}, {"strata": np.array([0, 0, 1, 0, 1, 1])}, {"entry": TIME - 1.5}):
        options["weights"] = weights
        at_once = prepare_risk_sets(EVENT, TIME, where=where, **options)
        later = restrict(prepare_risk_sets(EVENT, TIME, **options), where)
        jax.tree.map(np.testing.assert_array_equal, at_once, later)
    assert not later.tied  # of the two tied events one has left


@pytest.mark.parametrize("column", ["none", "strata", "entry", "weights"])
def test_a_subset_is_prepared_without_a_sort(column):
    rng = np.random.default_rng(0)
    event, time = rng.integers(0, 2, 30), rng.integers(1, 8, 30) / 2
    options = {
        "none": {},
        "strata": {"strata": rng.integers(0, 3, 30)},
        "entry": {"entry": time - rng.integers(1, 5, 30) / 4},
        "weights": {"weights": rng.integers(0, 3, 30)},
    }[column]
    rs = prepare_risk_sets(event, time, **options)
    positions = np.sort(rng.choice(30, 13, replace=False))
    positions = np.append(positions, [29, 29])  # only fills up
    where = (np.arange(15) < 13) & (np.arange(15) != 4)
    rows = np.asarray(rs.order)[positions]
    options = {name: values[rows] for name, values in options.items()}
    expected = prepare_risk_sets(event[rows], time[rows], where=where, presorted=True, **options)
    taken = jax.jit(subset)(rs, positions, where)
    jax.tree.map(np.testing.assert_array_equal, taken, expected)
    if column != "entry":
        assert " sort[" not in str(jax.make_jaxpr(subset)(rs, positions, where))


def test_traced_outcomes_are_prepared_alike():
    options = {"strata": np.array([0, 0, 1, 0, 1, 1]), "entry": TIME - 1.5}
    outside = prepare_risk_sets(EVENT, TIME, **options)
    inside = jax.jit(lambda e, t, o: prepare_risk_sets(e, t, **o))(EVENT, TIME, options)
    jax.tree.map(np.testing.assert_array_equal, inside, outside)


def test_presorted_rows_need_no_permutation():
    rs = prepare_risk_sets(EVENT, TIME)
    event, time = EVENT[rs.order], TIME[rs.order]
    presorted = prepare_risk_sets(event, time, presorted=True)
    assert presorted.order is None
    e = np.arange(6, dtype=np.float32)
    np.testing.assert_array_equal(
        neg_log_partial_likelihood(e[rs.order], risk_sets=presorted),
        neg_log_partial_likelihood(e, risk_sets=rs),
    )
    with pytest.raises(InputError, match="presorted rows must be in the order"):
        prepare_risk_sets(EVENT, TIME, presorted=True)


def test_exact_ties_need_known_unweighted_outcomes():
    assert prepare_risk_sets(EVENT, TIME).max_ties is None
    assert prepare_risk_sets(np.ones(5), np.ones(5), exact=True).max_ties == 8
    with pytest.raises(InputError, match="not defined with weights"):
        prepare_risk_sets(EVENT, TIME, weights=TIME, exact=True)
    with pytest.raises(InputError, match="outside jit"):
        jax.jit(lambda t: prepare_risk_sets(EVENT, t, exact=True).total)(TIME)


@pytest.mark.parametrize("n", [1, 2, 7, 60])
@pytest.mark.usefixtures("x64")
def test_delayed_entry_sums_and_their_adjoint_against_loops(n):
    rng = np.random.default_rng(n)
    time = rng.integers(1, 12, n).astype(float)
    entry = time - rng.choice([0.5, 2.0, 20.0], n)
    strata, event = rng.integers(0, 3, n), rng.random(n) < 0.7
    rs = prepare_risk_sets(event, time, entry=entry, strata=strata)
    time, entry, strata, event = (a[rs.order] for a in (time, entry, strata, event))
    x = rng.normal(size=n) * 200
    everyone = (
        (strata == strata[:, None]) & (time >= time[:, None]) & (entry < time[:, None])
    )  # at the time of the row, of the column
    others = everyone & ~(event & (time == time[:, None]))
    got = jax.jit(log_at_risk)(rs.intervals, x)
    for mask, sums in zip((everyone, others), got, strict=True):
        expected = np.logaddexp.reduce(np.where(mask, x, -np.inf), axis=1)
        np.testing.assert_allclose(np.asarray(sums)[event], expected[event], rtol=1e-12)

    pulls = np.where(event, rng.normal(size=(2, n)) * 200, -np.inf)
    reached = [
        np.where(m, p[:, None], -np.inf) for m, p in zip((everyone, others), pulls, strict=True)
    ]
    expected = np.logaddexp.reduce(np.concatenate(reached), axis=0)
    np.testing.assert_allclose(jax.jit(log_before)(rs.intervals, *pulls), expected, rtol=1e-12)
