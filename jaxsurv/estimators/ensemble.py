"""Base class of all networks: an ensemble over seeds, and a search, each as one compiled sweep."""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from inspect import Parameter, signature
from typing import Any, Self

import jax
import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from jaxsurv.arguments.settings import check_whole
from jaxsurv.data.tables import warn
from jaxsurv.estimators.inputs import Modalities
from jaxsurv.estimators.latents import Latents
from jaxsurv.estimators.outcomes import outcome_of
from jaxsurv.estimators.search import Grid, Search, folds_of, scored, search_table, settings_of
from jaxsurv.estimators.survival import SurvivalEstimator
from jaxsurv.estimators.training_cohort import FittedTerms
from jaxsurv.models import Model, find_model
from jaxsurv.models.registry import objective_of
from jaxsurv.recipe import LinearCox, Prepared, Recipe, Terms, ensemble, lowest_loss
from jaxsurv.recipe.members import tiled
from jaxsurv.recipe.networks import train_networks, training_means
from jaxsurv.training import FitConfig, SweepResult
from jaxsurv.types import ArrayLike, InputError, Objective


class NetworkEnsemble(Latents, SurvivalEstimator, base=True):
    """Networks of several seeds: their sweep, their search and their mean."""

    model: str | Model
    config: Any
    hparams: Any
    epochs: int
    burn_in: int
    patience: int
    batch_size: int | None
    n_seeds: int
    choice_: dict[str, float]

    @property
    def _network(self) -> Model | None:
        return find_model(self.model)

    @property
    def _config(self) -> Any:
        return self._chosen("config", self._network and self._network.config)

    @property
    def chosen_hparams(self) -> Any:
        """``hparams``, or the model's, with those that were given by name."""
        whole = self._chosen("hparams", self._network and self._network.hparams)
        given = {name: getattr(self, name, None) for name in getattr(whole, "_fields", ())}
        given = {name: [value] for name, value in given.items() if value is not None}
        return settings_of(given, whole, self._objective.unread)[1][0] if given else whole

    @property
    def _objective(self) -> Objective:
        if self._network is None:
            raise InputError(f"{type(self).__name__} has no network whose settings could be chosen")
        return objective_of(self._network, self._config)

    def _chosen(self, name: str, default: Any) -> Any:
        given = getattr(self, name)
        if given is None:
            return default
        if type(given) is not type(default):
            wanted = "None, there is none" if default is None else f"a {type(default).__name__}"
            raise InputError(f"{name} of {type(self).__name__} must be {wanted}; got {given!r}")
        return given

    def predict_cumulative_incidence(self, X: Any, times: ArrayLike) -> np.ndarray:
        """``[n, causes, t]`` probabilities of an event of each cause up to each of ``times`` ``[t]``.

        Of a network with ``head="competing"`` in its config: the mean of its members' incidences. With
        `predict_survival_function`, the probability of no event, they add up to 1. After the last event of
        training they stay as they are.

        Args:
            X: features, see `predict`.
            times: ``[t]``, in the unit of the training cohort.

        Raises:
            InputError: a network with another head, or a stack with Cox models, which are of one cause.
        """
        fitted = self.fitted()
        return fitted.incidence_of(fitted.rows(self._new(X)), self._times(times))

    def _grid(self) -> Mapping[str, Sequence[float]]:
        """Hyper-parameters to choose from: those that the model profiles, unless they are given."""
        profile = self._network and self._network.profile
        if profile is None or self.hparams is not None:
            return {}
        name, values = profile
        return {} if getattr(self, name, None) is not None else {name: values}

    def _chosen_runs(self, prepared: Prepared) -> SweepResult:
        """The runs at the setting of the grid with the lowest early-stopping loss, which is ``choice_``."""
        hparams, grid = self.chosen_hparams, self._grid()
        points, settings = (
            settings_of(grid, hparams, self._objective.unread) if grid else ([{}], [hparams])
        )
        runs = self._sweep(prepared, settings)
        number = np.arange(len(runs.split)) % len(settings)
        kept = lowest_loss(runs.split, number, runs.best_score)
        self.choice_ = points[int(number[kept][0])]
        runs = jax.tree.map(lambda a: a[kept], runs)
        warn_if_nothing_was_learned(runs, offset_of(prepared) is not None)
        return runs

    def _sweep(self, prepared: Prepared, settings: list[Any]) -> SweepResult:
        """All splits x seeds x settings in one compiled program."""
        check_whole("n_seeds", self.n_seeds)
        training = FitConfig(self.epochs, self.burn_in, self.patience, self.batch_size)
        return train_networks(
            prepared, self._network, self._objective, settings, seeds=int(self.n_seeds),
            training=training, stream=int(self.random_state),
        )  # fmt: skip

    def search(
        self, X: Any, y: Any, grid: Grid, *, folds: int = 5, where: ArrayLike | None = None
    ) -> Search:
        """Cross-validate traced hyper-parameters: folds x seeds x settings as one compiled sweep.

        The recipe is fitted to the training patients of each fold, and a fold's C is that of the whole
        model on its test patients, as if each were fitted and scored by itself.

        Args:
            X, y: features and outcome, see `fit`.
            grid: hyper-parameter to its values, all combinations of which are tried, or several such
                grids: ``{"beta": [0.01, 0.1, 1.0]}``. Hyper-parameters not in the grid are as in ``hparams``;
                one that fits choose by themselves, as ``l2`` of Cox-nnet, is searched with the grid.
            folds: number of folds of the cross-validation, stratified by event.
            where: ``[n]`` booleans, the rows of X to search on and to fit to, see `fit`. None = all.

        Raises:
            InputError: see `fit`; a hyper-parameter that there is not or that the model does not read.
        """
        profiled = NetworkEnsemble._grid(self)
        points, settings = settings_of(grid, self.chosen_hparams, self._objective.unread, profiled)
        cohort, endpoint, labelled = self._training(X, y, where)
        event, time, entry, strata = outcome_of(cohort, endpoint)
        event = np.where(labelled, event, 0)
        strata = None if strata is None else np.where(labelled, strata, "")
        seed = int(self.random_state)
        test = folds_of(event, labelled, folds, seed, strata, cohort.patients)
        prepared = self._prepare(cohort, endpoint, labelled & ~test)
        runs = self._sweep(prepared, settings)
        risks = self._risks(prepared, runs, len(settings))
        table = search_table(points, scored(risks, test, event, time, strata, entry))
        best = settings[table.index.to_list()[0]]
        fitted = self._with_best(best).fit(X, y, where=where)
        return Search(table.reset_index(drop=True), runs.to_frame(), best, fitted)

    def _with_best(self, hparams: Any) -> Self:
        by_name = dict.fromkeys(set(hparams._fields) & set(self._get_param_names()))
        return clone(self).set_params(hparams=hparams, **by_name)

    def _risks(self, prepared: Prepared, runs: SweepResult, settings: int) -> np.ndarray:
        """``[settings, folds, n]`` log hazards of the models of every setting."""
        each = [np.arange(len(runs.split)) % settings == s for s in range(settings)]
        return np.stack([
            ensemble(prepared, runs.split[r], runs.prediction[r], runs.seed[r]).log_hazard
            for r in each
        ])  # fmt: skip

    def _train(self, prepared: Prepared) -> FittedTerms:
        runs = self._chosen_runs(prepared)
        held_out = ensemble(prepared, runs.split, runs.prediction, runs.seed).held_out[0]
        center = training_means(prepared, runs.split, runs.prediction, runs.seed)
        offset = offset_of(prepared)
        terms = Terms(runs.collected, None, {}, {"network": np.ones(len(center), np.float32)})
        terms = terms._replace(offset=tiled(offset, len(center)))
        return FittedTerms(terms, center.astype(np.float32), held_out)


