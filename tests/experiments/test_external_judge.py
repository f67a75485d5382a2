"""Frozen models judged: what a perfect, a reversed, an ignorant and a hindered one get."""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from experiments.external_validation.judge import ONE_RISK, judge, patients_of, unable
from experiments.external_validation.report import shown, table_of
from experiments.external_validation.texts import hindered, inverted
from jaxsurv.data import Cohort, DataWarning
from jaxsurv.estimators.fitted import FittedModel
from jaxsurv.estimators.training_cohort import FittedTerms, describe_training
from jaxsurv.metrics import (
    calibration_slope,
    concordance_index,
    hazard_ratio,
    integrated_brier_score,
)
from jaxsurv.models import Model
from jaxsurv.preprocess import Preprocessing, Scaler, Schema
from jaxsurv.recipe import LinearCox, Terms
from jaxsurv.survival import breslow_baseline, kaplan_meier, survival_function
from jaxsurv.types import Objective


class Stub(NamedTuple):
    """What `judge` needs of an estimator."""

    model: FittedModel

    def fitted(self) -> FittedModel:
        return self.model


class Outcome(NamedTuple):
    eta: np.ndarray
    event: np.ndarray
    time: np.ndarray

    def cohort(self, name: str = "second", modality: str = "score") -> Cohort:
        """A cohort whose one feature is the log hazard."""
        patients = [f"{name}-{i}" for i in range(len(self.time))]
        survival = pd.DataFrame({"os_time": self.time, "os_event": self.event}, index=patients)
        features = pd.DataFrame({"eta": self.eta}, index=patients)
        return Cohort({modality: features}, survival, {modality: "continuous"}, name)


def linear(modality: str, coef: float) -> LinearCox:
    none = np.zeros((1, 0), np.float32)
    coefs = {modality: np.full((1, 1), coef, np.float32)}
    return LinearCox(coefs, {}, {}, none, none, np.zeros(1, np.float32))


def frozen(train: Outcome, coefs: Any = None, network: Any = None, kind="continuous") -> Any:
    """A model whose log hazard is a feature times its coefficient, per modality."""
    coefs = {"score": 1.0} if coefs is None else coefs
    d = len(coefs)
    schema = Schema(
        dict.fromkeys(coefs, kind), dict.fromkeys(coefs, ("eta",)), {m: {} for m in coefs}
    )
    far = np.full(d, np.inf, np.float32)
    scaler: Any = Scaler(-far, far, np.zeros(d, np.float32), np.ones(d, np.float32))
    preprocessing = Preprocessing(schema, scaler, {}, {})
    ones = np.ones(1, np.float32)
    if network is None:
        cox = {f"member {m}": linear(m, c) for m, c in coefs.items()}
        terms = Terms(None, None, cox, dict.fromkeys(cox, ones))
    else:
        terms = Terms({"rate": ones}, None, {}, {"network": ones})
    trained = FittedTerms(terms, np.zeros(1, np.float32), train.eta)
    baselines, told = describe_training(
        trained, train.event, train.time, None, None, time_unit="years"
    )
    center = np.zeros(1, np.float32)
    return Stub(FittedModel(network, None, preprocessing, terms, center, baselines, told))


def two_cohorts(censored_a, censored_b, n=3000) -> tuple[Outcome, Outcome, np.ndarray]:
    """Cox data of one truth, censored differently in a and b, and b's uncensored times."""
    rng = np.random.default_rng(0)
    eta = 0.7 * rng.normal(size=2 * n)
    complete = rng.exponential(5 / np.exp(eta))
    censored = np.concatenate([np.broadcast_to(c, n) for c in (censored_a, censored_b)])
    event, time = (complete <= censored) * 1.0, np.minimum(complete, censored)
    a, b = (Outcome(eta[r], event[r], time[r]) for r in (slice(n), slice(n, None)))
    return a, b, complete[n:]


@pytest.fixture(scope="module")
def cohorts():
    rng = np.random.default_rng(0)
    censored = rng.exponential(8.0, 600)
    first, second, _ = two_cohorts(censored[:300], censored[300:], n=300)
    return first, second


