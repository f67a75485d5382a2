"""A Weibull network: a model of somebody else's, with a criterion and curves of its own."""

from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp

from jaxsurv.models import Model, features, register
from jaxsurv.nets import MLP
from jaxsurv.survival import weibull_loss, weibull_survival
from jaxsurv.types import Objective


class WeibullHParams(NamedTuple):
    dropout: float = 0.1
    learning_rate: float = 1e-2


@dataclass(frozen=True)
class WeibullConfig:
    """Width of the network, and the unit in which times are measured."""

    width: int = 16
    unit: float = 365.0


def weibull(config=WeibullConfig()):
    """Weibull regression by a network: ``S(t | x) = exp(-(t / unit)^k e^eta(x))``."""
    net = MLP((config.width, 1), zero=True)

    def init(key, batch):
        return {"net": net.init(key, features(batch)[:1]), "log_shape": jnp.zeros(())}

    def log_hazard(params, batch, *dropout, **rngs):
        return net.apply(params["net"], features(batch), *dropout, **rngs)[:, 0] + batch.offset

    def distribution(params, eta):
        log_scale = -eta * jnp.exp(-params["log_shape"])
        return jnp.stack([log_scale, jnp.full_like(eta, params["log_shape"])], 1)

    def loss_of(params, eta, batch):
        event, time = batch.outcome.event, jnp.maximum(batch.outcome.time / config.unit, 1e-3)
        columns = {"where": batch.with_outcome, "reduction": "sum"}
        total = weibull_loss(distribution(params, eta), event, time, **columns)
        return total / jnp.maximum(jnp.sum(jnp.where(batch.with_outcome, event, 0)), 1)

    def loss(params, batch, key, hparams):
        eta = log_hazard(params, batch, hparams.dropout, rngs={"dropout": key})
        value = loss_of(params, eta, batch)
        return value, {"loss": value}

    def score(params, batch):
        return loss_of(params, log_hazard(params, batch), batch)

    def survival(params, batch, times):
        return weibull_survival(
            distribution(params, log_hazard(params, batch)), times / config.unit
        )

    return Objective(
        init, loss, log_hazard, score, criterion="Weibull likelihood", survival=survival
    )


WEIBULL = register(Model("Weibull", weibull, WeibullHParams(), WeibullConfig()))
