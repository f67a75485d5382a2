"""The table of what an elastic-net path selects."""

import jax
import numpy as np
import pandas as pd
import pytest

from jaxsurv.survival import coxnet_cv, coxnet_path
from jaxsurv.types import InputError


def test_selected_columns_have_their_names_and_the_place_where_they_enter():
    rng = np.random.default_rng(0)
    x = pd.DataFrame(rng.normal(size=(80, 12)), columns=[f"gene {k}" for k in range(12)])
    time, event = rng.exponential(np.exp(x["gene 4"] - 0.7 * x["gene 9"])), np.ones(80)
    cv = coxnet_cv(x, event, time, np.arange(80) % 4, n_lambdas=30)
    table = cv.path.selected(cv.lambda_min)
    k = int(np.argmin(cv.deviance))
    coef = np.asarray(cv.path.coef)
    assert list(table.index[:2]) == ["gene 4", "gene 9"]
    assert set(table.index) == set(x.columns[coef[k] != 0])
    assert (np.diff(table["coef"].abs()) <= 0).all()
    np.testing.assert_allclose(table["hazard_ratio"], np.exp(table["coef"]))
    for name, enters in table["enters"].items():
        own = coef[:, x.columns.get_loc(name)]
        first = np.abs(np.asarray(cv.path.lambdas) - enters).argmin()
        assert own[first] != 0
        assert not own[:first].any()
    path = coxnet_path(x.to_numpy(), event, time, n_lambdas=5)
    assert path.names is None
    assert path.selected(path.lambdas[0]).index.tolist() == []
    assert set(path.selected(path.lambdas[-1], list("abcdefghijkl")).index) <= set("abcdefghijkl")
    with pytest.raises(InputError, match="is none of lambdas; the nearest is"):
        path.selected(99.0)
    with pytest.raises(InputError, match="x has 12 columns, but names has 1"):
        path.selected(path.lambdas[1], ["a"])
    with pytest.raises(InputError, match="known coefficients"):
        jax.jit(lambda x: coxnet_path(x, event, time, n_lambdas=5).selected(0.1))(x.to_numpy())
