import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal

from experiments.hcl.recovery import block_errors
from experiments.hcl.simulate import simulate_covariance
from jaxsurv.factors import (
    Structure,
    bic,
    denoise,
    log_likelihood,
    moments,
    posterior_mean,
    select_structure,
    shrink,
    simulate_factors,
    simulate_loadings,
)
from jaxsurv.factors.scores import least_squares_scores
from jaxsurv.models import fit_moments, hcl_linear
from jaxsurv.types import InputError
from tests.factors.structures import FULL, SIZES, loadings

pytestmark = pytest.mark.usefixtures("x64")


def test_complete_rows_give_the_usual_covariance():
    x, _ = simulate_factors(jax.random.key(0), loadings(FULL), FULL, n=40)
    where = jnp.arange(40) < 30
    found = moments(FULL, x, where=where)
    table = np.concatenate([x[m] for m in SIZES], axis=1)[:30]
    np.testing.assert_allclose(found.covariance, np.cov(table.T, bias=True), atol=1e-12)
    np.testing.assert_allclose(found.mean, table.mean(0), atol=1e-12)
    assert found.n == 30
    same = moments(FULL, x, where=where, presence={m: jnp.ones(40) for m in SIZES})
    np.testing.assert_allclose(same.covariance, found.covariance, atol=1e-9)


def test_pairs_that_are_there_and_nothing_of_those_that_are_not():
    x, _ = simulate_factors(jax.random.key(1), loadings(FULL), FULL, n=400)
    presence = {m: jax.random.bernoulli(jax.random.key(k), 0.7, (400,)).astype(float)
                for k, m in enumerate(SIZES)}  # fmt: skip
    found = moments(FULL, x, presence=presence)
    garbage = {m: jnp.where(presence[m][:, None] > 0, v, 1e6) for m, v in x.items()}
    again = moments(FULL, garbage, presence=presence)
    np.testing.assert_allclose(again.covariance, found.covariance, atol=1e-6)
    both = (presence["rna"] * presence["image"]) > 0
    a, b = (np.asarray(x[m]) for m in ("rna", "image"))
    a, b = a - a[presence["rna"] > 0].mean(0), b - b[presence["image"] > 0].mean(0)
    expected = a[both].T @ b[both] / both.sum()
    rows, columns = FULL.modalities["rna"], FULL.modalities["image"]
    np.testing.assert_allclose(found.covariance[rows, columns], expected, atol=0.02)
    assert np.linalg.eigvalsh(found.covariance).min() > -1e-9


def test_the_repair_makes_an_impossible_covariance_possible():
    # a and b move together in some patients, b and c in others, a and c against each other in the rest
    t = jnp.linspace(-1, 1, 30)
    wave = {"a": t, "b": jnp.tile(t, 1), "c": -t}
    x = {m: v[:, None] for m, v in wave.items()}
    third = jnp.arange(30) % 3
    x["c"] = jnp.where((third == 1)[:, None], x["b"], x["c"])
    presence = {"a": (third != 1) * 1.0, "b": (third != 2) * 1.0, "c": (third != 0) * 1.0}
    structure = Structure.of({"a": 1, "b": 1, "c": 1}, {("a", "b", "c"): 1})
    values = np.linalg.eigvalsh(moments(structure, x, presence=presence).covariance)
    assert values.min() > -1e-9


def test_two_modalities_that_nobody_has_both():
    x, _ = simulate_factors(jax.random.key(1), loadings(FULL), FULL, n=20)
    first = jnp.arange(20) < 10
    presence = {"rna": first * 1.0, "image": ~first * 1.0, "protein": jnp.ones(20)}
    with pytest.raises(InputError, match="rna and image are measured together in 0 patients"):
        moments(FULL, x, presence=presence)


def test_features_that_do_not_vary_say_nothing_of_the_noise():
    x, _ = simulate_factors(jax.random.key(3), loadings(FULL), FULL, n=200)
    lacks = jax.random.bernoulli(jax.random.key(4), 0.2, (200,))
    presence = {m: jnp.ones(200) for m in SIZES} | {"image": 1.0 - lacks}
    unused = x | {"image": x["image"].at[:, 15:].set(0)}
    without = Structure.of({**SIZES, "image": 15}, 2)
    left = x | {"image": x["image"][:, :15]}
    for there in (None, presence):
        padded = denoise(moments(FULL, unused, presence=there).covariance, FULL.rank)
        plain = denoise(moments(without, left, presence=there).covariance, FULL.rank)
        np.testing.assert_allclose(padded.noise, plain.noise, rtol=1e-6)


def test_shrinkage_counts_the_patients_who_have_both():
    structure = Structure.of({"a": 40, "b": 60}, {("a", "b"): 1, ("a",): 1, ("b",): 1})
    w = simulate_loadings(jax.random.key(0), structure)
    pairs = jnp.array([[400.0, 100], [100, 200]])
    found = shrink(w, 0.5, pairs, structure)
    for subset, n in (
        (("a",), 400),
        (("b",), 200),
        (("a", "b"), 4 / (1 / 400 + 2 / 100 + 1 / 200)),
    ):
        at = structure.blocks[subset]
        np.testing.assert_allclose(found[:, at], shrink(w, 0.5, n, structure)[:, at], atol=1e-12)


