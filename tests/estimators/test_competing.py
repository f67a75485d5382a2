"""Networks of all competing causes as estimators: outcomes of codes, incidences, files, refusals."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from jaxsurv.data import Cohort
from jaxsurv.estimators import CoxNnet, MORiskVAE, SurvivalStack, load
from jaxsurv.metrics import concordance_index
from jaxsurv.models import CoxNnetConfig, SurvivalVAEConfig
from jaxsurv.survival import aalen_johansen
from jaxsurv.types import InputError
from tests.estimators.conftest import changed

N = 160
TIMES = np.array([0.0, 0.3, 1.0, 50.0])


def causes():
    """Two causes, each with a column of its own."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(N, 4)).astype(np.float32)
    one, two = (rng.exponential(np.exp(-1.5 * x[:, k])) for k in (0, 1))
    end = rng.exponential(3, N)
    first = np.minimum(one, two)
    return x, np.where(end < first, 0, np.where(one < two, 1, 2)), np.minimum(first, end)


X, CODE, TIME = causes()
COHORT = Cohort(
    {"rna": pd.DataFrame(X, [f"p{i}" for i in range(N)], list("abcd"))},
    pd.DataFrame(
        {"efs_time": TIME, "efs_event": CODE, "os_time": TIME, "os_event": CODE > 0},
        [f"p{i}" for i in range(N)],
    ),
    causes={"efs": ["relapse", "death"]},
)
BINARY = pd.DataFrame({"event": CODE == 2, "time": TIME}, COHORT.survival.index)


def network(cause=1, **static):
    config = CoxNnetConfig(head="competing", intervals=6, cause=cause, **static)
    return CoxNnet(config, epochs=60, n_seeds=2, l2=1e-3, learning_rate=0.05)


@pytest.fixture(scope="module")
def fitted():
    return network(cause=2).fit(X, (CODE, TIME))


def test_incidences_of_both_causes(fitted):
    f = fitted.predict_cumulative_incidence(X, TIMES)
    assert f.shape == (N, 2, 4)
    assert (f[:, :, 0] == 0).all()
    assert (np.diff(f, axis=2) >= 0).all()
    alive = fitted.predict_survival_function(X, TIMES)
    np.testing.assert_allclose(alive + f.sum(axis=1), 1, atol=1e-6)
    for k in (0, 1):  # each cause has its column
        assert np.corrcoef(f[:, k, 2], X[:, k])[0, 1] > 0.6
    observed = aalen_johansen(CODE, TIME)(TIMES[1:3]).T
    np.testing.assert_allclose(f.mean(axis=0)[:, 1:3], observed, atol=0.08)


def test_risks_are_those_of_the_cause(fitted):
    risk = fitted.predict(X)
    assert np.corrcoef(risk, X[:, 1])[0, 1] > 0.8
    assert abs(np.corrcoef(risk, X[:, 0])[0, 1]) < 0.5
    expected = float(concordance_index(risk, CODE == 2, TIME).index)
    assert fitted.score(X, (CODE, TIME)) == pytest.approx(expected)
    assert fitted.model_.cohort.events == (CODE == 2).sum()
    # patients who had only one of the causes can be scored
    assert fitted.score(X[CODE != 1], (CODE[CODE != 1], TIME[CODE != 1])) > 0.5


def test_risk_tables_have_the_incidences(fitted):
    table = fitted.risk_table(X, TIMES[1:3])
    names = [f"incidence_{k}_{t}" for k in (1, 2) for t in ("0.3", "1")]
    assert table.columns.tolist() == [
        "risk", "percentile", *names, "survival_0.3", "survival_1", "group"
    ]  # fmt: skip
    f = fitted.predict_cumulative_incidence(X, TIMES[1:3])
    np.testing.assert_allclose(table[names].to_numpy(), f.reshape(N, 4))
    np.testing.assert_allclose(table["survival_1"], 1 - f[:, :, 1].sum(axis=1), atol=1e-6)


def test_cohorts_of_all_causes_and_of_one_give_the_same_model():
    one, two = (
        network(cause=2).fit(c, "efs").predict(COHORT)
        for c in (COHORT, COHORT.of_cause("efs", "death"))
    )
    np.testing.assert_array_equal(one, two)
    table = network(cause=2).fit(COHORT, "efs").risk_table(COHORT, [1.0])
    assert {"incidence_relapse_1", "incidence_death_1"} < set(table)


def test_codes_beside_the_events_change_no_bit_of_a_cox_network():
    cox = CoxNnet(epochs=20, n_seeds=2, l2=0.01)
    one, two = (
        clone(cox).fit(*given).predict(COHORT.modalities)
        for given in ((COHORT.of_cause("efs", "death"), "efs"), (COHORT.modalities, BINARY))
    )
    np.testing.assert_array_equal(one, two)


