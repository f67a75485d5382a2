"""Simulated images whose outcome image depends on them nonlinearly and differently in each place."""

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
_ROUNDING = 1e-6  # of the variance: what float32 does to a field anyway


class SimulatedImages(NamedTuple):
    """Images of n patients, and the outcome image that depends on them.

    Attributes:
        inputs: ``image1``, ``image2``, ...: ``[n, h, w]``, each pixel N(0, 1) over patients.
        outcome: ``[n, h, w]``, signal plus white noise.
        signal: ``[n, h, w]``, mean 0 over patients in every pixel; what a perfect model would predict.
    """

    inputs: dict[str, Array]
    outcome: Array
    signal: Array


def field_spectrum(
    shape: tuple[int, int], kernel: str = "exponential", length: float = 8.0
) -> np.ndarray:
    """Eigenvalues of a stationary covariance of variance 1 on a torus that holds the image.

    ``lambda = FFT2(c(|d| / length))``, d the shortest way round the torus, is what the fields of
    :func:`gaussian_fields` are drawn with: exact wherever no eigenvalue is negative (Dietrich & Newsam
    1997). The torus is a square of 2, 4 or 8 times the longer side, the smallest on which the negative
    eigenvalues, which are set to 0, hold less than 1e-6 of the variance.

    Args:
        shape: ``(h, w)`` of the image, in pixels.
        kernel: ``exponential`` exp(-r), ``matern32`` (1 + √3 r) exp(-√3 r) or ``matern52``
            (1 + √5 r + 5/3 r²) exp(-√5 r), with r the distance over ``length``.
        length: in pixels.

    Returns:
        ``[H, H]`` float64, >= 0, on the host; they depend on static sizes alone.

    Raises:
        InputError: an unknown kernel, a size or length that is not positive, or a length too great for
            images of that size.

    >>> field_spectrum((8, 12), length=2.0).shape
    (24, 24)
    """
    if kernel not in KERNELS:
        raise InputError(f"unknown kernel {kernel!r}; use {', '.join(KERNELS)}")
    if len(shape) != 2 or min(shape) < 1 or not 0 < length < math.inf:
        raise InputError(f"needs a shape (h, w) and a length > 0, got {shape} and {length}")
    for padding in (2, 4, 8):
        side = padding * max(shape)
        step = np.minimum(np.arange(side), side - np.arange(side))
        distance = np.hypot(step[:, None], step[None, :])
        spectrum = np.fft.fft2(KERNELS[kernel](distance / length)).real
        if -spectrum[spectrum < 0].sum() <= _ROUNDING * side**2:
            return np.maximum(spectrum, 0.0)
    raise InputError(
        f"length {length:g} of the {kernel} kernel is too great for images of {shape[0]} x {shape[1]} "
        "pixels: no torus of up to 8 times their size has a valid covariance; shorten the length or "
        "enlarge the images"
    )


def gaussian_fields(key: Key, n: int, shape: tuple[int, int], spectrum: np.ndarray) -> Array:
    """Draw stationary Gaussian fields of mean 0 and variance 1.

    ``Y = FFT2(sqrt(lambda / H²) (e1 + i e2))`` with white noise e1, e2: its real and its imaginary part
    are two independent fields of the covariance, of which the corner ``(h, w)`` is returned.

    Args:
        key: typed key.
        n: fields.
        shape: ``(h, w)``, in pixels.
        spectrum: ``[H, H]`` of :func:`field_spectrum`, for this shape or a larger one.

    Returns:
        ``[n, h, w]``.

    Raises:
        InputError: a spectrum of a torus so small that the image would meet itself.
    """
    side = len(spectrum)
    if spectrum.shape != (side, side) or side < 2 * max(shape):
        raise InputError(
            f"a spectrum {list(spectrum.shape)} cannot hold images {list(shape)}; make it with "
            f"field_spectrum({tuple(shape)}, ...)"
        )
    amplitude = jnp.asarray(np.sqrt(spectrum / spectrum.size), jnp.result_type(float))
    real, imaginary = amplitude[None, None] * jax.random.normal(
        key, (2, math.ceil(n / 2), side, side)
    )
    field = jnp.fft.fft2(jax.lax.complex(real, imaginary))[:, : shape[0], : shape[1]]
    return jnp.concatenate([field.real, field.imag])[:n]


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
) -> SimulatedImages:
    """Simulate several images per patient and an outcome image.

    With independent fields s and z_k of every patient, and smooth fields a_k, b that all patients of
    a replicate share, in pixel v::

        x_k(v)    = sqrt(1 - private) s(v) + sqrt(private) z_k(v)
        m(v)      = mean over k of x_k(v),  var m = 1 - private + private / images
        signal(v) = sum over k of a_k(v) tanh(x_k(v)) + b(v) (m(v)² - var m)
        outcome   = signal + e,  e ~ N(0, mean over v of var(signal(v)) / snr)

    s and z_k have the covariance ``kernel`` with ``length``; a_k and b a ``matern52`` one with twice the
    length. Two images correlate by ``1 - private`` in a pixel. The first term saturates, the second is
    an interaction, uncorrelated with every pixel: linear maps see part of the first and nothing of it.

    Pure, and fit for ``jit`` and ``vmap`` over ``key``, ``private`` and ``snr``; all else is static.
    Neither ``private`` nor ``snr`` changes which fields are drawn.

    Args:
        key: typed key of the replicate.
        n: patients, at least 2.
        shape: ``(h, w)``, in pixels.
        images: input images per patient.
        kernel: of the images; see :func:`field_spectrum`.
        length: in pixels; up to a quarter of the longer side will do with every kernel.
        private: share in [0, 1] of an image's variance that no other image of the patient has.
        snr: variance of the signal, over patients and averaged over pixels, over that of the noise; > 0.

    Returns:
        Images without unit.

    Raises:
        InputError: a size, share or ratio out of range (traced ones are not looked at), or a length too
            great for the shape.

    Source: made for InVA (arXiv 2402.02734), which publishes no code; equations and numbers are our
    choice.
    """
    if n < 2 or images < 1:
        raise InputError(f"needs n >= 2 patients and images >= 1, got {n} and {images}")
    if is_concrete(private) and not np.all((np.asarray(private) >= 0) & (np.asarray(private) <= 1)):
        raise InputError(f"private is a share of variance in [0, 1], got {private}")
    if is_concrete(snr) and not np.all(np.asarray(snr) > 0):
        raise InputError(f"snr must be > 0, got {snr}")
    spectrum = field_spectrum(shape, kernel, length)
    try:
        smooth = field_spectrum(shape, "matern52", 2 * length)
    except InputError as error:
        raise InputError(
            f"the coefficients have twice the length of the images: {error}"
        ) from error

    field_key, coefficient_key, noise_key = jax.random.split(key, 3)
    fields = gaussian_fields(field_key, (1 + images) * n, shape, spectrum)
    shared, own = jnp.split(fields.reshape(1 + images, n, *shape), [1])
    x = jnp.sqrt(1 - private) * shared + jnp.sqrt(private) * own
    coefficients = gaussian_fields(coefficient_key, images + 1, shape, smooth)
    a, b = coefficients[:-1, None], coefficients[-1:]
    interaction = x.mean(0) ** 2 - (1 - private + private / images)
    signal = (a * jnp.tanh(x)).sum(0) + b * interaction
    noise = jnp.sqrt(signal.var(0).mean() / snr) * jax.random.normal(noise_key, signal.shape)
    return SimulatedImages({f"image{k + 1}": x[k] for k in range(images)}, signal + noise, signal)
