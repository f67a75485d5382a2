"""The elastic-net path against glmnet, and against its own optimality conditions."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsurv.survival import (
    cox_fit,
    coxnet_cv,
    coxnet_path,
    neg_log_partial_likelihood,
    prepare_risk_sets,
    restrict,
)
from jaxsurv.survival import coxnet_newton as newton
from jaxsurv.survival.host import cox
from jaxsurv.survival.host import coxnet as host_coxnet
from jaxsurv.types import InputError

CASES = [
    *(
        ("lung", f"lung_{a}")
        for a in ("a1_std", "a0.5_raw", "a0.05_std", "a0.5_weighted", "a0.5_pf")
    ),
    *(("pbc_highdim", f"pbc_highdim_{a}") for a in ("a1_std", "a0.5_std", "a0.1_std")),
    *(("heart", f"heart_{a}") for a in ("a0.5_std", "a1_std", "a0.5_strata")),
]


def simulated(n, p, seed=0):
    """x with correlated columns, tied times."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 5)) @ rng.standard_normal((5, p)) + rng.standard_normal((n, p))
    life, censoring = rng.exponential(np.exp(-0.5 * x[:, 0])), rng.exponential(2.0, n)
    return x * 3 + 10, life <= censoring, np.ceil(20 * np.minimum(life, censoring))


def violations(path, x, l1_ratio, **outcome):
    """By autodiff of the stable loss, for standardised columns: independent of the solver's code."""
    weight = outcome.get("weights", np.ones(len(x)))
    scale = np.sqrt(np.cov(x.T, aweights=weight, bias=True).diagonal())
    z = (x - x.mean(0)) / scale
    total = weight.sum()

    def loss(b):
        return neg_log_partial_likelihood(z @ b, ties="breslow", reduction="sum", **outcome) / total

    slope = jax.jit(jax.grad(loss))
    worst = []
    for coef, lam in zip(path.coef, path.lambdas, strict=True):
        b, lam = np.asarray(coef) * scale, float(lam)
        s = np.asarray(slope(jnp.asarray(b))) + lam * (1 - l1_ratio) * b
        at = lam * l1_ratio
        inactive = np.maximum(np.abs(s) - at, 0)
        worst.append(np.where(b != 0, np.abs(s + at * np.sign(b)), inactive).max() / at)
    return np.array(worst)


@pytest.mark.parametrize(("data", "name"), CASES)
def test_as_glmnet(data, name, reference, x64):
    table, numbers = reference(data, "coxnet.json")
    case = numbers["paths"][name]
    columns = [c for c in numbers["covariates"] if c != case["strata"]]
    given = {k: table[case[k]].to_numpy() for k in ("entry", "strata", "weights") if case[k]}
    path = coxnet_path(
        table[columns].to_numpy(float),
        table["event"].to_numpy(),
        table["stop" if "stop" in table else "time"].to_numpy(),
        l1_ratio=case["alpha"],
        n_lambdas=case["n_lambda_asked"],
        lambda_min_ratio=case["lambda_min_ratio"],
        penalty_factor=case["penalty_factor"],
        standardize=case["standardize"],
        tolerance=1e-9,
        **given,
    )
    n = len(case["lambda"])  # glmnet stops early where the deviance does
    np.testing.assert_allclose(path.lambdas[:n], case["lambda"], rtol=1e-7)
    np.testing.assert_allclose(path.deviance_ratio[:n], case["dev_ratio"], atol=5e-7)
    assert path.kkt.max() < 1e-9
    if name != "pbc_highdim_a1_std":  # columns that are equal there share a coefficient in any way
        for point in case["path"]:
            coef = np.zeros(len(columns))
            coef[point["nonzero"]] = point["value"]
            np.testing.assert_allclose(path.coef[point["index"]], coef, atol=1e-5)


@pytest.mark.parametrize(
    ("data", "name"), [("lung", "lung_a0.5_std"), ("pbc_highdim", CASES[6][1])]
)
def test_cross_validation_as_glmnet(data, name, reference, x64):
    table, numbers = reference(data, "coxnet.json")
    case = numbers["paths"][name]
    cv, expected = (
        coxnet_cv(
            table[numbers["covariates"]].to_numpy(),
            table["event"].to_numpy(),
            table["time"].to_numpy(),
            table["fold"].to_numpy(),
            n_lambdas=case["n_lambda_asked"],
            lambda_min_ratio=case["lambda_min_ratio"],
            tolerance=1e-8,
        ),
        case["cv"]["deviance"],
    )
    n = len(expected["cvm"])
    np.testing.assert_allclose(cv.deviance[:n], expected["cvm"], rtol=2e-6)
    np.testing.assert_allclose(cv.standard_error[:n], expected["cvsd"], rtol=5e-6)
    np.testing.assert_allclose(cv.lambda_min, expected["lambda_min"], rtol=1e-6)
    np.testing.assert_allclose(cv.lambda_1se, expected["lambda_1se"], rtol=1e-6)


