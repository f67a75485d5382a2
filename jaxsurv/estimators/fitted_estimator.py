"""Base class of survival and image estimators: a fitted model, and its file."""

import os
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Generic, NotRequired, Self, TypedDict, TypeVar, get_type_hints

from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from jaxsurv.artifacts import StoredModel, read_model, versions, write_model
from jaxsurv.data.tables import few
from jaxsurv.estimators.card import card_of
from jaxsurv.estimators.file_entries import check_entries, plain
from jaxsurv.types import InputError

Fitted = TypeVar("Fitted")
KINDS: dict[str, type["FittedEstimator"]] = {}  # every estimator by the name of its class
_INTERVAL = ("value", "lower", "upper")


class _Interval(TypedDict):
    value: float
    lower: float
    upper: float


class _Common(TypedDict):
    """Entries of every model file."""

    settings: Mapping[str, Any]
    metrics: Mapping[str, _Interval]
    versions: Mapping[str, str]
    notes: NotRequired[str]


class FittedEstimator(BaseEstimator, Generic[Fitted]):
    """An estimator whose ``model_`` is all that new patients need.

    Attributes:
        model_: fitted model, set by ``fit``.
        settings_: the parameters that ``fit`` was called with, which a model file names.
        metrics_, notes_: what ``save`` was told, of a model that was loaded.
    """

    model_: Fitted
    settings_: dict[str, Any]
    metrics_: Mapping[str, _Interval]
    notes_: str

    def __init_subclass__(cls, base: bool = False, **options: Any) -> None:
        """Make the class known to model files by its name, unless it is a ``base`` of others."""
        super().__init_subclass__(**options)
        if not base:
            KINDS[cls.__name__] = cls

    def __dir__(self) -> list[str]:
        # scikit-learn's asks each property for its value: wrong parameters would break completion
        return sorted(object.__dir__(self))

    def _set(self, parameters: Mapping[str, Any]) -> None:
        """Set each parameter of ``__init__`` as it was given; ``parameters`` are its ``locals()``."""
        for name in parameters.keys() & set(self._get_param_names()):
            setattr(self, name, parameters[name])

    @abstractmethod
    def _store(self) -> StoredModel:
        """The fitted estimator as entries that `plain` can make JSON of, and arrays."""

    @classmethod
    @abstractmethod
    def _restore(cls, stored: StoredModel) -> Self:
        """The fitted estimator that `_store` made ``stored`` of; any error is one of the file."""

    def _keep(self, model: Fitted) -> Self:
        """End of ``fit``."""
        self.model_, self.settings_ = model, self.get_params(deep=False)
        self.metrics_, self.notes_ = {}, ""
        return self

    def save(
        self,
        path: str | os.PathLike,
        *,
        metrics: Mapping[str, tuple[float, float, float]] | None = None,
        notes: str = "",
    ) -> None:
        """Write the fitted model to a new folder, or a .zip; :func:`jaxsurv.estimators.load` reads it.

        Args:
            path: file or folder that does not exist yet.
            metrics: further metrics for users of the model: name to value, lower and upper bound. Those of
                a model that was loaded are kept beside them.
            notes: a sentence for users of the model, such as where the model comes from; empty = that of
                a model that was loaded.

        Raises:
            InputError: the name belongs to another class; a network whose model is not registered.
        """
        stored = self._file(metrics, notes)
        write_model(path, stored.entries, stored.weights, stored.preprocessing)

    def card(
        self, *, metrics: Mapping[str, tuple[float, float, float]] | None = None, notes: str = ""
    ) -> str:
        """Model card in Markdown: use, training patients, held-out scores, limits, settings.

        Args:
            metrics, notes: see `save`.

        Raises:
            InputError: see `save`.
        """
        return card_of(self._file(metrics, notes))

    def _file(
        self, metrics: Mapping[str, tuple[float, float, float]] | None, notes: str
    ) -> StoredModel:
        """Content of a file of the fitted model."""
        name = type(self).__name__
        self.fitted()
        if KINDS.get(name) is not type(self):
            raise InputError(
                f"there are two estimators named {name}, and a model file names one; rename yours"
            )
        stored = self._store()
        entries = {
            "model": name,
            **stored.entries,
            "metrics": {
                **self.metrics_,
                **{k: dict(zip(_INTERVAL, v, strict=True)) for k, v in (metrics or {}).items()},
            },
            **({"notes": notes} if (notes := notes or self.notes_) else {}),
            "versions": versions(),
        }
        return stored._replace(entries=plain(entries))

    def fitted(self) -> Fitted:
        """The fitted model; raises scikit-learn's NotFittedError before `fit`."""
        check_is_fitted(self, "model_")
        return self.model_


def load(path: str | os.PathLike) -> Any:
    """The estimator whose ``save`` wrote the file, with the same predictions to the bit.

    Args:
        path: folder or .zip.

    Raises:
        InputError: see :func:`jaxsurv.artifacts.read_model`; also an unknown model, and parts that do
            not fit each other.
    """
    stored = read_model(path)
    name = stored.entries.get("model")
    if not isinstance(name, str) or name not in KINDS:
        raise InputError(
            f"{path}: unknown model {name!r}; there are {few(list(KINDS), 20)}. If it is yours, import the "
            "file that defines it first"
        )
    try:
        check_entries(stored.entries, _Common, "manifest")
        _check_settings(KINDS[name], stored.entries["settings"])
        estimator = KINDS[name]._restore(stored)
        estimator.metrics_ = stored.entries["metrics"]
        estimator.notes_ = stored.entries.get("notes", "")
        return estimator
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except Exception as error:  # whatever a file of another make leads to
        raise InputError(f"{path} is damaged or of another make: {error!r}") from error


def _check_settings(kind: type[FittedEstimator], settings: Mapping[str, Any]) -> None:
    """Refuse parameters of an estimator that are not of their type; counts and seeds are at least 0."""
    hints = get_type_hints(kind.__init__)
    check_entries(settings, {f"{name}?": hint for name, hint in hints.items()}, "settings")
    for name, value in settings.items():
        if isinstance(value, int) and value < 0:
            raise InputError(f"settings.{name} must be at least 0, got {value}")
