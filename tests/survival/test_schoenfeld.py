"""Residuals per covariate: R's, lifelines' and the definitions."""

import lifelines
import numpy as np
import pandas as pd
import pytest

from jaxsurv.survival import cox_fit, deviance_residuals, dfbeta, martingale_residuals
from jaxsurv.survival import schoenfeld_residuals as schoenfeld
from jaxsurv.types import InputError
from tests.survival.test_cox_summary import cases, problem


@pytest.mark.parametrize("name", ["veteran_zph", "pbc_competing"])
def test_residuals_are_those_of_r(reference, name):
    table, expected = reference(name, "proportional_hazards.json")
    for case, x, event, time, ties, strata in cases(table, expected):
        if f"schoenfeld_{case}" not in expected:
            continue
        theirs = expected[f"schoenfeld_{case}"]
        coef = cox_fit(x, event, time, ties=ties, strata=strata).coef
        for scaled, values in (
            (False, theirs["values"]),
            (True, expected[f"scaled_schoenfeld_{case}"]),
        ):
            found = schoenfeld(x, event, time, coef, ties=ties, strata=strata, scaled=scaled)
            np.testing.assert_array_equal(found.time, theirs["time"])
            np.testing.assert_allclose(found.residuals, values, rtol=1e-6, atol=1e-7)


def options(n):
    time = problem(n)[2]
    return {
        "entry": time * (np.arange(n) % 3) / 4,
        "strata": np.arange(n) % 2,
        "weights": 1.0 + np.arange(n) % 2,
        "where": np.arange(n) % 7 > 0,
    }


OPTIONS = [
    [],
    ["entry"],
    ["strata"],
    ["weights"],
    ["where", "entry"],
    ["strata", "weights", "where"],
]


@pytest.mark.parametrize("given", OPTIONS)
@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_dfbeta_makes_the_sandwich_and_residuals_add_up_to_the_score(given, ties):
    x, event, time = problem()
    columns = {k: options(60)[k] for k in given}
    fit = cox_fit(x, event, time, ties=ties, **columns)
    influence = dfbeta(x, event, time, fit.coef, ties=ties, **columns)
    np.testing.assert_allclose(influence.T @ influence, fit.robust_covariance, rtol=1e-9)
    found = schoenfeld(x, event, time, fit.coef, ties=ties, **columns)
    here = event & columns.get("where", True)
    order = np.argsort(time[here], kind="stable")
    np.testing.assert_array_equal(found.time, time[here][order])
    if "strata" not in given:  # ties of different strata may come in either order
        weights = np.asarray(columns.get("weights", np.ones(60)))[here][order]
        np.testing.assert_allclose(weights @ found.residuals, 0, atol=1e-6)


def test_naive_residuals_without_ties():
    x, event, time = problem()
    time, coef = time + np.arange(60) / 1000, np.array([0.4, -0.3])
    found, k = schoenfeld(x, event, time, coef), 0
    for i in np.argsort(time):
        if event[i]:
            at_risk = time >= time[i]
            w = np.exp(x[at_risk] @ coef)
            np.testing.assert_allclose(
                found.residuals[k], x[i] - w @ x[at_risk] / w.sum(), rtol=1e-9
            )
            k += 1
    assert len(found.time) == k


def test_dfbeta_is_about_what_leaving_a_row_out_changes():
    x, event, time = problem(200)
    fit = cox_fit(x, event, time)
    influence = dfbeta(x, event, time, fit.coef)
    out = [fit.coef - cox_fit(x, event, time, where=np.arange(200) != k).coef for k in range(30)]
    assert np.corrcoef(influence[:30].ravel(), np.ravel(out))[0, 1] > 0.99


def test_lifelines_has_the_same_residuals():
    x, event, time = problem()
    table = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "t": time + np.arange(60) / 1000, "e": event})
    theirs = lifelines.CoxPHFitter().fit(table, "t", "e")
    x, outcome = table[["a", "b"]], (table["e"], table["t"])
    coef = theirs.params_
    martingale = martingale_residuals(x.to_numpy() @ coef.to_numpy(), *outcome)
    for kind, ours in (
        ("schoenfeld", schoenfeld(x, *outcome, coef).residuals),
        ("scaled_schoenfeld", schoenfeld(x, *outcome, coef, scaled=True).residuals),
        ("martingale", martingale[:, None]),
        ("deviance", deviance_residuals(martingale, table["e"])[:, None]),
    ):
        known = theirs.compute_residuals(table, kind).sort_index()
        if "schoenfeld" in kind:
            known = known.loc[[k for k in np.argsort(table["t"].to_numpy()) if table["e"][k]]]
        known = known[["a", "b"]] if "a" in known else known[[kind]]
        if kind == "scaled_schoenfeld":  # theirs are without the coefficient
            ours = ours - coef.to_numpy()
        np.testing.assert_allclose(ours, known, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("function", [schoenfeld, dfbeta])
def test_refusals(function):
    x, event, time = problem()
    coef = np.zeros(2)
    for change, message in (
        ({"coef": np.zeros(3)}, r"coef \[p\], got \[60, 2\] and \[3\]"),
        ({"coef": np.array([np.nan, 0])}, "coef has NaN"),
        ({"coef": np.array([1e4, 0])}, "differs by more than 600"),
        ({"x": x[:, 0]}, r"x must have shape \[n, p\]"),
        ({"event": 0 * event}, "no events"),
        ({"ties": "exact"}, "ties must be one of"),
        (
            {"x": pd.DataFrame(x, columns=["a", "b"]), "coef": pd.Series([1.0, 2], ["b", "a"])},
            r"give coef\[x.columns\]",
        ),
    ):
        given = {"x": x, "event": event, "time": time, "coef": coef} | change
        with pytest.raises(InputError, match=message):
            function(**given)
    twice = np.c_[x, x[:, :1]]
    with pytest.raises(InputError, match=r"columns \[0, 2\] of x determine each other"):
        dfbeta(twice, event, time, np.zeros(3))
    with pytest.raises(InputError, match=r"columns \[0, 2\] of x determine each other"):
        schoenfeld(twice, event, time, np.zeros(3), scaled=True)
