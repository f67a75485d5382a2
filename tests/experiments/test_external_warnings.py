"""What an external validation warns of: columns and members that act otherwise, strata, recalibration."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from experiments.external_validation import command as external_validation
from experiments.external_validation.cohorts import Cohorts
from experiments.external_validation.columns import score_test, turned_columns
from experiments.external_validation.joined import join_cohorts
from experiments.external_validation.judge import judge, strata_of
from experiments.external_validation.members import beside_stacks, stack_without
from experiments.external_validation.models import Frozen
from experiments.external_validation.recalibrate import recalibrated
from experiments.external_validation.texts import harmful, other_way_round
from jaxsurv.data import Cohort, write_cohort
from jaxsurv.estimators import SurvivalStack
from jaxsurv.metrics import calibration_slope, concordance_index, hazard_ratio
from jaxsurv.recipe import AS_MEASURED, stacking
from jaxsurv.survival import cox_fit, logrank_test

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def make(name, n, seed, *, turned=False, strata=False, spread=1.0):
    """Two tables, each with a column that matters; ``turned``: that of ``clinical`` protects here."""
    rng = np.random.default_rng(seed)
    patients = [f"{name}{i}" for i in range(n)]
    clinical = pd.DataFrame(
        {"debulking": rng.integers(0, 2, n), "age": rng.normal(size=n)}, patients
    )
    rna = pd.DataFrame(rng.normal(size=(n, 3)), patients, list("xyz"))
    centre = rng.integers(0, 3, n)
    sign = -1 if turned else 1
    eta = spread * (sign * 1.2 * clinical["debulking"] + 0.8 * rna["x"]) + 2.0 * strata * centre
    time, leaves = rng.exponential(np.exp(-eta)), rng.exponential(2, n)
    survival = pd.DataFrame(
        {"os_time": np.minimum(time, leaves), "os_event": 1.0 * (time <= leaves)}
    )
    survival = survival.set_axis(patients)
    if strata:
        survival["stratum"] = [f"centre {k}" for k in centre]
    return Cohort({"rna": rna, "clinical": clinical}, survival, {"rna": "continuous"}, name=name)


@pytest.fixture(scope="module")
def train():
    return make("a", 300, 0)


@pytest.fixture(scope="module")
def stack(train):
    return SurvivalStack(("modalities",), recipe=AS_MEASURED).fit(train, "os")


@pytest.mark.parametrize("strata", [False, True])
def test_the_score_test_is_the_log_rank_test(strata):
    cohort = make("a", 200, 1, strata=strata)
    o, group = cohort.outcome("os"), cohort.modalities["clinical"]["debulking"].to_numpy(float)
    labels = strata_of(cohort)
    event, time = np.asarray(o.event), np.asarray(o.time)
    x = np.c_[group, -group, np.full(200, 3.0), np.where(np.arange(200) < 150, group, np.nan)]
    z = score_test(x, event, time, labels)
    expected = logrank_test(event, time, group, strata=labels).statistic
    assert z[0] ** 2 == pytest.approx(float(expected), rel=1e-6)
    assert z[0] > 2
    assert z[1:3].tolist() == [-z[0], 0]
    some = slice(150)
    few = logrank_test(
        event[some], time[some], group[some], strata=None if labels is None else labels[some]
    )
    assert z[3] ** 2 == pytest.approx(float(few.statistic), rel=1e-6)


def test_a_column_that_acts_the_other_way_round_is_named_and_no_other(train):
    external = {"b": make("b", 300, 2), "c": make("c", 300, 3, turned=True)}
    found = turned_columns(train, external, "os")
    assert found[["cohort", "modality", "column"]].to_numpy().tolist() == [
        ["c", "clinical", "debulking"]
    ]
    assert found["z_train"].item() > 2
    assert found["z_external"].item() < -2
    (told,) = other_way_round(found)
    assert told.startswith("'debulking' of 'clinical' acts the other way round on c: z +")
    assert "--without clinical leaves the table out" in told


def test_a_wide_table_has_one_sentence_with_what_chance_gives():
    row = {"z_train": 3.0, "z_external": -3.0, "columns": 1000}
    found = pd.DataFrame({"cohort": "b", "modality": "rna", "column": ["x", "y"], **row})
    (told,) = other_way_round(found)
    assert "2 of 1000 columns of 'rna'" in told
    assert "by chance alone some 1.0" in told


def _cohorts(train, external):
    return Cohorts("os", train, external, {}, (), pd.DataFrame(), None, "", "none")


def test_a_harmful_member_is_named_and_left_out_beside_its_stack(train, stack):
    external = {"c": make("c", 300, 3, turned=True)}
    before = stack.predict(external["c"])
    shown, slopes = beside_stacks({"stack": Frozen(stack)}, _cohorts(train, external))
    assert list(shown) == ["stack, without clinical", "stack"]  # the headline stays the last
    slope = slopes.set_index("member")["slope"]
    assert slope["clinical"] < 0 < slope["rna"]
    (told,) = harmful(slopes)
    assert "The member 'clinical' of 'stack' has the calibration slope -" in told
    assert "is no validation" in told
    # the others have its weight, and are themselves
    copied = shown["stack, without clinical"].estimator
    alone = SurvivalStack(("modalities",), recipe=replace(AS_MEASURED, blocks=("rna",))).fit(
        train, "os"
    )
    risk, own = copied.predict(external["c"]), alone.predict(external["c"])
    np.testing.assert_allclose(np.corrcoef(risk, own)[0, 1], 1, atol=1e-6)
    total = stack.weights_.sum() / alone.weights_.sum()
    np.testing.assert_allclose(risk, total * own, atol=1e-3)
    np.testing.assert_array_equal(stack.predict(external["c"]), before)
    scores = {n: judge(m.estimator, external["c"], "os").row["c"] for n, m in shown.items()}
    assert scores["stack, without clinical"] > scores["stack"] + 0.05


@pytest.mark.filterwarnings("ignore:none of the 100 patients has clinical:jaxsurv.data.DataWarning")
def test_a_member_without_a_slope_is_harmful_and_one_member_is_no_stack(train, stack):
    other = {"weight": np.random.default_rng(0).normal(size=100)}  # nothing that the member reads
    flat = make("d", 100, 4)
    clinical = pd.DataFrame(other, flat.survival.index)
    flat = replace(flat, modalities={**flat.modalities, "clinical": clinical})
    shown, slopes = beside_stacks({"stack": Frozen(stack)}, _cohorts(train, {"d": flat}))
    assert slopes.set_index("member")["slope"].isna().to_dict() == {"rna": False, "clinical": True}
    assert "undefined on d" in harmful(slopes)[0]
    assert len(shown) == 2
    one = Frozen(stack_without(stack, ["clinical"]))
    shown, slopes = beside_stacks({"one": one}, _cohorts(train, {"d": flat}))
    assert list(shown) == ["one"]
    assert slopes.empty


def test_the_copy_of_a_stack_with_a_network_keeps_its_weight_and_centre(train, monkeypatch):
    monkeypatch.setattr(stacking, "EARNED", -np.inf)
    model = SurvivalStack(
        ("network", "modalities"), recipe=AS_MEASURED, epochs=5, n_seeds=2, grid={}
    ).fit(train, "os")
    weights = model.fitted().params.weights
    other = stack_without(model, ["clinical"]).fitted()
    total = sum(np.asarray(w) for w in weights.values())
    np.testing.assert_allclose(sum(other.params.weights.values()), total, rtol=1e-5)
    without = stack_without(model, ["network"]).fitted()
    assert without.network is None
    assert not without.center.any()
    factor = other.params.weights["network"] / weights["network"]
    np.testing.assert_allclose(other.center, model.fitted().center * factor, rtol=1e-5)


def test_strata_of_an_external_cohort_reach_every_score(train, stack):
    plain = make("b", 300, 5, strata=True)
    part = join_cohorts(train, {"b": plain}, "os", harmonise="none").part("b")
    labels = np.asarray(strata_of(plain))
    np.testing.assert_array_equal(strata_of(part), labels)
    row, risk = judge(stack, part, "os")
    o = plain.outcome("os")
    event, time = np.asarray(o.event), np.asarray(o.time, float)
    own = concordance_index(risk, event, time, strata=labels).index
    assert row["c"] == pytest.approx(float(own))
    assert row["c"] > concordance_index(risk, event, time).index + 0.05
    assert row["slope"] == pytest.approx(
        float(cox_fit(risk[:, None], event, time, strata=labels).coef[0])
    )
    assert row["slope"] > calibration_slope(risk, event, time).slope
    ratio = hazard_ratio(risk, event, time, split=row["threshold"], strata=labels).hazard_ratio
    assert row["hazard_ratio"] == pytest.approx(float(ratio))


@pytest.mark.filterwarnings("ignore:.* of no stratum of training:jaxsurv.data.DataWarning")
def test_a_stratum_of_training_has_its_own_baseline_outside():
    train = make("a", 300, 6, strata=True)
    model = SurvivalStack(("all modalities",), recipe=AS_MEASURED).fit(train, "os")
    external = make("b", 300, 7, strata=True)
    with_strata, without = (
        judge(model, cohort, "os").row for cohort in (external, replace(external, strata=None))
    )
    assert with_strata["ibs"] < without["ibs"] - 0.01


def test_recalibration_undoes_what_is_too_extreme(train, stack):
    external = make("b", 800, 8, spread=0.4)  # the same columns matter less here
    row = recalibrated(stack, external, "os", 0.5)
    assert row["patients"] == 400
    assert 0.15 < row["slope"] < 0.75
    assert row["ibs_recalibrated"] < row["ibs"] - 0.002
    turned = recalibrated(stack_without(stack, ["rna"]), make("c", 300, 3, turned=True), "os", 0.5)
    assert "wrong way round" in turned["note"]
    assert "ibs" not in turned
    assert "fewer than 10 events" in recalibrated(stack, make("d", 20, 9), "os", 0.3)["note"]


def test_the_command_leaves_tables_out_and_recalibrates(tmp_path, capsys):
    for cohort in (make("a", 120, 0), make("c", 120, 3, turned=True)):
        write_cohort(cohort, tmp_path / cohort.name)
    folders = ["--train", str(tmp_path / "a"), "--external", str(tmp_path / "c")]
    out = tmp_path / "out"
    how = ["--estimators", "ridge Cox", "--recalibrate", "0.5", "--out", str(out)]
    assert external_validation.main([*folders, *how]) == 0
    assert "'debulking' of 'clinical' acts the other way round on c" in " ".join(
        capsys.readouterr().out.split()
    )
    assert "Recalibrated" in (out / "report.html").read_text()
    assert len(pd.read_csv(out / "recalibrated.csv")) == 1
    assert pd.read_csv(out / "turned.csv")["column"].tolist() == ["debulking"]
    how = ["--estimators", "ridge Cox", "--without", "clinical", "--out", str(tmp_path / "w")]
    assert external_validation.main([*folders, *how]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "other way round" not in told
    c = [pd.read_csv(tmp_path / f / "external.csv")["c"].item() for f in ("out", "w")]
    assert c[1] > c[0] + 0.1
    # a model that was trained with the table is scored by what is left
    how = ["--model", str(out / "model.zip"), *folders[2:], "--without", "clinical"]
    with pytest.warns(match="clinical"):
        assert external_validation.main([*how, "--out", str(tmp_path / "m")]) == 0
    assert "has no clinical" in pd.read_csv(tmp_path / "m" / "external.csv")["note"].item()
    for options, message in {
        ("--without", "protein"): "--without protein: no cohort has it; there are clinical, rna",
        ("--without", "rna", "clinical"): "leaves nothing of cohort 'a'",
        ("--recalibrate", "1"): "recalibrate must be at least 0 and below 1",
    }.items():
        assert external_validation.main([*folders, *options, "--out", str(tmp_path / "x")]) == 2
        assert message in " ".join(capsys.readouterr().err.split())
