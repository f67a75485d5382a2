"""Base class of survival estimators: reading X and y, the ensemble's predictions, curves, score."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.utils import Tags

from jaxsurv.arguments.columns import column
from jaxsurv.arguments.settings import check_whole
from jaxsurv.data import Cohort, without_test
from jaxsurv.estimators.cause_codes import codes_of, names_of
from jaxsurv.estimators.derived_curves import DerivedCurves
from jaxsurv.estimators.explanation import Explanation, explain
from jaxsurv.estimators.fitted import FittedModel
from jaxsurv.estimators.inputs import (
    Modalities,
    Patients,
    as_frame,
    in_strata,
    is_mudata,
    read_patients,
)
from jaxsurv.estimators.lower_bounds import LowerBounds, held_out_rows
from jaxsurv.estimators.metadata import METADATA, names_given, refuse_forgotten, with_metadata
from jaxsurv.estimators.outcomes import (
    Labelled,
    labelled_cohort,
    outcome_of,
    rows_to_fit,
    with_outcome,
)
from jaxsurv.estimators.survival_file import SurvivalFile
from jaxsurv.estimators.training_cohort import FittedTerms, describe_training
from jaxsurv.metrics import concordance_index
from jaxsurv.models import Model
from jaxsurv.recipe import AS_MEASURED, Prepared, Recipe, prepare
from jaxsurv.types import ArrayLike, InputError


class SurvivalEstimator(LowerBounds, DerivedCurves, SurvivalFile, base=True):
    """A survival model with fit, predict and score as scikit-learn has them.

    X is a table or array (``modalities`` says which columns belong together), a dict of tables
    by modality, whose patients may differ, a :class:`jaxsurv.data.Cohort` or a MuData. Tables are pandas',
    whose columns may be pairs (modality, feature), or any with named columns, such as polars'. Within a
    table, a patient without any value lacks the modality. y is a structured array with a boolean and a
    float field, a DataFrame with event and time, or a pair ``(event, time)``; DataFrames and structured
    arrays may have ``entry``, delayed entry, ``stratum``, and ``patient``, where patients have several rows.
    For a cohort, which knows all this, y is the name of an endpoint. Rows of X and y are matched by name if
    both have names, else by order. Patients are compared within strata alone, in every Cox loss and in C,
    and each stratum has its own baseline hazard.

    The recipe is fitted to the training patients and kept with the model. By default values are clipped
    and standardised, single missing ones become the mean, and nothing is known of the log hazard
    beforehand; a ``recipe=Recipe()`` has a ridge Cox model as offset, from which networks start. The modality
    named ``clinical`` enters at the head of networks.

    Attributes:
        model_: :class:`jaxsurv.estimators.fitted.FittedModel`.
        n_features_in_, feature_names_in_: columns of an array or a DataFrame.
    """

    modalities: Modalities | None
    kinds: Mapping[str, str] | None
    recipe: Recipe | None
    random_state: int
    components: int | None = None
    _beside: tuple[str, ...] = ()  # what `fit` was given beside y
    # scikit-learn routes these without set_fit_request and set_score_request
    __metadata_request__fit = dict.fromkeys(METADATA, True)
    __metadata_request__score = dict.fromkeys(METADATA, True)

    @abstractmethod
    def _train(self, prepared: Prepared) -> FittedTerms:
        """Fit to the one split of ``prepared``."""

    @property
    def _network(self) -> Model | None:
        """The registry entry of the network, if there is one."""
        return None

    @property
    def _config(self) -> Any:
        return None

    @property
    def _unlabelled(self) -> bool:
        """Whether patients without an outcome can train."""
        return self._network is not None and self._network.unlabelled

    @property
    def _recipe(self) -> Recipe:
        """``recipe``, or that of the estimator, with ``components`` if these are given."""
        given = AS_MEASURED if self.recipe is None else self.recipe
        if not isinstance(given, Recipe):
            raise InputError(f"recipe must be a jaxsurv.recipe.Recipe or None, got {given!r}")
        if self.components is None:
            return given
        if self.recipe is not None and given.components != self.components:
            raise InputError(
                f"components={self.components} and a recipe with components={given.components}; give them "
                "once, in the recipe"
            )
        return replace(given, components=self.components)

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        where: ArrayLike | None = None,
        strata: ArrayLike | None = None,
        entry: ArrayLike | None = None,
    ) -> Self:
        """Fit recipe and model.

        Args:
            X, y: patients and outcomes, see the class.
            where: ``[n]`` booleans, the rows of X to fit to; the others have no influence. None = all.
            strata, entry: ``[n]`` labels and delayed entry, in the order of the rows, where y has no such
                columns; scikit-learn's metadata routing gives them here and to `score`.

        Raises:
            InputError: naming the column, patient and value that cannot be analysed, and the fix.
        """
        y = with_metadata(X, y, self.modalities, strata=strata, entry=entry)
        self._beside = names_given(strata=strata, entry=entry)
        cohort, endpoint, rows = self._training(X, y, where)
        event, time, entry, strata = outcome_of(cohort, endpoint)
        prepared = self._prepare(cohort, endpoint, rows[None])
        trained = self._train(prepared)
        event, missing = np.where(rows, event, np.nan), int(np.isnan(time).sum())
        times, unit = np.where(rows, time, np.nan), cohort.time_unit
        baselines, summary = describe_training(
            trained, event, times, entry, strata, time_unit=unit, patients=cohort.patients
        )
        summary = summary._replace(unlabelled=missing, causes=names_of(cohort, self._config))
        held_out = held_out_rows(trained.held_out, event, times, entry, strata)
        self._note_columns(X)
        network = self._network if "network" in trained.terms.weights else None
        return self._keep(FittedModel(
            network, self._config, prepared.preprocessing(0), trained.terms, trained.center,
            baselines, summary, held_out,
        ))  # fmt: skip

    def predict(self, X: Any) -> np.ndarray:
        """``[n]`` log hazards, higher = worse; 0 is the mean of the training patients.

        Rows are those of X; of a dict of tables with different patients, the patients in the order in which
        they first appear (`risk_table` has their names).
        """
        return self.fitted().log_hazard(self._new(X))

    def predict_survival_function(
        self, X: Any, times: ArrayLike, *, strata: ArrayLike | None = None
    ) -> np.ndarray:
        """``[n, t]`` probabilities of being free of the event at ``times`` ``[t]``.

        The baseline hazard is Breslow's (with Efron's correction for ties), from the log hazards of
        training patients whom a member of the ensemble has not trained on. After the last event of
        the training cohort curves stay as they are. A patient of a stratum of training has the baseline
        hazard of that stratum, all others that of all strata together, with a warning. Networks with curves
        of their own give their mean instead, those of competing causes the probability of no event of any.

        Args:
            X: features, see `predict`.
            times: ``[t]``, in the unit of the training cohort.
            strata: ``[n]`` labels of the rows of X; None = those of a cohort.

        Warns:
            DataWarning: patients of no stratum of training, where it had strata.
        """
        return self.fitted().survival(in_strata(self._new(X), strata), self._times(times))

    def risk_table(
        self, X: Any, times: ArrayLike = (), *, strata: ArrayLike | None = None
    ) -> pd.DataFrame:
        """One row per patient: risk, percentile, survival at ``times``, group.

        ``risk`` is `predict`; ``percentile`` its place among the held-out risks of the training cohort;
        ``group`` is high above their median, else low. Few of an ensemble's networks have not trained on
        a patient, and their mean spreads wider than that of all: percentiles of new patients are a little
        nearer to 50 than they would be among each other.
        """
        return self.fitted().table(in_strata(self._new(X), strata), self._times(times))

    def score(
        self,
        X: Any,
        y: Any = None,
        *,
        strata: ArrayLike | None = None,
        entry: ArrayLike | None = None,
    ) -> float:
        """Harrell's C of the predictions, within strata, and with entry among those at risk.

        Args:
            X, y, strata, entry: patients and outcomes, see `fit`.
        """
        y = with_metadata(X, y, self.modalities, strata=strata, entry=entry)
        patients, event, time, strata, entry = self._with_outcome(X, y)
        risk = self.fitted().log_hazard(patients)
        return float(concordance_index(risk, event, time, strata=strata, entry=entry).index)

    def explain(self, X: Any, y: Any = None, *, steps: int = 128, repeats: int = 5) -> Explanation:
        """Explain the risks and C: attributions and importances per feature, modality and patient.

        Integrated gradients (:func:`jaxsurv.estimators.attribution.integrated_gradients`) divide each
        patient's log hazard among the features; with an outcome, Harrell's C is computed after permuting
        each feature and each table, and with each modality withheld. Give patients who were held out: on
        those who trained the model C is too good, and a feature that was learned by heart looks
        important.

        Args:
            X: features, see `predict`.
            y: outcome, see `score`; patients without an outcome are left out. None = no C.
            steps: number of steps of the path from the training mean to each patient.
            repeats: permutations of each feature and each table.

        Raises:
            InputError: see `score`; no comparable pair of patients; an outcome with entry.

        Warns:
            DataWarning: a modality that none of the patients has.
        """
        for name, value in {"steps": steps, "repeats": repeats}.items():
            check_whole(name, value)
        patients, *outcome = (self._new(X),) if y is None else self._with_outcome(X, y)
        return explain(
            self.fitted(), patients, tuple(outcome) or None,
            steps=int(steps), repeats=int(repeats), seed=int(self.random_state),
        )  # fmt: skip

    def _labelled(self, X: Any, y: Any, unlabelled: bool = False) -> tuple[Cohort, str]:
        how: Any = {"unlabelled": self._unlabelled or unlabelled, "codes": codes_of(self._config)}
        return labelled_cohort(X, y, self.modalities, self.kinds or {}, **how)

    def _training(self, X: Any, y: Any, where: Any) -> tuple[Cohort, str, np.ndarray]:
        """The cohort, its endpoint, and ``[n]`` booleans: the labelled patients to train on."""
        cohort, endpoint = self._labelled(X, y, unlabelled=where is not None)
        return rows_to_fit(X, where, cohort, endpoint, self._unlabelled)

    def _with_outcome(self, X: Any, y: Any) -> Labelled:
        if isinstance(X, Cohort):
            X, y = self._labelled(X, y)
        found = with_outcome(X, y, self._new(X), codes_of(self._config))
        refuse_forgotten(self._beside, {"strata": found.strata, "entry": found.entry})
        return found

    def _prepare(self, cohort: Cohort, endpoint: str, develop: np.ndarray) -> Prepared:
        """The recipe fitted to each row of ``develop [s, n]``."""
        check_whole("random_state", self.random_state, 0)
        outcome, labelled = cohort.outcome(endpoint), ~np.isnan(outcome_of(cohort, endpoint)[1])
        splits = without_test(
            outcome.event, develop[:, labelled], seed=int(self.random_state), strata=outcome.stratum,
            patient=cohort.patients,
        )  # fmt: skip
        return prepare(cohort, endpoint, splits, self._recipe, unlabelled=self._unlabelled)

    def _new(self, X: Any) -> Patients:
        self.fitted()  # or no features are expected
        array = getattr(X, "ndim", 0) == 2 and not hasattr(X, "columns")
        expected = getattr(self, "n_features_in_", None)
        if array and np.shape(X)[1] != expected:
            raise InputError(
                f"X has {np.shape(X)[1]} features, but {type(self).__name__} is expecting "
                f"{expected or 'tables by modality, and no'} features as input"
            )
        patients = read_patients(X, self.modalities)
        if self._recipe.blocks is None:
            return patients
        known = self.fitted().preprocessing.schema.features  # not of blocks that were left out
        return patients._replace(tables={m: t for m, t in patients.tables.items() if m in known})

    def _note_columns(self, X: Any) -> None:
        for name in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)
        X = as_frame(X)
        if isinstance(X, Cohort | Mapping) or is_mudata(X) or np.ndim(X) != 2:
            return
        self.n_features_in_ = np.shape(X)[1]
        if hasattr(X, "columns") and all(isinstance(c, str) for c in X.columns):
            self.feature_names_in_ = np.asarray(X.columns, dtype=object)

    @staticmethod
    def _times(times: ArrayLike) -> np.ndarray:
        numbers = np.asarray(column("times", times), float)
        if numbers.ndim != 1 or not np.all(numbers >= 0):
            raise InputError(f"times must be numbers >= 0, in a list, got {times}")
        return numbers

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.required = True
        return tags
