"""Harrell's C: R's numbers, the double loop of the definition, invariances, refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from jaxsurv.metrics import compare_concordance, concordance_index
from jaxsurv.survival import concordance
from jaxsurv.types import InputError
from tests.survival.reference_cox import outcome_of

R_NAMES = {
    "index": "c_index",
    "concordant": "concordant",
    "discordant": "discordant",
    "tied_risk": "tied_risk",
    "tied_time": "tied_time",
    "tied_both": "tied_both",
    "standard_error": "se_infinitesimal_jackknife",
}
DATA = ["aml", "gbsg", "heart", "lung", "ovarian", "rats", "veteran"]
CASES = ["fixed", "tied", "fixed_weighted", "fixed_ymax", "fixed_strata"]


@pytest.fixture(params=["all pairs", "sorted"])
def algorithm(request, monkeypatch):
    """Each test that asks for it runs with both algorithms, whatever n is."""
    monkeypatch.setattr(concordance, "DENSE_ROWS", 10**9 if request.param == "all pairs" else 0)


def arguments(table, case):
    """The arguments of `concordance_index` for a case of R's."""

    def column(key):
        return None if case[key] is None else table[case[key]].to_numpy()

    strata = column("strata")
    return (
        (
            table[case["score"]].to_numpy(),
            table["event"].to_numpy(),
            table["stop" if "stop" in table else "time"].to_numpy(),
        ),
        {
            "weights": column("weights"),
            "entry": column("entry"),
            "strata": None if strata is None else np.unique(strata, return_inverse=True)[1],
            "tau": case["ymax"],
        },
    )


@pytest.mark.parametrize(
    ("name", "algorithm"),
    [(name, "all pairs") for name in DATA]
    + [(name, "sorted") for name in ("gbsg", "heart", "rats")],
    indirect=["algorithm"],
)
@pytest.mark.usefixtures("algorithm", "x64")
def test_harrell_and_weighted_in_time_equal_r(reference, name):
    table, numbers = reference(name)
    for case in CASES:
        expected = numbers["concordance"].get(case, {"by_timewt": {}})
        for kind, values in expected["by_timewt"].items():
            args, options = arguments(table, expected)
            if "refused" in values:
                with pytest.raises(InputError, match="with delayed entry: the censoring distribut"):
                    concordance_index(*args, **options, time_weight=kind)
                continue
            c = concordance_index(*args, **options, time_weight=kind)
            np.testing.assert_allclose(
                [getattr(c, ours) for ours in R_NAMES],
                [values[theirs] for theirs in R_NAMES.values()],
                rtol=1e-9,
                err_msg=f"{case} {kind}",
            )


@pytest.mark.usefixtures("algorithm", "x64")
def test_influence_summed_over_clusters_equals_r(reference):
    table, numbers = reference("heart")
    expected = numbers["concordance"]["fixed_cluster"]
    args, options = arguments(table, expected)
    influence = concordance_index(*args, **options).influence
    per_cluster = np.bincount(table[expected["cluster"]], np.asarray(influence))
    np.testing.assert_allclose(
        np.sqrt(np.sum(per_cluster**2)),
        expected["by_timewt"]["n"]["se_infinitesimal_jackknife"],
        rtol=1e-9,
    )


@pytest.mark.parametrize("name", DATA)
def test_concordance_of_the_fit_equals_r(reference, name):
    table, numbers = reference(name)
    expected, case = numbers["concordance"]["of_efron_fit"], reference(name, "cox.json")[1]["efron"]
    risk = table[case["covariates"]].to_numpy() @ case["fit"]["beta"]
    event, time, options = outcome_of(table, case)
    c = concordance_index(risk, event, time, **options)
    for ours, theirs in {**R_NAMES, "standard_error": "se"}.items():
        if theirs in expected:
            np.testing.assert_allclose(getattr(c, ours), expected[theirs], rtol=1e-9)


