"""The elastic-net Cox model as an estimator, its penalty by cross-validation."""

from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np
import pandas as pd

from jaxsurv.data import stratified_kfold
from jaxsurv.estimators.fitted import Functions, Trained
from jaxsurv.estimators.inputs import Modalities
from jaxsurv.estimators.prepared import Prepared, as_batch
from jaxsurv.estimators.survival import SurvivalEstimator
from jaxsurv.models import CLINICAL, Batch, features
from jaxsurv.preprocess._encode import encoded_names
from jaxsurv.survival import coxnet_cv
from jaxsurv.types import Array, Key, Params


class Coxnet(SurvivalEstimator):
    """Elastic-net Cox regression on all features, z-scored; an absent modality counts as its mean.

    Lambda is where the cross-validated deviance is smallest, see :func:`jaxsurv.survival._coxnet_cv`; the
    baseline hazard is from the log hazards that the folds held out. See :class:`SurvivalEstimator` for
    X and y.

    Args:
        l1_ratio: 1 = lasso, towards 0 = ridge.
        n_lambdas: length of the path.
        lambda_min_ratio: its last lambda over its first.
        folds: of the cross-validation, at most as many as there are events.
        modalities: modality to its columns, for X in one table; None = one modality, ``"features"``.
        kinds: of modalities, where they are not to be inferred; see :class:`jaxsurv.data.Cohort`.
        components: principal components by which each wider modality enters; None = feature by feature.
        random_state: of the folds.

    Attributes:
        lambda_: the chosen penalty.
        coef_: Series by modality and feature (``feature=category`` for text), per standardised unit (one
            standard deviation, but 0.2 for codes and states that vary less, such as a rare mutation); the
            modalities' names are sorted, the clinical one last.
    """

    def __init__(
        self,
        *,
        l1_ratio: float = 0.5,
        n_lambdas: int = 40,
        lambda_min_ratio: float = 0.05,
        folds: int = 5,
        modalities: Modalities | None = None,
        kinds: Mapping[str, str] | None = None,
        components: int | None = None,
        random_state: int = 0,
    ) -> None:
        self.l1_ratio = l1_ratio
        self.n_lambdas = n_lambdas
        self.lambda_min_ratio = lambda_min_ratio
        self.folds = folds
        self.modalities = modalities
        self.kinds = kinds
        self.components = components
        self.random_state = random_state

    @property
    def coef_(self) -> pd.Series:
        """Of the fitted model."""
        fitted = self.fitted()
        reads, names = fitted.preprocessing, []
        for m in sorted(reads.columns, key=lambda m: (m == CLINICAL, m)):
            columns = [name for _, name in encoded_names(reads.schema, m)]
            if m in reads.projection:
                columns = [f"component {k}" for k in range(1, reads.projection[m].shape[1] + 1)]
            names += [(m, name) for name in columns]
        index = pd.MultiIndex.from_tuples(names, names=["modality", "feature"])
        return pd.Series(np.asarray(fitted.params["coef"][0]), index, name="coef")

    @staticmethod
    def functions(config: None) -> Functions:
        """See :class:`SurvivalEstimator`."""
        return Functions(_init, _predict)

    def _train(self, prepared: Prepared) -> Trained:
        shared, split = prepared.shared, prepared.splits
        event = np.asarray(shared.event)
        inputs = {m: np.asarray(x[0]) for m, x in split.inputs.items()}
        x = np.asarray(features(as_batch(inputs, shared.presence)))
        folds = min(self.folds, int(event.sum()))
        dealt = stratified_kfold(
            event, folds=folds, seed=int(self.random_state), validation_fraction=None
        )
        cv = coxnet_cv(
            x, event, np.asarray(shared.time), dealt.test.argmax(axis=0), l1_ratio=self.l1_ratio,
            n_lambdas=self.n_lambdas, lambda_min_ratio=self.lambda_min_ratio, tolerance=1e-3,
        )  # fmt: skip
        best = int(np.argmin(cv.deviance))
        coef = np.asarray(cv.path.coef[best], np.float32)
        self.lambda_ = float(cv.lambda_min)
        center = np.mean(x @ coef[:, None], axis=0)
        return Trained({"coef": coef[None]}, center, np.asarray(cv.held_out[best]))


def _init(key: Key, batch: Batch) -> Params:
    return {"coef": jnp.zeros(features(batch).shape[1])}


def _predict(params: Params, batch: Batch) -> Array:
    return features(batch) @ params["coef"]
