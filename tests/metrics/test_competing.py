"""Scores of cumulative incidences against their sums over patients and pairs, and the scores of one cause."""

import numpy as np
import pytest

from jaxsurv import metrics
from jaxsurv.metrics.prediction_error import weighted_squares
from jaxsurv.survival import aalen_johansen, censoring_curve
from jaxsurv.types import InputError

TIMES = np.array([2.0, 4.0, 7.0])


def patients(n=120, seed=0):
    rng = np.random.default_rng(seed)
    time = np.ceil(rng.exponential(5, n))
    code, risk = rng.integers(0, 3, n), np.round(rng.normal(size=n), 1)
    weights = rng.integers(1, 4, n).astype(float)
    incidence = 1 / (1 + np.exp(-risk[:, None] - np.array([-1.0, 0, 0.5])))
    return code, time, risk, weights, incidence


def before(code, time):
    """G(t-) of a training set, by its definition."""
    curve = censoring_curve(code > 0, time)
    return lambda t: curve.before(np.array([float(t)]))[0]


@pytest.mark.parametrize("cause", [1, 2])
@pytest.mark.parametrize("name", ["mgus2_competing", "pbc_competing"])
def test_scores_equal_riskregression(reference, name, cause):
    """``Score(list(m = F), Hist(time, cause) ~ 1, metrics = c("auc", "brier"), cens.model = "km")``."""
    table, numbers = reference(name, "competing_scores.json")
    code, time = table["cause"].to_numpy(), table["time"].to_numpy(float)
    x, times = table[numbers["covariates"]].to_numpy(float)[:, :2], np.array(numbers["times"])
    assert not np.isin(times, time).any()  # where the definitions agree
    z = (x - x.mean(axis=0)) / x.std(axis=0, ddof=1)
    log_odds = z @ [(0.8, 0.3), (-0.4, 0.5)][cause - 1] - 0.5
    incidence = 1 / (1 + np.exp(-log_odds))[:, None] * (1 - np.exp(-2 * times / times[-1]))
    known = {"cause": cause, "train_code": code, "train_time": time}
    null = np.tile(aalen_johansen(code, time)(times)[:, cause - 1], (len(time), 1))
    auc = metrics.cumulative_dynamic_auc_competing(incidence, times, code, time, **known).auc
    brier, none = (
        metrics.brier_score_competing(f, times, code, time, **known) for f in (incidence, null)
    )
    for found, key in ((auc, "auc"), (brier, "brier"), (none, "brier_null")):
        np.testing.assert_allclose(found, numbers[key][cause - 1], rtol=1e-10)


@pytest.mark.parametrize("cause", [1, 2])
def test_concordance_is_its_sum_over_pairs(cause):
    code, time, risk, weights, _ = patients()
    for w, where, tau in (
        (None, None, None),
        (weights, np.arange(120) % 4 > 0, 6.0),
    ):
        concordant = discordant = tied = 0.0
        each = np.ones(120) if w is None else w
        here = np.ones(120, bool) if where is None else where
        for i in np.flatnonzero((code == cause) & here & (time <= (tau or np.inf))):
            for j in np.flatnonzero(here):
                later = time[j] > time[i] or (time[j] == time[i] and code[j] == 0)
                if later or code[j] not in (0, cause):
                    pair = each[i] * each[j]
                    concordant += pair * (risk[i] > risk[j])
                    discordant += pair * (risk[i] < risk[j])
                    tied += pair * (risk[i] == risk[j])
        found = metrics.concordance_index_competing(
            risk, code, time, cause=cause, weights=w, where=where, tau=tau
        )
        np.testing.assert_allclose(
            [found.concordant, found.discordant, found.tied_risk], [concordant, discordant, tied]
        )


@pytest.mark.parametrize("cause", [1, 2])
def test_brier_score_is_its_sum_over_patients(cause):
    code, time, _, _, incidence = patients()
    train_code, train_time = patients(seed=1)[:2]
    g, here = before(train_code, train_time), np.arange(120) % 4 > 0
    score = np.zeros(3)
    for i in np.flatnonzero(here):
        for k, t in enumerate(TIMES):
            f = incidence[i, k]
            if code[i] > 0 and time[i] <= t:
                score[k] += (f - (code[i] == cause)) ** 2 / g(time[i])
            elif time[i] > t or time[i] == t:
                score[k] += f**2 / g(t)
    arguments = {"cause": cause, "train_code": train_code, "train_time": train_time, "where": here}
    found = metrics.brier_score_competing(incidence, TIMES, code, time, **arguments)
    np.testing.assert_allclose(found, score / here.sum(), rtol=1e-12)
    average = metrics.integrated_brier_score_competing(incidence, TIMES, code, time, **arguments)
    np.testing.assert_allclose(average, np.trapezoid(found, TIMES) / 5)


