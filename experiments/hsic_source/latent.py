"""The survival VAE whose latent means are to be independent of the cohort."""

import jax
import jax.numpy as jnp
from jax import lax

from jaxsurv.divergences import hsic
from jaxsurv.models import Batch, HParams, SurvivalVAEConfig, survival_vae
from jaxsurv.models.backbone import forward
from jaxsurv.models.registry import Model
from jaxsurv.types import Array, Key, Objective, Params


def independent_latent(config: SurvivalVAEConfig) -> Objective:
    """The survival VAE with ``hsic_weight HSIC(mu, source)`` added to its loss.

    ``hsic="source"`` of :class:`jaxsurv.models.SurvivalVAEConfig` is of martingale residuals; this is of the
    means of the latent. Either side's bandwidth is its root mean square distance between patients.

    Args:
        config: static choices, whose regulariser has no HSIC of its own.
    """
    base = survival_vae(config)

    def loss(params: Params, batch: Batch, key: Key, hparams: HParams):
        total, values = base.loss(params, batch, key, hparams)
        out = forward(config, params, batch, jax.random.split(key, 6), hparams)
        pair = out.posterior.mu, batch.source
        widths = [_root_mean_square_distance(x, batch.where) for x in pair]
        value = hsic(*pair, bandwidth_x=widths[0], bandwidth_y=widths[1], where=batch.where)
        total = total + hparams.hsic_weight * value
        return total, {**values, "loss": total, "hsic": value}

    unread = tuple(name for name in base.unread if name != "hsic_weight")
    return base._replace(loss=loss, unread=unread)


def _root_mean_square_distance(x: Array, where: Array) -> Array:
    """Between two of the rows ``where``; a constant for derivatives."""
    x, here = lax.stop_gradient(x), where[:, None]
    mean = jnp.mean(x, axis=0, where=here, keepdims=True)
    variance = jnp.mean((x - mean) ** 2, axis=0, where=here)
    return jnp.sqrt(2 * jnp.sum(variance) + 1e-12)  # of latents that are equal, too


INDEPENDENT_LATENT = Model(
    "SurvivalVAE, HSIC of its latent",
    independent_latent,
    HParams(),
    SurvivalVAEConfig(head_reads_clinical=False, regulariser="mmd"),
)
