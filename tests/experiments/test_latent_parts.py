"""Latent structure: agreement by hand, alignment run by run, planted subtypes found again."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from experiments.latent_structure.structure import (
    _k_means,
    agreement,
    alignment,
    chance_correlation,
    contrast,
    embed,
    judged,
    stability,
    subtypes,
    temperatures,
)
from jaxsurv.data import stratified_kfold
from jaxsurv.metrics import latent_alignment
from jaxsurv.models import HParams, Model, SurvivalVAEConfig, find_model
from jaxsurv.recipe import AS_MEASURED, prepare
from jaxsurv.study.execute import Method, Trained
from jaxsurv.study.findings import Comparison, Findings
from jaxsurv.training import FitConfig, SweepResult
from jaxsurv.types import Objective
from tests.recipe.cohorts import small_cohort

SEEDS, FOLDS, N = 3, 2, 80
RUNS = FOLDS * SEEDS


def made_up(data, method, setting, rng, classes=None) -> Trained:
    """Runs that nobody trained: latents at random, or subtypes as given, ``[runs, n]``."""
    collected = {"mu": rng.normal(size=(RUNS, N, 4)).astype(np.float32)}
    if classes is not None:
        collected["pi"] = np.where(np.eye(3)[classes] > 0, 0.8, 0.1)
    split, seed = np.repeat(np.arange(FOLDS), SEEDS), np.tile(np.arange(SEEDS), FOLDS)
    ones = np.ones(RUNS)
    arrays = SweepResult(
        split, seed, (), rng.normal(size=(RUNS, N)), ones, ones, ones, {}, collected
    )
    rows = pd.DataFrame(
        {
            "method": method, "setting": setting, "repeat": 0, "fold": split, "seed": seed,
            "test_c": rng.uniform(0.5, 0.7, RUNS), "validation_loss": ones, "best_epoch": 1,
        }
    )  # fmt: skip
    objective = Objective(*[lambda *_: None] * 4)  # type: ignore[arg-type]
    model = Model(method, lambda config: objective, None)
    return Trained(Method(method, model, {setting: ()}, data), rows, arrays)


@pytest.fixture(scope="module")
def findings() -> Findings:
    rng, cohort = np.random.default_rng(0), small_cohort()
    splits = stratified_kfold(cohort.outcome("os").event, folds=FOLDS)
    data = prepare(cohort, "os", splits, AS_MEASURED)
    planted = rng.integers(0, 3, N)
    renamed = np.stack([rng.permutation(3)[planted] for _ in range(RUNS)])
    trained = [
        made_up(data, "Gaussian", "Gaussian", rng),
        made_up(data, "hybrid", "planted", rng, renamed),
        made_up(data, "hybrid", "random", rng, rng.integers(0, 3, (RUNS, N))),
        made_up(data, "hybrid", "collapsed", rng, np.ones((RUNS, N), int)),
    ]
    runs = pd.concat([t.rows for t in trained], ignore_index=True)
    comparison = Comparison("Gaussian", {"chosen": ["planted", "random"]}, "chosen")
    empty = pd.DataFrame()
    return Findings(data, comparison, trained, runs, empty, empty, [], empty)


def test_agreement_by_hand():
    a = np.array([0, 0, 0, 1, 1, 1])
    b = np.array([0, 0, 1, 1, 2, 2])
    # Hubert & Arabie (1985): 2 pairs together in both, 6 and 3 in each, of 15
    expected = (2 - 6 * 3 / 15) / ((6 + 3) / 2 - 6 * 3 / 15)
    np.testing.assert_allclose(agreement(np.stack([a, b])), [expected])
    np.testing.assert_allclose(agreement(np.stack([b, 2 - b, b * 0])), [1, 0, 0], atol=1e-12)
    assert np.isnan(agreement(np.zeros((2, 6), int))).all()
    rng = np.random.default_rng(0)
    unrelated = agreement(rng.integers(0, 4, (30, 200)))
    assert len(unrelated) == 30 * 29 / 2
    assert abs(unrelated.mean()) < 0.005


def test_subtypes_that_come_back_are_told_from_those_that_do_not(findings):
    by_run, by_pair = subtypes(findings)
    each = FOLDS * SEEDS * (SEEDS - 1) / 2
    table = stability(findings, by_run, by_pair).set_index("setting")
    assert list(table.index) == ["k-means on Gaussian μ, K = 3", "planted", "random", "collapsed"]
    assert (table["pairs"] == each).all()
    assert table.loc["planted", "mean"] == 1
    for name in ("random", "k-means on Gaussian μ, K = 3"):
        assert abs(table.loc[name, "mean"]) < 0.1
        assert table.loc[name, "lower"] < table.loc[name, "mean"] < table.loc[name, "upper"]
    assert np.isnan(table.loc["collapsed", "mean"])
    assert table["undefined_pairs"].tolist() == [0, 0, 0, 1]
    assert table.loc["planted", "categories_in_use"] == 3
    assert table.loc["collapsed", "categories_in_use"] == 1
    np.testing.assert_allclose(table["largest_probability"].iloc[1:], 0.8)
    assert np.isnan(table["largest_probability"].iloc[0])


def test_alignment_is_the_metric_run_by_run(findings):
    runs = alignment(findings)
    rows, words = judged(findings.data)
    assert words == "the test patients of each split"
    np.testing.assert_array_equal(rows, findings.data.splits.test)
    for i in (0, 4, 3 * RUNS + 5):
        arrays, run = findings.trained[i // RUNS].arrays, i % RUNS
        where = rows[arrays.split[run]]
        expected = latent_alignment(
            arrays.collected["mu"][run][where], arrays.prediction[run][where]
        )
        got = runs.loc[i, ["first_component", "mean_dimension"]]
        np.testing.assert_allclose(got.to_numpy(float), expected, rtol=1e-4)


def test_small_test_folds_are_not_judged_alone(findings):
    design = findings.data.splits
    few = replace(findings.data, splits=design._replace(test=design.test & (np.arange(N) < 50)))
    rows, words = judged(few)
    assert rows.all()
    assert words.startswith("all patients")


def test_chance_is_what_unrelated_latents_have(findings):
    rng = np.random.default_rng(1)
    mean = np.mean(
        [latent_alignment(rng.normal(size=(40, 30)), rng.normal(size=40)) for _ in range(40)]
    )
    assert abs(chance_correlation(findings.data) - mean) < 0.02


def test_contrast_pairs_by_split_and_knows_the_choices(findings):
    runs = findings.runs.assign(score=np.arange(4.0 * RUNS) / 100)
    table = contrast(findings, runs, "score").set_index("setting")
    assert list(table.index) == ["Gaussian", "planted", "random", "collapsed", "chosen"]
    np.testing.assert_allclose(table["reference_mean"], [0, 0.06, 0.12, 0.18, 0.06], atol=1e-12)


def test_the_same_latents_have_the_same_map():
    mu = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32)
    mu[:20] += 20
    first = embed(mu)
    np.testing.assert_array_equal(first, embed(mu))
    inside = np.linalg.norm(first[:20] - first[:20].mean(0), axis=1).max()
    assert inside < np.linalg.norm(first[:20].mean(0) - first[20:].mean(0))


def probabilities(rng, rows, k):
    """``[runs, n, k]``; in every run one class has one judged patient in twenty, and more of the others."""
    pi = rng.dirichlet(np.ones(k), (RUNS, N))
    for run, judged_rows in enumerate(rows):
        here = np.flatnonzero(judged_rows)
        few = here[: len(here) // 20]
        last = pi[run, few, -1].copy()
        pi[run, here, -1] = 0
        pi[run, few] = 0
        pi[run, few, -1] = 1 - last / 10
    return pi


@pytest.fixture(scope="module")
def mixed():
    """Two hybrid methods of 3 and 5 categories, whose test patients are unlike the others."""
    rng, cohort = np.random.default_rng(5), small_cohort()
    splits = stratified_kfold(cohort.outcome("os").event, folds=FOLDS)
    data = prepare(cohort, "os", splits, AS_MEASURED)
    split = np.repeat(np.arange(FOLDS), SEEDS)
    trained = [made_up(data, "Gaussian", "Gaussian", rng)]
    for k in (3, 5):
        one = made_up(data, f"hybrid {k}", f"K = {k}", rng)
        pi = probabilities(rng, data.splits.test[split], k)
        arrays = one.arrays._replace(collected=one.arrays.collected | {"pi": pi})
        trained.append(one._replace(arrays=arrays))
    runs = pd.concat([t.rows for t in trained], ignore_index=True)
    empty = pd.DataFrame()
    return Findings(data, Comparison("Gaussian", {}, None), trained, runs, empty, empty, [], empty)


def test_subtypes_are_counted_on_the_judged_patients_alone(mixed):
    """Run by run and pair by pair, from the probabilities."""
    by_run, by_pair = subtypes(mixed)
    assert by_run["setting"].unique().tolist() == [
        "k-means on Gaussian μ, K = 3", "k-means on Gaussian μ, K = 5", "K = 3", "K = 5",
    ]  # fmt: skip
    test = mixed.data.splits.test
    for one in mixed.trained[1:]:
        pi, split = one.arrays.collected["pi"], one.arrays.split
        mine = by_run[by_run["setting"] == one.rows["setting"][0]]
        pairs = by_pair[by_pair["setting"] == one.rows["setting"][0]]
        for s in range(FOLDS):
            runs = np.flatnonzero(split == s)
            classes = pi[runs][:, test[s]].argmax(-1)
            shares = [(c[:, None] == np.arange(pi.shape[-1])).mean(axis=0) for c in classes]
            assert all(0.05 in share for share in shares)  # no more than one in twenty
            here = mine[mine["fold"] == s]
            assert here["categories_in_use"].tolist() == [int(np.sum(x > 0.05)) for x in shares]
            np.testing.assert_allclose(
                here["largest_probability"], pi[runs][:, test[s]].max(-1).mean(axis=1)
            )
            np.testing.assert_allclose(pairs.loc[pairs["fold"] == s, "ari"], agreement(classes))


def test_clusters_are_fitted_without_the_test_patients(mixed):
    data, develop = mixed.data, mixed.data.splits.develop[1]
    mu = np.random.default_rng(0).normal(size=(SEEDS, N, 3))
    other = np.where(develop[None, :, None], mu, 50 * mu)
    one, again = (_k_means(data, z, 1, 4) for z in (mu, other))
    np.testing.assert_array_equal(one[:, develop], again[:, develop])
    assert all(len(np.unique(labels[develop])) == 4 for labels in one)
    for z, labels in zip(mu, one, strict=True):  # nearest centre, of the test patients too
        centres = np.stack([z[develop & (labels == c)].mean(axis=0) for c in range(4)])
        nearest = ((z[:, None] - centres) ** 2).sum(axis=-1).argmin(axis=1)
        assert np.mean(nearest == labels) > 0.95


@pytest.mark.parametrize(("smallest", "alone"), [(30, True), (29, False)])
def test_every_test_set_needs_thirty_patients(findings, smallest, alone):
    design = findings.data.splits
    test = np.stack([design.test[0], np.cumsum(design.test[1]) <= smallest]) & design.test
    rows, _ = judged(replace(findings.data, splits=design._replace(test=test)))
    np.testing.assert_array_equal(rows, test if alone else np.ones_like(test))


def test_chance_is_of_the_number_of_judged_patients(findings):
    design = findings.data.splits
    test = np.stack([design.test[0], np.cumsum(design.test[1]) <= 31]) & design.test
    few = replace(findings.data, splits=design._replace(test=test))
    expected = np.mean(np.sqrt(2 / np.pi / (np.array([40, 31]) - 1)))
    np.testing.assert_allclose(chance_correlation(few), expected, rtol=1e-9)


def test_intervals_allow_for_the_overlap_of_training_sets(mixed):
    """With two folds as many patients are tested as train."""
    runs = mixed.runs.assign(score=np.random.default_rng(1).uniform(0.4, 0.6, len(mixed.runs)))
    table = contrast(mixed, runs, "score").set_index("setting")
    by_fold = runs.groupby(["setting", "fold"])["score"].mean().unstack()
    difference = by_fold.sub(by_fold.loc["Gaussian"])
    stable = stability(mixed, *subtypes(mixed)).set_index("setting")
    by_pair = subtypes(mixed)[1].groupby(["setting", "fold"])["ari"].mean().unstack()
    for name in ("K = 3", "K = 5"):
        for row, prefix, scores in (
            (table.loc[name], "", by_fold.loc[name]),
            (table.loc[name], "reference_", difference.loc[name]),
            (stable.loc[name], "", by_pair.loc[name]),
        ):
            half = 12.706204736 * np.sqrt((1 / 2 + 1) * scores.var(ddof=1))
            limits = (-np.inf, np.inf) if prefix else (-0.5 if "pairs" in row else 0, 1)
            expected = np.clip([scores.mean() - half, scores.mean() + half], *limits)
            np.testing.assert_allclose(
                row[[f"{prefix}lower", f"{prefix}upper"]].astype(float), expected
            )
            assert row[f"{prefix}mean"] == pytest.approx(scores.mean())


def test_the_temperature_is_that_of_the_kept_epoch(mixed):
    """Of 101 epochs the first ten anneal from 1 to 0.25, so that it is halved after five."""
    hybrid, best = mixed.trained[1], np.array([0, 1, 6, 11, 40, 101])
    hparams = HParams(temperature=np.ones(RUNS), temperature_end=np.full(RUNS, 0.25))
    method = replace(
        hybrid.method,
        model=find_model("SurvivalVAE"),
        config=SurvivalVAEConfig(categories=3),
        training=FitConfig(epochs=101),
    )
    kept = hybrid._replace(
        method=method,
        rows=hybrid.rows.assign(best_epoch=best),
        arrays=hybrid.arrays._replace(best_epoch=best, hparams=hparams),
    )
    (row,) = temperatures(replace(mixed, trained=[mixed.trained[0], kept])).to_dict("records")
    assert row["improved"] == 5 / 6
    assert row["kept_epoch"] == 11
    assert (row["temperature"], row["temperature_end"]) == (0.25, 0.25)
    assert row["reached_end"] == 3 / 5
    early = kept._replace(arrays=kept.arrays._replace(best_epoch=np.minimum(best, 6)))
    assert temperatures(replace(mixed, trained=[early]))["temperature"][0] == pytest.approx(0.5)