def km(outcome: Outcome):
    return kaplan_meier(outcome.event, outcome.time)


# No slope is steep enough for a log hazard that is a function of the time.
@pytest.mark.filterwarnings("ignore::jaxsurv.survival.MonotoneLikelihoodWarning")
def test_c_is_raw_and_of_the_external_cohort_alone(cohorts):
    first, second = (o._replace(eta=-np.log1p(o.time)) for o in cohorts)
    good, bad = (
        judge(
            frozen(first._replace(eta=s * first.eta), {"score": s}),
            second.cohort(),
            "os",
            km(first),
        )
        for s in (1.0, -1.0)
    )
    np.testing.assert_allclose(
        good.row["c"], concordance_index(second.eta, second.event, second.time).index, atol=1e-4
    )
    np.testing.assert_allclose(good.risk, second.eta, rtol=1e-5)
    assert good.row["patients"] == 300
    assert good.row["c"] > 0.99
    assert bad.row["c"] < 0.01
    assert good.row["slope"] > 0 > bad.row["slope"]
    assert good.row["hazard_ratio"] > 1
    assert good.row["ibs"] < good.row["ibs_null"] < bad.row["ibs"]
    assert not inverted(table_of({"good": [good]}))
    (sentence,) = inverted(table_of({"bad": [bad]}))
    assert "'bad' ranks the patients of second the wrong way round (C 0.0" in sentence


def test_a_model_without_knowledge_is_the_null_curve(cohorts):
    rng = np.random.default_rng(0)
    first, second = (o._replace(eta=1e-6 * rng.normal(size=300)) for o in cohorts)
    for null in (
        km(first),
        None,
    ):  # which is also what the model itself knows of the training cohort
        row = judge(frozen(first), second.cohort(), "os", null).row
        np.testing.assert_allclose(row["ibs"], row["ibs_null"], rtol=0.02)
        assert 0.7 < row["observed_expected"] < 1.4


def test_without_a_training_cohort_the_null_curve_is_the_models_average(cohorts):
    first, second = cohorts
    model = frozen(first)
    row = judge(model, second.cohort(), "os").row
    first_event, most = np.quantile(second.time[second.event > 0], [0.1, 0.9])
    times = np.linspace(first_event, min(most, first.time[first.event > 0].max()), 50)
    risks = np.percentile(first.eta, np.arange(101))
    average = np.asarray(survival_function(model.fitted().baseline, risks, times)).mean(axis=0)
    expected = integrated_brier_score(
        np.tile(average, (300, 1)), times, second.event, second.time,
        train_event=second.event, train_time=second.time,
    )  # fmt: skip
    np.testing.assert_allclose(row["ibs_null"], expected, rtol=1e-4)


def test_brier_scores_allow_for_the_external_cohorts_own_censoring():
    early = np.random.default_rng(1).exponential(2.0, 3000)
    first, second, complete = two_cohorts(8.0, early)
    found = judge(frozen(first), second.cohort(), "os").row["ibs"]
    times = np.linspace(*np.quantile(second.time[second.event > 0], [0.1, 0.9]), 50)
    truth = np.exp(-times[None] * np.exp(second.eta)[:, None] / 5)
    whole = {"event": np.ones(3000), "time": complete}
    follow_up = {f"train_{k}": v for k, v in whole.items()}
    expected = integrated_brier_score(truth, times, *whole.values(), **follow_up)
    np.testing.assert_allclose(found, expected, rtol=0.05)


def test_events_beyond_the_training_follow_up_are_not_expected():
    def found(*censored):
        first, second, _ = two_cohorts(*censored)
        return judge(frozen(first), second.cohort(), "os").row

    longer, cut = found(2.0, 10.0), found(2.0, 2.0)
    for name in ("observed_expected", "observed_expected_lower", "observed_expected_upper"):
        np.testing.assert_allclose(longer[name], cut[name], rtol=1e-6)
    assert 0.9 < longer["observed_expected"] < 1.1


