"""Many cohorts: who is in which fit, what the others are worth where something is shared, the whole run."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from experiments.many_cohorts.command import main
from experiments.many_cohorts.pool import open_pool
from experiments.many_cohorts.report import ALL, summary_of, worth_of
from experiments.many_cohorts.transfer import (
    BELIEVED,
    OTHERS,
    OWN,
    POOLED,
    TUNED,
    _balanced,
    transferred,
)
from jaxsurv.data import Cohort, write_cohort

pytestmark = pytest.mark.filterwarnings("ignore:.*follow-up that differs:jaxsurv.data.DataWarning")


def make(name, n, seed, *, coef=1.0, stage="text"):
    """Eight genes that act alike in all cohorts, times ``coef``, on a platform of its own."""
    rng = np.random.default_rng(seed)
    patients = [f"{name}{i}" for i in range(n)]
    z = rng.normal(size=(n, 8))
    number = rng.integers(1, 5, n)
    stages = np.array(["Stage I", "Stage IIB", "Stage III", "Stage IV"])[number - 1]
    clinical = pd.DataFrame({"age": rng.normal(60, 9, n), "stage": stages}, patients)
    if stage == "numbers":
        clinical["stage"] = number.astype(float)
    eta = coef * z @ np.linspace(0.8, -0.8, 8) + 0.3 * number
    time, leaves = rng.exponential(np.exp(-eta)), rng.exponential(2, n)
    survival = pd.DataFrame(
        {"os_time": np.minimum(time, leaves), "os_event": 1.0 * (time <= leaves)}
    )
    rna = pd.DataFrame(z * (seed + 1) + 3 * seed, patients, [f"g{j}" for j in range(8)])
    kinds = {"rna": "continuous", "clinical": "mixed"}
    return Cohort({"rna": rna, "clinical": clinical}, survival.set_axis(patients), kinds, name=name)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cohorts")
    made = [make("A", 120, 0), make("B", 300, 1, stage="numbers"), make("C", 300, 2)]
    for cohort in made:
        write_cohort(cohort, folder / cohort.name)
    return [folder / cohort.name for cohort in made]


def test_a_stage_in_words_and_one_in_numbers_are_one_column(folders):
    pool = open_pool(folders, "rna", None)
    clinical = pool.pooled.modalities["clinical"]
    assert list(clinical) == ["age", "stage"]
    assert (
        clinical.loc[clinical.index.str.startswith("A"), "stage"]
        .isin([1 + 1 / 3, 2 + 1 / 3, 3 + 1 / 3, 4 + 1 / 3])
        .all()
    )
    assert pool.pooled.labels == ["A", "B", "C"]
    means = pool.pooled.modalities["rna"].groupby(pool.pooled.strata).mean().to_numpy()
    np.testing.assert_allclose(means - means[0], 0, atol=1e-5)


def test_every_beginning_has_its_share_of_the_events():
    event = np.arange(300) % 3 == 0
    order = _balanced(event, np.arange(300) < 270, 0)
    assert len(set(order)) == len(order) == 270
    assert (order < 270).all()
    for size in (30, 90, 150):
        assert abs(event[order[:size]].mean() - 1 / 3) < 0.02


def test_others_help_where_they_know_and_do_not_harm_where_they_do_not(folders):
    pool = open_pool(folders, "rna", None)
    runs = transferred(pool.targets["A"], pool.pooled, "os", folds=3, sizes=(30, 0))
    c = runs.groupby(["size", "method"])["c"].mean().unstack()
    assert c.loc[30, OTHERS] > c.loc[30, OWN] + 0.02
    assert c.loc[30, [POOLED, BELIEVED]].min() > c.loc[30, OWN] + 0.01
    assert c.loc[30, OTHERS] == c.loc[0, OTHERS]  # which reads nothing of the target
    # the others say the opposite: the stack does not believe them
    turned = make("A", 120, 0, coef=-1.0)
    cohorts = {**pool.targets, "A": replace(pool.targets["A"], survival=turned.survival)}
    runs = transferred(cohorts["A"], pool.pooled, "os", folds=3, sizes=(0,))
    c = runs.groupby("method")["c"].mean()
    assert c[OTHERS] < 0.5
    assert c[BELIEVED] > c[OWN] - 0.03


def test_the_others_alone_have_seen_no_outcome_of_the_target(folders):
    pool = open_pool(folders, "rna", None)
    target, survival = pool.targets["A"], pool.pooled.survival.copy()
    mine = survival.index.isin(target.survival.index)
    survival.loc[mine] = survival.loc[mine].to_numpy()[::-1]
    runs, again = (
        transferred(target, pooled, "os", folds=2, sizes=(0,)).set_index(["method", "fold"])["c"]
        for pooled in (pool.pooled, replace(pool.pooled, survival=survival))
    )
    pd.testing.assert_series_equal(runs[OTHERS], again[OTHERS])
    assert (runs[POOLED] != again[POOLED]).any()


def test_the_summary_pools_the_targets():
    runs = pd.DataFrame([
        (cohort, 0, 0, fold, method, 0.6 + 0.01 * fold + shift * (method == POOLED))
        for cohort, shift in (("A", 0.02), ("B", 0.04))
        for fold in range(3)
        for method in (OWN, OTHERS, POOLED, BELIEVED)
    ], columns=["cohort", "size", "repeat", "fold", "method", "c"])  # fmt: skip
    table = summary_of(runs, 3).set_index(["cohort", "method"])
    assert table.loc[("A", POOLED), "mean"] == pytest.approx(0.02)
    assert table.loc[(ALL, POOLED), "mean"] == pytest.approx(0.03)
    assert table.loc[(ALL, POOLED), "lower"] < 0 < table.loc[(ALL, POOLED), "upper"]
    assert table.loc[(ALL, OTHERS), "mean"] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("others", "patients", "bound"),
    [(0.55, 50, "<"), (0.65, 100, "="), (0.66, 133, "="), (0.8, 200, ">")],
)
def test_worth_is_where_the_learning_curve_reaches_the_others(others, patients, bound):
    runs = pd.DataFrame([
        ("A", size, 0, fold, size + (size == 200) * fold, method, c if method == OWN else others)
        for size, c in ((50, 0.6), (100, 0.65), (200, 0.674))
        for fold in range(2)
        for method in (OWN, OTHERS)
    ], columns=["cohort", "size", "repeat", "fold", "patients", "method", "c"])  # fmt: skip
    found = worth_of(runs).iloc[0]
    assert (found["patients"], found["bound"]) == (pytest.approx(patients, abs=1), bound)


def test_the_whole_run_is_written_and_resumed(folders, tmp_path):
    how = ["--cohorts", *map(str, folders), "--sizes", "0", "--folds", "2", "--repeats", "2"]
    how += ["--seeds", "1", "--out", str(tmp_path / "out")]
    assert main(how) == 0
    runs = pd.read_csv(tmp_path / "out" / "runs.csv")
    assert len(runs) == 3 * 2 * 2 * 5
    assert runs.loc[runs["method"] == TUNED, "c"].mean() > 0.6
    shared = pd.read_csv(tmp_path / "out" / "shared.csv")
    assert len(shared) == 9
    assert shared["c"].min() > 0.6  # the genes act alike in all
    for name in ("differences.png", "learning_curve.svg", "shared.png"):
        assert (tmp_path / "out" / "figures" / name).exists()
    assert "minus own data is" in (tmp_path / "out" / "report.html").read_text()
    assert main([*how, "--resume"]) == 0
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "out" / "runs.csv"), runs)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--cohorts", "A"], "--cohorts needs two or more folders"),
        (["--cohorts", "A", "B", "--modality", "cnv"], "all need the modality 'cnv'"),
        (["--cohorts", "A", "B", "--endpoint", "pfi"], "and 'pfi'"),
        (["--cohorts", "A", "A"], "different names"),
        (["--sizes", "5", "5"], "sizes must be given"),
        (["--folds", "1"], "folds must be at least 2"),
    ],
)
def test_bad_options_are_refused(options, message, folders, tmp_path, capsys):
    by_name = {folder.name: str(folder) for folder in folders}
    made = [by_name.get(o, o) for o in options]
    assert main([*made, "--out", str(tmp_path / "out")]) == 2
    assert message in " ".join(capsys.readouterr().err.split())
