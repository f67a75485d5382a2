"""Images as a user gives them, checked and made into what a network reads."""

from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np

from jaxsurv.models import ArrayBatch
from jaxsurv.preprocess import ImageScaler
from jaxsurv.types import ArrayLike, InputError


def number_of_patients(images: Mapping[str, ArrayLike]) -> int:
    sizes = {m: len(x) for m, x in images.items()}
    if len(set(sizes.values())) != 1:
        raise InputError(f"the images must be of the same patients, got numbers {sizes}")
    return next(iter(sizes.values()))


def region(name: str, images: ArrayLike, mask: ArrayLike | None) -> np.ndarray:
    """``[*shape]`` booleans."""
    shape = np.shape(images)[1:]
    inside = np.ones(shape, bool) if mask is None else np.asarray(mask) > 0
    if inside.shape != shape or not inside.any():
        raise InputError(
            f"the mask of {name!r} has shape {inside.shape} and {inside.sum()} pixels inside; needs "
            f"shape {shape} and at least one"
        )
    return inside


def who_has(name: str, x: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """``[n]`` booleans, who has the image; refuses images with holes."""
    values = x[:, inside]
    there = np.asarray(~np.isnan(values).all(axis=1))
    if len(bad := np.flatnonzero(there & ~np.isfinite(values).all(axis=1))):
        raise InputError(
            f"image {name!r} of patient {bad[0]} (counted from 0) has a value that is not finite; impute "
            "it, mask the pixel, or set all of the image to NaN if the patient lacks it"
        )
    return there


def outcome_images(images: ArrayLike, n: int, inside: np.ndarray) -> np.ndarray:
    y = np.asarray(images, np.float32)
    if y.shape != (n, *inside.shape):
        raise InputError(f"outcome has shape {y.shape}, needs {(n, *inside.shape)}")
    if len(lacks := np.flatnonzero(~who_has("outcome", y, inside))):
        raise InputError(f"patient {lacks[0]} (counted from 0) has no outcome image; leave it out")
    return y


def patterns_of(batch: ArrayBatch) -> list[tuple[str, ...]]:
    """The images that each patient has, sorted."""
    has = {m: np.asarray(batch.presence[m]) > 0 for m in sorted(batch.presence)}
    return [tuple(m for m in has if has[m][i]) for i in range(len(batch.where))]


def image_batch(
    scalers: Mapping[str, ImageScaler],
    outcome_scaler: ImageScaler,
    images: Mapping[str, ArrayLike],
) -> ArrayBatch:
    """Patients whose outcome need not be known."""
    if unknown := sorted(set(images) - set(scalers)):
        raise InputError(
            f"images {unknown} were not there in training, which had {sorted(scalers)}"
        )
    n = number_of_patients(images)
    if not n:
        raise InputError("the images are of no patient; give at least one")
    inputs, presence = {}, {}
    for m, scaler in scalers.items():
        shape = scaler.center.shape
        x = np.asarray(images.get(m, np.full((n, *shape), np.nan)), np.float32)
        if x.shape[1:] != shape:
            raise InputError(f"image {m!r} has shape {x.shape[1:]}, {shape} in training")
        there = who_has(m, x, np.asarray(scaler.mask) > 0)
        inputs[m] = scaler.standardise(jnp.asarray(x))
        presence[m] = jnp.asarray(there, jnp.float32)
    absent = np.flatnonzero(~np.any([np.asarray(p) > 0 for p in presence.values()], axis=0))
    if len(absent):
        raise InputError(f"patient {absent[0]} (counted from 0) has no image; leave it out")
    return ArrayBatch(
        inputs=inputs,
        presence=presence,
        outcome=jnp.zeros((n, *outcome_scaler.mask.shape)),
        where=jnp.ones(n, bool),
        feature_mask={m: s.mask for m, s in scalers.items()},
        outcome_mask=outcome_scaler.mask,
    )
