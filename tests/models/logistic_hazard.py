"""A discrete-time network: one logistic hazard per interval, with curves of its own."""

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.models import Model, features, register
from jaxsurv.nets import MLP
from jaxsurv.types import Objective


class LogisticHazardHParams(NamedTuple):
    dropout: float = 0.1
    learning_rate: float = 1e-2


@dataclass(frozen=True)
class LogisticHazardConfig:
    """Ends of the intervals, in the unit of the times, and the width of the network."""

    ends: tuple[float, ...] = (365.0, 730.0, 1095.0, 1825.0)
    width: int = 8


def logistic_hazard(config=LogisticHazardConfig()):
    """``P(event in interval j | alive at its start) = sigmoid(f_j(x))`` (Gensheimer & Narasimhan 2019)."""
    ends = np.array(config.ends, np.float32)
    net = MLP((config.width, len(ends)), zero=True)

    def init(key, batch):
        return net.init(key, features(batch)[:1])

    def logits(params, batch, *dropout, **rngs):
        return net.apply(params, features(batch), *dropout, **rngs) + batch.offset[:, None]

    def loss_of(logit, batch):
        time, event = batch.outcome.time[:, None], batch.outcome.event[:, None]
        start = np.concatenate([[0], ends[:-1]])[None]
        here = (time > start) & (time <= ends[None])
        survived = time > ends[None]  # censored in an interval: not counted in it
        each = here * event * jax.nn.log_sigmoid(logit) + survived * jax.nn.log_sigmoid(-logit)
        seen = batch.with_outcome
        events = jnp.sum(jnp.where(seen, batch.outcome.event, 0))
        return -jnp.sum(jnp.where(seen, jnp.sum(each, axis=1), 0)) / jnp.maximum(events, 1)

    def loss(params, batch, key, hparams):
        value = loss_of(logits(params, batch, hparams.dropout, rngs={"dropout": key}), batch)
        return value, {"loss": value}

    def cumulative(params, batch):
        return jnp.cumsum(-jax.nn.log_sigmoid(-logits(params, batch)), axis=1)

    def predict(params, batch):
        """Log of the hazard accumulated over all intervals: higher is worse."""
        return jnp.log(cumulative(params, batch)[:, -1])

    def score(params, batch):
        return loss_of(logits(params, batch), batch)

    def survival(params, batch, times):
        """A constant hazard within each interval; constant after the last."""
        hazard = jnp.pad(cumulative(params, batch), ((0, 0), (1, 0)))
        at = np.concatenate([[0], ends])
        return jnp.exp(-jax.vmap(lambda h: jnp.interp(times, at, h))(hazard))

    return Objective(
        init, loss, predict, score, criterion="discrete-time likelihood", survival=survival
    )


LOGISTIC_HAZARD = register(
    Model("LogisticHazard", logistic_hazard, LogisticHazardHParams(), LogisticHazardConfig())
)
