"""Robust clipping and z-scores, fitted on a mask of rows, so that folds are a vmapped axis.

Quartiles under any mask come from one sort of each column, made beforehand on the host: sorting inside
a compiled program is slow on a CPU.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from jaxsurv.data.consistency import MIN_CARRIERS
from jaxsurv.preprocess._encode import Encoded
from jaxsurv.types import Array

FENCE = 3.0  # interquartile ranges beyond the quartiles: Tukey's far-out fences
MIN_SD = 0.2  # a mutation in 1 % of patients must not weigh ten times one in 50 %


class Features(NamedTuple):
    """Features ready for fitting under a mask of rows.

    Attributes:
        x: ``[n, d]``, NaN where missing.
        order: ``[n, d]`` row numbers that sort each column, NaN last.
        measured: ``[d]`` booleans, features that are clipped unless they are `two_valued`.
    """

    x: Array
    order: Array
    measured: Array

    def padded(self, n: int) -> "Features":
        """The features with patients without any value added at the end, up to ``n`` of them."""
        had, d = self.x.shape
        x = np.concatenate([self.x, np.full((n - had, d), np.nan, self.x.dtype)])
        new = np.broadcast_to(np.arange(had, n, dtype=self.order.dtype)[:, None], (n - had, d))
        return self._replace(x=x, order=np.concatenate([self.order, new]))  # type: ignore[arg-type]


class Scaler(NamedTuple):
    """``z = (clip(x, lower, upper) - center) * gain``, each ``[d]``; gain 0 drops a feature."""

    lower: Array
    upper: Array
    center: Array
    gain: Array


def sort_columns(encoded: Encoded) -> Features:
    """Sort the columns of ``encoded`` once, on the host."""
    order = np.argsort(encoded.x, axis=0, kind="stable").astype(np.int32)
    return Features(encoded.x, order, encoded.measured)  # type: ignore[arg-type]


def two_valued(x: Array, where: Array) -> Array:
    """``[d]`` booleans: no value of ``x [n, d]`` but 0 and 1 on the rows in ``where``, as in mutations.

    Of these rows alone: one value of a test row must not turn a mutation into a measurement.
    """
    return jnp.all((x == 0) | (x == 1) | ~(where[:, None] & jnp.isfinite(x)), axis=0)


def _quantile(features: Features, where: Array, q: float) -> Array:
    """Nearest-rank quantile of each column over the rows in ``where`` that have a value."""
    usable = jnp.asarray(where)[features.order] & jnp.isfinite(
        jnp.take_along_axis(features.x, features.order, axis=0)
    )
    rank = jnp.cumsum(usable, axis=0)
    position = jnp.sum(rank < jnp.ceil(q * rank[-1:]), axis=0, keepdims=True)
    row = jnp.take_along_axis(features.order, position, axis=0)
    return jnp.take_along_axis(features.x, row, axis=0)[0]


def fit_scaler(features: Features, where: Array, *, clip: bool | Array = True) -> Scaler:
    """Fit to ``features`` on the rows in ``where`` ``[n]``.

    Measured features, unless `two_valued`, are clipped at three interquartile ranges beyond their quartiles
    (where the range is 0 they are not clipped), then all are centred and divided by their standard
    deviation (of two-valued and copy-number features at least 0.2). A feature that is constant on these
    rows, or two-valued with fewer than five of them on one side, gets gain 0. ``clip=False`` clips nothing.
    """
    first, third = _quantile(features, where, 0.25), _quantile(features, where, 0.75)
    reach = FENCE * (third - first)
    indicator = two_valued(features.x, where)
    heavy_tailed = features.measured & ~indicator
    clip = heavy_tailed & (reach > 0) & clip
    lower = jnp.where(clip, first - reach, -jnp.inf)
    upper = jnp.where(clip, third + reach, jnp.inf)
    x = jnp.clip(features.x, lower[None], upper[None])
    usable = where[:, None] & jnp.isfinite(x)
    count = jnp.maximum(jnp.sum(usable, axis=0), 1)
    center = jnp.sum(jnp.where(usable, x, 0.0), axis=0) / count
    residual = jnp.where(usable, x - center[None], 0.0)
    sd = jnp.sqrt(jnp.sum(residual**2, axis=0) / count)
    carriers = center * count
    rare = indicator & (jnp.minimum(carriers, count - carriers) < MIN_CARRIERS - 0.5)
    constant = sd <= 1e-6 * jnp.abs(center)  # rounding of the mean; holds in any unit
    floor = jnp.where(heavy_tailed, 0.0, MIN_SD)
    gain = jnp.where(constant | rare, 0.0, 1.0 / jnp.where(constant, 1.0, jnp.maximum(sd, floor)))
    return Scaler(lower, upper, center, gain)


def transform(scaler: Scaler, x: Array) -> Array:
    """``x [n, d]`` with NaN -> z-scores by ``scaler``; what is missing becomes 0, the training mean."""
    lower, upper, center, gain = (part[None] for part in scaler)
    z = (jnp.clip(x, lower, upper) - center) * gain
    return jnp.where(jnp.isfinite(z), z, 0.0)
