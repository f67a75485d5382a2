"""What all survival estimators share: reading X and y, the ensemble's predictions, curves, score."""

from abc import abstractmethod
from collections.abc import Mapping
from numbers import Integral
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.utils import Tags

from jaxsurv.data import Cohort
from jaxsurv.estimators.explain import Explanation, explain
from jaxsurv.estimators.fitted import FittedModel, Functions, Trained, describe_training
from jaxsurv.estimators.fitted_estimator import FittedEstimator
from jaxsurv.estimators.inputs import Modalities, Patients, read_patients
from jaxsurv.estimators.outcomes import labelled_cohort, read_outcome
from jaxsurv.estimators.prepared import Prepared, prepare_fits
from jaxsurv.metrics import concordance_index
from jaxsurv.types import ArrayLike, InputError


class SurvivalEstimator(FittedEstimator[FittedModel]):
    """A survival model with fit, predict and score as scikit-learn has them.

    X is a DataFrame or array (``modalities`` says which columns belong together), a dict of DataFrames
    by modality, whose patients may differ, a :class:`jaxsurv.data.Cohort` or a MuData. Within a
    table, a patient without any value lacks the modality. Single missing values become the mean of the
    training patients. y is a structured array with a boolean and a float field, a DataFrame with event
    and time, or a pair ``(event, time)``; for a cohort, the name of an endpoint. Rows of X and y are
    matched by name if both have names, else by order.

    Values are clipped, standardised and, if asked for, projected as all of the training patients say.
    The modality named ``clinical`` enters at the head of networks. Studies also give them the log
    hazard of a clinical Cox model beforehand, which estimators do not.

    Attributes:
        model_: :class:`jaxsurv.estimators.fitted.FittedModel`.
        n_features_in_, feature_names_in_: of an array or a DataFrame.
    """

    modalities: Modalities | None
    kinds: Mapping[str, str] | None
    components: int | None
    random_state: int
    unlabelled = False  # whether patients without an outcome can train

    @staticmethod
    @abstractmethod
    def functions(config: Any) -> Functions:
        """Prediction and latent variables of a model with these static choices."""

    @abstractmethod
    def _train(self, prepared: Prepared) -> Trained:
        """Fit to the one split of ``prepared``."""

    @property
    def _config(self) -> Any:
        return None

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit preprocessing and model.

        Raises:
            InputError: naming the column, patient and value that cannot be analysed, and the fix.
        """
        cohort, endpoint = self._labelled(X, y)
        event, time = (
            cohort.survival[f"{endpoint}_{c}"].to_numpy(float) for c in ("event", "time")
        )
        prepared = self._prepare(cohort, endpoint, ~np.isnan(time)[None])
        trained = self._train(prepared)
        baseline, summary = describe_training(trained, event, time, time_unit=cohort.time_unit)
        self._note_columns(X)
        return self._keep(FittedModel(
            type(self), self._config, prepared.preprocessing[0], trained.params, trained.center,
            baseline, summary,
        ))  # fmt: skip

    def predict(self, X: Any) -> np.ndarray:
        """``[n]`` log hazards, higher = worse; 0 is the mean of the training patients.

        Rows are those of X; of a dict of tables with different patients, the patients in the order in which
        they first appear (`risk_table` has their names).
        """
        return self.fitted().log_hazard(self._new(X))

    def predict_survival_function(self, X: Any, times: ArrayLike) -> np.ndarray:
        """``[n, t]`` probabilities of being free of the event at ``times`` ``[t]``.

        The baseline hazard is Breslow's (with Efron's correction for ties), from the log hazards of
        training patients whom a member of the ensemble has not trained on. After the last event of
        the training cohort curves stay as they are.
        """
        return self.fitted().survival(self.predict(X), self._times(times))

    def predict_cumulative_hazard(self, X: Any, times: ArrayLike) -> np.ndarray:
        """``[n, t]``: minus the logarithm of `predict_survival_function`."""
        return self.fitted().cumulative_hazard(self.predict(X), self._times(times))

    def risk_table(self, X: Any, times: ArrayLike = ()) -> pd.DataFrame:
        """One row per patient: risk, percentile, survival at ``times``, group.

        ``risk`` is `predict`; ``percentile`` its place among the held-out risks of the training cohort;
        ``group`` is high above their median, else low. Few of an ensemble's networks have not trained on
        a patient, and their mean spreads wider than that of all: percentiles of new patients are a little
        nearer to 50 than they would be among each other.
        """
        return self.fitted().table(self._new(X), self._times(times))

    def score(self, X: Any, y: Any = None) -> float:
        """Harrell's C of the predictions."""
        patients, event, time = self._with_outcome(X, y)
        return float(concordance_index(self.fitted().log_hazard(patients), event, time).index)

    def explain(self, X: Any, y: Any = None, *, steps: int = 128, repeats: int = 5) -> Explanation:
        """What the risks rest on: per feature, per modality and per patient, beside what C rests on.

        Integrated gradients (:func:`jaxsurv.estimators.attribution.integrated_gradients`) divide each
        patient's log hazard among the features; with an outcome, Harrell's C is computed after permuting
        each feature and each table, and with each modality withheld. Give patients who were held out: on
        those who trained the model C is too good, and a feature that was learned by heart looks
        important.

        Args:
            X: as for `predict`.
            y: as for `score`; patients without an outcome are left out. None = no C.
            steps: of the path from the training mean to each patient.
            repeats: permutations of each feature and each table.

        Raises:
            InputError: as `score`; no comparable pair of patients.

        Warns:
            DataWarning: a modality that none of the patients has.
        """
        for name, value in {"steps": steps, "repeats": repeats}.items():
            if not isinstance(value, Integral) or value < 1:
                raise InputError(f"{name} must be an integer >= 1, got {value!r}")
        patients, *outcome = (self._new(X),) if y is None else self._with_outcome(X, y)
        return explain(
            self.fitted(), patients, tuple(outcome) or None,
            steps=int(steps), repeats=int(repeats), seed=int(self.random_state),
        )  # fmt: skip

    def _labelled(self, X: Any, y: Any) -> tuple[Cohort, str]:
        return labelled_cohort(X, y, self.modalities, self.kinds or {}, unlabelled=self.unlabelled)

    def _with_outcome(self, X: Any, y: Any) -> tuple[Patients, np.ndarray, np.ndarray]:
        """The patients of X whose outcome is known, with events and times."""
        if isinstance(X, Cohort):
            X, endpoint = self._labelled(X, y)
            patients = self._new(X)
            outcome = X.survival[[f"{endpoint}_event", f"{endpoint}_time"]]
        else:  # a few patients need not make a cohort
            patients = self._new(X)
            outcome = read_outcome(y, patients)
        event, time = outcome.to_numpy(float).T
        known = ~np.isnan(time)
        if not known.any():
            raise InputError(f"none of the {len(known)} patients has an outcome; C needs some")
        return patients._replace(names=patients.names[known]), event[known], time[known]

    def _prepare(self, cohort: Cohort, endpoint: str, develop: np.ndarray) -> Prepared:
        if not isinstance(self.random_state, Integral) or self.random_state < 0:
            raise InputError(f"random_state must be an integer >= 0, got {self.random_state!r}")
        seed = int(self.random_state)
        return prepare_fits(cohort, endpoint, develop, components=self.components, seed=seed)

    def _new(self, X: Any) -> Patients:
        self.fitted()  # or no features are expected
        array = getattr(X, "ndim", 0) == 2 and not hasattr(X, "columns")
        expected = getattr(self, "n_features_in_", None)
        if array and np.shape(X)[1] != expected:
            raise InputError(
                f"X has {np.shape(X)[1]} features, but {type(self).__name__} is expecting "
                f"{expected or 'tables by modality, and no'} features as input"
            )
        return read_patients(X, self.modalities)

    def _note_columns(self, X: Any) -> None:
        for name in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)
        if isinstance(X, Cohort) or np.ndim(X) != 2:
            return
        self.n_features_in_ = np.shape(X)[1]
        if hasattr(X, "columns") and all(isinstance(c, str) for c in X.columns):
            self.feature_names_in_ = np.asarray(X.columns, dtype=object)

    @staticmethod
    def _times(times: ArrayLike) -> np.ndarray:
        try:
            numbers = np.asarray(times, float)
        except (TypeError, ValueError):
            numbers = np.array(np.nan)
        if numbers.ndim != 1 or not np.all(numbers >= 0):
            raise InputError(f"times must be numbers >= 0, in a list, got {times}")
        return numbers

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.required = True
        return tags
