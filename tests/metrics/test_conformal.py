"""Conformal lower bounds hold as often as they say, however wrong the curves are."""

import numpy as np
import pytest

from jaxsurv.metrics import conformal_lower_bound, follow_up_cutoff
from jaxsurv.survival import cox_fit, survival_function
from jaxsurv.types import InputError


def drawn(rng, n, dependent):
    x = rng.normal(size=n)
    rate, censored = np.exp(x), np.exp(0.8 * x * dependent) / 2
    life, follow_up = rng.exponential(1 / rate), rng.exponential(1 / censored)
    return x, rate, (life <= follow_up).astype(int), np.minimum(life, follow_up)


def curve(x, t, slope):
    """Of a model that is wrong: too flat, and with a shape."""
    return np.exp(-np.exp(slope * x) * np.asarray(t) ** 1.3)


def coverage(rng, *, dependent, conditional, slope=0.5, level=0.95, m=300):
    x, _, event, time = drawn(rng, m, dependent)
    new, rate, *_ = drawn(rng, 200, dependent)
    c = follow_up_cutoff(event, time)
    u, grid = np.minimum(time, c), np.linspace(1e-3, c, 400)
    options = {}
    if conditional:
        fit = cox_fit(x[:, None], 1 - event, time)
        at = survival_function(fit.baseline, x * fit.coef[0], np.sort(u))
        own = np.searchsorted(np.sort(u), u)
        options["censoring_at_t"] = np.asarray(at)[np.arange(m), own]
        options["censoring"] = survival_function(fit.baseline, new * fit.coef[0], grid)
    bound = conformal_lower_bound(
        curve(new[:, None], grid[None], slope), grid, survival_at_t=curve(x, u, slope),
        event=event, time=time, cutoff=c, level=level, **options,
    )  # fmt: skip
    assert ((bound >= 0) & (bound <= c)).all()
    return np.mean(np.exp(-rate * bound))  # the chance of living longer, exactly


@pytest.mark.slow
@pytest.mark.parametrize("dependent", [False, True])
def test_95_percent_outlive_their_bounds(dependent):
    rng = np.random.default_rng(7)
    found = [coverage(rng, dependent=dependent, conditional=dependent) for _ in range(200)]
    assert 0.94 < np.mean(found) < 0.965
    if not dependent:  # whatever the model
        useless = [coverage(rng, dependent=False, conditional=False, slope=-1) for _ in range(60)]
        assert 0.94 < np.mean(useless) < 0.97


def test_without_censoring_it_is_the_split_conformal_bound():
    rng = np.random.default_rng(1)
    time, score = rng.exponential(1, 19), rng.random(19)
    grid = np.linspace(0.1, 4, 40)
    curves = np.exp(-np.outer([0.5, 1, 2], grid))
    time[0] = 4.0
    columns = {"survival_at_t": score, "event": np.ones(19), "time": time, "cutoff": 4.0}
    bound = conformal_lower_bound(curves, grid, level=0.9, **columns)
    eta = np.sort(score)[17]  # the 0.9 (19 + 1) = 18th smallest
    expected = [grid[s > eta].max(initial=0) for s in curves]
    np.testing.assert_allclose(bound, expected)
    assert (conformal_lower_bound(curves, grid, level=0.99, **columns) == 0).all()  # too few


def test_a_higher_level_is_lower_and_the_unit_does_not_matter():
    rng = np.random.default_rng(2)
    x, _, event, time = drawn(rng, 80, 0)
    c = follow_up_cutoff(event, time)
    grid = np.linspace(0.01, c, 50)
    columns = {"survival_at_t": curve(x, np.minimum(time, c), 1), "event": event}
    s = curve(x[:, None], grid[None], 1)
    low, high = (
        conformal_lower_bound(s, grid, time=time, cutoff=c, level=level, **columns)
        for level in (0.95, 0.6)
    )
    assert (low <= high).all()
    assert (low < high).any()
    days = conformal_lower_bound(s, 365 * grid, time=365 * time, cutoff=365 * c, **columns)
    np.testing.assert_allclose(days, 365 * low)
    assert follow_up_cutoff(event, 365 * time) == pytest.approx(365 * c)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"cutoff": 9.0}, "cutoff 9 is beyond the follow-up, which ends at 3"),
        ({"cutoff": 0.0}, "or not > 0"),
        ({"level": 1.0}, "level must be"),
        ({"censoring_at_t": np.ones(3)}, "both or none"),
        ({"censoring_at_t": np.zeros(3), "censoring": np.ones((2, 2))}, "above 0 and at most"),
        ({"censoring_at_t": np.ones(3), "censoring": np.ones((3, 2))}, "must be as survival"),
        ({"survival": np.ones((2, 3))}, r"survival must have shape \[n, 2\]"),
        ({"event": np.array([1, 2, 0])}, "event must be 0"),
        ({"time": np.array([1.0, np.nan, 2.0])}, "time"),
        ({"times": np.array([2.0, 1.0])}, "times"),
    ],
)
def test_bad_input_is_refused(changed, message):
    given = {
        "survival": np.ones((2, 2)) / 2, "times": np.array([1.0, 2.0]), "survival_at_t": np.ones(3) / 2,
        "event": np.array([1, 0, 1]), "time": np.array([1.0, 2.0, 3.0]), "cutoff": 2.0,
    } | changed  # fmt: skip
    with pytest.raises(InputError, match=message):
        conformal_lower_bound(**given)
