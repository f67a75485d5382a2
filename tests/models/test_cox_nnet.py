"""Cox-nnet against its published cost, written out patient by patient."""

import math

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.models import CoxNnetHParams, cox_nnet, nesterov
from tests.models.test_protocol import SIZES, N, in_double, make_batch


def weights(params):
    hidden, output = params["params"]["hidden"], params["params"]["output"]
    return hidden["kernel"], hidden["bias"], output["kernel"]


def some_params(batch):
    params = cox_nnet().init(jax.random.key(0), batch)
    return jax.tree.map(lambda w: w + 0.1, params)


def test_size_and_start():
    W, b, v = weights(cox_nnet().init(jax.random.key(0), make_batch()))
    p = sum(SIZES.values()) + 3
    assert W.shape == (p, math.ceil(math.sqrt(p)))
    limit = math.sqrt(6 / sum(W.shape))
    assert limit * 0.9 < np.abs(W).max() <= limit
    assert not np.any(b)
    assert not np.any(v)


def test_cost_is_the_published_formula(x64):
    batch = in_double(make_batch())._replace(offset=jnp.zeros(N))
    params = some_params(batch)
    W, b, v = map(np.asarray, weights(params))
    absent = {m: batch.presence[m][:, None] for m in SIZES}
    x = [np.asarray(batch.inputs[m] * absent[m]) for m in sorted(SIZES)]
    theta = (np.tanh(np.concatenate([*x, batch.clinical], axis=1) @ W + b) @ v)[:, 0]
    event, time = map(np.asarray, batch.outcome[:2])
    likelihood = [
        event[i] * (theta[i] - np.log(np.exp(theta[time >= time[i]]).sum())) for i in range(N)
    ]
    cost = -np.mean(likelihood) + 0.3 * ((W**2).sum() + (v**2).sum())
    ours, _ = cox_nnet().loss(params, batch, jax.random.key(0), CoxNnetHParams(l2=0.3))
    np.testing.assert_allclose(ours, cost, rtol=1e-12)


def test_nesterov_looks_ahead():
    optimizer = nesterov(CoxNnetHParams(learning_rate=0.1, momentum=0.5))
    state = optimizer.init(0.0)
    first, state = optimizer.update(1.0, state)
    second, _ = optimizer.update(1.0, state)
    np.testing.assert_allclose([first, second], [-0.1 * 1.5, -0.1 * (1 + 0.5 * 1.5)], rtol=1e-6)
