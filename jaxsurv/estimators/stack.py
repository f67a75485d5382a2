"""The stack as an estimator: networks and Cox models, weighted by how well they do on rows held out."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import jax
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from jaxsurv.data.tables import warn
from jaxsurv.estimators.ensemble import NetworkEnsemble, offset_of
from jaxsurv.estimators.inputs import Modalities
from jaxsurv.estimators.training_cohort import FittedTerms
from jaxsurv.models import Model, find_model
from jaxsurv.recipe import (
    Prepared,
    Recipe,
    Terms,
    cox_members,
    ensemble,
    stack,
)
from jaxsurv.recipe.members import tiled
from jaxsurv.recipe.networks import training_means
from jaxsurv.recipe.stacking import NETWORK, RECOMMENDED, Stack
from jaxsurv.training import SweepResult
from jaxsurv.types import InputError

BETAS = (0.01, 0.1, 1.0)


class SurvivalStack(NetworkEnsemble):
    """A stack of Cox models and, where it adds something, an ensemble of networks: the recommended estimator.

    What `experiments.sweep_beta` scores is this estimator under the splits of a study. The network's
    hyper-parameters are chosen by early-stopping losses inside the training rows; the weights of the
    members are fitted to held-out log hazards, see :func:`jaxsurv.recipe.stack`; the baseline hazard
    comes from held-out log hazards too.

    Networks have to earn their weight; without, the fitted model leaves them out. If held-out rows show that
    nothing was found, the weights are next to 0 and a ``ConvergenceWarning`` of scikit-learn says so.

    New patients who lack a modality are scored by the members that can, with a warning.

    Args:
        members: names of members and of groups of members, see :func:`jaxsurv.recipe.cox_members`;
            ``"network"`` is the ensemble.
        network: name of a registered model, or its entry.
        config: static choices of the network; None = the model's.
        hparams: traced scalars of the network; None = the model's.
        grid: hyper-parameter of the network to the values to choose from, ``{}`` = no choice. None: beta
            from 0.01, 0.1 and 1, if the network reads it, or what its model profiles, such as ``l2`` of
            Cox-nnet, if ``hparams`` is None; else no choice.
        epochs, burn_in, patience, batch_size, n_seeds: most epochs, epochs before patience counts, epochs
            without a better early-stopping loss, patients per step (None = all), networks in the ensemble.
        modalities: modality to its columns, for X in one table; None = one modality, ``"features"``.
        kinds: kinds of modalities, where they are not to be inferred.
        recipe: choices of the preprocessing; None = ``Recipe()``: eight principal components per modality,
            and the block ridge Cox model as offset.
        random_state: number of the deal into early-stopping parts and of the random stream; split number s
            of a study has s.

    Attributes:
        choice_: hyper-parameters that were chosen from the grid, by name.
    """

    def __init__(
        self,
        members: Sequence[str] = RECOMMENDED,
        *,
        network: str | Model = "SurvivalVAE",
        config: Any = None,
        hparams: Any = None,
        grid: Mapping[str, Sequence[float]] | None = None,
        epochs: int = 300,
        burn_in: int = 20,
        patience: int = 40,
        batch_size: int | None = None,
        n_seeds: int = 5,
        modalities: Modalities | None = None,
        kinds: Mapping[str, str] | None = None,
        recipe: Recipe | None = None,
        random_state: int = 0,
    ) -> None:
        self._set(locals())

    @property
    def weights_(self) -> pd.Series:
        """Weight of each member, >= 0; 0 of members without a signal and of networks that add nothing."""
        weights = self.fitted().params.weights
        values = {name: float(np.asarray(w)[0]) for name, w in weights.items()}
        if NETWORK in self.members:
            values.setdefault(NETWORK, 0.0)
        return pd.Series(values, name="weight").rename_axis("member")

    @property
    def _network(self) -> Model | None:
        return find_model(self.network) if NETWORK in self.members else None

    @property
    def _recipe(self) -> Recipe:
        return Recipe() if self.recipe is None else super()._recipe

    def _grid(self) -> Mapping[str, Sequence[float]]:
        """``grid``, or beta where the network reads it, or what its model profiles."""
        if self.grid is None:
            beta = "beta" in self.chosen_hparams._fields and "beta" not in self._objective.unread
            return {"beta": BETAS} if beta and self.hparams is None else super()._grid()
        if not isinstance(self.grid, Mapping):
            raise InputError(
                f"grid must map hyper-parameters to lists of values, got {self.grid!r}"
            )
        return self.grid

    def _train(self, prepared: Prepared) -> FittedTerms:
        if isinstance(self.members, str) or not self.members:
            raise InputError(f"members must be a list of names, got {self.members!r}")
        cox = cox_members(prepared, self.members)
        offset, self.choice_ = None, {}
        if self._network is None:
            stacked, params, center = stack(prepared, cox), None, np.zeros(1)
        else:
            runs = self._chosen_runs(prepared)
            stacked = self._stacked(prepared, cox, runs)
            center = training_means(prepared, runs.split, runs.prediction, runs.seed)
            center = center * float(stacked.weights[0, -1])
            params, offset = runs.collected, offset_of(prepared)
        _tell_if_nothing_was_found(stacked)
        weight = dict(zip(stacked.members, stacked.weights[0], strict=True))
        if weight.get(NETWORK) == 0:  # it adds nothing: the model is that of the Cox models
            del weight[NETWORK]
            params, offset, center = None, None, np.zeros(1)
        n = len(center)
        weights = {name: np.full(n, w, np.float32) for name, w in weight.items()}
        models = {name: tiled(fitted.models[0], n) for name, fitted in cox.items()}
        terms = Terms(params, tiled(offset, n), models, weights)
        return FittedTerms(terms, center.astype(np.float32), np.asarray(stacked.held_out[0]))

    def _stacked(self, prepared: Prepared, cox: Mapping[str, Any], runs: SweepResult) -> Stack:
        member = ensemble(prepared, runs.split, runs.prediction, runs.seed)
        return stack(prepared, {**cox, NETWORK: member})

    def _risks(self, prepared: Prepared, runs: SweepResult, settings: int) -> np.ndarray:
        cox, risks = cox_members(prepared, self.members), []
        for s in range(settings):
            part = jax.tree.map(lambda a, s=s: a[np.arange(len(runs.split)) % settings == s], runs)
            risks.append(np.asarray(self._stacked(prepared, cox, part).log_hazard))
        return np.stack(risks)

    def _with_best(self, hparams: Any) -> Self:
        return clone(self).set_params(hparams=hparams, grid={})


def _tell_if_nothing_was_found(stacked: Stack) -> None:
    """A ``ConvergenceWarning`` if held-out rows are no likelier under the stack than without any feature."""
    if stacked.found[0] <= 1:
        warn(
            f"nothing was found: the likelihood ratio of held-out rows is {stacked.found[0]:.2g}, as where "
            "no feature tells of the outcome; the weights are next to 0, and so are all log hazards. Single "
            "features that tell of it can be lost among many: Coxnet looks for them",
            ConvergenceWarning,
        )