class NetworkEstimator(NetworkEnsemble, base=True):
    """A network trained from several seeds, whose log hazards are averaged.

    Seed j = 0, 1, ... trains on all but one fifth of the patients, another one for each of five seeds,
    stratified by event; the fifth stops it. So with five seeds or more every patient is held out from
    some of them, and the baseline hazard comes from all. With fewer it comes from those who are.

    If no epoch of any seed was better than none, a ``ConvergenceWarning`` of scikit-learn says so.

    See :class:`SurvivalEstimator` for X and y, :class:`Network` for any model that is registered.

    Args:
        config: static choices; None = the model's.
        hparams: traced scalars, set whole, as in ``hparams=HParams(beta=0.1)``; None = the model's. Each of
            them is also a parameter by its name, as in ``MORiskVAE(beta=0.1)``; None = as in ``hparams``. One
            that the model profiles, ``l2`` of Cox-nnet, is chosen by the lowest early-stopping loss if it is
            given in neither way.
        epochs: most epochs.
        burn_in: epochs before patience starts to count.
        patience: epochs without a better early-stopping loss after which training stops.
        batch_size: patients per step; None = all.
        n_seeds: networks in the ensemble.
        modalities: modality to its columns, for X in one table; None = one modality, ``"features"``.
        kinds: kinds of modalities, where they are not to be inferred; see :class:`jaxsurv.data.Cohort`.
        recipe: scaling, selection, imputation, projection and offset, see
            :class:`jaxsurv.recipe.Recipe`; None = every feature as it was measured, no offset.
        components: short for a recipe with so many principal components per modality.
        random_state: number of the deal into early-stopping parts and of the random stream; the same
            one gives the same bits.

    Attributes:
        choice_: hyper-parameters that were chosen, by name.
    """

    model: str | Model  # of subclasses, the name of their registry entry

    def __init_subclass__(cls, **options: Any) -> None:
        """Make the hyper-parameters of the subclass's model parameters of its ``__init__``."""
        super().__init_subclass__(**options)
        if isinstance(name := vars(cls).get("model"), str):
            cls.__init__ = _with_parameters(cls.__init__, find_model(name).hparams._fields)

    def __init__(
        self,
        config: Any = None,
        hparams: Any = None,
        *,
        epochs: int = 300,
        burn_in: int = 20,
        patience: int = 40,
        batch_size: int | None = None,
        n_seeds: int = 5,
        modalities: Modalities | None = None,
        kinds: Mapping[str, str] | None = None,
        recipe: Recipe | None = None,
        components: int | None = None,
        random_state: int = 0,
    ) -> None:
        self._set(locals())


