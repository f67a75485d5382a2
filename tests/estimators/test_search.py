"""The search: one compilation, and the same numbers as fits one by one."""

import numpy as np
import pytest

from jaxsurv.data import stratified_kfold
from jaxsurv.estimators import CoxNnet, MORiskVAE, Network
from jaxsurv.metrics import concordance_index
from jaxsurv.models import CoxNnetHParams, Model, cox_nnet, nesterov
from jaxsurv.types import InputError

MODEL = {"epochs": 8, "n_seeds": 2}
traces = []


def counted(config=None):
    """Cox-nnet, whose loss counts how often it is traced."""
    objective = cox_nnet()

    def loss(*args):
        traces.append(1)
        return objective.loss(*args)

    return objective._replace(loss=loss)


TRACED = Model("TracedCoxNnet", counted, CoxNnetHParams(), optimizer=nesterov)


def traced(folds, grid, patients):
    traces.clear()
    found = Network(TRACED, **MODEL).search(*patients, grid, folds=folds)
    return len(traces), found


def test_is_compiled_once_whatever_its_size(patients):
    few, _ = traced(2, {"l2": [0.1]}, patients)
    many, found = traced(4, {"l2": [0.01, 0.1], "learning_rate": [0.01, 0.02]}, patients)
    assert few > 0
    assert many <= few
    assert len(found.runs) == 4 * 2 * 4


def test_a_second_fit_of_equal_shapes_compiles_nothing(patients):
    x, y = patients
    Network(TRACED, **MODEL).fit(x, y)
    traces.clear()
    again = Network(TRACED, hparams=CoxNnetHParams(l2=0.3), random_state=4, **MODEL)
    again.fit(2 * x, y).predict(x)
    again.fit(x, y, where=np.arange(90) % 4 > 0)
    assert not traces


@pytest.fixture(scope="module")
def found(patients):
    return CoxNnet(**MODEL).search(*patients, {"l2": [0.01, 10.0]}, folds=3)


def test_agrees_with_the_same_fits_one_by_one(found, patients):
    """Each fold fitted by itself, on the rows in its mask and, as this network draws nothing, on a table."""
    x, y = patients
    test = stratified_kfold(y["event"], folds=3, validation_fraction=None).test
    for l2 in (0.01, 10.0):
        row = found.table.set_index("l2").loc[l2]
        for fit in (
            lambda m, rows: m.fit(x, y, where=~rows),
            lambda m, rows: m.fit(x[~rows], y[~rows]),
        ):
            each = []
            for rows in test:
                risk = fit(CoxNnet(hparams=CoxNnetHParams(l2=l2), **MODEL), rows).predict(x[rows])
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


def test_rows_outside_of_where_do_not_matter(patients):
    x, y = patients
    where = np.arange(90) % 4 > 0
    grid, half = {"l2": [0.01, 10.0]}, CoxNnet(**MODEL)
    found = half.search(x, y, grid, folds=3, where=where)
    alone = half.search(x[where], y[where], grid, folds=3)
    np.testing.assert_allclose(found.table, alone.table, atol=1e-5)
    np.testing.assert_allclose(
        found.best_estimator.predict(x), alone.best_estimator.predict(x), atol=1e-5
    )
    other, shuffled = x.copy(), y.copy()
    other[~where], shuffled[~where] = 1e3, y[~where][::-1]
    again = half.search(other, shuffled, grid, folds=3, where=where)
    np.testing.assert_array_equal(found.table, again.table)


def test_what_fits_choose_by_themselves_is_searched_too(patients):
    """A fit of `CoxNnet` profiles its penalty, so a search of its momentum must not keep one value of it."""
    profile = CoxNnet(**MODEL)._grid()
    found = CoxNnet(**MODEL).search(*patients, {"momentum": [0.5, 0.9]}, folds=2).table
    assert len(found) == 2 * len(profile["l2"]) == 2 * found["l2"].nunique()
    given = CoxNnet(l2=0.5, **MODEL).search(*patients, {"momentum": [0.5, 0.9]}, folds=2).table
    assert list(given.columns[:2]) == ["momentum", "mean_c"]


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({}, "the grid has no values"),
        ({"gamma": [1.0]}, r"the grid has \['gamma'\], which are no traced"),
        ({"mmd_weight": [1.0]}, r"does not read \['mmd_weight'\]"),
        ({"beta": [1.0, 1.0]}, "the same setting twice"),
        ({"beta": ["a"]}, "hyper-parameter beta has the value 'a'; give finite numbers"),
        (
            {"beta": [0.1, float("nan")]},
            "hyper-parameter beta has the value nan; give finite numbers",
        ),
        ({"beta": 0.1}, "must map names to lists of numbers"),
    ],
)
def test_a_grid_that_cannot_be_searched_is_refused(grid, message, patients):
    with pytest.raises(InputError, match=message):
        MORiskVAE().search(*patients, grid)
