"""The censoring curve against its definition, and what it says where it is 0."""

import jax
import numpy as np
import pytest

from jaxsurv.survival import censoring_curve, kaplan_meier
from jaxsurv.survival.censoring import inverse_censoring_weights
from jaxsurv.types import InputError


def test_events_come_before_censorings_at_one_time():
    rng = np.random.default_rng(0)
    event, time = rng.random(60) < 0.5, rng.integers(1, 12, 60)
    curve = censoring_curve(event, time)
    g = 1.0
    for t in np.unique(time):
        np.testing.assert_allclose(curve.before(np.array([t])), g, rtol=1e-12)
        g *= 1 - np.sum(~event & (time == t)) / (np.sum(time >= t) - np.sum(event & (time == t)))
    np.testing.assert_allclose(curve.survival[-1], g, atol=1e-15)
    # Moved a little later, the censorings are the events of an ordinary Kaplan-Meier curve.
    later = np.where(event, time, time + 0.5)
    np.testing.assert_allclose(
        curve.before(np.arange(1.0, 14)),
        kaplan_meier(~event, later)(np.arange(1.0, 14)),
        atol=1e-15,
    )


def test_survival_times_censoring_is_the_share_at_risk():
    rng = np.random.default_rng(1)
    event, time = rng.random(40) < 0.5, rng.integers(1, 20, 40)
    t = np.unique(time)
    alive = kaplan_meier(event, time)(t - 0.5)
    at_risk = np.mean(time[:, None] >= t, 0)
    np.testing.assert_allclose(alive * censoring_curve(event, time).before(t), at_risk, rtol=1e-12)


def test_masks_and_weights_under_jit():
    rng = np.random.default_rng(2)
    event, time, where = rng.random(30) < 0.5, rng.integers(1, 9, 30), rng.random(30) < 0.7
    t = np.arange(1.0, 9)
    alone = censoring_curve(event[where], time[where]).before(t)
    traced = jax.jit(lambda w: censoring_curve(event, time, where=w).before(t))(where)
    weighted = jax.jit(lambda w: censoring_curve(event, time, weights=w).before(t))(where)
    np.testing.assert_allclose(traced, alone, rtol=1e-5)
    np.testing.assert_allclose(weighted, alone, rtol=1e-5)


def test_weights_beyond_the_follow_up_are_refused_or_nan():
    event, time = np.array([1, 0]), np.array([1.0, 2.0])
    late, needed = np.array([1.0, 3.0]), np.array([True, True])
    with pytest.raises(
        InputError, match=r"time 3 is beyond .* ends at 2: the censoring estimate is 0"
    ):
        inverse_censoring_weights(censoring_curve(event, time), late, needed)
    weights = jax.jit(lambda e, t: inverse_censoring_weights(censoring_curve(e, t), late, needed))
    np.testing.assert_array_equal(weights(event, time), [1, np.nan])