def test_a_third_of_the_blocks_missing_costs_little():
    w = loadings(FULL)
    x, _ = simulate_factors(jax.random.key(2), w, FULL, n=6000)
    presence = {m: jax.random.bernoulli(jax.random.key(9 + k), 0.7, (6000,)).astype(float)
                for k, m in enumerate(SIZES)}  # fmt: skip
    fit = jax.jit(hcl_linear, static_argnums=0)
    whole, part = fit(FULL, x), fit(FULL, x, presence=presence)

    def error(found):
        return float(np.mean([float(e) for e in block_errors(found.loadings, w, FULL).values()]))

    complete = presence["rna"] * presence["protein"] * presence["image"]
    only_complete = fit(FULL, x, where=complete > 0)
    assert error(part) < 1.5 * error(whole) < error(only_complete), (error(whole), error(part))


def test_the_simulated_covariance_has_the_moments_of_wisharts():
    structure = Structure.of({"a": 3, "b": 2}, {("a", "b"): 1, ("a",): 1})
    w, n, noise = loadings(structure), 20, 0.5
    draw = jax.jit(jax.vmap(lambda key: simulate_covariance(key, w, n=n, noise=noise)))
    s = np.asarray(draw(jax.random.split(jax.random.key(0), 40_000)))
    true = np.asarray(w @ w.T + noise * jnp.eye(5))
    np.testing.assert_allclose(s.mean(0), true * (n - 1) / n, atol=0.02)
    spread = (n - 1) / n**2 * (true**2 + np.outer(np.diag(true), np.diag(true)))
    np.testing.assert_allclose(s.var(0), spread, rtol=0.08, atol=2e-3)


def test_the_likelihood_is_the_normal_density():
    w, noise = loadings(FULL), 0.3
    x, _ = simulate_factors(jax.random.key(4), w, FULL, n=50, noise=noise)
    found = moments(FULL, x)
    table = np.concatenate([x[m] for m in SIZES], axis=1)
    true = w @ w.T + noise * jnp.eye(len(w))
    density = multivariate_normal(found.mean, true).logpdf(table).mean()
    np.testing.assert_allclose(log_likelihood(w, noise, found.covariance), density, rtol=1e-9)


def test_scores_are_the_conditional_mean_of_what_is_there():
    w, noise = loadings(FULL), 0.3
    x, _ = simulate_factors(jax.random.key(5), w, FULL, n=4, noise=noise)
    presence = {"rna": jnp.array([1.0, 1, 0, 0]), "protein": jnp.array([1.0, 0, 1, 0]),
                "image": jnp.array([1.0, 1, 1, 0])}  # fmt: skip
    mean = jnp.arange(FULL.features) / 50
    z = posterior_mean(w, noise, mean, x, FULL, presence=presence)
    table = np.concatenate([x[m] for m in SIZES], axis=1) - mean[None]
    for i in range(4):
        seen = np.concatenate([np.full(d, presence[m][i] > 0) for m, d in SIZES.items()])
        v, y = np.asarray(w)[seen], table[i, seen]
        expected = (
            v.T @ np.linalg.solve(v @ v.T + noise * np.eye(len(v)), y) if len(v) else np.zeros(14)
        )
        np.testing.assert_allclose(z[i], expected, atol=1e-9)
    full = posterior_mean(w, noise, mean, x, FULL)
    np.testing.assert_allclose(full[0], z[0], atol=1e-9)


def test_least_squares_scores_are_exact_without_noise():
    w = loadings(FULL)
    x, z = simulate_factors(jax.random.key(6), w, FULL, n=5, noise=0.0)
    got = least_squares_scores(w, jnp.zeros(len(w)), x, FULL)
    np.testing.assert_allclose(got, z, atol=1e-6)
    got = least_squares_scores(w.at[:, :2].set(0), jnp.zeros(len(w)), x, FULL)
    assert not np.any(np.abs(got[:, :2]) > 1e-9)


def test_shrinkage_is_the_best_multiple_of_what_is_seen():
    """One factor in noise: no multiple of the estimate is closer to the truth on average."""
    structure = Structure.of({"a": 200}, {("a",): 1})
    w = jnp.zeros((200, 1)).at[0].set(1.1)

    @jax.jit
    @jax.vmap
    def errors(key):
        s = simulate_covariance(key, w, n=400, noise=1.0)
        values, vectors = jnp.linalg.eigh(s)
        raw = vectors[:, -1:] * jnp.sqrt(values[-1] - 1)
        best = shrink(raw, 1.0, 400, structure)
        factors = jnp.linspace(0.0, 1.2, 25)
        others = jax.vmap(lambda f: jnp.sum((f * raw @ raw.T - w @ w.T) ** 2))(factors)
        return jnp.sum((best @ best.T - w @ w.T) ** 2), others

    mine, others = (np.asarray(v).mean(0) for v in errors(jax.random.split(jax.random.key(0), 60)))
    assert mine < 1.03 * others.min() < 0.8 * others[20], (mine, others)


