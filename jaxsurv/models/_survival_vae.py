"""The multimodal VAE with a Cox head, as an objective: the MO-RiskVAE family, with MyeVAE as a member."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxsurv.latent import exponential_temperature
from jaxsurv.models.backbone import evaluate, forward, initialise
from jaxsurv.models.batch import Batch
from jaxsurv.models.config import HParams, SurvivalVAEConfig, unread
from jaxsurv.models.heads import head_of, judged
from jaxsurv.models.registry import Model, register
from jaxsurv.models.terms import terms, weights
from jaxsurv.types import Array, Key, Objective, Params

ANNEALED = 0.1  # share of the most epochs over which the temperature falls


def survival_vae(config: SurvivalVAEConfig = SurvivalVAEConfig()) -> Objective:
    """The objective of the family::

        L = sum_m MSE_m + beta KL(q(z_c|x) || N(0, I))                   regulariser "kl"
                        + mmd_weight MMD²(q(z_c), N(0, I))               "mmd", "mmd_hsic"
                        + hsic_weight HSIC(residuals, x)                 "mmd_hsic"
                        + categorical_weight KL(q(z_d|x) || uniform)     categories > 0
                        + survival_weight Cox

    ``MSE_m`` is the mean over features and the rows that have modality m; ``KL`` and ``Cox`` follow
    ``config.reduction``. With n training rows of which d have events and Cox weight lambda, beta here is
    ``w_KL = beta d / (lambda n)`` in the released sums, whose reconstruction error then weighs
    ``lambda / d`` times as much as here. z is drawn in training; the risk head and evaluation read mu
    and the class probabilities. Early stopping watches the Cox loss of the validation rows; another
    ``config.head`` puts its negative log likelihood, per event, in the place of Cox. The
    temperature goes from ``hparams.temperature`` to ``hparams.temperature_end`` over the first tenth of
    the epochs that a run may take, 30 of 300: early stopping ends most runs before the half.
    """

    def loss(params: Params, batch: Batch, key: Key, hparams: HParams):
        out = forward(config, params, batch, jax.random.split(key, 6), hparams)
        values = terms(config, batch, out)
        weight = weights(config, hparams)
        if config.balanced:
            for name in ("reconstruction", config.head):
                weight[name] = weight[name] / jnp.maximum(lax.stop_gradient(values[name]), 1e-3)
        total = sum(weight[name] * value for name, value in values.items())
        return total, {"loss": total, **values}

    def parameters(params: Params, batch: Batch) -> Array:
        return evaluate(config, params, batch)[0]

    def init(key: Key, batch: Batch) -> Params:
        return initialise(config, key, batch)

    def anneal(hparams: HParams, progress: Array) -> HParams:
        temperature = exponential_temperature(
            hparams.temperature, hparams.temperature_end, ANNEALED
        )
        return hparams._replace(temperature=temperature(progress))

    evaluation = judged(head_of(config), parameters)
    objective = Objective(init=init, loss=loss, unread=unread(config), **evaluation)
    return objective._replace(anneal=anneal) if config.categories else objective


def latents(config: SurvivalVAEConfig) -> Callable[..., dict[str, Array]]:
    """Latents of all rows in evaluation mode, for :func:`jaxsurv.training.sweep` to collect.

    Args:
        config: configuration of the model.

    Returns:
        ``(params, batch, masks) -> {"mu": [n, z], "pi": [n, K]}``, pi (class probabilities) if the
        latent is hybrid.
    """

    def collect(params: Params, batch: Batch, masks: Any = None) -> dict[str, Array]:
        posterior = evaluate(config, params, batch)[1]
        if posterior.logits is None:
            return {"mu": posterior.mu}
        return {"mu": posterior.mu, "pi": jax.nn.softmax(posterior.logits)}

    return collect


SURVIVAL_VAE_MODEL = register(
    # the clinical block enters a stack by the offset and by members of its own
    Model(
        "SurvivalVAE", survival_vae, HParams(), SurvivalVAEConfig(head_reads_clinical=False),
        latent=latents,
    )
)  # fmt: skip
