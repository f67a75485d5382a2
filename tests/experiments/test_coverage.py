"""The simulation of coverage: its rates by hand, its cohorts, its command."""

import numpy as np
import pandas as pd
import pytest

from experiments.coverage import main
from experiments.coverage.rates import rates
from experiments.coverage.simulate import BLOCKS, Condition, scores

CONDITION = Condition("ridge", 100, 0.8)


def test_rates_count_what_they_say():
    """Of four cohorts three have models that are equal in every split, one a model that is far better."""
    rng = np.random.default_rng(0)
    a = 0.6 + 0.02 * rng.normal(size=(4, 1, 25))
    better = np.zeros((4, 1, 25))
    better[3] = 0.3
    once, often = rates(CONDITION, np.concatenate([a, a + better, a + 0.1], axis=1))
    assert (once["deals"], often["deals"]) == (1, 5)
    for row in (once, often):
        assert row["rejected"] == 0.25
        assert row["gain"] == pytest.approx(0.1 - 0.3 / 8)
        assert row["gain covered"] == 0  # the difference is 0.1 in each, without spread
    assert often["rejected as one deal"] == 0.25


def test_equal_blocks_are_equally_good_and_both_are_better():
    found = scores(CONDITION, range(12))
    assert found.shape == (12, len(BLOCKS), 25)
    a, b, both = found.mean(axis=(0, 2))
    assert abs(a - b) < 0.06
    assert both > max(a, b) + 0.02


@pytest.mark.slow
def test_smoke(tmp_path, capsys):
    arguments = ["--preset", "smoke", "--out", str(tmp_path)]
    assert main(arguments) == 0
    summary = pd.read_csv(tmp_path / "summary.csv")
    assert summary["learner"].tolist() == ["ridge"] * 4 + ["network"] * 4
    assert pd.read_csv(tmp_path / "small_sets.csv")["covered"].between(0.5, 1).all()
    assert main([*arguments, "--resume"]) == 0
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "summary.csv"), summary)
    assert "equal models have p &lt; 0.05" in (tmp_path / "report.html").read_text()