def exponential(config=None) -> Objective:
    """A network whose curves are exponential, with rate e^eta / 5, whatever Breslow says."""

    def predict(params, batch):
        return params["rate"] * batch.inputs["score"][:, 0]

    def survival(params, batch, times):
        return jnp.exp(-times[None] * jnp.exp(predict(params, batch))[:, None] / 5)

    def init(key, batch):
        return {"rate": jnp.ones(())}

    def loss(params, batch, key, hparams):
        return jnp.zeros(()), {}

    return Objective(
        init,
        loss,
        predict,
        lambda params, batch: jnp.zeros(()),
        survival=survival,
        criterion="none",
    )


def test_a_network_with_curves_of_its_own_is_judged_by_them():
    first, second, _ = two_cohorts(4.0, 10.0)
    network = Model("exponential", exponential, None)
    # a baseline that says nothing of the truth
    row = judge(
        frozen(first._replace(time=first.time / 3), network=network), second.cohort(), "os"
    ).row
    until = np.minimum(second.time, 4 / 3)
    expected = (until * np.exp(second.eta) / 5).sum()
    observed = second.event[second.time <= 4 / 3].sum()
    np.testing.assert_allclose(row["observed_expected"], observed / expected, rtol=1e-3)
    assert 0.85 < row["observed_expected"] < 1.15
    assert row["ibs"] < row["ibs_null"]


def test_high_risk_is_what_it_was_in_training(cohorts):
    """The external cohort is worse off: its own median would again make halves."""
    first, second = cohorts
    moved = second._replace(eta=second.eta + 0.8)
    model = frozen(first)
    row = judge(model, moved.cohort(), "os", km(first)).row
    threshold = np.median(first.eta.astype(np.float32))
    assert row["threshold"] == pytest.approx(threshold, rel=1e-6)
    high = moved.eta > threshold
    assert row["high"] == high.sum()
    assert abs(high.mean() - 0.5) > 0.2
    hr = hazard_ratio(moved.eta, moved.event, moved.time, split=threshold)
    for name in ("hazard_ratio", "lower", "upper", "p_value"):
        column = name if "_" in name else f"hazard_ratio_{name}"
        assert row[column] == pytest.approx(float(getattr(hr, name)), rel=1e-4)
    groups = model.fitted().table(
        patients_of(model.fitted(), moved.cohort()), np.zeros(0)
    )["group"]  # fmt: skip
    np.testing.assert_array_equal(groups == "high", high)


def test_intervals_of_the_table_are_those_of_the_metrics(cohorts):
    """Observed over expected events far from 1, whose interval depends on the observed number alone."""
    first, second = cohorts
    moved = second._replace(eta=second.eta - 1.0)
    row = judge(frozen(first), moved.cohort(), "os", km(first)).row
    baseline = breslow_baseline(first.eta.astype(np.float32), first.event, first.time)
    end = first.time.max()
    expected = (np.asarray(baseline(np.minimum(moved.time, end))) * np.exp(moved.eta)).sum()
    observed = moved.event[moved.time <= end].sum()
    factor = np.exp(1.959963984540054 / np.sqrt(observed))
    ratio = observed / expected
    assert ratio > 2
    names = [f"observed_expected{part}" for part in ("", "_lower", "_upper")]
    np.testing.assert_allclose(
        [row[n] for n in names], [ratio, ratio / factor, ratio * factor], rtol=1e-4
    )
    c = concordance_index(moved.eta, moved.event, moved.time)
    slope = calibration_slope(moved.eta, moved.event, moved.time)
    half = 1.959963984540054 * float(slope.standard_error)
    for name, wanted in (
        ("c", (float(c.index), *c.interval())),
        ("slope", (slope.slope, slope.slope - half, slope.slope + half)),
    ):
        limits = [row[f"{name}{part}"] for part in ("", "_lower", "_upper")]
        np.testing.assert_allclose(limits, wanted, rtol=1e-3)