@pytest.mark.parametrize("name", ["aml", "lung", "rats"])
@pytest.mark.usefixtures("x64")
def test_equals_scikit_survival_but_for_tied_times(reference, name):
    table, numbers = reference(name)
    for score in ("risk_fixed", "risk_tied"):
        theirs = numbers["scikit_survival"][score]["concordance_index_censored"]
        ours = concordance_index(*(table[k].to_numpy() for k in (score, "event", "time")))
        np.testing.assert_allclose(ours.index, theirs["c_index"], rtol=1e-12)
        for count in ("concordant", "discordant", "tied_risk"):
            assert getattr(ours, count) == theirs[count]


def naive(risk, event, time, weights, strata, entry, tau):
    """The definition, one pair at a time, and the jackknife from derivatives by hand."""
    n = len(risk)
    ahead, total, same, gradient = 0.0, 0.0, 0.0, np.zeros((2, n))
    for i in range(n):
        for j in range(n):
            later = time[j] > time[i] or (time[j] == time[i] and not event[j])
            if not (event[i] and later and entry[j] < time[i] <= tau and strata[i] == strata[j]):
                continue
            half = float(risk[i] > risk[j]) + 0.5 * (risk[i] == risk[j])
            pair = weights[i] * weights[j]
            ahead, total, same = (
                ahead + pair * half,
                total + pair,
                same + pair * (risk[i] == risk[j]),
            )
            gradient[:, [i, j]] += pair * np.array([[half], [1.0]])
    influence = (gradient[0] - ahead / total * gradient[1]) / total
    return ahead / total, total, same, np.sqrt(np.sum(influence**2))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.usefixtures("algorithm", "x64")
def test_equals_the_double_loop(seed):
    rng = np.random.default_rng(seed)
    n = 70
    risk, event = rng.integers(0, 9, n), rng.random(n) < 0.6
    entry = rng.integers(0, 4, n) * 1.0
    time = entry + rng.integers(1, 9, n)
    weights, strata = rng.integers(0, 4, n) / 2, rng.integers(0, 3, n)
    where = rng.random(n) < 0.8
    c = concordance_index(
        risk, event, time, weights=weights, strata=strata, entry=entry, where=where, tau=8.0
    )
    index, total, same, error = naive(risk, event, time, weights * where, strata, entry, 8.0)
    np.testing.assert_allclose(
        [c.index, c.concordant + c.discordant + c.tied_risk, c.tied_risk, c.standard_error],
        [index, total, same, error],
        rtol=1e-12,
    )


@st.composite
def cohorts(draw):
    n = 24
    small = st.integers(0, 6)
    risk, time = (draw(st.lists(small, min_size=n, max_size=n)) for _ in range(2))
    event = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    return np.array(risk, float), np.array(event), np.array(time, float)