def _with_parameters(init: Callable[..., None], names: Sequence[str]) -> Callable[..., None]:
    """``init`` with more parameters, None if not given; scikit-learn reads its signature."""
    known = signature(init)

    @wraps(init)
    def __init__(self, *args: Any, **parameters: Any) -> None:
        for name in names:
            setattr(self, name, parameters.pop(name, None))
        init(self, *args, **parameters)

    added = [Parameter(name, Parameter.KEYWORD_ONLY, default=None) for name in names]
    __init__.__signature__ = known.replace(parameters=[*known.parameters.values(), *added])
    return __init__


def warn_if_nothing_was_learned(runs: SweepResult, offset: bool) -> None:
    """A ``ConvergenceWarning`` if no epoch of any network was better than none; ``offset``: it has one."""
    if not runs.best_epoch.any():
        left = (
            "the network adds nothing to the Cox model that is its offset, and its risks are that model's"
            if offset
            else "nothing was learned, and all risks are the same"
        )
        warn(
            f"no epoch of any network was better than its initial parameters: {left}; the learning rate may "
            f"be too large, or the features may say nothing {'more ' * offset}of the outcome",
            ConvergenceWarning,
        )


def offset_of(prepared: Prepared) -> LinearCox | None:
    """The Cox model of the one split whose log hazard is the offset."""
    return None if prepared.offset_model is None else prepared.offset_model.models[0]
