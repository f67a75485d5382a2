"""The RBF kernel against its definition in NumPy."""

import jax
import numpy as np
import pytest
from jax.test_util import check_grads

from jaxsurv.divergences import rbf_kernel
from jaxsurv.types import InputError
from tests.divergences import naive

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(7, 3)), RNG.normal(size=(5, 3))


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("bandwidth", [0.7, np.array([0.5, 1.0, 4.0])])
def test_kernel_is_its_definition(bandwidth):
    ours = rbf_kernel(X, Y, bandwidth=bandwidth)
    np.testing.assert_allclose(ours, naive.kernel(X, Y, bandwidth), rtol=1e-12)


@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_kernel_stays_a_kernel_in_float32(offset):
    x = np.float32(RNG.normal(size=(50, 8)) + offset)
    k = np.asarray(rbf_kernel(x, x, bandwidth=0.05))
    assert k.max() <= 1  # no squared distance below zero
    np.testing.assert_allclose(np.diag(k), 1, atol=5e-3)
    wide = rbf_kernel(x, x, bandwidth=3.0)
    np.testing.assert_allclose(wide, naive.kernel(x.astype(float), x.astype(float), 3), atol=1e-4)


@pytest.mark.usefixtures("x64")
def test_derivatives_where_points_coincide():
    x = np.vstack([X, X[:2]])

    def total(x, y):
        return rbf_kernel(x, y, bandwidth=1.3).sum()

    check_grads(jax.jit(total), (x, X), order=1, modes=["rev"])
    hessian = jax.hessian(total)(X[:1], X[:1])[0, :, 0]
    np.testing.assert_allclose(hessian, -np.eye(3) / 1.3**2, atol=1e-12)


def test_refusals():
    with pytest.raises(
        InputError, match=r"x must have shape \[n, d\], got \[7\]; use x\[:, None\]"
    ):
        rbf_kernel(X[:, 0], Y, bandwidth=1.0)
    with pytest.raises(InputError, match=r"equally many columns, got \[7, 3\] and \[5, 2\]"):
        rbf_kernel(X, Y[:, :2], bandwidth=1.0)
    with pytest.raises(InputError, match=r"bandwidth must be > 0, got 0"):
        rbf_kernel(X, Y, bandwidth=0.0)
    with pytest.raises(InputError, match=r"bandwidth must be .* got shape \[2, 2\]"):
        rbf_kernel(X, Y, bandwidth=np.ones((2, 2)))
