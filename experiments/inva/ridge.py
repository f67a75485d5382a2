"""Baselines of image-on-image regression: their common inputs, and ridge regression pixel by pixel.

All are pure functions of arrays that run under ``jit`` and, over replicates, under ``vmap``: rows are
chosen by masks, so that every shape is static.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxsurv.types import Array, ArrayLike, InputError

PENALTIES = tuple(10.0 ** np.arange(-1, 5))  # for standardised pixels, and errors summed over rows


class Fitting(NamedTuple):
    """Training data of a baseline, and validation data that choose its hyper-parameters."""

    x: Array  # [n, K, h, w], centred
    train_x: Array  # [n, K, h, w], centred, 0 outside the training rows
    train_y: Array  # [n, h, w], centred, 0 outside the training rows
    intercept: Array  # [h, w], mean that centring took from y
    y: Array
    validation: Array  # [n, 1, 1]


def _by_row(mask: Array, like: Array) -> Array:
    return jnp.expand_dims(mask, tuple(range(1, like.ndim)))


def centred_rows(x: ArrayLike, y: ArrayLike, train: ArrayLike, validation: ArrayLike) -> Fitting:
    """Centre x and y on the training rows, which gives an unpenalised intercept per outcome pixel."""
    x, y, train, validation = (jnp.asarray(a) for a in (x, y, train, validation))
    if x.ndim != 4 or y.ndim != 3 or len(x) != len(y):
        raise InputError(f"x must be [n, K, h, w] and y [n, h, w], got {x.shape} and {y.shape}")
    for name, mask in (("train", train), ("validation", validation)):
        if mask.shape != (len(x),) or mask.dtype != bool:
            raise InputError(
                f"{name} must be {len(x)} booleans, one per row of x, got {mask.dtype}{mask.shape}"
            )
    here, rows = _by_row(train, x), _by_row(train, y)
    x = x - jnp.mean(x, 0, keepdims=True, where=here)
    intercept = jnp.mean(y, 0, where=rows)
    train_x, train_y = jnp.where(here, x, 0), jnp.where(rows, y - intercept[None], 0)
    return Fitting(x, train_x, train_y, intercept, y, _by_row(validation, y))


def validation_error(rows: Fitting, prediction: Array) -> Array:
    """Squared error on the validation rows; infinite for a failed fit, so that it is never the best."""
    error = jnp.sum((rows.y - prediction) ** 2, where=rows.validation)
    return jnp.where(jnp.isnan(error), jnp.inf, error)


def pixelwise_ridge(
    x: ArrayLike,
    y: ArrayLike,
    train: ArrayLike,
    validation: ArrayLike,
    *,
    penalties: Sequence[float] = PENALTIES,
) -> Array:
    """Ridge regression of each outcome pixel v on the K input values at the same pixel::

        min over a_v, b_v of  Σ_i (y_iv - a_v - b_vᵀ x_iv)² + penalty |b_v|²,   i over the train rows

    (Hoerl & Kennard, 1970), in closed form. The one penalty for all pixels has the least squared error on
    the validation rows, summed over all pixels; there is no refit.

    Args:
        x: ``[n, K, h, w]`` input images.
        y: ``[n, h, w]`` outcome images.
        train: ``[n]`` booleans, training set.
        validation: ``[n]`` booleans, validation set.
        penalties: penalties to choose from, > 0.

    Returns:
        ``[n, h, w]``, the prediction of all rows.

    Raises:
        InputError: shapes that do not fit, masks that are not booleans.
    """
    if np.shape(x)[2:] != np.shape(y)[1:]:
        raise InputError(
            f"x and y must have the same pixels, got {np.shape(x)[2:]} and {np.shape(y)[1:]}: "
            "resample one of them"
        )
    rows = centred_rows(x, y, train, validation)
    gram = jnp.einsum("nkhw,nlhw->hwkl", rows.train_x, rows.train_x)
    cross = jnp.einsum("nkhw,nhw->hwk", rows.train_x, rows.train_y)

    def predict(penalty: Array) -> Array:
        ridge = (penalty * jnp.eye(gram.shape[-1]))[None, None]
        coefficients = jnp.linalg.solve(gram + ridge, cross[..., None])[..., 0]
        return rows.intercept[None] + jnp.einsum("nkhw,hwk->nhw", rows.x, coefficients)

    grid = jnp.asarray(penalties, gram.dtype)
    errors = lax.map(lambda penalty: validation_error(rows, predict(penalty)), grid)
    return predict(grid[jnp.argmin(errors)])
