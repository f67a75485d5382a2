"""The leaderboard: its scores against the metrics, its curves, its models, others' tables, the whole run."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from experiments.leaderboard import board as leaderboard_board
from experiments.leaderboard.command import main
from experiments.leaderboard.judge import score, test_part
from experiments.leaderboard.models import Data, rows
from experiments.leaderboard.over_time import Curves, curves_over_time
from experiments.leaderboard.products import ridge_with_products
from experiments.leaderboard.published import read_published
from jaxsurv.data import Cohort
from jaxsurv.metrics import concordance_index, concordance_td, integrated_brier_score
from jaxsurv.survival import breslow_baseline, nelson_aalen
from jaxsurv.types import InputError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture
def judged():
    """Curves that cross, with ties in time and risk, and groups."""
    rng = np.random.default_rng(0)
    n, times = 60, np.arange(1.0, 13)
    time, event = rng.integers(1, 14, n).astype(float), rng.random(n) < 0.6
    curves = Curves(times, np.cumsum(rng.exponential(0.1, (n, 12)), axis=1), {})
    risk = curves.hazard(np.array([6.0]))[:, 0].round(1)
    return curves, risk, test_part(event, time, rng.integers(0, 3, n).astype(str), 200)


def test_scores_are_those_of_the_metrics(judged):
    curves, risk, test = judged
    found, outcome = score(curves, risk, test), (test.event, test.time)
    assert found["c"] == pytest.approx(float(concordance_index(risk, *outcome).index))
    within = concordance_index(risk, *outcome, strata=test.strata).index
    assert found["c_within"] == pytest.approx(float(within))
    at_events = np.unique(test.time)
    td = concordance_td(np.exp(-curves.hazard(at_events)), at_events, *outcome)
    assert found["c_td"] == pytest.approx(float(td.index))
    grid = np.linspace(test.time.min(), test.time.max(), 100)
    alive = np.exp(-curves.hazard(grid))
    own = {"train_event": test.event, "train_time": test.time}
    brier = integrated_brier_score(alive, grid, *outcome, **own)
    assert found["ibs"] == pytest.approx(float(brier), abs=1e-6)
    assert all(found[f"{s}_lower"] < found[s] < found[f"{s}_upper"] for s in ("c", "c_td", "ibs"))


def test_the_likelihood_is_that_of_a_coin_where_curves_are_one_half():
    event, time = np.ones(40, bool), np.arange(1.0, 41)
    half = Curves(np.array([0.5]), np.full((40, 1), np.log(2)), {})
    found = score(half, np.arange(40.0), test_part(event, time, None, 10))
    assert found["inbll"] == pytest.approx(np.log(2), abs=1e-6)
    assert found["ibs"] == pytest.approx(0.25, abs=1e-6)
    assert "c_within" not in found


def test_bootstrap_samples_are_patients_drawn_again(judged):
    curves, risk, test = judged
    found = score(curves, risk, test)
    each = []
    for draw in test.draws.astype(int):
        i = np.repeat(np.arange(len(risk)), draw)
        each.append(float(concordance_index(risk[i], test.event[i], test.time[i]).index))
    assert [found["c_lower"], found["c_upper"]] == pytest.approx(
        list(np.quantile(each, [0.025, 0.975])), abs=0.01
    )  # a patient drawn twice is tied with itself, which the naive C may count


def _simulated(n=3000, *, late=1.0, seed=0):
    """Two categories: b has twice the hazard of a up to time 1, and ``late`` times it afterwards."""
    rng = np.random.default_rng(seed)
    code = rng.integers(0, 2, n)
    early = rng.exponential(1 / np.where(code, 2.0, 1.0) / 0.5)
    after = 1 + rng.exponential(1 / np.where(code, late, 1.0) / 0.5)
    time, leaves = np.where(early < 1, early, after), rng.uniform(0.5, 6, n)
    return code, (time <= leaves).astype(float), np.minimum(time, leaves)


def test_curves_without_categories_are_breslows():
    rng = np.random.default_rng(1)
    time, event, eta = rng.integers(1, 40, 200), rng.random(200) < 0.5, rng.normal(size=200)
    rows = np.arange(200) < 150
    found = curves_over_time(eta, event.astype(float), time.astype(float), rows, {})
    expected = breslow_baseline(eta[rows], event[rows], time[rows], ties="breslow")
    at = np.array([0.5, 3.0, 17.2, 60.0])
    np.testing.assert_allclose(
        found.hazard(at), np.exp(eta)[:, None] * np.asarray(expected(at)), rtol=1e-4
    )


def test_categories_act_over_time_where_they_do():
    code, event, time = _simulated(late=0.5)
    every = np.ones(len(time), bool)
    found = curves_over_time(np.zeros(len(time)), event, time, every, {"k": code})
    at = np.array([0.5, 1.0, 3.0])
    for k in (0, 1):  # a category's own curve, a little shrunk to that of all
        own = np.asarray(nelson_aalen(event[code == k], time[code == k])(at))
        np.testing.assert_allclose(found.hazard(at)[code == k][0], own, rtol=0.08)
    noise = np.random.default_rng(2).integers(0, 2, len(time))
    none = curves_over_time(np.zeros(len(time)), event, time, every, {"k": noise})
    assert none.prior["k"] > 10 * found.prior["k"]
    a, b = (none.hazard(np.array([3.0]))[noise == k][0] for k in (0, 1))
    assert b == pytest.approx(a, rel=0.05)


@pytest.fixture
def grouped():
    """A feature that is harmful in one group and protective in the other."""
    rng = np.random.default_rng(3)
    n = 600
    table = pd.DataFrame({"group": rng.choice(["u", "v"], n), "x": rng.normal(size=n)})
    table.index = [f"p{i}" for i in range(n)]
    sign = np.where(table["group"] == "u", 1.0, -1.0)
    time, leaves = rng.exponential(np.exp(-1.2 * sign * table["x"])), rng.exponential(3, n)
    survival = pd.DataFrame(
        {"os_time": np.minimum(time, leaves), "os_event": (time <= leaves).astype(float)}
    ).set_axis(table.index)
    cohort = Cohort({"clinical": table}, survival, {"clinical": "mixed"}, name="grouped")
    part = np.arange(n) % 5
    return Data(cohort, "os", "group", part > 1, part == 1), part == 0


def test_products_find_what_differs_between_groups(grouped):
    data, test = grouped
    risk = ridge_with_products(data.cohort, "os", "group", data.train, data.validation)
    outcome = data.cohort.outcome("os")
    c = concordance_index(
        risk[test], np.asarray(outcome.event)[test], np.asarray(outcome.time)[test]
    )
    plain = rows(("ridge Cox",), None, seeds=1, epochs=1)["ridge Cox"](data).log_hazard
    poor = concordance_index(
        plain[test], np.asarray(outcome.event)[test], np.asarray(outcome.time)[test]
    )
    assert c.index > 0.7 > 0.6 > poor.index


@pytest.mark.parametrize("name", ["ridge Cox", "CoxNnet", "ridge Cox, products with group"])
def test_no_model_sees_the_test_part(name, grouped):
    data, test = grouped
    row = rows((name,), "group", seeds=1, epochs=3)[name]
    survival = data.cohort.survival.copy()
    survival.loc[test, "os_event"] = 1 - survival.loc[test, "os_event"]
    other = data._replace(cohort=replace(data.cohort, survival=survival))
    np.testing.assert_array_equal(row(data).log_hazard, row(other).log_hazard)


def test_curves_and_calibration_are_fitted_outside_what_they_are_judged_on(grouped, monkeypatch):
    data, test = grouped
    fitted, real = [], leaderboard_board.curves_over_time

    def recording(eta, event, time, rows, categories):
        fitted.append(rows)
        return real(eta, event, time, rows, categories)

    monkeypatch.setattr(leaderboard_board, "curves_over_time", recording)
    x = data.cohort.modalities["clinical"]["x"]
    risks = pd.DataFrame({"x": x, "2 x": 2 * x})
    found = leaderboard_board.board(risks, data, test, samples=10)
    half = len(fitted) // 2  # the validation part first
    assert all((rows == data.train).all() for rows in fitted[:half])
    assert all((rows == (data.train | data.validation)).all() for rows in fitted[half:])
    assert not (data.train & data.validation).any()
    # a log hazard that is twice as far apart is brought to the same one
    scores = found.test.set_index("model")["ibs"]
    assert scores["2 x"] == pytest.approx(scores["x"])
    assert found.headline in set(found.test["model"])


def test_published_scores_are_read(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text(
        "Algorithm,Metric,clinical\nA,C-index,0.796 (0.779-0.813)\nA,IBS,.143\nB,Ctd,0.8 (0.7–0.9)\nB,IBS,\n"
    )
    table = read_published(path).set_index("model")
    assert table.loc["A", ["c", "c_lower", "c_upper", "ibs"]].tolist() == [
        0.796,
        0.779,
        0.813,
        0.143,
    ]
    assert table.loc["B", "c_td_upper"] == 0.9
    assert np.isnan(table.loc["B", "ibs"])
    for text, message in {
        "Algorithm,Metric\nA,IBS\n": "must have the columns Algorithm, Metric and one of values",
        "Algorithm,Metric,x\nA,IBS,low\n": "row 1: 'low' is no value such as",
        "Algorithm,Metric,x\nA,IBS,1\nA,IBS,2\n": "row 2: 'A' has IBS twice",
        "Algorithm,Metric,x\nA,AUC,1\n": "none of the metrics",
    }.items():
        path.write_text(text)
        with pytest.raises(InputError, match=message):
            read_published(path)


def _write(folder, cohort):
    folder.mkdir()
    cohort.survival.rename_axis("patient").to_csv(folder / "survival.csv")
    cohort.modalities["clinical"].rename_axis("patient").to_csv(folder / "clinical.csv")
    return folder


def test_the_whole_run_is_written_and_resumed(grouped, tmp_path):
    data, test = grouped
    folder = _write(tmp_path / "grouped", data.cohort)
    part = np.where(test, "test", np.where(data.validation, "val", "train"))
    names = data.cohort.survival.index
    pd.DataFrame({"patient": names, "part": part}).to_csv(folder / "split.csv", index=False)
    published = tmp_path / "published.csv"
    published.write_text("Algorithm,Metric,clinical\nTheirs,C-index,0.65 (0.6-0.7)\n")
    products = "ridge Cox, products with group"
    how = ["--cohort", str(folder), "--split", str(folder / "split.csv"), "--by", "group"]
    how += ["--published", str(published), "--models", "ridge Cox", products]
    how += ["--samples", "50", "--out", str(tmp_path / "out")]
    assert main(how) == 0
    table = pd.read_csv(tmp_path / "out" / "leaderboard.csv").set_index("model")
    assert table["source"].tolist() == ["published", *["jaxsurv"] * 6]
    assert table.loc[products, "c"] > 0.7 > table.loc["Theirs", "c"] > table.loc["ridge Cox", "c"]
    text = (tmp_path / "out" / "report.html").read_text()
    assert "best published 0.650 (Theirs)" in text
    assert (tmp_path / "out" / "figures" / "leaderboard.png").exists()
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["status"] == "complete"
    assert manifest["test_patients"].startswith("120, ")
    before = (tmp_path / "out" / "leaderboard.csv").read_bytes()
    assert main([*how, "--resume"]) == 0
    assert (tmp_path / "out" / "leaderboard.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--by", "x"], "--by 'x' is no text column of 'clinical'"),
        (["--models", "DeepSurv"], "there is no model 'DeepSurv'; --models takes ridge Cox"),
        (["--samples", "1"], "samples must be at least 2"),
        (["--plan", "1x1x1"], "leave out --plan"),
    ],
)
def test_bad_options_are_refused(options, message, grouped, tmp_path, capsys):
    folder = _write(tmp_path / "grouped", grouped[0].cohort)
    out = ["--out", str(tmp_path / "out"), "--models", "ridge Cox"]
    assert main(["--cohort", str(folder), *out, *options]) != 0
    assert message in " ".join(capsys.readouterr().err.split())
