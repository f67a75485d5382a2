"""Standardised images: centred pixel by pixel, with one scale for all pixels."""

from typing import NamedTuple

import jax.numpy as jnp

from jaxsurv.types import Array


class ImageScaler(NamedTuple):
    """``z = (x - center) / scale`` inside the mask, 0 outside.

    Attributes:
        center: ``[*shape]``, mean of each pixel over the fitted rows.
        scale: root mean square of the centred values, over rows and pixels inside the mask. It is one
            number, so that pixels keep their relative variances: a few dozen rows are too few to estimate
            a variance per pixel.
        mask: ``[*shape]``, 1 inside the region of interest, else 0.
    """

    center: Array
    scale: Array
    mask: Array

    def standardise(self, x: Array) -> Array:
        """Z-scores ``[n, *shape]``; values that are not finite, as in a missing image, become 0."""
        known = jnp.isfinite(x) & (self.mask > 0)[None]
        return jnp.where(known, (x - self.center[None]) / self.scale, 0)

    def restore(self, z: Array) -> Array:
        """Inverse of `standardise` inside the mask; 0 outside, where nothing was learned."""
        return jnp.where((self.mask > 0)[None], z * self.scale + self.center[None], 0)


def fit_image_scaler(x: Array, where: Array, mask: Array | None = None) -> ImageScaler:
    """Fit a scaler to the rows in ``where``; pure, so it can run inside a compiled sweep.

    Args:
        x: ``[n, *shape]``, NaN in all pixels of a patient without the image.
        where: ``[n]`` booleans, training rows.
        mask: ``[*shape]``, True inside the region of interest; None = all pixels.
    """
    inside = jnp.ones(x.shape[1:], x.dtype) if mask is None else jnp.asarray(mask, x.dtype)
    rows = where.reshape(-1, *[1] * (x.ndim - 1)) & jnp.isfinite(x) & (inside > 0)[None]
    center = jnp.sum(jnp.where(rows, x, 0), axis=0) / jnp.maximum(jnp.sum(rows, axis=0), 1)
    squares = jnp.where(rows, (x - center[None]) ** 2, 0)
    variance = jnp.sum(squares) / jnp.maximum(jnp.sum(rows), 1)
    return ImageScaler(center, jnp.sqrt(jnp.where(variance > 0, variance, 1)), inside)