def test_optimal_with_everything_at_once():
    x, event, time = simulated(90, 150)
    rng = np.random.default_rng(1)
    outcome = {
        "strata": rng.integers(0, 2, 90),
        "weights": rng.integers(1, 4, 90).astype(float),
        "entry": np.where(rng.random(90) < 0.3, time / 2, 0) - 0.5 * (rng.random(90) < 0.3),
    }
    path = coxnet_path(x, event, time, n_lambdas=12, l1_ratio=0.7, **outcome)
    assert path.coef.dtype == jnp.float32
    assert path.kkt.max() <= 1e-4
    with jax.enable_x64(True):
        worst = violations(path, x, 0.7, event=event, time=time, **outcome)
    assert worst[1:].max() < 3e-4  # the coefficients themselves are rounded to float32
    assert (np.diff(np.asarray(path.deviance_ratio)) > 0).all()


def test_a_mask_is_as_if_the_rows_were_not_there_also_vmapped(x64):
    x, event, time = simulated(60, 80)
    masks = np.random.default_rng(0).random((3, 60)) < 0.8
    risk_sets = prepare_risk_sets(event, time)

    def fit(mask):
        return coxnet_path(x, risk_sets=restrict(risk_sets, mask), n_lambdas=6, tolerance=1e-8)

    vmapped = jax.jit(jax.vmap(fit))(masks)
    for k, mask in enumerate(masks):
        alone = coxnet_path(
            x[mask], event[mask], time[mask], n_lambdas=6, lambda_min_ratio=0.01, tolerance=1e-8
        )
        np.testing.assert_allclose(vmapped.lambdas[k], alone.lambdas, rtol=1e-9)
        np.testing.assert_allclose(vmapped.coef[k], alone.coef, atol=1e-7)
        np.testing.assert_allclose(vmapped.coef[k], fit(mask).coef, atol=1e-7)


def test_cross_validation_of_masked_rows(x64):
    x, event, time = simulated(60, 30)
    where = np.arange(60) % 6 > 0
    fold = np.arange(60) % 3
    same = {"n_lambdas": 6, "lambda_min_ratio": 0.05, "tolerance": 1e-8}
    garbage = np.where(where[:, None], x, 1e9)
    masked = coxnet_cv(garbage, event, time, fold, where=where, **same)
    alone = coxnet_cv(x[where], event[where], time[where], fold[where], **same)
    np.testing.assert_allclose(masked.deviance, alone.deviance, rtol=1e-7)
    np.testing.assert_allclose(masked.standard_error, alone.standard_error, rtol=1e-6)
    np.testing.assert_allclose(masked.held_out[:, where], alone.held_out, atol=1e-7)
    assert not np.any(masked.held_out[:, ~where])
    kept, held_out = where & (fold != 0), where & (fold == 0)
    lambdas = masked.path.lambdas
    path = coxnet_path(x, event, time, where=kept, lambdas=lambdas, tolerance=1e-8)
    risk = np.asarray(path.coef) @ x.T
    risk -= risk[:, kept].mean(axis=1, keepdims=True)
    np.testing.assert_allclose(masked.held_out[:, held_out], risk[:, held_out], atol=1e-6)


def test_row_order_unit_and_scale_do_not_matter(x64):
    x, event, time = simulated(60, 80)
    order = np.random.default_rng(0).permutation(60)
    path = coxnet_path(x, event, time, n_lambdas=6, tolerance=1e-9)
    other = coxnet_path(
        (x * 7 - 3)[order], event[order], time[order] / 365.25, n_lambdas=6, tolerance=1e-9
    )
    np.testing.assert_allclose(other.coef * 7, path.coef, atol=1e-8)


def test_no_penalty_is_the_linear_cox_model(x64):
    x, event, time = simulated(100, 20)
    factor = np.ones(20)
    factor[[3, 5]] = 0
    path = coxnet_path(x, event, time, n_lambdas=3, penalty_factor=factor, tolerance=1e-9)
    alone = cox_fit(x[:, [3, 5]], event, time, ties="breslow")
    np.testing.assert_allclose(path.coef[0, [3, 5]], alone.coef, atol=1e-8)
    assert (np.delete(np.asarray(path.coef[0]), [3, 5]) == 0).all()


def test_without_l1_it_is_ridge(x64):
    x, event, time = simulated(40, 60)
    lambdas = np.array([2.0, 0.5, 0.1])
    path = coxnet_path(
        x,
        event,
        time,
        l1_ratio=0.0,
        lambdas=lambdas,
        standardize=False,
        tolerance=1e-7,
    )
    ridge = cox_fit(x, event, time, ties="breslow", l2=0.1 * 40)
    np.testing.assert_allclose(path.coef[-1], ridge.coef, atol=1e-6)


def test_more_columns_than_the_largest_model_holds(monkeypatch, x64):
    monkeypatch.setattr(newton, "working_set_sizes", lambda p, n: [16])
    monkeypatch.setattr(host_coxnet, "largest_model", lambda p, n: 16)
    x, event, time = simulated(50, 70)

    def fit(x):
        return coxnet_path(x, event, time, n_lambdas=5, lambda_min_ratio=0.1, l1_ratio=0.2)

    for path in (fit(x), jax.jit(fit)(x)):
        assert (path.coef != 0).sum(1).max() > 16
        assert path.kkt.max() <= 1e-4


