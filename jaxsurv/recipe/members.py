"""Members kept of a fitted model, and its log hazard for any patients: networks and Cox models, summed."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.models import CLINICAL, Batch
from jaxsurv.types import Array, ArrayLike, Params, Survival


class Rows(NamedTuple):
    """Patients as the members of a model read them.

    Attributes:
        inputs: modality to ``[n, k]``, what networks read, the clinical modality included.
        presence: modality to ``[n]``, see :class:`jaxsurv.preprocess.Standardised`.
        z: modality to ``[n, d]``, scaled features, which Cox models read; 0 where missing. Only the
            modalities that a Cox model of the fitted model reads.
        observed: modality to ``[n, d]`` booleans, values of ``z`` that were measured.
    """

    inputs: dict[str, ArrayLike]
    presence: dict[str, ArrayLike]
    z: dict[str, ArrayLike]
    observed: dict[str, ArrayLike]


class LinearCox(NamedTuple):
    """A fitted Cox model that is linear in features, their squares and random Fourier features::

        eta = sum_m z_m b_m + sum_m (z_m² - 1)/2 s_m + cos(sum_m z_m W_m) c + sin(sum_m z_m W_m) d - center

    Squares of missing values count as 0.

    Attributes:
        linear: modality to b ``[d]``.
        squares: modality to s ``[d]``; empty without squares.
        frequencies: modality to W ``[d, f]``; empty without Fourier features.
        cosine, sine: c and d, each ``[f]``; ``[0]`` without Fourier features.
        center: mean log hazard over the rows that the model was fitted to.
    """

    linear: dict[str, Array]
    squares: dict[str, Array]
    frequencies: dict[str, Array]
    cosine: Array
    sine: Array
    center: Array

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of the modalities that the model reads."""
        return tuple(dict.fromkeys([*self.linear, *self.squares, *self.frequencies]))


class CrossFitted(Protocol):
    """Log hazards ``[splits, n]`` of models fitted to all development rows, and of cross-fitted ones.

    ``held_out`` is by an inner model that did not see the row; it may be NaN on development rows that
    no inner model held out, and equals ``log_hazard`` on all other rows.
    """

    @property
    def log_hazard(self) -> Array:
        """``[splits, n]``, by the models that were fitted to all development rows."""
        ...

    @property
    def held_out(self) -> Array:
        """``[splits, n]``, on development rows by models that did not see the row."""
        ...


class PenalisedCox(NamedTuple):
    """A penalised Cox model on every split.

    Attributes:
        log_hazard: ``[splits, n]``, log hazards by the model of all development rows, centred on them.
        held_out: ``[splits, n]``, cross-fitted: development rows by the inner model that did not see the
            row, others as in ``log_hazard``.
        penalty: ``[splits]``, the chosen l2 or lambda.
        models: the fitted model of each split, for new patients.
    """

    log_hazard: Array
    held_out: Array
    penalty: Array
    models: tuple[LinearCox, ...]


def cox_log_hazard(model: LinearCox, z: dict, observed: dict) -> Array:
    """``[n]`` log hazard of ``model``; 0 is the mean of the rows that it was fitted to.

    Args:
        model: the Cox model.
        z, observed: see `Rows`.
    """
    first = z[model.modalities[0]]
    eta = jnp.zeros(first.shape[0], first.dtype) - model.center
    for m, coef in model.linear.items():
        eta = eta + z[m] @ coef
    for m, coef in model.squares.items():
        eta = eta + jnp.where(observed[m], (z[m] ** 2 - 1) / 2, 0) @ coef
    if model.frequencies:
        phase = sum(z[m] @ w for m, w in model.frequencies.items())
        eta = eta + jnp.cos(phase) @ model.cosine + jnp.sin(phase) @ model.sine
    return eta


class Terms(NamedTuple):
    """The parameters of a kept model: a weighted sum of a network and of Cox models.

    Attributes:
        network: parameters of the network, or None.
        offset: Cox model whose log hazard the network adds to, or None.
        cox: name of a member to its Cox model.
        weights: name of a member to its weight; the network's is ``"network"``.
    """

    network: Params | None
    offset: LinearCox | None
    cox: dict[str, LinearCox]
    weights: dict[str, Array]


Predict = Callable[[Params, Batch], Array]


def tiled(model: Any, members: int) -> Any:
    """The arrays of a Cox model, the same for every member of an ensemble."""
    return jax.tree.map(lambda a: np.repeat(np.asarray(a)[None], members, axis=0), model)


def batch_of(rows: Rows, offset: ArrayLike | None = None) -> Batch:
    """Patients whose outcome need not be known, as networks read them."""
    n = len(next(iter(rows.inputs.values())))
    inputs, zero = dict(rows.inputs), np.zeros(n, np.float32)
    clinical = inputs.pop(CLINICAL, np.zeros((n, 0), np.float32))
    return Batch(
        inputs=inputs,  # type: ignore[arg-type]
        presence={m: rows.presence[m] for m in inputs},  # type: ignore[misc]
        clinical=clinical,  # type: ignore[arg-type]
        offset=zero if offset is None else offset,  # type: ignore[arg-type]
        outcome=Survival(zero, zero),
        where=np.ones(n, bool),  # type: ignore[arg-type]
        risk_sets=None,  # type: ignore[arg-type]
    )


def network_batch(terms: Terms, rows: Rows) -> Batch:
    """Patients as the network of ``terms`` reads them, its offset included."""
    if terms.offset is None:
        return batch_of(rows)
    return batch_of(rows, cox_log_hazard(terms.offset, rows.z, rows.observed))


def log_hazard_function(network: Predict | None) -> Callable[[Terms, Rows], Array]:
    """``(terms, rows) -> [n]``, the weighted sum of the members' log hazards.

    Args:
        network: ``(params, batch) -> [n]``, log hazards of the network in evaluation mode; None = no network.
    """

    def predict(terms: Terms, rows: Rows) -> Array:
        parts = [
            terms.weights[name] * cox_log_hazard(model, rows.z, rows.observed)
            for name, model in terms.cox.items()
        ]
        if network is not None:
            eta = network(terms.network, network_batch(terms, rows))
            parts.append(terms.weights["network"] * eta)
        return sum(parts[1:], parts[0])

    return predict
