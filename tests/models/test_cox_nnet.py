"""Cox-nnet against its published cost, written out patient by patient."""

import math

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.cli.cohorts import only
from jaxsurv.data import load_tcga_acc, stratified_kfold
from jaxsurv.models import CoxNnetHParams, cox_nnet, nesterov
from jaxsurv.recipe import AS_MEASURED, prepare
from jaxsurv.training import FitConfig, Plan, sweep
from tests.models.patients import SIZES, N, in_double, make_batch


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


def test_the_penalty_has_an_interior_optimum_on_a_cohort():
    """Cox loss of rows held out, TCGA-ACC's RNA, without early stopping to hide what is too small."""
    cohort = only(load_tcga_acc(), ["rna"])
    splits = stratified_kfold(cohort.outcome("os").event, folds=3)
    data = prepare(cohort, "os", splits, AS_MEASURED)
    grid = (-6.0, -3.0, -1.0, 1.6)
    result = sweep(
        cox_nnet(), data.build, data.shared, data.fitted, seeds=[0], optimizer=nesterov,
        hparams=[CoxNnetHParams(math.exp(x)) for x in grid],
        config=FitConfig(100, early_stopping=False), plan=Plan(1, 6, 1),
    )  # fmt: skip
    loss = result.best_score.reshape(-1, len(grid)).mean(axis=0)
    assert loss.argmin() == 2
    assert min(loss[0], loss[3]) > loss[2] + 0.1
