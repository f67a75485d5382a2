"""The elastic-net estimator against the functions that it calls."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning

from jaxsurv.data import stratified_kfold
from jaxsurv.estimators import Coxnet, load
from jaxsurv.survival import coxnet_cv
from jaxsurv.types import InputError
from tests.estimators.conftest import PARTS


@pytest.fixture(scope="module")
def fitted(patients):
    return Coxnet(modalities=PARTS).fit(*patients)


def test_is_the_cross_validated_path_on_z_scores(fitted, patients):
    x, y = patients
    first, third = x.quantile([0.25, 0.75], interpolation="lower").to_numpy()
    assert (x < third + 3 * (third - first)).to_numpy().all()  # nothing is clipped
    z = ((x - x.mean()) / x.std(ddof=0)).to_numpy(np.float32)
    fold = stratified_kfold(y["event"], validation_fraction=None).test.argmax(axis=0)
    cv = coxnet_cv(
        z, y["event"], y["time"], fold, n_lambdas=40, lambda_min_ratio=0.005, tolerance=1e-3
    )
    best = int(np.argmin(cv.deviance))
    np.testing.assert_allclose(fitted.coef_, cv.path.coef[best], atol=2e-3)
    np.testing.assert_allclose(fitted.predict(x), z @ cv.path.coef[best], atol=5e-3)
    assert fitted.lambda_ == pytest.approx(float(cv.lambda_min), rel=1e-3)


def test_what_matters_is_kept(fitted, patients):
    most = np.abs(fitted.coef_).nlargest(2).index
    assert set(most) == {("one", PARTS["one"][0]), ("two", PARTS["two"][0])}
    assert fitted.score(*patients) > 0.7


@pytest.mark.parametrize("start", [1.7e9, 1.7e12])
def test_times_far_from_zero_are_not_rounded(patients, start):
    x, y = patients
    time = np.argsort(np.argsort(y["time"])) + 1.0
    near = Coxnet(modalities=PARTS).fit(x, (y["event"], time))
    far = Coxnet(modalities=PARTS).fit(x, (y["event"], time + start))
    np.testing.assert_array_equal(far.coef_, near.coef_)
    assert far.lambda_ == near.lambda_


@pytest.mark.parametrize("method", ["predict_survival_function", "predict_cumulative_hazard"])
def test_times_may_be_durations_but_not_text(fitted, patients, method):
    curves = getattr(fitted, method)
    np.testing.assert_array_equal(
        curves(patients[0], pd.to_timedelta([1, 2], "D")), curves(patients[0], [1.0, 2.0])
    )
    for times in (["5"], pd.to_datetime(["2020-01-01"])):
        with pytest.raises(InputError, match=r"times must be real numbers, got (text|dates)"):
            curves(patients[0], times)


def test_a_loaded_model_shows_its_coefficients(fitted, patients, tmp_path):
    fitted.save(tmp_path / "m.zip")
    loaded = load(tmp_path / "m.zip")
    pd.testing.assert_series_equal(loaded.coef_, fitted.coef_)
    assert loaded.lambda_ == fitted.lambda_
    np.testing.assert_array_equal(loaded.predict(patients[0]), fitted.predict(patients[0]))


def test_a_fit_that_selects_nothing_says_so():
    """All risks are equal then, and a C of 1/2 in a search looks like one model among others."""
    rng = np.random.default_rng(0)
    x = pd.DataFrame(rng.normal(size=(60, 3)), columns=["a", "b", "c"])
    y = np.array(list(zip(rng.random(60) < 0.5, rng.exponential(size=60), strict=True)),
                 [("event", bool), ("time", float)])  # fmt: skip
    with pytest.warns(ConvergenceWarning, match="no feature has a coefficient"):
        model = Coxnet().fit(x, y)
    assert not model.coef_.to_numpy().any()


def test_the_path_reaches_the_best_penalty_of_many_patients():
    """With 4,000 patients the best lambda is below a twentieth of the first one, and the path goes on."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4000, 10))
    time, follow_up = rng.exponential(np.exp(-x @ rng.normal(size=10))), rng.exponential(2, 4000)
    y = time <= follow_up, np.minimum(time, follow_up)
    default, short = Coxnet().fit(x, y), Coxnet(lambda_min_ratio=0.05).fit(x, y)
    assert default.lambda_ < 0.5 * short.lambda_
