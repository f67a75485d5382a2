"""Cox-nnet (Ching, Zhu & Garmire, PLoS Computational Biology 14, e1006076, 2018): one hidden layer.

The baseline of Cox-MT, and the size of network that many papers mean by a deep Cox model.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxsurv.models.batch import Batch, features
from jaxsurv.models.registry import Model, register
from jaxsurv.nets import CoxNnetwork
from jaxsurv.survival import neg_log_partial_likelihood
from jaxsurv.types import Array, Key, Objective, Params

# log lambda -7 to 1. Published: -3 to 1.6, profiled by the likelihood of held-out rows, at a few hundred
# patients. L is a mean over rows, and so its best lambda falls as rows come.
PENALTIES = tuple(math.exp(k) for k in (-7, -5, -3, -1, 1))


class CoxNnetHParams(NamedTuple):
    """Traced scalars.

    Attributes:
        l2: lambda, the weight of the sum of squared weights. Estimators that are given no hyper-parameters
            choose it from PENALTIES by early-stopping losses; no single value does at every number of rows.
        learning_rate, momentum: parameters of Nesterov's accelerated gradient.
    """

    l2: Array | float = math.exp(-1.0)
    learning_rate: Array | float = 0.01
    momentum: Array | float = 0.9


def nesterov(hparams: CoxNnetHParams) -> optax.GradientTransformation:
    """The published optimiser, full batch; reads ``hparams.learning_rate`` and ``hparams.momentum``."""
    return optax.sgd(hparams.learning_rate, hparams.momentum, nesterov=True)  # type: ignore[arg-type]


def cox_nnet(config: None = None) -> Objective:
    """The objective of Cox-nnet::

        L = (1/n) sum_i event_i [log sum_{j: t_j >= t_i} exp(eta_j) - eta_i] + l2 (|W|² + |v|²)

    Breslow ties; the mean is over all labelled rows, so that ``l2`` means what it means in the paper;
    biases are not penalised. The network reads all modalities, absent ones as zeros, and the clinical block.
    ``batch.offset`` is added to its output. Early stopping watches the Cox loss per event.

    Args:
        config: None; there are no static choices.
    """
    net = CoxNnetwork()

    def init(key: Key, batch: Batch) -> Params:
        return net.init(key, features(batch)[:1])

    def predict(params: Params, batch: Batch) -> Array:
        out: Array = net.apply(params, features(batch))  # type: ignore[assignment]
        return out + batch.offset

    def loss(params: Params, batch: Batch, key: Key, hparams: CoxNnetHParams):
        eta = predict(params, batch)
        sets = batch.risk_sets
        total = neg_log_partial_likelihood(eta, risk_sets=sets, ties="breslow", reduction="sum")
        cox = total / jnp.maximum(jnp.sum(batch.with_outcome), 1)
        squares = sum(jnp.sum(w**2) for w in jax.tree.leaves(params) if w.ndim == 2)
        value = cox + hparams.l2 * squares
        return value, {"loss": value, "cox": cox, "squared_weights": squares}

    def score(params: Params, batch: Batch) -> Array:
        return neg_log_partial_likelihood(predict(params, batch), risk_sets=batch.risk_sets)

    return Objective(init, loss, predict, score, criterion="cox")


COX_NNET_MODEL = register(
    Model("CoxNnet", cox_nnet, CoxNnetHParams(), optimizer=nesterov, profile=("l2", PENALTIES))
)
