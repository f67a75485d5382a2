"""Low-rank tensor-on-tensor ridge regression, a baseline of image-on-image regression."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy.linalg import cho_factor, cho_solve

from jaxsurv.types import Array, ArrayLike

from .ridge import centred_rows, validation_error

PENALTIES = tuple(10.0 ** np.arange(0, 6))  # for errors summed over rows and a thousand pixels
SWEEPS = 20  # per penalty; from the start below, more sweeps change the objective's third digit


class CPFactors(NamedTuple):
    """``B[k, i, j, p, q] = Σ_r image[k, r] row[i, r] column[j, r] out_row[p, r] out_column[q, r]``.

    Attributes:
        image: ``[K, R]``, factor of the input images.
        row: ``[h, R]``, factor of the inputs' rows.
        column: ``[w, R]``, factor of the inputs' columns.
        out_row: ``[h', R]``, factor of the outcome's rows.
        out_column: ``[w', R]``, factor of the outcome's columns.
    """

    image: Array
    row: Array
    column: Array
    out_row: Array
    out_column: Array


def _gram(factor: Array) -> Array:
    return factor.T @ factor


def _leading(second_moment: Array) -> Array:
    """First eigenvector of each matrix, ``[R, d, d]`` to ``[d, R]``.

    Matrices are decomposed one after the other: on a CPU of two cores, two batches at once can wait for
    each other's threads.
    """
    return lax.map(lambda matrix: jnp.linalg.eigh(matrix)[1][:, -1], second_moment).T


def cp_start(x: Array, y: Array, rank: int) -> CPFactors:
    """Rank-one approximations of the leading singular vectors of the cross-covariance ``Σ_n x_n ⊗ y_n``.

    The computation is in the space of the n rows, which are fewer than pixels: with ``XXᵀ = HHᵀ``, ``XᵀY``
    and ``HᵀY`` have the same right singular vectors. Components beyond the rank of the cross-covariance
    are not determined, and so random.
    """
    pixels_x, pixels_y = x.reshape(len(x), -1), y.reshape(len(y), -1)
    size, vectors = jnp.linalg.eigh(pixels_x @ pixels_x.T)
    half = vectors * jnp.sqrt(jnp.maximum(size, 0))[None]
    left = jnp.linalg.eigh(half.T @ (pixels_y @ pixels_y.T) @ half)[1][:, ::-1][:, :rank]
    outcome = (half @ left).T @ pixels_y
    inputs = (outcome @ pixels_y.T) @ pixels_x
    p, q = inputs.reshape(-1, *x.shape[1:]), outcome.reshape(-1, *y.shape[1:])
    return CPFactors(
        _leading(jnp.einsum("rkij,rlij->rkl", p, p)),
        _leading(jnp.einsum("rkij,rkmj->rim", p, p)),
        _leading(jnp.einsum("rkij,rkim->rjm", p, p)),
        _leading(jnp.einsum("rpq,rmq->rpm", q, q)),
        _leading(jnp.einsum("rpq,rpm->rqm", q, q)),
    )


def _solved(normal: Array, right: Array, old: Array) -> Array:
    """Solution ``normal⁻¹ right`` ``[d, m]``, computed as a step from the old solution.

    Collinear components make the equations singular up to rounding. A ridge of that size on the step (not
    on the solution) leaves undetermined directions where they were, so the objective still never rises.
    """
    size = len(normal)
    ridge = 10 * jnp.finfo(normal.dtype).eps * jnp.trace(normal)
    factor = cho_factor(normal + ridge * jnp.eye(size))
    return old + cho_solve(factor, right - normal @ old)


def _input_factor(
    design: Array, scores: Array, outputs: Array, penalty: Array, old: Array
) -> Array:
    """Exact ridge solution ``[d, R]`` for one of image, row and column; all other factors are fixed.

    ``design [n, d, R]``: x contracted with the other two input factors. ``scores [n, R]``: y contracted with
    the output factors. ``outputs [R, R]``: Gram matrix of the output factors. ``penalty [R, R]``: weights of
    ``old.T @ old`` in the penalty.
    """
    d, rank = old.shape
    data = jnp.einsum("ndr,nes->dres", design, design) * outputs[None, :, None, :]
    ridge = jnp.eye(d)[:, None, :, None] * penalty[None, :, None, :]
    right = jnp.einsum("ndr,nr->dr", design, scores)
    normal = (data + ridge).reshape(d * rank, d * rank)
    return _solved(normal, right.reshape(-1, 1), old.reshape(-1, 1)).reshape(d, rank)


def _output_factor(outcome: Array, normal: Array, scores: Array, old: Array) -> Array:
    """Exact ridge solution for out_row or out_column: each row is a regression on the same R values."""
    right = jnp.einsum("ndr,nr->rd", outcome, scores)
    return _solved(normal, right, old.T).T


def _balanced(factors: CPFactors) -> CPFactors:
    """Factors of the same B with each component's norm shared equally: well-conditioned equations."""
    norm = jnp.stack([jnp.linalg.norm(f, axis=0) for f in factors])
    whole = jnp.prod(norm, axis=0) ** (1 / len(factors))
    gain = jnp.where(norm > 0, whole[None] / jnp.where(norm > 0, norm, 1), 1)
    return CPFactors(*(f * g[None] for f, g in zip(factors, gain, strict=True)))


def cp_sweep(factors: CPFactors, x: Array, y: Array, penalty: ArrayLike) -> CPFactors:
    """One round of alternating least squares: each factor in turn minimises the objective exactly.

    The objective, as in `tensor_regression` but on all rows, never rises. The penalty of a factor
    F is ``penalty * sum(FᵀF * H)``, H the elementwise product of the other four Gram matrices.

    Args:
        factors: factors of rank R.
        x: ``[n, K, h, w]``.
        y: ``[n, h', w']``.
        penalty: scalar.
    """
    image, row, column, out_row, out_column = factors
    outputs = _gram(out_row) * _gram(out_column)
    scores = jnp.einsum("npq,pr,qr->nr", y, out_row, out_column)
    ridge = penalty * outputs

    without_column = jnp.einsum("nkij,jr->nkir", x, column)
    design = jnp.einsum("nkir,ir->nkr", without_column, row)
    image = _input_factor(design, scores, outputs, ridge * _gram(row) * _gram(column), image)
    design = jnp.einsum("nkir,kr->nir", without_column, image)
    row = _input_factor(design, scores, outputs, ridge * _gram(image) * _gram(column), row)
    design = jnp.einsum("nkij,ir,kr->njr", x, row, image)
    column = _input_factor(design, scores, outputs, ridge * _gram(image) * _gram(row), column)

    values = jnp.einsum("njr,jr->nr", design, column)
    inputs = _gram(values) + penalty * _gram(image) * _gram(row) * _gram(column)
    outcome = jnp.einsum("npq,qr->npr", y, out_column)
    out_row = _output_factor(outcome, inputs * _gram(out_column), values, out_row)
    outcome = jnp.einsum("npq,pr->nqr", y, out_row)
    out_column = _output_factor(outcome, inputs * _gram(out_row), values, out_column)
    return _balanced(CPFactors(image, row, column, out_row, out_column))


def cp_predict(factors: CPFactors, x: Array) -> Array:
    """Prediction ``<x, B>``, ``[n, K, h, w]`` to ``[n, h', w']``."""
    image, row, column, out_row, out_column = factors
    values = jnp.einsum("nkij,jr,ir,kr->nr", x, column, row, image)
    return jnp.einsum("nr,pr,qr->npq", values, out_row, out_column)


def tensor_regression(
    x: ArrayLike,
    y: ArrayLike,
    train: ArrayLike,
    validation: ArrayLike,
    *,
    ranks: Sequence[int] = (1, 2, 4, 8),
    penalties: Sequence[float] = PENALTIES,
    sweeps: int = SWEEPS,
) -> Array:
    """Low-rank tensor-on-tensor ridge regression of all outcome pixels on all input pixels::

        min over B of CP rank R of  ‖Y - A - <X, B>‖² + penalty ‖B‖²,    <X, B>_pq = Σ_kij X_kij B_kijpq

    over the train rows, the objective of Lock (2018), "Tensor-on-tensor regression", J. Comput. Graph.
    Stat. 27(3), 638-647, with an unpenalised intercept image A. ``‖B‖²`` is the sum of the squared entries
    of the coefficient array ``[K, h, w, h', w']`` (which is never formed), not of its factors. The fit is by
    alternating least squares, as in the paper, but from a spectral start. The fits of one rank follow each
    other from the largest penalty to the smallest, as in the paper's optional tempering. The rank and
    penalty with the least squared error on the validation rows are taken; there is no refit.

    Args:
        x: ``[n, K, h, w]`` input images, standardised.
        y: ``[n, h', w']`` outcome images.
        train: ``[n]`` booleans, training set, with at least as many rows as the largest rank.
        validation: ``[n]`` booleans, validation set.
        ranks: ranks to choose from.
        penalties: penalties to choose from, >= 0.
        sweeps: number of rounds over all five factors, for each penalty.

    Returns:
        ``[n, h', w']``, the prediction of all rows.

    Raises:
        InputError: shapes that do not fit, masks that are not booleans.
    """
    rows = centred_rows(x, y, train, validation)
    x, y = rows.train_x, rows.train_y

    def predict(factors: CPFactors) -> Array:
        return rows.intercept[None] + cp_predict(factors, rows.x)

    def fit(factors: CPFactors, penalty: Array) -> tuple[CPFactors, tuple[CPFactors, Array]]:
        factors = lax.fori_loop(0, sweeps, lambda _, f: cp_sweep(f, x, y, penalty), factors)
        return factors, (factors, validation_error(rows, predict(factors)))

    path = jnp.sort(jnp.asarray(penalties, x.dtype), descending=True)
    errors, predictions = [], []
    for rank in ranks:
        factors, error = lax.scan(fit, cp_start(x, y, rank), path)[1]
        best = jnp.argmin(error)
        errors.append(error[best])
        predictions.append(predict(jax.tree.map(lambda f, best=best: f[best], factors)))
    return jnp.stack(predictions)[jnp.argmin(jnp.stack(errors))]