@pytest.mark.parametrize("l1_ratio", [1.0, 0.4, 0.0])
@pytest.mark.parametrize("standardize", [True, False])
def test_host_and_jit_agree(l1_ratio, standardize, monkeypatch, x64):
    x, event, time = simulated(70, 40)
    rng = np.random.default_rng(2)
    outcome = {
        "strata": rng.integers(0, 3, 70),
        "weights": rng.integers(0, 3, 70).astype(float),
        "entry": np.where(rng.random(70) < 0.4, time / 2, 0) - 0.5,
        "where": rng.random(70) < 0.9,
    }
    options = {"n_lambdas": 8, "lambda_min_ratio": 0.05, "l1_ratio": l1_ratio, "tolerance": 1e-8}
    options |= {"standardize": standardize, "penalty_factor": np.append([0, 2.0], np.ones(38))}

    def fit(x):
        return coxnet_path(x, event, time, **outcome, **options)

    def folds():
        return coxnet_cv(x, event, time, np.arange(70) % 3, **outcome, **options)

    host, traced, cv = fit(x), jax.jit(fit)(x), folds()
    monkeypatch.setattr(cox, "_ROWS_ENTERING", 0)  # eagerly by the program of jit
    for path in (traced, fit(x)):
        np.testing.assert_allclose(path.lambdas, host.lambdas, rtol=1e-7)
        np.testing.assert_allclose(path.coef, host.coef, atol=1e-6)
        np.testing.assert_allclose(path.deviance_ratio, host.deviance_ratio, atol=1e-9)
    assert host.kkt.max() <= 1e-8
    for a, b in zip(
        jax.tree.leaves(cv._replace(kkt=0)), jax.tree.leaves(folds()._replace(kkt=0)), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_a_lasso_goes_on_to_a_saturated_model(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(90, 4)) @ rng.normal(size=(4, 70)) + rng.normal(size=(90, 70))
    life = rng.exponential(np.exp(-x[:, :4].sum(1) / 2))
    censoring = rng.exponential(np.median(life) * 2, 90)
    event, time = life <= censoring, np.minimum(life, censoring)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # float32 would stall
        path = coxnet_path(x, event, time, l1_ratio=1.0)
    assert path.kkt.max() <= 1e-4
    assert path.deviance_ratio[-1] > 0.97
    with jax.enable_x64(True):
        exact = coxnet_path(x, event, time, l1_ratio=1.0)
        assert violations(exact, x, 1.0, event=event, time=time).max() < 1.1e-4


def test_a_constant_column_and_a_column_of_outcomes_do_no_harm():
    x, event, time = simulated(50, 30)
    x[:, 4] = 2.5
    x[:, 7] = -time
    path = coxnet_path(x, event, time, n_lambdas=20)
    assert path.kkt.max() <= 1e-4
    assert (path.coef[:, 4] == 0).all()
    assert np.isfinite(path.coef).all()
    assert path.coef[-1].argmax() == 7


def test_new_data_compile_nothing():
    traces = []

    @jax.jit
    def fit(x, rs):
        traces.append(1)
        return coxnet_path(x, risk_sets=rs, n_lambdas=4, lambda_min_ratio=0.1).kkt

    for seed in (0, 1):
        x, event, time = simulated(40, 50, seed)
        assert fit(x, prepare_risk_sets(event, time)).max() < 1e-3  # all in float32 here
    assert len(traces) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": np.zeros(30)}, r"x must have shape \[n, p\]"),
        ({"x": np.full((30, 4), np.nan)}, "x has NaN"),
        ({"event": np.zeros(30)}, "no events"),
        ({"l1_ratio": 1.5}, "l1_ratio must be between 0"),
        ({"lambdas": np.array([0.1, 0.2])}, "lambdas must be > 0 and decrease"),
        ({"lambdas": 0.1}, r"lambdas must have shape \[n\]"),
        ({"penalty_factor": np.ones(3)}, "penalty_factor has 3 values for the 4 columns"),
        ({"penalty_factor": -np.ones(4)}, "penalty_factor must be finite and >= 0"),
        ({"event": np.ones(29)}, "common length"),
    ],
)
def test_refusals(change, message):
    x, event, time = simulated(30, 4)
    with pytest.raises(InputError, match=message):
        coxnet_path(**{"x": x, "event": event, "time": time, **change})


def test_folds_without_events_are_refused():
    x, event, time = simulated(30, 4)
    with pytest.raises(InputError, match="no event counts in fold 1"):
        coxnet_cv(x, event, time, np.where(event, 0, 1))
    with pytest.raises(InputError, match="only 1 fold"):
        coxnet_cv(x, event, time, np.zeros(30, int))
    fold = np.arange(30) % 3
    for weights in ((fold != 1) * 1.0, 1.0 - event * (fold == 1)):
        with pytest.raises(InputError, match="in fold 1"):
            coxnet_cv(x, event, time, fold, weights=weights)
