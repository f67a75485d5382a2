"""Cox-MT (arXiv 2601.20729): a Cox network that learns from a teacher what censored patients look like.

The teacher is the moving average of the student (Mean Teacher, Tarvainen & Valpola, 2017).
"""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import lax

from jaxsurv.models.batch import Batch, features
from jaxsurv.models.heads import (
    HeadConfig,
    head_of,
    judged,
    learned,
    marginal_of,
    with_marginal,
)
from jaxsurv.models.masked import masked
from jaxsurv.models.minibatches import labelled_and_unlabelled
from jaxsurv.models.registry import Model, register
from jaxsurv.nets import MLP, CrossAttention
from jaxsurv.types import Array, InputError, Key, Objective, Params, check_choice


class CoxMTHParams(NamedTuple):
    """Traced scalars, with the published defaults.

    Attributes:
        weight: weight w of the consistency loss; the paper finds 0.1 to 3 robust.
        alpha: decay of the teacher's moving average; 0.9 to 0.999.
        noise: sigma, the standard deviation of the noise on the input; 0 to 0.1.
        dropout: rate in every hidden layer, in [0, 1); up to 0.4.
        learning_rate: learning rate of Adam.
        weight_decay: L2 penalty in Adam's gradient.
        ramp_up: part of the epochs over which w rises to its full value; 0 = off, as published.
        threshold: distance from the mean, in standard deviations, from which a pseudo-risk counts.
    """

    weight: Array | float = 1.0
    alpha: Array | float = 0.99
    noise: Array | float = 0.1
    dropout: Array | float = 0.2
    learning_rate: Array | float = 2e-3
    weight_decay: Array | float = 1e-4
    ramp_up: Array | float = 0.0
    threshold: Array | float = 0.5


@dataclass(frozen=True)
class CoxMTConfig(HeadConfig):
    """Static choices, beside those of the outcome head.

    Attributes:
        hidden: widths of the hidden layers.
        consistency: patients in the consistency loss: ``"both"``, censored labelled and unlabelled
            patients; ``"censored"`` or ``"unlabelled"`` alone; ``"none"``: the supervised network of
            the same size, without a teacher.
        rule: target of consistency: ``"mean-teacher"``, the teacher's prediction; ``"pseudo-risk"``, the
            network's own without noise and dropout, where it is clearly high or low, as FixMatch (Sohn et
            al., 2020) does with classes.
        sources: None: one network reads all modalities beside each other; the names of two: their tokens
            attend to each other, see :class:`jaxsurv.nets.CrossAttention`. A source is features
            ``[n, d]`` with presence ``[n]``, or tokens ``[n, T, d]`` with presence ``[n, T]``.
        tokens, width, heads: size of the attention: most chunks of a source of features, width of a token,
            number of heads.
    """

    hidden: tuple[int, ...] = (1000, 200)
    consistency: Literal["both", "censored", "unlabelled", "none"] = "both"
    rule: Literal["mean-teacher", "pseudo-risk"] = "mean-teacher"
    sources: tuple[str, str] | None = None
    tokens: int = 32
    width: int = 256
    heads: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("consistency", self.consistency, ("both", "censored", "unlabelled", "none"))
        check_choice("rule", self.rule, ("mean-teacher", "pseudo-risk"))
        if self.sources is not None and len(set(self.sources)) != 2:
            raise InputError(f"sources must be the names of two modalities, got {self.sources}")
        if self.width % self.heads:
            raise InputError(f"width {self.width} must be a multiple of heads, {self.heads}")


def adam_l2(hparams: CoxMTHParams) -> optax.GradientTransformation:
    """Adam on the gradient of ``loss + hparams.weight_decay / 2 |parameters|²``.

    This is what weight decay means in the optimiser of that name in PyTorch; AdamW, which shrinks the
    parameters beside the step, is another method.
    """
    return optax.chain(
        optax.add_decayed_weights(hparams.weight_decay, mask=learned),  # type: ignore[arg-type]
        optax.adam(hparams.learning_rate),
    )


