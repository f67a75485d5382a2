"""No batch of matrices reaches LAPACK: two at once can hang a CPU of two cores."""

import re

import jax
import jax.numpy as jnp
import numpy as np

from experiments.hcl.rivals import jive
from experiments.inva.tensor import cp_start
from jaxsurv.factors import Moments, posterior_mean, simulate_loadings
from jaxsurv.factors.decompositions import cholesky, eigh, orthonormal, pinv, solve, svd
from jaxsurv.models import fit_moments
from tests.factors.structures import FULL


def batches(f, *arguments):
    """Shapes of more than two dimensions that the compiled program hands to LAPACK; and all calls."""
    text = jax.jit(f).lower(*arguments).as_text()
    calls = re.findall(r"custom_call @lapack_\w+\(.*?: \((tensor<[^>]*>)", text)
    return [shape for shape in calls if shape.count("x") > 2], calls


def test_the_count_sees_a_batch():
    found, calls = batches(jnp.linalg.eigh, jnp.zeros((3, 4, 4)))
    assert len(found) == len(calls) == 1


def test_replicates_side_by_side_decompose_one_after_the_other():
    d = FULL.features

    def fit(s):
        return fit_moments(FULL, Moments(jnp.zeros(d), s, jnp.float32(500))).loadings

    for f, x in (
        (fit, jnp.zeros((3, d, d))),
        (lambda s: jive(s, 1.0, FULL), jnp.zeros((3, d, d))),
        (lambda seed: simulate_loadings(jax.random.key(seed), FULL), jnp.arange(3)),
    ):
        found, calls = batches(jax.vmap(f), x)
        assert calls
        assert not found


def test_patients_with_their_own_modalities():
    x = {m: jnp.zeros((5, r.stop - r.start)) for m, r in FULL.modalities.items()}
    presence = dict.fromkeys(x, jnp.ones(5))

    def scores(w):
        return posterior_mean(w, 1.0, jnp.zeros(FULL.features), x, FULL, presence=presence)

    found, calls = batches(scores, jnp.zeros((FULL.features, FULL.rank)))
    assert calls
    assert not found


def test_tensor_regression_starts_one_after_the_other():
    found, calls = batches(
        lambda x, y: cp_start(x, y, 4), jnp.ones((9, 2, 5, 5)), jnp.ones((9, 5, 5))
    )
    assert calls
    assert not found


def test_vmapped_is_what_each_gives_alone(x64):
    a = jax.random.normal(jax.random.key(0), (3, 5, 4))
    square = jnp.einsum("bij,bik->bjk", a, a)
    right = jax.random.normal(jax.random.key(1), (3, 4))
    for f, arguments in (
        (eigh, (square,)), (svd, (a,)), (orthonormal, (a,)), (cholesky, (square,)), (pinv, (square,)),
        (solve, (square, right)),
    ):  # fmt: skip
        together = jax.vmap(f)(*arguments)
        for k in range(3):
            alone = f(*(v[k] for v in arguments))
            jax.tree.map(
                lambda t, o, k=k: np.testing.assert_allclose(t[k], o, atol=1e-10), together, alone
            )
    np.testing.assert_allclose(pinv(square[0]), np.linalg.pinv(square[0]), atol=1e-8)
    flat = square[0].at[0].set(0).at[:, 0].set(0)
    np.testing.assert_allclose(pinv(flat), np.linalg.pinv(flat), atol=1e-8)
