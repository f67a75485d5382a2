"""InVA (arXiv 2402.02734): an integrative variational autoencoder that predicts one image from others.

The paper publishes neither code nor its layers' sizes; what it leaves open is our choice and said here.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from jaxsurv.divergences import kl_standard_normal
from jaxsurv.latent import sample_gaussian
from jaxsurv.models.array_batch import ArrayBatch
from jaxsurv.models.batch import Batch
from jaxsurv.models.masked import masked, mean_over, mean_square
from jaxsurv.nets import MLP, ImageDecoder, ImageEncoder
from jaxsurv.survival import neg_log_partial_likelihood
from jaxsurv.types import Array, InputError, Key, Objective, Params, check_choice

NOISE = 0.1  # variance of p(x | h) at the start, of standardised images
# At most, of posteriors: one e times as wide as the prior knows nothing. Without the ELBO nothing else
# bounds them, and the predictor reads standard deviations that a new patient's image can make huge.
LOG_VARIANCE = 2.0


class InVAHParams(NamedTuple):
    """Traced scalars.

    Attributes:
        beta: weight of the ELBO's terms other than the reconstruction; 1 is the ELBO.
        prediction_weight: lambda, of the outcome's loss.
        learning_rate: Adam's.
    """

    beta: Array | float = 1.0
    prediction_weight: Array | float = 1.0
    learning_rate: Array | float = 1e-3


@dataclass(frozen=True)
class InVAConfig:
    """Static choices.

    Attributes:
        widths: layer widths of each image's encoder; decoders and predictor mirror them.
        shallow: p, features of each image.
        deep: q, features that the shared encoder makes of each image's shallow ones; 0 = no shared
            encoder: one VAE per image, whose features the predictor reads together. On a single input
            that is the plain VAE with a predictor.
        shared: widths of the shared encoder; its decoder mirrors them.
        channels: channels of the convolutions in front of ``widths``, for images of two dimensions; none =
            flat.
        deviations: the predictor reads standard deviations beside the means.
        trains: losses that train the encoders: ``"both"``; ``"reconstruction"``: the predictor learns from
            features that its loss does not change; ``"prediction"``: no decoder takes part.
        outcome: ``"image"``: mean squared error of an :class:`ArrayBatch`; ``"survival"``: the Cox loss of
            a :class:`Batch`, whose modalities take the place of the images.
    """

    widths: tuple[int, ...] = (128, 64)
    shallow: int = 16
    deep: int = 8
    shared: tuple[int, ...] = (32,)
    channels: tuple[int, ...] = ()
    deviations: bool = True
    trains: Literal["both", "reconstruction", "prediction"] = "both"
    outcome: Literal["image", "survival"] = "image"

    def __post_init__(self) -> None:
        if self.shallow < 1 or self.deep < 0:
            raise InputError(
                f"shallow must be at least 1 and deep at least 0, got {self.shallow}, {self.deep}"
            )
        check_choice("trains", self.trains, ("both", "reconstruction", "prediction"))
        check_choice("outcome", self.outcome, ("image", "survival"))


class LatentFeatures(NamedTuple):
    """Posterior of the latent variables, each ``[images, n, size]``; 0 where a patient lacks the image.

    Attributes:
        mu, logvar: q(h | x) of the shallow features.
        deep_mu, deep_logvar: q(z | h) of the deep ones at one h; no columns without a shared encoder.
    """

    mu: Array
    logvar: Array
    deep_mu: Array
    deep_logvar: Array


class _ImageNetworks(NamedTuple):
    encode: dict[str, ImageEncoder]
    decode: dict[str, ImageDecoder]
    shared_encode: MLP
    shared_decode: MLP
    predict: Any


def _networks(config: InVAConfig, batch: Any) -> _ImageNetworks:
    shapes = {m: batch.inputs[m].shape[1:] for m in sorted(batch.inputs)}
    if config.channels and (bad := {m: s for m, s in shapes.items() if len(s) != 2}):
        raise InputError(f"convolutions need images of two dimensions, got {bad}; use channels=()")
    by_image = {"widths": config.widths, "channels": config.channels}
    predict = (
        MLP((*reversed(config.widths), 1), zero=True, constant=False)
        if config.outcome == "survival"
        else ImageDecoder(shape=batch.outcome.shape[1:], **by_image)
    )
    return _ImageNetworks(
        {m: ImageEncoder(size=2 * config.shallow, **by_image) for m in shapes},
        {m: ImageDecoder(shape=s, **by_image) for m, s in shapes.items()},
        MLP((*config.shared, 2 * config.deep)),
        MLP((*reversed(config.shared), config.shallow)),
        predict,
    )


def _encode(
    config: InVAConfig, params: Params, batch: Any, noise: Callable[[tuple[int, ...]], Array] | None
) -> tuple[Array, LatentFeatures]:
    """h ``[images, n, p]`` and the features at it; ``noise(shape)`` is what h is drawn with, None = mean."""
    nets = _networks(config, batch)
    masks = batch.feature_mask or {}
    encoded: list[Any] = [
        net.apply(params["encode"][m], masked(batch.inputs[m], masks.get(m)))
        for m, net in nets.encode.items()
    ]
    there = jnp.stack([batch.presence[m] for m in nets.encode])[:, :, None] > 0
    mu, logvar = _posterior(jnp.where(there, jnp.stack(encoded), 0))
    h = mu if noise is None else mu + jnp.exp(logvar / 2) * noise(mu.shape)
    if not config.deep:
        nothing = h[..., :0]
        return h, LatentFeatures(mu, logvar, nothing, nothing)
    both: Any = nets.shared_encode.apply(params["shared_encode"], h)
    return h, LatentFeatures(mu, logvar, *_posterior(jnp.where(there, both, 0)))


def _posterior(encoded: Array) -> tuple[Array, Array]:
    """Means and bounded log variances."""
    mu, logvar = jnp.split(encoded, 2, axis=-1)
    return mu, jnp.minimum(logvar, LOG_VARIANCE)


def _output(config: InVAConfig, params: Params, batch: Any, posterior: LatentFeatures) -> Array:
    """The predictor's image ``[n, *shape]`` or log hazard ``[n]``."""
    parts = [posterior.mu, posterior.deep_mu]
    if config.deviations:
        parts += [jnp.exp(posterior.logvar / 2), jnp.exp(posterior.deep_logvar / 2)]
    images = jnp.concatenate(parts, axis=-1)
    read = jnp.moveaxis(images, 0, 1).reshape(images.shape[1], -1)
    if config.trains == "reconstruction":
        read = lax.stop_gradient(read)
    if config.outcome == "survival":
        read = jnp.concatenate([read, batch.clinical], axis=-1)
    out: Any = _networks(config, batch).predict.apply(params["predict"], read)
    return out[:, 0] + batch.offset if config.outcome == "survival" else out


