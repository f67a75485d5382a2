"""Aalen-Johansen, Gray's test and Fine-Gray against R's numbers, their definitions, and each other."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxsurv.survival import (
    CollinearityWarning,
    aalen_johansen,
    cox_fit,
    fine_gray,
    gray_test,
    incidence_from_hazards,
    kaplan_meier,
    logrank_test,
    prepare_risk_sets,
    survival_function,
)
from jaxsurv.survival.host.cox import _LOG, LINEAR, HostCox, on_host
from jaxsurv.survival.host.subdistribution import WeightedRiskSets
from jaxsurv.types import InputError
from tests.survival import naive_competing as naive

DATA = ["mgus2_competing", "pbc_competing"]


def competing(n=60, seed=0, causes=2, ties=True):
    """Codes, times and covariates with an effect on the first cause."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    times = rng.exponential(np.exp(-0.7 * x[:, 0] * (np.arange(causes + 1) == 1)[:, None]))
    code, time = times.argmin(0), times.min(0) * 10
    code[:causes] = np.arange(1, causes + 1)
    return code, np.ceil(time) if ties else time, x


@pytest.mark.parametrize("name", DATA)
def test_curves_equal_r(reference, name):
    table, numbers = reference(name, "competing.json")
    curve, expected = aalen_johansen(table["cause"], table["time"]), numbers["aalen_johansen"]
    at = np.searchsorted(curve.times, expected["times"], side="right") - 1
    np.testing.assert_allclose(curve(expected["times"]), expected["incidence"], rtol=1e-12)
    np.testing.assert_allclose(curve.standard_error[at], expected["standard_error"], rtol=1e-10)
    np.testing.assert_allclose(curve.event_free[at], expected["event_free"], rtol=1e-12)


@pytest.mark.parametrize("name", DATA)
def test_incidences_of_cause_specific_models_equal_r(reference, name):
    """R's survfit of a multi-state coxph: states without event, and with each cause."""
    table, numbers = reference(name, "competing_scores.json")
    x, code = table[numbers["covariates"]].to_numpy(float), table["cause"].to_numpy()
    time, times = table["time"].to_numpy(float), np.array(numbers["times"])
    grid, x = np.union1d(time[code > 0], times), x - x.mean(axis=0)
    hazards = []
    for cause in (1, 2):
        fit = cox_fit(x, code == cause, time, ties="breslow")
        hazards.append(np.exp(x[:3] @ fit.coef)[:, None] * fit.baseline(grid))
    found = incidence_from_hazards(np.stack(hazards, 1))[:, :, np.searchsorted(grid, times)]
    expected = np.array(numbers["pstate"])
    np.testing.assert_allclose(found, expected[:, 1:], rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(1 - found.sum(axis=1), expected[:, 0], rtol=1e-8, atol=1e-12)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.floats(0, 3), min_size=6, max_size=6), min_size=2, max_size=3))
def test_incidences_of_hazards_fill_what_survival_leaves(steps):
    """Together 1 - S; a time that is inserted changes nothing; certainty is kept."""
    hazard = np.cumsum(np.array(steps).reshape(1, -1, 6), axis=2)
    f = incidence_from_hazards(hazard)
    np.testing.assert_allclose(f.sum(axis=1), -np.expm1(-hazard.sum(axis=1)), atol=1e-12)
    twice = incidence_from_hazards(np.repeat(hazard, 2, axis=2))
    np.testing.assert_allclose(twice[:, :, ::2], f, atol=1e-12)
    sure = incidence_from_hazards(np.concatenate([hazard, np.full_like(hazard, np.inf)], 2))
    np.testing.assert_allclose(sure[:, :, -1].sum(axis=1), 1, atol=1e-12)
    alone = incidence_from_hazards(hazard[:, :1])
    np.testing.assert_allclose(alone, -np.expm1(-hazard[:, :1]), atol=1e-12)
    assert (f[:, :1] <= alone + 1e-12).all()


@pytest.mark.parametrize(
    ("hazard", "message"),
    [
        (np.zeros((3, 4)), r"must have shape \[n, causes, t\], got \[3, 4\]"),
        (np.array([[[0.0, 1]], [[0.5, 0.2]]]), "falling in row 1"),
        (np.array([[[-0.1, 1]]]), "must be >= 0"),
        (np.array([[[0.1, np.nan]]]), "missing"),
    ],
)
def test_hazards_that_are_none_are_refused(hazard, message):
    with pytest.raises(InputError, match=message):
        incidence_from_hazards(hazard)


