"""Encoders of structures: many networks as one, and unit length."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.nets import ParallelMLP
from jaxsurv.nets.structures import unit


def test_parallel_networks_start_as_one_alone_would():
    x = jax.random.normal(jax.random.key(0), (400, 300))
    net = ParallelMLP((64, 32), 5)
    y, params = jax.jit(net.init_with_output)(jax.random.key(1), x)
    assert y.shape == (5, 400, 32)
    scales = jax.tree.map(jnp.std, params)["params"]
    np.testing.assert_allclose(scales["first"]["kernel"], 300**-0.5, rtol=0.05)
    np.testing.assert_allclose(scales["kernel_0"], 64**-0.5, rtol=0.05)
    assert not np.allclose(y[0], y[1], atol=0.1)


def test_unit_length_and_finite_gradients_at_zero():
    x = jnp.array([[3.0, 4.0], [0.0, 0.0], [1e-30, 0.0]])
    np.testing.assert_allclose(unit(x), [[0.6, 0.8], [0, 0], [1e-30, 0]], rtol=1e-6)
    slope = jax.jacobian(unit)(x)
    assert np.isfinite(slope).all()
    np.testing.assert_allclose(slope[0, :, 0] @ x[0], 0, atol=1e-6)  # along x nothing changes