def test_frames_are_matched_by_name(fitted):
    patients = COHORT.survival.index
    frame = pd.DataFrame(X, patients)
    y = pd.DataFrame({"event": CODE, "time": TIME}, patients).iloc[::-1]
    again = network(cause=2).fit(frame, y)
    np.testing.assert_array_equal(again.predict(frame), fitted.predict(X))


def test_files_hold_incidences_and_causes(fitted, tmp_path):
    fitted.save(tmp_path / "m")
    again = load(tmp_path / "m")
    f, g = (m.predict_cumulative_incidence(X, TIMES) for m in (fitted, again))
    np.testing.assert_array_equal(f, g)
    assert again.model_.cohort.causes == ("1", "2")
    pd.testing.assert_frame_equal(again.risk_table(X, TIMES), fitted.risk_table(X, TIMES))


def test_a_forged_file_is_refused(fitted, tmp_path):
    fitted.save(tmp_path / "m")

    def edit(entries, weights, arrays):
        entries["config"]["causes"] = 3

    with pytest.raises(InputError, match="do not fit config and features"):
        load(changed(tmp_path / "m", "n", edit))


@pytest.mark.filterwarnings("ignore:these .* have the events:jaxsurv.data.DataWarning")
def test_lower_bounds_and_explanations_work(fitted):
    bounds = fitted.predict_lower_bound(X, 0.9)
    assert (bounds >= 0).all()
    found = fitted.explain(X, (CODE, TIME), steps=4, repeats=2)
    assert found.modalities["c"].iloc[0] == pytest.approx(fitted.score(X, (CODE, TIME)))


def test_a_variational_network():
    config = SurvivalVAEConfig(
        widths=lambda d: (6,), latent=3, head="competing", intervals=4, cause=1
    )
    model = MORiskVAE(config, epochs=30, n_seeds=2).fit(X, (CODE, TIME))
    f = model.predict_cumulative_incidence(X[:3], TIMES)
    assert np.isfinite(f).all()


CASES = {
    "a third code": (lambda: network().fit(X, (np.where(X[:, 0] > 1, 3, CODE), TIME)),
                     r"event in y has the code 3 in row \d+, and the model has causes=2"),
    "no whole number": (lambda: network().fit(X, (CODE + 0.5, TIME)), "event in y must be 0"),
    "negative": (lambda: network().fit(X, (CODE - 1, TIME)), "event in y must be 0"),
    "no event of a cause": (lambda: network().fit(X, (CODE % 2, TIME)),
                            r"no event of the cause 2 \(code 2\)"),
    "codes for another head": (lambda: CoxNnet().fit(X, (CODE, TIME)), "competing risks"),
    "no causes": (lambda: network().fit(COHORT, "os"), "'os' has no causes, and head='competing'"),
    "more causes": (lambda: network(causes=3).fit(COHORT, "efs"),
                    "has the causes relapse, death, and the head has causes=3: set causes=2"),
    "another cause": (lambda: network().fit(COHORT.of_cause("efs", "death"), "efs"),
                      "cohort is of 'death', cause 2 of 'efs', and the head of cause 1"),
    "any cause": (lambda: network().fit(COHORT.of_cause("efs", "any"), "efs"), "name it, cause="),
    "causes of another endpoint": (lambda: network().fit(COHORT.of_cause("efs", "death"), "os"),
                                   "'os' has no causes"),
    "strata": (lambda: network().fit(pd.DataFrame(X), pd.DataFrame(
        {"event": CODE, "time": TIME, "stratum": np.arange(N) % 2})), "patients have strata"),
    "a fine grid": (lambda: CoxNnet(CoxNnetConfig(head="competing", intervals=500)).fit(
        X, (CODE, TIME)), "intervals=500 is finer than the events"),
    "a fine grid of one cause": (lambda: CoxNnet(CoxNnetConfig(
        head="logistic_hazard", intervals=500)).fit(X, (CODE > 0, TIME)),
        "intervals=500 is finer than the events"),
    "one event of a cause": (lambda: network().fit(X, (
        np.where((CODE == 2) & (np.cumsum(CODE == 2) > 1), 0, CODE), TIME)),
        "no event of cause 2 among its"),
    "incidence of one kind": (lambda: CoxNnet(epochs=2, n_seeds=1, l2=1.0).fit(
        X, (CODE > 0, TIME)).predict_cumulative_incidence(X, TIMES), "CauseSpecific"),
    "incidence of a stack": (lambda: SurvivalStack(["network", "all modalities"], network="CoxNnet",
        config=network().config, epochs=30, n_seeds=5).fit(
            X, (CODE, TIME)).predict_cumulative_incidence(X, TIMES), "stack with Cox|one kind"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:no epoch of any network", "ignore:nothing was found")
@pytest.mark.parametrize("case", CASES)
def test_refusals(case):
    attempt, message = CASES[case]
    with pytest.raises(InputError, match=message):
        attempt()
