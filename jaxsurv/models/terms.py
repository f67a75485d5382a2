"""The terms of the family's loss: each says what it measures, and no more are computed than chosen."""

import math

import jax.numpy as jnp
from jax import lax

from jaxsurv.divergences import (
    categorical_kl,
    hsic,
    kl_standard_normal,
    mmd2_standard_normal,
)
from jaxsurv.models.backbone import Forward, presence
from jaxsurv.models.batch import Batch
from jaxsurv.models.config import HParams, SurvivalVAEConfig
from jaxsurv.models.heads import head_of
from jaxsurv.models.masked import mean_square
from jaxsurv.survival import martingale_residuals
from jaxsurv.types import Array, InputError


def terms(config: SurvivalVAEConfig, batch: Batch, out: Forward) -> dict[str, Array]:
    """The chosen terms, unweighted."""
    where = batch.where.astype(out.z.dtype)
    values = {"reconstruction": _reconstruction_error(config, batch, out, where)}

    def reduced(per_row: Array) -> Array:
        total = jnp.sum(where * per_row)
        return total / jnp.maximum(jnp.sum(where), 1.0) if config.reduction == "mean" else total

    if config.regulariser == "kl":
        values["kl"] = reduced(kl_standard_normal(out.posterior.mu, out.posterior.logvar))
    if config.regulariser in ("mmd", "mmd_hsic"):
        values["mmd"] = mmd_to_prior(config, out.z, batch.where)
    if config.regulariser == "mmd_hsic":
        values["hsic"] = residual_dependence(config, batch, out)
    if out.posterior.logits is not None:
        values["categorical_kl"] = reduced(categorical_kl(out.posterior.logits))
    values[config.head] = head_of(config).loss(
        out.parameters, out.marginal, batch, reduction=config.reduction
    )
    return values


def weights(config: SurvivalVAEConfig, hparams: HParams) -> dict[str, Array | float]:
    """The weight of each term."""
    return {
        "reconstruction": 1.0,
        "kl": hparams.beta,
        "mmd": hparams.mmd_weight,
        "hsic": hparams.hsic_weight,
        "categorical_kl": hparams.categorical_weight,
        config.head: hparams.survival_weight,
    }


def _reconstruction_error(
    config: SurvivalVAEConfig, batch: Batch, out: Forward, where: Array
) -> Array:
    """Summed over modalities, the mean squared error over the used features and the rows that have it."""
    errors, seen, masks = [], presence(config, batch), batch.feature_mask or {}
    for name, x in batch.inputs.items():
        rows = seen[name] * where
        per_row, _ = mean_square(out.reconstructions[name], x, masks.get(name))
        errors.append(jnp.sum(rows * per_row) / jnp.maximum(jnp.sum(rows), 1.0))
    return sum(errors[1:], errors[0])


def mmd_to_prior(config: SurvivalVAEConfig, z: Array, where: Array) -> Array:
    """MMD² of the aggregated posterior, by its draws z ``[n, d]``, to N(0, I) in closed form.

    The bandwidth, in the sense of :func:`jaxsurv.divergences.rbf_kernel`, is InfoVAE's
    ``d / sqrt(2)``, so that ``k(x, y) = exp(-|x - y|² / d²)`` (Zhao, Song & Ermon 2019).
    """
    bandwidth = z.shape[1] / math.sqrt(2)
    return mmd2_standard_normal(z, bandwidth=bandwidth, estimator=config.estimator, where=where)


def residual_dependence(config: SurvivalVAEConfig, batch: Batch, out: Forward) -> Array:
    """HSIC between what a model leaves unexplained and what it read (Greenfeld & Shalit 2020).

    What is left are martingale residuals, event minus expected events in the batch. What was read is
    ``config.hsic``: ``"martingale"``: the standardised inputs of the modalities that a patient has;
    ``"source"``: ``batch.source``.

    The residuals are differentiated in full, baseline included: they are the gradient of the Cox term,
    so that they sum to zero and do not see a constant added to all log hazards. With a constant
    baseline HSIC would have a gradient along that constant, which the Cox term leaves free to drift.

    The bandwidth of either side is its root mean square distance between patients, which is the
    median heuristic in O(n d). Papers that divide HSIC by (n - 1)² get n² / (n - 1)² times as much.
    """
    if config.hsic == "martingale":
        seen = presence(config, batch)
        x = jnp.concatenate(
            [seen[m][:, None] * batch.inputs[m] for m in sorted(batch.inputs)], axis=-1
        )
    elif (x := batch.source) is None:
        raise InputError(
            'hsic="source" needs batch.source, [n, sources] one-hot; it is None: give the cohort strata, a '
            "column stratum in the survival table"
        )
    residuals = martingale_residuals(out.log_hazard, risk_sets=batch.risk_sets)[:, None]
    return hsic(
        residuals,
        x,
        bandwidth_x=_typical_distance(residuals, batch.where),
        bandwidth_y=_typical_distance(x, batch.where),
        estimator=config.estimator,
        where=batch.where,
    )


def _typical_distance(x: Array, where: Array) -> Array:
    """Root mean square distance of two rows, a constant for derivatives; 1 if all rows are equal."""
    here = where[:, None]
    x = lax.stop_gradient(jnp.where(here, x, 0))
    mean = jnp.sum(x, axis=0, keepdims=True) / jnp.maximum(jnp.sum(here), 1)
    square = 2 * jnp.sum(jnp.where(here, (x - mean) ** 2, 0)) / jnp.maximum(jnp.sum(here), 1)
    return jnp.where(square > 0, jnp.sqrt(square), 1)
