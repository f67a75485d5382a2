"""The quadratic solver against its optimality conditions and a slow twin."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsurv.survival.coordinate_descent import Quadratic, minimise, violation


def naive(h, slope, centre, l1, l2):
    u = centre.copy()
    for _ in range(20_000):
        for j in range(len(u)):
            left = slope[j] + h[j] @ (u - centre) - h[j, j] * u[j]
            u[j] = -np.sign(left) * max(abs(left) - l1[j], 0) / (h[j, j] + l2[j])
    return u


@pytest.mark.parametrize("seed", range(3))
def test_as_plain_coordinate_descent(seed, x64):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((30, 3)) @ rng.standard_normal((3, 8)) + 0.3 * rng.standard_normal(
        (30, 8)
    )
    problem = (
        x.T @ x / 30,
        rng.standard_normal(8),
        rng.standard_normal(8),
        rng.random(8),
        rng.random(8),
    )
    got = minimise(
        Quadratic(*(jnp.asarray(a) for a in problem), jnp.asarray(8)), jnp.asarray(1e-10)
    )
    np.testing.assert_allclose(got, naive(*problem), atol=1e-7)


def test_correlated_columns_in_float32():
    """Where plain coordinate descent would need thousands of sweeps."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((80, 4)) @ rng.standard_normal((4, 120)) + 0.05 * rng.standard_normal(
        (80, 120)
    )
    h = jnp.asarray(x.T @ x / 80, jnp.float32)
    slope = jnp.asarray(x.T @ rng.standard_normal(80) / 80, jnp.float32)
    l1, l2 = jnp.full(120, 1e-2), jnp.full(120, 1e-4)
    quadratic = Quadratic(h, slope, jnp.zeros(120), l1, l2, jnp.asarray(100))
    u = jax.jit(minimise)(quadratic, jnp.asarray(1e-6))
    left = violation(u, quadratic.slope_at(u), l1, l2)
    assert left[:100].max() <= 1e-6
    assert (u[100:] == 0).all()
    assert 2 < (u != 0).sum() < 20
