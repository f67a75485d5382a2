"""The search: one compilation, and the same numbers as fits one by one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsurv.data import stratified_kfold
from jaxsurv.estimators import CoxNnet, MORiskVAE
from jaxsurv.estimators.prepared import build, prepare_fits
from jaxsurv.metrics import concordance_index
from jaxsurv.models import CoxNnetHParams, cox_nnet, nesterov
from jaxsurv.training import FitConfig, fit
from jaxsurv.types import InputError

MODEL = {"epochs": 8, "n_seeds": 2}
traces = []


class Traced(CoxNnet):
    """Counts how often its loss is traced."""

    @staticmethod
    def objective(config=None):
        objective = cox_nnet()

        def loss(*args):
            traces.append(1)
            return objective.loss(*args)

        return objective._replace(loss=loss)


def traced(folds, grid, patients):
    traces.clear()
    found = Traced(**MODEL).search(*patients, grid, folds=folds)
    return len(traces), found


def test_is_compiled_once_whatever_its_size(patients):
    few, _ = traced(2, {"l2": [0.1]}, patients)
    many, found = traced(4, {"l2": [0.01, 0.1], "learning_rate": [0.01, 0.02]}, patients)
    assert many == few
    assert len(found.runs) == 4 * 2 * 4


@pytest.fixture(scope="module")
def found(patients):
    return CoxNnet(**MODEL).search(*patients, {"l2": [0.01, 10.0]}, folds=3)


@jax.jit
def fitted(key, hparams, batch, masks):
    return fit(key, cox_nnet(), hparams, batch, masks, FitConfig(8), optimizer=nesterov).params


def test_agrees_with_the_same_fits_one_by_one(found, patients):
    x, y = patients
    estimator = CoxNnet(**MODEL)
    test = stratified_kfold(y["event"], folds=3, validation_fraction=None).test
    for l2 in (0.01, 10.0):
        row = found.table.set_index("l2").loc[l2]
        each = []
        for k, rows in enumerate(test):
            # everything fitted anew on a table without the test rows, whose preprocessing reads them
            cohort, endpoint = estimator._labelled(x[~rows], y[~rows])
            alone = prepare_fits(
                cohort, endpoint, np.ones((1, (~rows).sum()), bool), components=None, seed=0
            )
            new = alone.preprocessing[0].apply({"features": x[rows]}).inputs
            risk = np.zeros(rows.sum())
            for seed in (0, 1):
                batch, masks = build(
                    jax.tree.map(jnp.asarray, alone.shared),
                    jax.tree.map(lambda a: jnp.asarray(a[0]), alone.splits),
                    seed,
                )
                key = jax.random.fold_in(jax.random.key(seed), k)
                params = fitted(key, CoxNnetHParams(l2=l2), batch, masks)
                zero = jnp.zeros(len(risk))
                tested = batch._replace(
                    inputs=new,
                    presence={"features": 1 + zero},
                    clinical=zero[:, None][:, :0],
                    offset=zero,
                )
                risk += np.asarray(cox_nnet().predict(params, tested))
            c = concordance_index(risk, y["event"][rows], y["time"][rows]).index
            each.append(float(c))
        np.testing.assert_allclose([row[f"c_fold_{k}"] for k in range(3)], each, atol=1e-6)
        assert row["mean_c"] == pytest.approx(np.mean(each))
        assert row["standard_error"] == pytest.approx(np.std(each, ddof=1) / np.sqrt(3))


def test_the_best_setting_comes_first_and_is_fitted_to_all(found, patients):
    x, y = patients
    assert found.table["mean_c"].is_monotonic_decreasing
    assert found.best_hparams == CoxNnetHParams(l2=found.table["l2"][0])
    again = CoxNnet(hparams=found.best_hparams, **MODEL).fit(x, y)
    np.testing.assert_array_equal(found.best_estimator.predict(x), again.predict(x))


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({}, "the grid has no values"),
        ({"gamma": [1.0]}, r"the grid has \['gamma'\], which are no traced"),
        ({"mmd_weight": [1.0]}, r"does not read \['mmd_weight'\]"),
        ({"beta": [1.0, 1.0]}, "the same setting twice"),
        ({"beta": ["a"]}, "beta in the grid has the value 'a'; give numbers"),
        ({"beta": 0.1}, "must map names to lists of numbers"),
    ],
)
def test_a_grid_that_cannot_be_searched_is_refused(grid, message, patients):
    with pytest.raises(InputError, match=message):
        MORiskVAE().search(*patients, grid)