@pytest.mark.parametrize("cause", [1, 2])
@pytest.mark.parametrize("name", DATA)
def test_tests_and_models_equal_r(reference, name, cause):
    table, numbers = reference(name, "competing.json")
    code, time, x = table["cause"], table["time"], table[numbers["covariates"]]
    column = numbers["gray_test"]["group"].split()[0]
    test = gray_test(code, time, table[column] > table[column].median(), cause=cause)
    statistic, p_value, freedom = numbers["gray_test"]["table"][cause - 1]
    np.testing.assert_allclose(test.statistic, statistic, rtol=1e-12)
    np.testing.assert_allclose(test.p_value, p_value, rtol=1e-6, atol=1e-15)
    assert test.degrees_of_freedom == freedom

    fit = fine_gray(x, code, time, cause=cause)
    with_g_before = numbers[f"fine_gray_survival_cause{cause}"]["coef"]
    np.testing.assert_allclose(fit.coef, with_g_before, rtol=1e-6)
    crr = numbers[f"fine_gray_cause{cause}"]  # G(t), and the variance of G
    np.testing.assert_allclose(fit.coef, crr["coef"], rtol=4e-3)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.robust_covariance)), crr["robust_se"], rtol=1e-2)

    specific = cox_fit(x, code == cause, time)
    expected = numbers[f"cause_specific_cause{cause}"]
    np.testing.assert_allclose(specific.coef, expected["coef"], rtol=1e-6)
    np.testing.assert_allclose(np.sqrt(np.diag(specific.covariance)), expected["se"], rtol=1e-6)


@pytest.mark.parametrize("entering", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("causes", [1, 3])
def test_the_standard_error_is_the_jackknife(causes, weighted, entering):
    code, time, _ = competing(40, causes=causes)
    weight = np.random.default_rng(1).integers(1, 5, 40).astype(float)
    entry = np.where(np.arange(40) % 3, 0, np.floor(time / 2)) if entering else None
    weight = weight if weighted else np.ones(40)
    at = np.array([0.5, 1.0, 3.0, 7.5, time.max()])
    curve = aalen_johansen(code, time, entry=entry, weights=weight if weighted else None)
    place = np.searchsorted(curve.times, at, side="right") - 1
    error = np.where(place[:, None] >= 0, curve.standard_error[place], 0)
    np.testing.assert_allclose(
        curve(at), naive.incidence(code, time, causes, at, weight, entry), rtol=1e-12
    )
    right = naive.jackknife_error(code, time, causes, at, weight, entry)
    np.testing.assert_allclose(error, right, rtol=1e-9, atol=1e-15)
    if causes == 1:
        alive = kaplan_meier(code, time, entry=entry, weights=weight)
        np.testing.assert_allclose(curve.event_free, alive.survival, rtol=1e-12)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.floats(1e-6, 1e6))
