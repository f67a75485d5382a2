"""The fit from the model's own covariance and from data: exactness, invariances, and who is better."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from experiments.hcl.recovery import block_errors, gram_distance
from experiments.hcl.rivals import jive, released_schedule, svd_loadings
from experiments.hcl.simulate import simulate_covariance
from jaxsurv.factors import (
    Moments,
    Structure,
    denoise,
    hcl_svd,
    moments,
    refine,
    shrink,
    simulate_factors,
)
from jaxsurv.factors._refine import _line_search
from jaxsurv.factors.eigen import largest
from jaxsurv.models import fit_moments, hcl_linear
from jaxsurv.types import InputError
from tests.factors.structures import FULL, PARTIAL, SIZES, loadings

pytestmark = pytest.mark.usefixtures("x64")
fit = jax.jit(fit_moments, static_argnums=0, static_argnames=("refinement",))


def worst(w, truth, structure):
    return max(float(e) for e in block_errors(w, truth, structure).values())


def mean_error(w, truth, structure):
    return float(np.mean([float(e) for e in block_errors(w, truth, structure).values()]))


@pytest.mark.parametrize("structure", [FULL, PARTIAL])
def test_exact_from_the_covariance_of_the_model(structure):
    w = loadings(structure)
    found = Moments(jnp.zeros(structure.features), w @ w.T + 0.7 * jnp.eye(len(w)), jnp.inf)
    signal, noise = denoise(found.covariance, structure.rank)
    assert np.isclose(noise, 0.7)
    assert worst(jax.jit(hcl_svd, static_argnums=1)(signal, structure), w, structure) < 1e-6
    assert worst(fit(structure, found).loadings, w, structure) < 1e-6


def test_refinement_finds_the_truth_from_a_poor_start():
    w = loadings(FULL)
    start = w + 0.3 * jax.random.normal(jax.random.key(5), w.shape)
    end = jax.jit(refine)(start, w @ w.T, jnp.asarray(FULL.mask))
    assert worst(start * FULL.mask, w, FULL) > 0.5
    assert worst(end.loadings, w, FULL) < 1e-2
    assert end.gradient <= 1e-4 < 1 <= end.steps


def test_only_the_rotation_inside_a_block_is_free():
    w = loadings(FULL)
    turn, _ = jnp.linalg.qr(jax.random.normal(jax.random.key(1), (2, 2)))
    block = FULL.blocks[("rna", "image")]
    turned = w.at[:, block].set(w[:, block] @ turn)
    assert worst(turned, w, FULL) < 1e-7 < jnp.max(jnp.abs(turned - w))
    across = w.at[:, 0].set(w[:, 2])
    assert worst(across, w, FULL) > 0.1


def test_the_mask_is_never_violated():
    w = loadings(PARTIAL)
    found = Moments(
        jnp.zeros(len(w)),
        simulate_covariance(jax.random.key(0), w, n=300, noise=1.0),
        jnp.array(300.0),
    )
    for refinement in ("lbfgs", "none"):
        w = fit(PARTIAL, found, refinement=refinement).loadings
        assert np.all((np.asarray(w) != 0) <= (PARTIAL.mask == 1))


def test_the_step_minimises_along_its_direction():
    w, d = loadings(FULL), loadings(FULL, 1)
    s = loadings(FULL, 2) @ loadings(FULL, 2).T

    def f(t):
        v = w + t * d
        return 0.5 * jnp.sum((v @ v.T - s) ** 2)

    t = _line_search(w, d, s @ w, s @ d)
    downhill = -d
    back = _line_search(w, downhill, s @ w, s @ downhill)
    assert (t > 0) != (back > 0)  # one of the two directions leads uphill, and no step is taken
    chosen = t if t > 0 else -back
    assert abs(jax.grad(f)(chosen)) < 1e-6


def test_the_gradient_is_that_of_the_objective():
    w, mask = loadings(FULL), jnp.asarray(FULL.mask)
    s = loadings(FULL, 3) @ loadings(FULL, 3).T

    def f(v):
        return 0.5 * jnp.sum(((v * mask) @ (v * mask).T - s) ** 2)

    check_grads(f, (w,), order=1)
    one = released_schedule(w, s, mask, steps=1)
    np.testing.assert_allclose(one, w - 1e-4 * jax.grad(f)(w), atol=1e-12)


def test_the_released_schedule_freezes():
    w = loadings(FULL)
    signal, _ = denoise(simulate_covariance(jax.random.key(1), w, n=400, noise=1.0), FULL.rank)
    start = hcl_svd(signal, FULL)
    mask = jnp.asarray(FULL.mask)
    frozen, moved = released_schedule(start, signal, mask), refine(start, signal, mask)
    distance = gram_distance(moved.loadings, start)
    assert gram_distance(frozen, start) < 0.02 * distance
    assert refine(frozen, signal, mask, most=0).gradient > 100 * moved.gradient
    # its rates sum to 10 (1e-4 + 1e-5 + ...), so that ten times as many steps change nothing
    longer = released_schedule(start, signal, mask, steps=1000)
    assert gram_distance(longer, frozen) < 1e-6


def test_refined_and_shrunk_beats_svd_jive_and_no_refinement():
    errors = {name: [] for name in ("svd", "jive", "hcl-svd", "refined", "shrunk")}

    w = loadings(FULL)

    @jax.jit
    def one(key):
        s = simulate_covariance(key, w, n=500, noise=1.0)
        signal, noise = denoise(s, FULL.rank)
        start = hcl_svd(signal, FULL)
        refined = refine(start, signal, jnp.asarray(FULL.mask)).loadings
        estimates = {
            "svd": svd_loadings(s, noise, FULL),
            "jive": jive(s, noise, FULL),
            "hcl-svd": start,
            "refined": refined,
            "shrunk": shrink(refined, noise, 500, FULL),
        }
        return {
            k: jnp.mean(jnp.stack(list(block_errors(v, w, FULL).values())))
            for k, v in estimates.items()
        }

    for seed in range(5):
        for name, value in one(jax.random.key(seed)).items():
            errors[name].append(float(value))
    mean = {name: np.mean(v) for name, v in errors.items()}
    assert mean["shrunk"] < mean["refined"] < mean["hcl-svd"], mean
    assert mean["hcl-svd"] < 0.7 * min(mean["svd"], mean["jive"]), mean


def test_modalities_in_another_order():
    w = loadings(FULL)
    x, _ = simulate_factors(jax.random.key(2), w, FULL, n=80)
    other = Structure.of(
        {m: SIZES[m] for m in ("image", "rna", "protein")},
        {tuple(reversed(s)): 2 for s in reversed(list(FULL.blocks))},
    )
    a, b = (jax.jit(hcl_linear, static_argnums=0)(s, x) for s in (FULL, other))
    rows = np.concatenate([np.arange(FULL.features)[FULL.modalities[m]] for m in other.modalities])
    for subset, columns in FULL.blocks.items():
        mine = a.loadings[rows, columns]
        theirs = b.loadings[:, other.blocks[tuple(reversed(subset))]]
        np.testing.assert_allclose(mine @ mine.T, theirs @ theirs.T, atol=1e-2)


def test_replicates_vmapped():
    w = loadings(FULL)

    def one(key):
        s = simulate_covariance(key, w, n=500, noise=1.0)
        return fit_moments(FULL, Moments(jnp.zeros(len(w)), s, jnp.array(500.0))).loadings

    keys = jax.random.split(jax.random.key(0), 3)
    together = jax.jit(jax.vmap(one))(keys)
    for k, key in enumerate(keys):
        assert gram_distance(together[k], jax.jit(one)(key)) < 1e-6


@pytest.mark.parametrize("shift", [0.0, -3.0])
def test_the_largest_eigenpairs_of_a_large_matrix(shift):
    x = jax.random.normal(jax.random.key(0), (500, 450)) / 20
    matrix = x.T @ x + shift * jnp.eye(450)
    values, vectors = jax.jit(largest, static_argnums=1)(matrix, 3)
    np.testing.assert_allclose(values, np.linalg.eigvalsh(matrix)[::-1][:3], atol=1e-5)
    np.testing.assert_allclose(matrix @ vectors, vectors * values[None], atol=1e-2)


def naive_jive(x, structure, noise, rank):
    """By SVDs of the data themselves, patients as columns."""
    x = np.asarray(x).T
    x = x - x.mean(1, keepdims=True)
    own = np.zeros_like(x)
    for _ in range(500):
        u, d, vt = np.linalg.svd(x - own, full_matrices=False)
        joint = (u[:, :rank] * d[:rank]) @ vt[:rank]
        off = np.eye(x.shape[1]) - vt[:rank].T @ vt[:rank]
        for rows in structure.modalities.values():
            u, d, wt = np.linalg.svd((x - joint)[rows] @ off, full_matrices=False)
            own[rows] = (u[:, :rank] * d[:rank]) @ wt[:rank]

    def gram(part):
        u, d, _ = np.linalg.svd(part, full_matrices=False)
        return (u[:, :rank] * np.maximum(d[:rank] ** 2 / x.shape[1] - noise, 0)) @ u[:, :rank].T

    return gram(joint), {m: gram(own[rows]) for m, rows in structure.modalities.items()}


def test_jive_against_svds_of_the_data():
    x, _ = simulate_factors(jax.random.key(3), loadings(FULL), FULL, n=60, noise=0.1)
    found = moments(FULL, x)
    w = jax.jit(lambda s: jive(s, 0.1, FULL, tolerance=1e-12, most=500))(found.covariance)
    joint, own = naive_jive(jnp.concatenate(list(x.values()), 1), FULL, 0.1, 2)
    mine = w[:, FULL.blocks[tuple(SIZES)]]
    np.testing.assert_allclose(mine @ mine.T, joint, atol=1e-4)
    for m, expected in own.items():
        part = w[FULL.modalities[m], FULL.blocks[(m,)]]
        np.testing.assert_allclose(part @ part.T, expected, atol=1e-4)
    assert not np.any(w[:, FULL.blocks[("rna", "image")]])


def test_refusals():
    x, _ = simulate_factors(jax.random.key(0), loadings(FULL), FULL, n=20)
    with pytest.raises(InputError, match=r"needs .*'rna'"):
        hcl_linear(FULL, {m: v for m, v in x.items() if m != "rna"})
    with pytest.raises(InputError, match=r"image must be \[n, 20\]"):
        hcl_linear(FULL, x | {"image": x["rna"]})
    with pytest.raises(InputError, match=r"different numbers of patients.*'rna': 15.*presence="):
        hcl_linear(FULL, x | {"rna": x["rna"][:15]})
    with pytest.raises(
        InputError, match=r"rna has NaN or infinite values, the first in row 7.*presence="
    ):
        moments(FULL, x | {"rna": x["rna"].at[7].set(np.nan)})
    with pytest.raises(InputError, match="refinement must be one of"):
        hcl_linear(FULL, x, refinement="gradient")
    with pytest.raises(InputError, match="individual block of every modality"):
        jive(jnp.eye(69), 1.0, PARTIAL)
