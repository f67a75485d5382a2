"""The multimodal VAE with a Cox head: the backbone that MyeVAE and the MO-RiskVAE family share.

encoders -> concatenation -> mu, logvar -> z -> joint decoder -> one decoder per modality
                              mu, clinical -> risk head -> log hazard (+ offset)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp

from jaxsurv.divergences import kl_standard_normal
from jaxsurv.latent import sample_gaussian
from jaxsurv.models.batch import Batch
from jaxsurv.nets import MLP, GaussianEncoder, MultimodalDecoder
from jaxsurv.survival import neg_log_partial_likelihood
from jaxsurv.types import Array, InputError, Key, Objective, Params


class HParams(NamedTuple):
    """Traced scalars: each may be a sweep axis without recompiling.

    Attributes:
        beta: weight of the KL term.
        survival_weight: weight of the Cox term (the paper's lambda_surv).
        learning_rate: Adam's.
        dropout: rate in every dropped-out layer, in [0, 1).
    """

    beta: Array | float = 1.0
    survival_weight: Array | float = 1.0
    learning_rate: Array | float = 1e-3
    dropout: Array | float = 0.1


def default_widths(features: int) -> tuple[int, ...]:
    """Encoder widths of the family for a modality of so many features (or components)."""
    return (32, 16) if features > 64 else (32,)


@dataclass(frozen=True)
class SurvivalVAEConfig:
    """Static choices; the defaults are the MO-RiskVAE family's, ``MyeVAE`` overrides them.

    Attributes:
        widths: encoder widths per modality, or a function from the number of features to widths.
        latent: latent dimensions.
        head: widths of the risk network.
        zero_head: start the risk network as the zero function. A random head is noise that early
            stopping on a few dozen events cannot remove.
        head_reads_clinical: the risk network reads ``[mu, clinical]``; False: mu alone, for when the
            clinical block enters through ``batch.offset``.
        bounded: tanh throughout the risk network, so that risk is in (-1, 1), and activation and
            dropout after the last layer of every network, as MyeVAE was released.
        missing: ``"mask"``: an absent modality encodes to zero and has no reconstruction loss;
            ``"impute"``: its imputed values count as observed.
        reduction: ``"mean"``: KL as the batch mean and Cox per event, so that beta means the same at
            every cohort size; ``"sum"``: both as sums over the batch, as MyeVAE was released.
    """

    widths: Mapping[str, tuple[int, ...]] | Callable[[int], tuple[int, ...]] = default_widths
    latent: int = 32
    head: tuple[int, ...] = (1,)
    zero_head: bool = True
    head_reads_clinical: bool = True
    bounded: bool = False
    missing: Literal["mask", "impute"] = "mask"
    reduction: Literal["mean", "sum"] = "mean"

    def __post_init__(self) -> None:
        if self.latent < 1:
            raise InputError(f"latent must be at least 1, got {self.latent}")
        if not self.head or self.head[-1] != 1:
            raise InputError(f"head must end in one output, got {self.head}")
        for field, known in (("missing", ("mask", "impute")), ("reduction", ("mean", "sum"))):
            if getattr(self, field) not in known:
                raise InputError(f"{field} must be one of {known}, got {getattr(self, field)!r}")


class _Networks(NamedTuple):
    encoder: GaussianEncoder
    decoder: MultimodalDecoder
    head: MLP


def _networks(config: SurvivalVAEConfig, batch: Batch) -> _Networks:
    # in alphabetical order, as pytrees have it: the order of a dict does not survive jit
    sizes = {m: batch.inputs[m].shape[1] for m in sorted(batch.inputs)}
    given = config.widths
    if isinstance(given, Mapping) and set(given) != set(sizes):
        raise InputError(f"widths are for {sorted(given)}, the data have {list(sizes)}")
    widths = {m: given[m] if isinstance(given, Mapping) else given(d) for m, d in sizes.items()}
    activation = {"activation": jax.nn.tanh} if config.bounded else {}
    return _Networks(
        GaussianEncoder(widths, config.latent, final=config.bounded),
        MultimodalDecoder(widths, sizes, final=config.bounded),
        MLP(config.head, final=config.bounded, zero=config.zero_head, **activation),
    )


class _Forward(NamedTuple):
    log_hazard: Array
    mu: Array
    logvar: Array
    reconstructions: dict[str, Array]


def _presence(config: SurvivalVAEConfig, batch: Batch) -> dict[str, Array]:
    if config.missing == "impute":
        return jax.tree.map(jnp.ones_like, batch.presence)
    return batch.presence


def _risk(
    config: SurvivalVAEConfig, nets: _Networks, params: Params, batch: Batch, mu, *args, **kwargs
):
    read = jnp.concatenate([mu, batch.clinical], axis=-1) if config.head_reads_clinical else mu
    risk: Any = nets.head.apply(params["head"], read, *args, **kwargs)
    return risk[:, 0] + batch.offset


def _reconstruction_errors(presence, where, inputs, reconstructions) -> dict[str, Array]:
    """Per modality, the mean squared error over its features and the rows that have it."""
    errors = {}
    for name, x in inputs.items():
        rows = presence[name] * where
        per_row = jnp.mean((reconstructions[name] - x) ** 2, axis=-1)
        errors[name] = jnp.sum(rows * per_row) / jnp.maximum(jnp.sum(rows), 1.0)
    return errors


def survival_vae(config: SurvivalVAEConfig = SurvivalVAEConfig()) -> Objective:
    """The objective ``L = sum_m MSE_m + beta KL + survival_weight Cox`` of the family.

    ``MSE_m`` is the mean over features and the rows that have modality m; ``KL`` and ``Cox`` follow
    ``config.reduction``. With n training rows of which d have events and Cox weight lambda, beta here is
    ``w_KL = beta d / (lambda n)`` in the released sums, whose reconstruction error then weighs
    ``lambda / d`` times as much as here. z is drawn in training; the
    risk head and evaluation read mu. Early stopping watches the Cox loss of the validation rows.
    """

    def init(key: Key, batch: Batch) -> Params:
        nets = _networks(config, batch)
        k_encoder, k_decoder, k_head = jax.random.split(key, 3)
        row = jax.tree.map(lambda x: x[:1], (batch.inputs, batch.presence, batch.clinical))
        encoder = nets.encoder.init(k_encoder, row[0], row[1])
        mu = jnp.zeros((1, config.latent))
        read = jnp.concatenate([mu, row[2]], axis=-1) if config.head_reads_clinical else mu
        return {
            "encoder": encoder,
            "decoder": nets.decoder.init(k_decoder, mu),
            "head": nets.head.init(k_head, read),
        }

    def forward(params: Params, batch: Batch, key: Key, dropout: Any) -> _Forward:
        nets = _networks(config, batch)
        keys = jax.random.split(key, 4)
        rng = [{"dropout": k} for k in keys]
        mu, logvar = nets.encoder.apply(
            params["encoder"], batch.inputs, _presence(config, batch), dropout, rngs=rng[0]
        )
        z = sample_gaussian(keys[1], mu, logvar)
        reconstructions = nets.decoder.apply(params["decoder"], z, dropout, rngs=rng[2])
        log_hazard = _risk(config, nets, params, batch, mu, dropout, rngs=rng[3])
        return _Forward(log_hazard, mu, logvar, reconstructions)

    def loss(params: Params, batch: Batch, key: Key, hparams: HParams):
        out = forward(params, batch, key, hparams.dropout)
        where = batch.where.astype(out.mu.dtype)
        errors = _reconstruction_errors(
            _presence(config, batch), where, batch.inputs, out.reconstructions
        )
        kl = jnp.sum(where * kl_standard_normal(out.mu, out.logvar))
        if config.reduction == "mean":
            kl = kl / jnp.maximum(jnp.sum(where), 1.0)
        cox = neg_log_partial_likelihood(
            out.log_hazard, risk_sets=batch.risk_sets, reduction=config.reduction
        )
        reconstruction = sum(errors.values())
        total = reconstruction + hparams.beta * kl + hparams.survival_weight * cox
        return total, {"loss": total, "reconstruction": reconstruction, "kl": kl, "cox": cox}

    def predict(params: Params, batch: Batch) -> Array:
        nets = _networks(config, batch)
        mu, _ = nets.encoder.apply(params["encoder"], batch.inputs, _presence(config, batch))
        return _risk(config, nets, params, batch, mu)

    def score(params: Params, batch: Batch) -> Array:
        return neg_log_partial_likelihood(predict(params, batch), risk_sets=batch.risk_sets)

    return Objective(init, loss, predict, score)
