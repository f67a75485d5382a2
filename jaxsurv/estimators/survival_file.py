"""Survival estimators as model files, and back."""

from typing import Any, Self

import numpy as np

from jaxsurv.artifacts import StoredModel
from jaxsurv.estimators.file_entries import check_entries, checked_config
from jaxsurv.estimators.fitted import FittedModel
from jaxsurv.estimators.fitted_estimator import FittedEstimator
from jaxsurv.estimators.saved_survival import read_fitted, write_fitted
from jaxsurv.models import Model
from jaxsurv.models.config import config_of, current_entries
from jaxsurv.recipe import Recipe
from jaxsurv.recipe.settings import recipe_of

# attributes that files hold beside the model
_KEPT = ("n_features_in_", "feature_names_in_", "lambda_", "choice_")


class SurvivalFile(FittedEstimator[FittedModel], base=True):
    """A survival estimator whose file holds its parameters beside the fitted model."""

    _network: Model | None
    _config: Any

    def _store(self) -> StoredModel:
        columns = {c: getattr(self, c) for c in _KEPT if hasattr(self, c)}
        return write_fitted(self.fitted(), self.settings_, columns)

    @classmethod
    def _restore(cls, stored: StoredModel) -> Self:
        entries = stored.entries
        settings = dict(entries["settings"])
        check_entries(entries, {"recipe?": Recipe | None}, "manifest")
        if (recipe := entries.get("recipe")) is not None:
            settings["recipe"] = recipe_of(recipe)
        estimator = cls(**settings)
        network = estimator._network
        if network is not None and network.hparams is not None and entries["hparams"] is not None:
            check_entries(entries["hparams"], type(network.hparams), "hparams")
            estimator.hparams = type(network.hparams)(**entries["hparams"])
        if network is not None and network.config is not None and entries["config"] is not None:
            kind = type(network.config)
            config = checked_config(current_entries(kind, entries["config"]), kind)
            estimator.config = config_of(kind, config)
        estimator._keep(read_fitted(network, estimator._config, stored))
        for name, value in entries["columns"].items():
            if name in _KEPT:
                value = np.array(value, object) if isinstance(value, list) else value
                setattr(estimator, name, value)
        return estimator
