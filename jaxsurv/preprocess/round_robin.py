"""Round-robin imputation: every feature regressed on its nearest features, all at once, in rounds.

Multiple imputation calls this chained equations (van Buuren & Groothuis-Oudshoorn 2011). Here there are no
random draws, and the features of a round are updated together instead of one after the other, so that
a round is one batch of small ridge and logistic regressions.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from jaxsurv.preprocess.scale import Features, Scaler, transform, two_valued
from jaxsurv.types import Array

ROUNDS = 5
NEIGHBOURS = 20
RIDGE = 50.0  # penalty on standardised predictors, in patients
SHRINK = 10.0  # number of patients in common at which a correlation counts half
_BATCH = 16  # features whose regressions are made together: larger is slower on a CPU


class RoundRobin(NamedTuple):
    """A fitted chain of regressions.

    Attributes:
        scaler: scaler of all features; the regressions are between z-scores.
        indicator: ``[d]`` booleans, features with a logistic regression.
        discrete: ``[d]`` booleans, features whose imputed values are whole numbers.
        least, most: ``[d]``, the range of the training values, as z-scores.
        neighbours: ``[d, k]``, the features that each is regressed on.
        coef: ``[rounds, d, k + 1]``, the intercept last.
    """

    scaler: Scaler
    indicator: Array
    discrete: Array
    least: Array
    most: Array
    neighbours: Array
    coef: Array


def nearest(z: Array, known: Array, where: Array, k: int) -> Array:
    """Find the k features ``[d, k]`` that predict each feature best in the rows where it is missing.

    The criterion is |correlation| over the rows in ``where`` that have both features, shrunk towards 0 if
    these are few, times the share of the rows without the feature that have the other feature. So a gene
    from a table that the patient lacks as a whole does not count.
    """
    seen = (known & where[:, None]).astype(z.dtype)
    z = z * seen
    both = seen.T @ seen
    count = jnp.diagonal(both)
    missing = (jnp.sum(where) - count)[:, None]
    share = jnp.where(missing > 0, (count[None, :] - both) / jnp.maximum(missing, 1), 1)
    score = jnp.abs(z.T @ z) / (both + SHRINK) * share
    itself = jnp.eye(len(count), dtype=bool)
    return lax.top_k(jnp.where(itself, -1, score), k)[1]


def _predictors(model: RoundRobin, values: Array, j: Array) -> Array:
    """Predictors ``[k + 1, n]`` of feature j from the z-scores ``values [d, n]`` of all features."""
    return jnp.concatenate([values[model.neighbours[j]], jnp.ones_like(values[:1])])


def _value(model: RoundRobin, score: Array, j: Array) -> Array:
    """Z-scores ``[n]`` of feature j from its linear predictor."""
    center, gain = model.scaler.center[j], model.scaler.gain[j]
    value = jnp.where(model.indicator[j], (jax.nn.sigmoid(score) - center) * gain, score)
    return jnp.clip(value, model.least[j], model.most[j])


def fit_round_robin(
    features: Features,
    scaler: Scaler,
    where: Array,
    *,
    rounds: int = ROUNDS,
    neighbours: int = NEIGHBOURS,
) -> RoundRobin:
    """Fit a chain on the rows in ``where`` ``[n]``.

    Missing values start at the means. In every round each feature is regressed on its `nearest`
    features, over the rows that have it, with missing predictors as imputed in the round before. The
    regression is ridge, or ridge-penalised logistic for a two-valued feature (one Newton step per round,
    from the coefficients of the round before). Imputed values stay in the range of the training values.
    Features with gain 0 are neither used nor imputed.

    Args:
        features: features with ``x [n, d]``, NaN where missing; ``order`` is not read.
        scaler: scaler fitted on the same rows.
        where: ``[n]`` booleans, training rows.
        rounds: number of rounds.
        neighbours: number k of predictors per feature; at most d - 1 are used.
    """
    features, scaler, where = jax.tree.map(jnp.asarray, (features, scaler, where))
    d = features.x.shape[1]
    k = min(neighbours, d - 1)
    known = jnp.isfinite(features.x)
    z = transform(scaler, features.x)
    usable = known & where[:, None]
    binary = two_valued(features.x, where)
    indicator = binary & (scaler.gain > 0)
    least = jnp.min(jnp.where(usable, z, jnp.inf), axis=0)
    most = jnp.max(jnp.where(usable, z, -jnp.inf), axis=0)
    model = RoundRobin(
        scaler,
        indicator=indicator,
        discrete=binary | ~features.measured,
        least=jnp.where(least <= most, least, 0),
        most=jnp.where(least <= most, most, 0),
        neighbours=nearest(z, known, where, k),
        coef=jnp.zeros((d, k + 1), z.dtype),
    )
    penalty = jnp.diag(jnp.full(k + 1, RIDGE, z.dtype).at[-1].set(1e-3))
    unit, center = jnp.where(indicator, scaler.gain, 1), jnp.where(indicator, scaler.center, 0)
    target = z / unit[None] + center[None]  # 0 and 1 for a logistic regression

    def regress(values: Array, coef: Array, j: Array) -> tuple[Array, Array]:
        x = _predictors(model, values, j)
        score = coef[j] @ x
        p = jax.nn.sigmoid(score)
        mean = jnp.where(indicator[j], p, score)
        row = usable[:, j].astype(z.dtype)
        weight = row * jnp.where(indicator[j], p * (1 - p), 1)
        # an observation weighs at most 1/4 in a logistic regression
        ridge = penalty * jnp.where(indicator[j], 0.25, 1)
        hessian = (x * weight[None, :]) @ x.T + ridge
        slope = x @ (weight * score + row * (target[:, j] - mean))
        new = jax.scipy.linalg.solve(hessian, slope, assume_a="pos")
        return new, _value(model, new @ x, j)

    def one_round(carry: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], Array]:
        coef, value = lax.map(partial(regress, *carry), jnp.arange(d), batch_size=_BATCH)
        return (jnp.where(known.T, z.T, value), coef), coef

    with jax.default_matmul_precision("highest"):
        _, coef = lax.scan(one_round, (z.T, model.coef), length=rounds)
    return model._replace(coef=coef)


def impute_round_robin(model: RoundRobin, x: Array) -> Array:
    """Fill missing values in ``x [n, d]`` by the fitted chain ``model``, in the units of x.

    Inside the chain an imputed two-valued feature is a probability, and a five-state feature an expected
    state, which tell the next regression more. Returned values are rounded to a state. A feature with
    gain 0 stays NaN.
    """
    model, x = jax.tree.map(jnp.asarray, (model, x))
    known, z = jnp.isfinite(x), transform(model.scaler, x)

    def one_round(values: Array, coef: Array) -> tuple[Array, None]:
        def of_one(j: Array) -> Array:
            return _value(model, coef[j] @ _predictors(model, values, j), j)

        value = lax.map(of_one, jnp.arange(x.shape[1]), batch_size=_BATCH)
        return jnp.where(known.T, z.T, value), None

    with jax.default_matmul_precision("highest"):
        values, _ = lax.scan(one_round, z.T, model.coef)
    gain = model.scaler.gain[None, :]
    value = values.T / jnp.where(gain > 0, gain, jnp.nan) + model.scaler.center[None, :]
    value = jnp.where(model.discrete[None, :], jnp.round(value), value)
    return jnp.where(known, x, value)
