"""A regression that is small enough to know by hand, as an objective for the training tests."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxsurv.types import Array, Objective


class Rows(NamedTuple):
    x: Array
    y: Array
    where: Array

    def restrict(self, where):
        return self._replace(where=self.where & where)

    def take(self, rows):
        return jax.tree.map(lambda a: a[rows], self)


class Rates(NamedTuple):
    learning_rate: Array | float = 0.05
    noise: Array | float = 0.0


def _error(params, rows):
    residual = rows.y - rows.x @ params
    return jnp.sum(rows.where * residual**2) / jnp.maximum(jnp.sum(rows.where), 1)


def _loss(params, rows, key, hparams):
    error = _error(params + hparams.noise * jax.random.normal(key, params.shape), rows)
    return error, {"error": error}


regression = Objective(
    init=lambda key, rows: jax.random.normal(key, rows.x.shape[1:]),
    loss=_loss,
    predict=lambda params, rows: rows.x @ params,
    score=_error,
)


def rows(n=24, p=3, seed=0):
    keys = jax.random.split(jax.random.key(seed), 3)
    x = jax.random.normal(keys[0], (n, p))
    y = x @ jax.random.normal(keys[1], (p,)) + 0.5 * jax.random.normal(keys[2], (n,))
    return Rows(x, y, jnp.ones(n, bool))
