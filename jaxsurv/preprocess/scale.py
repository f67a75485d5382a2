"""Robust clipping and z-scores, fitted on a mask of rows, so that folds are a vmapped axis.

Quartiles under any mask come from one sort of each column, made beforehand on the host: sorting inside
a compiled program is slow on a CPU.
"""

from functools import partial
from types import ModuleType
from typing import NamedTuple

import numpy as np

from jaxsurv.data.consistency import MIN_CARRIERS
from jaxsurv.preprocess._encode import Encoded
from jaxsurv.survival.validation import array_module
from jaxsurv.types import Array

FENCE = 3.0  # interquartile ranges beyond the quartiles: Tukey's far-out fences
FAR = 5.0  # standard deviations; a gene that is silent in all but one patient knows no quartiles
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
    xp = array_module(x, where)
    x, where = xp.asarray(x), xp.asarray(where)
    return xp.all((x == 0) | (x == 1) | ~(where[:, None] & xp.isfinite(x)), axis=0)


def _quantile(xp: ModuleType, features: Features, usable: Array, q: float) -> Array:
    """Nearest-rank quantile of each column; ``usable [n, d]`` tells its values in their order."""
    rank = xp.cumsum(usable, axis=0, dtype=np.int32)
    position = xp.sum(rank < xp.ceil(q * rank[-1:]), axis=0, keepdims=True)
    row = xp.take_along_axis(features.order, position, axis=0)
    return xp.take_along_axis(features.x, row, axis=0)[0]


def fit_scaler(features: Features, where: Array, *, clip: bool | Array = True) -> Scaler:
    """Fit to ``features`` on the rows in ``where`` ``[n]``.

    Measured features, unless `two_valued`, are clipped at three interquartile ranges beyond their quartiles
    (where the range is 0 they are not), then all are centred and divided by their standard deviation (of
    two-valued and copy-number features at least 0.2). Measured ones are then clipped at five standard
    deviations: a value that training hardly knows must not decide a patient's risk. A feature that is
    constant on these rows, or two-valued with fewer than five of them on one side, gets gain 0.
    ``clip=False`` clips nothing.
    """
    xp = array_module(features.x, where)
    features, where = Features(*map(xp.asarray, features)), xp.asarray(where)
    total = partial(xp.sum, axis=0, dtype=float if xp is np else None)
    there = xp.isfinite(xp.take_along_axis(features.x, features.order, axis=0))
    usable = where[features.order] & there
    first, third = (_quantile(xp, features, usable, q) for q in (0.25, 0.75))
    reach = FENCE * (third - first)
    indicator = two_valued(features.x, where)
    heavy_tailed = features.measured & ~indicator
    clip = heavy_tailed & clip
    fenced = clip & (reach > 0)
    lower = xp.where(fenced, first - reach, -xp.inf)
    upper = xp.where(fenced, third + reach, xp.inf)
    x = xp.clip(features.x, lower[None], upper[None])
    usable = where[:, None] & xp.isfinite(x)
    count = xp.maximum(xp.sum(usable, axis=0), 1)
    center = total(xp.where(usable, x, 0.0)) / count
    residual = xp.where(usable, x - center[None], 0.0)
    sd = xp.sqrt(total(residual**2) / count)
    lower = xp.where(clip, xp.maximum(lower, center - FAR * sd), lower)
    upper = xp.where(clip, xp.minimum(upper, center + FAR * sd), upper)
    carriers = center * count
    rare = indicator & (xp.minimum(carriers, count - carriers) < MIN_CARRIERS - 0.5)
    constant = sd <= 1e-6 * xp.abs(center)  # rounding of the mean; holds in any unit
    floor = xp.where(heavy_tailed, 0.0, MIN_SD)
    gain = xp.where(constant | rare, 0.0, 1.0 / xp.where(constant, 1.0, xp.maximum(sd, floor)))
    return Scaler(*(a.astype(features.x.dtype) for a in (lower, upper, center, gain)))


def transform(scaler: Scaler, x: Array) -> Array:
    """``x [n, d]`` with NaN -> z-scores by ``scaler``; what is missing becomes 0, the training mean."""
    xp = array_module(x, *scaler)
    lower, upper, center, gain = (xp.asarray(part)[None] for part in scaler)
    z = (xp.clip(x, lower, upper) - center) * gain
    return xp.where(xp.isfinite(z), z, xp.zeros((), z.dtype))
