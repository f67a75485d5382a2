"""Lower bounds of survival times by fitted estimators."""

import numpy as np
import pandas as pd
import pytest

from jaxsurv.estimators import Coxnet, CoxNnet, load
from jaxsurv.models import CoxNnetConfig, CoxNnetHParams
from jaxsurv.types import InputError


def drawn(n, seed):
    """Features, outcome, and the time of the event whether it was seen or not."""
    rng = np.random.default_rng(seed)
    x = pd.DataFrame(rng.normal(size=(n, 4)), [f"s{seed}p{i}" for i in range(n)], list("abcd"))
    rate = np.exp(x["a"] - x["b"] / 2)
    life, end = rng.exponential(1 / rate), rng.exponential(2 / np.sqrt(rate))
    y = pd.DataFrame({"event": life <= end, "time": np.minimum(life, end)}, x.index)
    return x, y, rate.to_numpy()


@pytest.fixture(scope="module")
def model():
    return Coxnet(folds=5, n_lambdas=20).fit(*drawn(400, 0)[:2])


@pytest.mark.parametrize("explicit", [False, True])
def test_as_many_outlive_their_bounds_as_they_say(model, explicit):
    new, _, rate = drawn(2000, 1)
    calibration = drawn(500, 2)[:2] if explicit else None
    for level in (0.95, 0.8):
        bound = model.predict_lower_bound(new, level, calibration=calibration)
        assert bound.shape == (2000,)
        assert np.exp(-rate * bound).mean() == pytest.approx(level, abs=0.03)
    # it is no bound that all have
    assert np.corrcoef(np.log(np.maximum(bound, 1e-3)), -np.log(rate))[0, 1] > 0.6


def test_networks_of_any_head_and_models_of_files(tmp_path):
    x, y, _ = drawn(150, 3)
    config = CoxNnetConfig(head="weibull")
    options = {"epochs": 60, "n_seeds": 5}
    model = CoxNnet(config, CoxNnetHParams(l2=0.01), **options).fit(x, y)
    new, _, rate = drawn(1000, 4)
    assert 0.88 < np.exp(-rate * model.predict_lower_bound(new, 0.9)).mean() < 0.95
    model.save(tmp_path / "m.zip")
    again, more = load(tmp_path / "m.zip"), drawn(120, 5)[:2]
    with pytest.raises(InputError, match=r"no held-out patients.*give calibration=\(X, y\)"):
        again.predict_lower_bound(new)
    np.testing.assert_array_equal(
        again.predict_lower_bound(new, calibration=more),
        model.predict_lower_bound(new, calibration=more),
    )
    with pytest.raises(InputError, match="level must be"):
        again.predict_lower_bound(new, 1.0, calibration=more)


def test_strata_are_refused():
    x, y, _ = drawn(120, 6)
    model = Coxnet(folds=3, n_lambdas=5).fit(x, y.assign(stratum=np.arange(120) % 2))
    with pytest.raises(InputError, match="strata"):
        model.predict_lower_bound(x)
    with pytest.raises(InputError, match="a model of strata has several baselines"):
        model.predict_lower_bound(x, calibration=drawn(80, 7)[:2])