def _elbo(
    config: InVAConfig,
    params: Params,
    batch: Any,
    h: Array,
    posterior: LatentFeatures,
    key: Key,
    beta: Array | float,
) -> dict[str, Array]:
    """``[images]`` each: the negative ELBO per pixel, and what of it is reconstruction."""
    nets = _networks(config, batch)
    if config.deep:
        z = sample_gaussian(key, posterior.deep_mu, posterior.deep_logvar)
        back: Any = nets.shared_decode.apply(params["shared_decode"], z)
        # minus log p(h | z) minus the entropy of q(h | x); the constants log 2 pi cancel
        gap = 0.5 * jnp.sum((h - back) ** 2 - 1 - posterior.logvar, axis=-1)
        divergence = gap + jax.vmap(kl_standard_normal)(posterior.deep_mu, posterior.deep_logvar)
    else:
        divergence = jax.vmap(kl_standard_normal)(posterior.mu, posterior.logvar)
    values: dict[str, list[Array]] = {"negative_elbo": [], "reconstruction": []}
    for k, (m, net) in enumerate(nets.decode.items()):
        made: Any = net.apply(params["decode"][m], h[k])
        mask = None if batch.feature_mask is None else batch.feature_mask[m]
        error, pixels = mean_square(made, batch.inputs[m], mask)
        log_noise = params["log_noise"][m]
        fit = 0.5 * (error * jnp.exp(-log_noise) + log_noise + math.log(2 * math.pi))
        rows = batch.where * batch.presence[m]
        values["negative_elbo"].append(mean_over(rows, fit + beta * divergence[k] / pixels))
        values["reconstruction"].append(mean_over(rows, error))
    return {name: jnp.stack(v) for name, v in values.items()}


