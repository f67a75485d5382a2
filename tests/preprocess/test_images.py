"""Standardised images: training rows alone, masks, missing images, and the way back."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.preprocess.images import fit_image_scaler

RNG = np.random.default_rng(0)
X = (3 + 2 * RNG.normal(size=(20, 4, 5)) * np.linspace(0.5, 2, 5)).astype(np.float32)
TRAIN = np.arange(20) < 12


def test_training_rows_have_mean_0_and_unit_mean_square_inside_the_mask():
    mask = np.ones((4, 5))
    mask[:, 3:] = 0
    scaler = fit_image_scaler(jnp.asarray(X), jnp.asarray(TRAIN), mask)
    z = np.asarray(scaler.standardise(jnp.asarray(X)))
    np.testing.assert_allclose(z[TRAIN].mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose((z[TRAIN][:, :, :3] ** 2).mean(), 1, rtol=1e-5)
    assert not z[:, :, 3:].any()
    spread = z[TRAIN].std(axis=0)
    assert spread[:, 2].mean() > 1.5 * spread[:, 0].mean()  # pixels keep their own variances
    np.testing.assert_allclose(scaler.restore(z)[:, :, :3], X[:, :, :3], rtol=1e-5)
    assert not np.any(scaler.restore(z)[:, :, 3:])


def test_other_rows_and_missing_images_change_nothing():
    scaler = fit_image_scaler(jnp.asarray(X), jnp.asarray(TRAIN))
    other = X.copy()
    other[~TRAIN] += 100
    np.testing.assert_array_equal(
        fit_image_scaler(jnp.asarray(other), jnp.asarray(TRAIN)).center, scaler.center
    )
    lacks = X.copy()
    lacks[3] = np.nan
    found = fit_image_scaler(jnp.asarray(lacks), jnp.asarray(TRAIN))
    without = fit_image_scaler(jnp.asarray(np.delete(X, 3, 0)), jnp.asarray(np.delete(TRAIN, 3)))
    np.testing.assert_allclose(found.center, without.center, rtol=1e-6)
    np.testing.assert_allclose(found.scale, without.scale, rtol=1e-6)
    assert not np.any(found.standardise(jnp.asarray(lacks))[3])


def test_infinities_outside_the_mask_are_not_seen():
    mask = np.ones((4, 5))
    mask[0] = 0
    spoiled = X.copy()
    spoiled[:, 0] = -np.inf
    found, plain = (
        fit_image_scaler(jnp.asarray(x), jnp.asarray(TRAIN), mask) for x in (spoiled, X)
    )
    jax.tree.map(np.testing.assert_array_equal, found, plain)
    z = found.standardise(jnp.asarray(spoiled))
    np.testing.assert_array_equal(z, plain.standardise(jnp.asarray(X)))
    assert not np.any(found.restore(z)[:, 0])


def test_images_that_are_all_alike_have_a_scale():
    scaler = fit_image_scaler(jnp.ones((5, 2, 2)), jnp.ones(5, bool))
    assert scaler.scale == 1
    assert not np.any(scaler.standardise(jnp.ones((5, 2, 2))))
