"""Latent-risk alignment against SciPy."""

import jax
import numpy as np
import pytest
from scipy import stats

from jaxsurv.metrics import latent_alignment
from jaxsurv.types import InputError


def test_equals_scipy_on_the_singular_vectors():
    rng = np.random.default_rng(0)
    latent = rng.standard_normal((80, 6)) * np.array([3.0, 1, 1, 1, 1, 0])
    risk = (latent @ rng.standard_normal(6)).round(1)
    centred = latent - latent.mean(0)
    first = np.linalg.svd(centred)[2][0]
    expected = abs(stats.spearmanr(centred @ first, risk)[0])
    each = [abs(stats.spearmanr(z, risk)[0]) for z in latent.T[:5]]
    for function in (latent_alignment, jax.jit(latent_alignment)):
        result = function(latent, risk)
        np.testing.assert_allclose(result.first_component, expected, rtol=1e-5)
        np.testing.assert_allclose(result.mean_dimension, np.sum(each) / 6, rtol=1e-5)
    turned = latent_alignment(latent @ np.linalg.qr(rng.standard_normal((6, 6)))[0], np.exp(risk))
    np.testing.assert_allclose(turned.first_component, expected, rtol=1e-5)


def test_refusals():
    with pytest.raises(InputError, match=r"latent must have shape \[n, d\], n = 3, got \[2, 3\]"):
        latent_alignment(np.ones((2, 3)), np.ones(3))
    with pytest.raises(InputError, match="latent has NaN"):
        latent_alignment(np.full((3, 2), np.nan), np.ones(3))
