"""Deep HCL (arXiv 2604.05462): contrast confined to the subsets of modalities that share something.

Of the deep model the paper fixes encoders, similarity and fusion. Ours are: missing modalities, the Cox
head, an encoder per modality and subset, the square and the mean in the orthogonality term, and all
defaults of `HCLHParams`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxsurv.models.hcl_terms import infonce, orthogonality, reconstruction_error, similarity
from jaxsurv.models.heads import HeadConfig, head_of, judged, marginal_of, with_marginal
from jaxsurv.models.masked import masked, mean_over
from jaxsurv.models.registry import Model, register
from jaxsurv.nets import Structured, StructuredNetwork, Subset
from jaxsurv.types import Array, InputError, Key, Objective, Params, check_choice

CRITERIA = {"regression": "squared error", "binary": "logistic loss"}
_CHOICES = {
    "contrast": ("similarity", "infonce", "none"),
    "outcome": ("survival", *CRITERIA),
}
MOST_MODALITIES = 10  # whose subsets are all taken
_SUBSETS = ("all", "pairs", "shared_private")


class HCLHParams(NamedTuple):
    """Traced scalars.

    Attributes:
        contrast_weight: weight lambda_c of the contrastive loss.
        orthogonality: weight lambda of the orthogonality term inside the contrastive loss.
        temperature: temperature tau of InfoNCE.
        reconstruction_weight: weight of the reconstruction error.
        task_weight: weight of the outcome's loss.
        pretrain: share of the epochs, from the first on, that train without the outcome; all later
            ones train with nothing else. 0 = all losses together in every epoch.
        dropout: rate in every hidden layer, in [0, 1).
        learning_rate: learning rate of Adam.
    """

    contrast_weight: Array | float = 1.0
    orthogonality: Array | float = 1.0
    temperature: Array | float = 0.1
    reconstruction_weight: Array | float = 1.0
    task_weight: Array | float = 1.0
    pretrain: Array | float = 0.0
    dropout: Array | float = 0.0
    learning_rate: Array | float = 1e-3


@dataclass(frozen=True)
class HCLConfig(HeadConfig):
    """Static choices, beside those of the outcome head of ``outcome="survival"``.

    Attributes:
        subsets: the structures: ``"all"`` non-empty subsets of the modalities; ``"pairs"``: every two,
            as CLIP contrasts them; ``"shared_private"``: all modalities together and each alone; or the
            subsets by name. A modality in none of them is not read.
        widths: layer widths of each encoder; the last is the width of a representation. Decoders mirror
            them.
        fusion: widths of the network that reads all representations and the clinical block.
        contrast: contrastive loss: ``"similarity"``, as published; ``"infonce"``; ``"none"``: neither
            contrast nor orthogonality.
        outcome: type of outcome: ``"survival"`` of a :class:`Batch`; ``"regression"`` or ``"binary"`` (0
            or 1) of an :class:`ArrayBatch`.
        reconstruction: decode each modality from the representations of its structures: with
            ``"shared_private"`` the autoencoder with a shared and private parts.
    """

    subsets: tuple[Subset, ...] | Literal["all", "pairs", "shared_private"] = "all"
    widths: tuple[int, ...] = (256, 128)
    fusion: tuple[int, ...] = (256,)
    contrast: Literal["similarity", "infonce", "none"] = "similarity"
    outcome: Literal["survival", "regression", "binary"] = "survival"
    reconstruction: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for field, known in _CHOICES.items():
            check_choice(field, getattr(self, field), known)
        if self.head != "cox" and self.outcome != "survival":
            raise InputError(f"head {self.head!r} is one of survival, and outcome {self.outcome!r}")
        if not self.widths:
            raise InputError("widths must have the width of a representation, got ()")
        if isinstance(self.subsets, str):
            if self.subsets not in _SUBSETS:
                raise InputError(
                    f"subsets must be one of {_SUBSETS} or tuples of names, got {self.subsets!r}"
                )
            return
        for s in self.subsets:
            if not isinstance(s, tuple) or not s or len(set(s)) != len(s):
                raise InputError(f"a subset is a tuple of different modalities' names, got {s!r}")
        if not self.subsets or len(set(map(frozenset, self.subsets))) != len(self.subsets):
            raise InputError(f"subsets must be different, and at least one; got {self.subsets}")


def structures(config: HCLConfig, batch: Any) -> tuple[Subset, ...]:
    """The subsets of this batch's modalities, each in alphabetical order."""
    names = sorted(batch.inputs)
    if isinstance(config.subsets, str):
        count = len(names)
        if config.subsets == "all" and count > MOST_MODALITIES:
            raise InputError(
                f"{count} modalities have 2^{count} subsets; for more than {MOST_MODALITIES} name them, or "
                "take subsets='pairs'"
            )
        sizes = {"all": range(1, count + 1), "pairs": [2], "shared_private": sorted({1, count})}
        chosen = tuple(s for size in sizes[config.subsets] for s in combinations(names, size))
    else:
        chosen = tuple(tuple(sorted(s)) for s in config.subsets)
        if unknown := sorted({m for s in chosen for m in s} - set(names)):
            raise InputError(f"subsets name {unknown}, the data have the modalities {names}")
    if not chosen or (config.contrast == "infonce" and all(len(s) < 2 for s in chosen)):
        raise InputError(f"no subset has two modalities to contrast: {list(chosen)} of {names}")
    return chosen


