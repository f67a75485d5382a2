"""Drop of Harrell's C with features and tables permuted across patients, and modalities withheld."""

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
from jaxsurv.metrics import bootstrap, concordance_index
from jaxsurv.recipe import Rows, Terms
from jaxsurv.types import Array, ArrayLike

CELLS = 2**22  # numbers that features evaluated side by side may take

Predict = Callable[[Terms, Rows], Array]


class Outcomes(NamedTuple):
    """Patients as the members read them, with their outcome.

    Attributes:
        rows: model inputs of the patients.
        event: ``[n]``, 1 = observed.
        time: ``[n]`` times, or their ranks.
        strata: ``[n]`` integers, or None; C is within strata.
    """

    rows: Rows
    event: ArrayLike
    time: ArrayLike
    strata: ArrayLike | None = None

    def table(self, modality: str, change: Callable[[ArrayLike], ArrayLike]) -> "Outcomes":
        """The patients with another table of a modality: ``change`` makes it of each array of it."""
        parts = (
            {**part, modality: change(part[modality])} if modality in part else part
            for part in self.rows
        )
        return self._replace(rows=Rows(*parts))


def permutation_drops(
    model: FittedModel,
    data: Outcomes,
    unprojected: dict[str, np.ndarray],
    presence: dict[str, np.ndarray],
    *,
    repeats: int,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Drop of each member's C, ``[members, features]`` and ``[members, modalities]``.

    A feature is permuted among the patients who have its modality, all columns of a category together;
    a table is permuted among all patients, and who has it with it. All features of a modality and all
    members see the same permutations.

    Args:
        model: fitted model.
        data: patients as the members read them, with outcomes.
        unprojected: modality to ``[n, d]``, what networks read, before selection and projection.
        presence: modality to ``[n]``, 1 where the patient has it.
        repeats: permutations, over which the drop is averaged.
        seed: seed of the permutations.
    """
    rng, n = np.random.default_rng(seed), len(data.event)
    preprocessing, features, tables = model.preprocessing, [], []
    for m, u in unprojected.items():
        own = _orders(rng, np.flatnonzero(presence[m]), n, repeats)
        columns = feature_columns(preprocessing.schema, m)
        place = None
        if m in preprocessing.chosen and m not in preprocessing.projection:
            chosen = preprocessing.chosen[m]
            place = np.full(u.shape[1] + 1, len(chosen), np.int32)  # nowhere
            place[chosen] = np.arange(len(chosen))
        goes = preprocessing.projection.get(m), place
        features += [_feature_drops(model.predict, m, model.params, data, u, goes, columns, own)]
        every = _orders(rng, np.arange(n), n, repeats)
        tables += [_table_drops(model.predict, m, model.params, data, every)]
    return np.concatenate(features, axis=1), np.stack(tables, axis=1)


def _orders(rng: np.random.Generator, rows: np.ndarray, n: int, repeats: int) -> np.ndarray:
    """``[1 + repeats, n]`` orders of n rows: none changed, then permutations of ``rows``."""
    orders = np.tile(np.arange(n), (1 + repeats, 1))
    orders[1:, rows] = rng.permuted(orders[1:, rows], axis=1)
    return orders


def _c(predict: Predict, terms: Terms, data: Outcomes) -> Array:
    risk = predict(terms, data.rows)
    return concordance_index(risk, data.event, data.time, strata=data.strata).index


def _drop(c: Callable[[Array], Array], orders: Array) -> Array:
    # both come from one program, and a mean of zeros is 0: what changes no risk drops C by exactly 0
    each = lax.map(c, orders)
    return jnp.mean(each[0] - each[1:])


@partial(jax.jit, static_argnames=("predict", "modality"))
def _feature_drops(
    predict: Predict,
    modality: str,
    terms: Terms,
    data: Outcomes,
    unprojected: Array,
    goes: tuple[Array | None, Array | None],
    columns: Array,
    orders: Array,
) -> Array:
    """``[members, features]``; ``goes`` is the projection, or the place of each column, if there is one."""
    rows, (projection, place) = data.rows, goes
    x = jnp.asarray(rows.inputs[modality])

    def permuted(table: ArrayLike, own: Array, order: Array) -> Array:
        table = jnp.asarray(table)
        values = jnp.take(table, own, axis=1, mode="fill", fill_value=0)
        return table.at[:, own].set(values[order], mode="drop")

    def moved(own: Array, order: Array) -> Array:
        values = jnp.take(unprojected, own, axis=1, mode="fill", fill_value=0)
        if projection is not None:  # the scores change by a product of the few columns alone
            directions = jnp.take(projection, own, axis=0, mode="fill", fill_value=0)
            return x + (values[order] - values) @ directions
        where = own if place is None else jnp.take(place, own, mode="fill", fill_value=x.shape[1])
        return x.at[:, where].set(values[order], mode="drop")

    def c(member: Terms, own: Array, order: Array) -> Array:
        changed = rows._replace(inputs={**rows.inputs, modality: moved(own, order)})
        if modality in rows.z:
            changed = changed._replace(
                z={**rows.z, modality: permuted(rows.z[modality], own, order)}
            )
        if modality in rows.observed:
            seen = permuted(rows.observed[modality], own, order)
            changed = changed._replace(observed={**rows.observed, modality: seen})
        return _c(predict, member, data._replace(rows=changed))

    n = unprojected.shape[0]
    cells = n * (n + sum(a.shape[1] for part in (rows.inputs, rows.z) for a in part.values()))
    side_by_side = min(len(columns), max(1, CELLS // cells))

    def drops(member: Terms) -> Array:
        return lax.map(
            lambda own: _drop(partial(c, member, own), orders), columns, batch_size=side_by_side
        )

    return lax.map(drops, terms)


@partial(jax.jit, static_argnames=("predict", "modality"))
def _table_drops(
    predict: Predict, modality: str, terms: Terms, data: Outcomes, orders: Array
) -> Array:
    def c(member: Terms, order: Array) -> Array:
        return _c(predict, member, data.table(modality, lambda a: a[order]))

    return lax.map(lambda member: _drop(partial(c, member), orders), terms)


def withheld(model: FittedModel, data: Outcomes, *, seed: int) -> pd.DataFrame:
    """C of the ensemble with and without each modality, and the difference over patients.

    Args:
        model: fitted model.
        data: patients as the members read them, with outcomes.
        seed: seed of the bootstrap.

    Returns:
        One row per modality: ``c``, ``c_without``, ``c_lost``, ``c_lost_lower``, ``c_lost_upper``.

    Raises:
        InputError: no comparable pair.
    """
    full = model.log_hazard_of(data.rows)
    outcome = [a for a in (data.event, data.time, data.strata) if a is not None]
    key, rows = jax.random.key(seed), {}
    c = float(_c_of(full, *outcome))
    for m in data.rows.inputs:
        risk = model.log_hazard_of(data.table(m, lambda a: 0 * np.asarray(a)).rows)
        without = float(_c_of(risk, *outcome))
        lost = bootstrap(_c_lost, key, full, risk, *outcome)
        rows[m] = {
            "c": c,
            "c_without": without,
            "c_lost": c - without,
            "c_lost_lower": float(lost.lower),
            "c_lost_upper": float(lost.upper),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _c_of(risk: ArrayLike, event: ArrayLike, time: ArrayLike, *strata: ArrayLike) -> Array:
    return concordance_index(risk, event, time, strata=strata[0] if strata else None).index


def _c_lost(risk: Array, without: Array, *outcome: Array) -> Array:
    return _c_of(risk, *outcome) - _c_of(without, *outcome)
