"""What Harrell's C loses: features and tables permuted across patients, and modalities withheld."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jax import lax

from jaxsurv.estimators.attribution import feature_columns
from jaxsurv.estimators.fitted import FittedModel
from jaxsurv.estimators.prepared import as_batch
from jaxsurv.metrics import bootstrap, concordance_index
from jaxsurv.models import Batch
from jaxsurv.preprocess import Standardised
from jaxsurv.types import Array, ArrayLike, Params

CELLS = 2**22  # numbers that features evaluated side by side may take

Predict = Callable[[Params, Batch], Array]


class Labelled(NamedTuple):
    """Patients as a network reads them, with their outcome.

    Attributes:
        inputs: modality to ``[n, k]``, the clinical one included.
        presence: modality to ``[n]``.
        event: ``[n]``, 1 = observed.
        time: ``[n]``, or its ranks.
    """

    inputs: dict[str, ArrayLike]
    presence: dict[str, ArrayLike]
    event: ArrayLike
    time: ArrayLike

    def put(self, modality: str, x: ArrayLike, there: ArrayLike) -> "Labelled":
        """The same patients with another table."""
        return self._replace(
            inputs=self.inputs | {modality: x}, presence=self.presence | {modality: there}
        )


def permutation_drops(
    model: FittedModel, made: Standardised, data: Labelled, *, repeats: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """How far each member's C drops, ``[members, features]`` and ``[members, modalities]``.

    A feature is permuted among the patients who have its modality, all columns of a category together;
    a table is permuted among all patients, and who has it with it. All features of a modality and all
    members see the same permutations.

    Args:
        model: of any network.
        made: standardised values before projection.
        data: the same patients, projected.
        repeats: permutations, over which the drop is averaged.
        seed: of the permutations.
    """
    rng, n = np.random.default_rng(seed), len(made.patients)
    features, tables = [], []
    for m, z in made.inputs.items():
        own = _orders(rng, np.flatnonzero(made.presence[m]), n, repeats)
        columns = feature_columns(model.preprocessing.schema, m)
        projection = model.preprocessing.projection.get(m)
        features += [
            _feature_drops(model.predict, m, model.params, data, z, projection, columns, own)
        ]
        every = _orders(rng, np.arange(n), n, repeats)
        tables += [_table_drops(model.predict, m, model.params, data, every)]
    return np.concatenate(features, axis=1), np.stack(tables, axis=1)


def _orders(rng: np.random.Generator, rows: np.ndarray, n: int, repeats: int) -> np.ndarray:
    """``[1 + repeats, n]`` orders of n rows: none changed, then permutations of ``rows``."""
    orders = np.tile(np.arange(n), (1 + repeats, 1))
    orders[1:, rows] = rng.permuted(orders[1:, rows], axis=1)
    return orders


def _c(predict: Predict, params: Params, data: Labelled) -> Array:
    risk = predict(params, as_batch(data.inputs, data.presence))
    return concordance_index(risk, data.event, data.time).index


def _drop(c: Callable[[Array], Array], orders: Array) -> Array:
    # both come from one program, and a mean of zeros is 0: what changes no risk drops C by exactly 0
    each = lax.map(c, orders)
    return jnp.mean(each[0] - each[1:])


@partial(jax.jit, static_argnames=("predict", "modality"))
def _feature_drops(
    predict: Predict,
    modality: str,
    params: Params,
    data: Labelled,
    z: Array,
    projection: Array | None,
    columns: Array,
    orders: Array,
) -> Array:
    x, there = data.inputs[modality], data.presence[modality]

    def c(member: Params, own: Array, order: Array) -> Array:
        values = jnp.take(z, own, axis=1, mode="fill", fill_value=0)
        if projection is None:
            moved = x.at[:, own].set(values[order], mode="drop")
        else:  # the scores change by a product of the few columns alone
            directions = jnp.take(projection, own, axis=0, mode="fill", fill_value=0)
            moved = x + (values[order] - values) @ directions
        return _c(predict, member, data.put(modality, moved, there))

    n, k = x.shape
    side_by_side = min(len(columns), max(1, CELLS // (n * (n + k))))

    def drops(member: Params) -> Array:
        return lax.map(
            lambda own: _drop(partial(c, member, own), orders), columns, batch_size=side_by_side
        )

    return lax.map(drops, params)


@partial(jax.jit, static_argnames=("predict", "modality"))
def _table_drops(
    predict: Predict, modality: str, params: Params, data: Labelled, orders: Array
) -> Array:
    x, there = data.inputs[modality], data.presence[modality]

    def c(member: Params, order: Array) -> Array:
        return _c(predict, member, data.put(modality, x[order], there[order]))

    return lax.map(lambda member: _drop(partial(c, member), orders), params)


def withheld(model: FittedModel, data: Labelled, *, seed: int) -> pd.DataFrame:
    """C of the ensemble with and without each modality, and the difference over patients.

    Args:
        model: of any network.
        data: what it reads.
        seed: of the bootstrap.

    Returns:
        One row per modality: ``c``, ``c_without``, ``c_lost``, ``c_lost_lower``, ``c_lost_upper``.

    Raises:
        InputError: no comparable pair.
    """
    full = model.log_hazard_of(as_batch(data.inputs, data.presence))
    outcome, key, rows = (data.event, data.time), jax.random.key(seed), {}
    c = float(concordance_index(full, *outcome).index)
    for m, x in data.inputs.items():
        less = data.put(m, 0 * x, 0 * data.presence[m])
        risk = model.log_hazard_of(as_batch(less.inputs, less.presence))
        without = float(concordance_index(risk, *outcome).index)
        lost = bootstrap(_c_lost, key, full, risk, *outcome)
        rows[m] = {
            "c": c,
            "c_without": without,
            "c_lost": c - without,
            "c_lost_lower": float(lost.lower),
            "c_lost_upper": float(lost.upper),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _c_lost(risk: Array, without: Array, event: Array, time: Array) -> Array:
    return (
        concordance_index(risk, event, time).index - concordance_index(without, event, time).index
    )