def inva(config: InVAConfig = InVAConfig()) -> Objective:
    """The objective of InVA::

        L        = sum_k -ELBO_k / pixels_k + prediction_weight MSE(y, y')
        ELBO_k   = log p(x_k | h_k) + log p(h_k | z_k) - log q(h_k | x_k) - KL(q(z_k | h_k) || N(0, I))
        h_k ~ q(h_k | x_k) = N(mu_k, diag sigma_k²),   z_k ~ q(z_k | h_k) = N(m_k, diag s_k²)
        y'       = predictor(mu_k, m_k, sigma_k, s_k of all k)

    Both losses are per pixel, so that ``prediction_weight`` means the same at every resolution; MSE is
    the mean over pixels inside the region of interest. p(x_k | h_k) is normal around the decoder's
    image, with a variance per image that is learned from 0.1; p(h_k | z_k) is normal around the shared
    decoder's with variance 1, which fixes the scale of h. One network makes z_k of h_k for every k.
    With ``beta`` other than 1 it multiplies all but the first term. Without a shared encoder the last
    three terms are ``-KL(q(h_k | x_k) || N(0, I))``. A patient without image k has no ELBO_k, and the
    prior's features (0 and 1) in its place.

    Training draws h and z; evaluation takes h = mu, and `drawn_prediction` draws it. Early stopping
    watches the outcome's loss on the validation rows. With ``outcome="survival"`` MSE is replaced by the
    Cox loss per event of ``predictor(...) + batch.offset``, whose last layer starts at zero and which
    reads the clinical block too.

    Args:
        config: static choices.
    """

    def init(key: Key, batch: Any) -> Params:
        nets, row = _networks(config, batch), jax.tree.map(lambda x: x[:1], batch.inputs)
        keys = iter(jax.random.split(key, 2 * len(row) + 3))
        h = jnp.zeros((1, config.shallow))
        params = {
            "encode": {m: net.init(next(keys), row[m]) for m, net in nets.encode.items()},
            "decode": {m: net.init(next(keys), h) for m, net in nets.decode.items()},
            "log_noise": dict.fromkeys(nets.encode, jnp.log(jnp.asarray(NOISE, h.dtype))),
        }
        key_encode, key_decode, key_predict = keys
        features = len(row) * (config.shallow + config.deep) * (1 + config.deviations)
        if config.outcome == "survival":
            features += batch.clinical.shape[1]
        params["predict"] = nets.predict.init(key_predict, jnp.zeros((1, features)))
        if config.deep:
            z = jnp.zeros((1, config.deep))
            params["shared_encode"] = nets.shared_encode.init(key_encode, h)
            params["shared_decode"] = nets.shared_decode.init(key_decode, z)
        return params

    def outcome_loss(batch: Any, out: Array) -> Array:
        if config.outcome == "image":
            error, _ = mean_square(out, batch.outcome, batch.outcome_mask)
            return mean_over(batch.where, error)
        return neg_log_partial_likelihood(out, risk_sets=batch.risk_sets)

    name = "cox" if config.outcome == "survival" else "prediction"

    def loss(params: Params, batch: Any, key: Key, hparams: InVAHParams):
        key_h, key_z = jax.random.split(key)
        h, posterior = _encode(config, params, batch, partial(jax.random.normal, key_h))
        error = outcome_loss(batch, _output(config, params, batch, posterior))
        total, terms = hparams.prediction_weight * error, {name: error}
        if config.trains != "prediction":
            values = _elbo(config, params, batch, h, posterior, key_z, hparams.beta)
            terms |= {n: jnp.sum(v) for n, v in values.items()}
            total = total + terms["negative_elbo"]
        return total, {"loss": total, **terms}

    def predict(params: Params, batch: Any) -> Array:
        return _output(config, params, batch, _encode(config, params, batch, None)[1])

    def score(params: Params, batch: Any) -> Array:
        return outcome_loss(batch, predict(params, batch))

    unread = ("beta",) if config.trains == "prediction" else ()
    criterion = "cox" if config.outcome == "survival" else "squared error"
    return Objective(init, loss, predict, score, unread=unread, criterion=criterion)


def drawn_prediction(config: InVAConfig) -> Callable[[Params, Batch | ArrayBatch, Key], Array]:
    """``(params, batch, key) -> [n, *shape]``: the prediction at one draw of the shallow features.

    The shared encoder reads them; without one (``deep=0``) every draw gives the same. All patients get
    the same standard normal numbers, so that nobody's prediction depends on who else is in the batch.

    Args:
        config: configuration of the model.
    """

    def one(params: Params, batch: Batch | ArrayBatch, key: Key) -> Array:
        def noise(shape: tuple[int, ...]) -> Array:
            return jax.random.normal(key, (shape[0], 1, shape[2]))

        return _output(config, params, batch, _encode(config, params, batch, noise)[1])

    return one