def test_what_changes_nothing(seed, unit):
    code, time, _ = competing(50, seed=seed, causes=3)
    curve = aalen_johansen(code, time)
    total = curve.incidence.sum(1) + curve.event_free
    np.testing.assert_allclose(total, 1, rtol=1e-12)
    assert ((curve.lower <= curve.incidence) & (curve.incidence <= curve.upper)).all()
    assert (np.diff(curve.incidence, axis=0) >= 0).all()
    order = np.random.default_rng(seed).permutation(50)
    other = aalen_johansen(code[order], time[order] * unit)
    for ours, theirs in zip(curve[1:], other[1:], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)
    here = np.arange(50) != 7
    if set(code[here]) != set(code):
        return
    masked = aalen_johansen(code, time, where=here)
    for ours, theirs in zip(masked, aalen_johansen(code[here], time[here]), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    none = np.where(here, 1.0, 0.0)
    np.testing.assert_array_equal(aalen_johansen(code, time, weights=none).times, masked.times)
    # one minus Kaplan-Meier calls competing deaths censored, and is larger
    alone = 1 - kaplan_meier(code == 1, time).survival
    assert (alone >= curve.incidence[:, 0] - 1e-12).all()


def test_splitting_rows_and_repeating_them():
    code, time, _ = competing(40)
    whole, middle = aalen_johansen(code, time), np.floor(time / 2) + 0.5
    cut = middle < time
    split = aalen_johansen(
        np.concatenate([0 * code[cut], code]),
        np.concatenate([middle[cut], time]),
        entry=np.concatenate([0 * middle[cut], np.where(cut, middle, 0)]),
    )
    np.testing.assert_allclose(split(time), whole(time), rtol=1e-12)
    times = np.arange(40) % 3 + 1
    again = aalen_johansen(np.repeat(code, times), np.repeat(time, times))
    np.testing.assert_allclose(
        again.incidence, aalen_johansen(code, time, weights=times).incidence, rtol=1e-12
    )


def test_curves_under_jit_and_where_everybody_is_gone():
    code, time = np.array([1, 1, 2, 1]), np.array([1.0, 2.0, 2.0, 2.0])
    curve = aalen_johansen(code, time)
    np.testing.assert_allclose(curve.incidence[-1], [0.75, 0.25])
    assert curve.event_free[-1] == 0
    assert np.isfinite(curve.standard_error).all()
    np.testing.assert_allclose(
        jax.jit(lambda t: curve(t))(jnp.array([0.5, 2.0])), [[0, 0], [0.75, 0.25]]
    )
    assert curve(np.zeros((2, 3))).shape == (2, 3, 2)
    with pytest.raises(InputError, match=r"code must be known: .* outside jit"):
        jax.jit(lambda c: aalen_johansen(c, time).incidence)(jnp.asarray(code))
    alone = aalen_johansen(np.array([1, 1]), np.array([1.0, 1.0]))  # F = 1, and no doubt of it
    assert alone.lower.tolist() == alone.upper.tolist() == [[1.0]]


@pytest.mark.parametrize("rho", [0.0, 1.0])
@pytest.mark.parametrize("groups", [2, 3, 4])
def test_gray_equals_its_definition(groups, rho):
    code, time, x = competing(90, causes=3)
    group, strata = np.arange(90) % groups, (x[:, 1] > 0.3).astype(int)
    for stratified in (None, strata):
        test = gray_test(code, time, group, cause=2, rho=rho, strata=stratified)
        statistic, difference = naive.gray_statistic(code, time, group, 2, rho, stratified)
        np.testing.assert_allclose(test.statistic, statistic, rtol=1e-9)
        np.testing.assert_allclose(test.observed - test.expected, difference, atol=1e-10)
        assert test.degrees_of_freedom == groups - 1


def test_gray_with_one_cause_compares_as_log_rank():
    code, time, x = competing(80, causes=1)
    group = np.where(x[:, 0] > 0, "high", "low")
    ours, theirs = gray_test(code, time, group), logrank_test(code, time, group)
    np.testing.assert_allclose(ours.observed, theirs.observed)
    np.testing.assert_allclose(ours.expected, theirs.expected, rtol=1e-12)
    np.testing.assert_allclose(ours.statistic, theirs.statistic, rtol=0.1)


def test_gray_keeps_its_level():
    rng, p = np.random.default_rng(0), []
    for _ in range(400):
        code, time = rng.integers(0, 3, 80), rng.exponential(size=80)
        p.append(gray_test(code, time, np.arange(80) % 2).p_value)
    assert 0.025 < np.mean(np.array(p) < 0.05) < 0.085
    np.testing.assert_allclose(np.mean(p), 0.5, atol=0.06)


def test_gray_ignores_masked_rows_and_needs_two_groups():
    code, time, x = competing(60)
    group, here = (x[:, 0] > 0).astype(int), np.arange(60) % 4 > 0
    masked = gray_test(code, time, group, where=here)
    alone = gray_test(code[here], time[here], group[here])
    np.testing.assert_allclose(masked.statistic, alone.statistic)
    with pytest.raises(InputError, match=r"needs two groups, found 1: \[1\]"):
        gray_test(code, time, group, where=here & (group == 1))
    with pytest.raises(InputError, match="no event of cause 1 at a time when two groups"):
        gray_test([1, 1, 0, 2], [3.0, 4.0, 1.0, 2.0], ["a", "a", "b", "b"])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("stratified", [False, True])
@pytest.mark.usefixtures("x64")
def test_fine_gray_equals_its_definition(stratified, weighted):
    code, time, x = competing(70, seed=3)
    rng = np.random.default_rng(2)
    weight = rng.integers(1, 4, 70) / 2 if weighted else np.ones(70)
    stratum, cluster = rng.integers(0, 3, 70), np.arange(70) % 50
    fit = fine_gray(
        x,
        code,
        time,
        weights=weight if weighted else None,
        cluster=cluster,
        censoring_strata=stratum if stratified else None,
    )
    stratum = stratum if stratified else np.zeros(70)
    value, score, information, robust, jumps = naive.fine_gray(
        fit.coef, x, code, time, 1, weight, stratum, cluster
    )
    np.testing.assert_allclose(score, 0, atol=1e-7)
    np.testing.assert_allclose(fit.log_likelihood, value, rtol=1e-10)
    np.testing.assert_allclose(fit.covariance, np.linalg.inv(information), rtol=1e-7)
    np.testing.assert_allclose(fit.robust_covariance, robust, rtol=1e-6, atol=1e-12)
    events = time[code == 1]
    for t in (2.0, 5.0, 30.0):
        np.testing.assert_allclose(fit.baseline([t]), [jumps[events <= t].sum()], rtol=1e-7)


def test_fine_gray_where_it_is_something_else():
    code, time, x = competing(80, ties=False)
    one = cox_fit(x, code == 1, time, ties="breslow")
    alone = fine_gray(x, np.where(code == 1, 1, 0), time)
    for name in ("coef", "covariance", "robust_covariance", "log_likelihood"):
        np.testing.assert_allclose(getattr(alone, name), getattr(one, name), rtol=1e-9)
    # without censoring the others stay at risk for ever
    full = np.where(code == 0, 2, code)
    for_ever = cox_fit(x, full == 1, np.where(full == 2, time.max() + 1, time), ties="breslow")
    np.testing.assert_allclose(fine_gray(x, full, time).coef, for_ever.coef, rtol=1e-9)
    # and without covariates the incidence is Aalen and Johansen's (Geskus 2011)
    with pytest.warns(CollinearityWarning):
        empty = fine_gray(np.zeros((80, 1)), code, time)
    steps = np.diff(empty.baseline.values, prepend=0)
    curve = aalen_johansen(code, time)(empty.baseline.times)[:, 0]
    np.testing.assert_allclose(1 - np.cumprod(1 - steps), curve, rtol=1e-10)


def test_fine_gray_of_masked_rows_units_and_predictions():
    code, time, x = competing(90)
    here = np.arange(90) % 5 > 0
    masked = fine_gray(np.where(here[:, None], x, 99.0), code, time, where=here)
    alone = fine_gray(x[here], code[here], time[here])
    np.testing.assert_allclose(masked.coef, alone.coef, rtol=1e-9)
    np.testing.assert_allclose(masked.robust_covariance, alone.robust_covariance, rtol=1e-7)
    far = fine_gray(1e6 + 1e-3 * x, code, time)
    np.testing.assert_allclose(far.coef * 1e-3, fine_gray(x, code, time).coef, rtol=1e-5)
    f = 1 - survival_function(alone.baseline, x @ alone.coef, np.arange(1.0, 20))
    assert ((f >= 0) & (f <= 1)).all()
    assert (np.diff(f, axis=1) >= 0).all()
    with pytest.raises(InputError, match="more columns than rows"):
        fine_gray(np.ones((90, 91)), code, time)
    named = pd.DataFrame(x, columns=["age", "dose"]).assign(twice=2 * x[:, 0])
    with pytest.warns(CollinearityWarning, match="age, twice"):
        fine_gray(named, code, time)


@pytest.mark.parametrize("numbers", [LINEAR, _LOG])
def test_sums_over_weighted_risk_sets_are_products_with_a_matrix(numbers):
    code, time, _ = competing(50)
    stratum, weight = np.arange(50) % 2, np.ones(50)
    rs = on_host(prepare_risk_sets(code == 1, time))
    events = np.flatnonzero(rs.event_weight > 0)
    of = [(code[stratum == s], time[stratum == s], weight[stratum == s]) for s in (0, 1)]
    left = [[naive.censored_by(*o, t) for t in rs.time[events]] for o in of]
    stays = [(code == 2) & (stratum == s) for s in (0, 1)]
    inverse = [
        [1 / naive.censored_by(*o, t) if k else 0 for k, t in zip(there, time, strict=True)]
        for o, there in zip(of, stays, strict=True)
    ]
    sets = WeightedRiskSets(rs.start[events], np.array(left), np.array(inverse)[:, rs.order])
    matrix = naive.risk_set_weights(code, time, 1, weight, stratum)
    row_of_event = np.searchsorted(np.flatnonzero(code == 1), rs.order[events])
    matrix = matrix[row_of_event][:, rs.order]
    x = np.random.default_rng(0).exponential(size=50)
    pull = np.random.default_rng(1).exponential(size=events.size)
    back = np.log if numbers is LINEAR else lambda v: v
    for product, plain in (
        (sets.product(numbers, numbers.of(x)), matrix @ x),
        (sets.T.product(numbers, numbers.of(pull)), matrix.T @ pull),
    ):
        np.testing.assert_allclose(back(product), np.log(plain), atol=1e-12)
    assert isinstance(HostCox(rs, events, at_risk=sets).log_likelihood(900 * np.log(x)), float)