def test_large_tables_are_scored_alike():
    rng, n = np.random.default_rng(0), 1500
    s, case, until = rng.random((n, 3)), rng.random(n), rng.integers(0, 4, n)
    control, after = np.array([1.1, 1.2, 1.5]), 1.0 * (rng.random(n) < 0.5)
    right = np.where(
        np.arange(3) < until[:, None],
        (1 - s) ** 2 * control,
        (s - after[:, None]) ** 2 * case[:, None],
    ).sum(0)
    found = weighted_squares(s, case, until, control, after)
    np.testing.assert_allclose(found, right, rtol=1e-5)


@pytest.mark.parametrize("cause", [1, 2])
@pytest.mark.parametrize("changing", [False, True])
def test_auc_is_its_sum_over_pairs(cause, changing):
    code, time, risk, _, incidence = patients()
    train_code, train_time = patients(seed=1)[:2]
    g, here = before(train_code, train_time), np.arange(120) % 4 > 0
    found = metrics.cumulative_dynamic_auc_competing(
        incidence if changing else risk,
        TIMES,
        code,
        time,
        cause=cause,
        train_code=train_code,
        train_time=train_time,
        where=here,
    )
    for k, t in enumerate(TIMES):
        r = incidence[:, k] if changing else risk
        won = total = 0.0
        for i in np.flatnonzero(here & (code == cause) & (time <= t)):
            for j in np.flatnonzero(here):
                if time[j] > t or (time[j] == t and code[j] == 0):
                    weight = 1 / g(time[i]) / g(t)
                elif code[j] not in (0, cause):
                    weight = 1 / g(time[i]) / g(time[j])
                else:
                    continue
                total += weight
                won += weight * ((r[i] > r[j]) + (r[i] == r[j]) / 2)
        np.testing.assert_allclose(found.auc[k], won / total, rtol=1e-12)
    assert found.auc.min() <= found.mean <= found.auc.max()


def test_with_one_cause_they_are_the_scores_of_one_cause():
    code, time, risk, weights, incidence = patients()
    event = (code == 1).astype(int)
    training = {"train_event": event, "train_time": time}
    competing = {"train_code": event, "train_time": time}
    for ours, theirs in (
        (
            metrics.concordance_index_competing(risk, event, time, weights=weights),
            metrics.concordance_index(risk, event, time, weights=weights),
        ),
        (
            metrics.brier_score_competing(incidence, TIMES, event, time, **competing),
            metrics.brier_score(1 - incidence, TIMES, event, time, **training),
        ),
        (
            metrics.cumulative_dynamic_auc_competing(risk, TIMES, event, time, **competing),
            metrics.cumulative_dynamic_auc(risk, TIMES, event, time, **training),
        ),
    ):
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-10)


def test_a_model_that_knows_the_causes_is_seen_only_here():
    """Risks that rank the cause well, and put competing deaths last."""
    rng = np.random.default_rng(0)
    code, time = rng.integers(1, 3, 200), rng.exponential(size=200)
    risk = np.where(code == 1, 10 - time, -10.0)
    assert metrics.concordance_index_competing(risk, code, time).index == 1
    assert metrics.concordance_index(risk, code == 1, time).index == 1
    worst = np.where(code == 1, 10 - time, 10.0)  # competing deaths highest
    assert metrics.concordance_index_competing(worst, code, time).index < 0.5


def test_refusals_name_the_argument():
    code, time, risk, _, incidence = patients()
    train = {"train_code": code, "train_time": time}
    score = metrics.brier_score_competing
    for bad, message in (
        (incidence.T, r"incidence must have shape \[n, t\] = \[120, 3\].*give incidence.T"),
        (incidence * 100, r"incidence must be in \[0, 1\]"),
        (np.where(np.arange(120)[:, None] == 4, np.nan, incidence), "incidence must be .* row 4"),
    ):
        with pytest.raises(InputError, match=message):
            score(bad, TIMES, code, time, **train)
    with pytest.raises(InputError, match="beyond the follow-up"):
        score(incidence, TIMES * 100, code, time, **train)
    with pytest.raises(InputError, match="no event of cause 3; causes with events are 1, 2"):
        score(incidence, TIMES, code, time, cause=3, **train)
    with pytest.raises(InputError, match="cause must be an integer"):
        score(incidence, TIMES, code, time, cause=1.5, **train)
    with pytest.raises(InputError, match="at least two times"):
        metrics.integrated_brier_score_competing(incidence[:, :1], TIMES[:1], code, time, **train)
    with pytest.raises(InputError, match="there is no event yet"):
        metrics.cumulative_dynamic_auc_competing(risk, [0.5, 2.0], code, time, **train)