def mean_teacher(teacher: Params, student: Params, t: Array, hparams: CoxMTHParams) -> Params:
    """``a teacher + (1 - a) student`` with ``a = min(1 - 1/(t + 1), alpha)`` after step t = 1, 2, ...

    The teacher is thus the mean of the initial and all later students until 1 - 1/(t + 1) exceeds
    ``hparams.alpha``.
    """
    alpha = jnp.minimum(1 - 1 / (t.astype(float) + 1), hparams.alpha)
    return jax.tree.map(lambda a, b: b + alpha.astype(b.dtype) * (a - b), teacher, student)


def confident(risk: Array, batch: Batch, threshold: Array | float) -> Array:
    """``[n]`` booleans: ``threshold`` standard deviations or more from the mean of the batch's rows."""
    count = jnp.maximum(jnp.sum(batch.where), 1)
    away = risk - jnp.sum(jnp.where(batch.where, risk, 0)) / count
    return away**2 >= threshold**2 * jnp.sum(jnp.where(batch.where, away, 0) ** 2) / count


def cox_mt(config: CoxMTConfig = CoxMTConfig()) -> Objective:
    """The objective of Cox-MT::

        L   = L_s + w L_u
        L_s = (1/d) sum_{i: event_i} [log sum_{j: t_j >= t_i} exp(eta_j) - eta_i]
        L_u = mean over patients without an observed event of (eta_i - eta'_i)²

    over the rows that the loss sees, d of them with events; eta is the student's log hazard on
    ``x + noise N(0, I)``, eta' the teacher's with noise and dropout of its own; no gradient flows
    through eta'. With unlabelled rows L_u is half the mean over them plus half the mean over the
    censored labelled rows. Breslow ties. Both terms read one pass of the student. Under the rule
    ``"pseudo-risk"`` eta' is the student's own prediction in evaluation mode, and counts where it is
    ``threshold`` standard deviations or more from the mean of the minibatch; else the square is 0.

    Prediction and early stopping (Cox loss of the validation rows) use the student. The last layer starts
    at zero and has no bias: L_s does not see a constant, and Adam would make a walk of its rounding
    errors. ``batch.offset`` is added to the log hazard. Unlabelled rows (``batch.labelled``) must be in
    the masks of training and development rows. Minibatches are drawn by
    :func:`jaxsurv.models.minibatches.labelled_and_unlabelled`. ``w`` rises as
    ``exp(-5 (1 - epoch / T)²)`` over the first ``T = ramp_up * epochs`` epochs, if asked for. With another
    ``config.head`` L_s is its loss, L_u the mean over its parameters, and its outputs have a constant.

    Args:
        config: static choices.
    """
    head = head_of(config)
    if config.sources is None:
        widths = (*config.hidden, head.outputs)
        net: Any = MLP(widths, jax.nn.relu, zero=True, constant=head.constant)
    else:
        sizes = {"tokens": config.tokens, "width": config.width, "heads": config.heads}
        sizes |= {"outputs": head.outputs, "constant": head.constant}
        net = CrossAttention(config.hidden, **sizes)

    def read(batch: Batch) -> tuple[Any, ...]:
        if config.sources is None:
            return (features(batch),)
        missing = sorted(set(config.sources) - set(batch.inputs))
        if missing:
            raise InputError(f"no modality {missing}, the data have {sorted(batch.inputs)}")
        inputs, presence = (
            tuple(part[m] for m in config.sources) for part in (batch.inputs, batch.presence)
        )
        return inputs, presence, batch.clinical

    def init(key: Key, batch: Batch) -> Params:
        params = net.init(key, *jax.tree.map(lambda x: x[:1], read(batch)))
        return with_marginal(head, params, batch)

    def parameters(params: Params, batch: Batch, *args: Any, **rngs: Any) -> Array:
        out = net.apply(params, *read(batch), *args, **rngs)
        return head.parameters(out, marginal_of(params), batch.offset)

    evaluation = judged(head, parameters)

    def perturbed(params: Params, batch: Batch, key: Key, hparams: CoxMTHParams) -> Array:
        """Parameters of the head with noise on the input and dropout."""
        key_noise, key_dropout = jax.random.split(key)
        given, structure = jax.tree.flatten((batch.inputs, batch.clinical))
        keys = jax.random.split(key_noise, len(given))
        noisy = [
            x + hparams.noise * jax.random.normal(k, x.shape, x.dtype)
            for x, k in zip(given, keys, strict=True)
        ]
        inputs, clinical = jax.tree.unflatten(structure, noisy)
        if batch.feature_mask is not None:
            inputs = {m: masked(x, batch.feature_mask[m]) for m, x in inputs.items()}
        batch = batch._replace(inputs=inputs, clinical=clinical)
        return parameters(params, batch, hparams.dropout, rngs={"dropout": key_dropout})

    def inconsistency(difference: Array, batch: Batch) -> Array:
        """L_u, the mean over the parameters of the head."""
        count = difference[0].size
        rest = (1,) * (difference.ndim - 1)
        parts, used = [], []
        if config.consistency != "unlabelled":
            parts.append(batch.with_outcome & (batch.outcome.event == 0))
            used.append(jnp.ones((), bool))
        if config.consistency != "censored" and batch.labelled is not None:
            parts.append(batch.where & ~batch.labelled)
            used.append(jnp.any(parts[-1]))
        squares = [
            jnp.sum(jnp.where(rows.reshape(-1, *rest), difference, 0) ** 2)
            / jnp.maximum(count * jnp.sum(rows), 1)
            for rows in parts
        ]
        zero = jnp.zeros((), difference.dtype)
        return sum(squares, zero) / jnp.maximum(sum(map(jnp.int32, used), 0), 1)

    def loss(
        params: Params,
        batch: Batch,
        key: Key,
        hparams: CoxMTHParams,
        teacher: Params | None = None,
    ):
        key_student, key_teacher = jax.random.split(key)
        eta = perturbed(params, batch, key_student, hparams)
        cox = head.loss(eta, marginal_of(params), batch, ties="breslow")
        if config.consistency == "none":
            return cox, {"loss": cox, config.head: cox}
        if config.rule == "pseudo-risk":
            own = parameters(lax.stop_gradient(params), batch)
            risk = head.log_hazard(own, marginal_of(params))
            clear = confident(risk, batch, hparams.threshold).reshape(-1, *own.shape[1:] and (1,))
            difference = jnp.where(clear, eta - own, 0)
        else:
            teacher = lax.stop_gradient(params if teacher is None else teacher)
            difference = eta - perturbed(teacher, batch, key_teacher, hparams)
        consistency = inconsistency(difference, batch)
        total = cox + hparams.weight * consistency
        return total, {"loss": total, config.head: cox, "consistency": consistency}

    def anneal(hparams: CoxMTHParams, progress: Array) -> CoxMTHParams:
        ramp_up = jnp.asarray(hparams.ramp_up, progress.dtype)
        risen = jnp.minimum(progress / jnp.where(ramp_up > 0, ramp_up, 1), 1)
        factor = jnp.where(ramp_up > 0, jnp.exp(-5 * (1 - risen) ** 2), 1)
        return hparams._replace(weight=hparams.weight * factor)

    objective = Objective(init=init, loss=loss, draw=labelled_and_unlabelled, **evaluation)
    if config.consistency == "none":
        return objective._replace(unread=("weight", "alpha", "ramp_up", "threshold"))
    objective = objective._replace(anneal=anneal)
    if config.rule == "pseudo-risk":
        return objective._replace(unread=("alpha",))
    return objective._replace(follow=mean_teacher, unread=("threshold",))


COX_MT_MODEL = register(
    Model("CoxMT", cox_mt, CoxMTHParams(), CoxMTConfig(), adam_l2, unlabelled=True)
)
