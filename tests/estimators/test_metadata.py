"""Strata and entry beside y: by hand and by scikit-learn's metadata routing, the same as within y."""

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from jaxsurv.data import Cohort
from jaxsurv.estimators import Coxnet, Scorer, SurvivalKFold, cross_validate
from jaxsurv.types import InputError

RNG = np.random.default_rng(0)
N = 120
NAMES = [f"p{i}" for i in range(N)]
X = pd.DataFrame(RNG.normal(size=(N, 4)), NAMES, list("abcd"))
STRATA = np.where(np.arange(N) % 3 == 0, "A", "B")
LATENT = RNG.exponential(np.exp(-X["a"].to_numpy())) * np.where(STRATA == "A", 3, 1)
CENSORED = RNG.exponential(2, N)
TIME, EVENT = np.minimum(LATENT, CENSORED), LATENT <= CENSORED
ENTRY = 0.3 * TIME * RNG.random(N)
Y = np.array(list(zip(EVENT, TIME, strict=True)), [("event", bool), ("time", float)])
WHOLE = pd.DataFrame({"event": EVENT, "time": TIME, "stratum": STRATA, "entry": ENTRY}, NAMES)
BESIDE = {"strata": STRATA, "entry": ENTRY}
MODEL = Coxnet(n_lambdas=10, folds=3)
FOLDS = SurvivalKFold(3)
FORMS = {
    "structured": Y,
    "frame": WHOLE[["event", "time"]],
    "pair": (EVENT, TIME),
    "pair of Series": (WHOLE["event"], WHOLE["time"]),
}


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.mark.parametrize("columns", [["stratum"], ["entry"], ["stratum", "entry"]])
@pytest.mark.parametrize("form", FORMS)
def test_beside_y_is_the_same_as_within_y(form, columns):
    whole = WHOLE[["event", "time", *columns]]
    beside = {name: BESIDE[name] for name in BESIDE if name.replace("strata", "stratum") in columns}
    expected = MODEL.fit(X, whole)
    risk, c = expected.predict(X), expected.score(X, whole)
    model = MODEL.fit(X, FORMS[form], **beside)
    np.testing.assert_array_equal(model.predict(X), risk)
    assert model.score(X, FORMS[form], **beside) == c
    assert (risk != Coxnet(n_lambdas=10, folds=3).fit(X, Y).predict(X)).any()
    series = {name: pd.Series(value, NAMES) for name, value in beside.items()}
    assert model.score(X, FORMS[form], **series) == c


PIPED = make_pipeline(StandardScaler(), MODEL)  # its own score asks for sample weights


@pytest.mark.parametrize(
    ("model", "scoring"),
    [(MODEL, None), (MODEL, Scorer()), (MODEL, {"c": Scorer()}), (PIPED, Scorer())],
    ids=["own score", "scorer", "scorers", "pipeline"],
)
def test_routed_is_what_a_cohort_with_strata_gives(routing, model, scoring):
    routed = sklearn.model_selection.cross_validate(
        model, X, Y, cv=FOLDS, params=BESIDE, scoring=scoring, error_score="raise"
    )["test_c" if isinstance(scoring, dict) else "test_score"]
    np.testing.assert_allclose(routed, cross_val_score(MODEL, X, WHOLE, cv=FOLDS), atol=0.02)
    assert np.abs(routed - cross_val_score(model, X, Y, cv=FOLDS, scoring=Scorer())).max() > 0.03
    survival = WHOLE.rename(columns=lambda c: c if c == "stratum" else f"os_{c}")
    cohort = Cohort({"x": X}, survival.astype({"os_event": float}), {"x": "continuous"})
    own = cross_validate(MODEL, cohort, "os", cv=FOLDS)["c"]
    np.testing.assert_allclose(routed, own, atol=0.02)


def test_a_search_routes_them_to_every_fit_and_score(routing):
    found = GridSearchCV(MODEL, {"l1_ratio": [0.1, 0.9]}, cv=FOLDS).fit(X, Y, **BESIDE)
    expected = GridSearchCV(MODEL, {"l1_ratio": [0.1, 0.9]}, cv=FOLDS).fit(X, WHOLE)
    for key in ("mean_test_score", "std_test_score"):
        np.testing.assert_array_equal(found.cv_results_[key], expected.cv_results_[key])
    assert found.score(X, Y, **BESIDE) == expected.score(X, WHOLE)
    groups = np.arange(N) // 2
    assert len(cross_val_score(MODEL, X, Y, cv=FOLDS, params={**BESIDE, "groups": groups})) == 3


