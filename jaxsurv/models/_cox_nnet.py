"""Cox-nnet (Ching, Zhu & Garmire, PLoS Computational Biology 14, e1006076, 2018): one hidden layer.

The baseline of Cox-MT, and the size of network that many papers mean by a deep Cox model.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxsurv.models.batch import Batch, features
from jaxsurv.models.heads import HeadConfig, head_of, judged, marginal_of, with_marginal
from jaxsurv.models.registry import Model, register
from jaxsurv.nets import CoxNnetwork
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


@dataclass(frozen=True)
class CoxNnetConfig(HeadConfig):
    """Static choices: those of the outcome head."""


def nesterov(hparams: CoxNnetHParams) -> optax.GradientTransformation:
    """The published optimiser, full batch; reads ``hparams.learning_rate`` and ``hparams.momentum``."""
    return optax.sgd(hparams.learning_rate, hparams.momentum, nesterov=True)  # type: ignore[arg-type]


def cox_nnet(config: CoxNnetConfig | None = None) -> Objective:
    """The objective of Cox-nnet::

        L = (1/n) sum_i event_i [log sum_{j: t_j >= t_i} exp(eta_j) - eta_i] + l2 (|W|² + |v|²)

    Breslow ties; the mean is over all labelled rows, so that ``l2`` means what it means in the paper;
    biases are not penalised. The network reads all modalities, absent ones as zeros, and the clinical block.
    ``batch.offset`` is added to its output. Early stopping watches the Cox loss per event. Another
    ``config.head`` puts its negative log likelihood in the place of the Cox loss.

    Args:
        config: static choices; None = the defaults.
    """
    config = config or CoxNnetConfig()
    head = head_of(config)
    net = CoxNnetwork(head.outputs, head.constant)

    def init(key: Key, batch: Batch) -> Params:
        return with_marginal(head, net.init(key, features(batch)[:1]), batch)

    def parameters(params: Params, batch: Batch) -> Array:
        out: Array = net.apply(params, features(batch))  # type: ignore[assignment]
        return head.parameters(out, marginal_of(params), batch.offset)

    def loss(params: Params, batch: Batch, key: Key, hparams: CoxNnetHParams):
        eta, marginal = parameters(params, batch), marginal_of(params)
        total = head.loss(eta, marginal, batch, ties="breslow", reduction="sum")
        cox = total / jnp.maximum(jnp.sum(batch.with_outcome), 1)
        squares = sum(jnp.sum(w**2) for w in jax.tree.leaves(params) if w.ndim == 2)
        value = cox + hparams.l2 * squares
        return value, {"loss": value, config.head: cox, "squared_weights": squares}

    return Objective(init=init, loss=loss, **judged(head, parameters))


COX_NNET_MODEL = register(
    Model(
        "CoxNnet",
        cox_nnet,
        CoxNnetHParams(),
        CoxNnetConfig(),
        optimizer=nesterov,
        profile=("l2", PENALTIES),
    )
)
