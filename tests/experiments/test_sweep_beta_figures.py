"""The score against a setting: every run, every setting and every baseline is there, and labelled."""

import numpy as np
import pandas as pd
import pytest

from experiments.sweep_beta.figures import score_against_setting

RUNS = pd.DataFrame({"beta": np.repeat([1e-4, 0.1, 1.0], 4), "c": np.linspace(0.5, 0.8, 12)})
SUMMARY = pd.DataFrame(
    {"beta": [1e-4, 0.1, 1.0], "mean": [0.55, 0.65, 0.75], "lower": 0.5, "upper": 0.8}
)


def score_axes(n_baselines):
    names = [f"baseline {i}" for i in range(n_baselines)]
    baselines = pd.DataFrame({"method": names, "mean": np.linspace(0.6, 0.7, n_baselines)})
    figure = score_against_setting(
        RUNS,
        SUMMARY,
        baselines,
        by="beta",
        score="c",
        xlabel="β",
        ylabel="C, test folds",
        title="acc",
    )
    return figure.axes[0], figure.legends[0]


def test_labels_of_the_score():
    ax, legend = score_axes(1)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("β", "C, test folds")
    assert ax.get_title(loc="left") == "acc"
    assert [t.get_text() for t in ax.get_xticklabels()] == ["0.0001", "0.1", "1"]
    assert [t.get_text() for t in legend.get_texts()] == [
        "single runs (n = 12)",
        "baseline 0: 0.600",
        "mean, 95 % interval",
    ]


def test_every_run_is_a_dot_at_its_setting():
    dots = score_axes(1)[0].lines[0]
    np.testing.assert_array_equal(np.round(dots.get_xdata()), np.repeat([0, 1, 2], 4))
    np.testing.assert_array_equal(dots.get_ydata(), RUNS["c"])


def test_means_have_their_intervals():
    (bars,) = score_axes(1)[0].containers
    np.testing.assert_array_equal(bars.lines[0].get_ydata(), SUMMARY["mean"])
    segments = [s[:, 1] for s in bars.lines[2][0].get_segments()]
    np.testing.assert_allclose(segments, [[0.5, 0.8]] * 3)


@pytest.mark.parametrize("n", [0, 2, 6])
def test_every_baseline_has_a_line_of_its_own(n):
    lines = [x for x in score_axes(n)[0].lines if str(x.get_label()).startswith("baseline")]
    assert len({(x.get_color(), x.get_linestyle()) for x in lines}) == n
    np.testing.assert_allclose([x.get_ydata()[0] for x in lines], np.linspace(0.6, 0.7, n))
