"""What all networks share: an ensemble over seeds, and a search, each as one compiled sweep."""

import warnings
from abc import abstractmethod
from collections.abc import Mapping
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from jaxsurv.data import Cohort
from jaxsurv.estimators.fitted import Functions, Trained
from jaxsurv.estimators.inputs import Modalities
from jaxsurv.estimators.prepared import Prepared, build
from jaxsurv.estimators.search import Grid, Search, folds_of, scored, search_table, settings_of
from jaxsurv.estimators.survival import SurvivalEstimator
from jaxsurv.models import CLINICAL
from jaxsurv.training import FitConfig, Optimizer, SweepResult, adam, sweep
from jaxsurv.types import InputError, Objective


class NetworkEstimator(SurvivalEstimator):
    """A network trained from several seeds, whose log hazards are averaged.

    Seed j of ``random_state``, ``random_state + 1``, ... trains on all but one fifth of the patients,
    another one for each of five seeds, stratified by event; the fifth stops it. So with five seeds or
    more every patient is held out from some of them, and the baseline hazard comes from all. With fewer
    it comes from those who are.

    If no epoch of any seed was better than none, a ``ConvergenceWarning`` of scikit-learn says so.

    See :class:`SurvivalEstimator` for X and y. To add a network, give a subclass `objective`,
    `default_config`, `default_hparams` and, unless it is Adam, `optimizer`.

    Args:
        config: static choices; None = the model's.
        hparams: traced scalars, set whole, as in ``set_params(hparams=HParams(beta=0.1))``; None = the
            model's.
        epochs: most epochs.
        patience: epochs without a better early-stopping loss after which training stops.
        batch_size: patients per step; None = all.
        n_seeds: networks in the ensemble.
        modalities: modality to its columns, for X in one table; None = one modality, ``"features"``.
        kinds: of modalities, where they are not to be inferred; see :class:`jaxsurv.data.Cohort`.
        components: principal components by which each wider modality enters; None = feature by feature.
        random_state: the first seed; the same one gives the same bits.
    """

    default_config: ClassVar[Any] = None
    default_hparams: ClassVar[Any]
    optimizer: ClassVar[Optimizer] = staticmethod(adam)

    def __init__(
        self,
        config: Any = None,
        hparams: Any = None,
        *,
        epochs: int = 300,
        patience: int = 40,
        batch_size: int | None = None,
        n_seeds: int = 5,
        modalities: Modalities | None = None,
        kinds: Mapping[str, str] | None = None,
        components: int | None = None,
        random_state: int = 0,
    ) -> None:
        self.config = config
        self.hparams = hparams
        self.epochs = epochs
        self.patience = patience
        self.batch_size = batch_size
        self.n_seeds = n_seeds
        self.modalities = modalities
        self.kinds = kinds
        self.components = components
        self.random_state = random_state

    @staticmethod
    @abstractmethod
    def objective(config: Any) -> Objective:
        """The model with these static choices."""

    @classmethod
    def functions(cls, config: Any) -> Functions:
        """See :class:`SurvivalEstimator`."""
        objective = cls.objective(config)
        return Functions(objective.init, objective.predict)

    @property
    def _config(self) -> Any:
        return self._chosen("config", self.default_config)

    @property
    def chosen_hparams(self) -> Any:
        """``hparams``, or the model's."""
        return self._chosen("hparams", self.default_hparams)

    def _chosen(self, name: str, default: Any) -> Any:
        given = getattr(self, name)
        if given is None:
            return default
        if type(given) is not type(default):
            wanted = "None, there is none" if default is None else f"a {type(default).__name__}"
            raise InputError(f"{name} of {type(self).__name__} must be {wanted}; got {given!r}")
        return given

    def _prepare(self, cohort: Cohort, endpoint: str, develop: np.ndarray) -> Prepared:
        if not set(cohort.modalities) - {CLINICAL}:
            raise InputError(
                f"there is no modality to encode beside {CLINICAL!r}; give it another name"
            )
        if not isinstance(self.n_seeds, Integral) or self.n_seeds < 1:
            raise InputError(f"n_seeds must be at least 1, got {self.n_seeds!r}")
        return super()._prepare(cohort, endpoint, develop)

    def _sweep(self, prepared: Prepared, hparams: list[Any], **options: Any) -> SweepResult:
        """All splits x seeds x settings in one compiled program."""
        seeds = [int(self.random_state) + j for j in range(self.n_seeds)]
        training = FitConfig(self.epochs, patience=self.patience, batch_size=self.batch_size)
        return sweep(
            self.objective(self._config), build, prepared.shared, prepared.splits, seeds=seeds,
            hparams=hparams, config=training, optimizer=self.optimizer, **options,
        )  # fmt: skip

    def search(self, X: Any, y: Any, grid: Grid, *, folds: int = 5) -> Search:
        """Cross-validate traced hyper-parameters: folds x seeds x settings as one compiled sweep.

        Preprocessing is fitted to the training patients of each fold, and a fold's C is that of the
        mean over the seeds on its test patients, as if each were fitted and scored by itself.

        Args:
            X, y: as for `fit`.
            grid: hyper-parameter to its values, all combinations of which are tried, or several such
                grids: ``{"beta": [0.01, 0.1, 1.0]}``. What is not in it is as in ``hparams``.
            folds: of the cross-validation, stratified by event.

        Raises:
            InputError: as `fit`; a hyper-parameter that there is not or that the model does not read.
        """
        objective = self.objective(self._config)
        points, settings = settings_of(grid, self.chosen_hparams, objective.unread)
        cohort, endpoint = self._labelled(X, y)
        event, time = (cohort.survival[f"{endpoint}_{c}"].to_numpy() for c in ("event", "time"))
        labelled = ~np.isnan(time)
        event = np.where(labelled, event, 0)
        test = folds_of(event, labelled, folds, int(self.random_state))
        runs = self._sweep(self._prepare(cohort, endpoint, labelled & ~test), settings)
        table = search_table(points, scored(runs, test, event, time))
        best = settings[table.index.to_list()[0]]
        fitted = clone(self).set_params(hparams=best).fit(X, y)
        return Search(table.reset_index(drop=True), runs.to_frame(), best, fitted)

    def _train(self, prepared: Prepared) -> Trained:
        def parameters(params: Any, batch: Any, masks: Any) -> Any:
            return params

        runs = self._sweep(prepared, [self.chosen_hparams], collect=parameters)
        if not runs.best_epoch.any():
            warnings.warn(
                "no epoch of any network was better than its initial parameters: nothing was learned; the "
                "learning rate may be too large, or the features may say nothing of the outcome",
                ConvergenceWarning,
                stacklevel=3,
            )
        develop, validation = prepared.splits.develop[0], prepared.splits.validation[0]
        stopped = np.asarray(validation)[runs.seed % len(validation)]
        center = training_mean(runs.prediction, np.asarray(develop) & ~stopped)
        risk, count = runs.prediction - center[:, None], stopped.sum(axis=0)
        held_out = (risk * stopped).sum(axis=0) / np.where(count > 0, count, np.nan)
        return Trained(runs.collected, center, held_out)


def training_mean(log_hazard: np.ndarray, train: np.ndarray) -> np.ndarray:
    """``[runs]`` means of ``log_hazard [runs, n]`` over the rows ``train [runs, n]`` of each run."""
    return (log_hazard * train).sum(axis=1, dtype=np.float64).astype(np.float32) / train.sum(axis=1)
