"""Decision curves: the counts of the definition, Kaplan-Meier in the treated, simulated truth, refusals."""

import jax
import numpy as np
import pytest

from jaxsurv.metrics import net_benefit
from jaxsurv.survival import kaplan_meier
from jaxsurv.types import InputError

Q = np.round(np.linspace(0.05, 0.9, 18), 2)
H = 0.7


def cohort(n, seed=0, censored=True):
    rng = np.random.default_rng(seed)
    log_hazard = rng.normal(size=n)
    t = rng.exponential(np.exp(-log_hazard))
    c = rng.exponential(2, n) if censored else np.full(n, 99.0)
    risk = np.round(1 - np.exp(-H * np.exp(log_hazard)), 2)  # some are at a threshold
    return risk, t <= c, np.minimum(t, c)


def test_without_censoring_it_counts_true_and_false_positives():
    risk, event, time = cohort(200, censored=False)
    found = net_benefit(risk, event, time, H, Q, n_samples=2)
    died = time <= H
    for q, ours in zip(Q, found.net_benefit, strict=True):
        treated = risk >= q
        by_hand = (treated & died).mean() - (treated & ~died).mean() * q / (1 - q)
        np.testing.assert_allclose(ours, by_hand, atol=1e-12)
    np.testing.assert_allclose(found.treat_all, died.mean() - (1 - died.mean()) * Q / (1 - Q))
    np.testing.assert_allclose(found.treated, [(risk >= q).mean() for q in Q])


def test_under_censoring_kaplan_meier_counts_in_the_treated():
    risk, event, time = cohort(150)
    time = np.ceil(time * 20) / 20  # ties
    found = net_benefit(risk, event, time, H, Q, n_samples=2)
    for q, ours in zip(Q, found.net_benefit, strict=True):
        treated = risk >= q
        dead = 1 - float(kaplan_meier(event, time, where=treated)(H))
        by_hand = treated.mean() * (dead - (1 - dead) * q / (1 - q))
        np.testing.assert_allclose(ours, by_hand, atol=1e-12)


def test_samples_are_net_benefits_of_patients_drawn_again():
    risk, event, time = cohort(80)
    found = net_benefit(risk, event, time, H, Q, n_samples=3, seed=5)
    order = np.argsort(time)
    counts = np.random.default_rng(5).multinomial(80, np.full(80, 1 / 80), 3)
    for sample, count in zip(found.samples, counts, strict=True):
        rows = np.repeat(order, count)
        again = net_benefit(risk[rows], event[rows], time[rows], H, Q, n_samples=2)
        known = ~np.isnan(again.net_benefit)
        np.testing.assert_allclose(sample[known], again.net_benefit[known], atol=1e-12)


def test_limits_cover_and_comparisons_are_paired():
    many = cohort(200_000, 1, censored=False)
    truth = net_benefit(*many, H, [0.3, 0.5], n_samples=2)
    inside, against_all = [], []
    for seed in range(200):
        risk, event, time = cohort(150, seed + 10)
        found = net_benefit(risk, event, time, H, [0.3, 0.5], n_samples=200)
        inside.append((found.lower <= truth.net_benefit) & (truth.net_benefit <= found.upper))
        difference = found.minus(
            net_benefit(np.ones(150), event, time, H, [0.3, 0.5], n_samples=200)
        )
        np.testing.assert_allclose(difference.difference, found.net_benefit - found.treat_all)
        gain = truth.net_benefit - truth.treat_all
        against_all.append((difference.lower <= gain) & (gain <= difference.upper))
    for covered in (np.mean(inside, 0), np.mean(against_all, 0)):
        assert ((covered > 0.9) & (covered < 0.99)).all()


def test_who_is_not_there_does_not_count_and_rows_and_units_may_change():
    risk, event, time = cohort(120)
    here = np.arange(120) % 4 > 0
    one = net_benefit(risk, event, time, H, Q, where=here, n_samples=20)
    order = np.random.default_rng(0).permutation(np.flatnonzero(here))
    other = net_benefit(risk[order], event[order], time[order] * 12, H * 12, Q, n_samples=20)
    np.testing.assert_allclose(one.net_benefit, other.net_benefit)
    np.testing.assert_allclose(one.lower, other.lower)


def test_treated_who_are_not_followed_to_the_horizon_have_no_value():
    risk = np.array([0.9, 0.8, 0.3, 0.2, 0.1])
    event, time = np.array([1, 0, 1, 0, 0]), np.array([1.0, 2, 3, 9, 9])
    found = net_benefit(risk, event, time, 5.0, [0.1, 0.5, 0.95], n_samples=10)
    assert np.isnan(found.net_benefit).tolist() == [False, True, False]
    assert np.isnan(found.upper).tolist() == [False, True, False]
    assert found.net_benefit[2] == 0  # nobody is treated


def test_refusals():
    risk, event, time = cohort(50)
    for change, message in (
        ({"risk_at_t": risk * 100}, r"risk_at_t must be in \[0, 1\]"),
        ({"thresholds": [0.0, 0.5]}, r"inside \(0, 1\), got 0 to 0.5"),
        ({"thresholds": [20.0, 50.0]}, r"inside \(0, 1\)"),
        ({"thresholds": [0.5, 0.2]}, "thresholds must be ascending"),
        ({"thresholds": []}, "thresholds is empty"),
        ({"horizon": 99.0}, "beyond the follow-up"),
        ({"n_samples": 1}, "n_samples"),
    ):
        given = {
            "risk_at_t": risk,
            "event": event,
            "time": time,
            "horizon": H,
            "thresholds": Q,
        } | change
        if "99" in str(change):
            given["event"] = np.zeros(50)
        with pytest.raises(InputError, match=message):
            net_benefit(**given)
    with pytest.raises(InputError, match="same thresholds"):
        net_benefit(risk, event, time, H, Q).minus(net_benefit(risk, event, time, H, Q[:3]))
    with pytest.raises(InputError, match="outside jit"):
        jax.jit(lambda r: net_benefit(r, event, time, H, Q).net_benefit)(risk)
