"""Covariance of several modalities, some of them missing in some patients, and its noise-free part."""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxsurv.arguments.columns import numbers
from jaxsurv.arguments.reading import check_same_rows, read_arguments
from jaxsurv.factors.decompositions import eigh
from jaxsurv.factors.eigen import largest
from jaxsurv.factors.structure import Structure
from jaxsurv.survival.validation import is_concrete
from jaxsurv.types import Array, ArrayLike, InputError


class Moments(NamedTuple):
    """Moments of a table, as the linear model needs them.

    Attributes:
        mean: ``[D]``.
        covariance: ``[D, D]``.
        n: number of patients; or ``[M, M]``, number of patients who have both of two modalities.
    """

    mean: Array
    covariance: Array
    n: Array


class Denoised(NamedTuple):
    """Covariance without its noise.

    Attributes:
        signal: ``[D, D]``, ``S - noise I``.
        noise: variance of the noise, the same in all features.
    """

    signal: Array
    noise: Array


_ABSENT = (
    "fill the rows of those who lack one with 0, and give presence={modality: 1 or 0 per patient}"
)


def together(structure: Structure, inputs: dict[str, Array]) -> Array:
    """Features ``[n, D]`` of all modalities, side by side in the order of the structure."""
    if set(inputs) != set(structure.modalities):
        raise InputError(f"needs {sorted(structure.modalities)}, got {sorted(inputs)}")
    check_same_rows(inputs)
    inputs = {m: numbers(m, x) for m, x in inputs.items()}
    for m, d in structure.sizes:
        if inputs[m].shape[1:] != (d,):
            raise InputError(f"{m} must be [n, {d}], got {inputs[m].shape}")
    rows = {m: len(x) for m, x in inputs.items()}
    if len(set(rows.values())) > 1:
        raise InputError(
            f"modalities have different numbers of patients, {rows}: give all the same rows, {_ABSENT}"
        )
    for m, x in inputs.items():
        if is_concrete(x) and not (known := np.isfinite(np.asarray(x))).all():
            row = int(np.flatnonzero(~known.all(axis=1))[0])
            raise InputError(
                f"{m} has NaN or infinite values, the first in row {row}: impute single values; where a "
                f"patient lacks the modality, {_ABSENT}"
            )
    return jnp.concatenate([jnp.asarray(inputs[m]) for m in structure.modalities], axis=1)


def presence_matrix(
    structure: Structure, inputs: dict[str, Array], presence: Any, dtype: Any
) -> Array:
    """``[n, M]``, 1 where the patient has the modality, in the order of the structure."""
    if absent := [m for m in structure.modalities if m not in presence]:
        raise InputError(f"presence lacks {', '.join(absent)}; it has {', '.join(presence)}")
    columns = {f"presence of {m}": presence[m] for m in structure.modalities}
    check_same_rows({**inputs, **columns})
    read = {name: jnp.asarray(numbers(name, column), dtype) for name, column in columns.items()}
    n = len(inputs[next(iter(inputs))])
    for name, column in read.items():
        if column.shape != (n,):
            raise InputError(f"{name} must be [{n}], as the tables have rows, got {column.shape}")
    return jnp.stack(list(read.values()), axis=1)


@read_arguments
def moments(
    structure: Structure,
    inputs: dict[str, Array],
    *,
    presence: dict[str, Array] | None = None,
    where: Array | None = None,
) -> Moments:
    """Mean and covariance (divisor: patients) over all patients who have a modality or a pair of them::

        S_ab = sum_i p_ia p_ib (x_ia - mean_a)(x_ib - mean_b)' / sum_i p_ia p_ib

    With missing modalities S is made of different patients and need not be positive semidefinite. Its
    negative eigenvalues are then set to zero, which gives the nearest such matrix. The estimate is right
    if missingness does not depend on the values.

    Args:
        structure: sizes and order of the modalities.
        inputs: ``{modality: [n, d_m]}``; values of an absent modality are not read, but must not be NaN.
        presence: ``{modality: [n]}`` or a table, 1 where the patient has the modality; None = all have all.
        where: ``[n]`` booleans, the patients to use.

    Raises:
        InputError: sizes other than those of the structure; different numbers of patients; tables
            whose indexes contradict each other; NaN; two modalities that fewer than two patients have both.
    """
    x = together(structure, inputs)
    rows = jnp.ones(len(x), x.dtype) if where is None else jnp.asarray(where, x.dtype)
    if presence is None:
        n = jnp.sum(rows)
        mean = rows @ x / n
        centred = (x - mean[None]) * rows[:, None]
        # rows are 0 or 1, and so equal to their squares
        return Moments(mean, _gram(centred) / n, n)
    has = rows[:, None] * presence_matrix(structure, inputs, presence, x.dtype)
    at = structure.modality
    here = has[:, at]
    mean = jnp.sum(here * x, axis=0) / jnp.sum(has, axis=0)[at]
    pairs = _gram(has)
    check_pairs(list(structure.modalities), pairs)
    covariance = _gram(here * (x - mean[None])) / pairs[at][:, at]
    values, vectors = eigh(covariance)
    repaired = (vectors * jnp.maximum(values, 0)[None]) @ vectors.T
    return Moments(mean, repaired, pairs)


def check_pairs(names: list[str], pairs: ArrayLike) -> None:
    """Refuse pairs of modalities with fewer than two patients who have both; ``pairs [M, M]`` are counts.

    Only known values are checked. Under ``jit`` they are not known, and the result is NaN: check before.
    """
    if not is_concrete(pairs):
        return
    for a, b in np.argwhere(np.asarray(pairs) < 2):
        raise InputError(
            f"{names[a]} and {names[b]} are measured together in {int(pairs[a, b])} patients, so that "
            "nothing is known of what they share; leave one of them out"
        )


def _gram(x: Array) -> Array:
    return jnp.matmul(x.T, x, precision=lax.Precision.HIGHEST)


def denoise(covariance: Array, rank: int) -> Denoised:
    """Subtract the noise, whose variance is the mean of all but the ``rank`` largest eigenvalues of S.

    Features that do not vary, e.g. unused ones, have no noise and do not count.

    Args:
        covariance: S ``[D, D]``.
        rank: number of factors.
    """
    d, variance = len(covariance), jnp.diagonal(covariance)
    vary = jnp.sum(variance > 1e-6 * jnp.max(variance))
    rest = jnp.trace(covariance) - jnp.sum(largest(covariance, rank)[0])
    noise = rest / jnp.maximum(vary - rank, 1)
    return Denoised(covariance - noise * jnp.eye(d, dtype=covariance.dtype), noise)