def test_one_risk_for_everybody_has_no_c_and_ends_nothing(cohorts):
    first, second = cohorts
    judged = judge(frozen(first, {"score": 0.0}), second.cohort(), "os", km(first))
    table = table_of({"constant": [judged], "other": [judge(frozen(first), second.cohort(), "os")]})
    row = table.set_index("model").loc["constant"]
    assert row[["c", "c_lower", "slope", "hazard_ratio"]].isna().all()
    assert row[["observed_expected", "ibs", "ibs_null"]].notna().all()
    assert row["note"] == ONE_RISK
    assert shown(table).iloc[0]["C (95 %)"] == ""
    (sentence,) = hindered(table)
    assert sentence.startswith("'constant' on second: one risk for everybody")


def test_members_that_lack_their_modality_are_left_out(cohorts):
    first, second = cohorts
    model = frozen(first, {"score": 1.0, "other": 1.0})
    with (
        pytest.warns(DataWarning, match="members member other cannot score"),
        pytest.warns(DataWarning, match="none of the 300 patients has other"),
    ):
        judged = judge(model, second.cohort(), "os")
    np.testing.assert_allclose(judged.risk, second.eta, rtol=1e-5)
    lacks = "the cohort has no other, which the model reads"
    assert judged.row["note"] == f"{lacks}; without its members member other"


def test_a_model_that_can_read_nothing_has_an_empty_row(cohorts):
    first, second = cohorts
    judged = judge(frozen(first), second.cohort(modality="rna"), "os")
    assert np.isnan(judged.risk).all()
    assert (
        judged.row["note"]
        == "no member can score it: it has no modality that the model knows, the model reads score"
    )
    assert table_of({"lost": [judged]})["ibs"].isna().all()
    both = frozen(first, {"score": 1.0, "other": 1.0}).fitted()
    assert (
        unable(both, ["third"])
        == "no member can score it: it has third, the model reads other, score"
    )
    assert not unable(both, ["other"])


def test_counts_are_read_on_the_models_scale(cohorts):
    first, _ = cohorts
    survival = pd.DataFrame({"os_time": [1.0, 2, 3], "os_event": [1, 0, 1]}, index=list("abc"))
    counts = pd.DataFrame({"more": [1.0, 2, 3], "eta": [0.0, 7, 1000]}, index=list("abc"))
    raw = Cohort({"score": counts}, survival, {"score": "counts"})
    logs = Cohort({"score": np.log2(counts + 1)}, survival, {"score": "continuous"})

    def read(cohort, kind, logged=()):
        table = patients_of(frozen(first, kind=kind).fitted(), cohort, logged).tables["score"]
        assert list(table.columns) == ["eta"]
        return table["eta"].to_numpy()

    np.testing.assert_array_equal(read(raw, "counts"), counts["eta"])
    np.testing.assert_allclose(read(raw, "continuous"), np.log2(counts["eta"] + 1))
    np.testing.assert_allclose(read(logs, "continuous", ["score"]), np.log2(counts["eta"] + 1))
    np.testing.assert_array_equal(read(logs, "counts", ["score"]), counts["eta"])


@pytest.mark.parametrize("constant", [0.25, 0.1, -0.0123])
def test_a_constant_up_to_the_last_bit_keeps_its_other_numbers(cohorts, constant):
    first, second = cohorts
    eta = np.full(300, constant, np.float32)
    eta[::7] = np.nextafter(eta[::7], np.float32(np.inf))
    row = judge(frozen(first), second._replace(eta=eta).cohort(), "os", km(first)).row
    assert row["note"] == ONE_RISK
    assert "c" not in row
    assert "slope" not in row
    assert np.isfinite([row["ibs"], row["observed_expected"]]).all()


def test_a_group_that_leaves_before_the_first_event_has_no_hazard_ratio(cohorts):
    first, second = cohorts
    low = second.eta < 0
    early = second._replace(
        event=np.where(low, 0.0, second.event), time=np.where(low, 0.01, 1 + second.time)
    )
    row = judge(frozen(first), early.cohort(), "os", km(first)).row
    assert "hazard_ratio" not in row
    assert np.isfinite([row["c"], row["slope"], row["ibs"]]).all()
