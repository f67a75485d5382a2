"""Predictions in AnnData and MuData: the same numbers under the right patients, and on disk again."""

import warnings

import numpy as np
import pandas as pd
import pytest

from jaxsurv.data.formats.h5mu import without_pulling
from jaxsurv.estimators import Coxnet, MORiskVAE, annotated
from jaxsurv.models import SurvivalVAEConfig
from jaxsurv.types import InputError
from tests.estimators.conftest import PARTS

anndata = pytest.importorskip("anndata")
mudata = pytest.importorskip("mudata")
TIMES = [0.3, 1.0]


def single(x):
    return anndata.AnnData(x.to_numpy(), pd.DataFrame(index=x.index), pd.DataFrame(index=x.columns))


def several(x):
    with without_pulling():
        return mudata.MuData({m: single(x[columns]) for m, columns in PARTS.items()})


@pytest.fixture(scope="module")
def fitted(patients):
    """A model of one table without latent variables, and a network of two tables."""
    x, y = patients
    config = SurvivalVAEConfig(latent=3, widths=dict.fromkeys(PARTS, (4,)), categories=2)
    network = MORiskVAE(config, epochs=1, n_seeds=1, modalities=PARTS)
    return {"single": Coxnet(folds=3).fit(x, y), "several": network.fit(x, y)}


@pytest.mark.parametrize(("form", "make"), [("single", single), ("several", several)])
def test_the_predictions_of_each_patient_stand_in_its_row(form, make, fitted, patients, tmp_path):
    (x, _), model = patients, fitted[form]
    data = make(x.iloc[::-1])  # in another order than in training
    data.obs["centre"] = "a"
    made = annotated(model, data, TIMES, name="os")
    assert "os_risk" not in data.obs  # which stays as it was
    table = model.risk_table(x, TIMES).add_prefix("os_")
    assert list(made.obs.columns[-6:]) == ["centre", *table.columns]
    for column in table:
        found = made.obs[column].loc[x.index]
        np.testing.assert_array_equal(found.to_numpy(table[column].dtype), table[column])
    if form == "several":
        z = pd.DataFrame(made.obsm["X_os"], made.obs_names).loc[x.index]
        np.testing.assert_array_equal(z, model.transform(x))
        assert model.set_output(transform="pandas").transform(data).index.equals(data.obs_names)
        again = annotated(model, data).obsm["X_jaxsurv"]
        np.testing.assert_array_equal(again, made.obsm["X_os"])
    else:
        assert "X_os" not in made.obsm
    path = tmp_path / ("a.h5mu" if form == "several" else "a.h5ad")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of writing and reading, which is not ours
        made.write(path)
        back = mudata.read(path)
    np.testing.assert_array_equal(back.obs["os_risk"], made.obs["os_risk"])
    assert set(back.obs["os_group"].cat.categories) == {"high", "low"}


def test_what_cannot_be_annotated_is_refused(fitted, patients):
    x, model = patients[0], fitted["single"]
    with pytest.raises(InputError, match="must be an AnnData or a MuData, got DataFrame"):
        annotated(model, x)
    with pytest.warns(UserWarning, match="names are not unique"):
        twice = single(x.set_axis(["p0", "p0", *x.index[2:]]))
    with pytest.raises(InputError, match="p0"):
        annotated(model, twice)
    with pytest.raises(InputError, match="times must be numbers >= 0"):
        annotated(model, single(x), [-1.0])
