"""Corrected resampled t: by hand, at its limits, and where it is exact; tables worked by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from jaxsurv.study.statistics import corrected_t, paired, summarise
from jaxsurv.types import InputError

SCORES = [0.60, 0.70, 0.65, 0.75, 0.70]  # mean 0.68, s² = 0.0130 / 4
T_975_4 = 2.7764451052  # from tables of Student's t


def test_by_hand():
    estimate = corrected_t(np.array(SCORES), 0.25)
    half = T_975_4 * np.sqrt((1 / 5 + 1 / 4) * 0.00325)
    np.testing.assert_allclose(estimate[:3], [0.68, 0.68 - half, 0.68 + half], rtol=1e-9)
    assert corrected_t(np.array(SCORES), 0.25, bounds=(0.6, 0.7))[:3] == (estimate.mean, 0.6, 0.7)
    # with 2 degrees of freedom P(|T| > t) = 1 - t / sqrt(2 + t²)
    differences = np.array([0.01, 0.03, 0.05])
    t = 0.03 / np.sqrt((1 / 3 + 1 / 2) * 0.0004)
    p = corrected_t(-differences, 0.5).p_value
    np.testing.assert_allclose(p, 1 - t / np.sqrt(2 + t**2), rtol=1e-9)


@pytest.mark.parametrize("level", [0.95, 0.8])
def test_without_overlap_it_is_the_one_sample_t(level):
    scores = np.array(SCORES) - 0.66
    expected = stats.ttest_1samp(scores, 0)
    low, high = expected.confidence_interval(level)
    np.testing.assert_allclose(
        corrected_t(scores, 0.0, level=level), [0.02, low, high, expected.pvalue], rtol=1e-9
    )


def test_more_splits_cannot_beat_the_overlap():
    widths = []
    for repeats in (1, 10, 100):
        estimate = corrected_t(np.tile(SCORES, repeats), 0.25)
        widths.append((estimate.upper - estimate.lower) / 2)
    assert widths[0] > widths[1] > widths[2]
    np.testing.assert_allclose(widths[2], 1.96 * np.sqrt(0.25 * 0.0026), rtol=0.01)


def test_it_covers_the_truth_when_splits_are_equally_correlated():
    # Correlation r gives var(mean) = (1/J + r / (1 - r)) E[s²]: test_fraction r / (1 - r) is exact.
    rng, runs, r = np.random.default_rng(0), 1500, 0.2
    scores = np.sqrt(1 - r) * rng.normal(size=(runs, 10)) + np.sqrt(r) * rng.normal(size=(runs, 1))
    p = np.array([corrected_t(s, r / (1 - r)).p_value for s in scores])
    assert stats.kstest(p, "uniform").pvalue > 0.001
    naive = np.array([corrected_t(s, 0.0).p_value for s in scores])
    assert (naive < 0.05).mean() > 0.2


def test_few_or_missing_scores():
    assert np.isnan(corrected_t(np.array([]), 0.25)).all()
    one = corrected_t(np.array([0.6, np.nan]), 0.25)
    assert one.mean == 0.6
    assert np.isnan(one[1:]).all()
    assert corrected_t(np.array([*SCORES, np.nan]), 0.25) == corrected_t(np.array(SCORES), 0.25)


def test_scores_without_spread():
    assert corrected_t(np.zeros(4), 0.25) == (0, 0, 0, 1)
    assert corrected_t(np.full(4, 0.5), 0.25) == (0.5, 0.5, 0.5, 0)


@pytest.fixture
def runs():
    """Method a with three seeds in one split and one in the others; b, without seeds, in all."""
    rows = [
        ("a", 0, 0.50), ("a", 0, 0.60), ("a", 0, 0.70),
        ("a", 1, 0.80), ("a", 2, 0.70),
        ("b", 0, 0.55), ("b", 1, 0.70), ("b", 2, 0.55),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["method", "fold", "c"]).assign(repeat=0)


HOW = {"score": "c", "by": "method", "split": ["repeat", "fold"], "test_fraction": 0.1}


def test_summary_by_hand(runs):
    table = summarise(runs, **HOW).set_index("method")
    assert table.index.tolist() == ["a", "b"]
    assert table["runs"].tolist() == [5, 3]
    assert table["best_run"].tolist() == [0.80, 0.70]
    assert table["worst_run"].tolist() == [0.50, 0.55]
    # seeds first: the splits of a have 0.6, 0.8 and 0.7, whereas its five runs average 0.66
    np.testing.assert_allclose(table["mean"], [0.70, 0.60])
    # s² = 0.01, and the 97.5 % point of t with 2 degrees of freedom is 4.302653
    half = 4.302653 * np.sqrt((1 / 3 + 0.1) * 0.01)
    limits = table.loc["a", ["lower", "upper"]].astype(float)
    np.testing.assert_allclose(limits, [0.7 - half, 0.7 + half], rtol=1e-6)


def test_limits_stay_between_zero_and_one(runs):
    wide = summarise(runs, **HOW | {"test_fraction": 50.0})
    assert (wide["lower"] == 0).all()
    assert (wide["upper"] == 1).all()


def test_paired_by_hand(runs):
    table = paired(runs, "b", **HOW).set_index("method")
    differences = np.array([0.6 - 0.55, 0.8 - 0.7, 0.7 - 0.55])
    np.testing.assert_allclose(table.loc["a"], corrected_t(differences, 0.1))
    assert table.loc["b"].tolist() == [0, 0, 0, 1]
    mirrored = paired(runs, "a", **HOW).set_index("method").loc["b"]
    np.testing.assert_allclose(
        mirrored, table.loc["a", ["mean", "upper", "lower", "p_value"]] * [-1, -1, -1, 1]
    )


def test_pairs_are_of_common_splits_whatever_the_row_order(runs):
    expected = paired(runs[runs["fold"] < 2], "b", **HOW)
    partly = runs[(runs["method"] == "a") | (runs["fold"] < 2)]
    result = paired(partly.sample(frac=1, random_state=0), "b", **HOW)
    pd.testing.assert_frame_equal(
        result.sort_values("method", ignore_index=True),
        expected.sort_values("method", ignore_index=True),
    )


def test_a_reference_without_runs_is_refused(runs):
    with pytest.raises(InputError, match=r"no runs of the reference 'ridge'.*\['a', 'b'\]"):
        paired(runs, "ridge", **HOW)


def test_repeated_folds_by_hand():
    """Rubin's rules with K = 2, R = 3: within variances 2e-4, 8e-4, 2e-4; means 0.51, 0.53, 0.49."""
    scores = np.array([0.50, 0.52, 0.51, 0.55, 0.48, 0.50])
    repeat = np.array(list("aabbcc"))
    estimate = corrected_t(scores, 1.0, repeat=repeat)
    within, between = 4e-4 / 2, (1 + 1 / 3) * 4e-4
    freedom = (within + between) ** 2 / (within**2 / 3 + between**2 / 2)
    half = stats.t.ppf(0.975, freedom) * np.sqrt(within + between)
    np.testing.assert_allclose(estimate[:3], [0.51, 0.51 - half, 0.51 + half], rtol=1e-9)
    shuffled = np.random.default_rng(0).permutation(6)
    again = corrected_t(scores[shuffled], 1.0, repeat=repeat[shuffled])
    np.testing.assert_allclose(again, estimate)