def _network(config: HCLConfig, batch: Any) -> StructuredNetwork:
    chosen = structures(config, batch)
    used = sorted({m for s in chosen for m in s})
    if bad := {m: batch.inputs[m].shape for m in used if batch.inputs[m].ndim != 2}:
        raise InputError(f"inputs must be of shape [n, d], got {bad}; flatten them")
    head = head_of(config)
    return StructuredNetwork(
        chosen,
        {m: batch.inputs[m].shape[1] for m in used},
        config.widths,
        config.fusion,
        constant=config.outcome != "survival" or head.constant,
        decoders=config.reconstruction,
        outputs=head.outputs,
    )


def _read(batch: Any) -> tuple[Any, ...]:
    masks = batch.feature_mask or {}
    inputs = {m: masked(x, masks.get(m)) for m, x in batch.inputs.items()}
    return inputs, batch.presence, batch.clinical


def _forward(
    config: HCLConfig, params: Params, batch: Any, dropout: Any = None, **rngs: Any
) -> Structured:
    out: Any = _network(config, batch).apply(params, *_read(batch), dropout, **rngs)
    return out


def hcl(config: HCLConfig = HCLConfig()) -> Objective:
    """The objective of deep HCL::

        L      = task_weight T + contrast_weight (C + orthogonality O) + reconstruction_weight R
        C      = mean over i != j of phi_ij - mean over i of phi_ii                        "similarity"
        phi_ij = sum over S, and over m, m' in S, of <h_m^S(i), h_m'^S(j)>
        O      = sum over m of mean over i and S != S' with m of <h_m^S(i), h_m^S'(i)>²
        R      = sum over m of the mean squared error of decoder_m(z^S of all S with m)
        out    = head(z^S of all S, clinical),   z^S = mean over m in S of h_m^S

    h_m^S(i), of length 1, is what modality m of patient i says of the structure S. A modality that the
    patient lacks is in none of these sums and means; means over patients are over the rows that the loss
    sees. With ``"infonce"`` C is :func:`infonce`. T is the Cox loss per event of ``out + batch.offset``,
    the mean squared error, or the logistic loss; prediction is the log hazard, the mean, or the logit.
    The head starts at zero, for survival without a constant, which Cox does not see. Another
    ``config.head`` has T of its own. Early stopping
    watches T on the validation rows; while pretraining T does not change, so let ``FitConfig.burn_in``
    be at least the number of pretraining epochs.

    Args:
        config: static choices.
    """
    survival, head = config.outcome == "survival", head_of(config)

    def init(key: Key, batch: Any) -> Params:
        params = _network(config, batch).init(key, *jax.tree.map(lambda x: x[:1], _read(batch)))
        return with_marginal(head, params, batch)

    def output(params: Params, batch: Any, out: Structured) -> Array:
        if not survival:
            return out.out[:, 0]
        return head.parameters(out.out, marginal_of(params), batch.offset)

    def evaluated(params: Params, batch: Any) -> Array:
        return output(params, batch, _forward(config, params, batch))

    def task(params: Params, batch: Any, out: Array) -> Array:
        if survival:
            return head.loss(out, marginal_of(params), batch)
        if batch.outcome.shape != batch.where.shape:
            raise InputError(f"outcome has shape {batch.outcome.shape}, needs {batch.where.shape}")
        binary = config.outcome == "binary"
        error = optax.sigmoid_binary_cross_entropy if binary else optax.squared_error
        return mean_over(batch.where, error(out, batch.outcome))

    name = config.head if survival else "prediction"

    def loss(params: Params, batch: Any, key: Key, hparams: HCLHParams):
        out = _forward(config, params, batch, hparams.dropout, rngs={"dropout": key})
        error = task(params, batch, output(params, batch, out))
        total, terms = hparams.task_weight * error, {name: error}
        if config.contrast != "none":
            contrast = (
                similarity(out, batch)
                if config.contrast == "similarity"
                else infonce(structures(config, batch), out, batch, hparams.temperature)
            )
            overlap = orthogonality(out, batch)
            terms |= {"contrast": contrast, "orthogonality": overlap}
            total = total + hparams.contrast_weight * (contrast + hparams.orthogonality * overlap)
        if config.reconstruction:
            terms["reconstruction"] = reconstruction_error(out, batch)
            total = total + hparams.reconstruction_weight * terms["reconstruction"]
        return total, {"loss": total, **terms}

    def anneal(hparams: HCLHParams, progress: Array) -> HCLHParams:
        first = progress < hparams.pretrain
        joint = jnp.asarray(hparams.pretrain) == 0
        unsupervised = jnp.where(first | joint, 1, 0)
        return hparams._replace(
            contrast_weight=unsupervised * hparams.contrast_weight,
            reconstruction_weight=unsupervised * hparams.reconstruction_weight,
            task_weight=jnp.where(first, 0, 1) * hparams.task_weight,
        )

    read = {
        "contrast_weight": config.contrast != "none",
        "orthogonality": config.contrast != "none",
        "temperature": config.contrast == "infonce",
        "reconstruction_weight": config.reconstruction,
        "pretrain": config.contrast != "none" or config.reconstruction,
    }
    unread = tuple(name for name, used in read.items() if not used)
    if survival:
        evaluation = judged(head, evaluated)
    else:
        evaluation = {"predict": evaluated, "criterion": CRITERIA[config.outcome]}
        evaluation["score"] = lambda params, batch: task(params, batch, evaluated(params, batch))
    objective = Objective(init=init, loss=loss, unread=unread, **evaluation)
    return objective._replace(anneal=anneal) if read["pretrain"] else objective


def representations(config: HCLConfig) -> Callable[..., dict[Subset, Array]]:
    """Representations z^S of all rows in evaluation mode, for :func:`jaxsurv.training.sweep` to collect.

    Args:
        config: configuration of the model.

    Returns:
        ``(params, batch, masks) -> {subset: [n, width]}``; 0 for patients with no modality of it.
    """

    def collect(params: Params, batch: Any, masks: Any = None) -> dict[Subset, Array]:
        fused = jnp.unstack(_forward(config, params, batch).fused)
        return dict(zip(structures(config, batch), fused, strict=True))

    return collect


HCL_MODEL = register(Model("HCL", hcl, HCLHParams(), HCLConfig(), latent=representations))