@settings(max_examples=40, deadline=None)
@given(cohorts(), st.randoms(use_true_random=False))
def test_only_orders_count(cohort, random):
    risk, event, time = cohort
    compute = jax.jit(concordance_index)
    c = compute(risk, event, time)
    order = np.array(random.sample(range(24), 24))
    shuffled = compute(risk[order], event[order], time[order])
    stretched = compute(np.exp(risk / 3) - 7, event, time**2)
    reversed_ = compute(-risk, event, time)
    for other in (shuffled, stretched):
        np.testing.assert_allclose(other[:7], c[:7], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(reversed_.index, 1 - c.index, rtol=1e-5)
    np.testing.assert_allclose(reversed_.concordant, c.discordant)
    np.testing.assert_allclose(shuffled.influence, c.influence[order], rtol=1e-4, atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(cohorts(), st.lists(st.integers(0, 2), min_size=24, max_size=24))
def test_weights_are_replicated_rows_and_where_is_a_subset(cohort, weights):
    risk, event, time = cohort
    weights = np.array(weights)
    rows = np.repeat(np.arange(24), weights)
    if not rows.size:
        return
    weighted = jax.jit(concordance_index)(risk, event, time, weights=weights)
    # Copies of one event are tied in time with each other: no new comparable pair.
    e, t, r = event[rows], time[rows], risk[rows]
    later = (t[:, None] < t) | ((t[:, None] == t) & ~e)
    pairs = later & e[:, None]
    np.testing.assert_allclose(weighted.concordant, (pairs & (r[:, None] > r)).sum())
    np.testing.assert_allclose(weighted.tied_risk, (pairs & (r[:, None] == r)).sum())
    masked = jax.jit(concordance_index)(risk, event, time, where=weights > 0)
    ones = jax.jit(concordance_index)(risk, event, time, weights=weights > 0)
    np.testing.assert_array_equal(masked.index, ones.index)


@pytest.mark.parametrize("n", [200, 1500])
def test_vmap_over_runs_and_masks_with_one_trace(n):
    rng = np.random.default_rng(0)
    event, time = rng.random(n) < 0.5, np.ceil(rng.exponential(50, n)).astype(np.float32)
    traces = []

    @jax.jit
    def over_runs(risks, masks):
        traces.append(1)
        return jax.vmap(lambda r, m: concordance_index(r, event, time, where=m)[:7])(risks, masks)

    for _ in range(2):
        risks = rng.standard_normal((3, n)).astype(np.float32)
        masks = rng.random((3, n)) < 0.7
        together = over_runs(risks, masks)
        for k in range(3):
            m = masks[k]
            alone = concordance_index(risks[k][m], event[m], time[m])
            np.testing.assert_allclose([x[k] for x in together], alone[:7], rtol=2e-5)
    assert len(traces) == 1


@pytest.mark.usefixtures("algorithm")
def test_close_float64_values_are_not_ties():
    risk = np.array([1.0, 1.0 + 1e-12, 1.0 + 2e-12])
    c = concordance_index(risk, np.ones(3), np.array([5.0 + 2e-9, 5.0 + 1e-9, 5.0]))
    assert (float(c.concordant), float(c.tied_risk), float(c.tied_time)) == (3, 0, 0)


@pytest.mark.usefixtures("algorithm")
def test_no_comparable_pair():
    none = (np.arange(3.0), np.zeros(3), np.arange(3.0))
    with pytest.raises(InputError, match="no comparable pair"):
        concordance_index(*none)
    traced = jax.jit(concordance_index)(*none)
    assert np.isnan(traced.index)
    assert np.isnan(traced.standard_error)


def test_nan_behind_a_mask_stays_there():
    risk, time = jnp.array([3.0, 2.0, jnp.nan]), jnp.array([1.0, 2.0, jnp.nan])
    c = jax.jit(concordance_index)(risk, jnp.ones(3), time, where=jnp.array([1, 1, 0]))
    assert (float(c.index), float(c.concordant)) == (1, 1)


GOOD = {"risk": np.arange(4.0), "event": np.array([1, 0, 1, 1]), "time": np.arange(4.0)}


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"time": np.arange(5.0)}, r"one common length, got risk \[4\], event \[4\], time \[5\]"),
        (
            {"risk": np.arange(4.0)[:, None]},
            r"risk must have shape \[n\], got \[4, 1\]; use risk\[:, 0\]",
        ),
        ({"risk": np.array([0, np.nan, 1, 2])}, "risk has NaN or infinite values in row 1"),
        ({"event": np.array([1, 2, 1, 0])}, "event must be 0 .* found 2 in row 1"),
        ({"weights": np.array([1, 1, -1, 1])}, "weights must be >= 0; negative in row 2"),
        ({"time": np.array([1, 2, -3, 4])}, "time must be >= 0; negative in row 2"),
        (
            {"entry": np.array([0, 1, 1, 1])},
            "entry must be before time; entry >= time in rows 0, 1",
        ),
    ],
)
def test_refusals(bad, message):
    arguments = GOOD | bad
    with pytest.raises(InputError, match=message):
        concordance_index(
            arguments.pop("risk"), arguments.pop("event"), arguments.pop("time"), **arguments
        )


