"""The networks that MyeVAE and the MO-RiskVAE family share, in training and in evaluation.

    encoders -> concatenation -> mu, logvar -> z_c --+-> joint decoder -> one decoder per modality
                              -> logits -> z_d ------+
    mu, clinical -> risk head -> + sum_k pi_k gamma_k + offset = log hazard

The lower branch and gamma are there if the latent is hybrid. Outcome heads other than Cox's read several
outputs of the risk head, and the two other parts as offsets, see `jaxsurv.models.heads`.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxsurv.latent import gumbel_softmax, sample_gaussian
from jaxsurv.models.batch import Batch
from jaxsurv.models.config import HParams, SurvivalVAEConfig
from jaxsurv.models.heads import head_of, marginal_of, with_marginal
from jaxsurv.nets import MLP, MultimodalDecoder, MultimodalEncoder, Posterior
from jaxsurv.types import Array, InputError, Key, Params


class Networks(NamedTuple):
    """The modules, whose parameters are kept under the same names."""

    encoder: MultimodalEncoder
    decoder: MultimodalDecoder
    head: MLP


class Forward(NamedTuple):
    """One pass in training mode.

    Attributes:
        log_hazard: ``[n]``, offset included.
        parameters: parameters of the outcome head, ``[n]`` or ``[n, k]``.
        marginal: marginal of the outcome head.
        posterior: posterior of the latent variables.
        z: ``[n, z]``, drawn from its Gaussian part.
        reconstructions: ``{modality: [n, d_m]}``.
    """

    log_hazard: Array
    parameters: Array
    marginal: Any
    posterior: Posterior
    z: Array
    reconstructions: dict[str, Array]


def _identity(x: Array) -> Array:
    return x


def networks(config: SurvivalVAEConfig, batch: Batch) -> Networks:
    """The modules for data of these sizes."""
    # in alphabetical order, as pytrees have it: the order of a dict does not survive jit
    sizes = {m: batch.inputs[m].shape[1] for m in sorted(batch.inputs)}
    given = config.widths
    if isinstance(given, Mapping) and set(given) != set(sizes):
        raise InputError(f"widths are for {sorted(given)}, the data have {list(sizes)}")
    widths = {m: given[m] if isinstance(given, Mapping) else given(d) for m, d in sizes.items()}
    activation = {"activation": jax.nn.tanh} if config.bounded else {}
    head = (*config.head_widths[:-1], head_of(config).outputs)
    inner = {"activation": _identity} if config.linear else {}
    return Networks(
        MultimodalEncoder(widths, config.latent, config.categories, final=config.bounded, **inner),
        MultimodalDecoder(widths, sizes, final=config.bounded, **inner),
        MLP(head, final=config.bounded, zero=config.zero_head, **activation),
    )


def presence(config: SurvivalVAEConfig, batch: Batch) -> dict[str, Array]:
    """``{modality: [n]}``, 1 where the values count as observed."""
    if config.missing == "impute":
        return jax.tree.map(jnp.ones_like, batch.presence)
    return batch.presence


def initialise(config: SurvivalVAEConfig, key: Key, batch: Batch) -> Params:
    """Parameters; equal keys give parts of equal name and shape equal values, whatever the config."""
    nets = networks(config, batch)
    k_encoder, k_decoder, k_head = jax.random.split(key, 3)
    row = jax.tree.map(lambda x: x[:1], batch._replace(risk_sets=None))  # type: ignore[arg-type]
    encoder = nets.encoder.init(k_encoder, row.inputs, row.presence)
    mu, z = (jnp.zeros((1, config.latent + more)) for more in (0, config.categories))
    params = {
        "encoder": encoder,
        "decoder": nets.decoder.init(k_decoder, z),
        "head": nets.head.init(k_head, _head_input(config, row, mu)),
    }
    if config.categories:
        # no category has a risk of its own until the data say so, as behind the zero head
        params["gamma"] = jnp.zeros(config.categories)
    return with_marginal(head_of(config), params, batch)


def _head_input(config: SurvivalVAEConfig, batch: Batch, mu: Array) -> Array:
    read = [mu]
    if config.head_reads_clinical:
        read.append(batch.clinical)
    if config.head_reads_offset:
        read.append(batch.offset[:, None])
    return jnp.concatenate(read, axis=-1)


def _parameters(
    config: SurvivalVAEConfig,
    nets: Networks,
    params: Params,
    batch: Batch,
    posterior: Posterior,
    *args,
    **kwargs,
) -> Array:
    read = _head_input(config, batch, posterior.mu)
    risk: Any = nets.head.apply(params["head"], read, *args, **kwargs)
    offsets = [batch.offset]
    if posterior.logits is not None:
        offsets.append(jax.nn.softmax(posterior.logits) @ params["gamma"])
    return head_of(config).parameters(risk, marginal_of(params), *offsets)


def hide_modalities(key: Key, seen: dict[str, Array], rate: Any) -> dict[str, Array]:
    """Some of those that a patient has, but never all."""
    modalities, structure = jax.tree.flatten(seen)
    before = jnp.stack(modalities)
    after = before * jax.random.bernoulli(key, 1.0 - rate, before.shape)
    after = jnp.where(jnp.any(after > 0, axis=0, keepdims=True), after, before)
    return jax.tree.unflatten(structure, list(after))


def forward(
    config: SurvivalVAEConfig, params: Params, batch: Batch, keys: Key, hparams: HParams
) -> Forward:
    """Run in training mode: dropout, drawn latents; the risk still reads mu and the probabilities.

    ``keys`` are six: each source of noise has its own, so that a choice does not change the others.
    """
    nets, dropout = networks(config, batch), hparams.dropout
    rng = [{"dropout": k} for k in keys]
    seen = presence(config, batch)
    if config.modality_dropout:
        seen = hide_modalities(keys[4], seen, hparams.modality_dropout)
    posterior: Any = nets.encoder.apply(params["encoder"], batch.inputs, seen, dropout, rngs=rng[0])
    z = drawn = sample_gaussian(keys[1], posterior.mu, posterior.logvar)
    if config.categories:
        category = gumbel_softmax(keys[5], posterior.logits, hparams.temperature)
        drawn = jnp.concatenate([z, category], axis=-1)
    reconstructions: Any = nets.decoder.apply(params["decoder"], drawn, dropout, rngs=rng[2])
    parameters = _parameters(config, nets, params, batch, posterior, dropout, rngs=rng[3])
    marginal = marginal_of(params)
    log_hazard = head_of(config).log_hazard(parameters, marginal)
    return Forward(log_hazard, parameters, marginal, posterior, z, reconstructions)


def evaluate(config: SurvivalVAEConfig, params: Params, batch: Batch) -> tuple[Array, Posterior]:
    """Parameters of the outcome head and the posterior in evaluation mode, without a random number."""
    nets = networks(config, batch)
    posterior: Any = nets.encoder.apply(params["encoder"], batch.inputs, presence(config, batch))
    return _parameters(config, nets, params, batch, posterior), posterior
