"""Models by name: a model is one file, and one entry here that its file makes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from jaxsurv.training import Optimizer, adam
from jaxsurv.training.programs import kept
from jaxsurv.types import Array, InputError, Objective


@dataclass(frozen=True)
class Model:
    """A network as everything above knows it: sweep, estimator, model file, command line, report.

    Attributes:
        name: name of the estimator, also in model files, such as ``"MORiskVAE"``.
        objective: ``config -> Objective``; the config is None where there is none.
        hparams: default hyper-parameters, a NamedTuple of traced scalars with ``learning_rate``.
        config: default static choices, a frozen dataclass; None = there are none.
        optimizer: ``hparams -> optax.GradientTransformation``.
        latent: ``config -> (params, batch, masks=None) -> {name: [n, k]}``, the latent variables in
            evaluation; None = there are none.
        unlabelled: patients without an outcome train as well.
        profile: one hyper-parameter that estimators choose by early-stopping losses, and its values, where
            no single value holds at every cohort size; None = there is none.
    """

    name: str
    objective: Callable[[Any], Objective]
    hparams: Any
    config: Any = None
    optimizer: Optimizer = adam
    latent: Callable[[Any], Callable[..., Mapping[Any, Array]]] | None = None
    unlabelled: bool = False
    profile: tuple[str, tuple[float, ...]] | None = None


@kept(32)
def objective_of(model: Model, config: Any) -> Objective:
    """The objective of a model with these static choices; equal choices give the same functions.

    Args:
        model: registry entry.
        config: static choices; None where there are none.
    """
    return model.objective(config)


_MODELS: dict[str, Model] = {}


def register(model: Model) -> Model:
    """Make ``model`` known by its name; the last line of a model's file::

        MODEL = register(Model("MyNetwork", my_network, MyHParams(), MyConfig()))

    Registering an equal one again changes nothing.

    Args:
        model: the entry, which is returned.

    Raises:
        InputError: another model has the name.
    """
    known = _MODELS.setdefault(model.name, model)
    if known != model:
        raise InputError(
            f"there is another model named {model.name!r}; give this one another name, "
            "or start Python anew if it is a new version of that one"
        )
    return model


def registered() -> Mapping[str, Model]:
    """``{name: model}`` of all that are known, in the order of registration."""
    return MappingProxyType(_MODELS)


def find_model(model: str | Model) -> Model:
    """The model of that name; a :class:`Model` is returned as it is.

    Args:
        model: name, or the model itself.

    Raises:
        InputError: no model has the name.
    """
    if isinstance(model, Model):
        return model
    if model not in _MODELS:
        raise InputError(
            f"there is no model named {model!r}; known are {', '.join(_MODELS)}. To add one, import "
            "the file that calls jaxsurv.models.register(...)"
        )
    return _MODELS[model]
