"""What is missing is told to every model: categories as a level, numbers by an indicator."""

import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import Cohort, without_test
from jaxsurv.estimators import Coxnet, SurvivalStack
from jaxsurv.metrics import concordance_index
from jaxsurv.preprocess.schema import NARROW, Schema
from jaxsurv.recipe import AS_MEASURED, Recipe, elastic_net_cox, prepare, ridge_cox

N = 400
TRAIN = np.arange(N) < 300
_ = np.nan


def told_by_its_absence(column):
    """Patients who lack the column have a log hazard higher by 2; nothing else tells much."""
    rng = np.random.default_rng(0)
    bad = rng.random(N) < 0.35
    values = rng.choice(["G2", "G3"], N) if column == "text" else rng.normal(5, 2, N).astype(object)
    values = np.where(bad, None, values)
    time, event = rng.exponential(np.exp(-2.0 * bad)), rng.random(N) < 0.8
    table = pd.DataFrame({"lab": values, "age": rng.normal(60, 9, N)}, [f"p{i}" for i in range(N)])
    return table, pd.DataFrame({"event": event, "time": time}, table.index), bad


def held_out(risk, y):
    return float(concordance_index(risk[~TRAIN], y["event"][~TRAIN], y["time"][~TRAIN]).index)


MODELS = {
    "Coxnet": lambda recipe: Coxnet(recipe=recipe),
    "stack": lambda recipe: SurvivalStack(("all modalities",), recipe=recipe),
}


@pytest.mark.filterwarnings("ignore:no feature has a coefficient", "ignore:nothing was found")
@pytest.mark.parametrize("column", ["text", "number"])
@pytest.mark.parametrize("model", MODELS)
def test_an_estimator_learns_from_what_is_missing(column, model):
    x, y, bad = told_by_its_absence(column)
    level, mean = (
        MODELS[model](Recipe(unknown=how, components=None, offset="none")).fit(x[TRAIN], y[TRAIN])
        for how in ("level", "mean")
    )
    assert held_out(level.predict(x), y) > held_out(mean.predict(x), y) + 0.05
    assert level.predict(x)[bad].min() > np.median(level.predict(x)[~bad]) + 1
    one = x.loc[[x.index[bad][-1]]]  # a patient alone is read as in company
    np.testing.assert_allclose(level.predict(one), level.predict(x)[bad][-1:], rtol=1e-5)


@pytest.mark.parametrize("column", ["text", "number"])
@pytest.mark.parametrize("fit", [ridge_cox, elastic_net_cox])
def test_the_baselines_of_a_study_learn_from_it(column, fit):
    x, y, bad = told_by_its_absence(column)
    cohort = Cohort({"clinical": x}, y.add_prefix("os_"))
    data = prepare(cohort, "os", without_test(y["event"].to_numpy(), TRAIN[None]), Recipe())
    log_hazard = np.asarray(fit(data).log_hazard)[0]
    assert log_hazard[bad].min() > np.median(log_hazard[~bad]) + 1


def schema_of(unknown="level", wide=2, **columns):
    n = len(next(iter(columns.values())))
    rest = {f"g{i}": np.random.default_rng(i).normal(size=n) for i in range(wide)}
    table = pd.DataFrame(columns | rest, [f"p{i}" for i in range(n)])
    survival = pd.DataFrame({"os_time": np.arange(n) + 1.5, "os_event": 1}, table.index)
    return Schema.of(Cohort({"m": table}, survival), unknown=unknown)


def lacking(missing, n=200, first=0):
    values = np.random.default_rng(n).normal(size=n)
    values[first : first + missing] = _
    return values


def test_numbers_have_an_indicator_where_enough_patients_lack_them():
    assert schema_of(x=lacking(10)).indicators["m"] == ("x",)
    assert schema_of(x=lacking(9)).indicators["m"] == ()
    assert schema_of(x=lacking(19, 400)).indicators["m"] == ()  # under 5 %
    assert schema_of(x=lacking(191)).indicators["m"] == ()  # nine have it
    assert schema_of(x=lacking(190)).indicators["m"] == ("x",)
    assert schema_of("mean", x=lacking(100)).indicators["m"] == ()
    assert schema_of(x=lacking(100), wide=NARROW - 1).indicators["m"] == ()
    assert schema_of(x=lacking(100), wide=NARROW - 2).indicators["m"] == ("x",)
    same = schema_of(a=lacking(20), b=lacking(20) + 1, c=lacking(20, first=1), d=lacking(0))
    assert same.indicators["m"] == ("a", "c")


def test_categories_have_a_level_where_enough_patients_lack_them():
    texts = {n: ["u", "v"] * 40 + [None] * n for n in (4, 5)}
    assert schema_of(x=texts[4]).categories["m"]["x"] == ("u", "v")
    assert schema_of(x=texts[5]).categories["m"]["x"] == ("u", "v", "")


def test_an_indicator_that_is_rare_in_training_is_not_read():
    x, y, bad = told_by_its_absence("number")
    few = np.flatnonzero(bad)[:4]
    rows = np.array([i in few or not bad[i] for i in range(N)])
    cohort = Cohort({"clinical": x}, y.add_prefix("os_"))
    data = prepare(cohort, "os", without_test(y["event"].to_numpy(), rows[None]), AS_MEASURED)
    names = data.encoded.names
    assert names == ("lab", "lab=(missing)", "age")
    gain = np.asarray(data.fitted.scaler.gain)[0]
    np.testing.assert_array_equal(gain > 0, [True, False, True])
