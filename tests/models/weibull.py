"""A Weibull network: a model of somebody else's, with a criterion and curves of its own."""

from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp

from jaxsurv.models import Model, features, register
from jaxsurv.nets import MLP
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

    def loss_of(params, eta, batch):
        log_t = jnp.log(jnp.maximum(batch.outcome.time, 1e-3 * config.unit) / config.unit)
        shape = jnp.exp(params["log_shape"])
        happened = params["log_shape"] + (shape - 1) * log_t + eta
        each = batch.outcome.event * happened - jnp.exp(shape * log_t + eta)
        seen = batch.with_outcome
        events = jnp.sum(jnp.where(seen, batch.outcome.event, 0))
        return -jnp.sum(jnp.where(seen, each, 0)) / jnp.maximum(events, 1)

    def loss(params, batch, key, hparams):
        eta = log_hazard(params, batch, hparams.dropout, rngs={"dropout": key})
        value = loss_of(params, eta, batch)
        return value, {"loss": value}

    def score(params, batch):
        return loss_of(params, log_hazard(params, batch), batch)

    def survival(params, batch, times):
        hazard = jnp.exp(log_hazard(params, batch))[:, None]
        passed = (times / config.unit) ** jnp.exp(params["log_shape"])
        return jnp.exp(-hazard * passed[None])

    return Objective(
        init, loss, log_hazard, score, criterion="Weibull likelihood", survival=survival
    )


WEIBULL = register(Model("Weibull", weibull, WeibullHParams(), WeibullConfig()))