def test_scores_without_what_the_model_was_fitted_with_are_refused():
    """Without routing, scikit-learn gives ``params`` to fit alone: C would compare across strata."""
    for scoring in (None, Scorer(), Scorer("uno"), Scorer("auc"), Scorer("brier")):
        for params in ({"strata": STRATA}, {"entry": ENTRY}):
            with pytest.raises(InputError, match=f"{next(iter(params))}"):
                cross_val_score(
                    MODEL, X, Y, cv=FOLDS, params=params, scoring=scoring, error_score="raise"
                )
    model = MODEL.fit(X, Y, **BESIDE)
    with pytest.raises(
        InputError, match=r"fitted with strata, entry beside y, .*\(enable_metadata_routing=True"
    ):
        model.score(X, Y)
    assert model.score(X, WHOLE) == model.score(X, Y, **BESIDE)
    assert 0.5 < model.score(X, Y, strata=np.zeros(N), entry=np.zeros(N)) < 1
    assert 0.5 < MODEL.fit(X, Y).score(X, Y) < 1  # nothing is remembered of another fit


@pytest.mark.parametrize("score", ["uno", "auc", "brier"])
@pytest.mark.parametrize("column", ["strata", "entry"])
def test_scorers_that_know_neither_refuse_both(score, column, routing):
    name, plain = column.replace("strata", "stratum"), MODEL.fit(X, Y)
    columns = ["event", "time", name]
    with pytest.raises(InputError, match=rf"Scorer\('{score}'\) does not know {column}"):
        Scorer(score)(plain, X, WHOLE[columns])
    records = WHOLE[columns].to_records(index=False)
    with pytest.raises(InputError, match=rf"does not know {column}"):
        Scorer(score)(plain, X, records)
    with pytest.raises(InputError, match=rf"does not know {column}"):
        Scorer(score)(plain, X, Y, **{column: BESIDE[column]})
    options = {"params": {column: BESIDE[column]}, "scoring": Scorer(score), "cv": FOLDS}
    with pytest.raises(InputError, match=rf"does not know {column}"):
        cross_val_score(MODEL, X, Y, error_score="raise", **options)
    survival = WHOLE[columns].rename(columns=lambda c: c if c == "stratum" else f"os_{c}")
    cohort = Cohort({"x": X}, survival.astype({"os_event": float}), {"x": "continuous"})
    with pytest.raises(InputError, match=rf"does not know {column}"):
        cross_validate(MODEL, cohort, "os", cv=FOLDS, scoring={"s": Scorer(score)})


def test_what_does_not_belong_together_is_refused():
    for fit in (MODEL.fit, MODEL.fit(X, Y).score):
        with pytest.raises(InputError, match="y has the column 'stratum', and strata is given too"):
            fit(X, WHOLE, strata=STRATA)
        with pytest.raises(
            InputError, match=r"strata must be one value per row of y, \[120\], got"
        ):
            fit(X, Y, strata=STRATA[:5])
        with pytest.raises(InputError, match=r"the rows of X \(p0, p1, p2 and 117 more\) and y"):
            fit(X, WHOLE[["event", "time"]].iloc[::-1], entry=ENTRY)
        with pytest.raises(InputError, match=r"the rows of y .* and strata .* differ"):
            fit(X.to_numpy(), WHOLE[["event", "time"]], strata=pd.Series(STRATA, NAMES[::-1]))
        with pytest.raises(InputError, match=r"the entry .* must be given and be before"):
            fit(X, Y, entry=TIME)
    survival = WHOLE[["event", "time"]].add_prefix("os_").astype(float)
    cohort = Cohort({"x": X}, survival, {"x": "continuous"})
    with pytest.raises(InputError, match="a cohort has its own strata: give strata in Cohort"):
        MODEL.fit(cohort, "os", strata=STRATA)


def test_folds_keep_the_rows_of_a_patient_together():
    """y that names patients groups its rows: else a patient would be on both sides."""
    rows = pd.DataFrame(
        {"event": [0, 1] * 30, "time": [1.0, 2.0] * 30, "entry": [0.0, 1.0] * 30}
    ).assign(patient=np.repeat(np.arange(30), 2))
    for train, test in SurvivalKFold(3).split(rows, rows):
        assert not set(rows["patient"][train]) & set(rows["patient"][test])
