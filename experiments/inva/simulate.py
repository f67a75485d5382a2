"""Simulated images, and an outcome image that depends on them nonlinearly and differently in each place."""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.survival.validation import is_concrete
from jaxsurv.types import Array, InputError, Key

# Correlation at distance r, in units of the length.
KERNELS = {
    "exponential": lambda r: np.exp(-r),
    "matern32": lambda r: (1 + math.sqrt(3) * r) * np.exp(-math.sqrt(3) * r),
    "matern52": lambda r: (1 + math.sqrt(5) * r + 5 / 3 * r**2) * np.exp(-math.sqrt(5) * r),
}


class SimulatedImages(NamedTuple):
    """Images of n patients, and the outcome image that depends on them.

    Attributes:
        inputs: ``image1``, ``image2``, ...: ``[n, h, w]``, each pixel N(0, 1) over patients.
        outcome: ``[n, h, w]``, signal plus white noise.
        signal: ``[n, h, w]``, the prediction of a perfect model; mean 0 over patients in every pixel.
    """

    inputs: dict[str, Array]
    outcome: Array
    signal: Array


def field_factor(side: int, kernel: str = "exponential", length: float = 8.0) -> np.ndarray:
    """Factor ``A`` with ``A A' = c(|i - j| / length)`` for pixels i, j along one side of an image.

    Args:
        side: number of pixels.
        kernel: correlation c: ``exponential`` exp(-r), ``matern32`` (1 + √3 r) exp(-√3 r) or
            ``matern52`` (1 + √5 r + 5/3 r²) exp(-√5 r), where r is the distance over ``length``.
        length: correlation length in pixels.

    Returns:
        ``[side, side]`` float64, computed on the host: it depends on static sizes alone.

    Raises:
        InputError: an unknown kernel, a side or length that is not positive.
    """
    if kernel not in KERNELS:
        raise InputError(f"unknown kernel {kernel!r}; use {', '.join(KERNELS)}")
    if side < 1 or not 0 < length < math.inf:
        raise InputError(f"needs sides >= 1 and a length > 0, got {side} and {length}")
    place = np.arange(side)
    covariance = KERNELS[kernel](np.abs(place[:, None] - place[None, :]) / length)
    # a smooth kernel is singular to rounding, which a Cholesky factor would refuse
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0))[None, :]


def gaussian_fields(key: Key, n: int, rows: np.ndarray, columns: np.ndarray) -> Array:
    """Draw Gaussian fields of mean 0, variance 1 and a covariance that is a product over the two axes::

        field = rows Z columns',   Z [h, w] of independent N(0, 1)
        cov(field(i, j), field(k, l)) = (rows rows')(i, k) (columns columns')(j, l)

    This is the Kronecker factorisation of the covariance of all pixels. It is exact at any size.

    Args:
        key: typed key.
        n: number of fields.
        rows, columns: factors ``[h, h]`` and ``[w, w]`` from :func:`field_factor`.

    Returns:
        ``[n, h, w]``.
    """
    white = jax.random.normal(key, (n, len(rows), len(columns)))
    left, right = jnp.asarray(rows, white.dtype), jnp.asarray(columns, white.dtype)
    return jnp.einsum("ij,njk,lk->nil", left, white, right, precision="highest")


def simulate_images(
    key: Key,
    n: int,
    *,
    shape: tuple[int, int] = (32, 32),
    images: int = 2,
    kernel: str = "exponential",
    length: float = 8.0,
    private: Array | float = 0.5,
    snr: Array | float = 5.0,
    shift: Array | int = 0,
) -> SimulatedImages:
    """Simulate several images per patient and an outcome image.

    Every patient has independent fields s and z_k. All patients of a replicate share the smooth fields
    a_k and b. In pixel v::

        x_k(v)    = sqrt(1 - private) s(v) + sqrt(private) z_k(v)
        m(v)      = mean over k of x_k(v),  var m = 1 - private + private / images
        signal(v) = sum over k of a_k(v) tanh(x_k(u)) + b(v) (m(u)² - var m),  u = v + (shift, shift)
        outcome   = signal + e,  e ~ N(0, mean over v of var(signal(v)) / snr)

    s and z_k have the covariance ``kernel`` with ``length`` along each axis, and the product of both in
    the plane. a_k and b have a ``matern52`` covariance with twice the length. The correlation of two
    images in a pixel is ``1 - private``. The first term of the signal saturates. The second is an
    interaction, uncorrelated with every pixel: a linear map can learn part of the first term and nothing
    of the second.

    The function is pure and works under ``jit`` and ``vmap`` over ``key``, ``private``, ``snr`` and
    ``shift``; all else is static. The fields that are drawn depend on ``key`` and static arguments alone.

    Args:
        key: typed key of the replicate.
        n: number of patients, at least 2.
        shape: size ``(h, w)`` of an image in pixels.
        images: number of input images per patient.
        kernel: covariance of the images, see :func:`field_factor`.
        length: correlation length in pixels.
        private: share in [0, 1] of an image's variance that no other image of the patient has.
        shift: distance in pixels, along both axes, between a pixel of the outcome and the pixel that it
            depends on; positions wrap around at the border.
        snr: signal-to-noise ratio, > 0: variance of the signal over patients, averaged over pixels,
            divided by the variance of the noise.

    Returns:
        Simulated images, without unit.

    Raises:
        InputError: a size, share or ratio out of range (traced ones are not looked at).

    Source: made for InVA (arXiv 2402.02734), which publishes no code; equations and numbers are our
    choice.
    """
    if n < 2 or images < 1:
        raise InputError(f"needs n >= 2 patients and images >= 1, got {n} and {images}")
    if is_concrete(private) and not np.all((np.asarray(private) >= 0) & (np.asarray(private) <= 1)):
        raise InputError(f"private is a share of variance in [0, 1], got {private}")
    if is_concrete(snr) and not np.all(np.asarray(snr) > 0):
        raise InputError(f"snr must be > 0, got {snr}")
    if len(shape) != 2:
        raise InputError(f"needs a shape (h, w), got {shape}")
    rough = [field_factor(side, kernel, length) for side in shape]
    smooth = [field_factor(side, "matern52", 2 * length) for side in shape]

    field_key, coefficient_key, noise_key = jax.random.split(key, 3)
    fields = gaussian_fields(field_key, (1 + images) * n, *rough)
    shared, own = jnp.split(fields.reshape(1 + images, n, *shape), [1])
    x = jnp.sqrt(1 - private) * shared + jnp.sqrt(private) * own
    coefficients = gaussian_fields(coefficient_key, images + 1, *smooth)
    a, b = coefficients[:-1, None], coefficients[-1:]
    seen = jnp.roll(x, (-shift, -shift), (-2, -1))
    interaction = seen.mean(0) ** 2 - (1 - private + private / images)
    signal = (a * jnp.tanh(seen)).sum(0) + b * interaction
    noise = jnp.sqrt(signal.var(0).mean() / snr) * jax.random.normal(noise_key, signal.shape)
    return SimulatedImages({f"image{k + 1}": x[k] for k in range(images)}, signal + noise, signal)
