"""The main job from the command line, as a user runs it, interrupts it and resumes it."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.sweep_beta import command as sweep_beta
from jaxsurv.data import load_tcga_acc, write_cohort
from jaxsurv.estimators import SurvivalStack, load
from jaxsurv.metrics import concordance_index
from jaxsurv.models import HParams, SurvivalVAEConfig

ROOT = Path(__file__).parents[2]
SMOKE = ("--preset", "smoke", "--plan", "2x1x1")  # twelve runs, two per compiled call
TABLES = ("runs.csv", "summary.csv", "weights.csv", "predictions.csv.gz")


def command(*arguments):
    return [sys.executable, "-m", "experiments.sweep_beta", *map(str, arguments)]


def sweep(*arguments, cwd=ROOT):
    return subprocess.run(command(*arguments), cwd=cwd, capture_output=True, text=True, timeout=280)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("sweep") / "results"
    done = sweep(*SMOKE, "--out", out)
    assert done.returncode == 0, done.stderr
    return out, done


def tables(out):
    return {name: (out / name).read_bytes() for name in TABLES}


def test_writes_everything_and_prints_the_table(finished):
    out, done = finished
    files = {str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()}
    figures = {
        f"figures/{n}.{s}"
        for n in ("c_against_beta", "calibration", "decision_curves", "kaplan_meier", "training")
        for s in ("png", "svg")
    }
    chunks = {f"chunks/0-MO-RiskVAE-2x1x1-{call:06d}.npz" for call in range(6)}
    assert files == figures | {*TABLES, "manifest.json", "report.html", "model.zip"} | chunks
    rows = ("β = 0.1", "β = 1", "β chosen per fold", "ridge Cox", "clinical Cox")
    for name in (*rows, "best run"):
        assert name in done.stdout


def test_predictions_hold_every_row_of_the_table_in_one_scale(finished):
    out, _ = finished
    rows, summary = pd.read_csv(out / "predictions.csv.gz"), pd.read_csv(out / "summary.csv")
    assert set(rows["setting"]) == set(summary["setting"])
    patients = len(load_tcga_acc().outcome("os").event)
    assert (rows.groupby("setting")["patient"].nunique() == patients).all()
    assert len(rows) == patients * len(summary)
    assert rows["scale"].nunique() == 1
    assert "divided by its standard deviation" in rows["scale"][0]
    ridge = rows[rows["setting"] == "ridge Cox"]
    assert 0.5 < ridge["risk"].std() < 2
    assert concordance_index(*(ridge[c].to_numpy() for c in ("risk", "event", "time"))).index > 0.7


@pytest.mark.filterwarnings("ignore:no epoch of any network")
def test_the_kept_model_is_the_headline_fitted_to_all_patients(finished):
    out, _ = finished
    kept, cohort = load(out / "model.zip"), load_tcga_acc()
    runs = pd.read_csv(out / "runs.csv").dropna(subset="validation_loss")
    beta = runs.groupby(["fold", "beta"])["validation_loss"].mean().groupby("beta").mean().idxmin()
    again = SurvivalStack(
        config=SurvivalVAEConfig(head_reads_clinical=False),
        hparams=HParams(beta=beta, dropout=0.1), grid={}, epochs=20, n_seeds=2,
    ).fit(cohort, "os")  # fmt: skip
    assert kept.hparams.beta == beta
    np.testing.assert_allclose(kept.predict(cohort), again.predict(cohort), atol=1e-5)
    page = (out / "report.html").read_text()
    assert "stacked with Cox models</h1>" in page
    assert (
        "Kept in model.zip: SurvivalStack, the model of &#x27;β chosen per fold, stacked&#x27;"
        in page
    )
    network = kept.weights_["network"]
    left_out = "the network, which adds nothing, left out"
    chosen = f"with &#x27;β = {beta:g}&#x27; (the lowest early-stopping loss"
    assert (chosen if network else left_out) in page
    assert (kept.fitted().network is None) == (network == 0)
    assert f"network {network:.2f}; it reads" in page
    assert "python -m jaxsurv score" in page


def test_one_tidy_row_per_run(finished):
    runs = pd.read_csv(finished[0] / "runs.csv")
    trained = runs[runs["method"] == "MO-RiskVAE"]
    assert len(trained) == 2 * 3 * 2
    assert len(trained.drop_duplicates(["seed", "repeat", "fold", "beta"])) == len(trained)
    assert (runs["method"] == "ridge Cox").sum() == 3
    scores = trained[["train_c", "validation_c", "test_c"]]
    assert scores.notna().all().all()
    assert ((scores >= 0) & (scores <= 1)).all().all()
    terms = {"best_epoch", "epochs", "loss", "reconstruction", "kl", "cox", "validation_loss"}
    assert terms <= set(runs.columns)


def test_summary_pairs_with_the_reference_and_the_ridge(finished):
    summary = pd.read_csv(finished[0] / "summary.csv").set_index("setting")
    runs = pd.read_csv(finished[0] / "runs.csv")
    by_fold = runs[runs["beta"] == 0.1].groupby("fold")["test_c"].mean()
    one = runs[runs["beta"] == 1.0].groupby("fold")["test_c"].mean()
    ridge = runs[runs["method"] == "ridge Cox"].set_index("fold")["test_c"]
    row = summary.loc["β = 0.1"]
    assert row["mean"] == pytest.approx(by_fold.mean(), abs=1e-6)
    assert row["reference_mean"] == pytest.approx((by_fold - one).mean(), abs=1e-6)
    assert row["ridge_mean"] == pytest.approx((by_fold - ridge).mean(), abs=1e-6)
    trained = runs[runs["beta"].notna()]
    loss = trained.groupby(["fold", "beta"])["validation_loss"].mean().unstack()
    c = trained.groupby(["fold", "beta"])["test_c"].mean().unstack()
    nested = [c.loc[fold, loss.loc[fold].idxmin()] for fold in loss.index]
    assert summary.loc["β chosen per fold", "mean"] == pytest.approx(sum(nested) / 3, abs=1e-6)
    assert row["lower"] <= row["mean"] <= row["upper"]


def test_manifest_says_how_it_was_computed(finished):
    manifest = json.loads((finished[0] / "manifest.json").read_text())
    assert manifest["status"] == "complete"
    assert manifest["protocol"] == "three-way"
    assert manifest["cohort_fingerprint"] == load_tcga_acc().fingerprint()
    assert manifest["options"]["betas"] == [0.1, 1.0]
    assert {"plan", "device", "runs", "wall_seconds", "versions"} <= set(manifest)


def test_report_stands_alone(finished):
    page = (finished[0] / "report.html").read_text()
    assert page.count("data:image/png;base64,") == 5
    assert page.count("alt='") == 5
    assert "http" not in page.replace("http-equiv", "")
    assert "three-way" in page


def test_report_answers_first(finished):
    out, _ = finished
    page = (out / "report.html").read_text()
    asked, told = (re.findall(f"<{tag}>(.*?)</{tag}>", page) for tag in ("dt", "dd"))
    assert [a.split()[0] for a in asked] == ["Is", "Is", "Which", "Is", "Whom"]
    assert "held-out C of MO-RiskVAE, β chosen per fold, stacked with Cox models is" in told[0]
    assert told[1].startswith("Minus clinical Cox: C ")
    assert "Minus block ridge Cox: C " in told[1]
    assert str(out / "model.zip") in told[2]
    assert "calibration slope" in told[3]
    assert "of the fifth with the highest risk" in told[4]
    assert page.index("figure-c_against_beta") < page.index(">In detail<")
    assert "the clinical model" in page[page.index(">In detail<") :]


def test_refuses_to_write_over_another_run(finished):
    out, _ = finished
    before = (out / "runs.csv").read_bytes()
    again = sweep(*SMOKE, "--out", out)
    assert again.returncode == 2
    assert "already holds another run" in again.stderr
    assert "--overwrite" in again.stderr
    assert (out / "runs.csv").read_bytes() == before


@pytest.mark.slow
def test_paper_preset_says_that_it_is_two_way(tmp_path):
    few = ("--betas", "1", "--seeds", 1, "--folds", 2, "--epochs", 3)
    done = sweep("--preset", "paper", *few, "--out", tmp_path / "r")
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "r" / "manifest.json").read_text())
    assert manifest["protocol"] == "two-way"
    assert manifest["options"]["complete_only"] is True
    assert len(pd.read_csv(tmp_path / "r" / "selection.csv"))
    assert "MyeVAE" in done.stdout
    assert "TWO-WAY PROTOCOL" in done.stdout
    assert "Two-way protocol" in (tmp_path / "r" / "report.html").read_text()
    assert manifest["options"]["epochs"] == 3


def test_what_is_asked_for_beats_the_preset(monkeypatch):
    seen = []
    monkeypatch.setattr("jaxsurv.cli.launch.launch", lambda run, options: seen.append(options) or 0)
    asked = ["--preset", "paper", "--protocol", "three-way", "--dropout", "0.1", "--epochs", "300"]
    assert sweep_beta.main(asked) == 0
    options = seen[0]
    assert (options.protocol, options.dropout, options.epochs) == ("three-way", 0.1, 300)
    assert (options.offset, options.components, options.learning_rate) == ("none", 0, 5e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--endpoint", "pfs"), "unknown endpoint 'pfs'; there are os"),
        (("--cohort", "/nowhere"), "/nowhere"),
        (("--betas", "-1"), "betas must be given, >= 0 and different"),
        (("--folds", "40"), "fold 34 of 40 would have no event among its test rows"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(arguments, message, tmp_path, capsys):
    assert sweep_beta.main([*arguments, "--out", str(tmp_path / "r")]) == 2
    printed = capsys.readouterr().err
    assert message in printed
    assert "Traceback" not in printed
    assert not (tmp_path / "r").exists()


def test_ctrl_c_leaves_what_is_finished(finished, tmp_path):
    write_cohort(load_tcga_acc(), tmp_path / "acc")
    out = tmp_path / "r"
    with (tmp_path / "printed").open("w") as file:  # a pipe that nobody reads fills up
        process = subprocess.Popen(
            command(*SMOKE, "--cohort", tmp_path / "acc", "--seeds", 50, "--out", out),
            cwd=ROOT,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            # a test run that was started in the background ignores Ctrl-C, and so would its children
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
    deadline = time.monotonic() + 200
    while not (out / "runs.csv").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    status = process.wait(timeout=60)
    printed = (tmp_path / "printed").read_text()
    assert status == 130, printed
    manifest = json.loads((out / "manifest.json").read_text())
    runs = pd.read_csv(out / "runs.csv")
    trained = runs[runs["method"] == "MO-RiskVAE"]
    assert manifest["status"] == "interrupted"
    assert manifest["finished_runs"] == len(trained) > 0
    assert "interrupted" in printed


def test_only_what_is_missing_or_damaged_is_trained_again(finished):
    out, _ = finished
    whole = tables(out)
    chunks = sorted((out / "chunks").iterdir())
    for name in TABLES:
        (out / name).unlink()
    chunks[1].unlink()
    data = bytearray(chunks[4].read_bytes())
    data[-100] ^= 1
    chunks[4].write_bytes(data)
    before = [os.stat(c).st_mtime_ns for c in chunks if c.exists()]
    done = sweep(*SMOKE, "--resume", "--out", out)
    assert done.returncode == 0, done.stderr
    assert f"{chunks[4].name} is not as it was written" in done.stderr
    assert tables(out) == whole
    after = [os.stat(c).st_mtime_ns for c in chunks]
    trained = after[:1] + after[2:]
    assert [a != b for a, b in zip(trained, before, strict=True)] == [False] * 3 + [True, False]


def test_a_changed_option_is_refused_by_name(finished):
    done = sweep(*SMOKE, "--resume", "--epochs", 21, "--out", finished[0])
    assert done.returncode == 2
    assert "cannot be resumed" in done.stderr
    assert "options.epochs is 21, was 20" in done.stderr


@pytest.mark.slow
def test_killed_ten_times_at_random_moments(finished, tmp_path):
    out, draw = tmp_path / "results", random.Random(0)
    kills = 0
    while kills < 10:
        process = subprocess.Popen(
            command(*SMOKE, "--resume", "--out", out),
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        chunks, known = out / "chunks", kills // 2  # let some of the kills meet half a sweep
        while process.poll() is None and len(list(chunks.glob("*.npz"))) < min(known, 5):
            time.sleep(0.01)
        time.sleep(draw.uniform(0, 4))
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
    done = sweep(*SMOKE, "--resume", "--out", out)
    assert done.returncode == 0, done.stderr
    assert json.loads((out / "manifest.json").read_text())["status"] == "complete"
    assert tables(out) == tables(finished[0])


def test_help_explains_units_and_defaults():
    done = sweep("--help")
    assert done.returncode == 0
    for text in ("nats per patient", "--endpoint", "two-way", "0.01 0.05 0.1"):
        assert text in done.stdout
