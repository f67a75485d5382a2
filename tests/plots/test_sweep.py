"""Figures of a sweep: every run, every setting and every baseline is there, and labelled."""

import numpy as np
import pandas as pd
import pytest

from jaxsurv.plots import score_against_setting, training_curves

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
        "baseline 0, mean",
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


@pytest.fixture(scope="module")
def training():
    epochs = np.arange(1.0, 6.0)
    cox = np.tile(epochs, (6, 1)) + np.arange(6)[:, None]
    cox[0, 2:] = cox[1, 3:] = np.nan  # of the first setting's three runs one goes on to the end
    history = {"cox": cox, "kl": cox * 0 + 1, "validation": cox}
    panels = [("cox", "Cox loss"), ("kl", "KL (nats)"), ("validation", "validation loss")]
    return training_curves(history, np.repeat([0.5, 2.0], 3), panels=panels, legend="β")


def test_labels_of_the_training_curves(training):
    axes = training.axes
    assert [a.get_ylabel() for a in axes[:3]] == ["Cox loss", "KL (nats)", "validation loss"]
    assert [a.get_xlabel() for a in axes[:3]] == ["epoch"] * 3
    assert [a.axison for a in axes] == [True, True, True, False]
    assert [t.get_text() for t in training.legends[0].get_texts()] == ["0.5", "2"]
    assert training.legends[0].get_title().get_text() == "β"
    assert [a.get_yscale() for a in axes[:3]] == ["linear", "symlog", "linear"]


def test_a_line_is_the_mean_and_ends_where_half_of_its_runs_have_stopped(training):
    first, second = training.axes[0].lines
    np.testing.assert_array_equal(first.get_xdata(), [1, 2, 3])
    np.testing.assert_allclose(first.get_ydata(), [2, 3, 11 / 3])  # (2 + 4 + 5) / 3
    np.testing.assert_array_equal(second.get_ydata(), np.arange(1, 6) + 4)
    assert first.get_color() != second.get_color()
