"""Weibull and log-normal likelihoods against SciPy, lifelines and torchsurv's formula."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from jax.test_util import check_grads
from scipy import stats

from jaxsurv.survival import log_normal_loss, log_normal_survival, weibull_loss, weibull_survival
from jaxsurv.types import InputError

MODELS = {
    "weibull": (
        weibull_loss,
        weibull_survival,
        lambda p: stats.weibull_min(np.exp(p[1]), scale=np.exp(p[0])),
    ),
    "log-normal": (
        log_normal_loss,
        log_normal_survival,
        lambda p: stats.lognorm(np.exp(p[1]), scale=np.exp(p[0])),
    ),
}


def rows(n=40, seed=0):
    rng = np.random.default_rng(seed)
    parameters = rng.normal(size=(n, 2)) * [1.0, 0.3]
    return parameters, rng.random(n) < 0.6, rng.exponential(2, n) + 0.01


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.usefixtures("x64")
def test_losses_are_scipys_log_likelihood(model):
    loss, survival, distribution = MODELS[model]
    p, event, time = rows()
    entry = np.where(np.arange(40) % 2, time / 3, 0)
    time[0], event[0] = 0.0, 0  # censored at once: says nothing
    entry[0] = -1.0
    of_row = [distribution(q) for q in p]

    def value(f, t):
        return np.array([getattr(d, f)(x) for d, x in zip(of_row, t, strict=True)])

    with np.errstate(divide="ignore"):
        each = -np.where(event, value("logpdf", time), value("logsf", time))
    late = each + value("logsf", np.maximum(entry, 0))
    weights, where = 1.0 + np.arange(40) % 3, np.arange(40) % 5 > 0
    np.testing.assert_allclose(loss(p, event, time), each.mean(), rtol=1e-10)
    found = loss(p, event, time, weights=weights, where=where, reduction="sum")
    np.testing.assert_allclose(found, (weights * each)[where].sum(), rtol=1e-10)
    np.testing.assert_allclose(loss(p, event, time, entry=entry), late.mean(), rtol=1e-10)
    times = np.array([3.0, 0.0, 0.5, np.inf])
    right = np.array([d.sf(times) for d in of_row])
    np.testing.assert_allclose(survival(p, times), right, rtol=1e-10)


@pytest.mark.usefixtures("x64")
def test_torchsurvs_weibull():
    """log hazard = log shape - log scale + expm1(log shape) (log t - log scale), minus (t / scale)^shape."""
    p, event, time = rows()
    log_scale, log_shape = p.T
    log_hazard = log_shape - log_scale + np.expm1(log_shape) * (np.log(time) - log_scale)
    log_likelihood = event * log_hazard - (time / np.exp(log_scale)) ** np.exp(log_shape)
    np.testing.assert_allclose(weibull_loss(p, event, time), -log_likelihood.mean(), rtol=1e-10)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.usefixtures("x64")
def test_lifelines_fit_is_the_optimum(model, reference):
    lifelines = pytest.importorskip("lifelines")
    table = reference("lung")[0][["time", "event", "age", "female"]]
    fitter = {"weibull": lifelines.WeibullAFTFitter, "log-normal": lifelines.LogNormalAFTFitter}
    fit = fitter[model]().fit(table, "time", "event")
    names = {"weibull": ("lambda_", "rho_"), "log-normal": ("mu_", "sigma_")}[model]
    location = fit.params_[names[0]][["Intercept", "age", "female"]].to_numpy()
    spread = fit.params_[names[1]]["Intercept"]
    x = np.column_stack([np.ones(len(table)), table["age"], table["female"]])
    event, time = table["event"].to_numpy(), table["time"].to_numpy()

    def loss(b):
        p = jnp.stack([x @ b[:3], jnp.full(len(table), b[3])], 1)
        return MODELS[model][0](p, event, time, reduction="sum")

    best = jnp.append(location, spread)
    value, slope = jax.value_and_grad(loss)(best)
    np.testing.assert_allclose(value, -fit.log_likelihood_, rtol=1e-6)
    step = np.linalg.solve(jax.hessian(loss)(best), slope)
    np.testing.assert_allclose(step / best, 0, atol=1e-3)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.usefixtures("x64")
def test_derivatives(model):
    p, event, time = rows(8)
    entry = np.where(np.arange(8) % 2, time / 2, 0)
    options = {"entry": entry, "weights": np.arange(1.0, 9), "where": np.arange(8) != 2}
    check_grads(lambda q: MODELS[model][0](q, event, time, **options), (p,), 2)


@pytest.mark.parametrize("size", [1.0, 5.0])
@pytest.mark.parametrize("model", MODELS)
def test_float32_is_stable(model, size):
    p, event, time = rows()
    p, time = (size * p).astype(np.float32), time.astype(np.float32)

    def loss(q):
        return MODELS[model][0](q, event, time)

    value, slope = jax.value_and_grad(loss)(jnp.asarray(p))
    with jax.enable_x64(True):
        right, exact = jax.value_and_grad(loss)(jnp.asarray(p, float))
    np.testing.assert_allclose(value, right, rtol=1e-5)
    np.testing.assert_allclose(slope, exact, rtol=1e-3, atol=1e-5 * np.abs(exact).max())


@pytest.mark.parametrize("model", MODELS)
def test_far_off_parameters_have_finite_values_and_slopes_that_lead_back(model):
    event, time = np.array([1, 0, 1]), np.array([1.0, 5.0, 300.0])
    p = jnp.array([[-40.0, 2.0], [-90.0, 1.0], [60.0, 0.5]])
    value, slope = jax.value_and_grad(lambda q: MODELS[model][0](q, event, time))(p)
    assert np.isfinite(value)
    assert np.isfinite(slope).all()
    assert (np.asarray(slope)[:2, 0] < 0).all()  # died or censored far later than foretold


@pytest.mark.parametrize("model", MODELS)
def test_rows_that_are_not_there_change_nothing(model):
    loss = MODELS[model][0]
    p, event, time = rows()
    here = np.arange(40) % 3 > 0
    odd = jnp.where(here[:, None], p, jnp.nan)
    zero = np.where(here, time, 0.0)  # padding: an event at time 0
    value, slope = jax.value_and_grad(lambda q: loss(q, np.ones(40), zero, where=here))(odd)
    alone = loss(p[here], np.ones(here.sum()), time[here])
    np.testing.assert_allclose(value, alone, rtol=1e-5)
    assert (np.asarray(slope)[~here] == 0).all()
    assert np.isfinite(slope).all()
    inside = jax.jit(lambda q, w: loss(q, event, time, where=w))(
        jnp.asarray(p), jnp.zeros(40, bool)
    )
    assert inside == 0


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.usefixtures("x64")
def test_cut_rows_and_units(model):
    loss, survival, _ = MODELS[model]
    p, event, time = rows()
    middle = time / 2
    whole = loss(p, event, time, reduction="sum")
    first = loss(p, 0 * event, middle, reduction="sum")
    second = loss(p, event, time, entry=middle, reduction="sum")
    np.testing.assert_allclose(first + second, whole, rtol=1e-12)
    in_days = p + np.array([np.log(365.0), 0])
    scaled = loss(in_days, event, 365 * time, reduction="sum")
    np.testing.assert_allclose(scaled, whole + event.sum() * np.log(365.0), rtol=1e-12)
    np.testing.assert_allclose(survival(in_days, 365 * time), survival(p, time), rtol=1e-10)


@pytest.mark.parametrize("model", MODELS)
def test_refusals(model):
    loss, survival, _ = MODELS[model]
    p, event, time = rows()
    with pytest.raises(InputError, match=r"parameters must have shape \[n, 2\], got \[40, 1\]"):
        loss(p[:, :1], event, time)
    with pytest.raises(InputError, match=r"parameters has NaN .* row 4"):
        loss(np.where(np.arange(80).reshape(40, 2) == 8, np.nan, p), event, time)
    at_zero = np.where(np.arange(40) == 7, 0, time)
    with pytest.raises(InputError, match="time is 0 at an event in row 7"):
        loss(p, np.ones(40), at_zero)
    assert np.isfinite(loss(p, np.arange(40) != 7, at_zero))
    with pytest.raises(InputError, match=r"event must be 0 .*found 2"):
        loss(p, 2 * event, time)
    with pytest.raises(InputError, match="times has NaN"):
        survival(p, [np.nan])
    table = pd.DataFrame(p, columns=["location", "spread"])
    np.testing.assert_allclose(loss(table, event, time), loss(p, event, time), rtol=1e-6)
