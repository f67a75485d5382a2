"""Imputation of missing values: all kinds of imputation behind one pair of functions."""

from collections.abc import Mapping
from typing import NamedTuple

import jax
import numpy as np

from jaxsurv.preprocess.conditional_gaussian import (
    ConditionalGaussian,
    fit_gaussian,
    impute_gaussian,
)
from jaxsurv.preprocess.round_robin import RoundRobin, fit_round_robin, impute_round_robin
from jaxsurv.preprocess.scale import Features, Scaler
from jaxsurv.types import ArrayLike

_WIDTH = 128  # a round-robin program is compiled per multiple of so many features


class Imputation(NamedTuple):
    """A fitted imputation.

    Attributes:
        model: imputation model of the columns; None leaves NaN, which standardising turns into the mean.
        columns: ``[k]``, columns with a gain, which a chain reads; the last ones may only fill its width.
    """

    model: RoundRobin | ConditionalGaussian | None
    columns: np.ndarray


_fit_chain = jax.jit(fit_round_robin)
_apply_chain = jax.jit(impute_round_robin)


def fit_imputation(
    how: str,
    features: Features,
    scaler: Scaler,
    columns: Mapping[str, slice],
    presence: Mapping[str, ArrayLike],
    where: ArrayLike,
) -> Imputation:
    """Fit on the rows in ``where`` ``[n]``.

    Args:
        how: ``"mean"``, ``"gaussian"`` (:func:`fit_gaussian`) or ``"round-robin"``
            (:func:`fit_round_robin`, on the features with a gain).
        features: ``x [n, d]``, NaN where missing.
        scaler: fitted on the same rows.
        columns: modality to its slice of the features.
        presence: modality to ``[n]``, 1 where the patient has it.
    """
    used = np.flatnonzero(scaler.gain)
    if how == "mean":
        return Imputation(None, used)
    if how == "gaussian":
        return Imputation(fit_gaussian(features.x, scaler, columns, presence, where), used)
    padded = np.pad(used, (0, -len(used) % _WIDTH))
    part, of_part = jax.tree.map(lambda a: np.asarray(a)[..., padded], (features, scaler))
    gain = np.where(np.arange(len(padded)) < len(used), of_part.gain, np.float32(0))
    return Imputation(_fit_chain(part, of_part._replace(gain=gain), where), padded)


def impute_missing(
    imputation: Imputation, x: ArrayLike, presence: Mapping[str, ArrayLike]
) -> np.ndarray:
    """``x [n, d]`` with what could be filled in, in its own units.

    Args:
        imputation: result of `fit_imputation`.
        x: NaN where missing.
        presence: modality to ``[n]``, 1 where the patient has it.

    Raises:
        InputError: see :func:`impute_gaussian`.
    """
    model, x = imputation.model, np.array(x)
    if isinstance(model, ConditionalGaussian):
        return impute_gaussian(model, x, presence)
    if isinstance(model, RoundRobin):
        there = np.asarray(model.scaler.gain) > 0
        columns = imputation.columns
        x[:, columns[there]] = np.asarray(_apply_chain(model, x[:, columns]))[:, there]
    return x