def test_shrinkage_forgets_what_is_noise_and_keeps_what_is_certain():
    structure = Structure.of({"a": 100}, {("a",): 1})
    w = jnp.zeros((100, 1)).at[0].set(0.5)
    assert not np.any(shrink(w, 1.0, 400, structure))
    np.testing.assert_allclose(shrink(w, 1.0, 1e12, structure), w, rtol=1e-5)


def test_bic_finds_the_ranks():
    ranks = {("rna", "protein", "image"): 2, ("rna", "image"): 1, ("protein",): 2}
    truth = Structure.of(SIZES, ranks)
    x, _ = simulate_factors(jax.random.key(7), loadings(truth), truth, n=3000, noise=0.3)
    start = Structure.of(SIZES, 2)
    found, values = select_structure(moments(start, x), start)
    assert dict(found.ranks) == ranks
    assert values == sorted(values, reverse=True)
    assert len(values) == 1 + start.rank - truth.rank


def test_bic_counts_the_directions_in_which_the_model_can_move():
    """Parameters of covariance and mean, as the rank of the derivative of the covariance: a rotation
    inside a block moves nothing."""
    sizes = {"a": 5, "b": 4, "c": 6}
    structure = Structure.of(sizes, {("a", "b", "c"): 3, ("a", "c"): 2, ("b",): 1, ("c",): 2})
    inside = np.flatnonzero(structure.mask)
    start = np.random.default_rng(0).normal(size=inside.size)

    def covariance(parameters):
        w = jnp.zeros(structure.mask.size).at[inside].set(parameters[1:])
        w = w.reshape(structure.mask.shape)
        return (w @ w.T + parameters[0] * jnp.eye(structure.features)).ravel()

    slope = jax.jacobian(covariance)(jnp.asarray([0.5, *start]))
    free = np.linalg.matrix_rank(np.asarray(slope), tol=1e-9)
    assert free < 1 + inside.size
    rng = np.random.default_rng(1)
    found = moments(structure, {m: rng.normal(size=(50, d)) for m, d in sizes.items()})
    w = jnp.zeros(structure.mask.size).at[inside].set(start).reshape(structure.mask.shape)
    fit = log_likelihood(w, jnp.asarray(0.5), found.covariance)
    expected = -2 * 50 * fit + np.log(50) * (free + structure.features)
    np.testing.assert_allclose(bic(w, jnp.asarray(0.5), found, structure), expected, rtol=1e-10)


def test_presence_may_be_a_table():
    """As `Cohort.presence` is, with more modalities than the structure has."""
    structure = Structure.of({"rna": 3, "image": 2}, {("rna", "image"): 1})
    rng = np.random.default_rng(0)
    x = {"rna": rng.normal(size=(30, 3)), "image": rng.normal(size=(30, 2))}
    has = {"rna": np.arange(30) % 5 > 0, "image": np.arange(30) % 3 > 0, "cnv": np.ones(30, bool)}
    arrays = {m: v.astype(float) for m, v in has.items()}
    found, same = (moments(structure, x, presence=p) for p in (pd.DataFrame(has), arrays))
    np.testing.assert_array_equal(found.covariance, same.covariance)
    fit = fit_moments(structure, found)
    z, same = (
        posterior_mean(fit.loadings, fit.noise, fit.mean, x, structure, presence=p)
        for p in (pd.DataFrame(has), arrays)
    )
    np.testing.assert_array_equal(z, same)


def test_tables_whose_rows_are_other_patients_are_refused():
    """Rows are taken by position: an index that contradicts is wrong in every function that takes tables."""
    x, _ = simulate_factors(jax.random.key(0), loadings(FULL), FULL, n=40)
    names = [f"patient {i}" for i in range(40)]
    tables = {m: pd.DataFrame(np.asarray(v), names) for m, v in x.items()}
    presence = pd.DataFrame(1, names, list(SIZES))
    w, mean = loadings(FULL), jnp.zeros(FULL.features)

    def latent(inputs, presence):
        return posterior_mean(w, 1.0, mean, inputs, FULL, presence=presence)

    plain = {m: jnp.ones(40) for m in SIZES}
    np.testing.assert_array_equal(latent(tables, presence), latent(x, plain))
    other = {**tables, "rna": tables["rna"][::-1]}
    for function in (latent, lambda inputs, presence: moments(FULL, inputs, presence=presence)):
        for inputs, there, message in (
            (other, presence, "rna .* in another order"),
            (tables, presence[::-1], "presence of .* in another order"),
            (x, presence[:30], r"presence of \w+ must be \[40\]"),
            (x, presence.drop(columns="image"), "presence lacks image"),
            (x, presence.replace(1, "yes"), r"presence of \w+"),
        ):
            with pytest.raises(InputError, match=message):
                function(inputs, there)
