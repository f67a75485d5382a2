"""The elastic-net Cox model as an estimator, its penalty by cross-validation."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning

from jaxsurv.data import stratified_kfold
from jaxsurv.data.tables import warn
from jaxsurv.estimators.inputs import Modalities
from jaxsurv.estimators.survival import SurvivalEstimator
from jaxsurv.estimators.training_cohort import FittedTerms
from jaxsurv.models import CLINICAL, Batch, Model, features
from jaxsurv.preprocess._encode import encoded_names
from jaxsurv.recipe import Prepared, Recipe, Terms
from jaxsurv.recipe.members import tiled
from jaxsurv.recipe.prepared import outcome_in
from jaxsurv.recipe.settings import path_end
from jaxsurv.survival import coxnet_cv, neg_log_partial_likelihood
from jaxsurv.types import Array, Key, Objective, Params


class Coxnet(SurvivalEstimator):
    """Elastic-net Cox regression on all features, z-scored; an absent modality counts as its mean.

    Lambda is where the cross-validated deviance is smallest, see :func:`jaxsurv.survival.coxnet_cv`; the
    baseline hazard is from the log hazards that the folds held out. See :class:`SurvivalEstimator` for
    X and y.

    Args:
        l1_ratio: 1 = lasso, towards 0 = ridge.
        n_lambdas: length of the path.
        lambda_min_ratio: ratio of the last lambda of the path to the first; None = 0.05, or 0.005 with ten
            patients or more per column, where the best lambda is smaller.
        folds: number of cross-validation folds, at most as many as there are events.
        modalities: modality to its columns, for X in one table; None = one modality, ``"features"``.
        kinds: modality to its kind, where it is not to be inferred; see :class:`jaxsurv.data.Cohort`.
        recipe: scaling, selection, imputation, projection and offset, see :class:`jaxsurv.recipe.Recipe`;
            None = every feature as it was measured, no offset. An offset is a column without a penalty.
        components: short for a recipe with so many principal components per modality.
        random_state: seed of the folds.

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
        lambda_min_ratio: float | None = None,
        folds: int = 5,
        modalities: Modalities | None = None,
        kinds: Mapping[str, str] | None = None,
        recipe: Recipe | None = None,
        components: int | None = None,
        random_state: int = 0,
    ) -> None:
        self._set(locals())

    @property
    def coef_(self) -> pd.Series:
        """Coefficients of the fitted model."""
        fitted = self.fitted()
        reads, names = fitted.preprocessing, []
        for m in sorted(reads.columns, key=lambda m: (m == CLINICAL, m)):
            columns = [name for _, name in encoded_names(reads.schema, m)]
            if m in reads.chosen:
                columns = [columns[j] for j in reads.chosen[m]]
            if m in reads.projection:
                columns = [f"component {k}" for k in range(1, reads.projection[m].shape[1] + 1)]
            names += [(m, name) for name in columns]
        index = pd.MultiIndex.from_tuples(names, names=["modality", "feature"])
        params: Params = fitted.params.network
        return pd.Series(np.asarray(params["coef"][0]), index, name="coef")

    @property
    def _network(self) -> Model:
        return LINEAR

    def _train(self, prepared: Prepared) -> FittedTerms:
        batch, masks = prepared.build(prepared.shared, prepared.split(0), 0)
        x, develop = np.asarray(features(batch)), np.asarray(masks.develop)
        outcome = outcome_in(prepared.outcome, develop)  # that of the batch is float32
        event = np.asarray(outcome.event)
        penalty_factor = None
        if prepared.offset_model is not None:  # one more column, which has no penalty
            x = np.concatenate([x, np.asarray(batch.offset)[:, None]], axis=1)
            penalty_factor = np.append(np.ones(x.shape[1] - 1), 0.0)
        folds = min(self.folds, int(event[develop].sum()))
        dealt = stratified_kfold(
            event, folds=folds, seed=int(self.random_state), eligible=develop,
            validation_fraction=None, strata=outcome.stratum, patient=prepared.cohort.patients,
        )  # fmt: skip
        end = self.lambda_min_ratio
        cv = coxnet_cv(
            x, event, outcome.time, dealt.test.argmax(axis=0), entry=outcome.entry,
            strata=outcome.stratum, where=develop, l1_ratio=self.l1_ratio,
            n_lambdas=self.n_lambdas, penalty_factor=penalty_factor,
            lambda_min_ratio=path_end(develop.sum(), x.shape[1]) if end is None else end, tolerance=1e-3,
        )  # fmt: skip
        best = int(np.argmin(np.asarray(cv.deviance)))
        coef = np.asarray(cv.path.coef)[best].astype(np.float32)
        self.lambda_ = float(cv.lambda_min)
        if not coef[: features(batch).shape[1]].any():
            warn(
                "no feature has a coefficient at the chosen penalty: the features alone say nothing of the "
                "outcome that cross-validation could find",
                ConvergenceWarning,
            )
        center = np.mean((x @ coef[:, None])[develop], axis=0)
        held_out = np.where(develop, np.asarray(cv.held_out)[best], np.nan)
        offset = None
        if prepared.offset_model is not None:  # a linear model, which its coefficient scales
            *coef, scale = coef
            offset = tiled(jax.tree.map(lambda a: a * scale, prepared.offset_model.models[0]), 1)
        one = {"network": np.ones(1, np.float32)}
        params = {"coef": np.asarray(coef, np.float32)[None]}
        return FittedTerms(Terms(params, offset, {}, one), center, held_out)


def _init(key: Key, batch: Batch) -> Params:
    return {"coef": jnp.zeros(features(batch).shape[1])}


def _predict(params: Params, batch: Batch) -> Array:
    return features(batch) @ params["coef"] + batch.offset


def _loss(params: Params, batch: Batch, key: Key, hparams: Any = None):
    value = _score(params, batch)
    return value, {"loss": value}


def _score(params: Params, batch: Batch) -> Array:
    return neg_log_partial_likelihood(_predict(params, batch), risk_sets=batch.risk_sets)


def _linear(config: None = None) -> Objective:
    return Objective(_init, _loss, _predict, _score, criterion="cox")


# not registered: no sweep trains it, its coefficients come from the path
LINEAR = Model("Coxnet", _linear, hparams=None)
