"""Curves against R's survfit, the product of the definition, and themselves under jit."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxsurv.survival import kaplan_meier, nelson_aalen, restricted_mean
from jaxsurv.types import InputError

DATA = ["aml", "gbsg", "heart", "lung", "ovarian", "rats", "veteran"]
BY_HAND = ["therneau_test1", "therneau_test2", "therneau_testw1"]


def numbers_of(values):
    return np.array([np.nan if v is None else v for v in values], float)


def rows_of(table, case, label):
    """Outcome columns of one group: event, time, entry, weights."""
    rows = table
    if case["group"] is not None:
        rows = table[table[case["group"]].astype(str) == label]
    time = "stop" if "stop" in rows else "time"
    entry = rows["start"].to_numpy() if "start" in rows else None
    weights = rows[case["weights"]].to_numpy() if case.get("weights") else None
    return rows["event"].to_numpy(), rows[time].to_numpy(), {"entry": entry, "weights": weights}


@pytest.mark.parametrize("name", DATA + BY_HAND)
@pytest.mark.usefixtures("x64")
def test_curves_equal_r(reference, name):
    table, numbers = reference(name)
    for case in numbers["km"].values():
        for label, expected in case.get("curves", {}).items():
            event, time, options = rows_of(table, case, label)
            hazard = nelson_aalen(event, time, **options)
            at = np.searchsorted(hazard.times, expected["time"])
            if not expected.get("subset_of_times"):
                np.testing.assert_array_equal(hazard.times, expected["time"])
            for ours, theirs in [
                (hazard.cumulative_hazard, "nelson_aalen"),
                (hazard.standard_error, "se_nelson_aalen"),
            ]:
                np.testing.assert_allclose(ours[at], numbers_of(expected[theirs]), rtol=1e-9)
            for conf_type, limits in expected["ci"].items():
                curve = kaplan_meier(event, time, **options, conf_type=conf_type)
                np.testing.assert_allclose(
                    curve.survival[at], expected["surv"], rtol=1e-9, atol=1e-15
                )
                se_log = curve.standard_error[at] / curve.survival[at]
                np.testing.assert_allclose(se_log, numbers_of(expected["se_log_surv"]), rtol=1e-9)
                for side in ("lower", "upper"):
                    theirs = numbers_of(limits[side])
                    # Before the first event R has no log-log interval; ours is [1, 1].
                    theirs = np.where(np.asarray(curve.survival[at]) == 1, 1, theirs)
                    np.testing.assert_allclose(
                        getattr(curve, side)[at], theirs, rtol=1e-9, atol=1e-15
                    )


@pytest.mark.parametrize("name", ["aml", "gbsg", "lung", "ovarian", "rats", "veteran"])
@pytest.mark.usefixtures("x64")
def test_quantiles_and_restricted_means_equal_r(reference, name):
    table, numbers = reference(name)
    for key in ("summary_overall", "summary_by_group"):
        case = numbers["km"][key]
        for k, label in enumerate(case["labels"]):
            event, time, _ = rows_of(table, case, label)
            curve = kaplan_meier(event, time, conf_type=case["conf_type"])
            quantile = curve.quantile(np.array(case["probs"]))
            np.testing.assert_allclose(quantile.time, numbers_of(case["quantile"][k]), rtol=1e-12)
            np.testing.assert_allclose(
                quantile.lower, numbers_of(case["quantile_lower"][k]), rtol=1e-12
            )
            upper = numbers_of(case["quantile_upper"][k])
            if (name, key) == ("aml", "summary_overall"):
                # The upper limit is not monotone here: it first falls below 1/2 at 45, where R,
                # which sorts it, says 48.
                upper[1] = 45
            np.testing.assert_allclose(quantile.upper, upper, rtol=1e-12)
            mean = restricted_mean(curve, case["rmst_tau"])
            np.testing.assert_allclose(mean.mean, case["rmst"][k], rtol=1e-9)
            np.testing.assert_allclose(
                mean.standard_error, case["rmst_se"][k], rtol=1e-9, atol=1e-15
            )


@st.composite
def cohorts(draw):
    n = 20
    time = np.array(draw(st.lists(st.integers(0, 8), min_size=n, max_size=n)), float)
    event = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    weights = np.array(draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)))
    return event, time, weights


GRID = np.arange(-0.5, 10, 0.5)
JITTED = jax.jit(lambda e, t, w: kaplan_meier(e, t, weights=w)(GRID))


@settings(max_examples=50, deadline=None)
@given(cohorts())
def test_product_of_the_definition_replicated_rows_and_jit(cohort):
    event, time, weights = cohort
    rows = np.repeat(np.arange(20), weights)
    if not rows.size:
        return
    e, t = event[rows], time[rows]
    product = [
        np.prod([1 - np.sum(e & (t == u)) / np.sum(t >= u) for u in np.unique(t[e & (t <= s)])])
        for s in GRID
    ]
    np.testing.assert_allclose(kaplan_meier(e, t)(GRID), product, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(JITTED(event, time, weights), product, rtol=1e-5, atol=1e-6)
    masked = kaplan_meier(event, time, where=weights > 0)
    alone = kaplan_meier(event[weights > 0], time[weights > 0])
    np.testing.assert_array_equal(masked.survival, alone.survival)


def test_everything_agrees_under_jit_and_vmap(reference):
    table, _ = reference("heart")
    event, time, entry = (table[k].to_numpy(np.float32) for k in ("event", "stop", "start"))
    masks = np.random.default_rng(0).random((3, len(event))) < 0.7

    def summary(mask):
        curve = kaplan_meier(event, time, entry=entry, where=mask)
        return (
            curve.quantile(np.array([0.25, 0.5])),
            restricted_mean(curve, 300.0),
            curve(GRID * 50),
        )

    together = jax.jit(jax.vmap(summary))(masks)
    for k, mask in enumerate(masks):
        for ours, theirs in zip(
            jax.tree.leaves(together), jax.tree.leaves(summary(mask)), strict=True
        ):
            np.testing.assert_allclose(ours[k], theirs, rtol=1e-4)


def test_a_million_steps_keep_their_digits_in_float32():
    n = 200_000
    curve = jax.jit(kaplan_meier)(np.ones(n), np.arange(n, dtype=np.float32))
    np.testing.assert_allclose(
        curve.survival[::1000], 1 - (np.arange(n) + 1)[::1000] / n, rtol=2e-5
    )


def test_refusals():
    event, time = np.array([1, 0, 0]), np.array([1.0, 2.0, 3.0])
    with pytest.raises(InputError, match="tau = 4 is beyond the data, which end at 3"):
        restricted_mean(kaplan_meier(event, time), 4.0)
    with pytest.raises(InputError, match="conf_type must be log-log, log or plain, got 'loglog'"):
        kaplan_meier(event, time, conf_type="loglog")
    with pytest.raises(InputError, match=r"time must have shape \[n\], got \[3, 1\]"):
        nelson_aalen(event, time[:, None])
    done = kaplan_meier(np.ones(3), time)
    assert float(restricted_mean(done, 9.0).mean) == 2
