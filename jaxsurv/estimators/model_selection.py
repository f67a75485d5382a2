"""Cross-validation beside scikit-learn's: folds that share out the events, scores of curves, cohorts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import MetadataRequest

from jaxsurv.arguments.settings import check_whole
from jaxsurv.data import Cohort, grouped_kfold, stratified_kfold
from jaxsurv.data.tables import few
from jaxsurv.estimators.metadata import METADATA, names_given
from jaxsurv.estimators.outcome_columns import outcome_columns
from jaxsurv.estimators.outcomes import outcome_of
from jaxsurv.estimators.survival import SurvivalEstimator
from jaxsurv.metrics import (
    concordance_index_ipcw,
    cumulative_dynamic_auc,
    integrated_brier_score,
)
from jaxsurv.types import ArrayLike, InputError, check_choice


class SurvivalKFold(BaseEstimator):
    """K folds with as many events each as can be, for ``cv=`` of scikit-learn's functions.

    Args:
        n_splits: number of folds K.
        n_repeats: number of times that all patients are dealt anew.
        random_state: seed.

    >>> y = np.array([(i % 3 == 0, i + 1.0) for i in range(12)], dtype=[("event", bool), ("time", float)])
    >>> [int(y["event"][test].sum()) for _, test in SurvivalKFold(4).split(y, y)]
    [1, 1, 1, 1]
    """

    __metadata_request__split: ClassVar = {"groups": True}  # for scikit-learn's metadata routing

    def __init__(self, n_splits: int = 5, *, n_repeats: int = 1, random_state: int = 0) -> None:
        self.n_splits, self.n_repeats, self.random_state = n_splits, n_repeats, random_state

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Number of splits; the arguments are not used."""
        return check_whole("n_splits", self.n_splits, 2) * check_whole("n_repeats", self.n_repeats)

    def split(self, X: Any, y: Any, groups: Any = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Row numbers of the training and the test patients of each split.

        Args:
            X: not used.
            y: outcome, see :class:`SurvivalEstimator`.
            groups: ``[n]`` labels; rows of one label are on one side of each split. None = the patients of y,
                if it names them, else each row is one.

        Raises:
            InputError: fewer patients or events than folds.
        """
        self.get_n_splits()
        how = {
            "folds": self.n_splits, "repeats": self.n_repeats, "seed": self.random_state,
            "validation_fraction": None,
        }  # fmt: skip
        event, *_, patient = outcome_columns(y)
        event, groups = np.asarray(event, float), patient if groups is None else groups
        splits = (
            stratified_kfold(event, **how)
            if groups is None
            else grouped_kfold(event, groups, **how)
        )
        for test in splits.test:
            yield np.flatnonzero(~test), np.flatnonzero(test)


@dataclass(frozen=True)
class Scorer:
    """Score of a fitted survival estimator, higher is better, for ``scoring=`` of scikit-learn's functions.

    Weights for censoring are from the patients that are scored. Harrell's C is the estimator's own ``score``,
    within strata and with entry. The other scores know neither, and refuse them. Scikit-learn's metadata
    routing gives strata and entry to a scorer without further requests.

    Attributes:
        score: ``"harrell"``, ``"uno"`` (C by inverse probability weights), ``"auc"`` (mean cumulative/dynamic
            AUC over the times), ``"brier"`` (minus the integrated Brier score over the times).
        times: times of AUC and Brier score; none = nine quantiles, 10 % to 90 %, of the scored event times.
        tau: end of the follow-up that Uno's C counts; None = all of it.
    """

    score: Literal["harrell", "uno", "auc", "brier"] = "harrell"
    times: tuple[float, ...] = ()
    tau: float | None = None

    def __post_init__(self) -> None:
        check_choice("score", self.score, ("harrell", "uno", "auc", "brier"))

    def get_metadata_routing(self) -> MetadataRequest:
        """Request of strata and entry, for scikit-learn's functions."""
        request = MetadataRequest(owner=type(self).__name__)
        for name in METADATA:
            request.score.add_request(param=name, alias=True)
        return request

    def __call__(
        self,
        estimator: Any,
        X: Any,
        y: Any = None,
        **metadata: ArrayLike | None,
    ) -> float:
        """Score ``estimator`` on the patients X with the outcomes y.

        Args:
            estimator: fitted estimator, a pipeline that ends in one, or a search such as GridSearchCV, whose
                best one is scored.
            X, y, **metadata: patients, outcomes, and ``strata`` and ``entry`` where y has none; see
                :meth:`SurvivalEstimator.score`.

        Raises:
            InputError: strata or entry, and a score that does not know them; no survival estimator.
        """
        model, X = _survival_estimator(estimator, X)
        if self.score == "harrell":
            return model.score(X, y, **metadata)
        event, time, entry, strata = (
            outcome_of(X, y) if isinstance(X, Cohort) else outcome_columns(y)[:4]
        )
        known = names_given(**{"strata": strata, "entry": entry, **metadata})
        if unable := sorted({*known, *model._beside}):
            raise InputError(
                f"Scorer({self.score!r}) does not know {few(unable)}: take Scorer(), which is Harrell's C "
                "within strata and among those at risk, or leave them out of outcome and training"
            )
        event, time = np.asarray(event, float), np.asarray(time, float)
        known = ~np.isnan(time)
        event, time = np.where(known, event, 0), np.where(known, time, 0)
        risk = model.predict(X)
        train = {"train_event": event[known], "train_time": time[known], "where": known}
        if self.score == "uno":
            found = concordance_index_ipcw(risk, event, time, tau=self.tau, **train)
            return float(found.index)
        died = time[known & (event > 0)]
        times = np.asarray(self.times or np.unique(np.quantile(died, np.linspace(0.1, 0.9, 9))))
        if self.score == "auc":
            return float(cumulative_dynamic_auc(risk, times, event, time, **train).mean)
        curves = model.predict_survival_function(X, times)
        return -float(integrated_brier_score(curves, times, event, time, **train))


def _survival_estimator(estimator: Any, X: Any) -> tuple[SurvivalEstimator, Any]:
    """The fitted survival estimator in pipelines and searches, and X as it reads it."""
    while not isinstance(estimator, SurvivalEstimator):
        if isinstance(estimator, Pipeline):
            X = estimator[:-1].transform(X) if len(estimator) > 1 else X
            estimator = estimator[-1]
        elif hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        else:
            raise InputError(
                "a Scorer scores survival estimators, alone, in a pipeline or as the best of a search that "
                f"refits; got a {type(estimator).__name__}"
            )
    return estimator, X


def cross_validate(
    estimator: SurvivalEstimator,
    cohort: Cohort,
    endpoint: str | None = None,
    *,
    cv: SurvivalKFold | None = None,
    scoring: Mapping[str, Scorer] | None = None,
) -> pd.DataFrame:
    """Scores of clones of an estimator, each fitted to the training patients of a split of a cohort.

    Everything is fitted to training patients alone: the recipe, the choice of penalties, early stopping.

    Args:
        estimator: estimator, which is not changed.
        cohort: patients, those without an outcome included, who train where the estimator can use them.
        endpoint: name of the outcome; None = the only one.
        cv: splits; None = ``SurvivalKFold()``.
        scoring: name to scorer; None = Harrell's C, as ``c``.

    Returns:
        one row per split: ``repeat``, ``fold``, and a column per score. For the interval of a mean:
        :func:`jaxsurv.study.corrected_t` with ``repeat=``.

    Raises:
        InputError: an unknown endpoint; several and none named; see ``fit`` of the estimator.
    """
    if endpoint is None and len(cohort.endpoints) != 1:
        raise InputError(f"give an endpoint; the cohort has {few(cohort.endpoints)}")
    endpoint, cv = endpoint or cohort.endpoints[0], cv or SurvivalKFold()
    scoring = {"c": Scorer()} if scoring is None else scoring
    event, time, *_ = outcome_of(cohort, endpoint)
    labelled = np.flatnonzero(~np.isnan(time))
    y = pd.DataFrame({"event": event[labelled], "time": time[labelled]})
    groups = None if cohort.patients is None else np.asarray(cohort.patients)[labelled]
    rows = []
    for s, (_, test) in enumerate(cv.split(y, y, groups)):
        held_out = np.isin(np.arange(len(time)), labelled[test])
        fitted = clone(estimator).fit(cohort, endpoint, where=~held_out)
        judged = cohort.take(held_out)
        scores = {name: scorer(fitted, judged, endpoint) for name, scorer in scoring.items()}
        rows.append({"repeat": s // cv.n_splits, "fold": s % cv.n_splits, **scores})
    return pd.DataFrame(rows)
