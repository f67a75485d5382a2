"""Folds with events, scores for scikit-learn's functions, and cross-validation of cohorts."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from jaxsurv.data import Cohort
from jaxsurv.estimators import Coxnet, Scorer, SurvivalKFold, cross_validate
from jaxsurv.metrics import concordance_index, integrated_brier_score
from jaxsurv.types import InputError

RNG = np.random.default_rng(0)
N = 120
X = RNG.normal(size=(N, 4))
LATENT = RNG.exponential(np.exp(-X[:, 0]))
CENSORED = RNG.exponential(2, N)
Y = np.zeros(N, [("event", bool), ("time", float)])
Y["event"], Y["time"] = LATENT <= CENSORED, np.minimum(LATENT, CENSORED)


@pytest.mark.parametrize("y", [Y, pd.DataFrame({"event": Y["event"], "time": Y["time"]})])
def test_folds_share_out_the_events_and_every_patient_is_tested_once_per_repeat(y):
    folds = SurvivalKFold(4, n_repeats=2, random_state=3)
    tested = [test for _, test in folds.split(X, y)]
    assert len(tested) == folds.get_n_splits() == 8
    events = [Y["event"][test].sum() for test in tested]
    assert max(events) - min(events) <= 1
    for deal in (tested[:4], tested[4:]):
        assert sorted(np.concatenate(deal)) == list(range(N))
    assert any(set(a) != set(b) for a, b in zip(tested[:4], tested[4:], strict=True))
    assert all(not set(train) & set(test) for train, test in folds.split(X, y))


def test_rows_of_one_group_are_on_one_side():
    group = np.arange(N) // 3
    for train, test in SurvivalKFold(3).split(X, Y, group):
        assert not set(group[train]) & set(group[test])


def test_scores_are_those_of_the_metrics():
    model = Coxnet().fit(X, Y)
    e, t = Y["event"].astype(float), Y["time"]
    assert Scorer()(model, X, Y) == pytest.approx(model.score(X, Y))
    times = (0.2, 0.5, 1.0)
    ibs = integrated_brier_score(
        model.predict_survival_function(X, times),
        np.array(times),
        e,
        t,
        train_event=e,
        train_time=t,
    )
    assert Scorer("brier", times)(model, X, Y) == pytest.approx(-float(ibs))
    uno, auc = (Scorer(name, times)(model, X, Y) for name in ("uno", "auc"))
    assert 0.6 < uno < 0.9
    assert 0.6 < auc < 0.95
    assert Scorer("uno", tau=0.5)(model, X, Y) != uno
    nobody = -float(
        integrated_brier_score(
            np.full((N, 3), 0.5), np.array(times), e, t, train_event=e, train_time=t
        )
    )
    assert Scorer("brier", times)(model, X, Y) > nobody


def test_scikit_learn_takes_both():
    scores = cross_val_score(Coxnet(), X, Y, cv=SurvivalKFold(3), scoring=Scorer("brier"))
    assert scores.shape == (3,)
    assert (scores < 0).all()
    found = GridSearchCV(
        Coxnet(), {"l1_ratio": [0.1, 0.9]}, cv=SurvivalKFold(2), scoring=Scorer("uno"), refit=False
    ).fit(X, Y)
    assert set(found.cv_results_) >= {"mean_test_score"}


@pytest.mark.parametrize("score", ["harrell", "uno", "auc", "brier"])
def test_searches_and_pipelines_are_scored_by_what_they_hold(score):
    halves, scorer = (slice(None, N // 2), slice(N // 2, None)), Scorer(score)
    (x, y), (new, truth) = ((X[h], Y[h]) for h in halves)
    search = GridSearchCV(Coxnet(), {"l1_ratio": [0.1, 0.9]}, cv=SurvivalKFold(2), scoring=scorer)
    for model in (search, make_pipeline(StandardScaler(), search), make_pipeline(Coxnet())):
        assert np.isfinite(scorer(model.fit(x, y), new, truth))
    own = search.fit(x, y).best_estimator_
    assert scorer(search, new, truth) == scorer(own, new, truth)


def test_a_cohort_is_cross_validated_on_its_training_patients_alone():
    names = [f"p{i}" for i in range(N)]
    table = pd.DataFrame(X, names, list("abcd"))
    survival = pd.DataFrame({"os_event": Y["event"].astype(float), "os_time": Y["time"]}, names)
    survival.iloc[:5] = np.nan  # no outcome
    cohort = Cohort({"rna": table}, survival, {"rna": "continuous"})
    folds, scoring = SurvivalKFold(3), {"c": Scorer(), "brier": Scorer("brier")}
    found = cross_validate(Coxnet(), cohort, "os", cv=folds, scoring=scoring)
    same = cross_validate(Coxnet(), cohort.for_endpoint("os"), "os", cv=folds, scoring=scoring)
    pd.testing.assert_frame_equal(found, same)
    assert list(found) == ["repeat", "fold", "c", "brier"]
    assert found["c"].mean() > 0.6
    # by hand, from arrays
    kept = np.arange(5, N)
    for row, (train, test) in zip(found.itertuples(), folds.split(X[kept], Y[kept]), strict=True):
        model = Coxnet().fit(X[kept][train], Y[kept][train])
        risk = model.predict(X[kept][test])
        c = concordance_index(risk, Y["event"][kept][test].astype(float), Y["time"][kept][test])
        assert row.c == pytest.approx(float(c.index), abs=0.01)


def test_what_cannot_be_is_refused():
    with pytest.raises(InputError, match="n_splits"):
        SurvivalKFold(1).get_n_splits()
    with pytest.raises(InputError, match="as the best of a search that refits; got a Ridge"):
        Scorer("uno")(Ridge().fit(X, LATENT), X, Y)
    with pytest.raises(InputError, match="score must be"):
        Scorer("gini")
    survival = pd.DataFrame(
        {f"{e}_{c}": 1.0 for e in ("os", "pfi") for c in ("event", "time")}, ["a", "b"]
    )
    cohort = Cohort(
        {"rna": pd.DataFrame({"x": [1.0, 2.0]}, ["a", "b"])}, survival, {"rna": "continuous"}
    )
    with pytest.raises(InputError, match="give an endpoint; the cohort has os, pfi"):
        cross_validate(Coxnet(), cohort)
