"""Uno's C against R and scikit-survival, its aim, and its refusals."""

import jax
import numpy as np
import pytest

from jaxsurv.metrics import concordance_index, concordance_index_ipcw
from jaxsurv.types import InputError


@pytest.mark.parametrize("name", ["aml", "lung", "rats", "veteran"])
@pytest.mark.usefixtures("x64")
def test_equals_r_when_training_and_test_patients_are_the_same(reference, name):
    table, numbers = reference(name)
    outcome = table["event"].to_numpy(), table["time"].to_numpy()
    for case in ("fixed", "tied", "fixed_ymax"):
        expected = numbers["concordance"][case]
        values = expected["by_timewt"]["n/G2"]
        c = concordance_index_ipcw(
            table[expected["score"]].to_numpy(),
            *outcome,
            train_event=outcome[0],
            train_time=outcome[1],
            tau=expected["ymax"],
        )
        np.testing.assert_allclose(c.index, values["c_index"], rtol=1e-9)
        np.testing.assert_allclose(
            c.standard_error, values["se_infinitesimal_jackknife"], rtol=1e-9
        )


@pytest.mark.usefixtures("x64")
def test_equals_scikit_survival_without_tied_times(reference):
    # scikit-survival 0.28.0: G(t) instead of G(t-), events before tau: the same where no event is
    # tied with a censoring or is at tau.
    table, numbers = reference("ovarian")
    event, time = table["event"].to_numpy(), table["time"].to_numpy()
    for score in ("risk_fixed", "risk_tied"):
        for key in ("concordance_index_ipcw_tau_none", "concordance_index_ipcw_tau"):
            theirs = numbers["scikit_survival"][score][key]
            c = concordance_index_ipcw(
                table[score].to_numpy(),
                event,
                time,
                train_event=event,
                train_time=time,
                tau=theirs["tau"],
            )
            np.testing.assert_allclose(c.index, theirs["c_index"], rtol=1e-9)


def test_other_training_patients_against_the_double_loop_and_under_vmap():
    rng = np.random.default_rng(0)
    train_event, train_time = rng.random(50) < 0.5, rng.integers(1, 30, 50)
    risk, event, time = rng.random(40), rng.random(40) < 0.6, rng.integers(1, 25, 40)
    where, tau = rng.random(40) < 0.8, 20
    g = np.ones(31)
    for t in range(30):
        late = train_time >= t
        left = np.sum(late) - np.sum(train_event & (train_time == t))
        g[t + 1] = g[t] * (1 - np.sum(~train_event & (train_time == t)) / max(left, 1))
    ahead = total = 0.0
    for i in range(40):
        for j in range(40):
            later = time[j] > time[i] or (time[j] == time[i] and not event[j])
            if event[i] and later and time[i] <= tau and where[i] and where[j]:
                ahead += (risk[i] > risk[j]) / g[time[i]] ** 2
                total += 1 / g[time[i]] ** 2

    def uno(r, w):
        return concordance_index_ipcw(
            r, event, time, train_event=train_event, train_time=train_time, tau=tau, where=w
        )

    np.testing.assert_allclose(uno(risk, where).index, ahead / total, rtol=1e-12)
    vmapped = jax.jit(jax.vmap(uno))(risk[None], where[None])
    np.testing.assert_allclose(vmapped.index[0], ahead / total, rtol=1e-5)
    np.testing.assert_allclose(
        vmapped.standard_error[0], uno(risk, where).standard_error, rtol=1e-4
    )


def test_uno_forgets_the_censoring_and_harrell_does_not():
    # The risk says who dies before 2 and nothing after: heavier censoring hides the second half.
    rng = np.random.default_rng(0)
    n = 4000
    life, noise = rng.exponential(2, n), rng.standard_normal(n)
    risk = np.where(life < 2, 2 * (life < 1), 0) + 0.3 * noise
    results = {}
    for scale in (100.0, 1.5):
        censoring = rng.exponential(scale, n)
        event, time = life <= censoring, np.minimum(life, censoring)
        uno = concordance_index_ipcw(risk, event, time, train_event=event, train_time=time, tau=4.0)
        results[scale] = (
            float(uno.index),
            float(concordance_index(risk, event, time, tau=4.0).index),
        )
    (uno_light, harrell_light), (uno_heavy, harrell_heavy) = results.values()
    assert abs(uno_light - uno_heavy) < 0.02
    assert abs(harrell_light - harrell_heavy) > 0.03


def test_refusals():
    risk, event, time = np.arange(4.0), np.array([1, 1, 1, 0]), np.array([1.0, 2, 5, 6])

    def refused(message, train_event, train_time, tau=None):
        with pytest.raises(InputError, match=message):
            concordance_index_ipcw(
                risk, event, time, train_event=train_event, train_time=train_time, tau=tau
            )

    refused("tau 9 is beyond the follow-up of the training data, which ends at 6", event, time, 9)
    short = np.array([1.0, 2, 3, 4])
    refused("time 5 is beyond .* ends at 4: the censoring estimate is 0 there", event, short)
    all_died = np.ones(4)
    refused("ends at 4: censoring is not known there; choose tau or times <= 4", all_died, short)
    with pytest.raises(InputError, match="no comparable pair"):
        concordance_index_ipcw(risk, event, time, train_event=event, train_time=time, tau=0.5)
    traced = jax.jit(
        lambda e, t: concordance_index_ipcw(risk, event, time, train_event=e, train_time=t).index
    )
    assert np.isnan(traced(event, short))
