"""The choices of the multimodal survival VAE: static ones in a config, traced ones in hparams."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeVar

from jaxsurv.arguments.settings import check_whole
from jaxsurv.models.heads import HeadConfig
from jaxsurv.types import Array, InputError, check_choice


class HParams(NamedTuple):
    """Traced scalars: each may be a sweep axis without recompiling.

    A weight is read only where the config has its term.

    Attributes:
        beta: weight of the KL term.
        survival_weight: weight of the Cox term (the paper's lambda_surv).
        learning_rate: learning rate of Adam.
        dropout: rate in every dropped-out layer, in [0, 1).
        mmd_weight: weight of MMD².
        hsic_weight: weight of HSIC.
        categorical_weight: weight of ``KL(categorical || uniform)``.
        temperature: temperature of the Gumbel-Softmax in the first epoch.
        temperature_end: temperature after a tenth of the epochs that a run may take, and from then on;
            exponential in between.
        modality_dropout: chance that a modality of a patient is hidden from the encoder in a step.
    """

    beta: Array | float = 1.0
    survival_weight: Array | float = 1.0
    learning_rate: Array | float = 1e-3
    dropout: Array | float = 0.1
    mmd_weight: Array | float = 1.0
    hsic_weight: Array | float = 1.0
    categorical_weight: Array | float = 1.0
    temperature: Array | float = 1.0
    temperature_end: Array | float = 0.5
    modality_dropout: Array | float = 0.0


def default_widths(features: int) -> tuple[int, ...]:
    """Encoder widths of the family for a modality of so many features (or components)."""
    return (32, 16) if features > 64 else (32,)


_CHOICES = {
    "missing": ("mask", "impute"),
    "reduction": ("mean", "sum"),
    "regulariser": ("kl", "mmd", "mmd_hsic", "none"),
    "hsic": ("martingale", "source"),
    "estimator": ("biased", "unbiased"),
}


@dataclass(frozen=True)
class SurvivalVAEConfig(HeadConfig):
    """Static choices; the defaults are the MO-RiskVAE family's, ``MyeVAE`` overrides them.

    Every combination is valid. What is not chosen is not in the compiled program. The outcome head is
    chosen as :class:`jaxsurv.models.heads.HeadConfig` says.

    Attributes:
        widths: encoder widths per modality, or a function from the number of features to widths.
        latent: latent dimensions of the Gaussian part.
        head_widths: widths of the risk network; the last, 1, stands for the outputs of the outcome head.
        zero_head: start the risk network as the zero function. A random head is noise that early
            stopping on a few dozen events cannot remove.
        head_reads_clinical: the risk network reads ``[mu, clinical]``; False: mu alone, for when the
            clinical block enters through ``batch.offset``.
        head_reads_offset: the risk network also reads ``batch.offset``, to which it still adds.
        bounded: tanh throughout the risk network, so that risk is in (-1, 1), and activation and
            dropout after the last layer of every network, as MyeVAE was released.
        missing: ``"mask"``: an absent modality encodes to zero and has no reconstruction loss;
            ``"impute"``: its imputed values count as observed.
        modality_dropout: hide modalities at random in training, at rate ``hparams.modality_dropout``,
            never all of a patient; they are still to be reconstructed.
        reduction: ``"mean"``: KL as the batch mean and Cox per event, so that beta means the same at
            every cohort size; ``"sum"``: both as sums over the batch, as MyeVAE was released. MMD and
            HSIC are statistics of the batch either way.
        regulariser: penalty on the Gaussian part of the latent: ``"kl"``; ``"mmd"``: MMD² of the drawn z
            to N(0, I) in its place; ``"mmd_hsic"``: and HSIC of residuals; ``"none"``.
        hsic: variables that shall be independent, see :func:`jaxsurv.models.terms.residual_dependence`.
        estimator: estimator of MMD and HSIC, see :mod:`jaxsurv.divergences`.
        categories: K > 0: the hybrid latent ``[z_c, z_d]``, with z_d a Gumbel-Softmax over K
            categories; 0: Gaussian only.
        linear: encoders and decoders without activations.
        balanced: divide the reconstruction error and the Cox loss by their present values, so that both
            pull alike whatever their units; beta and the other weights then mean shares of those.
    """

    widths: Mapping[str, tuple[int, ...]] | Callable[[int], tuple[int, ...]] = default_widths
    latent: int = 32
    head_widths: tuple[int, ...] = (1,)
    zero_head: bool = True
    head_reads_clinical: bool = True
    head_reads_offset: bool = False
    bounded: bool = False
    missing: Literal["mask", "impute"] = "mask"
    modality_dropout: bool = False
    reduction: Literal["mean", "sum"] = "mean"
    regulariser: Literal["kl", "mmd", "mmd_hsic", "none"] = "kl"
    hsic: Literal["martingale", "source"] = "martingale"
    estimator: Literal["biased", "unbiased"] = "biased"
    categories: int = 0
    linear: bool = False
    balanced: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole("latent", self.latent)
        if check_whole("categories", self.categories, 0) == 1:
            raise InputError(f"categories must be 0 or at least 2, got {self.categories}")
        if not self.head_widths or self.head_widths[-1] != 1:
            raise InputError(f"head_widths must end in one output, got {self.head_widths}")
        for field, known in _CHOICES.items():
            check_choice(field, getattr(self, field), known)


def unread(config: SurvivalVAEConfig) -> tuple[str, ...]:
    """The hyper-parameters that a model of these choices does not read."""
    hybrid = config.categories > 0
    read = {
        "beta": config.regulariser == "kl",
        "mmd_weight": config.regulariser in ("mmd", "mmd_hsic"),
        "hsic_weight": config.regulariser == "mmd_hsic",
        "categorical_weight": hybrid,
        "temperature": hybrid,
        "temperature_end": hybrid,
        "modality_dropout": config.modality_dropout,
    }
    return tuple(name for name, used in read.items() if not used)


# fields that earlier versions had, and the one value of each that is still what the model does
_RETIRED: dict[type, dict[str, Any]] = {
    SurvivalVAEConfig: {"hard": False, "mmd_bandwidth": "infovae"}
}
Config = TypeVar("Config")


def current_entries(kind: type, entries: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of a config in a model file, also of an earlier version, as fields of this version.

    Args:
        kind: class of the config.
        entries: field to value; retired fields may be among them.

    Raises:
        InputError: a retired field with another value than its last.
    """
    given = dict(entries)
    if kind is SurvivalVAEConfig and isinstance(given.get("head"), list | tuple):
        given["head_widths"] = given.pop("head")  # before there were other outcome heads than Cox's
    for field, last in _RETIRED.get(kind, {}).items():
        if (value := given.pop(field, last)) != last:
            raise InputError(
                f"{field} is {value!r}, and this version has only {last!r}; "
                "load the model with the version that saved it"
            )
    return given


def config_of(kind: type[Config], entries: Mapping[str, Any]) -> Config:
    """The config that a model file holds, see `current_entries`.

    Args:
        kind: class of the config.
        entries: field to value; retired fields may be among them.

    Raises:
        InputError: a value that the class refuses, or a retired field with another value than its last.
    """
    return kind(**current_entries(kind, entries))
