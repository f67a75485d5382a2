"""The time-dependent concordance against its definition and against Harrell's C."""

import jax
import numpy as np
import pytest

from jaxsurv.metrics import antolini, concordance_index, concordance_td
from jaxsurv.types import InputError


def crossing_curves(rng, n, times):
    shape, scale = rng.uniform(0.5, 3, (n, 1)), rng.uniform(5, 20, (n, 1))
    return np.exp(-((times / scale) ** shape)).round(2)


@pytest.mark.parametrize("chunk", [1 << 22, 200])
def test_equals_the_double_loop(monkeypatch, chunk):
    monkeypatch.setattr(antolini, "_CHUNK", chunk)
    jax.clear_caches()
    rng = np.random.default_rng(0)
    n, times = 60, np.array([2.0, 5, 9, 14])
    curves, where = crossing_curves(rng, n, times), rng.random(n) < 0.8
    event, time = rng.random(n) < 0.6, rng.integers(1, 20, n)
    half = total = same = 0.0
    for i in range(n):
        k = np.searchsorted(times, time[i], side="right") - 1
        s = curves[:, k] if k >= 0 else np.ones(n)
        for j in range(n):
            later = time[j] > time[i] or (time[j] == time[i] and not event[j])
            if event[i] and later and where[i] and where[j]:
                half += (s[i] < s[j]) + 0.5 * (s[i] == s[j])
                same += s[i] == s[j]
                total += 1
    c = concordance_td(curves, times, event, time, where=where)
    np.testing.assert_allclose(c.index, half / total, rtol=1e-6)
    assert (c.tied_risk, c.concordant + c.discordant + c.tied_risk) == (same, total)
    traced = jax.jit(jax.vmap(concordance_td, in_axes=(0, None, None, None)))(
        curves[None], times, event, time
    )
    alone = concordance_td(curves, times, event, time)
    np.testing.assert_allclose([x[0] for x in traced[:7]], alone[:7], rtol=1e-5)


@pytest.mark.usefixtures("x64")
def test_is_harrell_if_the_curves_do_not_cross(reference):
    table, _ = reference("lung")
    risk, event, time = (table[k].to_numpy() for k in ("risk_tied", "event", "time"))
    times = np.unique(time)
    curves = np.exp(-np.outer(np.exp(0.3 * risk), 1e-3 * times))
    ours, harrell = concordance_td(curves, times, event, time), concordance_index(risk, event, time)
    np.testing.assert_allclose(ours[:7], harrell[:7], rtol=1e-12)
    np.testing.assert_allclose(ours.influence, harrell.influence, atol=1e-15)


def test_refusals():
    good = np.full((3, 2), 0.5), np.array([1.0, 2.0]), np.ones(3), np.arange(3.0)
    for position, bad, message in [
        (0, np.full((2, 3), 0.5), r"survival must have shape \[n, t\] = \[3, 2\], .* got \[2, 3\]"),
        (0, np.full((3, 2), 1.5), "survival must be in .*; NaN or outside in rows 0, 1, 2"),
        (1, np.array([2.0, 1.0]), "times must be ascending, without repeats"),
        (3, np.zeros(3), "no comparable pair"),
    ]:
        with pytest.raises(InputError, match=message):
            concordance_td(*good[:position], bad, *good[position + 1 :])
