"""Standardised images: centred pixel by pixel, on one scale."""

from typing import NamedTuple

import jax.numpy as jnp

from jaxsurv.types import Array


class ImageScaler(NamedTuple):
    """``z = (x - center) / scale`` inside the mask, 0 outside.

    Attributes:
        center: ``[*shape]``, mean of each pixel over the rows it was fitted on.
        scale: root mean square of what is left, over rows and pixels inside the mask. One number: pixels
            keep their variances relative to each other, which a few dozen rows could not tell each.
        mask: ``[*shape]``, 1 inside the region of interest, else 0.
    """

    center: Array
    scale: Array
    mask: Array

    def standardise(self, x: Array) -> Array:
        """``[n, *shape]``; NaN, as of a missing image, becomes 0."""
        z = (x - self.center[None]) / self.scale * self.mask[None]
        return jnp.where(jnp.isnan(z), 0, z)

    def restore(self, z: Array) -> Array:
        """The inverse inside the mask; 0 outside, not the mean of what was never learned."""
        return (z * self.scale + self.center[None]) * self.mask[None]


def fit_image_scaler(x: Array, where: Array, mask: Array | None = None) -> ImageScaler:
    """Fit to the rows in ``where``; pure, so it can run inside a compiled sweep.

    Args:
        x: ``[n, *shape]``, NaN in all pixels of a patient without the image.
        where: ``[n]`` booleans.
        mask: ``[*shape]``, inside the region of interest; None = all pixels.
    """
    inside = jnp.ones(x.shape[1:], x.dtype) if mask is None else jnp.asarray(mask, x.dtype)
    rows = where.reshape(-1, *[1] * (x.ndim - 1)) & ~jnp.isnan(x)
    count = jnp.maximum(jnp.sum(rows, axis=0), 1)
    center = jnp.sum(jnp.where(rows, x, 0), axis=0) / count
    squares = jnp.where(rows, (x - center[None]) ** 2, 0) * inside[None]
    total = jnp.sum(rows * inside[None])
    variance = jnp.sum(squares) / jnp.maximum(total, 1)
    return ImageScaler(center, jnp.sqrt(jnp.where(variance > 0, variance, 1)), inside)
