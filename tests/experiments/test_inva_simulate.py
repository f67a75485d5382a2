"""Simulated images: covariance, shares of variance and noise are what was asked for."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import gamma, kv

from experiments.inva.simulate import field_factor, gaussian_fields, simulate_images
from jaxsurv.types import InputError

KERNELS = ("exponential", "matern32", "matern52")
# The general Matérn formula, with Bessel functions, is another way to the numbers.
ORDER = {"exponential": 0.5, "matern32": 1.5, "matern52": 2.5}


def matern(kernel, r):
    nu = ORDER[kernel]
    z = np.sqrt(2 * nu) * r
    z = np.maximum(z, 1e-9)  # the limit at 0 is 1
    return 2 ** (1 - nu) / gamma(nu) * z**nu * kv(nu, z)


@pytest.mark.parametrize("kernel", KERNELS)
def test_covariance_is_that_of_the_kernel(kernel):
    n, shape, length = 4000, (10, 14), 3.0
    factors = [field_factor(side, kernel, length) for side in shape]
    fields = np.asarray(gaussian_fields(jax.random.key(1), n, *factors))
    for dy, dx in [(0, 1), (3, 0), (2, 2), (4, -3), (9, 11)]:
        # One number per field, the mean over all pairs of pixels this far apart: fields are independent.
        left = fields[:, : 10 - dy, max(0, -dx) : 14 - max(0, dx)]
        right = fields[:, dy:, max(0, dx) : 14 - max(0, -dx)]
        product = (left * right).mean((1, 2))
        error = product.std() / np.sqrt(n)
        assert error < 0.02
        expected = matern(kernel, dy / length) * matern(kernel, abs(dx) / length)
        assert abs(product.mean() - expected) < 4 * error


def test_fields_are_standard_normal_and_independent():
    shape = (6, 9)
    factors = [field_factor(side, length=2.0) for side in shape]
    fields = np.asarray(gaussian_fields(jax.random.key(2), 5001, *factors))
    assert fields.shape == (5001, *shape)
    assert np.abs(fields.mean(0)).max() < 4.5 / np.sqrt(5001)
    assert np.abs(fields.var(0) - 1).max() < 4.5 * np.sqrt(2 / 5001)
    fourth = (fields**4).mean(0)
    assert np.abs(fourth - 3).max() < 4.5 * np.sqrt(96 / 5001)
    other = np.roll(fields, 1, 0)
    assert np.abs((fields * other).mean(0)).max() < 4.5 / np.sqrt(5001)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("length", [0.5, 8.0, 300.0])
def test_factors_give_the_covariance_of_one_axis(kernel, length):
    factor = field_factor(32, kernel, length)
    lags = np.abs(np.subtract.outer(np.arange(32), np.arange(32)))
    np.testing.assert_allclose(factor @ factor.T, matern(kernel, lags / length), atol=1e-7)


@pytest.mark.parametrize(("private", "images"), [(0.0, 2), (0.3, 3), (1.0, 2)])
def test_images_share_what_is_not_private(private, images):
    n = 6000
    simulated = simulate_images(
        jax.random.key(3), n, shape=(6, 6), length=1.5, private=private, images=images
    )
    assert list(simulated.inputs) == [f"image{k + 1}" for k in range(images)]
    x = np.stack([np.asarray(image) for image in simulated.inputs.values()])
    assert np.abs(x.var(1) - 1).max() < 4.5 * np.sqrt(2 / n)
    for k in range(1, images):
        assert np.abs((x[0] * x[k]).mean(0) - (1 - private)).max() < 4.5 * np.sqrt(2 / n)
    # m^2 - var m has mean 0, so the signal has in every pixel
    signal = np.asarray(simulated.signal)
    assert (np.abs(signal.mean(0)) / signal.std(0)).max() < 4.5 / np.sqrt(n)


@pytest.mark.parametrize("snr", [0.5, 20.0])
def test_noise_is_white_and_as_strong_as_asked(snr):
    simulated = simulate_images(jax.random.key(4), 4, shape=(64, 64), length=3.0, snr=snr)
    noise = np.asarray(simulated.outcome - simulated.signal, float)
    signal = np.asarray(simulated.signal, float)
    np.testing.assert_allclose(
        signal.var(0).mean() / noise.var(), snr, rtol=4.5 * np.sqrt(2 / noise.size)
    )
    assert abs((noise[:, 1:] * noise[:, :-1]).mean() / noise.var()) < 4.5 / np.sqrt(noise.size)


def test_signal_is_the_equation_with_smooth_coefficients():
    """In each pixel the signal is linear in tanh(x1), tanh(x2), m^2 - var m; what multiplies them varies."""
    simulated = simulate_images(jax.random.key(5), 60, shape=(24, 24), length=4.0, private=0.4)
    x = np.stack([np.asarray(image, float) for image in simulated.inputs.values()])
    basis = np.concatenate([np.tanh(x), (x.mean(0, keepdims=True) ** 2 - 0.8)])
    signal = np.asarray(simulated.signal, float)
    by_pixel = np.moveaxis(basis, (0, 1), (-1, -2))  # [h, w, n, 3]
    coefficients = np.linalg.pinv(by_pixel) @ np.moveaxis(signal, 0, -1)[..., None]
    fitted = (by_pixel @ coefficients)[..., 0]
    np.testing.assert_allclose(np.moveaxis(fitted, -1, 0), signal, atol=2e-5)
    fields = coefficients[..., 0]
    spread = fields.std((0, 1))
    assert (spread > 0.2).all()
    for axis in (0, 1):
        step = np.diff(fields, axis=axis).std((0, 1)) / spread
        assert (step > 0.05).all()
        assert (step < 0.3).all()


def test_a_shifted_outcome_reads_the_images_elsewhere():
    options = {"shape": (10, 10), "length": 3.0}
    here = simulate_images(jax.random.key(5), 40, **options)
    there = simulate_images(jax.random.key(5), 40, shift=3, **options)
    jax.tree.map(np.testing.assert_array_equal, here.inputs, there.inputs)
    x = np.stack([np.asarray(image, float) for image in there.inputs.values()])
    basis = np.concatenate([np.tanh(x), x.mean(0, keepdims=True) ** 2])
    for v, u in (((0, 0), (3, 3)), ((8, 4), (1, 7))):
        known = np.column_stack([*basis[:, :, *u], np.ones(40)])
        signal = np.asarray(there.signal, float)[:, *v]
        left = signal - known @ np.linalg.lstsq(known, signal, rcond=None)[0]
        assert np.abs(left).max() < 1e-4


def test_the_key_is_all_that_is_random():
    options = {"shape": (8, 8), "length": 2.0}
    one = simulate_images(jax.random.key(6), 5, **options)
    jax.tree.map(
        np.testing.assert_array_equal, one, simulate_images(jax.random.key(6), 5, **options)
    )
    other = simulate_images(jax.random.key(7), 5, **options)
    assert not np.allclose(one.signal, other.signal)
    loud = simulate_images(jax.random.key(6), 5, snr=0.1, **options)
    np.testing.assert_array_equal(one.signal, loud.signal)
    assert jax.tree.all(jax.tree.map(lambda a: bool(jnp.isfinite(a).all()), one))


def test_vmapped_equals_sequential_with_traced_snr_and_private():
    keys = jax.random.split(jax.random.key(8), 3)
    private, snr = jnp.array([0.0, 0.4, 1.0]), jnp.array([1.0, 5.0, 25.0])

    def simulate(key, private, snr):
        return simulate_images(key, 4, shape=(6, 8), length=2.0, private=private, snr=snr)

    together = jax.jit(jax.vmap(simulate))(keys, private, snr)
    for i in range(3):
        alone = simulate(keys[i], float(private[i]), float(snr[i]))
        for a, b in zip(jax.tree.leaves(together), jax.tree.leaves(alone), strict=True):
            np.testing.assert_allclose(a[i], b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n": 1}, "n >= 2 patients and images >= 1, got 1 and 2"),
        ({"images": 0}, "images >= 1, got 4 and 0"),
        ({"private": 1.2}, r"share of variance in \[0, 1\], got 1.2"),
        ({"private": float("nan")}, "got nan"),
        ({"snr": 0.0}, "snr must be > 0, got 0.0"),
        ({"kernel": "gauss"}, "unknown kernel 'gauss'; use exponential, matern32, matern52"),
        ({"length": 0.0}, "a length > 0, got 8 and 0.0"),
        ({"shape": (8,)}, r"needs a shape \(h, w\)"),
    ],
)
def test_refusals(wrong, message):
    options = {"n": 4, "shape": (8, 8), "length": 2.0} | wrong
    with pytest.raises(InputError, match=message):
        simulate_images(jax.random.key(0), **options)