def test_influence_is_the_derivative_by_the_weights():
    rng = np.random.default_rng(3)
    risks, event = rng.integers(0, 9, (2, 40)), rng.random(40) < 0.6
    time, weights = rng.integers(1, 15, 40), 1 + rng.random(40)

    def difference(w):
        first, second = (concordance_index(r, event, time, weights=w).index for r in risks)
        return first - second

    step = 1e-6 * np.eye(40)
    derivative = [(difference(weights + h) - difference(weights - h)) / 2e-6 for h in step]
    both = [concordance_index(r, event, time, weights=weights) for r in risks]
    comparison = compare_concordance(*both)
    np.testing.assert_allclose(comparison.difference, difference(weights))
    np.testing.assert_allclose(
        comparison.standard_error, np.linalg.norm(weights * derivative), rtol=1e-7
    )
    t = comparison.difference / comparison.standard_error
    expected = 2 * stats.t.sf(abs(t), both[0].events - 1)
    np.testing.assert_allclose(comparison.p_value, expected)
    traced = jax.jit(lambda a, b: compare_concordance(a, b).p_value)(*both)
    np.testing.assert_allclose(traced, expected, rtol=1e-4)


def test_the_interval_by_hand(algorithm):
    """Of six events the last has nobody to be compared with; t with 4 degrees of freedom is 2.776445."""
    risk, time = np.array([3.0, 4, 5, 2, 1, 0, 9]), np.arange(7.0)
    event = np.array([1, 0, 1, 1, 1, 1, 1])
    c = concordance_index(risk, event, time)
    assert c.events == 5
    half = 2.776445 * c.standard_error / (c.index * (1 - c.index))
    logit = np.log(c.index / (1 - c.index))
    expected = 1 / (1 + np.exp(-np.array([logit - half, logit + half])))
    np.testing.assert_allclose(c.interval(), expected, rtol=1e-6)
    mirrored = concordance_index(-risk, event, time).interval()
    np.testing.assert_allclose(mirrored, 1 - expected[::-1], rtol=1e-6)
    narrow = c.interval(0.8)
    assert expected[0] < narrow[0] < c.index < narrow[1] < expected[1]


@pytest.mark.parametrize("risk", [[3.0, 2, 1, 0], [0.0, 1, 2, 3]])
def test_no_interval_where_all_pairs_agree(risk):
    c = concordance_index(np.array(risk), np.ones(4), np.arange(4.0))
    assert np.isnan(c.interval()).all()


def test_intervals_cover_in_small_test_sets():
    """Plain limits of 1.96 standard errors cover 88 % of these."""
    rng, hits, plain = np.random.default_rng(0), [], []
    truth = 0.8075  # that of 200,000 patients
    for _ in range(800):
        z = rng.normal(size=25)
        death, end = rng.exponential(size=25) * np.exp(-1.5 * z), rng.uniform(0, 1.2, 25)
        if (death < end).sum() < 5:
            continue
        c = concordance_index(z, death < end, np.minimum(death, end))
        lower, upper = c.interval()
        hits.append(np.isnan(lower) or lower < truth < upper)
        plain.append(abs(c.index - truth) < 1.96 * c.standard_error)
    assert 0.93 < np.mean(hits) < 0.98
    assert np.mean(plain) < 0.92


def test_comparing_different_patients_is_refused():
    short, long = (concordance_index(np.arange(n), np.ones(n), np.arange(n)) for n in (5, 6))
    with pytest.raises(InputError, match=r"one common length, got first \[5\], second \[6\]"):
        compare_concordance(short, long)


def test_what_is_shown_has_no_number_per_patient():
    c = concordance_index(np.arange(50.0), np.ones(50), np.arange(50.0))
    assert "index=0.0" in repr(c)
    assert "influence=(50,)" in repr(c)
    assert len(repr(c)) < 200
