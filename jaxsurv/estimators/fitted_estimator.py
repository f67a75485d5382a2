"""What survival and image estimators share: a fitted model, and its file."""

import os
from collections.abc import Mapping
from typing import Any, Generic, Self, TypeVar

from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

Fitted = TypeVar("Fitted")


class FittedEstimator(BaseEstimator, Generic[Fitted]):
    """An estimator whose ``model_`` is all that new patients need.

    Attributes:
        model_: after ``fit``.
        settings_: the parameters that ``fit`` was called with, which a model file names.
    """

    model_: Fitted
    settings_: dict[str, Any]

    def _keep(self, model: Fitted) -> Self:
        """End of ``fit``."""
        self.model_, self.settings_ = model, self.get_params(deep=False)
        return self

    def save(
        self,
        path: str | os.PathLike,
        *,
        metrics: Mapping[str, tuple[float, float, float]] | None = None,
    ) -> None:
        """Write the fitted model to a new folder, or a .zip; :func:`jaxsurv.estimators.load` reads it.

        Args:
            path: that does not exist yet.
            metrics: what else to tell those who use it: name to value, lower and upper bound.
        """
        from jaxsurv.estimators.saved import save  # which knows all estimators

        save(path, self, metrics=metrics or {})

    def fitted(self) -> Fitted:
        """What predicts; raises scikit-learn's NotFittedError before `fit`."""
        check_is_fitted(self, "model_")
        return self.model_
