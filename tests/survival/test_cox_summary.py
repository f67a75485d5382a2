"""The summary of a Cox model against R's table, and the printed page."""

import warnings

import jax
import numpy as np
import pytest

from jaxsurv.metrics import concordance_index
from jaxsurv.survival import CollinearityWarning, cox_fit
from jaxsurv.types import InputError

DATA = ["veteran_zph", "pbc_competing", "mgus2_competing"]
COLUMNS = ["coef", "hazard_ratio", "se", "z", "p", "hr_lower", "hr_upper"]


def cases(table, expected):
    """x, event, time, ties, strata and R's table of each case, for names that R could estimate."""
    event = table["event"] if "event" in table else (table["cause"] > 0).astype(int)
    for case in ("efron", "breslow", "strata"):
        theirs = expected[f"cox_{case}"]
        names = [n for n, z in zip(theirs["names"], theirs["z"], strict=True) if z is not None]
        strata = table[theirs["strata"]] if "strata" in theirs else None
        ties = "breslow" if case == "breslow" else "efron"
        yield case, table[names], event, table["time"], ties, strata


@pytest.mark.parametrize("name", DATA)
def test_table_tests_and_concordance_are_those_of_r(reference, name):
    table, expected = reference(name, "proportional_hazards.json")
    for case, x, event, time, ties, strata in cases(table, expected):
        theirs = expected[f"cox_{case}"]
        fit = cox_fit(x, event, time, ties=ties, strata=strata)
        summary = fit.summary()
        assert list(summary.columns) == COLUMNS
        assert list(summary.index) == list(x.columns)
        for column in COLUMNS:
            known = [v for v in theirs[column] if v is not None][: len(x.columns)]
            # R ends at a score of 4e-5 in mgus2_competing by strata, which a p-value of .02 shows
            rtol = 1e-5 if column == "p" else 1e-6
            np.testing.assert_allclose(summary[column], known, rtol=rtol)
        test = fit.likelihood_ratio
        known = test.statistic, test.degrees_of_freedom, test.p_value
        np.testing.assert_allclose(known, theirs["lr_test"], rtol=1e-6)
        c = fit.rows.concordance()
        np.testing.assert_allclose((c.index, c.standard_error), theirs["concordance"], rtol=1e-6)
        page = str(fit)
        assert f"n = {len(x)}, events = {event.sum()}" in page
        assert f"Likelihood ratio test {test.statistic:.4g} on {len(x.columns)} degrees" in page
        assert (
            f"{c.index:.4g} (in the rows of the fit), standard error {c.standard_error:.2g}" in page
        )


def test_a_column_of_which_the_data_say_nothing_takes_no_degree_of_freedom(reference):
    table, expected = reference("veteran_zph", "proportional_hazards.json")
    theirs = expected["cox_strata"]
    with pytest.warns(CollinearityWarning, match="prior"):
        fit = cox_fit(table[theirs["names"]], table["event"], table["time"], strata=table["prior"])
    test = fit.likelihood_ratio
    known = test.statistic, test.degrees_of_freedom, test.p_value
    np.testing.assert_allclose(known, theirs["lr_test"], rtol=1e-6)
    assert fit.summary().loc["prior", "p"] > 0.99
    np.testing.assert_allclose(fit.summary()["coef"].iloc[:4], theirs["coef"][:4], rtol=1e-6)


def problem(n=60, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    time = np.ceil(rng.exponential(np.exp(-x[:, 0])) * 10)
    return x, rng.random(n) < 0.7, time


@pytest.mark.parametrize(
    "given", [[], ["entry"], ["strata", "weights"], ["entry", "where"], ["where"]]
)
def test_concordance_is_that_of_the_fitted_hazards(given):
    x, event, time = problem()
    n = len(time)
    columns = {
        "entry": time * (np.arange(n) % 3) / 4,
        "strata": np.array(list("abc"))[np.arange(n) % 3],
        "weights": 1.0 + np.arange(n) % 2,
        "where": np.arange(n) % 7 > 0,
    }
    columns = {k: columns[k] for k in given}
    fit = cox_fit(x, event, time, **columns)
    ours, theirs = fit.rows.concordance(), concordance_index(x @ fit.coef, event, time, **columns)
    for field in ("index", "standard_error", "concordant", "tied_time"):
        np.testing.assert_allclose(getattr(ours, field), getattr(theirs, field), rtol=1e-7)


def test_clusters_give_robust_columns():
    x, event, time = problem()
    fit = cox_fit(x, event, time, cluster=np.arange(60) // 2)
    table = fit.summary(["a", "b"], level=0.9)
    assert list(table.columns) == [*COLUMNS[:3], "robust_se", *COLUMNS[3:]]
    error = np.sqrt(np.diagonal(fit.robust_covariance))
    assert (np.abs(error / table["se"] - 1) > 1e-3).all()
    np.testing.assert_allclose(table["z"], fit.coef / error)
    np.testing.assert_allclose(table["hr_upper"], np.exp(fit.coef + 1.6448536269514722 * error))
    assert "robust_se" in str(fit)


def test_what_the_data_do_not_tell_is_nan():
    x, event, time = problem()
    strata = np.arange(60) % 2
    fit = cox_fit(np.c_[x, strata], event, time, strata=strata, l2=1.0, cluster=np.arange(60))
    assert np.isnan(fit.summary()[["z", "p", "hr_lower"]].to_numpy()[2]).all()
    assert "l2 = 1, which no test heeds" in str(fit)


def test_names():
    x, event, time = problem()
    fit = cox_fit(x, event, time)
    assert list(fit.summary().index) == [0, 1]
    assert list(fit.summary(["age", "dose"]).index) == ["age", "dose"]
    with pytest.raises(InputError, match="x has 2 columns, but names has 1"):
        fit.summary(["age"])


def test_traced_and_many_fits_have_no_summary():
    x, event, time = problem()
    many = jax.vmap(lambda l2: cox_fit(x, event, time, l2=l2))(np.array([0.0, 1.0]))
    assert str(many).startswith("CoxFit(coef=")
    with pytest.raises(InputError, match=r"of one fit at a time; coef has shape \[2, 2\]"):
        many.summary()
    one = jax.jit(lambda x: cox_fit(x, event, time))(x)
    assert one.rows.risk_sets is None
    # the structure is the same with and without rows
    assert jax.tree.structure(one) == jax.tree.structure(cox_fit(x, event, time))
    assert jax.jit(lambda fit: fit)(cox_fit(x, event, time)).rows.risk_sets is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(one.summary(), cox_fit(x, event, time).summary(), rtol=1e-3)
    assert "Wald test" in str(one)
    assert "Concordance" not in str(one)