def test_one_split_of_each_deal_is_one_deal():
    assert corrected_t(SCORES, 0.25, repeat=range(5)) == corrected_t(SCORES, 0.25)
    assert corrected_t(SCORES, 0.25, repeat=[7] * 5) == corrected_t(SCORES, 0.25)


def test_repeated_folds_that_are_all_equal():
    repeat = np.repeat([0, 1], 2)
    assert corrected_t(np.zeros(4), 0.25, repeat=repeat) == (0, 0, 0, 1)


def test_it_covers_the_truth_of_repeated_folds():
    """Scores u + v of the deal + e of the fold, where the variance of u is 2 var(e)/K + var(v)."""
    rng, K, R, p, old = np.random.default_rng(0), 5, 5, [], []
    repeat = np.repeat(np.arange(R), K)
    for _ in range(1500):
        u = rng.normal(scale=np.sqrt(2 / K + 0.1))
        deal, fold = rng.normal(scale=np.sqrt(0.1), size=R), rng.normal(size=R * K)
        scores = u + deal[repeat] + fold
        p.append(corrected_t(scores, 1 / 4, repeat=repeat).p_value)
        old.append(corrected_t(scores, 1 / 4).p_value)
    assert 0.035 < np.mean(np.array(p) < 0.05) < 0.065
    assert np.mean(np.array(old) < 0.05) > 0.1


def test_tables_know_the_deals(runs):
    """The first column of ``split`` is the deal."""
    later = runs.assign(repeat=1, c=runs["c"] + runs["fold"] / 100)
    both = pd.concat([runs, later])
    a = [0.6, 0.8, 0.7, 0.6, 0.81, 0.72]
    expected = corrected_t(a, 0.1, repeat=np.repeat([0, 1], 3))
    row = summarise(both, **HOW).set_index("method").loc["a"]
    np.testing.assert_allclose(row[["mean", "lower", "upper"]].astype(float), expected[:3])
    b = np.array([0.55, 0.70, 0.55, 0.55, 0.71, 0.57])
    expected = corrected_t(a - b, 0.1, repeat=np.repeat([0, 1], 3))
    np.testing.assert_allclose(paired(both, "b", **HOW).set_index("method").loc["a"], expected)
